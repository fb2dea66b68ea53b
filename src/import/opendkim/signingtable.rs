//! The SigningTable, `pattern  keyname[:signer]`, and what `Domain`, `KeyFile` and
//! `Selector` say instead of it, as rules.

use super::conf::printable;
use super::dataset::{self, DataSet, Entry, Matching};
use super::keytable::{Corrupt, Key, KeyTable};
use super::order::{self, Pattern, Placed};
use crate::config::{self, ConfigError, Identity, Place};
use crate::import::glob;
use crate::import::report::{Outcome, Report};
use crate::names::DomainName;

const OPTION: &str = "SigningTable";

/// One line of the table that some author gets.
#[derive(Debug, Clone)]
pub struct Rule {
    pub pattern: Pattern,
    /// The key, or why mail of these authors gets a temporary error.
    pub key: Result<Key, Corrupt>,
    /// `i=`; `%d` in it stands for the author's domain.
    pub identity: Option<String>,
    pub place: Place,
}

/// A line with its key name, before patterns are put into order.
struct Reference<'e> {
    /// The pattern, or what stands for it once `%` is resolved.
    pattern: String,
    name: String,
    signer: Option<&'e str>,
    entry: &'e Entry,
}

/// The rules of a table, in the order in which signet tries equals.
///
/// # Errors
/// Lines without which the rest would not be what was meant.
pub fn rules(
    set: &DataSet,
    keys: &KeyTable,
    multiple: bool,
    report: &mut Report,
) -> Result<Vec<Rule>, Vec<ConfigError>> {
    let mut errors = Vec::new();
    let mut references = Vec::new();
    for entry in &set.entries {
        match reference(entry, set.matching) {
            Ok(reference) if reference.name == "%" => {
                match every_domain(&reference, keys, set.matching, report) {
                    Ok(more) => references.extend(more),
                    Err(problem) => errors.push(wrong(entry, problem)),
                }
            }
            Ok(reference) => references.push(reference),
            Err(problem) => errors.push(wrong(entry, problem)),
        }
    }
    let patterns: Vec<&str> = references.iter().map(|r| r.pattern.as_str()).collect();
    let (placed, order) = order::place(&patterns, set.matching, multiple);
    let mut rules = Vec::new();
    for index in order {
        let (Some(reference), Some(placed)) = (references.get(index), placed.get(index)) else {
            continue;
        };
        let entry = reference.entry;
        let option = || format!("{OPTION} {}", printable(&reference.pattern));
        let pattern = match placed {
            Placed::Rule(pattern) => pattern.clone(),
            Placed::Dead(why) => {
                report.add(Outcome::Dropped, &entry.place, option(), why.clone());
                continue;
            }
        };
        if let Err(error) = pattern.text().parse::<config::Pattern>() {
            errors.push(wrong(entry, error.to_string()));
            continue;
        }
        let Some(key) = keys.get(&reference.name) else {
            errors.push(wrong(entry, unknown(&reference.name)));
            continue;
        };
        for (outcome, why) in traps(&reference.pattern, &pattern, set.matching) {
            report.add(outcome, &entry.place, option(), why);
        }
        if let Err(corrupt) = key {
            report.add(
                Outcome::NeedsYou,
                &entry.place,
                option(),
                format!(
                    "the KeyTable's line {} {}. OpenDKIM answers mail of these authors with a \
                     temporary error, and signet will until a rule names a key",
                    corrupt.place, corrupt.problem
                ),
            );
        }
        let identity = reference.signer.and_then(|signer| {
            identity(signer, key.as_ref().ok())
                .map_err(|why| {
                    let option = format!("{OPTION} {}:{}", reference.name, printable(signer));
                    report.add(Outcome::Dropped, &entry.place, option, why);
                })
                .ok()
        });
        rules.push(Rule {
            pattern,
            key: key.clone(),
            identity,
            place: entry.place.clone(),
        });
    }
    if errors.is_empty() {
        Ok(rules)
    } else {
        Err(errors)
    }
}

fn wrong(entry: &Entry, problem: String) -> ConfigError {
    ConfigError {
        place: entry.place.clone(),
        key: OPTION.to_owned(),
        problem,
    }
}

fn unknown(name: &str) -> String {
    format!(
        "names the key \"{}\", which the KeyTable does not have; add it there or take the line out",
        printable(name)
    )
}

fn reference(entry: &Entry, matching: Matching) -> Result<Reference<'_>, String> {
    let fields = entry.fields();
    let (name, signer) = match *fields.as_slice() {
        [name] => (name, None),
        [name, signer, ..] => (name, Some(signer).filter(|signer| !signer.is_empty())),
        [] => ("", None),
    };
    if name.is_empty() {
        return Err(format!(
            "\"{}\" has no key name, and OpenDKIM ends with a crash on the first mail that gets \
             here; add the name of a line of the KeyTable",
            printable(&entry.key)
        ));
    }
    if matching == Matching::Pattern
        && let Some(leak) = dataset::leak(&entry.key)
    {
        return Err(leak);
    }
    Ok(Reference {
        pattern: entry.key.clone(),
        name: name.to_owned(),
        signer,
        entry,
    })
}

/// `%` for a key name is the author's domain: one line for each domain that the
/// KeyTable has under its own name.
fn every_domain<'e>(
    reference: &Reference<'e>,
    keys: &KeyTable,
    matching: Matching,
    report: &mut Report,
) -> Result<Vec<Reference<'e>>, String> {
    let pattern = reference.pattern.to_lowercase();
    let with = |pattern: String, name: &str| Reference {
        pattern,
        name: name.to_owned(),
        signer: reference.signer,
        entry: reference.entry,
    };
    let host = pattern
        .rsplit_once('@')
        .map_or(pattern.as_str(), |(_, host)| host);
    if DomainName::parse(host).is_ok() && !host.starts_with('.') {
        return Ok(vec![with(pattern.clone(), host)]);
    }
    // In a ladder, `*` is the last rung; the lines of single domains would be the second.
    if matching == Matching::Exact || !["*", "*@*"].contains(&pattern.as_str()) {
        return Err(format!(
            "% names a key for each domain, which signet has for single domains and for *@* in a \
             refile alone; write a line for each domain that {} is to match",
            printable(&pattern)
        ));
    }
    report.add(
        Outcome::Changed,
        &reference.entry.place,
        format!("{OPTION} {pattern} %"),
        "a rule for each domain that the KeyTable names. OpenDKIM answers mail from any other \
         domain with a temporary error; signet lets it go unsigned",
    );
    let domains = keys.names.iter().filter(|name| {
        let domain = DomainName::parse(name);
        domain.is_ok_and(|domain| domain.as_str() == name.as_str())
    });
    Ok(domains
        .map(|name| with(format!("*@{name}"), name))
        .collect())
}

/// What `i=` will be.
fn identity(signer: &str, key: Option<&Key>) -> Result<String, String> {
    let Some((_, host)) = signer.rsplit_once('@') else {
        return Err(
            "has no @. OpenDKIM does not sign with such a line at all; signet signs, without i="
                .to_owned(),
        );
    };
    let domain = key.and_then(|key| key.domain.as_ref());
    if let Some(domain) = domain
        && !host.contains('%')
        && !DomainName::parse(host).is_ok_and(|host| host.is_at_or_below(domain))
    {
        return Err(format!(
            "is not at or below the signing domain {domain}; OpenDKIM leaves i= out, and so does \
             signet"
        ));
    }
    let identity = signer.replace('%', "%d");
    match identity.parse::<Identity>() {
        Ok(_) => Ok(identity),
        Err(error) => Err(format!("{error}: signet leaves i= out")),
    }
}

/// What a pattern does that its author may not have meant.
fn traps(written: &str, pattern: &Pattern, matching: Matching) -> Vec<(Outcome, String)> {
    let mut traps = Vec::new();
    match pattern {
        Pattern::Below(parent) if matching == Matching::Exact => traps.push((
            Outcome::Same,
            format!("matches the domains below {parent} and not {parent} itself, for signet too"),
        )),
        Pattern::Glob(_) if glob::covers(written, "*@*") => traps.push((
            Outcome::NeedsYou,
            "matches every author, other people's domains included: a receiver cannot verify \
             what their DNS does not publish. Name your own domains instead"
                .to_owned(),
        )),
        Pattern::Glob(_) => {
            let end = written.strip_prefix('*').unwrap_or_default();
            if !end.is_empty() && !end.contains(['@', '*']) && !end.starts_with('.') {
                traps.push((
                    Outcome::NeedsYou,
                    format!("matches every domain that ends in {end}, other people's too; is *@{end} meant?"),
                ));
            }
        }
        _ => {}
    }
    traps
}
