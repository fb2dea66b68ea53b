//! signet signs outgoing mail with DKIM: Postfix hands it each message over the
//! milter protocol, it answers with one new header field per key.
//!
//! The modules are layered and a module imports only from layers below its own;
//! `tests/layers.rs` holds that. From the bottom: `names`; the pure protocol and
//! mathematics in `milter`, `dkim`, `dns`; what the operator wrote and what it
//! means in `config`, `keys`, `policy`, `snapshot`; `filter`, which takes one
//! message from envelope to verdict; `server`, the only tokio of the daemon; and
//! `cli`.

// These panic when the reader has gone; cli/streams.rs writes instead.
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod accelerator;
pub mod cli;
pub mod config;
pub mod dkim;
pub mod dns;
pub mod doctor;
pub mod filter;
pub mod import;
pub mod keys;
pub mod milter;
pub mod names;
pub mod paint;
pub mod policy;
pub mod postfix;
pub mod probe;
pub mod server;
pub mod setup;
pub mod snapshot;
pub mod telemetry;
pub mod verify;
