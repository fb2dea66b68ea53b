//! What the keys look like from outside: for the status page and the metrics. No key
//! is read for a report, and none leaves with it.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Severity, Snapshot};
use crate::dkim::SigningKey;
use crate::names::{DomainName, Selector};

/// So many troubles are told; the first few say what to do.
const MOST_TROUBLES: usize = 100;

/// One key file.
#[derive(Debug, Clone)]
pub struct KeyReport {
    /// None means that the key is for every domain.
    pub domain: Option<DomainName>,
    pub selector: Selector,
    pub path: PathBuf,
    pub state: KeyState,
}

/// What is known of a key.
#[derive(Debug, Clone)]
pub enum KeyState {
    Usable(Arc<SigningKey>),
    /// Why it cannot be used, in words that name the file and the remedy.
    Unusable(Arc<str>),
    /// No message has asked for it yet.
    Unread,
}

impl Snapshot {
    /// The key files, in no order; when nobody searched for any, those in memory.
    pub fn key_reports(&self) -> Vec<KeyReport> {
        let mut reports = Vec::new();
        self.keys.each(|domain, slot| {
            reports.push(KeyReport {
                domain: domain.cloned(),
                selector: slot.selector.clone(),
                path: slot.path.clone(),
                state: match slot.peek() {
                    Some(Ok(key)) => KeyState::Usable(key),
                    Some(Err(words)) => KeyState::Unusable(words),
                    None => KeyState::Unread,
                },
            });
        });
        reports
    }

    /// The names of at most so many keys, in no order, those for every domain left
    /// out; when nobody searched for any, those that the rules name.
    pub fn key_names(&self, most: usize) -> Vec<(DomainName, Selector)> {
        let mut names = Vec::new();
        self.keys.each(|domain, slot| {
            if let Some(domain) = domain
                && names.len() < most
            {
                names.push((domain.clone(), slot.selector.clone()));
            }
        });
        for rule in self.rules.rules() {
            if names.len() >= most || self.keys.key_count().is_some() {
                break;
            }
            let domain = rule.fixed_domain().into_iter();
            let named = domain.flat_map(|domain| {
                let selectors = rule.selectors.iter();
                selectors.map(|selector| (domain.clone(), selector.clone()))
            });
            names.extend(named);
        }
        names
    }

    /// Why something that is meant to be signed cannot be; empty when everything can.
    pub fn troubles(&self) -> Vec<String> {
        let errors = self.problems.iter();
        let mut troubles: Vec<String> = errors
            .filter(|problem| problem.severity == Severity::Error)
            .take(MOST_TROUBLES)
            .map(ToString::to_string)
            .collect();
        if self.key_count() == 0 {
            let keys = self.config.keys.display();
            troubles.push(format!("there is no key in {keys}, so nothing is signed"));
        }
        // A key that was left for its first message may have failed since.
        self.keys.each(|_, slot| {
            if troubles.len() < MOST_TROUBLES
                && let Some(Err(words)) = slot.peek()
                && !troubles.iter().any(|told| told.contains(&*words))
            {
                troubles.push(words.to_string());
            }
        });
        troubles
    }
}
