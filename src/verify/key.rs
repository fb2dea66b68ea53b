//! The key records of a signature: which may be used for it, and what is wrong with
//! the others (RFC 6376 §6.1.2). mail-auth looks at none of `h=`, `s=`, the size of
//! the key, or how many records there are.

use mail_auth::common::crypto::Algorithm;

use super::reason::{Failure, Warning};
use super::signature::Signature;
use crate::dkim::KeyType;
use crate::dns::KeyRecord;

/// The records that may be used, or why the first cannot be.
pub(super) fn usable(
    texts: &[Vec<u8>],
    signature: &Signature,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<KeyRecord>, Failure> {
    let name = signature.key_name();
    if texts.len() > 1 {
        // RFC 6376 §3.6.2.2: with several records the result is undefined.
        warnings.push(Warning::SeveralRecords {
            name: name.clone(),
            count: texts.len(),
        });
    }
    let mut records = Vec::new();
    let mut failure = None;
    for text in texts {
        match record(text, &name).and_then(|record| check(record, &name, signature)) {
            Ok(record) => records.push(record),
            Err(other) => {
                failure.get_or_insert(other);
            }
        }
    }
    match failure {
        Some(failure) if records.is_empty() => Err(failure),
        None if records.is_empty() => Err(Failure::NoRecord { name }),
        _ => Ok(records),
    }
}

fn record(text: &[u8], name: &str) -> Result<KeyRecord, Failure> {
    KeyRecord::parse(&String::from_utf8_lossy(text)).map_err(|error| Failure::BadRecord {
        name: name.to_owned(),
        error,
    })
}

/// The rules of RFC 6376 §6.1.2 and RFC 8301 §3.2.
fn check(record: KeyRecord, name: &str, signature: &Signature) -> Result<KeyRecord, Failure> {
    let name = name.to_owned();
    let list = |items: &Option<Vec<String>>| items.as_deref().unwrap_or_default().join(":");
    if record.is_revoked() {
        return Err(Failure::Revoked { name });
    }
    let fits = matches!(
        (signature.algorithm, record.key_type),
        (Algorithm::RsaSha256, KeyType::Rsa) | (Algorithm::Ed25519Sha256, KeyType::Ed25519)
    );
    if !fits {
        return Err(Failure::KeyType {
            name,
            algorithm: signature.algorithm.name(),
            key_type: key_type(&record),
        });
    }
    if !record.allows_sha256() {
        let hashes = list(&record.hashes);
        return Err(Failure::HashRefused { name, hashes });
    }
    if !record.allows_email() {
        let services = list(&record.services);
        return Err(Failure::ServiceRefused { name, services });
    }
    if record.key_type == KeyType::Rsa {
        match record.bits() {
            bits @ ..1024 => return Err(Failure::KeyTooShort { name, bits }),
            bits @ 8193.. => return Err(Failure::KeyTooLong { name, bits }),
            _ => {}
        }
    }
    if let Some(identity) = &signature.identity
        && record.is_strict()
        && signature.identity_domain().as_deref() != Some(signature.domain.as_str())
    {
        return Err(Failure::Strict {
            name,
            identity: identity.clone(),
            domain: signature.domain.to_string(),
        });
    }
    Ok(record)
}

pub(super) fn key_type(record: &KeyRecord) -> &'static str {
    match record.key_type {
        KeyType::Rsa => "rsa",
        KeyType::Ed25519 => "ed25519",
    }
}

/// What is not wrong with the record in use, but should be mended.
pub(super) fn warn(record: &KeyRecord, name: &str, warnings: &mut Vec<Warning>) {
    let name = name.to_owned();
    if record.is_testing() {
        warnings.push(Warning::Testing { name: name.clone() });
    }
    if record.key_type == KeyType::Rsa && record.bits() < 2048 {
        let bits = record.bits();
        warnings.push(Warning::WeakKey { name, bits });
    }
}
