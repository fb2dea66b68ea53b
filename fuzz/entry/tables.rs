//! A table file is read or refused, mistakes with their lines.

use std::sync::Arc;

use signet::config::{ConfigErrors, login_table, rule_table};

/// The first byte chooses the table, the rest is its text.
pub fn run(data: &[u8]) {
    let Some((table, text)) = data.split_first() else {
        return;
    };
    let lines = text.split(|byte| *byte == b'\n').count();
    let errors = match table % 2 {
        0 => rule_table::parse(text, "rules", &Arc::default()).map(|rules| {
            for rule in &rules {
                assert!((1..=lines).contains(&rule.place.line));
            }
        }),
        _ => login_table::parse(text, "logins").map(|entries| {
            for entry in &entries {
                assert!((1..=lines).contains(&entry.place.line));
                assert!(!entry.logins.is_empty());
            }
        }),
    };
    if let Err(ConfigErrors(errors)) = errors {
        assert!(!errors.is_empty() && errors.len() <= 101);
        for error in &errors {
            assert!(error.place.line <= lines && !error.problem.is_empty());
        }
    }
}
