//! signet and the others, both ways round, on thousands of random messages: what
//! others sign passes with signet, and what signet signs passes with the others.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests may fail by panicking"
)]

mod foreign_signers;
mod foreign_verifiers;
#[path = "../left_out/mod.rs"]
mod left_out;
mod random_mail;
#[path = "../verify/run.rs"]
mod run;
#[path = "../verify/signed.rs"]
mod signed;
