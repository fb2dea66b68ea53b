//! Macros: what the MTA says about client and message besides the events.
//!
//! They come in packets of their own, one before each event, for events that were
//! suppressed too. Each packet replaces what its stage had. Which macro comes at
//! which stage differs between MTAs and between ways into one MTA (the queue id is
//! there from DATA on with Postfix, at MAIL only with Sendmail), so a macro is
//! looked for from the latest stage back to the first.

use std::fmt;

use super::command::code;
use super::cursor::{Cursor, Fault};

/// When macros are given, in the order of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Connect,
    Helo,
    Mail,
    Recipient,
    Data,
    Header,
    EndOfHeaders,
    Body,
    EndOfMessage,
}

impl Stage {
    /// In the order of a session.
    pub const ALL: [Stage; 9] = [
        Stage::Connect,
        Stage::Helo,
        Stage::Mail,
        Stage::Recipient,
        Stage::Data,
        Stage::Header,
        Stage::EndOfHeaders,
        Stage::Body,
        Stage::EndOfMessage,
    ];

    /// The stage of the macros that precede `command`. UNKNOWN is none: it may come
    /// at any time and says nothing of client or message.
    pub(super) fn from_command(command: u8) -> Option<Self> {
        Some(match command {
            code::CONNECT => Stage::Connect,
            code::HELO => Stage::Helo,
            code::MAIL => Stage::Mail,
            code::RECIPIENT => Stage::Recipient,
            code::DATA => Stage::Data,
            code::HEADER => Stage::Header,
            code::END_OF_HEADERS => Stage::EndOfHeaders,
            code::BODY => Stage::Body,
            code::END_OF_MESSAGE => Stage::EndOfMessage,
            _ => return None,
        })
    }

    /// The command byte that stands for the stage.
    pub(super) fn command(self) -> u8 {
        match self {
            Stage::Connect => code::CONNECT,
            Stage::Helo => code::HELO,
            Stage::Mail => code::MAIL,
            Stage::Recipient => code::RECIPIENT,
            Stage::Data => code::DATA,
            Stage::Header => code::HEADER,
            Stage::EndOfHeaders => code::END_OF_HEADERS,
            Stage::Body => code::BODY,
            Stage::EndOfMessage => code::END_OF_MESSAGE,
        }
    }

    /// The number of the stage's list in the negotiation (libmilter's `SMFIM_*`). The
    /// MTA uses the list of [`Stage::EndOfHeaders`] for the header fields too, and that
    /// of [`Stage::EndOfMessage`] for the body.
    pub(super) fn list_number(self) -> Option<u32> {
        match self {
            Stage::Connect => Some(0),
            Stage::Helo => Some(1),
            Stage::Mail => Some(2),
            Stage::Recipient => Some(3),
            Stage::Data => Some(4),
            Stage::EndOfMessage => Some(5),
            Stage::EndOfHeaders => Some(6),
            Stage::Header | Stage::Body => None,
        }
    }
}

/// The macros of the present client and message.
#[derive(Default)]
pub struct Macros {
    /// One packet's definitions for each of [`Stage::ALL`], one behind the other.
    packets: Vec<u8>,
    /// Where the packet of each stage ends; it begins where the last one ended.
    ends: [usize; Stage::ALL.len()],
    /// MAIL's macros have come and MAIL itself has not.
    before_mail: bool,
}

impl Macros {
    /// The value that the latest stage gives for a macro, whose name may be in
    /// braces or not: `i` and `{i}` are the same.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        let name = bare(name.as_bytes());
        Stage::ALL
            .into_iter()
            .rev()
            .find_map(|stage| definitions(self.packet(stage)).find(|(defined, _)| *defined == name))
            .map(|(_, value)| value)
    }

    /// Every definition, first stage first; names without braces.
    pub fn iter(&self) -> impl Iterator<Item = (Stage, &[u8], &[u8])> {
        Stage::ALL.into_iter().flat_map(|stage| {
            definitions(self.packet(stage)).map(move |(name, value)| (stage, name, value))
        })
    }

    /// Takes one packet, which [`check_definitions`] has found well-formed.
    pub(super) fn set(&mut self, stage: Stage, packet: &[u8]) {
        match stage {
            Stage::Connect => self.clear(),
            Stage::Mail => {
                // Sendmail announces the next message by nothing else.
                self.clear_message();
                self.before_mail = true;
            }
            _ => {}
        }
        // Before every header field the MTA says the same.
        if self.packet(stage) != packet {
            self.replace(stage, packet);
        }
    }

    /// MAIL has come, with or without macros before it.
    pub(super) fn begin_message(&mut self) {
        if !std::mem::take(&mut self.before_mail) {
            self.clear_message();
        }
    }

    /// The message is over; the client stays.
    pub(super) fn clear_message(&mut self) {
        self.before_mail = false;
        self.forget_from(Stage::Mail);
    }

    /// The client is gone too.
    pub(super) fn clear(&mut self) {
        self.before_mail = false;
        self.forget_from(Stage::Connect);
    }

    /// Where the packet of a stage begins and ends.
    fn bounds(&self, stage: Stage) -> (usize, usize) {
        let end = |index: usize| self.ends.get(index).copied();
        let stage = stage as usize;
        let start = stage.checked_sub(1).and_then(end).unwrap_or_default();
        (start, end(stage).unwrap_or(start))
    }

    fn packet(&self, stage: Stage) -> &[u8] {
        let (start, end) = self.bounds(stage);
        self.packets.get(start..end).unwrap_or_default()
    }

    fn replace(&mut self, stage: Stage, packet: &[u8]) {
        let (start, end) = self.bounds(stage);
        if end >= self.packets.len() {
            self.packets.truncate(start);
            self.packets.extend_from_slice(packet);
        } else {
            self.packets.splice(start..end, packet.iter().copied());
        }
        for later in self.ends.iter_mut().skip(stage as usize) {
            *later = *later - end + start + packet.len();
        }
    }

    /// Forgets the packets of this stage and of all later ones, and keeps only a small
    /// allocation: an idle connection must be cheap.
    fn forget_from(&mut self, stage: Stage) {
        let (start, _) = self.bounds(stage);
        self.packets.truncate(start);
        self.packets.shrink_to(KEPT);
        for later in self.ends.iter_mut().skip(stage as usize) {
            *later = start;
        }
    }
}

/// So many bytes may stay allocated between two messages.
const KEPT: usize = 512;

fn bare(name: &[u8]) -> &[u8] {
    name.strip_prefix(b"{")
        .and_then(|name| name.strip_suffix(b"}"))
        .unwrap_or(name)
}

fn definitions(packet: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut cursor = Cursor::new(packet);
    std::iter::from_fn(move || Some((bare(cursor.string().ok()?), cursor.string().ok()?)))
}

/// Whether `packet` is name, NUL, value, NUL and so on to its end.
pub(super) fn check_definitions(packet: &[u8]) -> Result<(), Fault> {
    let strings = packet.iter().filter(|&&byte| byte == 0).count();
    match packet.last() {
        Some(1..) => Err(Fault::Unterminated),
        Some(0) if strings % 2 != 0 => Err(Fault::OddMacros),
        Some(0) | None => Ok(()),
    }
}

impl fmt::Debug for Macros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        f.debug_list()
            .entries(
                self.iter()
                    .map(|(stage, name, value)| (stage, text(name), text(value))),
            )
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get<'m>(macros: &'m Macros, name: &str) -> &'m str {
        macros
            .get(name)
            .map_or("-", |value| std::str::from_utf8(value).unwrap())
    }

    #[test]
    fn the_latest_stage_wins_and_earlier_ones_stand_in() {
        let mut macros = Macros::default();
        macros.set(Stage::Connect, b"{daemon_name}\0smtp\0v\0one\0");
        macros.set(Stage::Mail, b"{auth_authen}\0ann\0i\0mail\0");
        macros.set(Stage::Data, b"{i}\0data\0");
        macros.set(Stage::EndOfMessage, b"");
        assert_eq!(get(&macros, "i"), "data");
        assert_eq!(get(&macros, "{i}"), "data");
        assert_eq!(get(&macros, "auth_authen"), "ann");
        assert_eq!(get(&macros, "{daemon_name}"), "smtp");
        assert_eq!(get(&macros, "none"), "-");
    }

    #[test]
    fn a_packet_replaces_its_stage() {
        let mut macros = Macros::default();
        macros.set(Stage::Helo, b"{tls_version}\0TLSv1.3\0");
        macros.set(Stage::Helo, b"");
        assert_eq!(get(&macros, "tls_version"), "-");
    }

    #[test]
    fn a_message_leaves_nothing_to_the_next() {
        let mut macros = Macros::default();
        macros.set(Stage::Connect, b"j\0mx\0");
        macros.set(Stage::Mail, b"i\0one\0{auth_authen}\0ann\0");
        macros.begin_message();
        assert_eq!(get(&macros, "i"), "one");
        macros.set(Stage::EndOfMessage, b"{msg_id}\0<1@x>\0");
        // Sendmail: the next message comes without an ABORT.
        macros.set(Stage::Mail, b"i\0two\0");
        assert_eq!(get(&macros, "auth_authen"), "-");
        assert_eq!(get(&macros, "msg_id"), "-");
        macros.begin_message();
        assert_eq!(get(&macros, "i"), "two");
        // And one that comes without macros either.
        macros.begin_message();
        assert_eq!(get(&macros, "i"), "-");
        assert_eq!(get(&macros, "j"), "mx");
    }

    #[test]
    fn an_abort_keeps_the_client_and_a_new_connection_nothing() {
        let mut macros = Macros::default();
        macros.set(Stage::Connect, b"j\0mx\0");
        macros.set(Stage::Mail, b"i\0one\0");
        macros.begin_message();
        // HELO in mid-transaction: its macros come before the ABORT.
        macros.set(Stage::Helo, b"{tls_version}\0TLSv1.3\0");
        assert_eq!(get(&macros, "i"), "one");
        macros.clear_message();
        assert_eq!(get(&macros, "i"), "-");
        assert_eq!(get(&macros, "tls_version"), "TLSv1.3");
        macros.clear();
        assert_eq!(get(&macros, "j"), "-");
    }

    #[test]
    fn a_stage_that_comes_again_leaves_the_later_ones_as_they_are() {
        let mut macros = Macros::default();
        macros.set(Stage::Connect, b"j\0mx\0");
        macros.set(Stage::Helo, b"{tls_version}\0TLSv1.2\0");
        macros.set(Stage::Mail, b"{auth_authen}\0ann\0");
        macros.set(Stage::Data, b"i\0one\0");
        for version in ["", "TLSv1.3", "TLSv1.3, and more"] {
            let packet = format!("{{tls_version}}\0{version}\0");
            macros.set(Stage::Helo, packet.as_bytes());
            let all: Vec<_> = macros
                .iter()
                .map(|(stage, _, value)| (stage, value))
                .collect();
            assert_eq!(
                all,
                [
                    (Stage::Connect, &b"mx"[..]),
                    (Stage::Helo, version.as_bytes()),
                    (Stage::Mail, b"ann"),
                    (Stage::Data, b"one"),
                ]
            );
        }
    }

    #[test]
    fn a_large_packet_is_not_kept_allocated() {
        let mut macros = Macros::default();
        macros.set(Stage::Mail, &[0; 100_000]);
        macros.clear_message();
        assert!(macros.packets.capacity() <= KEPT);
    }
}
