//! The keys that rules need, as key files of a config: those that lie somewhere stay
//! there, those that stand in a table become files.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;

use super::keytable::{Key, Private};
use super::order::Pattern;
use super::work::shown;
use crate::config::Place;
use crate::import::lines;
use crate::import::report::Outcome::{Changed, NeedsYou};
use crate::import::report::Report;
use crate::import::settings::{KeyFile, OwnKey, Settings};
use crate::names::{DomainName, Selector};

/// The keys so far, by what they sign as, and where each was named.
#[derive(Debug, Default)]
pub struct KnownKeys(HashMap<(Option<DomainName>, Selector), (Private, Place)>);

impl KnownKeys {
    /// Writes a key that a rule with this pattern needs, unless it is there already.
    pub fn add(
        &mut self,
        key: &Key,
        pattern: &Pattern,
        settings: &mut Settings,
        report: &mut Report,
    ) {
        for (domain, private) in meant(key, pattern, report) {
            if self.is_new((&domain, &private), key, report) {
                add_key(domain, private, key, settings, report);
            }
        }
    }

    /// Whether no key signs as the same yet. Another one that does is told of.
    fn is_new(
        &mut self,
        (domain, private): (&Option<DomainName>, &Private),
        key: &Key,
        report: &mut Report,
    ) -> bool {
        match self.0.entry((domain.clone(), key.selector.clone())) {
            Entry::Vacant(entry) => {
                entry.insert((private.clone(), key.place.clone()));
                true
            }
            Entry::Occupied(entry) => {
                let (first, place) = entry.get();
                if first != private {
                    let why = format!(
                        "{} has the same domain and selector, which name one key record in DNS: only \
                         one of the two can be its key. That one is used; take the other line out",
                        match first {
                            Private::File(file) => file.display().to_string(),
                            _ => format!("the key at {place}"),
                        }
                    );
                    report.add(NeedsYou, &key.place, named(private), why);
                }
                false
            }
        }
    }
}

/// What a key is for, and where it is; a `%` in its path is each domain that the
/// pattern may match and that has a file.
fn meant(key: &Key, pattern: &Pattern, report: &mut Report) -> Vec<(Option<DomainName>, Private)> {
    let Private::FileByDomain(path) = &key.private else {
        return vec![(key.domain.clone(), key.private.clone())];
    };
    let path = path.to_string_lossy().into_owned();
    let filled = |domain: &str| Private::File(path.replace('%', domain).into());
    let option = format!("KeyTable {}", shown(&path));
    if let Pattern::Domain(name) = pattern
        && let Ok(domain) = DomainName::parse(name)
    {
        return vec![(key.domain.clone().or(Some(domain)), filled(name))];
    }
    if key.domain.is_some() {
        let why = "the key file is the author's domain's and the signing domain is not: signet has \
                   one key file for a domain and selector. Name the files of each domain";
        report.add(NeedsYou, &key.place, option, why);
        return Vec::new();
    }
    let found = domains_with_a_file(&path);
    let why = format!(
        "% in a path is each domain that has such a file now: {}. A domain that comes later needs \
         a [[key]] of its own, or a key in the key directory",
        match found.len() {
            0 => "none has".to_owned(),
            many => format!("{many} have"),
        }
    );
    report.add(
        if found.is_empty() { NeedsYou } else { Changed },
        &key.place,
        option,
        why,
    );
    let of = |domain: DomainName| {
        let file = filled(domain.as_str());
        (Some(domain), file)
    };
    found.into_iter().map(of).collect()
}

/// The domains for which a path with `%` for their name exists.
pub fn domains_with_a_file(path: &str) -> Vec<DomainName> {
    let Some((before, after)) = path.split_once('%') else {
        return Vec::new();
    };
    let (directory, start) = before.rsplit_once('/').unwrap_or(("", before));
    let end = after.split('/').next().unwrap_or_default();
    let end = end.split('%').next().unwrap_or_default();
    let Ok(entries) = std::fs::read_dir(format!("{directory}/")) else {
        return Vec::new();
    };
    let mut domains: Vec<DomainName> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let domain = name.strip_prefix(start)?.strip_suffix(end)?;
            let domain = DomainName::parse(domain).ok()?;
            Path::new(&path.replace('%', domain.as_str()))
                .is_file()
                .then_some(domain)
        })
        .collect();
    domains.sort();
    domains
}

fn named(private: &Private) -> String {
    match private {
        Private::File(file) | Private::FileByDomain(file) => {
            format!("key file {}", file.display())
        }
        Private::Inline(_) => "key in the table".to_owned(),
    }
}

fn add_key(
    domain: Option<DomainName>,
    private: Private,
    key: &Key,
    settings: &mut Settings,
    report: &mut Report,
) {
    let option = named(&private);
    let selector = key.selector.clone();
    let file = match (private, domain) {
        (Private::Inline(text), Some(domain)) => {
            let own = OwnKey {
                domain,
                selector,
                key: text,
            };
            let why = format!(
                "written to {} beside the config, for its user alone: signet has a file for each \
                 key. Take it out of the table once OpenDKIM is gone",
                own.file().display()
            );
            report.add(Changed, &key.place, option, why);
            settings.own_keys.push(own);
            return;
        }
        (Private::File(file) | Private::FileByDomain(file), domain) => KeyFile {
            domain,
            selector,
            file,
        },
        // The KeyTable has refused it.
        (Private::Inline(_), None) => return,
    };
    if file.file.as_os_str().is_empty() || file.file.to_string_lossy().contains('\0') {
        report.add(
            NeedsYou,
            &key.place,
            "key file",
            "the path of the key is none; name its file",
        );
        return;
    }
    if let Err(why) = readable(&file.file) {
        let why = format!("{why}. Mail that needs it waits");
        report.add(NeedsYou, &key.place, option, why);
    }
    settings.keys.push(file);
}

/// Why a key file cannot be used.
fn readable(path: &Path) -> Result<(), String> {
    let metadata = std::fs::metadata(path).map_err(|error| lines::why_not(&error))?;
    if !metadata.is_file() {
        return Err("is not a regular file".to_owned());
    }
    Ok(())
}
