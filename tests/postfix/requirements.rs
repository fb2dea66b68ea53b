//! What this group needs of the machine, and what happens where it is missing.

use std::path::Path;

use rustix::process::geteuid;

use crate::left_out;

/// Whether the tests with a real Postfix can run here.
///
/// Where they cannot, this says why on the terminal, past the capture of the test runner, and is false. It panics instead where leaving
/// them out is not allowed: with `SIGNET_REQUIRE_POSTFIX=1` or `CI=true`.
pub fn met() -> bool {
    let Some(reason) = unmet() else { return true };
    assert!(
        !left_out::is_set("SIGNET_REQUIRE_POSTFIX"),
        "the tests with a real Postfix are required here, but {reason}"
    );
    left_out::could_be_mended(&reason);
    false
}

fn unmet() -> Option<String> {
    if !geteuid().is_root() {
        return Some("only root can start a Postfix".to_owned());
    }
    let programs = [
        "/usr/sbin/postfix",
        "/usr/sbin/sendmail",
        "/usr/bin/python3",
        "/usr/bin/perl",
        "/usr/bin/setpriv",
        "/usr/sbin/saslpasswd2",
    ];
    let missing = programs
        .into_iter()
        .find(|program| !Path::new(program).exists())?;
    Some(format!(
        "{missing} is missing; tests/run installs what is needed"
    ))
}
