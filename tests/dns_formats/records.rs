//! The keys whose records go through the tools, and what must come out of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use crate::place::{Place, SIGNET};
use crate::tools::{Server, run};

pub const DOMAIN: &str = "example.com";
pub const SELECTORS: [&str; 3] = ["rsa2048", "rsa4096", "ed25519"];

/// Made once for a target directory, because a key of 4096 bits takes seconds.
static KEYS: LazyLock<Vec<PathBuf>> = LazyLock::new(|| {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dns_formats");
    let kinds: [&[&str]; 3] = [
        &["--bits", "2048"],
        &["--bits", "4096"],
        &["--algorithm", "ed25519"],
    ];
    SELECTORS
        .iter()
        .zip(kinds)
        .map(|(selector, kind)| {
            let key = directory.join(DOMAIN).join(format!("{selector}.pem"));
            if !key.exists() {
                let mut keygen = Command::new(SIGNET);
                keygen
                    .args(["keygen", DOMAIN, "--selector", selector])
                    .args(kind);
                run(keygen.arg("--keys").arg(&directory));
            }
            key
        })
        .collect()
});

/// A key directory with one key of each kind.
pub struct Records {
    pub place: Place,
}

impl Records {
    pub fn new() -> Self {
        let place = Place::new();
        let directory = place.keys().join(DOMAIN);
        fs::create_dir_all(&directory).unwrap();
        for (key, selector) in KEYS.iter().zip(SELECTORS) {
            // The mode is copied too.
            fs::copy(key, directory.join(format!("{selector}.pem"))).unwrap();
        }
        Self { place }
    }

    /// What `signet dns` prints for all of the keys, in the order of their selectors.
    pub fn format(&self, format: &str) -> String {
        self.place.ok(&format!("dns {DOMAIN} --format {format}"))
    }

    pub fn format_one(&self, format: &str, selector: &str) -> String {
        self.place.ok(&format!(
            "dns {DOMAIN} --selector {selector} --format {format}"
        ))
    }

    /// The record's text that every tool must come to.
    pub fn plain(&self, selector: &str) -> String {
        self.format_one("plain", selector).trim_end().to_owned()
    }
}

pub fn name(selector: &str) -> String {
    format!("{selector}._domainkey.{DOMAIN}")
}

/// The text of `"A" "B"`, each string checked for its length.
pub fn joined(quoted: &str) -> String {
    let inner = quoted
        .trim()
        .strip_prefix('"')
        .unwrap_or_else(|| panic!("not quoted: {quoted}"));
    let inner = inner.strip_suffix('"').unwrap();
    inner
        .split("\" \"")
        .inspect(|string| assert!(string.len() <= 255, "{} bytes", string.len()))
        .collect()
}

impl Server {
    /// The one TXT record of a name, its strings joined.
    pub fn txt(&self, name: &str) -> String {
        let answer = self.dig(name, "TXT");
        let start = format!("{name}.");
        let records: Vec<_> = answer
            .lines()
            .filter(|line| line.starts_with(&start))
            .collect();
        assert_eq!(records.len(), 1, "{answer}");
        joined(records[0].split_once("TXT").unwrap().1)
    }
}
