//! Reads the private keys, as the daemon would, and keeps of each the public half.

use std::path::Path;

use crate::config::Config;
use crate::dkim::SigningKey;
use crate::dns::Publication;
use crate::doctor::{KeyFact, KeyFacts};
use crate::keys::{KeyDirectory, KeyFileError};
use crate::names::{DomainName, Selector};

/// The keys of one domain, or of all.
pub fn read(config: &Config, domain: Option<&DomainName>) -> KeyFacts {
    let mut facts = KeyFacts {
        directory: config.keys.clone(),
        ..KeyFacts::default()
    };
    let directory = match KeyDirectory::open(&config.keys) {
        Ok(directory) => directory.require_safe(config.require_safe_keys),
        Err(error) => {
            facts.unusable = Some(error.to_string());
            return facts;
        }
    };
    let concerns = |of: &DomainName| domain.is_none_or(|domain| domain == of);
    for file in &config.key_files {
        // A key for every domain is published at those that the rules sign for, which
        // only the operator knows.
        if let Some(of) = file.domain.as_ref().or(domain).filter(|of| concerns(of)) {
            let found = directory.load(&file.file);
            facts.keys.push(key(of, &file.selector, &file.file, found));
        }
    }
    let scan = directory.scan();
    for entry in scan.keys.iter().filter(|entry| concerns(&entry.domain)) {
        let found = directory.load(&entry.path);
        let fact = key(&entry.domain, &entry.selector, &entry.path, found);
        facts.keys.push(fact);
    }
    facts.problems = scan
        .problems
        .into_iter()
        .filter(|problem| problem.domain.as_ref().is_none_or(concerns))
        .map(|problem| problem.error)
        .collect();
    facts
}

fn key(
    domain: &DomainName,
    selector: &Selector,
    path: &Path,
    found: Result<SigningKey, KeyFileError>,
) -> KeyFact {
    KeyFact {
        domain: domain.clone(),
        selector: selector.clone(),
        path: path.to_owned(),
        weak: found.as_ref().is_ok_and(SigningKey::is_weak),
        record: found
            .map(|key| Publication::new(domain.clone(), selector.clone(), &key.public_key())),
    }
}
