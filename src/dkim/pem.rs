//! The textual armour of a private key (RFC 7468, RFC 1421).
//!
//! Finds the one private key in a file, whatever text OpenSSL or a person put around
//! it, and says what the file is when it holds none. It reads the armour alone: what
//! the bytes inside mean is `key`'s business. Every buffer that has held a part of
//! the key is wiped.

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

use super::KeyError;

/// The DER bytes of a private key and the structure they hold.
pub(super) enum Armoured {
    /// PKCS#8, RFC 5958: any algorithm.
    Pkcs8(Zeroizing<Vec<u8>>),
    /// PKCS#1, RFC 8017 appendix A.1.2: RSA.
    Pkcs1(Zeroizing<Vec<u8>>),
}

/// Finds and decodes the private key.
///
/// # Errors
/// What the text is instead of one readable private key.
pub(super) fn read(text: &[u8]) -> Result<Armoured, KeyError> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut lines = text.split(|&b| b == b'\n').map(<[u8]>::trim_ascii);
    let mut found = None;
    let mut other = None;
    while let Some(line) = lines.next() {
        let Some(label) = boundary(line, b"-----BEGIN ") else {
            continue;
        };
        let wrap = match label {
            b"PRIVATE KEY" => Armoured::Pkcs8,
            b"RSA PRIVATE KEY" => Armoured::Pkcs1,
            _ => {
                // A certificate may lie beside its key; only a file without a key
                // is refused, by what comes first in it.
                other.get_or_insert(label);
                continue;
            }
        };
        if found.is_some() {
            return Err(KeyError::Several);
        }
        found = Some(wrap(body(&mut lines, label)?));
    }
    found.ok_or_else(|| match other {
        Some(label) => explain_label(label),
        None => explain_text(text),
    })
}

/// The label of a `-----BEGIN label-----` or `-----END label-----` line.
fn boundary<'t>(line: &'t [u8], start: &[u8]) -> Option<&'t [u8]> {
    line.strip_prefix(start)?.strip_suffix(b"-----")
}

fn body<'t>(
    lines: &mut impl Iterator<Item = &'t [u8]>,
    label: &[u8],
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    // Reserved once: a buffer that grows leaves copies of the key behind.
    let mut text = Zeroizing::new(Vec::with_capacity(MAX_BASE64));
    for line in lines {
        if boundary(line, b"-----END ") == Some(label) {
            let mut der = Zeroizing::new(vec![0; text.len() / 4 * 3]);
            let length = Base64::decode(&*text, &mut der)
                .map_err(|_| KeyError::BadBase64)?
                .len();
            der.truncate(length);
            return Ok(der);
        }
        // RFC 1421 §4.6.1.1: how OpenSSL marks a PKCS#1 key under a passphrase.
        if line.starts_with(b"Proc-Type:") && line.ends_with(b"ENCRYPTED") {
            return Err(KeyError::Encrypted);
        }
        let kept = line.iter().filter(|b| !b.is_ascii_whitespace());
        for &byte in kept {
            if text.len() == MAX_BASE64 {
                return Err(KeyError::BadBase64);
            }
            text.push(byte);
        }
    }
    Err(KeyError::NoEnd)
}

/// An RSA key of 16384 bits, twice what is accepted, needs 12.5 KiB.
const MAX_BASE64: usize = 16 * 1024;

fn explain_label(label: &[u8]) -> KeyError {
    let what = match label {
        b"ENCRYPTED PRIVATE KEY" => return KeyError::Encrypted,
        b"EC PRIVATE KEY" | b"EC PARAMETERS" => return KeyError::algorithm("an EC key"),
        b"DSA PRIVATE KEY" => return KeyError::algorithm("a DSA key"),
        b"OPENSSH PRIVATE KEY" => return KeyError::OpenSsh,
        b"PUBLIC KEY" | b"RSA PUBLIC KEY" => "a public key",
        b"CERTIFICATE" | b"TRUSTED CERTIFICATE" | b"X509 CERTIFICATE" => "a certificate",
        b"CERTIFICATE REQUEST" | b"NEW CERTIFICATE REQUEST" => "a certificate request",
        b"X509 CRL" => "a revocation list",
        _ => "a PEM file",
    };
    KeyError::NotPrivate { what }
}

fn explain_text(text: &[u8]) -> KeyError {
    match text.trim_ascii() {
        [] => KeyError::Empty,
        // A DER SEQUENCE with a long length, which every key in DER begins with.
        [0x30, 0x80..=0x84, ..] | [0x30, 0x2e, 0x02, ..] => KeyError::Der,
        _ => KeyError::NotPem,
    }
}
