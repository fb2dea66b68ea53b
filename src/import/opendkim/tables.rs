//! From the KeyTable and SigningTable, or from Domain, KeyFile and Selector, to the
//! rules and key files of a config.

use super::key_files::KnownKeys;
use super::keytable::{Key, KeyTable, Private};
use super::order::Pattern;
use super::signingtable::{self, Rule};
use super::work::{Work, shown};
use crate::config::{ConfigError, Place};
use crate::import::report::Outcome::{Changed, Dropped, NeedsYou, Same};
use crate::import::report::Report;
use crate::import::settings::{self, Settings};
use crate::names::{DomainName, Selector};

/// A selector that no key has, for a rule whose line of the KeyTable is unusable: mail
/// of its authors waits, as it does with OpenDKIM.
const NO_KEY: &str = "unusable-keytable-line";

pub fn read(work: &mut Work) {
    work.settings.require_safe_keys = work.conf.flag("RequireSafeKeys", true);
    work.settings.multiple = work.conf.flag("MultipleSignatures", false);
    for (option, why) in [
        (
            "RequireSafeKeys",
            "require_safe_keys: whether a key file that others can read is refused",
        ),
        (
            "MultipleSignatures",
            "multiple = true in each rule: every rule that matches signs",
        ),
    ] {
        if let Some(setting) = work.setting(option) {
            work.tell(Same, &setting, why);
        }
    }
    let rules = match work.setting("KeyTable") {
        Some(_) => from_tables(work),
        None => from_domain(work),
    };
    write_rules(rules, &mut work.settings, &mut work.report);
}

/// Writes rules with their keys.
pub fn write_rules(rules: Vec<Rule>, settings: &mut Settings, report: &mut Report) {
    let mut known = KnownKeys::default();
    for rule in merged(rules) {
        add(rule, &mut known, settings, report);
    }
}

fn from_tables(work: &mut Work) -> Vec<Rule> {
    for option in ["Domain", "KeyFile", "Selector", "SubDomains"] {
        if let Some(setting) = work.setting(option) {
            work.tell(
                Dropped,
                &setting,
                "OpenDKIM passes it over when there is a KeyTable",
            );
        }
    }
    let (Some(key_setting), Some(signing_setting)) =
        (work.setting("KeyTable"), work.setting("SigningTable"))
    else {
        if let Some(setting) = work.setting("KeyTable") {
            work.wrong(
                &setting,
                "needs a SigningTable beside it, which says whose mail is signed",
            );
        }
        return Vec::new();
    };
    // Both are read before either gives up, to tell every mistake at once.
    let (keys, table) = (work.data_set("KeyTable"), work.data_set("SigningTable"));
    let (Some((_, keys)), Some((_, table))) = (keys, table) else {
        return Vec::new();
    };
    for (option, set) in [("KeyTable", &keys), ("SigningTable", &table)] {
        for entry in set.entries.iter().filter(|entry| entry.has_stray_blanks()) {
            let option = format!("{option} {}", shown(&entry.key));
            let why = "has blanks beside a colon, which OpenDKIM 2.11 takes for part of a name: it \
                       answers mail that needs the line with a temporary error. signet signs it";
            work.report.add(Changed, &entry.place, option, why);
        }
    }
    let keys = KeyTable::new(&keys, &work.base);
    for entry in &keys.repeated {
        let option = format!("KeyTable {}", shown(&entry.key));
        let why = "the same name stands above; OpenDKIM takes the first";
        work.report.add(Dropped, &entry.place, option, why);
    }
    let multiple = work.settings.multiple;
    match signingtable::rules(&table, &keys, multiple, &mut work.report) {
        Ok(rules) => {
            work.tell(
                Same,
                &key_setting,
                "a [[key]] for each line in use; the key files stay where they are",
            );
            work.tell(Same, &signing_setting, format!("{} rules", rules.len()));
            rules
        }
        Err(errors) => {
            work.errors.extend(errors);
            Vec::new()
        }
    }
}

/// One key for a list of domains.
fn from_domain(work: &mut Work) -> Vec<Rule> {
    if let Some(setting) = work.setting("SigningTable") {
        work.wrong(&setting, "needs a KeyTable beside it, which names the keys");
        return Vec::new();
    }
    let (Some(domain), Some(file), Some(selector)) = (
        work.setting("Domain"),
        work.setting("KeyFile"),
        work.setting("Selector"),
    ) else {
        let set = ["Domain", "KeyFile", "Selector"].map(|option| work.setting(option));
        let problem = "Domain, KeyFile and Selector go together, unless there are a KeyTable and a \
                       SigningTable; without them OpenDKIM signs nothing";
        match set.into_iter().flatten().next() {
            Some(setting) => work.wrong(&setting, problem),
            None => work.errors.push(ConfigError {
                place: Place {
                    file: work.report.source.as_str().into(),
                    line: 0,
                },
                key: String::new(),
                problem: problem.to_owned(),
            }),
        }
        return Vec::new();
    };
    let Some((_, set)) = work.data_set("Domain") else {
        return Vec::new();
    };
    let name = match Selector::parse(&selector.value) {
        Ok(name) => name,
        Err(error) => {
            work.wrong(&selector, error.to_string());
            return Vec::new();
        }
    };
    let below = work.conf.flag("SubDomains", false);
    let key = |domain| Key {
        domain,
        selector: name.clone(),
        private: Private::File(work.path(&file.value)),
        place: file.place.clone(),
    };
    let rule = |pattern, domain, identity, place: &Place| Rule {
        pattern,
        key: Ok(key(domain)),
        identity,
        place: place.clone(),
    };
    let mut rules = Vec::new();
    let mut odd = Vec::new();
    for entry in &set.entries {
        let text = entry.key.to_lowercase();
        let parent = text
            .strip_prefix("*.")
            .and_then(|p| DomainName::parse(p).ok());
        let pattern = set.matching == super::dataset::Matching::Pattern;
        match DomainName::parse(&text) {
            // The set is asked for each domain, then for "*".
            _ if text == "*" => rules.push(rule(
                Pattern::Glob("*".to_owned()),
                None,
                None,
                &entry.place,
            )),
            Ok(domain) if !text.starts_with('.') => {
                rules.push(rule(
                    Pattern::Domain(domain.to_string()),
                    Some(domain.clone()),
                    None,
                    &entry.place,
                ));
                if below {
                    // OpenDKIM names the parent in i= then, which is d= all the same.
                    rules.push(rule(
                        Pattern::Below(domain.to_string()),
                        Some(domain.clone()),
                        Some(format!("@{domain}")),
                        &entry.place,
                    ));
                }
            }
            _ if pattern && parent.is_some() => {
                let parent = parent.map(|p| p.to_string()).unwrap_or_default();
                rules.push(rule(Pattern::Below(parent), None, None, &entry.place));
            }
            _ => odd.push(entry.clone()),
        }
    }
    for entry in odd {
        let why = "is no domain, and OpenDKIM never matches it; for the domains below one write \
                   SubDomains yes";
        work.report.add(
            NeedsYou,
            &entry.place,
            format!("Domain {}", shown(&entry.key)),
            why,
        );
    }
    if rules.iter().any(|rule| rule.pattern.text() == "*") {
        let why = "matches every author, other people's domains included, whose receivers cannot \
                   find the key in DNS. Name your own domains instead";
        work.tell(NeedsYou, &domain, why);
    } else {
        work.tell(Same, &domain, "a rule for each domain");
    }
    work.tell(Same, &file, "the key file stays where it is");
    work.tell(Same, &selector, "rule.selectors");
    if let Some(setting) = work.setting("SubDomains") {
        work.tell(Same, &setting, "rules with .DOMAIN, that sign as DOMAIN");
    }
    rules
}

/// Rules that differ in their selector alone become one.
fn merged(rules: Vec<Rule>) -> Vec<(Rule, Vec<Key>)> {
    let mut merged: Vec<(Rule, Vec<Key>)> = Vec::new();
    for rule in rules {
        let keys: Vec<Key> = rule.key.iter().cloned().collect();
        let domain = |rule: &Rule| rule.key.as_ref().ok().map(|key| key.domain.clone());
        if let Some((last, known)) = merged.last_mut()
            && last.pattern == rule.pattern
            && last.identity == rule.identity
            && domain(last) == domain(&rule)
        {
            for key in keys {
                if !known.iter().any(|known| known.selector == key.selector) {
                    known.push(key);
                }
            }
            continue;
        }
        merged.push((rule, keys));
    }
    merged
}

fn add(
    (rule, keys): (Rule, Vec<Key>),
    known: &mut KnownKeys,
    settings: &mut Settings,
    report: &mut Report,
) {
    let mut selectors: Vec<Selector> = keys.iter().map(|key| key.selector.clone()).collect();
    let mut domain = keys.first().and_then(|key| key.domain.clone());
    let mut identity = rule.identity;
    if selectors.is_empty() {
        identity = None;
        selectors.extend(Selector::parse(NO_KEY));
        // A rule for whatever domain the author has would step back.
        domain = match &rule.pattern {
            Pattern::Below(parent) => DomainName::parse(parent).ok(),
            _ => DomainName::parse("unusable.invalid").ok(),
        };
    }
    for key in &keys {
        known.add(key, &rule.pattern, settings, report);
    }
    settings.rules.push(settings::Rule {
        pattern: rule.pattern.text(),
        domain,
        selectors,
        identity,
        origin: rule.place.to_string(),
        sample: rule.pattern.sample(),
    });
}
