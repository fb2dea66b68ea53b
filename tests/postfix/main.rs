//! The main job, with a real Postfix: what a client hands in arrives signed, unharmed, and verified by verifiers that nobody here wrote.
//!
//! Every test has a Postfix of its own: its own configuration, queue, log and loopback address, started by the test and gone with it.
//! The machine's own Postfix is neither started nor touched. Postfix needs root, so this group needs root: without it, or without
//! Postfix, the tests say so loudly and pass; with `SIGNET_REQUIRE_POSTFIX=1` or `CI=true` they fail instead. `tests/run` sets it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and so may all that serves it"
)]

mod accounts;
mod altering;
mod client;
mod instance;
mod judges;
mod judging;
mod keys;
#[path = "../left_out/mod.rs"]
mod left_out;
mod milter;
mod name_server;
mod neighbour;
mod process;
mod received;
mod relay;
mod requirements;
mod scanner;
mod settings;
mod sink;
mod stand;
mod traffic;
mod ward;

mod beside_filter;
mod beside_milter;
mod beside_order;
mod beside_policy;
mod content_filter;
mod contents;
mod corpus;
mod doctor;
mod doctor_log;
mod exclusions;
mod failures;
mod faults;
mod mailing_list;
mod origins;
mod passing_through;
mod restarts;
mod rules;
mod send_as;
mod setup;
mod submission;
mod test_mail;
mod test_mail_way;
mod transactions;
mod trust;
mod under_load;
