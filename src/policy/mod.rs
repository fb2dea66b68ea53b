//! Who is signed, and why not: questions about one message, asked in order.
//!
//! Plain functions over values. The first "no" ends the questions and is the
//! [`Reason`] in the log.

pub mod author;
mod decision;
pub mod exclude;
mod index;
pub mod origin;
mod reason;
pub mod rules;
pub mod send_as;

pub use decision::Decision;
pub use origin::{Origin, TrustedBy};
pub use reason::Reason;

pub use crate::config::OnFailure;
