//! The same line for every author, by OpenDKIM's order and by signet's.

use super::*;

/// The rules of a table in the order in which the config has them, `-` for a line
/// that nobody gets.
fn rules(keys: &[&str], matching: Matching) -> Vec<String> {
    let (placed, order) = place(keys, matching, false);
    order
        .into_iter()
        .map(|index| match &placed[index] {
            Placed::Rule(pattern) => pattern.text(),
            Placed::Dead(_) => "-".to_owned(),
        })
        .collect()
}

#[test]
fn a_table_of_patterns_keeps_its_order() {
    let refile = |keys: &[&str]| rules(keys, Matching::Pattern);
    // Most specific first: signet's own order.
    assert_eq!(
        refile(&["boss@example.com", "*@example.com", "*@*.example.com", "*"]),
        ["boss@example.com", "example.com", ".example.com", "*"]
    );
    // What stands above takes all of the mail.
    assert_eq!(
        refile(&["*@example.com", "boss@example.com", "*@Example.COM"]),
        ["example.com", "-", "-"]
    );
    assert_eq!(
        refile(&["*@*.com", "*@a.example.com", "*@*.example.com", "*@com"]),
        [".com", "-", "-", "com"]
    );
    // A glob that stands above part of a domain has to be tried first.
    assert_eq!(
        refile(&[
            "info@*",
            "*@example.com",
            "*@example.net",
            "info@x.org",
            "*@*.com"
        ]),
        ["info@*", "*@example.com", "*@example.net", "-", "*@*.com"]
    );
    assert_eq!(
        refile(&["*.example.com", "*example.net"]),
        [".example.com", "*example.net"]
    );
}

#[test]
fn any_other_table_is_tried_by_its_ladder() {
    let file = |keys: &[&str]| rules(keys, Matching::Exact);
    assert_eq!(
        file(&["*", "a@*", ".example.com", "example.com", "a@example.com"]),
        ["a@example.com", "example.com", ".example.com", "a@*", "*"]
    );
    assert_eq!(
        file(&[
            ".com",
            ".x.example.com",
            ".example.com",
            "a@.example.com",
            "a@.b.example.com"
        ]),
        [
            "a@*.b.example.com",
            ".x.example.com",
            "a@*.example.com",
            "*@*.example.com",
            "*@*.com"
        ]
    );
    assert_eq!(
        file(&[
            "*@example.com",
            "*.example.com",
            "example.com",
            "EXAMPLE.com",
            "a b"
        ]),
        ["-", "-", "example.com", "-", "-"]
    );
    let (placed, _) = place(&["*@example.com"], Matching::Exact, false);
    assert_eq!(
        placed,
        [Placed::Dead(
            "OpenDKIM never matches it: in this type of table * stands for itself. If all of \
             example.com is meant write example.com, or make the type refile:"
                .to_owned()
        )]
    );
}

#[test]
fn each_pattern_has_an_author_that_it_matches() {
    for (pattern, author) in [
        ("*@*", "someone@example.com"),
        ("*", "someone@example.com"),
        ("info@*", "info@example.com"),
        ("*@*.example.net", "someone@host.example.net"),
        ("*example.net", "someone@example.net"),
    ] {
        let sample = Pattern::Glob(pattern.to_owned()).sample();
        assert_eq!(sample, author);
        assert!(glob::matches(pattern, &sample));
    }
}

use proptest::prelude::*;

/// The line that OpenDKIM picks for an author, by its own rules.
fn opendkim(keys: &[String], matching: Matching, author: &str) -> Option<usize> {
    if matching == Matching::Pattern {
        return keys.iter().position(|key| glob::matches(key, author));
    }
    let (user, host) = author.split_once('@').unwrap();
    let mut ladder = vec![author.to_owned(), host.to_owned()];
    let mut rest = host;
    while let Some((_, parent)) = rest.split_once('.') {
        ladder.push(format!("{user}@.{parent}"));
        ladder.push(format!(".{parent}"));
        rest = parent;
    }
    ladder.push(format!("{user}@*"));
    ladder.push("*".to_owned());
    ladder
        .iter()
        .find_map(|key| keys.iter().position(|k| k == key))
}

/// The rule that signet picks: address, domain, nearest parent, glob in order.
fn signet(rules: &[(usize, Pattern)], author: &str) -> Option<usize> {
    let (_, host) = author.split_once('@').unwrap();
    let of = |pattern: Pattern| rules.iter().find(|(_, p)| *p == pattern);
    let mut found = of(Pattern::Address(author.to_owned()));
    found = found.or_else(|| of(Pattern::Domain(host.to_owned())));
    let mut rest = host;
    while let Some((_, parent)) = rest.split_once('.') {
        found = found.or_else(|| of(Pattern::Below(parent.to_owned())));
        rest = parent;
    }
    let matches = |p: &Pattern| matches!(p, Pattern::Glob(glob) if glob::matches(glob, author));
    found = found.or_else(|| rules.iter().find(|(_, p)| matches(p)));
    found.map(|(index, _)| *index)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn every_author_gets_the_same_line(
        keys in proptest::collection::vec(
            prop_oneof![
                "(u|v|\\*)@(\\*|\\*?\\.?(a\\.)?(b\\.)?(a|b))",
                "\\.?(a\\.)?(b\\.)?(a|b)",
                "\\*(\\.a|b)?",
            ],
            1..7,
        ),
        patterns in proptest::bool::ANY,
        authors in proptest::collection::vec("(u|v)@((a|b)\\.){0,3}(a|b)", 8),
    ) {
        let matching = if patterns { Matching::Pattern } else { Matching::Exact };
        let texts: Vec<&str> = keys.iter().map(String::as_str).collect();
        let (placed, order) = place(&texts, matching, false);
        let rules: Vec<(usize, Pattern)> = order
            .into_iter()
            .filter_map(|index| match &placed[index] {
                Placed::Rule(pattern) => Some((index, pattern.clone())),
                Placed::Dead(_) => None,
            })
            .collect();
        for author in authors {
            prop_assert_eq!(
                signet(&rules, &author),
                opendkim(&keys, matching, &author),
                "{} {:?}", author, rules
            );
        }
    }
}
