//! Making private keys, from the operating system's randomness.

use rsa::RsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey, LineEnding, SecretDocument};
use rsa::rand_core::OsRng;
use zeroize::{Zeroize, Zeroizing};

/// What kind of key to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    Rsa(RsaSize),
    Ed25519,
}

/// The sizes offered. Less than 2048 bits is weak (RFC 8301 §3.2), more than 4096 is
/// not read by every verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RsaSize {
    Bits2048,
    Bits3072,
    Bits4096,
}

impl RsaSize {
    pub fn bits(self) -> u32 {
        match self {
            Self::Bits2048 => 2048,
            Self::Bits3072 => 3072,
            Self::Bits4096 => 4096,
        }
    }
}

/// The operating system gave no randomness, or the key could not be written as PEM.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the key could not be made: {reason}")]
pub struct GenerateError {
    reason: String,
}

/// A new private key in PKCS#8 PEM. An RSA key of 4096 bits may take seconds.
///
/// # Errors
/// [`GenerateError`], which a working system does not give.
pub fn generate(algorithm: Algorithm) -> Result<Zeroizing<String>, GenerateError> {
    match algorithm {
        Algorithm::Rsa(size) => rsa(size),
        Algorithm::Ed25519 => ed25519(),
    }
}

fn rsa(size: RsaSize) -> Result<Zeroizing<String>, GenerateError> {
    let bits = usize::try_from(size.bits()).map_err(failed)?;
    // The key erases itself when it is dropped.
    let key = RsaPrivateKey::new(&mut OsRng, bits).map_err(failed)?;
    key.to_pkcs8_pem(LineEnding::LF).map_err(failed)
}

fn ed25519() -> Result<Zeroizing<String>, GenerateError> {
    use rsa::rand_core::RngCore;

    // RFC 8410 §7: everything before the 32 random bytes is the same for every key.
    // This first version of the form, without the public key, is what OpenSSL reads.
    const HEADER: [u8; 16] = [
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04,
        0x20,
    ];
    let mut seed = [0_u8; 32];
    OsRng.try_fill_bytes(&mut seed).map_err(failed)?;
    let mut der = Zeroizing::new(Vec::with_capacity(HEADER.len() + seed.len()));
    der.extend_from_slice(&HEADER);
    der.extend_from_slice(&seed);
    seed.zeroize();
    SecretDocument::try_from(der.as_slice())
        .and_then(|document| document.to_pem("PRIVATE KEY", LineEnding::LF))
        .map_err(failed)
}

fn failed(error: impl std::fmt::Display) -> GenerateError {
    GenerateError {
        reason: error.to_string(),
    }
}
