//! The fourth question: which rules are for this author?

use std::collections::HashMap;

use super::index::Index;
use crate::config::{Pattern, Rule};
use crate::names::Address;

/// All rules, found by pattern.
#[derive(Debug, Default)]
pub struct RuleTable {
    rules: Vec<Rule>,
    index: Index,
    /// Rules whose pattern stood there before, and the number of the first with it.
    repeated: Vec<(usize, usize)>,
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
        index.reserve(rules.iter().map(|rule| &rule.pattern));
        let patterns = rules.iter().enumerate();
        let repeated = patterns
            .filter_map(|(number, rule)| Some((number, index.push(&rule.pattern)?)))
            .collect();
        Self {
            rules,
            index,
            repeated,
        }
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
    /// takes everything. In the order in which they were written.
    pub fn shadowed(&self) -> Vec<Shadowed<'_>> {
        let mut numbers = self.repeated_in_vain();
        numbers.extend(self.globs_in_vain());
        numbers.sort_unstable();
        let rule = |number: usize| self.rules.get(number);
        numbers
            .into_iter()
            .filter_map(|(number, by)| Some((rule(number)?, rule(by)?)))
            .map(|(rule, by)| Shadowed { rule, by })
            .collect()
    }

    fn decides(&self, number: usize) -> bool {
        self.rules.get(number).is_some_and(|rule| !rule.multiple)
    }

    /// Repeated patterns, each with the rule that wins. Globs are not among them.
    fn repeated_in_vain(&self) -> Vec<(usize, usize)> {
        // By the first rule with the pattern: the one that wins.
        let mut winner: HashMap<usize, usize> = HashMap::new();
        let mut in_vain = Vec::new();
        for (number, first) in &self.repeated {
            if !self.decides(*number) {
                continue;
            }
            match winner.get(first) {
                Some(by) => in_vain.push((*number, *by)),
                None if self.decides(*first) => {
                    winner.insert(*first, *first);
                    in_vain.push((*number, *first));
                }
                None => {
                    winner.insert(*first, *number);
                }
            }
        }
        in_vain
    }

    fn globs_in_vain(&self) -> Vec<(usize, usize)> {
        let mut seen = HashMap::new();
        let mut everything = None;
        let mut in_vain = Vec::new();
        for (number, rule) in self.rules.iter().enumerate() {
            let Pattern::Glob(glob) = &rule.pattern else {
                continue;
            };
            if rule.multiple {
                continue;
            }
            match seen.get(glob).copied().or(everything) {
                Some(by) => in_vain.push((number, by)),
                None => {
                    seen.insert(glob, number);
                    // One for the author's own domain steps back where that has no key.
                    if rule.domain.is_some() && glob.is_everything() {
                        everything = Some(number);
                    }
                }
            }
        }
        in_vain
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
        let three = "rule 'a.example'\nmultiple = true\nrule 'a.example'\nrule 'a.example'\n";
        assert_eq!(shadowed(three), [(6, 4)]);
        assert_eq!(shadowed("rule '*@b.*'\nrule '*@b.*'\n"), [(3, 1)]);
    }
}
