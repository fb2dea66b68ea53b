//! The fourth question: which rules are for this author?

use super::index::Index;
use crate::config::{Pattern, Rule};
use crate::names::Address;

/// All rules, found by pattern.
#[derive(Debug, Default)]
pub struct RuleTable {
    rules: Vec<Rule>,
    index: Index,
}

/// A rule that never decides, because an earlier one is for the same authors.
#[derive(Debug, Clone, PartialEq)]
pub struct Shadowed<'r> {
    pub rule: &'r Rule,
    pub by: &'r Rule,
}

impl RuleTable {
    /// The rules in the order in which they were written.
    pub fn new(rules: Vec<Rule>) -> Self {
        let mut index = Index::default();
        for rule in &rules {
            index.push(&rule.pattern);
        }
        Self { rules, index }
    }

    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rules that sign for the author: the most specific that `applies`, and each
    /// other one that applies and says `multiple`. In the order of how specific they
    /// are: address, domain, nearest parent, globs as written.
    pub fn signing<'t>(
        &'t self,
        author: &Address,
        applies: impl Fn(&Rule) -> bool,
    ) -> Vec<&'t Rule> {
        let mut won = false;
        let mut signing = Vec::new();
        for number in self.index.find(author) {
            let Some(rule) = self.rules.get(number) else {
                continue;
            };
            if (rule.multiple || !won) && applies(rule) {
                won |= !rule.multiple;
                signing.push(rule);
            }
        }
        signing
    }

    /// Rules that can never win: the pattern stands there before, or a glob before it
    /// takes everything.
    pub fn shadowed(&self) -> Vec<Shadowed<'_>> {
        let mut first = std::collections::HashMap::new();
        let mut everything: Option<&Rule> = None;
        let mut shadowed = Vec::new();
        for rule in self.rules.iter().filter(|rule| !rule.multiple) {
            let glob = match &rule.pattern {
                Pattern::Glob(glob) => Some(glob),
                _ => None,
            };
            let by = first
                .get(&rule.pattern)
                .copied()
                .or(everything.filter(|_| glob.is_some()));
            match by {
                Some(by) => shadowed.push(Shadowed { rule, by }),
                None => {
                    first.insert(&rule.pattern, rule);
                }
            }
            // A rule for the author's own domain steps back where that has no key.
            let always = rule.domain.is_some();
            if always && glob.is_some_and(|glob| glob.is_everything()) {
                everything = everything.or(Some(rule));
            }
        }
        shadowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn table(rules: &str) -> RuleTable {
        let text = rules.replace("rule ", "[[rule]]\npattern = ");
        RuleTable::new(Config::from_toml(&text, "t").unwrap().rules)
    }

    fn patterns(table: &RuleTable, author: &str) -> Vec<String> {
        let author = Address::parse(author).unwrap();
        let rules = table.signing(&author, |_| true);
        rules.iter().map(|rule| rule.pattern.to_string()).collect()
    }

    #[test]
    fn the_most_specific_rule_wins() {
        let table =
            table("rule '*'\nrule '.example.com'\nrule 'example.com'\nrule 'a@example.com'\n");
        assert_eq!(patterns(&table, "a@example.com"), ["a@example.com"]);
        assert_eq!(patterns(&table, "b@example.com"), ["example.com"]);
        assert_eq!(patterns(&table, "b@x.example.com"), [".example.com"]);
        assert_eq!(patterns(&table, "b@example.org"), ["*"]);
    }

    #[test]
    fn every_match_that_says_multiple_signs_too() {
        let all =
            table("rule 'a@example.com'\nmultiple = true\nrule 'example.com'\nmultiple = true\n");
        assert_eq!(
            patterns(&all, "a@example.com"),
            ["a@example.com", "example.com"]
        );

        let besides = table("rule '*'\nmultiple = true\nrule '.com'\nrule 'example.com'\n");
        assert_eq!(patterns(&besides, "a@example.com"), ["example.com", "*"]);
        assert_eq!(patterns(&besides, "a@example.org"), ["*"]);
    }

    #[test]
    fn a_rule_that_does_not_apply_makes_way() {
        let table = table("rule 'example.com'\nrule '*'\n");
        let author = Address::parse("a@example.com").unwrap();
        let rules = table.signing(&author, |rule| rule.pattern.domain().is_none());
        assert_eq!(rules[0].pattern.to_string(), "*");
    }

    #[test]
    fn a_rule_that_can_never_win_is_found() {
        let shadowed = |rules: &str| -> Vec<(usize, usize)> {
            let table = table(rules);
            let lines =
                |shadowed: &Shadowed<'_>| (shadowed.rule.place.line, shadowed.by.place.line);
            table.shadowed().iter().map(lines).collect()
        };
        assert_eq!(shadowed("rule 'a.example'\nrule 'A.example'\n"), [(3, 1)]);
        assert_eq!(
            shadowed("rule 'a.example'\nmultiple = true\nrule 'a.example'\n"),
            []
        );
        assert_eq!(
            shadowed("rule '*'\ndomain = 'a.example'\nrule '*@b.*'\nrule 'c.example'\n"),
            [(4, 1)]
        );
        assert_eq!(shadowed("rule '*'\nrule '*@b.*'\n"), []);
    }
}
