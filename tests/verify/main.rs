//! `signet verify`, run as an administrator runs it: on the examples of the RFCs, on
//! every kind of failure, against real name servers, and on messages that foreign
//! signers signed.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests may fail by panicking"
)]

mod failures;
mod foreign_signers;
mod name_server;
mod output;
mod random_mail;
mod rfc_examples;
mod run;
mod signed;
