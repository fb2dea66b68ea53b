//! Public keys, as a key record publishes them.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64ct::{Base64Unpadded, Encoding};

/// The kinds of key that sign: RSA (RFC 6376, 8301) and Ed25519 (RFC 8463).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyType {
    Rsa,
    Ed25519,
}

impl KeyType {
    /// The value of `k=` in a key record.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rsa => "rsa",
            Self::Ed25519 => "ed25519",
        }
    }

    /// The value of `a=` in a signature by such a key.
    pub fn algorithm(self) -> &'static str {
        match self {
            Self::Rsa => "rsa-sha256",
            Self::Ed25519 => "ed25519-sha256",
        }
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A public key. `bytes` is exactly what `p=` holds in base64: the DER of a
/// SubjectPublicKeyInfo for RSA, the raw 32 bytes for Ed25519 (RFC 8463 §4).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PublicKey {
    pub key_type: KeyType,
    pub bytes: Vec<u8>,
}

/// SubjectPublicKeyInfo of an Ed25519 key up to the key itself (RFC 8410 §4).
const ED25519_INFO: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

impl PublicKey {
    /// The DER of the SubjectPublicKeyInfo, as `openssl pkey -pubout` writes it.
    pub fn subject_public_key_info(&self) -> Vec<u8> {
        match self.key_type {
            KeyType::Rsa => self.bytes.clone(),
            KeyType::Ed25519 => [&ED25519_INFO, self.bytes.as_slice()].concat(),
        }
    }

    /// `SHA256:` and the unpadded base64 of SHA-256 over the SubjectPublicKeyInfo,
    /// the form OpenSSH made familiar.
    pub fn fingerprint(&self) -> String {
        let hash = digest(&SHA256, &self.subject_public_key_info());
        format!("SHA256:{}", Base64Unpadded::encode_string(hash.as_ref()))
    }
}
