//! Where the program is run: a temporary directory whose key directory does not exist
//! yet.
#![allow(
    dead_code,
    reason = "every test takes what it needs of this, no test takes all"
)]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

pub const SIGNET: &str = env!("CARGO_BIN_EXE_signet");

/// A place with a key directory that does not exist yet.
pub struct Place {
    pub directory: TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self {
            directory: TempDir::new().unwrap(),
        }
    }

    pub fn keys(&self) -> PathBuf {
        self.directory.path().join("state/keys")
    }

    pub fn key(&self, domain: &str, selector: &str) -> PathBuf {
        self.keys().join(domain).join(format!("{selector}.pem"))
    }

    /// `signet COMMAND ARGUMENTS --keys KEYS`; the arguments are parted by spaces.
    pub fn signet(&self, arguments: &str) -> Output {
        Command::new(SIGNET)
            .args(arguments.split(' '))
            .arg("--keys")
            .arg(self.keys())
            .output()
            .unwrap()
    }

    pub fn ok(&self, arguments: &str) -> String {
        let output = self.signet(arguments);
        assert!(output.status.success(), "{arguments}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn refused(&self, arguments: &str) -> String {
        let output = self.signet(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments}: {output:?}");
        assert_eq!(stdout(&output), "", "{arguments}");
        stderr(&output)
    }

    /// Every file below the key directory.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut directories = vec![self.keys()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    directories.push(path);
                } else {
                    files.push(path);
                }
            }
        }
        files.sort();
        files
    }
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
