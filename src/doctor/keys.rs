//! The configuration and the private keys.

use std::path::PathBuf;

use super::{Code, Facts, Section, keys_option, word};
use crate::dns::Publication;
use crate::keys::{KeyFileError, ScanError};
use crate::names::{DomainName, Selector};
use crate::snapshot::Severity;

/// What the configuration came to.
#[derive(Debug, Default)]
pub struct ConfigFacts {
    /// The file that was read; none means flags and defaults.
    pub file: Option<PathBuf>,
    /// Every mistake for which it cannot be used.
    pub mistakes: Vec<String>,
    /// What the daemon would say at start.
    pub problems: Vec<(Severity, String)>,
}

/// The key directory.
#[derive(Debug, Default)]
pub struct KeyFacts {
    pub directory: PathBuf,
    /// Why there is none that can be read.
    pub unusable: Option<String>,
    pub keys: Vec<KeyFact>,
    /// What should be a key and is none, by its name alone.
    pub problems: Vec<ScanError>,
}

/// One key file.
#[derive(Debug)]
pub struct KeyFact {
    pub domain: DomainName,
    pub selector: Selector,
    pub path: PathBuf,
    /// The record that would announce it, or why the file gives no key.
    pub record: Result<Publication, KeyFileError>,
    /// It has less than 2048 bits of RSA.
    pub weak: bool,
}

impl KeyFacts {
    /// The keys that can sign.
    pub fn usable(&self) -> impl Iterator<Item = (&KeyFact, &Publication)> {
        self.keys
            .iter()
            .filter_map(|key| Some((key, key.record.as_ref().ok()?)))
    }
}

pub(super) fn check(facts: &Facts) -> Section {
    let mut section = Section::new("Configuration and keys");
    let file = match &facts.config.file {
        Some(file) => file.display().to_string(),
        None => "the configuration (no file, flags and defaults)".to_owned(),
    };
    for mistake in &facts.config.mistakes {
        let mend = vec![
            "mend that place, then:".to_owned(),
            "signet check".to_owned(),
        ];
        section.add(Code::ConfigMistake, &file, mistake, mend);
    }
    let Some(keys) = &facts.keys else {
        return section;
    };
    if facts.config.mistakes.is_empty() {
        section.good.push(format!("{file} can be used"));
    }
    key_files(&mut section, facts, keys);
    for (severity, text) in &facts.config.problems {
        let code = match severity {
            Severity::Error => Code::ConfigProblem,
            Severity::Warning => Code::ConfigWarning,
            Severity::Note => continue,
        };
        section.add(code, &file, text, vec!["signet check".to_owned()]);
    }
    section
}

fn key_files(section: &mut Section, facts: &Facts, keys: &KeyFacts) {
    let directory = keys.directory.display().to_string();
    let option = keys_option(&keys.directory);
    let domain = match &facts.domain {
        Some(domain) => domain.to_string(),
        None => "DOMAIN".to_owned(),
    };
    let keygen = vec![format!("signet keygen {domain}{option}")];
    if let Some(why) = &keys.unusable {
        section.add(Code::KeyDirectory, &directory, why, keygen);
        return;
    }
    for problem in &keys.problems {
        let mend = vec![
            "a key lies in DIRECTORY/DOMAIN/SELECTOR.pem; rename it or move it away".to_owned(),
        ];
        let what = with_cause(problem);
        let code = match problem {
            ScanError::Unreadable { .. } => Code::KeyUnreadable,
            _ => Code::KeyName,
        };
        section.add(code, &directory, what, mend);
    }
    if keys.keys.is_empty() && keys.problems.is_empty() {
        let what = match &facts.domain {
            Some(domain) => format!("there is no key for {domain}"),
            None => "there is no key".to_owned(),
        };
        section.add(Code::KeyMissing, &directory, what, keygen);
    }
    for key in &keys.keys {
        let path = key.path.display().to_string();
        match &key.record {
            Ok(_) if key.weak => {
                let mend = vec![
                    "make a second key and publish it, then remove this one:".to_owned(),
                    format!("signet keygen {}{option}", key.domain),
                ];
                let what = "it has less than 2048 bits";
                section.add(Code::KeyWeak, path, what, mend);
            }
            Ok(_) => section.good.push(format!("{path} can sign")),
            Err(error) => {
                let (code, mend) = unusable(error);
                let what = with_cause(error);
                section.add(code, path, what, mend);
            }
        }
    }
}

fn unusable(error: &KeyFileError) -> (Code, Vec<String>) {
    match error {
        KeyFileError::TooOpen { path, .. } => (
            Code::KeyPermissions,
            vec![format!("chmod 600 {}", word(path))],
        ),
        KeyFileError::Missing { path } | KeyFileError::Unreadable { path, .. } => {
            (Code::KeyUnreadable, vec![format!("ls -l {}", word(path))])
        }
        KeyFileError::NotAFile { path }
        | KeyFileError::TooLarge { path }
        | KeyFileError::NotAKey { path, .. } => (
            Code::KeyBroken,
            vec![
                "put the private key in PEM there, or move the file away and make a new key:"
                    .to_owned(),
                format!("mv {} {}", word(path), word(&path.with_extension("broken"))),
            ],
        ),
    }
}

/// An error and what caused it, on one line.
fn with_cause(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
