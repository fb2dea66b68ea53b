//! SPF: whether the domain's record can be used, and allows this host.

use std::net::IpAddr;

use super::{Code, PolicyFacts, Section};

mod evaluate;
mod terms;

use evaluate::{Walk, evaluate};
use terms::{Qualifier, Term, is_spf, terms};

use super::unanswered::{Unanswered, tell};

/// RFC 7208 section 4.6.4.
const MOST_LOOKUPS: usize = 10;

pub(super) fn check(facts: &PolicyFacts, domain: &str, section: &mut Section) {
    let mut unanswered = Vec::new();
    let Some(texts) = facts.answers.texts(domain).or_note(&mut unanswered) else {
        tell(Code::SpfUnknown, domain, &unanswered, section);
        return;
    };
    let records: Vec<&str> = texts
        .iter()
        .map(String::as_str)
        .filter(|text| is_spf(text))
        .collect();
    let record = match records.as_slice() {
        [] => {
            let what = "there is no SPF record";
            let mend = publish("publish this TXT record", &made(&facts.addresses()));
            section.add(Code::SpfMissing, domain, what, mend);
            return;
        }
        [record] => *record,
        several => {
            let what = format!("there are {} SPF records", several.len());
            let mend = publish("put them into one TXT record", &merged(several));
            section.add(Code::SpfTwoRecords, domain, what, mend);
            return;
        }
    };
    let before = section.findings.len();
    let mut walk = Walk::default();
    evaluate(domain, record, None, &facts.answers, &mut walk);
    costs(&walk, domain, section);
    ending(record, domain, section);
    let mut unanswered = walk.unanswered;
    if section.findings.len() == before || walk.bad.is_empty() {
        hosts(facts, record, domain, &mut unanswered, section);
    }
    tell(Code::SpfUnknown, domain, &unanswered, section);
    if section.findings.len() == before {
        section.good.push(format!(
            "{domain} has an SPF record that can be used, with {} lookup{}",
            walk.lookups,
            if walk.lookups == 1 { "" } else { "s" }
        ));
    }
}

fn costs(walk: &Walk, domain: &str, section: &mut Section) {
    for (name, word) in &walk.bad {
        let what = format!("\"{word}\" in the SPF record of {name} is not a term");
        let mend = vec![
            "networks are ip4:192.0.2.0/24 and ip6:2001:db8::/32, others' records include:NAME; see:"
                .to_owned(),
            format!("dig {name} TXT"),
        ];
        section.add(Code::SpfSyntax, domain, what, mend);
    }
    for name in &walk.broken {
        let what = format!("it includes {name}, which has no SPF record, or several");
        let mend = vec![
            format!("take include:{name} out of the record; see:"),
            format!("dig {name} TXT"),
        ];
        section.add(Code::SpfIncludeMissing, domain, what, mend);
    }
    if walk.lookups > MOST_LOOKUPS {
        let what = format!(
            "it takes {} lookups, and {MOST_LOOKUPS} are allowed",
            walk.lookups
        );
        let mend = vec![
            "take out what does not send any more, and put networks (ip4:, ip6:) in place of names; see:".to_owned(),
            format!("dig {domain} TXT"),
        ];
        section.add(Code::SpfLookups, domain, what, mend);
    }
    if walk.ptr {
        let what = "it uses ptr, which is slow, and some receivers ignore";
        let mend = vec![
            "name the networks instead (ip4:, ip6:); see:".to_owned(),
            format!("dig {domain} TXT"),
        ];
        section.add(Code::SpfPtr, domain, what, mend);
    }
}

fn ending(record: &str, domain: &str, section: &mut Section) {
    let terms = terms(record);
    let all = terms.iter().find_map(|term| match term {
        Term::All(qualifier) => Some(*qualifier),
        _ => None,
    });
    let redirected = terms.iter().any(|term| matches!(term, Term::Redirect(_)));
    match all {
        Some(Qualifier::Pass) => {
            let what = "it ends in +all: the whole world may send as this domain";
            let right: Vec<&str> = record
                .split_whitespace()
                .filter(|word| !is_all(word))
                .chain(["~all"])
                .collect();
            section.add(
                Code::SpfPassAll,
                domain,
                what,
                publish("replace it by", &right.join(" ")),
            );
        }
        None if !redirected => {
            let what = "it has no \"all\" at its end, so it says nothing of anybody else";
            let right = format!("{record} ~all");
            section.add(
                Code::SpfNoAll,
                domain,
                what,
                publish("replace it by", &right),
            );
        }
        _ => {}
    }
}

fn hosts(
    facts: &PolicyFacts,
    record: &str,
    domain: &str,
    unanswered: &mut Vec<Unanswered>,
    section: &mut Section,
) {
    let mut refused = Vec::new();
    for address in facts.addresses() {
        let mut walk = Walk::default();
        let verdict = evaluate(domain, record, Some(address), &facts.answers, &mut walk);
        if verdict == Some(Qualifier::Pass) {
            continue;
        }
        // What was not answered may be what allows it.
        if walk.unanswered.is_empty() {
            refused.push(address);
        }
        for question in walk.unanswered {
            if !unanswered.contains(&question) {
                unanswered.push(question);
            }
        }
    }
    if refused.is_empty() {
        return;
    }
    let listed: Vec<String> = refused.iter().map(ToString::to_string).collect();
    let what = format!("it does not allow this host, {}", listed.join(", "));
    let mut right: Vec<String> = record.split_whitespace().map(str::to_owned).collect();
    let end = right
        .iter()
        .position(|word| is_all(word) || word.to_ascii_lowercase().starts_with("redirect="))
        .unwrap_or(right.len());
    right.splice(end..end, refused.iter().map(network));
    section.add(
        Code::SpfHostMissing,
        domain,
        what,
        publish("replace it by", &right.join(" ")),
    );
}

fn network(address: &IpAddr) -> String {
    match address {
        IpAddr::V4(address) => format!("ip4:{address}"),
        IpAddr::V6(address) => format!("ip6:{address}"),
    }
}

fn is_all(word: &str) -> bool {
    word.trim_start_matches(['+', '-', '~', '?'])
        .eq_ignore_ascii_case("all")
}

fn made(addresses: &[IpAddr]) -> String {
    let mut words = vec!["v=spf1".to_owned(), "mx".to_owned()];
    words.extend(addresses.iter().map(network));
    words.push("~all".to_owned());
    words.join(" ")
}

/// The terms of several records in one, each once, with the first "all" at the end.
fn merged(records: &[&str]) -> String {
    // Servers give them in any order.
    let mut records = records.to_vec();
    records.sort_unstable();
    let mut words: Vec<&str> = Vec::new();
    let mut all = None;
    for word in records.iter().flat_map(|record| record.split_whitespace()) {
        if is_all(word) {
            all.get_or_insert(word);
        } else if !words.contains(&word) {
            words.push(word);
        }
    }
    words.extend(all);
    words.join(" ")
}

fn publish(first: &str, record: &str) -> Vec<String> {
    vec![format!("{first}:"), format!("\"{record}\"")]
}
