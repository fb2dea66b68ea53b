//! A file of rules, one a line: `PATTERN DOMAIN [SELECTOR,SELECTOR...]`.
//!
//! `%d` for the domain means the author's own, and without selectors every key that
//! the key directory has for the domain signs. For large sets: the rest of a rule is
//! what `[signing]` says.

use std::collections::HashMap;
use std::sync::Arc;

use super::table::{Line, Table};
use super::{ConfigErrors, Pattern, Rule, Signing};
use crate::names::{DomainName, Selector};

/// Selectors as written, and what they are: few of them are repeated very often.
type Known<'t> = HashMap<&'t str, Arc<[Selector]>>;

/// The rules of a table file's text. `file` is the name that the errors show.
///
/// # Errors
/// Every mistake in the text.
pub fn parse(text: &[u8], file: &str, signing: &Arc<Signing>) -> Result<Vec<Rule>, ConfigErrors> {
    let mut table = Table::new(text, file);
    let mut known = Known::default();
    known.insert("", Arc::default());
    let mut rules = Vec::new();
    while let Some(line) = table.next_line() {
        match rule(&line, &mut known, signing) {
            Ok(mut rule) => {
                rule.place = table.place(line.number);
                rules.push(rule);
            }
            Err(problem) => table.wrong(line.number, problem),
        }
    }
    table.finish(rules)
}

fn rule<'t>(
    line: &Line<'t>,
    known: &mut Known<'t>,
    signing: &Arc<Signing>,
) -> Result<Rule, String> {
    let mut fields = line.text.split_whitespace();
    let pattern = fields.next().unwrap_or_default();
    let Some(domain) = fields.next() else {
        return Err(format!(
            "\"{pattern}\" has no second field; write PATTERN DOMAIN SELECTORS, %d for the author's domain"
        ));
    };
    let selectors = fields.next().unwrap_or_default();
    if let Some(more) = fields.next() {
        return Err(format!(
            "\"{more}\" is a fourth field; selectors are parted by commas without spaces"
        ));
    }
    let selectors = match known.get(selectors) {
        Some(selectors) => selectors.clone(),
        None => {
            let parsed = super::rule::selectors(selectors.split(','))?;
            known.insert(selectors, parsed.clone());
            parsed
        }
    };
    let words = |error: &dyn std::error::Error| error.to_string();
    let pattern = Pattern::parse(pattern).map_err(|error| words(&error))?;
    let domain = match domain {
        "%d" => None,
        name => Some(DomainName::parse(name).map_err(|error| words(&error))?),
    };
    Ok(Rule {
        // One domain written twice is kept once.
        domain: domain.filter(|domain| pattern.domain() != Some(domain)),
        pattern,
        selectors,
        identity: None,
        multiple: false,
        signing: signing.clone(),
        place: super::Place::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Vec<String> {
        let rules = parse(text.as_bytes(), "rules", &Arc::default()).unwrap();
        let show = |rule: &Rule| {
            let selectors: Vec<_> = rule.selectors.iter().map(Selector::as_str).collect();
            let domain = rule.domain.as_ref().map_or("%d", DomainName::as_str);
            format!(
                "{} {} {domain} {}",
                rule.place.line,
                rule.pattern,
                selectors.join(",")
            )
        };
        rules.iter().map(show).collect()
    }

    #[test]
    fn one_rule_a_line() {
        let found = rules(
            "# customers\nexample.com  example.com  s1,s2\n.example.com example.com\n\
             user@a.example\tother.example s1 # moved\n* %d\n",
        );
        assert_eq!(
            found,
            [
                "2 example.com %d s1,s2",
                "3 .example.com example.com ",
                "4 user@a.example other.example s1",
                "5 * %d ",
            ]
        );
    }

    #[test]
    fn each_mistake_names_its_line() {
        let text =
            "example.com\na b c d\n@x %d\nx.example y..z\nx.example %d s1,\nx.example %d s1,S1\n";
        let errors = parse(text.as_bytes(), "rules", &Arc::default()).unwrap_err();
        let lines: Vec<_> = errors.0.iter().map(ToString::to_string).collect();
        assert!(
            lines[0].starts_with("rules:1: \"example.com\" has no second field"),
            "{lines:#?}"
        );
        assert!(lines[1].starts_with("rules:2: \"d\" is a fourth field"));
        assert!(lines[2].starts_with("rules:3: \"@x\""));
        assert!(lines[3].starts_with("rules:4: \"y..z\""));
        assert!(lines[4].starts_with("rules:5: "));
        assert!(lines[5].starts_with("rules:6: ") && lines[5].contains("twice"));
        assert_eq!(lines.len(), 6);
    }
}
