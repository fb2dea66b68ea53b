//! What one name server's answer says about one key: the record that belongs to it, or
//! which of the classic mistakes.

use crate::dns::lookup::{Code as Answer, Response};
use crate::dns::{KeyRecord, Publication, RecordError};
use crate::doctor::Code;

/// One thing that is wrong with an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Diagnosis {
    pub code: Code,
    pub what: String,
}

fn one(code: Code, what: impl Into<String>) -> Vec<Diagnosis> {
    vec![Diagnosis {
        code,
        what: what.into(),
    }]
}

/// Nothing when the answer is the record of the key. `others` are the domain's other
/// keys.
pub(super) fn diagnose(
    key: &Publication,
    others: &[&Publication],
    response: &Response,
) -> Vec<Diagnosis> {
    match response.code {
        Answer::Success | Answer::NoSuchName => {}
        Answer::Failed => return one(Code::DnsServerFailure, "the name server answers SERVFAIL"),
        Answer::Refused => return one(Code::DnsServerRefuses, "the name server refuses to answer"),
        Answer::Other(code) => {
            let what = format!("the name server answers with the error code {code}");
            return one(Code::DnsServerFailure, what);
        }
    }
    let texts: Vec<Vec<u8>> = response.texts().map(|strings| strings.concat()).collect();
    match texts.as_slice() {
        [] if loops(&response.aliases) => {
            let chain = response
                .aliases
                .iter()
                .map(|(from, to)| format!("{from} -> {to}"));
            let chain: Vec<_> = chain.collect();
            one(
                Code::DnsCnameLoop,
                format!("the aliases lead back to themselves: {}", chain.join(", ")),
            )
        }
        [] => match response.aliases.last() {
            Some((_, target)) => one(
                Code::DnsCnameDangling,
                format!("it is an alias (CNAME) for {target}, where there is no TXT record"),
            ),
            None => one(Code::DnsMissing, "there is no TXT record"),
        },
        [text] => one_record(key, others, text),
        several => several_records(key, several),
    }
}

/// Whether every alias leads to another one, so that there is no end.
pub(super) fn loops(aliases: &[(String, String)]) -> bool {
    let goes_on = |target: &String| aliases.iter().any(|(from, _)| from == target);
    !aliases.is_empty() && aliases.iter().all(|(_, target)| goes_on(target))
}

fn several_records(key: &Publication, texts: &[Vec<u8>]) -> Vec<Diagnosis> {
    let expected = key.record.to_string();
    let count = texts.len();
    let parts = texts.iter().all(|text| {
        expected
            .as_bytes()
            .windows(text.len().max(1))
            .any(|w| w == text)
    });
    let whole: usize = texts.iter().map(Vec::len).sum();
    if parts && whole == expected.len() {
        let what = format!(
            "the strings of one record are published as {count} records: they stood on separate lines"
        );
        return one(Code::DnsSplitRecord, what);
    }
    let right = texts.iter().any(|text| text == expected.as_bytes());
    let which = if right {
        "one of them is right"
    } else {
        "none of them is the one for this key as signet prints it"
    };
    one(
        Code::DnsTwoRecords,
        format!("there are {count} TXT records, {which}"),
    )
}

fn one_record(key: &Publication, others: &[&Publication], text: &[u8]) -> Vec<Diagnosis> {
    let text = String::from_utf8_lossy(text);
    let expected = key.record.to_string();
    if text == expected {
        return Vec::new();
    }
    if let Some(diagnosis) = mistaken(&text, &expected) {
        return diagnosis;
    }
    match KeyRecord::parse(&text) {
        Ok(record) => readable(key, others, &record, &text),
        Err(error) => unreadable(key, &text, &error),
    }
}

/// Mistakes that show in the text, whatever it says.
fn mistaken(text: &str, expected: &str) -> Option<Vec<Diagnosis>> {
    let bare = text.trim();
    if bare.trim_end_matches(';') == "v=DKIM1" {
        return Some(one(
            Code::DnsUnquotedSemicolon,
            format!("the record is \"{bare}\" and nothing more"),
        ));
    }
    if bare.starts_with('"') || bare.contains("\" \"") {
        let what = "the quotation marks of a zone file are part of the record";
        return Some(one(Code::DnsQuotes, what));
    }
    if bare.contains("\\;") {
        let what = "there are backslashes before the semicolons";
        return Some(one(Code::DnsBackslash, what));
    }
    if bare.contains("-----BEGIN") {
        let what = "the record holds the lines of a PEM file";
        return Some(one(Code::DnsPem, what));
    }
    // Up to an empty p= it is whole: the key is revoked.
    if expected.starts_with(bare) && !bare.ends_with("p=") {
        return Some(truncated(bare.len(), expected.len()));
    }
    let folded = |text: &str| -> String {
        let kept = text.chars().filter(|c| !c.is_whitespace());
        kept.map(|c| c.to_ascii_lowercase()).collect()
    };
    let same_case = bare.split_whitespace().collect::<String>()
        == expected.split_whitespace().collect::<String>();
    if !same_case && folded(bare) == folded(expected) {
        let what = "capital letters have become small ones";
        return Some(one(Code::DnsLowerCase, what));
    }
    None
}

fn truncated(length: usize, expected: usize) -> Vec<Diagnosis> {
    one(
        Code::DnsTruncated,
        format!("the record ends after {length} of {expected} characters"),
    )
}

/// The record can be read: whether it is the one for the key.
fn readable(
    key: &Publication,
    others: &[&Publication],
    record: &KeyRecord,
    text: &str,
) -> Vec<Diagnosis> {
    let ours = &key.record;
    if record.is_revoked() {
        return one(Code::DnsRevoked, "p= is empty: the key is revoked");
    }
    if record.key_type != ours.key_type {
        let what = format!(
            "it says k={}, the key is {}",
            record.key_type, ours.key_type
        );
        return one(Code::DnsKeyType, what);
    }
    let mut found = Vec::new();
    if record.public_key != ours.public_key {
        if ours.public_key.ends_with(&record.public_key) {
            let what = "p= holds the bare RSA key, without the frame that says what it is";
            found.extend(one(Code::DnsBareKey, what));
        } else if let Some(other) = others
            .iter()
            .find(|other| other.record.public_key == record.public_key)
        {
            let what = format!("it holds the key of the selector {}", other.selector);
            return one(Code::DnsOtherSelector, what);
        } else {
            let what =
                "it holds another public key than the one that belongs to the private key here";
            return one(Code::DnsOldKey, what);
        }
    }
    let list = |items: &Option<Vec<String>>| items.as_deref().unwrap_or_default().join(":");
    if !record.allows_sha256() {
        let what = format!("h={} leaves out sha256", list(&record.hashes));
        found.extend(one(Code::DnsHash, what));
    }
    if !record.allows_email() {
        let what = format!("s={} leaves out email", list(&record.services));
        found.extend(one(Code::DnsService, what));
    }
    if record.is_testing() {
        found.extend(one(
            Code::DnsTesting,
            "t=y says that signing is only tested",
        ));
    }
    let p = text
        .split(';')
        .find_map(|tag| tag.trim_start().strip_prefix("p="));
    if p.is_some_and(|p| p.trim_end().contains(char::is_whitespace)) {
        let what = "there is a space inside the key";
        found.extend(one(Code::DnsSpaceInKey, what));
    }
    found
}

/// The record cannot be read: in which of the known ways.
fn unreadable(key: &Publication, text: &str, error: &RecordError) -> Vec<Diagnosis> {
    let tag = |name: &str| {
        text.split(';').find_map(|tag| {
            let (found, value) = tag.split_once('=')?;
            (found.trim() == name).then(|| value.trim())
        })
    };
    let expected = key.record.to_string();
    let expected_p = expected.rsplit("p=").next().unwrap_or_default();
    if let Some(p) = tag("p") {
        let p: String = p.split_whitespace().collect();
        if p.len() > 4 && p.len() < expected_p.len() && expected_p.starts_with(&p) {
            return truncated(p.len(), expected_p.len());
        }
    }
    let code = match error {
        RecordError::KeyType { .. }
        | RecordError::RsaUnderEd25519
        | RecordError::Ed25519UnderRsa => Code::DnsKeyType,
        RecordError::Version { .. } | RecordError::VersionNotFirst => Code::DnsVersion,
        _ if tag("p").is_none() && tag("k").is_none() => Code::DnsNotAKey,
        _ => Code::DnsUnreadable,
    };
    one(code, error.to_string())
}
