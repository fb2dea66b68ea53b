//! Key records in DNS: what one says, and how one is written for each console,
//! zone file or tool.
//!
//! `record` and `format` are pure: text in, text out.

pub mod format;
pub mod lookup;
pub mod record;

pub use format::{Format, Publication, record_name};
pub use record::{KeyRecord, RecordError, character_strings};
