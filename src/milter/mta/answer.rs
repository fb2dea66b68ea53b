//! The negotiation from the MTA's end.

use bytes::BytesMut;
use thiserror::Error;

use crate::milter::command::code;
use crate::milter::cursor::{Cursor, Fault};
use crate::milter::flags::actions;
use crate::milter::frame::{self, Frame};
use crate::milter::macros::Stage;
use crate::milter::negotiation::{Agreement, Offer};

impl Offer {
    /// What Postfix offers with `milter_protocol` at 2, 3, 4 or 6. The bits of other
    /// versions are those of the next older one.
    pub fn postfix(version: u32) -> Self {
        let protocol = match version {
            ..=2 => 0x7f,
            3 => 0x17f,
            4 | 5 => 0x37f,
            _ => 0x1f_ffff,
        };
        Self {
            version,
            actions: actions::ALL,
            protocol,
        }
    }

    /// The OPTNEG packet.
    pub fn encode(&self, out: &mut BytesMut) {
        let words = [self.version, self.actions, self.protocol].map(u32::to_be_bytes);
        frame::encode(code::NEGOTIATE, &[words.as_flattened()], out);
    }
}

/// What a filter made of an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub agreement: Agreement,
    /// The macros that the filter asks for, as it wrote them, in the order of
    /// [`Stage::ALL`]. An empty list leaves the choice to the MTA.
    lists: [Vec<String>; Stage::ALL.len()],
}

/// Why Postfix would not go on with a filter.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AnswerError {
    #[error("the filter closed or answered the offer with '{}'", char::from(*.0))]
    NotOptneg(u8),
    #[error("the filter's answer {0}")]
    Malformed(Fault),
    #[error("the filter answered version {answered} to an offer of {offered}")]
    Version { offered: u32, answered: u32 },
    #[error("the filter asked for actions 0x{answered:x}, offered were 0x{offered:x}")]
    Actions { offered: u32, answered: u32 },
    #[error("the filter asked for protocol flags 0x{answered:x}, offered were 0x{offered:x}")]
    Protocol { offered: u32, answered: u32 },
}

impl Answer {
    /// Reads an answer as strictly as the stricter of Postfix and Sendmail does.
    ///
    /// # Errors
    /// When the filter asks for what was not offered, and when its packet is broken.
    pub fn read(frame: &Frame, offer: &Offer) -> Result<Self, AnswerError> {
        if frame.command != code::NEGOTIATE {
            return Err(AnswerError::NotOptneg(frame.command));
        }
        let mut cursor = Cursor::new(&frame.payload);
        let mut word = || cursor.u32().map_err(AnswerError::Malformed);
        let agreement = Agreement {
            version: word()?,
            actions: word()?,
            protocol: word()?,
        };
        let Agreement {
            version,
            actions,
            protocol,
        } = agreement;
        if version > offer.version {
            return Err(AnswerError::Version {
                offered: offer.version,
                answered: version,
            });
        }
        if actions & !offer.actions != 0 {
            return Err(AnswerError::Actions {
                offered: offer.actions,
                answered: actions,
            });
        }
        // Postfix obeys in silence; Sendmail fails the negotiation.
        if protocol & !offer.protocol != 0 {
            return Err(AnswerError::Protocol {
                offered: offer.protocol,
                answered: protocol,
            });
        }
        Ok(Self {
            agreement,
            lists: read_lists(cursor).map_err(AnswerError::Malformed)?,
        })
    }

    /// The macros to be sent before an event: the filter's list, or else Postfix' own.
    pub(super) fn macro_names(&self, stage: Stage) -> impl Iterator<Item = &str> {
        let list = match stage {
            // Postfix and Sendmail have no list of their own for these.
            Stage::Header => Stage::EndOfHeaders,
            Stage::Body => Stage::EndOfMessage,
            stage => stage,
        };
        let asked = Stage::ALL
            .into_iter()
            .zip(&self.lists)
            .find(|(stage, _)| *stage == list)
            .map_or(&[][..], |(_, names)| names);
        let default = if asked.is_empty() {
            postfix_defaults(list)
        } else {
            ""
        };
        asked
            .iter()
            .map(String::as_str)
            .chain(default.split_ascii_whitespace())
    }
}

fn read_lists(mut cursor: Cursor<'_>) -> Result<[Vec<String>; Stage::ALL.len()], Fault> {
    let mut lists: [Vec<String>; Stage::ALL.len()] = Default::default();
    while !cursor.is_empty() {
        let number = cursor.u32()?;
        let names = String::from_utf8_lossy(cursor.string()?);
        for (stage, list) in Stage::ALL.into_iter().zip(&mut lists) {
            if stage.list_number() == Some(number) {
                *list = names.split_ascii_whitespace().map(String::from).collect();
            }
        }
    }
    Ok(lists)
}

/// `milter_*_macros` of Postfix 3.7.
fn postfix_defaults(stage: Stage) -> &'static str {
    match stage {
        Stage::Connect => "j {daemon_name} {daemon_addr} v _",
        Stage::Helo => "{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer}",
        Stage::Mail => {
            "i {auth_type} {auth_authen} {auth_author} {mail_addr} {mail_host} {mail_mailer}"
        }
        Stage::Recipient => "i {rcpt_addr} {rcpt_host} {rcpt_mailer}",
        _ => "i",
    }
}
