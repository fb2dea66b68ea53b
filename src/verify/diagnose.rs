//! Finding out why a signature fails, as far as that is cheap: guesses at what was
//! done to the message, each tried against the hash that was signed. A guess is only
//! ever said when the hash proves it.

use aws_lc_rs::digest::{Context, SHA256, digest};
use mail_auth::common::crypto::Algorithm;
use rsa::BigUint;
use rsa::pkcs1::DecodeRsaPublicKey;
use rsa::pkcs8::DecodePublicKey;
use rsa::traits::PublicKeyParts;

use super::plain;
use super::reason::{BodyChange, Mismatch};
use super::signature::Signature;
use crate::dns::KeyRecord;

/// What happened to a body whose hash is not the signed one.
pub(super) fn body(body: &[u8], signature: &Signature) -> BodyChange {
    let form = signature.body_form;
    let signed = signature.body_hash.as_slice();
    let hash_is = |text: &[u8]| digest(&SHA256, text).as_ref() == signed;
    let now = plain::body(body, form);
    let empty = plain::body(b"", form);
    if now == empty {
        return BodyChange::Emptied;
    }
    if hash_is(&empty) {
        return BodyChange::AddedToNothing;
    }
    if signature.length.is_some() {
        return BodyChange::Somehow;
    }
    if let Some(lines) = lines_added(&now, signed) {
        return BodyChange::LinesAdded(lines);
    }
    let tries = [
        (
            &b"\r\n>From "[..],
            &b"\r\nFrom "[..],
            BodyChange::FromLinesQuoted,
        ),
        (b"\r\n..", b"\r\n.", BodyChange::DotsDoubled),
    ];
    for (find, put, change) in tries {
        if let Some(undone) = replaced(body, find, put)
            && hash_is(&plain::body(&undone, form))
        {
            return change;
        }
    }
    BodyChange::Somehow
}

/// After how many lines fewer the canonical body has the signed hash. One pass: the
/// hash so far is looked at wherever a line that is not empty ends.
fn lines_added(canonical: &[u8], signed: &[u8]) -> Option<usize> {
    let mut hash = Context::new(&SHA256);
    let mut found = None;
    let mut since = 0;
    for line in canonical.split_inclusive(|&byte| byte == b'\n') {
        hash.update(line);
        since += 1;
        if line != b"\r\n" && hash.clone().finish().as_ref() == signed {
            found = Some(());
            since = 0;
        }
    }
    found.map(|()| since)
}

/// `text` with every `find` replaced, also at its start as if a line end stood
/// before it; `None` when there is none.
fn replaced(text: &[u8], find: &[u8], put: &[u8]) -> Option<Vec<u8>> {
    let whole = [b"\r\n", text].concat();
    let mut out = Vec::with_capacity(whole.len());
    let mut from = 0;
    for at in memchr::memmem::find_iter(&whole, find) {
        out.extend_from_slice(whole.get(from..at)?);
        out.extend_from_slice(put);
        from = at + find.len();
    }
    out.extend_from_slice(whole.get(from..)?);
    (from > 0).then(|| out.get(2..).unwrap_or_default().to_vec())
}

/// Whose fault it is that the signature does not fit. An RSA public key opens any
/// signature that its private key made, and shows the hash inside (RFC 8017 §9.2), so
/// a right key is told from a wrong one. An Ed25519 signature shows nothing.
pub(super) fn mismatch(records: &[KeyRecord], signature: &Signature) -> Mismatch {
    if signature.algorithm != Algorithm::RsaSha256 {
        return Mismatch::Either;
    }
    if records.iter().any(|record| opens(record, signature)) {
        Mismatch::FieldsChanged
    } else {
        Mismatch::OtherKey
    }
}

/// EMSA-PKCS1-v1_5 for SHA-256: what stands before the 32 bytes of the hash.
const DIGEST_INFO: [u8; 20] = [
    0x00, 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
    0x05, 0x00, 0x04, 0x20,
];

fn opens(record: &KeyRecord, signature: &Signature) -> bool {
    let der = &record.public_key;
    let key = rsa::RsaPublicKey::from_public_key_der(der).or_else(|_| {
        rsa::RsaPublicKey::from_pkcs1_der(der).map_err(|_| rsa::pkcs8::spki::Error::KeyMalformed)
    });
    let Ok(key) = key else {
        return false;
    };
    let opened = BigUint::from_bytes_be(&signature.signature).modpow(key.e(), key.n());
    // 00 01 FF … FF, then DIGEST_INFO and the hash; the leading 00 is not in the number.
    let opened = opened.to_bytes_be();
    let Some((padding, info)) = opened
        .len()
        .checked_sub(DIGEST_INFO.len() + 32)
        .and_then(|at| opened.split_at_checked(at))
    else {
        return false;
    };
    let padded = padding.split_first().is_some_and(|(one, rest)| {
        *one == 1 && rest.len() >= 8 && rest.iter().all(|byte| *byte == 0xff)
    });
    padded && info.starts_with(&DIGEST_INFO)
}
