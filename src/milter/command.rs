//! What a frame says, before anybody asks whether it may be said now.

use thiserror::Error;

use super::cursor::{Cursor, Fault};
use super::event::{Connect, Event, Path};
use super::frame::Frame;
use super::macros::{Stage, check_definitions};
use super::negotiation::Offer;

/// The command bytes that an MTA sends (`SMFIC_*`).
pub mod code {
    pub const ABORT: u8 = b'A';
    pub const BODY: u8 = b'B';
    pub const CONNECT: u8 = b'C';
    pub const MACRO: u8 = b'D';
    pub const END_OF_MESSAGE: u8 = b'E';
    pub const HELO: u8 = b'H';
    pub const NEW_CONNECTION: u8 = b'K';
    pub const HEADER: u8 = b'L';
    pub const MAIL: u8 = b'M';
    pub const END_OF_HEADERS: u8 = b'N';
    pub const NEGOTIATE: u8 = b'O';
    pub const QUIT: u8 = b'Q';
    pub const RECIPIENT: u8 = b'R';
    pub const DATA: u8 = b'T';
    pub const UNKNOWN: u8 = b'U';
}

/// One command of the MTA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command<'f> {
    Negotiate(Offer),
    /// Definitions of macros, checked: name, NUL, value, NUL, and so on.
    Macros {
        /// `None` for a stage that this program does not know or does not keep.
        stage: Option<Stage>,
        definitions: &'f [u8],
    },
    Event(Event<'f>),
    Quit,
}

/// A frame that cannot be understood. Either side has a bug, or the peer is no MTA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CommandError {
    #[error("unknown command {}", show(*.0))]
    Unknown(u8),
    #[error("malformed {} packet: it {fault}", name(*.command))]
    Malformed { command: u8, fault: Fault },
}

impl<'f> Command<'f> {
    /// Reads one frame.
    ///
    /// What follows a command that takes no payload is ignored, as libmilter does.
    ///
    /// # Errors
    /// For a command byte that is not one of [`code`], and for a payload that does
    /// not have its command's form.
    pub fn parse<P: AsRef<[u8]>>(frame: &'f Frame<P>) -> Result<Self, CommandError> {
        let payload = frame.payload.as_ref();
        let command = match frame.command {
            code::NEGOTIATE => Offer::parse(payload).map(Command::Negotiate),
            code::MACRO => parse_macros(payload),
            code::QUIT => Ok(Command::Quit),
            code::CONNECT => Connect::parse(payload).map(Event::Connect).map(Self::Event),
            code::HELO => parse_helo(payload).map(Event::Helo).map(Self::Event),
            code::MAIL => Path::parse(payload).map(Event::Mail).map(Self::Event),
            code::RECIPIENT => Path::parse(payload).map(Event::Recipient).map(Self::Event),
            code::DATA => Ok(Self::Event(Event::Data)),
            code::HEADER => parse_header(payload).map(Self::Event),
            code::END_OF_HEADERS => Ok(Self::Event(Event::EndOfHeaders)),
            code::BODY => Ok(Self::Event(Event::Body(payload))),
            code::END_OF_MESSAGE => Ok(Self::Event(Event::EndOfMessage(payload))),
            code::ABORT => Ok(Self::Event(Event::Abort)),
            code::NEW_CONNECTION => Ok(Self::Event(Event::NewConnection)),
            code::UNKNOWN => Ok(Self::Event(Event::Unknown(
                payload.strip_suffix(b"\0").unwrap_or(payload),
            ))),
            other => return Err(CommandError::Unknown(other)),
        };
        command.map_err(|fault| CommandError::Malformed {
            command: frame.command,
            fault,
        })
    }
}

fn parse_helo(payload: &[u8]) -> Result<&[u8], Fault> {
    let mut cursor = Cursor::new(payload);
    let name = cursor.string()?;
    cursor.finish()?;
    Ok(name)
}

fn parse_header(payload: &[u8]) -> Result<Event<'_>, Fault> {
    let mut cursor = Cursor::new(payload);
    let name = cursor.string()?;
    let value = cursor.string()?;
    cursor.finish()?;
    Ok(Event::Header { name, value })
}

fn parse_macros(payload: &[u8]) -> Result<Command<'_>, Fault> {
    let mut cursor = Cursor::new(payload);
    let stage = Stage::from_command(cursor.u8()?);
    let definitions = cursor.rest();
    check_definitions(definitions)?;
    Ok(Command::Macros { stage, definitions })
}

/// The name of a command in messages to people.
pub fn name(command: u8) -> &'static str {
    match command {
        code::ABORT => "ABORT",
        code::BODY => "BODY",
        code::CONNECT => "CONNECT",
        code::MACRO => "MACRO",
        code::END_OF_MESSAGE => "end-of-message",
        code::HELO => "HELO",
        code::NEW_CONNECTION => "QUIT_NC",
        code::HEADER => "HEADER",
        code::MAIL => "MAIL",
        code::END_OF_HEADERS => "end-of-headers",
        code::NEGOTIATE => "OPTNEG",
        code::QUIT => "QUIT",
        code::RECIPIENT => "RCPT",
        code::DATA => "DATA",
        code::UNKNOWN => "UNKNOWN",
        _ => "unknown",
    }
}

fn show(command: u8) -> String {
    if command.is_ascii_graphic() {
        format!("'{}'", char::from(command))
    } else {
        format!("0x{command:02x}")
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn frame(command: u8, payload: &'static [u8]) -> Frame {
        Frame {
            command,
            payload: Bytes::from_static(payload),
        }
    }

    fn fault(command: u8, payload: &'static [u8]) -> Fault {
        match Command::parse(&frame(command, payload)) {
            Err(CommandError::Malformed { command: c, fault }) if c == command => fault,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn header_values_are_taken_as_sent() {
        for (payload, value) in [
            (&b"Subject\0 a\n b\n\tc \0"[..], &b" a\n b\n\tc "[..]),
            (b"Subject\0\0", b""),
            (b"Subject\0\tv\xff\x01\0", b"\tv\xff\x01"),
        ] {
            assert_eq!(
                Command::parse(&frame(b'L', payload)),
                Ok(Command::Event(Event::Header {
                    name: b"Subject",
                    value
                }))
            );
        }
        assert_eq!(fault(b'L', b"Subject\0v"), Fault::Unterminated);
        assert_eq!(fault(b'L', b"Subject\0v\0w\0"), Fault::Trailing);
    }

    #[test]
    fn the_end_of_a_message_may_bring_data() {
        assert_eq!(
            Command::parse(&frame(b'E', b"last\r\n")),
            Ok(Command::Event(Event::EndOfMessage(b"last\r\n")))
        );
    }

    #[test]
    fn errors_name_the_command() {
        let error = Command::parse(&frame(b'z', b"")).unwrap_err();
        assert_eq!(error.to_string(), "unknown command 'z'");
        let error = Command::parse(&frame(0, b"")).unwrap_err();
        assert_eq!(error.to_string(), "unknown command 0x00");
        let error = Command::parse(&frame(b'H', b"host")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "malformed HELO packet: it has a string without its NUL"
        );
        assert_eq!(fault(b'O', b"\0\0\0\x06\0"), Fault::Short);
        assert_eq!(fault(b'D', b""), Fault::Short);
        assert_eq!(fault(b'D', b"Mi\0"), Fault::OddMacros);
    }
}
