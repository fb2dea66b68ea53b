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
//!    "key":{"name":"s1._domainkey.example.com","type":"rsa","bits":2048},
//!    "signed":["from"],"oversigned":["from"],"unsigned":["Subject"],
//!    "warnings":[{"code":"weak-key","text":"..."}]}]}
//! ```
//!
//! `reason` is null for a pass, `identity` when there is no `i=`, `key` when no key was
//! used. `signed` is what `h=` names, `oversigned` those that cannot be added once more,
//! `unsigned` the important fields of the message that are not signed. Names that the
//! field does not have are empty.

use serde::Serialize;

use super::{Message, SignatureReport, Summary, Verdict};

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
struct Signature<'r> {
    verdict: &'static str,
    reason: Option<Remark>,
    domain: &'r str,
    selector: &'r str,
    identity: Option<&'r str>,
    algorithm: &'r str,
    canonicalization: &'r str,
    key: Option<Key<'r>>,
    signed: &'r [String],
    oversigned: &'r [String],
    unsigned: &'r [String],
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
        key: report.key.as_ref().map(|key| Key {
            name: &key.name,
            key_type: key.key_type,
            bits: key.bits,
        }),
        signed: &report.coverage.signed,
        oversigned: &report.coverage.oversigned,
        unsigned: &report.coverage.unsigned,
        warnings: warnings.map(|w| remark(w.code(), w)).collect(),
    }
}

fn remark(code: &'static str, text: &impl ToString) -> Remark {
    Remark {
        code,
        text: text.to_string(),
    }
}
