//! Everything that decides about a message, loaded and ready: the config and the keys.
//!
//! A reload builds a new one and swaps it in whole; a message ends with the snapshot
//! it began with. Reading keys is the only input here. What is wrong with one key is
//! a [`Problem`] that stops no other domain.

use std::fmt;
use std::net::IpAddr;

mod decide;
mod ring;
mod slot;
#[cfg(test)]
mod tests;

use self::ring::KeyRing;
pub use self::slot::in_words;
use crate::config::Config;
use crate::keys::{KeyDirectory, KeyDirectoryError};
use crate::milter::Wanted;
use crate::policy::{Origin, Reason, TrustedBy, origin};

/// The config, its keys, and what they mean together.
#[derive(Debug)]
pub struct Snapshot {
    config: Config,
    keys: KeyRing,
    problems: Vec<Problem>,
}

/// Something that the operator should know about a snapshot that otherwise works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub severity: Severity,
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is wrong.
    Note,
    /// It works, and may not be what was meant.
    Warning,
    /// Something that was meant to sign will not.
    Error,
}

impl Problem {
    fn note(text: String) -> Self {
        Self {
            severity: Severity::Note,
            text,
        }
    }

    fn warning(text: String) -> Self {
        Self {
            severity: Severity::Warning,
            text,
        }
    }

    fn error(text: String) -> Self {
        Self {
            severity: Severity::Error,
            text,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Why there is no snapshot at all.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error(transparent)]
    Keys(#[from] KeyDirectoryError),
}

impl Snapshot {
    /// Finds and reads the keys that the config names.
    ///
    /// # Errors
    /// When there is no key directory. One bad key is no error but a [`Problem`].
    pub fn load(config: Config) -> Result<Self, SnapshotError> {
        let mut problems = Vec::new();
        let keys = KeyRing::new(KeyDirectory::open(&config.keys)?, &mut problems);
        Ok(Self {
            config,
            keys,
            problems,
        })
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What was found wrong while loading.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// What is wrong, with every key read that was left for its first message.
    pub fn every_problem(&self) -> Vec<Problem> {
        let mut problems = self.problems.clone();
        for problem in self.keys.read_all() {
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
        problems
    }

    /// How many domains have a key file.
    pub fn domain_count(&self) -> usize {
        self.keys.domain_count()
    }

    /// How many key files there are.
    pub fn key_count(&self) -> usize {
        self.keys.key_count()
    }

    /// What the MTA must tell for these questions to be answered.
    pub fn wanted(&self) -> Wanted {
        Wanted {
            connect_reply: false,
            recipients: self.wants_recipients(),
            macro_names: Vec::new(),
        }
    }

    /// Whether any decision depends on the recipients.
    pub fn wants_recipients(&self) -> bool {
        false
    }

    /// May this client's mail be signed at all? Needs nothing of the message.
    ///
    /// # Errors
    /// [`Reason::UntrustedClient`] or [`Reason::ExcludedNetwork`].
    pub fn decide_origin(&self, origin: &Origin<'_>) -> Result<TrustedBy, Reason> {
        let trusted_by = origin::decide(&self.config.trust, origin)?;
        self.decide_network(origin.client)?;
        Ok(trusted_by)
    }

    /// May mail from this address be signed, whoever logs in there?
    ///
    /// # Errors
    /// [`Reason::ExcludedNetwork`].
    pub fn decide_network(&self, _client: Option<IpAddr>) -> Result<(), Reason> {
        Ok(())
    }
}
