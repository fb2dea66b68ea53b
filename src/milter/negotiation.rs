//! OPTNEG: what the MTA offers, what a signer wants of it, and what holds then.
//!
//! The answer never asks for what was not offered: Sendmail fails such a
//! negotiation, and Postfix obeys it without a word. What holds is therefore always
//! `wanted & offered`, and that mask, not the wish, decides which replies are owed.

use bytes::BytesMut;
use thiserror::Error;

use super::command::code;
use super::cursor::{Cursor, Fault};
use super::flags::{actions, protocol};
use super::frame;
use super::macros::Stage;

/// The newest protocol version there is, Sendmail 8.14 and Postfix 2.6.
pub const NEWEST: u32 = 6;
/// The oldest that is understood. Before it there were no protocol flags.
pub const OLDEST: u32 = 2;

/// The first words of an MTA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    pub version: u32,
    /// [`actions`]
    pub actions: u32,
    /// [`protocol`]
    pub protocol: u32,
}

impl Offer {
    pub(super) fn parse(payload: &[u8]) -> Result<Self, Fault> {
        let mut cursor = Cursor::new(payload);
        // A newer version may say more behind it.
        Ok(Self {
            version: cursor.u32()?,
            actions: cursor.u32()?,
            protocol: cursor.u32()?,
        })
    }
}

/// What the filter wants to be told, and where it wants to be asked.
///
/// The end of the message is always replied to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Reply to CONNECT, so that a client can be accepted unheard.
    pub connect_reply: bool,
    /// Be told the recipients.
    pub recipients: bool,
    /// Reply to DATA, so that a stranger's message is accepted before it is sent. Where
    /// next to all mail is signed, that reply only wakes both sides once more. Over TCP
    /// it also carries the acknowledgement that Postfix waits for (Nagle); without it,
    /// what is received has to be acknowledged at once.
    pub data_reply: bool,
    /// Reply to the end of the headers, so that a message whose author or recipients
    /// say no is accepted or refused before its body is sent. Where next to all mail
    /// is signed, that reply only wakes both sides once more; the verdict then waits
    /// for the end of the message.
    pub headers_reply: bool,
    /// Macros to ask for besides those that a signer always needs, with or without
    /// braces. A name that cannot be in a list (empty, white space, NUL) is left out.
    pub macro_names: Vec<String>,
}

/// What holds on this connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreement {
    pub version: u32,
    /// [`actions`]
    pub actions: u32,
    /// [`protocol`]
    pub protocol: u32,
}

/// An MTA with which there is nothing to agree on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NegotiationError {
    #[error("the MTA speaks milter protocol version {offered}, the oldest understood is {OLDEST}")]
    TooOld { offered: u32 },
    #[error("the MTA does not allow header fields to be added (it offers actions 0x{offered:x})")]
    NoAddHeader { offered: u32 },
}

impl Agreement {
    /// # Errors
    /// When the MTA is too old, or does not let a filter add a header field: a signer
    /// could then do nothing, and should not do it in silence.
    pub fn reach(offer: &Offer, wanted: &Wanted) -> Result<Self, NegotiationError> {
        if offer.version < OLDEST {
            return Err(NegotiationError::TooOld {
                offered: offer.version,
            });
        }
        if offer.actions & actions::ADDHDRS == 0 {
            return Err(NegotiationError::NoAddHeader {
                offered: offer.actions,
            });
        }
        Ok(Self {
            version: offer.version.min(NEWEST),
            actions: offer.actions & (actions::ADDHDRS | actions::SETSYMLIST),
            protocol: offer.protocol & wanted.protocol(),
        })
    }

    /// Whether header values come, and are to be given, with the space behind the
    /// colon.
    pub fn leading_space(&self) -> bool {
        self.protocol & protocol::HDR_LEADSPC != 0
    }

    /// Whether the MTA waits for a reply to a command, one of [`code`].
    pub fn owes_reply(&self, command: u8) -> bool {
        let unless = match command {
            code::CONNECT => protocol::NR_CONN,
            code::HELO => protocol::NR_HELO,
            code::MAIL => protocol::NR_MAIL,
            code::RECIPIENT => protocol::NR_RCPT,
            code::DATA => protocol::NR_DATA,
            code::HEADER => protocol::NR_HDR,
            code::END_OF_HEADERS => protocol::NR_EOH,
            code::BODY => protocol::NR_BODY,
            code::UNKNOWN => protocol::NR_UNKN,
            code::END_OF_MESSAGE => return true,
            _ => return false,
        };
        self.protocol & unless == 0
    }

    /// Writes the answer to the offer.
    pub(super) fn answer(&self, wanted: &Wanted, out: &mut BytesMut) {
        let version = self.version.to_be_bytes();
        let actions = self.actions.to_be_bytes();
        let protocol = self.protocol.to_be_bytes();
        let lists = if self.actions & actions::SETSYMLIST != 0 {
            wanted.macro_lists()
        } else {
            Vec::new()
        };
        frame::encode(
            code::NEGOTIATE,
            &[&version, &actions, &protocol, &lists],
            out,
        );
    }
}

impl Wanted {
    fn protocol(&self) -> u32 {
        let mut wanted = protocol::NOHELO
            | protocol::NOUNKNOWN
            | protocol::NR_MAIL
            | protocol::NR_HDR
            | protocol::NR_BODY
            | protocol::HDR_LEADSPC;
        if !self.connect_reply {
            wanted |= protocol::NR_CONN;
        }
        if !self.data_reply {
            wanted |= protocol::NR_DATA;
        }
        if !self.headers_reply {
            wanted |= protocol::NR_EOH;
        }
        wanted |= if self.recipients {
            protocol::NR_RCPT
        } else {
            protocol::NORCPT
        };
        wanted
    }

    /// The lists of SETSYMLIST, behind the flags of the answer.
    ///
    /// An empty list would stand for the MTA's own, so a stage of which nothing is
    /// needed asks for one short macro. DATA, where the origin is judged, gets all
    /// that bears on it once more; the lists of EOH and EOM are short because they
    /// are sent again before every header field and every piece of the body.
    fn macro_lists(&self) -> Vec<u8> {
        let client = "j {daemon_name} {client_addr}";
        let mail = "i {auth_type} {auth_authen}";
        let content = "i {auth_type} {auth_authen} {daemon_name} {client_addr}";
        let mut extra = String::new();
        for name in &self.macro_names {
            let name = name
                .strip_prefix('{')
                .and_then(|name| name.strip_suffix('}'))
                .unwrap_or(name);
            let unfit = |c: char| c.is_whitespace() || c.is_control() || c == '{' || c == '}';
            if name.is_empty() || name.contains(unfit) {
                continue;
            }
            // One letter goes without braces, as the MTAs write it themselves.
            if name.len() == 1 {
                extra.extend([" ", name]);
            } else {
                extra.extend([" {", name, "}"]);
            }
        }
        let mut lists = Vec::new();
        for (stage, names, extra) in [
            (Stage::Connect, client, &*extra),
            (Stage::Helo, "j", &extra),
            (Stage::Mail, mail, &extra),
            (Stage::Recipient, "i", ""),
            (Stage::Data, content, &extra),
            (Stage::EndOfMessage, "i", ""),
            (Stage::EndOfHeaders, "i", ""),
        ] {
            let Some(number) = stage.list_number() else {
                continue;
            };
            lists.extend_from_slice(&number.to_be_bytes());
            lists.extend_from_slice(names.as_bytes());
            lists.extend_from_slice(extra.as_bytes());
            lists.push(0);
        }
        lists
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::milter::frame::decode;

    /// What Postfix offers with `milter_protocol` 6, 4, 3 and 2.
    const OFFERS: [(u32, u32); 4] = [(6, 0x1f_ffff), (4, 0x37f), (3, 0x17f), (2, 0x7f)];

    fn offer(version: u32, protocol: u32) -> Offer {
        Offer {
            version,
            actions: actions::ALL,
            protocol,
        }
    }

    fn answer(offer: &Offer, wanted: &Wanted) -> Vec<u8> {
        let mut out = BytesMut::new();
        Agreement::reach(offer, wanted)
            .unwrap()
            .answer(wanted, &mut out);
        decode(&mut out, 4096).unwrap().unwrap().payload.to_vec()
    }

    #[test]
    fn nothing_is_asked_for_that_was_not_offered() {
        for (version, bits) in OFFERS {
            let agreement = Agreement::reach(&offer(version, bits), &Wanted::default()).unwrap();
            assert_eq!(agreement.version, version);
            assert_eq!(agreement.protocol & !bits, 0);
            assert_eq!(agreement.leading_space(), version == 6);
        }
        // Sendmail's maximum data size is not to be echoed, a later version not claimed.
        let agreement = Agreement::reach(&offer(9, 0xffff_ffff), &Wanted::default()).unwrap();
        assert_eq!(agreement.version, 6);
        assert_eq!(agreement.protocol & !protocol::ALL, 0);
    }

    #[test]
    fn a_signer_replies_at_the_end_and_elsewhere_if_it_has_to() {
        let owed = |wanted: &Wanted, bits| {
            let agreement = Agreement::reach(&offer(6, bits), wanted).unwrap();
            let owed: Vec<u8> = b"CMRTLNBE"
                .iter()
                .copied()
                .filter(|command| agreement.owes_reply(*command))
                .collect();
            String::from_utf8(owed).unwrap()
        };
        // RCPT would be owed a reply, but is not sent (NORCPT).
        assert_eq!(owed(&Wanted::default(), protocol::ALL), "RE");
        let all = Wanted {
            connect_reply: true,
            recipients: true,
            data_reply: true,
            headers_reply: true,
            ..Wanted::default()
        };
        assert_eq!(owed(&all, protocol::ALL), "CTNE");
        assert_eq!(owed(&all, 0), "CMRTLNBE", "what is not offered is masked");
    }

    #[test]
    fn the_bytes_of_the_answer() {
        let answer = answer(&offer(6, protocol::ALL), &Wanted::default());
        let (flags, lists) = answer.split_at(12);
        assert_eq!(flags, b"\0\0\0\x06\0\0\x01\x01\0\x1d\x51\x8a");
        assert_eq!(
            lists,
            b"\0\0\0\0j {daemon_name} {client_addr}\0\
              \0\0\0\x01j\0\
              \0\0\0\x02i {auth_type} {auth_authen}\0\
              \0\0\0\x03i\0\
              \0\0\0\x04i {auth_type} {auth_authen} {daemon_name} {client_addr}\0\
              \0\0\0\x05i\0\
              \0\0\0\x06i\0"
        );
    }

    #[test]
    fn configured_macros_are_asked_for_where_they_can_be_known() {
        let wanted = Wanted {
            macro_names: ["{tls_version}", "mine", "x", "a b", "", "{}"]
                .map(String::from)
                .to_vec(),
            ..Wanted::default()
        };
        let answer = answer(&offer(6, protocol::ALL), &wanted);
        let lists: Vec<&[u8]> = answer[12..].split(|byte| *byte == 0).collect();
        let asking = lists
            .iter()
            .filter(|list| list.ends_with(b" {tls_version} {mine} x"));
        assert_eq!(asking.count(), 4, "CONNECT, HELO, MAIL, DATA");
    }

    #[test]
    fn lists_are_sent_only_to_an_mta_that_takes_them() {
        let mut offer = offer(6, protocol::ALL);
        offer.actions = actions::ADDHDRS;
        assert_eq!(answer(&offer, &Wanted::default()).len(), 12);
    }

    #[test]
    fn an_mta_that_cannot_be_served_is_told_apart() {
        let wanted = Wanted::default();
        assert_eq!(
            Agreement::reach(&offer(1, 0), &wanted),
            Err(NegotiationError::TooOld { offered: 1 })
        );
        let mut offer = offer(6, protocol::ALL);
        offer.actions = 0x1fe;
        assert_eq!(
            Agreement::reach(&offer, &wanted),
            Err(NegotiationError::NoAddHeader { offered: 0x1fe })
        );
    }
}
