//! Runs the program on a message, with records from a file.
#![allow(
    dead_code,
    reason = "every test takes what it needs of this, no test takes all"
)]

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

pub const SIGNET: &str = env!("CARGO_BIN_EXE_signet");

/// What the program said.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    /// The line of the first signature, without `signature 1: `.
    pub fn verdict(&self) -> &str {
        self.of("signature 1: ")
    }

    /// What stands behind the first line that begins so.
    pub fn of(&self, label: &str) -> &str {
        let mut lines = self.out.lines();
        let found = lines.find_map(|line| line.strip_prefix(label));
        found.unwrap_or_else(|| panic!("no {label:?} in {self:?}"))
    }
}

/// `signet verify ARGUMENTS` with the message on standard input.
pub fn signet(message: &[u8], arguments: &[&str]) -> Said {
    let mut child = Command::new(SIGNET)
        .arg("verify")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that ends before it has read all is seen by its exit code.
    let _ = child.stdin.take().unwrap().write_all(message);
    said(&child.wait_with_output().unwrap())
}

/// The same with the key records of `records` and no DNS.
pub fn with_records(message: &[u8], records: &str, arguments: &[&str]) -> Said {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("records");
    fs::write(&file, records).unwrap();
    let file = file.to_str().unwrap();
    signet(message, &[&["--dns-file", file], arguments].concat())
}

pub fn said(output: &Output) -> Said {
    Said {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout.clone()).unwrap(),
        err: String::from_utf8(output.stderr.clone()).unwrap(),
    }
}
