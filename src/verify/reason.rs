//! Why a signature fails, why nothing can be said, and what else an administrator
//! should know: closed lists, each with a name for programs and words for people.

use jiff::Timestamp;

use super::change::{BodyChange, Mismatch};
use super::tags::TagError;
use crate::dns::RecordError;

/// Why a signature fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("the DKIM-Signature field cannot be read: {0}")]
    NotATagList(TagError),
    #[error("the DKIM-Signature field cannot be read: the tag {0}= is missing")]
    TagMissing(&'static str),
    #[error("the DKIM-Signature field cannot be read: {tag}={value} is not {expected}")]
    BadTag {
        tag: &'static str,
        value: String,
        expected: &'static str,
    },
    #[error("a={0} is an algorithm that nobody verifies; rsa-sha256 and ed25519-sha256 are")]
    Algorithm(String),
    #[error(
        "a=rsa-sha1: SHA-1 signatures count as no signature (RFC 8301 section 3.1); sign with \
         rsa-sha256"
    )]
    Sha1,
    #[error("h= does not name From, so anybody could change it (RFC 6376 section 5.4)")]
    FromNotSigned,
    #[error("i={identity} is not in the signing domain d={domain}")]
    IdentityOutside { identity: String, domain: String },
    #[error("the signature expired on {}", date(*.0))]
    Expired(u64),
    #[error("x= ({}) is not after t= ({})", date(*.expiry), date(*.time))]
    ExpiryBeforeTime { expiry: u64, time: u64 },
    #[error("{0}")]
    BodyChanged(BodyChange),
    #[error(
        "l={signed} says that {signed} bytes of the body are signed, but it has only {present}: \
         it was cut off after signing"
    )]
    BodyTooShort { signed: u64, present: u64 },
    #[error("there is no TXT record at {name}; publish the key there")]
    NoRecord { name: String },
    #[error("the TXT record at {name} is not a key record: {error}")]
    BadRecord { name: String, error: RecordError },
    #[error("the key at {name} is revoked: p= is empty")]
    Revoked { name: String },
    #[error("the signature is a={algorithm}, but the key at {name} is k={key_type}")]
    KeyType {
        name: String,
        algorithm: &'static str,
        key_type: &'static str,
    },
    #[error("the record at {name} allows only the hash algorithms h={hashes}, not sha256")]
    HashRefused { name: String, hashes: String },
    #[error("the record at {name} is for the services s={services}, not for e-mail")]
    ServiceRefused { name: String, services: String },
    #[error(
        "the record at {name} says t=s, so the domain of i={identity} must be d={domain} itself"
    )]
    Strict {
        name: String,
        identity: String,
        domain: String,
    },
    #[error(
        "the RSA key at {name} has {bits} bits; verifiers take 1024 at least (RFC 8301 section 3.2)"
    )]
    KeyTooShort { name: String, bits: u32 },
    #[error("the RSA key at {name} has {bits} bits, more than the 8192 that can be verified here")]
    KeyTooLong { name: String, bits: u32 },
    #[error("{}", .cause.of_key(.name))]
    SignatureMismatch { name: String, cause: Mismatch },
}

impl Failure {
    /// A name for programs; it does not change.
    pub fn code(&self) -> &'static str {
        match self {
            Failure::NotATagList(_) | Failure::TagMissing(_) | Failure::BadTag { .. } => {
                "malformed-signature"
            }
            Failure::Algorithm(_) | Failure::Sha1 => "algorithm",
            Failure::FromNotSigned => "from-not-signed",
            Failure::IdentityOutside { .. } => "identity-outside-domain",
            Failure::Expired(_) => "expired",
            Failure::ExpiryBeforeTime { .. } => "expiry-before-time",
            Failure::BodyChanged(_) => "body-changed",
            Failure::BodyTooShort { .. } => "body-too-short",
            Failure::NoRecord { .. } => "no-key-record",
            Failure::BadRecord { .. } => "bad-key-record",
            Failure::Revoked { .. } => "key-revoked",
            Failure::KeyType { .. } => "key-type",
            Failure::HashRefused { .. } => "hash-refused",
            Failure::ServiceRefused { .. } => "service-refused",
            Failure::Strict { .. } => "strict-identity",
            Failure::KeyTooShort { .. } => "key-too-short",
            Failure::KeyTooLong { .. } => "key-too-long",
            Failure::SignatureMismatch { cause, .. } => cause.code(),
        }
    }
}

/// Why a signature can be called neither good nor bad.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    #[error("the TXT record at {name} could not be looked up: {detail}")]
    Dns { name: String, detail: String },
}

impl Doubt {
    /// A name for programs; it does not change.
    pub fn code(&self) -> &'static str {
        match self {
            Doubt::Dns { .. } => "dns",
        }
    }
}

/// What does not change the verdict but should be mended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    #[error(
        "l={signed}: only the first {signed} bytes of the body are signed; the last {unsigned} \
         bytes are whatever somebody put there"
    )]
    BodyPartlySigned { signed: u64, unsigned: u64 },
    #[error(
        "{count} TXT records are published at {name}; verifiers may pick any of them, so leave \
         only one"
    )]
    SeveralRecords { name: String, count: usize },
    #[error("the record at {name} says t=y (testing): receivers may treat the mail as unsigned")]
    Testing { name: String },
    #[error("the RSA key at {name} has {bits} bits; use 2048 or more (RFC 8301 section 3.2)")]
    WeakKey { name: String, bits: u32 },
    #[error("the signature is dated {} (t=), which is in the future", date(*.0))]
    Future(u64),
    #[error("not every {0} field is signed: h= names it less often than the message has it")]
    PartlySigned(String),
}

impl Warning {
    /// A name for programs; it does not change.
    pub fn code(&self) -> &'static str {
        match self {
            Warning::BodyPartlySigned { .. } => "body-partly-signed",
            Warning::SeveralRecords { .. } => "several-key-records",
            Warning::Testing { .. } => "testing",
            Warning::WeakKey { .. } => "weak-key",
            Warning::Future(_) => "future",
            Warning::PartlySigned(_) => "field-partly-signed",
        }
    }
}

/// A time of `t=` or `x=` (seconds since 1970) for people.
pub(super) fn date(seconds: u64) -> String {
    let shown = i64::try_from(seconds)
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok());
    match shown {
        Some(time) => time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        None => format!("second {seconds} since 1970"),
    }
}
