//! A signature of our own that a message carries already, because it comes back from a
//! content filter, say: does it still hold?
//!
//! The key is at hand, so no DNS is asked. What cannot be read, is signed in part only
//! (`l=`), or does not name From does not hold; the message is then signed like any
//! other. Signatures by others are never looked at.

use std::sync::Arc;

use aws_lc_rs::signature::{
    ED25519, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, UnparsedPublicKey,
};
use base64ct::{Base64, Encoding};

use super::body::BodyHash;
use super::canonical_header;
use super::header_section::{Field, HeaderSection};
use super::{Canonicalization, KeyType, SignRequest, SigningKey};

/// A claim to be checked once the body has passed.
#[derive(Debug)]
pub struct ExistingSignature {
    key: Arc<SigningKey>,
    body: BodyHash,
    body_hash: Vec<u8>,
    /// What was signed, if the header section is what it was.
    signed: Vec<u8>,
    signature: Vec<u8>,
}

impl ExistingSignature {
    /// The signatures in `section` that have the `d=` and `s=` of `request`.
    /// `leading_space` is as for [`Signer::new`](super::Signer::new).
    pub fn find(
        section: &HeaderSection,
        request: &SignRequest,
        leading_space: bool,
    ) -> Vec<ExistingSignature> {
        section
            .fields()
            .filter(|field| field.is("dkim-signature"))
            .filter_map(|field| Self::read(section, field, request, leading_space))
            .collect()
    }

    fn read(
        section: &HeaderSection,
        field: Field<'_>,
        request: &SignRequest,
        leading_space: bool,
    ) -> Option<Self> {
        let tags = Tags::read(field.value)?;
        let same = |tag: &str, name: &str| {
            tags.get(tag)
                .is_some_and(|value| value.eq_ignore_ascii_case(name))
        };
        let ours = same("d", request.domain.as_str())
            && same("s", request.selector.as_str())
            && same("a", request.key.key_type().algorithm())
            && tags.get("l").is_none();
        if !ours {
            return None;
        }
        let canonicalization: Canonicalization =
            tags.get("c").unwrap_or("simple/simple").parse().ok()?;
        let names: Vec<&str> = tags.get("h")?.split(':').collect();
        if !names.iter().any(|name| name.eq_ignore_ascii_case("from")) {
            return None;
        }
        let signed = canonical(section, field, &names, canonicalization, !leading_space)?;
        Some(Self {
            key: request.key.clone(),
            body: BodyHash::new(canonicalization.body),
            body_hash: Base64::decode_vec(tags.get("bh")?).ok()?,
            signed,
            signature: Base64::decode_vec(tags.get("b")?).ok()?,
        })
    }

    /// Takes the next piece of the body, cut anywhere.
    pub fn body(&mut self, chunk: &[u8]) {
        self.body.update(chunk);
    }

    /// Whether the message is, byte for byte under its canonicalization, what was
    /// signed.
    pub fn holds(self) -> bool {
        let (_, hash) = self.body.finish();
        if hash.as_slice() != self.body_hash {
            return false;
        }
        let public = self.key.public_key();
        match public.key_type {
            KeyType::Rsa => {
                let rsa = &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY;
                let key = UnparsedPublicKey::new(rsa, &public.bytes);
                key.verify(&self.signed, &self.signature).is_ok()
            }
            KeyType::Ed25519 => {
                // RFC 8463 §3: what is signed is the hash.
                let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &self.signed);
                let key = UnparsedPublicKey::new(&ED25519, &public.bytes);
                key.verify(hash.as_ref(), &self.signature).is_ok()
            }
        }
    }
}

/// The bytes that a signature covers: the fields that `h=` names, each next mention
/// the instance above (RFC 6376 §5.4.2), then its own field without `b=` (§3.7).
fn canonical(
    section: &HeaderSection,
    own: Field<'_>,
    names: &[&str],
    canonicalization: Canonicalization,
    gap: bool,
) -> Option<Vec<u8>> {
    let mut signed = Vec::with_capacity(section.size());
    let mut mentions: Vec<(&str, usize)> = Vec::new();
    for &name in names {
        let earlier = mentions
            .iter()
            .filter(|(other, _)| other.eq_ignore_ascii_case(name))
            .count();
        mentions.push((name, earlier));
        let mut instances = section.fields().rev().filter(|field| field.is(name));
        if let Some(field) = instances.nth(earlier) {
            canonical_header::write(canonicalization.header, field, gap, &mut signed);
        }
    }
    let value = without_signature(own.value)?;
    let own = Field {
        name: own.name,
        value: &value,
    };
    canonical_header::write_open(canonicalization.header, own, gap, &mut signed);
    Some(signed)
}

/// The field's value with the value of `b=` taken out.
fn without_signature(value: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(value.len());
    let mut found = false;
    for (i, tag) in value.split(|&byte| byte == b';').enumerate() {
        if i > 0 {
            out.push(b';');
        }
        let at = memchr::memchr(b'=', tag);
        match at.and_then(|at| tag.split_at_checked(at + 1)) {
            Some((name, _)) if name.strip_suffix(b"=")?.trim_ascii() == b"b" => {
                found = true;
                out.extend_from_slice(name);
            }
            _ => out.extend_from_slice(tag),
        }
    }
    found.then_some(out)
}

/// The tags of a field (RFC 6376 §3.2), their values without white space.
struct Tags(Vec<(String, String)>);

impl Tags {
    fn read(field: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(field).ok()?;
        let mut tags: Vec<(String, String)> = Vec::new();
        for tag in text.split(';').filter(|tag| !tag.trim().is_empty()) {
            let (name, value) = tag.split_once('=')?;
            let name = name.trim().to_owned();
            if tags.iter().any(|(other, _)| *other == name) {
                return None;
            }
            tags.push((name, value.split_ascii_whitespace().collect()));
        }
        Some(Self(tags))
    }

    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }
}
