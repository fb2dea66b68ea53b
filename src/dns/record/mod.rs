//! The key record: the text that verifiers find at `SELECTOR._domainkey.DOMAIN`
//! (RFC 6376 §3.6.1; Ed25519 by RFC 8463 §4).
//!
//! Reading takes every legal record and refuses the others with the rule that they
//! break. Writing gives the shortest record that every verifier understands. This
//! module asks no DNS server, and a record here never holds a private key.

mod error;
mod parse;
#[cfg(test)]
mod tests;

use std::fmt;

use base64ct::{Base64, Encoding};

use crate::dkim::{KeyType, PublicKey};

pub use error::RecordError;

/// What a key record says. A tag with a default that the record does not have is
/// `None`, so that a record can be written as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// `k=`: `rsa` when absent.
    pub key_type: KeyType,
    /// `p=`, decoded. For RSA a SubjectPublicKeyInfo, or the bare RSAPublicKey that
    /// RFC 6376 speaks of, both in DER; for Ed25519 the 32 bytes of the key. Empty
    /// when the key is revoked.
    pub public_key: Vec<u8>,
    /// `h=`: the hash algorithms that signatures may use; any when absent.
    pub hashes: Option<Vec<String>>,
    /// `s=`: the services the key is for; all (`*`) when absent.
    pub services: Option<Vec<String>>,
    /// `t=`: `y` (testing), `s` (strict), and flags nobody knows yet.
    pub flags: Option<Vec<String>>,
    /// `n=`: a note to administrators, still in its quoted-printable form.
    pub notes: Option<String>,
}

impl KeyRecord {
    /// The record to publish for a key: `v=`, `k=` and `p=`. It has no `h=` and no
    /// `s=`, whose defaults are right, and no `t=y`, because receivers treat a domain
    /// that says it is testing as if it did not sign.
    pub fn new(key: &PublicKey) -> Self {
        Self {
            key_type: key.key_type,
            public_key: key.bytes.clone(),
            hashes: None,
            services: None,
            flags: None,
            notes: None,
        }
    }

    /// Reads a record: the character-strings of one TXT record joined with nothing
    /// between them (RFC 6376 §3.6.2.2), without the quotation marks of a zone file.
    ///
    /// # Errors
    /// The first rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, RecordError> {
        parse::parse(text)
    }

    /// `p=` is empty: whatever this key signed is to be taken as not signed.
    pub fn is_revoked(&self) -> bool {
        self.public_key.is_empty()
    }

    /// `t=y`: the domain asks verifiers to treat its signed mail as unsigned.
    pub fn is_testing(&self) -> bool {
        self.has_flag("y")
    }

    /// `t=s`: the domain of `i=` must be `d=` itself, not one below it.
    pub fn is_strict(&self) -> bool {
        self.has_flag("s")
    }

    /// Whether signatures made with SHA-256 may use this key.
    pub fn allows_sha256(&self) -> bool {
        allows(self.hashes.as_deref(), &["sha256"])
    }

    /// Whether the key is for e-mail.
    pub fn allows_email(&self) -> bool {
        allows(self.services.as_deref(), &["*", "email"])
    }

    /// The size of the key in bits, 0 when it is revoked.
    pub fn bits(&self) -> u32 {
        match self.key_type {
            _ if self.is_revoked() => 0,
            KeyType::Ed25519 => 256,
            KeyType::Rsa => parse::rsa_bits(&self.public_key).unwrap_or(0),
        }
    }

    fn has_flag(&self, flag: &str) -> bool {
        self.flags
            .iter()
            .flatten()
            .any(|item| item.as_str() == flag)
    }
}

/// Items that are not known are passed over (RFC 6376 §3.6.1, `h=` and `s=`).
fn allows(items: Option<&[String]>, wanted: &[&str]) -> bool {
    items.is_none_or(|items| items.iter().any(|item| wanted.contains(&item.as_str())))
}

impl fmt::Display for KeyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // RFC 6376 §3.6.1: v= comes first when it is there.
        f.write_str("v=DKIM1; ")?;
        for (tag, items) in [("h", &self.hashes), ("s", &self.services)] {
            if let Some(items) = items {
                write!(f, "{tag}={}; ", items.join(":"))?;
            }
        }
        if let Some(flags) = &self.flags {
            write!(f, "t={}; ", flags.join(":"))?;
        }
        if let Some(notes) = &self.notes {
            write!(f, "n={notes}; ")?;
        }
        write!(
            f,
            "k={}; p={}",
            self.key_type,
            Base64::encode_string(&self.public_key)
        )
    }
}

/// Cuts a record into the character-strings of a TXT record: at most 255 bytes each
/// (RFC 1035 §3.3), as few as possible, at least one. Joined they are the text again.
pub fn character_strings(text: &str) -> Vec<&str> {
    let mut strings = Vec::with_capacity(text.len() / 255 + 1);
    let mut rest = text;
    while rest.len() > 255 {
        let (string, behind) = rest.split_at(rest.floor_char_boundary(255));
        strings.push(string);
        rest = behind;
    }
    if !rest.is_empty() || strings.is_empty() {
        strings.push(rest);
    }
    strings
}
