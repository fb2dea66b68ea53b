//! Verifying the DKIM signatures of a message and saying why they fail.
//!
//! The judge is mail-auth's verifier, so that nothing here shares canonicalization
//! with the signer in `dkim`; what mail-auth does not check or gets wrong is checked
//! around it (`signature`, `key`, `judge`). Verifying is a plain function: the key
//! records are an argument ([`Records`]), found beforehand in a file or by
//! `dns::lookup` under the names that [`key_names`] gives, and so is the time. It needs
//! no runtime.
//!
//! This module refuses to fetch anything, and to say "pass" for a signature that
//! RFC 6376 tells verifiers to ignore.

mod change;
mod coverage;
mod diagnose;
mod json;
mod judge;
mod key;
mod meaning;
mod message;
mod origin;
mod plain;
mod reason;
mod record_file;
mod records;
mod signature;
mod tags;
mod text;
mod zone_words;

pub use crate::dns::lookup::Answer;
pub use change::{BodyChange, Mismatch, Missigned, Rewriting};
pub use coverage::Coverage;
pub use json::to_json;
pub use meaning::TagReport;
pub use message::{Message, Note};
pub use origin::{BodyOrigin, Origin, origins};
pub use reason::{Doubt, Failure, Warning};
pub use record_file::RecordFileError;
pub use records::Records;
pub use tags::TagError;
pub use text::{Detail, to_text};

use signature::{Claims, Signature};

/// What became of one signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Pass,
    Fail(Failure),
    Unknown(Doubt),
}

impl Verdict {
    pub fn is_pass(&self) -> bool {
        *self == Verdict::Pass
    }
}

/// One signature of a message. The names are as the field has them, empty when it
/// does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureReport {
    /// `d=`
    pub domain: String,
    /// `s=`
    pub selector: String,
    /// `a=`
    pub algorithm: String,
    /// `c=`, both halves.
    pub canonicalization: String,
    /// `i=`
    pub identity: Option<String>,
    /// All tags of the field, in words.
    pub tags: Vec<TagReport>,
    pub verdict: Verdict,
    /// The key that was used.
    pub key: Option<KeyReport>,
    /// The header section by itself, whatever became of the body; `None` when there was
    /// no key to hold it against.
    pub header: Option<HeaderState>,
    /// Whether the body has the hash that was signed; `None` when the signature cannot
    /// be read that far.
    pub body_intact: Option<bool>,
    pub coverage: Coverage,
    pub warnings: Vec<Warning>,
}

/// What became of the header section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderState {
    /// The signature fits it and the key.
    Intact,
    Changed(Mismatch),
}

/// The key that a signature was held against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyReport {
    /// The name of its record.
    pub name: String,
    /// `rsa` or `ed25519`
    pub key_type: &'static str,
    pub bits: u32,
}

/// All signatures of a message taken together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Summary {
    /// There is at least one signature, and all pass.
    Pass,
    Fail,
    /// None fails, and of some nothing can be said.
    Unknown,
    /// There is no signature.
    Unsigned,
}

impl Summary {
    pub fn of(reports: &[SignatureReport]) -> Self {
        let any = |wanted: fn(&Verdict) -> bool| reports.iter().any(|r| wanted(&r.verdict));
        if reports.is_empty() {
            Summary::Unsigned
        } else if any(|verdict| matches!(verdict, Verdict::Fail(_))) {
            Summary::Fail
        } else if any(|verdict| matches!(verdict, Verdict::Unknown(_))) {
            Summary::Unknown
        } else {
            Summary::Pass
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Summary::Pass => "pass",
            Summary::Fail => "fail",
            Summary::Unknown => "unknown",
            Summary::Unsigned => "unsigned",
        }
    }
}

/// Verifies every signature of a message, from the top down. `now` is in seconds since
/// 1970 and decides what has expired.
pub fn verify(message: &[u8], records: &Records, now: u64) -> Vec<SignatureReport> {
    verify_message(&Message::read(message), records, now)
}

/// As [`verify`], of a message that was read before.
pub fn verify_message(message: &Message, records: &Records, now: u64) -> Vec<SignatureReport> {
    let fields = message.signature_fields();
    fields
        .map(|(own, field)| {
            let claims = Claims::read(&field.value);
            let mut report = SignatureReport {
                domain: claims.domain,
                selector: claims.selector,
                algorithm: claims.algorithm,
                canonicalization: claims.canonicalization,
                identity: claims.identity,
                tags: meaning::of(&field.value, now),
                verdict: Verdict::Pass,
                key: None,
                header: None,
                body_intact: None,
                coverage: Coverage::default(),
                warnings: Vec::new(),
            };
            report.verdict = match Signature::parse(&field.value) {
                Ok(signature) => judge(message, &signature, own, records, now, &mut report),
                Err(failure) => Verdict::Fail(failure),
            };
            report
        })
        .collect()
}

/// The names of the key records that a message's signatures need, each once.
pub fn key_names(message: &Message) -> Vec<String> {
    let mut names: Vec<String> = message
        .signature_fields()
        .filter_map(|(_, field)| Signature::parse(&field.value).ok())
        .map(|signature| signature.key_name())
        .collect();
    names.sort();
    names.dedup();
    names
}

/// A changed body is said first, even when the key cannot be had: it is certain without
/// DNS.
fn judge(
    message: &Message,
    signature: &Signature,
    own: usize,
    records: &Records,
    now: u64,
    report: &mut SignatureReport,
) -> Verdict {
    let warnings = &mut report.warnings;
    report.coverage = coverage::of(message, signature, own, warnings);
    // Clocks differ; a few minutes are no news.
    if let Some(time) = signature
        .time
        .filter(|time| *time > now.saturating_add(300))
    {
        warnings.push(Warning::Future(time));
    }
    if let Some(expiry) = signature.expiry.filter(|expiry| *expiry < now) {
        return Verdict::Fail(Failure::Expired(expiry));
    }
    let body = check_body(message, signature, warnings);
    report.body_intact = Some(body.is_ok());
    let key = check_key(message, signature, own, records, report);
    match body {
        Err(failure) => Verdict::Fail(failure),
        Ok(()) => key,
    }
}

/// Whether the signature fits the header section and the key, and with what key.
fn check_key(
    message: &Message,
    signature: &Signature,
    own: usize,
    records: &Records,
    report: &mut SignatureReport,
) -> Verdict {
    let warnings = &mut report.warnings;
    let name = signature.key_name();
    let texts = match records.get(&name) {
        Answer::Found(texts) => texts,
        Answer::Missing => return Verdict::Fail(Failure::NoRecord { name }),
        Answer::Trouble(detail) => {
            let detail = detail.clone();
            return Verdict::Unknown(Doubt::Dns { name, detail });
        }
    };
    let usable = match key::usable(texts, signature, warnings) {
        Ok(usable) => usable,
        Err(failure) => return Verdict::Fail(failure),
    };
    let bytes = judge::signed_bytes(message, signature, own);
    let fitting = usable
        .iter()
        .find(|record| judge::key_signed(record, &bytes, signature));
    if let Some(record) = fitting.or(usable.first()) {
        key::warn(record, &name, warnings);
        report.key = Some(KeyReport {
            name: name.clone(),
            key_type: key::key_type(record),
            bits: record.bits(),
        });
    }
    if fitting.is_some() {
        report.header = Some(HeaderState::Intact);
        return Verdict::Pass;
    }
    let cause = diagnose::mismatch(message, signature, own, &usable);
    report.header = Some(HeaderState::Changed(cause.clone()));
    Verdict::Fail(Failure::SignatureMismatch { name, cause })
}

fn check_body(
    message: &Message,
    signature: &Signature,
    warnings: &mut Vec<Warning>,
) -> Result<(), Failure> {
    if let Some(signed) = signature.length {
        let present = plain::body(&message.body, signature.body_form).len() as u64;
        match present.checked_sub(signed) {
            None => return Err(Failure::BodyTooShort { signed, present }),
            Some(0) => {}
            Some(unsigned) => warnings.push(Warning::BodyPartlySigned { signed, unsigned }),
        }
    }
    if judge::body_hash(&message.body, signature).as_deref() == Some(&signature.body_hash) {
        return Ok(());
    }
    Err(Failure::BodyChanged(diagnose::body(
        &message.body,
        signature,
    )))
}
