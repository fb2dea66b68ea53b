//! The milter wire protocol, as Postfix and Sendmail speak it to a filter.
//!
//! Bytes become a [`frame::Frame`], a frame becomes a [`command::Command`], and
//! [`Session`] says what it means here and now: it answers the negotiation, keeps
//! the macros, hands the filter each [`Event`] and writes at most one reply to it,
//! none when the negotiation says that none is owed. [`mta`] is the other end of
//! the wire, for tests, `signet selftest` and `signet bench`.
//!
//! All of it is functions over values. Nothing here reads a socket, a file or the
//! clock, or knows what DKIM is.

pub mod command;
mod cursor;
pub mod event;
pub mod flags;
pub mod frame;
pub mod macros;
pub mod mta;
pub mod negotiation;
pub mod reply;
pub mod session;

pub use cursor::Fault;
pub use event::{Connect, Event, Family, Parameters, Path};
pub use macros::{Macros, Stage};
pub use negotiation::{Agreement, Wanted};
pub use reply::{InsertedField, Response};
pub use session::{Session, SessionError, Step};
