//! A private key as the accelerator takes it.

use std::fmt;

use super::RsaSize;
use super::ffi::{PrivateNumbers, SecretPages};

/// The parts of an RSA private key, each big-endian as in its DER (RFC 8017 §A.1.2).
/// They must belong together; that is not checked here.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "a private key is not printed")]
pub struct RsaParts<'d> {
    pub modulus: &'d [u8],
    pub public_exponent: &'d [u8],
    pub prime1: &'d [u8],
    pub prime2: &'d [u8],
    pub exponent1: &'d [u8],
    pub exponent2: &'d [u8],
    pub coefficient: &'d [u8],
}

/// The only public exponent that the library checks signatures with: 65537.
const PUBLIC_EXPONENT: [u8; 3] = [1, 0, 1];

/// A key that can sign in a batch. Its parts lie in memory that is locked where the
/// system allows, and erased when it is dropped.
pub struct BatchKey {
    size: RsaSize,
    /// p, q, dp, dq, qinv, each half as long as the modulus, and the modulus.
    numbers: SecretPages,
}

impl BatchKey {
    /// `None` when the key is not of a kind that can be batched: 2048, 3072 or 4096
    /// bits, two primes of half that length, the public exponent 65537.
    pub fn new(parts: &RsaParts<'_>) -> Option<Self> {
        let size = RsaSize::from_bytes(parts.modulus.len())?;
        let half = size.bytes() / 2;
        let whole = |prime: &[u8]| prime.len() == half && prime.first() >= Some(&0x80);
        let batchable = parts.modulus.first() >= Some(&0x80)
            && parts.public_exponent == PUBLIC_EXPONENT
            && whole(parts.prime1)
            && whole(parts.prime2);
        if !batchable {
            return None;
        }
        let mut numbers = SecretPages::new(half * 7);
        let mut room = numbers.words_mut();
        for (part, words) in [
            (parts.prime1, half / 8),
            (parts.prime2, half / 8),
            (parts.exponent1, half / 8),
            (parts.exponent2, half / 8),
            (parts.coefficient, half / 8),
            (parts.modulus, half / 4),
        ] {
            if part.len() > words * 8 {
                return None;
            }
            let (place, rest) = room.split_at_mut_checked(words)?;
            for (word, bytes) in place.iter_mut().zip(part.rchunks(8)) {
                *word = bytes
                    .iter()
                    .fold(0, |word, byte| word << 8 | u64::from(*byte));
            }
            room = rest;
        }
        Some(Self { size, numbers })
    }

    pub fn size(&self) -> RsaSize {
        self.size
    }

    pub(super) fn private(&self) -> PrivateNumbers<'_> {
        PrivateNumbers {
            p: self.number(0, 1),
            q: self.number(1, 1),
            dp: self.number(2, 1),
            dq: self.number(3, 1),
            qinv: self.number(4, 1),
        }
    }

    pub(super) fn modulus(&self) -> &[u64] {
        self.number(5, 2)
    }

    /// A number of so many halves of the modulus, behind so many. One that is not
    /// there is empty, and the library is not called for it.
    fn number(&self, skip: usize, halves: usize) -> &[u64] {
        let half = self.size.bytes() / 16;
        let range = skip * half..(skip + halves) * half;
        self.numbers.words().get(range).unwrap_or_default()
    }

    /// Makes every signature wrong: what a fault of the processor does, for tests.
    #[cfg(test)]
    pub(crate) fn spoil(&mut self) {
        self.numbers.words_mut()[2 * self.size.bytes() / 16] ^= 4;
    }
}

impl fmt::Debug for BatchKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BatchKey({:?})", self.size)
    }
}
