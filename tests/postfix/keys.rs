//! Keys for a test, made by `signet keygen`, and their records as a verifier would find them in DNS.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

/// An algorithm of `keygen`; its name serves as the selector too.
pub type Algorithm = &'static str;
pub const RSA: Algorithm = "rsa";
pub const ED25519: Algorithm = "ed25519";

/// A key directory with its published records.
pub struct Keys {
    home: TempDir,
    selectors: Vec<Algorithm>,
}

impl Keys {
    /// One key of each algorithm for every domain.
    pub fn generate(domains: &[&str], algorithms: &[Algorithm]) -> Self {
        let home = tempfile::Builder::new()
            .prefix("signet-keys-")
            .tempdir()
            .unwrap();
        let keys = Self {
            home,
            selectors: algorithms.to_vec(),
        };
        let mut records = String::new();
        let mut zone = String::new();
        for domain in domains {
            for algorithm in algorithms {
                let directory = keys.directory();
                let directory = directory.to_str().unwrap();
                let key = [
                    *domain,
                    "--selector",
                    *algorithm,
                    "--keys",
                    directory,
                    "--format",
                ];
                let text = signet(
                    &[&["keygen"], &key[..], &["plain", "--algorithm", *algorithm]].concat(),
                );
                records.push_str(&format!(
                    "{algorithm}._domainkey.{domain}\t{}\n",
                    text.trim()
                ));
                zone.push_str(&signet(&[&["dns"], &key[..], &["bind"]].concat()));
            }
        }
        fs::write(keys.records(), records).unwrap();
        fs::write(keys.zone(), zone).unwrap();
        keys
    }

    /// What `--keys` takes.
    pub fn directory(&self) -> PathBuf {
        self.home.path().join("keys")
    }

    /// The file of one key.
    pub fn file(&self, domain: &str, selector: &str) -> PathBuf {
        self.directory()
            .join(domain)
            .join(format!("{selector}.pem"))
    }

    /// `name<TAB>text` lines: DNS as the foreign verifiers get it.
    pub fn records(&self) -> PathBuf {
        self.home.path().join("records")
    }

    /// A zone file as `keygen --format bind` prints it: DNS as `signet verify` gets it.
    pub fn zone(&self) -> PathBuf {
        self.home.path().join("zone")
    }

    /// The selectors of every domain.
    pub fn selectors(&self) -> &[Algorithm] {
        &self.selectors
    }
}

/// Runs the program and returns what it prints.
fn signet(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_signet"))
        .args(arguments)
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "signet {}: {complaint}",
        arguments.join(" ")
    );
    String::from_utf8(output.stdout).unwrap()
}
