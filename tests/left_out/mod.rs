//! What a test does where it cannot run: it says so on the terminal, past the capture of the test runner, so that nobody takes it for
//! passed; `tests/run` repeats the line in its summary. With `CI` set, what could have been installed is a failure instead.
#![allow(
    dead_code,
    reason = "every test takes what it needs of this, no test takes all"
)]

use std::io::Write;
use std::path::{Path, PathBuf};

/// A program, found where Debian puts programs; none where `package` is not installed.
///
/// # Panics
///
/// When it is missing and `CI` is set: `tests/run` would have installed it.
pub fn program(name: &str, package: &str) -> Option<PathBuf> {
    let found = ["/usr/bin", "/usr/sbin", "/bin", "/usr/local/bin"]
        .iter()
        .map(|directory| Path::new(directory).join(name))
        .find(|path| path.exists());
    if found.is_none() {
        could_be_mended(&format!(
            "{name} is missing (Debian package {package}; tests/run installs it)"
        ));
    }
    found
}

/// Whether all of these files of a Debian package are there.
///
/// # Panics
///
/// When they are not and `CI` is set.
pub fn installed(package: &str, paths: &[&str]) -> bool {
    let there = paths.iter().all(|path| Path::new(path).exists());
    if !there {
        could_be_mended(&format!(
            "the Debian package {package} is missing; tests/run installs it"
        ));
    }
    there
}

/// Whether the test runs as root.
///
/// # Panics
///
/// When it does not and `CI` is set.
pub fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        could_be_mended("this takes root");
    }
    root
}

/// A test does not run for a reason that whoever runs it can do away with.
///
/// # Panics
///
/// When `CI` is set.
pub fn could_be_mended(reason: &str) {
    assert!(!is_set("CI"), "under CI nothing is left out, but {reason}");
    cannot_be_mended(reason);
}

/// A test does not run for a reason that lies in this machine, and CI too must live with.
pub fn cannot_be_mended(reason: &str) {
    // The test runner captures `eprintln!`, not this.
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    let _ = writeln!(std::io::stderr(), "\n*** NOT RUN: {test}: {reason} ***");
}

/// Whether an environment variable is set and does not mean no.
pub fn is_set(name: &str) -> bool {
    std::env::var(name).is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
}
