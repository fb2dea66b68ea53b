//! The packages on a machine that runs: installed, started, upgraded and removed under a live systemd, with Debian's own Postfix, chrooted
//! as Debian ships it.
//!
//! The machine is a copy of this system in namespaces of its own (`boot`); what happens to it ends with the test.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

#[path = "../left_out/mod.rs"]
mod left_out;

mod built;
mod log;
mod machine;
mod mail;

mod red_hat;
mod service;
mod upgrade;
