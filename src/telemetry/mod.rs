//! What is counted and logged: plain recorders that take an [`Outcome`].
//!
//! The filter only returns outcomes and the server hands them here, so the same
//! code serves the daemon, `sign` and `explain`. Nothing here sees header text, a
//! message body or key material, and nothing asks the clock.

mod exposition;
mod histogram;
mod journal;
mod key_use;
mod limit;
mod log;
mod metrics;
mod outcome;
pub mod textfile;

pub use exposition::{Gauges, Page, Process, exposition};
pub use histogram::{Distribution, Histogram};
pub use key_use::{KeyUse, KeyUses};
pub use limit::{Limit, LimitCounts};
pub use log::{init, log_panics, record, set_level};
pub use metrics::{Batches, Breach, Connections, Counter, Fate, Metrics};
pub use outcome::{Action, Outcome, SignedBy, Verdict};
