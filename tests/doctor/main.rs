//! `signet doctor` against faults made for real: name servers that serve them, files that have them. The faults of Postfix are in
//! tests/postfix.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and so may all that serves it"
)]

#[path = "../left_out/mod.rs"]
mod left_out;
#[path = "../place/mod.rs"]
mod place;
#[path = "../dns_formats/tools.rs"]
mod tools;

mod dmarc;
mod keys;
mod output;
mod patient;
mod records;
mod second_opinion;
mod sender;
mod unanswered;
mod zones;
