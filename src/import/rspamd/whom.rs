//! Who is signed with which key: `domain {}`, `path` and `selector`, their maps, and
//! the tables of OpenDKIM's form.

use std::collections::BTreeMap;

use super::ucl::{Section, Value};
use super::{DEFAULT_PATH, DEFAULT_SELECTOR, Work, maps};
use crate::config::Place;
use crate::import::opendkim::{self, DataSet, Key, KeyTable, Matching, Pattern, Private, Rule};
use crate::import::report::Outcome::{Changed, NeedsYou, Same};
use crate::names::{DomainName, Selector};

/// The options that are read here.
pub const KEYS: &[&str] = &[
    "domain",
    "path",
    "selector",
    "path_map",
    "selector_map",
    "signing_table",
    "key_table",
    "use_esld",
    "use_domain",
    "use_domain_sign_local",
    "use_domain_sign_networks",
    "use_domain_sign_inbound",
    "try_fallback",
];

pub fn read(work: &mut Work<'_>) {
    identity(work);
    let tables = [
        work.section.get("signing_table"),
        work.section.get("key_table"),
    ];
    let rules = match tables.map(Option::<&_>::cloned) {
        [Some(signing), Some(keys)] => from_tables(work, &signing, &keys),
        [None, None] => from_domains(work),
        [Some(item), None] | [None, Some(item)] => {
            let problem = "signing_table and key_table go together";
            work.wrong(item.line, &item.key, problem);
            Vec::new()
        }
    };
    if rules.is_empty() && work.errors.is_empty() {
        work.wrong(
            0,
            "",
            "no domain with a key was found, so rspamd signs nothing",
        );
    }
    opendkim::write_rules(rules, &mut work.settings, &mut work.report);
}

/// The options that say which domain of a message signs.
const AUTHORS: &[&str] = &[
    "use_domain",
    "use_domain_sign_local",
    "use_domain_sign_networks",
    "use_domain_sign_inbound",
];

/// Which domain of a message is the one that signs.
fn identity(work: &mut Work<'_>) {
    for key in AUTHORS {
        let Some((word, line)) = work.text(key) else {
            continue;
        };
        match word.as_str() {
            "header" => work.tell(Same, line, key, "the From field names the author"),
            _ => {
                let why =
                    format!("\"{word}\": signet goes by the From field (author_headers) alone");
                work.tell(NeedsYou, line, key, why);
            }
        }
    }
}

fn from_tables(
    work: &mut Work<'_>,
    signing: &super::ucl::Item,
    keys: &super::ucl::Item,
) -> Vec<Rule> {
    let mut set = |item| DataSet {
        matching: Matching::Pattern,
        entries: maps::read(work, item)
            .into_iter()
            .map(|entry| opendkim::Entry {
                key: entry.key,
                value: entry.value,
                place: entry.place,
            })
            .collect(),
    };
    let (signing_set, key_set) = (set(signing), set(keys));
    let keys = KeyTable::new(&key_set, "/".as_ref());
    match opendkim::rules(&signing_set, &keys, false, &mut work.report) {
        Ok(rules) => {
            work.tell(
                Same,
                signing.line,
                "signing_table",
                format!("{} rules", rules.len()),
            );
            rules
        }
        Err(errors) => {
            work.errors.extend(errors);
            Vec::new()
        }
    }
}

/// A key as the file names it: a path with `$domain` and `$selector`, and a selector.
#[derive(Clone)]
struct Names {
    path: String,
    selector: String,
    place: Place,
}

fn from_domains(work: &mut Work<'_>) -> Vec<Rule> {
    let default = Names {
        path: work
            .text("path")
            .map_or(DEFAULT_PATH.to_owned(), |(path, _)| path),
        selector: work
            .text("selector")
            .map_or(DEFAULT_SELECTOR.to_owned(), |(name, _)| name),
        place: work
            .section
            .get("path")
            .map_or_else(Place::default, |item| work.place(item.line)),
    };
    let mut domains: BTreeMap<String, Vec<Names>> = BTreeMap::new();
    if let Some(item) = work.section.get("domain").cloned() {
        let Value::Section(section) = &item.value else {
            work.wrong(
                item.line,
                "domain",
                "is no section; write domain { example.com { ... } }",
            );
            return Vec::new();
        };
        for item in &section.0 {
            let names = of_domain(item, &default, work);
            domains
                .entry(item.key.to_lowercase())
                .or_default()
                .extend(names);
        }
        work.tell(Same, item.line, "domain", "a rule and a [[key]] for each");
    }
    let fallback = work.section.get("domain").is_none() || work.flag("try_fallback", true);
    if fallback {
        let mut found = BTreeMap::new();
        for (option, is_path) in [("path_map", true), ("selector_map", false)] {
            let Some(item) = work.section.get(option).cloned() else {
                continue;
            };
            for entry in maps::read(work, &item) {
                let names = found
                    .entry(entry.key.to_lowercase())
                    .or_insert_with(|| default.clone());
                match is_path {
                    true => names.path = entry.value,
                    false => names.selector = entry.value,
                }
                names.place = entry.place;
            }
            work.tell(
                Same,
                item.line,
                option,
                "a rule and a [[key]] for each line",
            );
        }
        for domain in files(&default) {
            found.entry(domain).or_insert_with(|| default.clone());
        }
        let line = default.place.line;
        if default.path.contains("$domain") {
            let why = format!(
                "{}: each domain that has such a file now. A domain that comes later needs a [[key]] \
                 and a [[rule]]",
                default.path
            );
            work.tell(Changed, line, "path", why);
        }
        for (domain, names) in found {
            domains.entry(domain).or_insert_with(|| vec![names]);
        }
    }
    let below = work.flag("use_esld", true);
    if below {
        let line = work.section.get("use_esld").map_or(0, |item| item.line);
        let why = "rules with .DOMAIN sign subdomains as the domain. rspamd signs by the registered \
                   domain, so an entry for a subdomain never signs there; here it does";
        work.tell(Changed, line, "use_esld", why);
    }
    domains
        .into_iter()
        .flat_map(|(domain, names)| rules(&domain, names, below, work))
        .collect()
}

/// The keys of one domain's section.
fn of_domain(item: &super::ucl::Item, default: &Names, work: &mut Work<'_>) -> Vec<Names> {
    let of = |section: &Section, default: &Names| {
        let text = |key| {
            section
                .get(key)
                .and_then(|item| item.value.text().map(str::to_owned))
        };
        Names {
            path: text("path").unwrap_or_else(|| default.path.clone()),
            selector: text("selector").unwrap_or_else(|| default.selector.clone()),
            place: work.place(item.line),
        }
    };
    let Value::Section(section) = &item.value else {
        let problem = "is no section; write DOMAIN { path = ...; selector = ... }";
        work.wrong(item.line, &opendkim::printable(&item.key), problem);
        return Vec::new();
    };
    let own = of(section, default);
    let list = match section.get("selectors").map(|item| &item.value) {
        Some(Value::List(list)) => list.clone(),
        Some(one @ Value::Section(_)) => vec![one.clone()],
        _ => return vec![own],
    };
    let keys = list.iter().filter_map(|value| match value {
        Value::Section(section) => Some(of(section, &own)),
        Value::Text(_) | Value::List(_) => None,
    });
    keys.collect()
}

/// The domains for which the default path names a file.
fn files(default: &Names) -> Vec<String> {
    let pattern = default.path.replace("$selector", &default.selector);
    let domains = opendkim::domains_with_a_file(&pattern.replace("$domain", "%"));
    domains.iter().map(ToString::to_string).collect()
}

fn rules(domain: &str, names: Vec<Names>, below: bool, work: &mut Work<'_>) -> Vec<Rule> {
    let mut rules = Vec::new();
    let parsed = match DomainName::parse(domain) {
        Ok(parsed) => parsed,
        Err(error) => {
            let line = names.first().map_or(0, |names| names.place.line);
            work.tell(
                NeedsYou,
                line,
                "domain",
                format!("{error}; write a rule for it"),
            );
            return rules;
        }
    };
    let mut patterns = vec![Pattern::Domain(domain.to_owned())];
    patterns.extend(below.then(|| Pattern::Below(parsed.to_string())));
    for pattern in patterns {
        for names in &names {
            let selector = match Selector::parse(&names.selector) {
                Ok(selector) => selector,
                Err(error) => {
                    work.wrong(names.place.line, "selector", error.to_string());
                    continue;
                }
            };
            let path = names.path.replace("$domain", parsed.as_str());
            let path = path.replace("$selector", selector.as_str());
            rules.push(Rule {
                pattern: pattern.clone(),
                key: Ok(Key {
                    domain: Some(parsed.clone()),
                    selector,
                    private: Private::File(path.into()),
                    place: names.place.clone(),
                }),
                identity: None,
                place: names.place.clone(),
            });
        }
    }
    rules
}
