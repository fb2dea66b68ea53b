//! What is documented is what there is: every key and every reason, the defaults, and
//! examples that work.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests may fail by panicking"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use signet::config::{Config, rule_table};
use signet::doctor::Code;
use signet::policy::Reason;

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs")
        .join(name);
    fs::read_to_string(path).unwrap()
}

/// What stands between backticks in the first column of the page's tables.
fn first_column(page: &str) -> BTreeSet<String> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| row.split_once("` |"))
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// The fenced blocks of a kind.
fn blocks(page: &str, kind: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<(&str, String)> = None;
    for line in page.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(found), None) => open = Some((found, String::new())),
            (Some(_), Some((found, text))) => {
                if *found == kind {
                    blocks.push(std::mem::take(text));
                }
                open = None;
            }
            (None, Some((_, text))) => *text += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    blocks
}

#[test]
fn every_key_is_documented_and_no_other() {
    let page = read("configuration.md");
    let documented = first_column(&page);
    let keys = Config::keys();
    assert!(keys.len() > 40, "{keys:?}");
    // A table says itself what its keys say.
    let tables = [
        "trust", "exclude", "send_as", "signing", "limits", "log", "metrics",
    ];
    for key in keys.iter().filter(|key| !tables.contains(&key.as_str())) {
        assert!(documented.contains(key), "{key} is not documented");
    }
    // Tables of notations, not of keys.
    let patterns = [
        "user@example.com",
        "example.com",
        ".example.com",
        "mail.example.com",
        "192.0.2.0/24",
        "192.0.2.7",
        "!ENTRY",
    ];
    for name in documented
        .iter()
        .filter(|name| !patterns.contains(&name.as_str()))
    {
        assert!(keys.contains(name), "{name} is documented and is no key");
    }
}

#[test]
fn the_documented_defaults_are_the_defaults() {
    let page = read("configuration.md");
    let defaults = blocks(&page, "toml").pop().unwrap();
    assert_eq!(defaults, Config::default().to_toml());
}

#[test]
fn the_examples_are_usable() {
    let page = read("configuration.md");
    let examples = blocks(&page, "toml");
    assert!(examples.len() >= 4);
    for example in examples {
        Config::from_toml(&example, "example")
            .unwrap_or_else(|errors| panic!("{errors}\n{example}"));
    }
    let tables: Vec<_> = blocks(&page, "")
        .into_iter()
        .filter(|block| block.contains("%d"))
        .collect();
    assert_eq!(tables.len(), 1);
    let rules = rule_table::parse(tables[0].as_bytes(), "example", &Default::default());
    assert_eq!(rules.unwrap().len(), 3);
}

#[test]
fn every_reason_is_documented_and_no_other() {
    let documented = first_column(&read("reasons.md"));
    let reasons: BTreeSet<_> = Reason::ALL
        .iter()
        .map(|reason| reason.to_string())
        .collect();
    assert_eq!(documented, reasons);
}

#[test]
fn every_key_that_a_reason_names_is_one() {
    let page = read("reasons.md");
    let keys = Config::keys();
    for table in ["trust", "exclude", "send_as", "limits"] {
        for rest in page.split(&format!("`{table}.")).skip(1) {
            let key = format!("{table}.{}", rest.split('`').next().unwrap());
            assert!(keys.contains(&key), "{key} is no key");
        }
    }
}

#[test]
fn every_finding_of_doctor_is_explained_and_no_other() {
    let page = read("doctor.md");
    let headings = page.lines().filter_map(|line| line.strip_prefix("### "));
    let explained: Vec<_> = headings.collect();
    let mut codes: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
    for code in Code::ALL {
        let why = signet::doctor::page::why(*code);
        assert!(why.len() > 20 && why.ends_with('.'), "{code}: {why}");
    }
    let mut sorted = explained.clone();
    sorted.sort_unstable();
    codes.sort_unstable();
    assert_eq!(sorted, codes);
}

/// "the reason `no-rule`", wherever it is said.
#[test]
fn every_reason_that_a_page_names_is_one() {
    let reasons: BTreeSet<_> = Reason::ALL.iter().map(ToString::to_string).collect();
    let mut named = 0;
    for page in ["doctor.md", "configuration.md", "reliability.md", "tour.md"] {
        for rest in read(page).split("reason `").skip(1) {
            let name = rest.split('`').next().unwrap();
            assert!(reasons.contains(name), "{name} in docs/{page} is no reason");
            named += 1;
        }
    }
    assert!(named > 0);
}
