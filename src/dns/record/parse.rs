//! Reading a key record: the tag-list of RFC 6376 §3.2, then each tag by §3.6.1.

use std::collections::BTreeMap;

use base64ct::{Base64Unpadded, Encoding};
use rsa::pkcs1::RsaPublicKey;
use rsa::pkcs8::ObjectIdentifier;
use rsa::pkcs8::SubjectPublicKeyInfoRef;
use rsa::pkcs8::der::Decode;

use super::{KeyRecord, RecordError};
use crate::dkim::KeyType;

const RSA: ObjectIdentifier = rsa::pkcs1::ALGORITHM_OID;
/// RFC 8410 §3.
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

#[derive(Default)]
struct Tags<'t> {
    values: BTreeMap<&'t str, &'t str>,
    /// The name of the first.
    first: &'t str,
}

pub(super) fn parse(text: &str) -> Result<KeyRecord, RecordError> {
    // What a console or a script most often leaves in a value gets its own words,
    // once it is certain that the record is wrong: a note may end in a backslash.
    key_record(text).map_err(|error| match error {
        _ if trim(text).starts_with('"') => RecordError::Quoted,
        _ if text.contains("\\;") => RecordError::EscapedSemicolon,
        RecordError::NotBase64 { character: '"' } => RecordError::Quoted,
        other => other,
    })
}

fn key_record(text: &str) -> Result<KeyRecord, RecordError> {
    let tags = tag_list(text)?;
    let value = |name: &str| tags.values.get(name).copied();

    if let Some(version) = value("v") {
        if version != "DKIM1" {
            return Err(RecordError::Version {
                version: shortened(version),
            });
        }
        if tags.first != "v" {
            return Err(RecordError::VersionNotFirst);
        }
    }
    let key_type = match value("k") {
        None | Some("rsa") => KeyType::Rsa,
        Some("ed25519") => KeyType::Ed25519,
        Some(other) => {
            return Err(RecordError::KeyType {
                key_type: shortened(other),
            });
        }
    };
    Ok(KeyRecord {
        key_type,
        public_key: public_key(key_type, value("p").ok_or(RecordError::NoPublicKey)?)?,
        hashes: value("h").map(|list| items("h", list)).transpose()?,
        services: value("s").map(|list| items("s", list)).transpose()?,
        flags: value("t").map(|list| items("t", list)).transpose()?,
        notes: value("n").map(str::to_owned),
    })
}

/// Splits a record into its tags (RFC 6376 §3.2): each name once, white space around
/// names and values taken off, one semicolon at the end allowed.
fn tag_list(text: &str) -> Result<Tags<'_>, RecordError> {
    let trimmed = trim(text);
    if trimmed.is_empty() {
        return Err(RecordError::Empty);
    }
    let position = |part: &str| character_position(text, part);
    if let Some(found) = text
        .matches(|c: char| !is_space(c) && !c.is_ascii_graphic())
        .next()
    {
        return Err(RecordError::BadCharacter {
            character: found.chars().next().unwrap_or_default(),
            position: position(found),
        });
    }
    let mut tags = Tags::default();
    for part in trimmed.strip_suffix(';').unwrap_or(trimmed).split(';') {
        let spec = trim(part);
        if spec.is_empty() {
            return Err(RecordError::EmptyTag {
                position: position(part),
            });
        }
        let Some((name, value)) = spec.split_once('=') else {
            return Err(RecordError::NoEquals {
                text: shortened(spec),
                position: position(spec),
            });
        };
        let (name, value) = (trim(name), trim(value));
        if !is_tag_name(name) {
            return Err(RecordError::BadTagName {
                name: shortened(name),
                position: position(spec),
            });
        }
        if tags.values.insert(name, value).is_some() {
            return Err(RecordError::Duplicate {
                name: shortened(name),
            });
        }
        if tags.first.is_empty() {
            tags.first = name;
        }
    }
    Ok(tags)
}

/// `part` is a slice of `text`; where it begins, in characters from 1.
fn character_position(text: &str, part: &str) -> usize {
    let offset = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    text.char_indices()
        .take_while(|(at, _)| *at < offset)
        .count()
        + 1
}

/// At most 40 characters on one line, for a message.
fn shortened(text: &str) -> String {
    text.chars()
        .take(40)
        .map(|c| if is_space(c) { ' ' } else { c })
        .collect()
}

/// FWS is spaces and tabs, with line ends among them (RFC 6376 §2.8). A line end at
/// the end of a text that came from a file is taken as white space too.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn trim(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// RFC 6376 §3.2: ALPHA *(ALPHA / DIGIT / "_"), case-sensitive.
fn is_tag_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// A colon-separated list of words with white space around them. Words nobody knows
/// are legal: later documents may define them.
fn items(tag: &'static str, list: &str) -> Result<Vec<String>, RecordError> {
    list.split(':')
        .map(|item| {
            let item = trim(item);
            if is_hyphenated_word(item) || (tag == "s" && item == "*") {
                Ok(item.to_owned())
            } else {
                Err(RecordError::BadItem {
                    tag,
                    item: shortened(item),
                })
            }
        })
        .collect()
}

/// RFC 6376 §2.10: ALPHA [ *(ALPHA / DIGIT / "-") (ALPHA / DIGIT) ].
fn is_hyphenated_word(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word.ends_with(|c: char| c.is_ascii_alphanumeric())
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn public_key(key_type: KeyType, value: &str) -> Result<Vec<u8>, RecordError> {
    let bytes = base64(value)?;
    if bytes.is_empty() {
        return Ok(bytes);
    }
    let wrapped = SubjectPublicKeyInfoRef::from_der(&bytes)
        .ok()
        .map(|key| key.algorithm.oid);
    match key_type {
        KeyType::Rsa => match wrapped {
            Some(ED25519) => Err(RecordError::Ed25519UnderRsa),
            _ if rsa_bits(&bytes).is_some() => Ok(bytes),
            _ if bytes.len() == 32 => Err(RecordError::Ed25519UnderRsa),
            _ => Err(RecordError::NotRsa { bytes: bytes.len() }),
        },
        KeyType::Ed25519 => match wrapped {
            Some(ED25519) => Err(RecordError::WrappedEd25519),
            _ if bytes.len() == 32 => Ok(bytes),
            _ if rsa_bits(&bytes).is_some() => Err(RecordError::RsaUnderEd25519),
            _ => Err(RecordError::NotEd25519 { bytes: bytes.len() }),
        },
    }
}

/// Base64 with white space anywhere in it, and with or without its padding: both are
/// legal by the grammar of base64string (RFC 6376 §2.10).
fn base64(value: &str) -> Result<Vec<u8>, RecordError> {
    let text: String = value.chars().filter(|c| !is_space(*c)).collect();
    let digits = text.trim_end_matches('=');
    if let Some(character) = digits
        .chars()
        .find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '/'))
    {
        return Err(match character {
            '=' => RecordError::PaddingInside,
            _ => RecordError::NotBase64 { character },
        });
    }
    let damaged = RecordError::DamagedBase64 {
        characters: digits.len(),
    };
    if text.len() - digits.len() > 2 {
        return Err(damaged);
    }
    Base64Unpadded::decode_vec(digits).map_err(|_| damaged)
}

/// The size of an RSA key in either of its forms, None when it is none
/// (or has no bits).
pub(super) fn rsa_bits(bytes: &[u8]) -> Option<u32> {
    let bare = match SubjectPublicKeyInfoRef::from_der(bytes) {
        Ok(key) if key.algorithm.oid == RSA => key.subject_public_key.as_bytes()?,
        Ok(_) => return None,
        Err(_) => bytes,
    };
    let key = RsaPublicKey::from_der(bare).ok()?;
    let modulus = key.modulus.as_bytes();
    let top = modulus.first()?.leading_zeros();
    let bits = u32::try_from(modulus.len())
        .ok()?
        .checked_mul(8)?
        .checked_sub(top)?;
    (bits > 0).then_some(bits)
}
