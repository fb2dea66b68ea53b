//! Telling a right RSA key from a wrong one by a signature alone: the public key opens
//! any signature that its private key made, and shows the hash inside (RFC 8017 §9.2).

use rsa::pkcs1::DecodeRsaPublicKey;
use rsa::pkcs8::DecodePublicKey;
use rsa::traits::PublicKeyParts;
use rsa::{BigUint, RsaPublicKey};

/// EMSA-PKCS1-v1_5 for SHA-256: what stands before the 32 bytes of the hash.
const DIGEST_INFO: [u8; 20] = [
    0x00, 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
    0x05, 0x00, 0x04, 0x20,
];

/// Whether the key, in DER, made the signature, over whatever. `None` when the key is
/// one that cannot be tried here (more than 4096 bits).
pub(super) fn made(der: &[u8], signature: &[u8]) -> Option<bool> {
    let key = RsaPublicKey::from_public_key_der(der).ok();
    let key = key.or_else(|| RsaPublicKey::from_pkcs1_der(der).ok())?;
    let opened = BigUint::from_bytes_be(signature).modpow(key.e(), key.n());
    // 00 01 FF … FF, then DIGEST_INFO and the hash; the leading 00 is not in the number.
    let opened = opened.to_bytes_be();
    let info = opened.len().checked_sub(DIGEST_INFO.len() + 32);
    let Some((padding, info)) = info.and_then(|at| opened.split_at_checked(at)) else {
        return Some(false);
    };
    let padded = padding.split_first().is_some_and(|(one, rest)| {
        *one == 1 && rest.len() >= 8 && rest.iter().all(|byte| *byte == 0xff)
    });
    Some(padded && info.starts_with(&DIGEST_INFO))
}
