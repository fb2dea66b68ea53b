//! Every form of a key record, read by the program it is written for: name servers, their checkers, parsers of the languages.
//!
//! Each test takes a 2048-bit and a 4096-bit RSA key and an Ed25519 key through the tool and compares what comes out with the record. A
//! tool that is missing is said so; with `CI=true` that is a failure. `tests/run` installs them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and so may all that serves it"
)]

#[path = "../left_out/mod.rs"]
mod left_out;
#[path = "../place/mod.rs"]
mod place;

mod documents;
mod list;
mod name_servers;
mod records;
mod shell_commands;
mod tools;
mod zone_files;
