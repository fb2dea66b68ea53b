//! What is wrong with the rules and their keys, before the first message asks.

use std::collections::HashSet;

use super::ring::{Found, Usable};
use super::{Problem, Snapshot};
use crate::config::Rule;
use crate::names::{Address, DomainName, Selector};

/// With up to so many keys all are read at start, and each broken one is told of at
/// once. With more, a key is read when its first message comes.
const READ_AT_START: usize = 1000;

/// So many shadowed rules are told of.
const MOST_SHADOWED: usize = 100;

impl Snapshot {
    /// Whether there are few enough keys to read them all at start.
    pub(super) fn is_small(&self) -> bool {
        self.key_count() <= READ_AT_START && self.rules.rules().len() <= READ_AT_START
    }

    /// Reads every key that a rule needs and says what is wrong with each.
    pub(super) fn key_problems(&self) -> Vec<Problem> {
        let mut survey = Survey::default();
        let rules = self.rules.rules();
        for rule in rules {
            if let Some(domain) = rule.fixed_domain() {
                survey.keys(self, Some(rule), domain, &rule.selectors);
            }
        }
        for domain in self.keys.domains() {
            if rules.is_empty() {
                survey.keys(self, None, domain, &[]);
                continue;
            }
            let anybody = Address {
                local: "postmaster".into(),
                domain: domain.clone(),
            };
            for rule in self
                .rules
                .signing(&anybody, |rule| rule.fixed_domain().is_none())
            {
                survey.keys(self, Some(rule), domain, &rule.selectors);
            }
            if !survey.domains.contains(domain) {
                survey
                    .problems
                    .push(Problem::note(format!("no rule uses the keys of {domain}")));
            }
        }
        for trouble in self.keys.troubles_anywhere() {
            if survey.told.insert(trouble.to_string()) {
                survey.problems.push(Problem::error(trouble.to_string()));
            }
        }
        survey.problems
    }

    /// Trust that rests on names.
    pub(super) fn trust_problems(&self) -> Option<Problem> {
        let names = self.config.trust.networks.asks_for_names();
        names.then(|| {
            Problem::warning(
                "trust.networks has host names: whoever rules the reverse DNS of an address, and \
                 the name's own, is trusted; addresses are safer"
                    .to_owned(),
            )
        })
    }

    /// Rules that can never decide.
    pub(super) fn rule_problems(&self) -> Vec<Problem> {
        let shadowed = self.rules.shadowed();
        let told = shadowed.iter().take(MOST_SHADOWED).map(|shadowed| {
            let (place, by) = (&shadowed.rule.place, &shadowed.by.place);
            let pattern = &shadowed.rule.pattern;
            Problem::warning(format!(
                "{place}: the rule for {pattern} never decides, since the one at {by} comes first; \
                 remove it, or give it multiple = true"
            ))
        });
        let mut problems: Vec<_> = told.collect();
        if let more @ 1.. = shadowed.len().saturating_sub(MOST_SHADOWED) {
            problems.push(Problem::warning(format!("{more} more rules never decide")));
        }
        problems
    }
}

#[derive(Default)]
struct Survey {
    problems: Vec<Problem>,
    /// What was told already: many rules may need one key.
    told: HashSet<String>,
    /// The signing domains and the keys that were looked at.
    domains: HashSet<DomainName>,
    keys: HashSet<(DomainName, Selector)>,
}

impl Survey {
    /// Looks at the keys of one domain; no selector means all.
    fn keys(
        &mut self,
        snapshot: &Snapshot,
        rule: Option<&Rule>,
        domain: &DomainName,
        selectors: &[Selector],
    ) {
        let found = match selectors {
            [] => snapshot.keys.every(domain),
            _ => snapshot.keys.named(domain, selectors),
        };
        self.domains.insert(domain.clone());
        for usable in &found.usable {
            if self.keys.insert((domain.clone(), usable.selector.clone())) {
                self.problems.extend(weak(usable));
            }
        }
        let so = match (found.usable.is_empty(), rule) {
            (false, _) => format!("mail is signed with the other keys of {domain}"),
            (true, None) => format!("mail of {domain} follows on_failure"),
            (true, Some(rule)) => {
                let on_failure = rule.signing.on_failure;
                format!(
                    "mail of {} follows on_failure = \"{on_failure}\"",
                    rule.pattern
                )
            }
        };
        let place = rule.map_or(String::new(), |rule| format!("{}: ", rule.place));
        for trouble in troubles(&found, domain) {
            if self.told.insert(trouble.clone()) {
                self.problems
                    .push(Problem::error(format!("{place}{trouble}; {so}")));
            }
        }
    }
}

fn troubles(found: &Found, domain: &DomainName) -> Vec<String> {
    if found.usable.is_empty() && found.troubles.is_empty() {
        return vec![format!(
            "the key directory has no key for {domain}; \"signet keygen {domain}\" makes one"
        )];
    }
    found.troubles.iter().map(ToString::to_string).collect()
}

/// RFC 8301 §3.2: signers should use 2048 bits and more.
fn weak(usable: &Usable) -> Option<Problem> {
    usable.key.is_weak().then(|| {
        let (path, bits) = (usable.slot.path.display(), usable.key.bits());
        Problem::warning(format!(
            "{path} has {bits} bits, and some receivers refuse less than 2048; make a new key with \
             a new selector"
        ))
    })
}
