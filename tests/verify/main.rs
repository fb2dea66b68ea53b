//! `signet verify`, run as an administrator runs it: on the examples of the RFCs, on
//! every kind of failure, and against a real name server.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests may fail by panicking"
)]

mod changes;
mod failures;
#[path = "../left_out/mod.rs"]
mod left_out;
mod name_server;
mod output;
mod rfc_examples;
mod run;
mod signed;
