//! Aliases that send mail on to Gmail, which is hard on who forwards.

use super::{Code, PostfixFacts, Section};

/// Gmail's domains.
const GMAIL: [&str; 2] = ["@gmail.com", "@googlemail.com"];

pub(super) fn check(facts: &PostfixFacts, section: &mut Section) {
    let forwards = facts
        .aliases
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter(|line| {
            let line = line.to_lowercase();
            let target = line.split_whitespace().skip(1).collect::<String>();
            GMAIL.iter().any(|domain| target.contains(domain))
        })
        .count();
    let rewritten = facts.postfix.value("sender_canonical_maps");
    if forwards == 0 || rewritten.contains("srs") || rewritten.contains("10001") {
        return;
    }
    let what = match forwards {
        1 => "one alias forwards to Gmail".to_owned(),
        count => format!("{count} aliases forward to Gmail"),
    };
    let mend = vec![
        "change nothing in forwarded mail, and give it an envelope sender of your own (SRS):"
            .to_owned(),
        "apt-get install postsrsd".to_owned(),
    ];
    section.add(
        Code::AliasGmail,
        "virtual_alias_maps, alias_maps",
        what,
        mend,
    );
}
