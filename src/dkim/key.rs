//! Private keys: reading them, what they are, and the one operation they do.
//!
//! The mathematics is AWS-LC's. It signs with no RSA key under 2048 bits, and RFC 8301
//! §3.2 still allows 1024, which many domains have published; those few go through
//! the `rsa` crate, which blinds the exponentiation. Its open timing advisory
//! (RUSTSEC-2023-0071) is one more reason why such a key is called weak and warned
//! about.
//!
//! A key is never printed: `Debug` shows what `fingerprint` shows.

use std::fmt;
use std::sync::OnceLock;

use aws_lc_rs::digest::{Digest, SHA256, digest};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use rsa::Pkcs1v15Sign;
use rsa::pkcs1::{DecodeRsaPrivateKey, der::Decode, der::Encode};
use rsa::pkcs8::spki::der::asn1::{AnyRef, BitStringRef};
use rsa::pkcs8::spki::{AlgorithmIdentifierRef, ObjectIdentifier, SubjectPublicKeyInfoRef};
use rsa::pkcs8::{PrivateKeyInfo, spki};
use rsa::rand_core::OsRng;

use super::pem::{self, Armoured};
use super::{KeyError, KeyType, PublicKey};
use crate::accelerator::{BatchKey, RsaParts, SHA256_DIGEST_INFO};

/// The smallest RSA modulus that may sign, in bits (RFC 8301 §3.2).
const MIN_BITS: u32 = 1024;
/// The smallest RSA modulus that should sign (RFC 8301 §3.2), and that AWS-LC accepts.
const STRONG_BITS: u32 = 2048;
/// The largest RSA modulus that AWS-LC accepts.
const MAX_BITS: u32 = 8192;

/// Lets AWS-LC gather the randomness with which it blinds its private-key operations,
/// once in a process: one system call, or without `.cargo/config.toml` 30 ms of its own.
pub fn gather_randomness() {
    // Should it fail, the first signature fails too, and says so.
    let _ = aws_lc_rs::rand::fill(&mut [0]);
}

/// A private key that signs.
pub struct SigningKey {
    mathematics: Mathematics,
    public_key: PublicKey,
    bits: u32,
}

enum Mathematics {
    Rsa {
        pair: RsaKeyPair,
        /// Made when somebody asks for it first.
        batch: OnceLock<Option<BatchKey>>,
    },
    WeakRsa(Box<rsa::RsaPrivateKey>),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// Reads a key in PEM: PKCS#8 (RSA, Ed25519) or PKCS#1 (RSA), with or without
    /// text around it.
    ///
    /// # Errors
    /// What the text is instead, or which rule the key breaks.
    pub fn from_pem(pem: &[u8]) -> Result<Self, KeyError> {
        match pem::read(pem)? {
            Armoured::Pkcs1(der) => Self::rsa(&der),
            Armoured::Pkcs8(der) => {
                let info = PrivateKeyInfo::from_der(&der).map_err(|_| KeyError::Malformed)?;
                match info.algorithm.oid {
                    RSA => Self::rsa(info.private_key),
                    ED25519 => Self::ed25519(&der),
                    RSA_PSS => Err(KeyError::algorithm("an RSA-PSS key")),
                    EC => Err(KeyError::algorithm("an EC key")),
                    ED448 => Err(KeyError::algorithm("an Ed448 key")),
                    X25519 => Err(KeyError::algorithm("an X25519 key")),
                    DSA => Err(KeyError::algorithm("a DSA key")),
                    oid => Err(KeyError::algorithm(format!("a key of the algorithm {oid}"))),
                }
            }
        }
    }

    /// `der` is an RSAPrivateKey, PKCS#1.
    fn rsa(der: &[u8]) -> Result<Self, KeyError> {
        let parts = rsa::pkcs1::RsaPrivateKey::from_der(der).map_err(|_| KeyError::Malformed)?;
        let bits = bit_length(parts.modulus.as_bytes());
        if bits < MIN_BITS {
            return Err(KeyError::TooSmall { bits });
        }
        if bits > MAX_BITS {
            return Err(KeyError::TooLarge { bits });
        }
        let mathematics = if bits < STRONG_BITS {
            let key = rsa::RsaPrivateKey::from_pkcs1_der(der).map_err(|_| KeyError::Unsound)?;
            Mathematics::WeakRsa(Box::new(key))
        } else {
            Mathematics::Rsa {
                pair: RsaKeyPair::from_der(der).map_err(|_| KeyError::Unsound)?,
                batch: OnceLock::new(),
            }
        };
        Ok(Self {
            mathematics,
            public_key: PublicKey {
                key_type: KeyType::Rsa,
                bytes: rsa_public_key_info(&parts).map_err(|_| KeyError::Malformed)?,
            },
            bits,
        })
    }

    /// `der` is PKCS#8, version 1 or 2.
    fn ed25519(der: &[u8]) -> Result<Self, KeyError> {
        let pair =
            Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map_err(|_| KeyError::Unsound)?;
        Ok(Self {
            public_key: PublicKey {
                key_type: KeyType::Ed25519,
                bytes: pair.public_key().as_ref().to_vec(),
            },
            mathematics: Mathematics::Ed25519(pair),
            bits: 256,
        })
    }

    /// Whether the key is RSA or Ed25519.
    pub fn key_type(&self) -> KeyType {
        self.public_key.key_type
    }

    /// The length of the RSA modulus in bits; 256 for Ed25519.
    pub fn bits(&self) -> u32 {
        self.bits
    }

    /// An RSA key of fewer bits than signers should use (RFC 8301 §3.2).
    pub fn is_weak(&self) -> bool {
        matches!(self.mathematics, Mathematics::WeakRsa(_))
    }

    /// The public half, enough for the key record.
    pub fn public_key(&self) -> PublicKey {
        self.public_key.clone()
    }

    /// Signs the canonical header fields: RSASSA-PKCS1-v1_5 over their SHA-256, or
    /// Ed25519 over their SHA-256 (RFC 8463 §3).
    ///
    /// # Errors
    /// What the library says.
    pub fn sign(&self, canonical: &[u8]) -> Result<Vec<u8>, String> {
        self.sign_hash(&digest(&SHA256, canonical))
    }

    /// As [`SigningKey::sign`], with the SHA-256 of the canonical header fields.
    ///
    /// # Errors
    /// What the library says.
    pub fn sign_hash(&self, hash: &Digest) -> Result<Vec<u8>, String> {
        match &self.mathematics {
            Mathematics::Rsa { pair, .. } => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign_digest(&RSA_PKCS1_SHA256, hash, &mut signature)
                    .map_err(|error| error.to_string())?;
                Ok(signature)
            }
            Mathematics::Ed25519(pair) => Ok(pair.sign(hash.as_ref()).as_ref().to_vec()),
            Mathematics::WeakRsa(key) => {
                let padding = Pkcs1v15Sign {
                    hash_len: Some(hash.as_ref().len()),
                    prefix: SHA256_DIGEST_INFO.into(),
                };
                key.sign_with_rng(&mut OsRng, padding, hash.as_ref())
                    .map_err(|error| error.to_string())
            }
        }
    }

    /// The key for signing in batches; none when it is of a kind that cannot.
    pub fn batch_key(&self) -> Option<&BatchKey> {
        match &self.mathematics {
            Mathematics::Rsa { pair, batch } => batch.get_or_init(|| batch_key(pair)).as_ref(),
            Mathematics::WeakRsa(_) | Mathematics::Ed25519(_) => None,
        }
    }

    /// Makes the signatures of batches wrong, and no others.
    #[cfg(test)]
    pub(crate) fn spoil_batches(&mut self) {
        self.batch_key();
        if let Mathematics::Rsa { batch, .. } = &mut self.mathematics {
            batch.get_mut().unwrap().as_mut().unwrap().spoil();
        }
    }
}

fn batch_key(pair: &RsaKeyPair) -> Option<BatchKey> {
    // The buffer erases itself when it is dropped.
    let der = AsDer::<Pkcs8V1Der<'_>>::as_der(pair).ok()?;
    let info = PrivateKeyInfo::from_der(der.as_ref()).ok()?;
    let parts = rsa::pkcs1::RsaPrivateKey::from_der(info.private_key).ok()?;
    BatchKey::new(&RsaParts {
        modulus: parts.modulus.as_bytes(),
        public_exponent: parts.public_exponent.as_bytes(),
        prime1: parts.prime1.as_bytes(),
        prime2: parts.prime2.as_bytes(),
        exponent1: parts.exponent1.as_bytes(),
        exponent2: parts.exponent2.as_bytes(),
        coefficient: parts.coefficient.as_bytes(),
    })
}

/// Shows type, bits and fingerprint; never a part of the private key.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("key_type", &self.key_type())
            .field("bits", &self.bits)
            .field("fingerprint", &self.public_key.fingerprint())
            .finish_non_exhaustive()
    }
}

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const ED448: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.113");
const X25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.110");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const DSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10040.4.1");

/// `modulus` is big-endian without leading zero bytes, as DER demands.
fn bit_length(modulus: &[u8]) -> u32 {
    let spare = modulus.first().map_or(0, |byte| byte.leading_zeros());
    u32::try_from(modulus.len())
        .unwrap_or(u32::MAX / 8)
        .saturating_mul(8)
        .saturating_sub(spare)
}

fn rsa_public_key_info(parts: &rsa::pkcs1::RsaPrivateKey<'_>) -> spki::Result<Vec<u8>> {
    let key = parts.public_key().to_der()?;
    let info = SubjectPublicKeyInfoRef {
        algorithm: AlgorithmIdentifierRef {
            oid: RSA,
            parameters: Some(AnyRef::NULL),
        },
        subject_public_key: BitStringRef::from_bytes(&key)?,
    };
    Ok(info.to_der()?)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::Pkcs8V2Der;
    use aws_lc_rs::rsa::{KeyPair, KeySize};
    use base64ct::{Base64, Encoding};
    use rsa::pkcs1::EncodeRsaPrivateKey;
    use rsa::pkcs8::LineEnding;

    use super::*;

    fn armour(label: &str, der: &[u8]) -> String {
        let text = Base64::encode_string(der);
        let lines: Vec<_> = text
            .as_bytes()
            .chunks(64)
            .map(String::from_utf8_lossy)
            .collect();
        format!(
            "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
            lines.join("\n")
        )
    }

    fn rsa_2048() -> Vec<u8> {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        AsDer::<Pkcs8V1Der<'_>>::as_der(&pair)
            .unwrap()
            .as_ref()
            .to_vec()
    }

    fn weak(bits: usize) -> rsa::RsaPrivateKey {
        rsa::RsaPrivateKey::new(&mut OsRng, bits).unwrap()
    }

    fn error(pem: &str) -> KeyError {
        SigningKey::from_pem(pem.as_bytes()).unwrap_err()
    }

    #[test]
    fn pkcs8_and_pkcs1_are_the_same_key() {
        let der = rsa_2048();
        let key = SigningKey::from_pem(armour("PRIVATE KEY", &der).as_bytes()).unwrap();
        assert_eq!(
            (key.key_type(), key.bits(), key.is_weak()),
            (KeyType::Rsa, 2048, false)
        );

        let inner = PrivateKeyInfo::from_der(&der).unwrap().private_key;
        let pem = format!("Bag Attributes\r\n  {}", armour("RSA PRIVATE KEY", inner));
        let same = SigningKey::from_pem(pem.replace('\n', "\r\n").as_bytes()).unwrap();
        assert_eq!(key.public_key(), same.public_key());
        assert_eq!(key.sign(b"x").unwrap(), same.sign(b"x").unwrap());
    }

    #[test]
    fn ed25519_is_read_in_both_versions_of_pkcs8() {
        let pair = Ed25519KeyPair::generate().unwrap();
        let v1 = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
        let v2 = AsDer::<Pkcs8V2Der<'_>>::as_der(&pair).unwrap();
        let v1 = SigningKey::from_pem(armour("PRIVATE KEY", v1.as_ref()).as_bytes()).unwrap();
        let v2 = SigningKey::from_pem(armour("PRIVATE KEY", v2.as_ref()).as_bytes()).unwrap();
        assert_eq!(
            (v1.key_type(), v1.bits(), v1.is_weak()),
            (KeyType::Ed25519, 256, false)
        );
        assert_eq!(v1.public_key(), v2.public_key());
        assert_eq!(v1.public_key().bytes.len(), 32);
    }

    #[test]
    fn a_short_key_signs_and_is_weak_and_a_shorter_one_is_refused() {
        for bits in [1024, 1536] {
            let pem = weak(bits).to_pkcs1_pem(LineEnding::LF).unwrap();
            let key = SigningKey::from_pem(pem.as_bytes()).unwrap();
            assert_eq!((key.bits() as usize, key.is_weak()), (bits, true));
            assert_eq!(key.sign(b"x").unwrap().len(), bits / 8);
        }
        let pem = weak(768).to_pkcs1_pem(LineEnding::LF).unwrap();
        assert_eq!(error(&pem), KeyError::TooSmall { bits: 768 });
    }

    #[test]
    fn debug_shows_the_public_fingerprint_alone() {
        let key = SigningKey::from_pem(armour("PRIVATE KEY", &rsa_2048()).as_bytes()).unwrap();
        let fingerprint = key.public_key().fingerprint();
        assert_eq!(
            format!("{key:?}"),
            format!("SigningKey {{ key_type: Rsa, bits: 2048, fingerprint: {fingerprint:?}, .. }}")
        );
    }

    #[test]
    fn what_is_no_key_is_called_what_it_is() {
        assert_eq!(error(" \n"), KeyError::Empty);
        assert_eq!(error("hello"), KeyError::NotPem);
        assert_eq!(
            SigningKey::from_pem(&rsa_2048()).unwrap_err(),
            KeyError::Der
        );
        let what = |label| error(&armour(label, b"abc"));
        assert_eq!(
            what("CERTIFICATE"),
            KeyError::NotPrivate {
                what: "a certificate"
            }
        );
        assert_eq!(
            what("PUBLIC KEY"),
            KeyError::NotPrivate {
                what: "a public key"
            }
        );
        assert_eq!(what("ENCRYPTED PRIVATE KEY"), KeyError::Encrypted);
        assert_eq!(what("EC PRIVATE KEY"), KeyError::algorithm("an EC key"));
        assert_eq!(what("OPENSSH PRIVATE KEY"), KeyError::OpenSsh);
        assert_eq!(what("PRIVATE KEY"), KeyError::Malformed);
        let marked = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n";
        assert_eq!(error(marked), KeyError::Encrypted);
        assert_eq!(
            error("-----BEGIN PRIVATE KEY-----\nAAAA\n"),
            KeyError::NoEnd
        );
        let damaged = "-----BEGIN PRIVATE KEY-----\nA?AA\n-----END PRIVATE KEY-----";
        assert_eq!(error(damaged), KeyError::BadBase64);
    }

    #[test]
    fn a_key_beside_its_certificate_is_found_and_two_keys_are_refused() {
        let key = armour("PRIVATE KEY", &rsa_2048());
        let bundle = armour("CERTIFICATE", b"abc") + &key;
        assert!(SigningKey::from_pem(bundle.as_bytes()).is_ok());
        assert_eq!(error(&(key.clone() + &key)), KeyError::Several);
    }

    #[test]
    fn parts_of_two_keys_do_not_make_one() {
        let (one, other) = (weak(1024), weak(1024));
        let one = one.to_pkcs1_der().unwrap();
        let other = other.to_pkcs1_der().unwrap();
        let mut parts = rsa::pkcs1::RsaPrivateKey::from_der(one.as_bytes()).unwrap();
        let foreign = rsa::pkcs1::RsaPrivateKey::from_der(other.as_bytes()).unwrap();
        parts.modulus = foreign.modulus;
        let pem = armour("RSA PRIVATE KEY", &parts.to_der().unwrap());
        assert_eq!(error(&pem), KeyError::Unsound);
    }
}
