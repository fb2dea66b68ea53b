//! A filter's packets, read as Postfix reads them.

use thiserror::Error;

use crate::milter::cursor::{Cursor, Fault};
use crate::milter::frame::Frame;

/// One packet of a filter, borrowed from its frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply<'f> {
    Continue,
    Accept,
    Tempfail,
    Reject,
    Discard,
    /// No more events of this kind, please.
    Skip,
    /// The filter is at work; nothing is decided.
    Progress,
    Shutdown,
    /// An SMTP reply of the filter's own, `550 5.7.1 text`.
    ReplyCode(&'f [u8]),
    AddHeader {
        name: &'f [u8],
        value: &'f [u8],
    },
    InsertHeader {
        index: u32,
        name: &'f [u8],
        value: &'f [u8],
    },
    /// Any other edit, by its letter: change a field, replace the body, add or remove
    /// a recipient, change the sender, quarantine.
    Edit(u8),
}

/// A packet with which Postfix would not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ReplyError {
    #[error("the filter sent '{}', which is no reply", char::from(*.0))]
    Unknown(u8),
    #[error("the filter's reply '{}' {fault}", char::from(*.code))]
    Malformed { code: u8, fault: Fault },
}

impl<'f> Reply<'f> {
    /// # Errors
    /// For a letter that is no reply, and for a packet that does not have its form:
    /// Postfix takes its default action then.
    pub fn parse(frame: &'f Frame) -> Result<Self, ReplyError> {
        let mut cursor = Cursor::new(&frame.payload);
        let reply = match frame.command {
            b'c' => Ok(Self::Continue),
            b'a' => Ok(Self::Accept),
            b't' => Ok(Self::Tempfail),
            b'r' => Ok(Self::Reject),
            b'd' => Ok(Self::Discard),
            b's' => Ok(Self::Skip),
            b'p' => Ok(Self::Progress),
            b'4' => Ok(Self::Shutdown),
            b'y' => cursor.string().map(Self::ReplyCode),
            b'h' => cursor
                .string()
                .and_then(|name| Ok((name, cursor.string()?)))
                .map(|(name, value)| Self::AddHeader { name, value }),
            b'i' => cursor
                .u32()
                .and_then(|index| Ok((index, cursor.string()?, cursor.string()?)))
                .map(|(index, name, value)| Self::InsertHeader { index, name, value }),
            b'm' | b'b' | b'+' | b'-' | b'2' | b'e' | b'q' => {
                return Ok(Self::Edit(frame.command));
            }
            other => return Err(ReplyError::Unknown(other)),
        };
        reply
            .and_then(|reply| cursor.finish().map(|()| reply))
            .map_err(|fault| ReplyError::Malformed {
                code: frame.command,
                fault,
            })
    }

    /// Whether the packet edits the message instead of answering an event.
    pub fn is_edit(&self) -> bool {
        matches!(
            self,
            Self::AddHeader { .. } | Self::InsertHeader { .. } | Self::Edit(_)
        )
    }
}
