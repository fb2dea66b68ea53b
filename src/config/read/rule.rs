//! `[[rule]]`: which authors, and which signatures for them.

use std::sync::Arc;

use super::signing::signing;
use crate::config::raw::{Table, Value};
use crate::config::rule::selectors;
use crate::config::{Identity, Rule, Signing};
use crate::names::DomainName;

/// `default` is what `[signing]` says.
pub(super) fn rule(table: &Table<'_>, default: &Arc<Signing>) -> Option<Rule> {
    let own = signing(table, default);
    let pattern = table.get("pattern");
    let domain = table.or("domain", None, |value| match value.string()? {
        "%d" => Some(None),
        name => value.parse_with(|_| DomainName::parse(name)).map(Some),
    });
    let selectors = table.or("selectors", Arc::default(), |value| {
        let elements = value.elements();
        if elements.is_empty() {
            value.wrong("names no selector; leave the key out for every key of the domain");
        }
        let texts: Option<Vec<&str>> = elements.iter().map(Value::string).collect();
        selectors(texts?.into_iter())
            .map_err(|problem| value.wrong(problem))
            .ok()
    });
    let identity = table.get("identity");
    let multiple = table.or("multiple", false, Value::boolean);

    let Some(pattern) = pattern else {
        table.wrong("the rule has no pattern; add pattern = \"example.com\"");
        return None;
    };
    let mut rule = Rule {
        pattern: pattern.parse()?,
        domain,
        selectors,
        identity: None,
        multiple,
        // A million rules that say nothing of their own share one.
        signing: match own == **default {
            true => default.clone(),
            false => Arc::new(own),
        },
        place: table.place(),
    };
    if let Some(value) = identity
        && let Some(identity) = value.parse::<Identity>()
    {
        if let Some(domain) = rule.fixed_domain()
            && identity.never_under(domain)
        {
            value.wrong(format!(
                "is not at or below the signing domain {domain}, so no signature could carry it"
            ));
        }
        rule.identity = Some(identity);
    }
    Some(rule)
}
