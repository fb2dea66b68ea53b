//! The MTA's end of the wire, as Postfix plays it: for tests, for `signet selftest`
//! and for the load generator. The daemon itself never uses it.
//!
//! [`Offer::postfix`] opens, [`Answer`] is what the filter replied, and from both a
//! [`Script`] is written: the bytes of a client or of a message with the places where
//! Postfix waits for a reply. A script is made once and may be played any number of
//! times. [`Dialogue`] plays it against a filter's replies without touching a socket.

mod answer;
mod dialogue;
mod message;
mod reply;
mod script;

pub use answer::{Answer, AnswerError};
pub use dialogue::{Action, Dialogue, DialogueError, Edit, Outcome, Verdict};
pub use message::{Client, Envelope, Message, UnknownEdit};
pub use reply::{Reply, ReplyError};
pub use script::{Part, Script};

pub use super::negotiation::Offer;

/// Ends a message, or does nothing. Postfix sends it after every message, mostly twice.
pub const ABORT: &[u8] = b"\0\0\0\x01A";
/// Ends the connection.
pub const QUIT: &[u8] = b"\0\0\0\x01Q";
/// Ends the client and keeps the connection. Neither Postfix nor Sendmail sends it.
pub const NEW_CONNECTION: &[u8] = b"\0\0\0\x01K";

#[cfg(test)]
mod tests;
