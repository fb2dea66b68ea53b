//! Everything that decides about a message, loaded and ready: the config and the keys.
//!
//! A reload builds a new one and swaps it in whole; a message ends with the snapshot
//! it began with. Reading keys is the only input here. What is wrong with one key is
//! a [`Problem`] that stops no other domain.

use std::collections::HashSet;
use std::fmt;
use std::net::IpAddr;

mod decide;
mod load;
mod report;
mod ring;
mod slot;
mod survey;
#[cfg(test)]
mod tests;

pub use self::report::{KeyReport, KeyState};
use self::ring::KeyRing;
use crate::config::{Config, ConfigErrors, Rule};
use crate::keys::{KeyDirectory, KeyDirectoryError};
use crate::milter::Wanted;
use crate::policy::exclude::Exclusions;
use crate::policy::rules::RuleTable;
use crate::policy::send_as::Owners;
use crate::policy::{Origin, Reason, TrustedBy, origin};

/// The config, its keys, and what they mean together.
#[derive(Debug)]
pub struct Snapshot {
    config: Config,
    keys: KeyRing,
    rules: RuleTable,
    exclusions: Exclusions,
    owners: Option<Owners>,
    problems: Vec<Problem>,
}

/// Something that the operator should know about a snapshot that otherwise works.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Problem {
    pub severity: Severity,
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing is wrong.
    Note,
    /// It works, and may not be what was meant.
    Warning,
    /// Something that was meant to sign will not.
    Error,
}

impl Problem {
    /// Whether something that was meant to sign will not.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

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
    #[error("a table has mistakes\n{0}")]
    Tables(#[from] ConfigErrors),
}

impl Snapshot {
    /// Reads the tables that the config names, and finds the keys.
    ///
    /// # Errors
    /// When there is no key directory, and every mistake in a table. One bad key is no
    /// error but a [`Problem`].
    pub fn load(config: Config) -> Result<Self, SnapshotError> {
        let directory = KeyDirectory::open(&config.keys)?.require_safe(config.require_safe_keys);
        let tables = load::tables(&config)?;
        let rules = RuleTable::new(tables.rules);
        let send_as = config.send_as.as_ref();
        let owners = send_as.map(|send_as| Owners::new(send_as, tables.logins));
        let mut problems = Vec::new();
        // A million rules that name their keys need no search for them.
        let by_name = |rule: &Rule| rule.fixed_domain().is_some() && !rule.selectors.is_empty();
        let mut keys = match rules.rules() {
            [_, ..] if rules.rules().iter().all(by_name) => KeyRing::by_name(directory),
            _ => KeyRing::search(directory, &mut problems),
        };
        keys.give(&config.key_files);
        let mut snapshot = Self {
            exclusions: Exclusions::new(&config.exclude),
            config,
            keys,
            rules,
            owners,
            problems,
        };
        snapshot.problems.extend(snapshot.rule_problems());
        snapshot.problems.extend(snapshot.trust_problems());
        if snapshot.is_small() {
            snapshot.problems.extend(snapshot.key_problems());
        } else {
            let troubles = snapshot.keys.troubles();
            let errors = troubles.map(|words| Problem::error(words.to_string()));
            snapshot.problems.extend(errors);
        }
        Ok(snapshot)
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What was found wrong while loading.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// What is wrong, each once, with every key read that was left for its first message.
    pub fn every_problem(&self) -> Vec<Problem> {
        let mut told = HashSet::new();
        let problems = self.problems.iter().cloned().chain(self.key_problems());
        problems
            .filter(|problem| told.insert(problem.clone()))
            .collect()
    }

    /// How many domains have a key file; when nobody searched for any, how many rules
    /// there are.
    pub fn domain_count(&self) -> usize {
        match self.keys.key_count() {
            Some(_) => self.keys.domains().len(),
            None => self.rules.rules().len(),
        }
    }

    /// How many key files there are; when nobody searched for any, how many keys the
    /// rules name.
    pub fn key_count(&self) -> usize {
        let named = || self.rules.rules().iter().map(|rule| rule.selectors.len());
        self.keys.key_count().unwrap_or_else(|| named().sum())
    }

    /// What the MTA must tell for these questions to be answered. `strangers`: whether
    /// mail is to be expected that [`Snapshot::decide_origin`] says no to.
    pub fn wanted(&self, strangers: bool) -> Wanted {
        Wanted {
            connect_reply: !self.config.trust.except.is_empty(),
            recipients: self.wants_recipients(),
            data_reply: strangers,
            // What else says no there is rare.
            headers_reply: self.exclusions.any() || self.owners.is_some() || self.ails(),
            macro_names: self
                .config
                .trust
                .macros
                .iter()
                .map(|trusted| trusted.name.clone())
                .collect(),
        }
    }

    /// Whether something that was meant to sign is known not to, so that mail is going
    /// to be put off.
    fn ails(&self) -> bool {
        self.problems
            .iter()
            .any(|problem| problem.severity == Severity::Error)
    }

    /// Whether any decision depends on the recipients.
    pub fn wants_recipients(&self) -> bool {
        self.exclusions.by_recipient()
    }

    /// May this client's mail be signed at all? Needs nothing of the message.
    ///
    /// # Errors
    /// [`Reason::UntrustedClient`] or [`Reason::ExcludedNetwork`].
    pub fn decide_origin(&self, origin: &Origin<'_>) -> Result<TrustedBy, Reason> {
        let trusted_by = origin::decide(&self.config.trust, origin)?;
        self.decide_client(origin.client, origin.client_name)?;
        Ok(trusted_by)
    }

    /// May mail from this client be signed, whoever logs in there?
    ///
    /// # Errors
    /// [`Reason::ExcludedNetwork`].
    pub fn decide_client(
        &self,
        client: Option<IpAddr>,
        client_name: Option<&[u8]>,
    ) -> Result<(), Reason> {
        match self.config.trust.except.contains(client, client_name) {
            true => Err(Reason::ExcludedNetwork),
            false => Ok(()),
        }
    }
}
