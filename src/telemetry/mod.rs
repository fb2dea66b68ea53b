//! What is counted and logged: plain recorders that take an [`Outcome`].
//!
//! The filter only returns outcomes and the server hands them here, so the same
//! code serves the daemon, `sign` and `explain`. Nothing here sees header text, a
//! message body or key material.

mod log;
mod outcome;

pub use log::{init, record};
pub use outcome::{Action, Outcome, SignedBy, Verdict};
