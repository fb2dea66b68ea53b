//! Mailing lists: whether what a list program sends on is signed for the list, or for
//! whoever stands in From.

use super::{Code, PostfixFacts, Section};

/// Programs that keep mailing lists, by what is in their commands and tables.
const PROGRAMS: [&str; 6] = [
    "mailman",
    "sympa",
    "mlmmj",
    "majordomo",
    "ezmlm",
    "schleuder",
];

/// Settings through which mail gets to such a program.
const SETTINGS: [&str; 6] = [
    "transport_maps",
    "alias_maps",
    "virtual_alias_maps",
    "virtual_transport",
    "local_recipient_maps",
    "relay_recipient_maps",
];

pub(super) fn check(facts: &PostfixFacts, section: &mut Section) {
    let by_from_alone = match &facts.author_headers[..] {
        [only] => only.as_str() == "from",
        _ => false,
    };
    if !by_from_alone {
        return;
    }
    let Some((program, place)) = found(facts) else {
        return;
    };
    let what = format!(
        "it leads to {program}, and signet signs for whoever stands in From: what a stranger posts to a list in your name is signed as yours when the list sends it on"
    );
    let mend = vec![
        "nothing, if every list refuses such posts or puts its own address into From; else put this at the top of signet's config file, and reload signet:".to_owned(),
        "author_headers = [\"List-Post\", \"Sender\", \"From\"]".to_owned(),
    ];
    section.add(Code::PostfixListHost, place, what, mend);
}

/// A list program, and what leads to it. A service alone is none: Debian's master.cf has
/// one for Mailman on every machine.
fn found(facts: &PostfixFacts) -> Option<(&'static str, String)> {
    let within = |text: &str| {
        let mut programs = PROGRAMS.iter().copied();
        programs.find(|program| text.contains(program))
    };
    let postfix = &facts.postfix;
    let by_setting = SETTINGS.iter().find_map(|name| {
        let program = within(postfix.value(name))?;
        Some((program, (*name).to_owned()))
    });
    // `crew: "|/usr/lib/mailman3/bin/..."`
    let by_alias = || {
        let piped = facts.aliases.lines().filter(|line| line.contains('|'));
        let program = piped
            .filter(|line| !line.starts_with('#'))
            .find_map(within)?;
        Some((program, "the aliases".to_owned()))
    };
    by_setting.or_else(by_alias)
}
