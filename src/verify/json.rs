//! A verification for programs. The shape is stable: members are added, none is
//! renamed or removed, and `code` values keep their meaning.
//!
//! ```json
//! {"verdict":"pass|fail|unknown|unsigned",
//!  "notes":[{"code":"line-ends","text":"..."}],
//!  "signatures":[
//!   {"verdict":"pass|fail|unknown",
//!    "reason":{"code":"body-changed","text":"..."},
//!    "domain":"example.com","selector":"s1","identity":"@example.com",
//!    "algorithm":"rsa-sha256","canonicalization":"relaxed/relaxed",
//!    "tags":[{"name":"d","value":"example.com","text":"..."}],
//!    "key":{"name":"s1._domainkey.example.com","type":"rsa","bits":2048},
//!    "header":"intact|changed","body_change":"lines-added",
//!    "signed":["from"],"oversigned":["from"],"unsigned":["Subject"],
//!    "addable":["Subject"],"outside":["Received"],
//!    "warnings":[{"code":"weak-key","text":"..."}]}]}
//! ```
//!
//! `reason` is null for a pass, `identity` when there is no `i=`, `key` when no key was
//! used. `signed` is what `h=` names, `oversigned` those that cannot be added once more,
//! `unsigned` the important fields of the message that are not signed, `addable` those
//! that are signed and can still be added once more, `outside` the other fields that are
//! not signed. `header` tells of the header section by itself, and is null when there was
//! no key to hold it against; `body_change` is what was found to have become of a body
//! that was changed, and otherwise null. Names that the field does not have are empty.

use serde::Serialize;

use super::{Failure, HeaderState, Message, SignatureReport, Summary, Verdict};

#[derive(Serialize)]
struct Remark {
    code: &'static str,
    text: String,
}

#[derive(Serialize)]
struct Key<'r> {
    name: &'r str,
    #[serde(rename = "type")]
    key_type: &'static str,
    bits: u32,
}

#[derive(Serialize)]
struct Tag<'r> {
    name: &'r str,
    value: &'r str,
    text: &'r str,
}

#[derive(Serialize)]
struct Signature<'r> {
    verdict: &'static str,
    reason: Option<Remark>,
    domain: &'r str,
    selector: &'r str,
    identity: Option<&'r str>,
    algorithm: &'r str,
    canonicalization: &'r str,
    tags: Vec<Tag<'r>>,
    key: Option<Key<'r>>,
    header: Option<&'static str>,
    body_change: Option<&'static str>,
    signed: &'r [String],
    oversigned: &'r [String],
    unsigned: &'r [String],
    addable: &'r [String],
    outside: &'r [String],
    warnings: Vec<Remark>,
}

#[derive(Serialize)]
struct Document<'r> {
    verdict: &'static str,
    notes: Vec<Remark>,
    signatures: Vec<Signature<'r>>,
}

/// One line of JSON with its line end.
pub fn to_json(message: &Message, reports: &[SignatureReport]) -> String {
    let notes = message.notes().iter();
    let document = Document {
        verdict: Summary::of(reports).as_str(),
        notes: notes.map(|note| remark(note.code(), note)).collect(),
        signatures: reports.iter().map(signature).collect(),
    };
    // Structs of strings and numbers always have a JSON form.
    serde_json::to_string(&document).unwrap_or_default() + "\n"
}

fn signature(report: &SignatureReport) -> Signature<'_> {
    let (verdict, reason) = match &report.verdict {
        Verdict::Pass => ("pass", None),
        Verdict::Fail(why) => ("fail", Some(remark(why.code(), why))),
        Verdict::Unknown(why) => ("unknown", Some(remark(why.code(), why))),
    };
    let warnings = report.warnings.iter();
    Signature {
        verdict,
        reason,
        domain: &report.domain,
        selector: &report.selector,
        identity: report.identity.as_deref(),
        algorithm: &report.algorithm,
        canonicalization: &report.canonicalization,
        tags: report
            .tags
            .iter()
            .map(|tag| Tag {
                name: &tag.name,
                value: &tag.value,
                text: &tag.words,
            })
            .collect(),
        key: report.key.as_ref().map(|key| Key {
            name: &key.name,
            key_type: key.key_type,
            bits: key.bits,
        }),
        header: report.header.as_ref().map(|header| match header {
            HeaderState::Intact => "intact",
            HeaderState::Changed(_) => "changed",
        }),
        body_change: match &report.verdict {
            Verdict::Fail(Failure::BodyChanged(change)) => Some(change.code()),
            _ => None,
        },
        signed: &report.coverage.signed,
        oversigned: &report.coverage.oversigned,
        unsigned: &report.coverage.unsigned,
        addable: &report.coverage.addable,
        outside: &report.coverage.outside,
        warnings: warnings.map(|w| remark(w.code(), w)).collect(),
    }
}

fn remark(code: &'static str, text: &impl ToString) -> Remark {
    Remark {
        code,
        text: text.to_string(),
    }
}
