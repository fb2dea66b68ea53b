//! A private key that stands in a table itself and not in a file: PEM, or the base64
//! of its DER, on one line.
//!
//! It becomes the text of a key file. It is never printed, and wiped when it is
//! dropped.

use std::fmt;

use zeroize::Zeroizing;

use crate::dkim::{KeyError, SigningKey};

/// The text of a PEM file with one usable private key.
#[derive(Clone, PartialEq, Eq)]
pub struct InlineKey(Zeroizing<String>);

impl InlineKey {
    /// # Errors
    /// When the text is no private key that can sign.
    pub fn read(text: &str) -> Result<Self, KeyError> {
        // The bytes do not say which of the two structures they are.
        let pkcs8 = Self(pem("PRIVATE KEY", text));
        let pkcs1 = Self(pem("RSA PRIVATE KEY", text));
        match pkcs8.try_out() {
            Ok(()) => Ok(pkcs8),
            Err(error) => match pkcs1.try_out() {
                Ok(()) => Ok(pkcs1),
                // Of a key that is too short both say so, of any other the first.
                Err(_) => Err(error),
            },
        }
    }

    fn try_out(&self) -> Result<(), KeyError> {
        SigningKey::from_pem(self.0.as_bytes()).map(drop)
    }

    pub fn pem(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for InlineKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InlineKey")
    }
}

/// The base64 in `text`, with or without armour, in lines and the armour of `label`.
fn pem(label: &str, text: &str) -> Zeroizing<String> {
    let armoured = text.strip_prefix("-----BEGIN ");
    let within = armoured.and_then(|rest| {
        let (_, rest) = rest.split_once("-----")?;
        rest.split_once("-----END ").map(|(within, _)| within)
    });
    let base64 = within.unwrap_or(text);
    // Reserved once: a text that grows leaves copies of the key behind.
    let mut pem = Zeroizing::new(String::with_capacity(2 * text.len() + 100));
    pem.push_str(&format!("-----BEGIN {label}-----"));
    let letters = base64.chars().filter(|c| !c.is_whitespace());
    for (number, letter) in letters.enumerate() {
        if number % 64 == 0 {
            pem.push('\n');
        }
        pem.push(letter);
    }
    pem.push_str(&format!("\n-----END {label}-----\n"));
    pem
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{Algorithm, RsaSize, generate};

    /// A key as OpenDKIM's table has it: one line.
    fn line(pem: &str) -> String {
        let lines = pem.lines().filter(|line| !line.starts_with("-----"));
        lines.collect()
    }

    fn public(pem: &str) -> crate::dkim::PublicKey {
        SigningKey::from_pem(pem.as_bytes()).unwrap().public_key()
    }

    #[test]
    fn a_key_is_read_with_and_without_its_armour() {
        for algorithm in [Algorithm::Ed25519, Algorithm::Rsa(RsaSize::Bits2048)] {
            let pem = generate(algorithm).unwrap();
            let bare = InlineKey::read(&line(&pem)).unwrap();
            assert_eq!(public(bare.pem()), public(&pem));
            assert!(bare.pem().lines().all(|line| line.len() <= 64));
            assert_eq!(InlineKey::read(&pem.replace('\n', "")).unwrap(), bare);
            assert_eq!(format!("{bare:?}"), "InlineKey");
        }
    }

    #[test]
    fn what_is_no_key_says_so() {
        for text in [
            "",
            "keys/example.pem",
            "MIIEowIBAAKCAQEA",
            "-----BEGIN PRIVATE KEY-----",
        ] {
            assert!(InlineKey::read(text).is_err(), "{text}");
        }
    }
}
