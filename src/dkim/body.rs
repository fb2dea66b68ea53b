//! The hash of a body, over its canonical bytes as they come.

use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};

use super::CanonicalizationAlgorithm;
use super::canonical_body::BodyCanonicalizer;

/// The body hash of one message under one canonicalization.
pub(super) struct BodyHash {
    canonicalizer: BodyCanonicalizer,
    hash: GatheringHash,
}

/// SHA-256 that gathers short pieces: a call of the library costs as much as hashing
/// some forty bytes. Long pieces are hashed where they lie.
struct GatheringHash {
    context: Context,
    gathered: [u8; 1024],
    length: usize,
}

/// From this many bytes on a piece is hashed where it lies.
const LONG: usize = 256;

impl GatheringHash {
    fn update(&mut self, piece: &[u8]) {
        if piece.len() < LONG {
            let end = self.length + piece.len();
            if let Some(room) = self.gathered.get_mut(self.length..end) {
                room.copy_from_slice(piece);
                self.length = end;
                return;
            }
        }
        self.flush();
        if piece.len() < LONG
            && let Some(room) = self.gathered.get_mut(..piece.len())
        {
            room.copy_from_slice(piece);
            self.length = piece.len();
        } else {
            self.context.update(piece);
        }
    }

    fn flush(&mut self) {
        self.context
            .update(self.gathered.get(..self.length).unwrap_or_default());
        self.length = 0;
    }
}

impl BodyHash {
    pub(super) fn new(algorithm: CanonicalizationAlgorithm) -> Self {
        Self {
            canonicalizer: BodyCanonicalizer::new(algorithm),
            hash: GatheringHash {
                context: Context::new(&SHA256),
                gathered: [0; 1024],
                length: 0,
            },
        }
    }

    pub(super) fn algorithm(&self) -> CanonicalizationAlgorithm {
        self.canonicalizer.algorithm()
    }

    /// Takes the next piece of the body, cut anywhere.
    pub(super) fn update(&mut self, chunk: &[u8]) {
        let hash = &mut self.hash;
        self.canonicalizer
            .update(chunk, &mut |piece| hash.update(piece));
    }

    /// Ends the body: the value of `bh=`.
    pub(super) fn finish(mut self) -> (CanonicalizationAlgorithm, [u8; 32]) {
        let algorithm = self.algorithm();
        let hash = &mut self.hash;
        self.canonicalizer.finish(&mut |piece| hash.update(piece));
        hash.flush();
        let mut value = [0; 32];
        value.copy_from_slice(self.hash.context.finish().as_ref());
        (algorithm, value)
    }
}

impl fmt::Debug for BodyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyHash")
            .field("algorithm", &self.algorithm())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use base64ct::{Base64, Encoding};

    use super::CanonicalizationAlgorithm::{Relaxed, Simple};
    use super::*;

    fn hash(algorithm: CanonicalizationAlgorithm, chunks: &[&[u8]]) -> String {
        let mut hash = BodyHash::new(algorithm);
        for chunk in chunks {
            hash.update(chunk);
        }
        Base64::encode_string(&hash.finish().1)
    }

    #[test]
    fn the_empty_body_has_the_hashes_of_the_rfc_3_4_3_and_3_4_4() {
        let simple = "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=";
        let relaxed = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        for body in ["", "\r\n", "\r\n\r\n"] {
            let chunks: Vec<_> = body.as_bytes().chunks(1).collect();
            assert_eq!(hash(Simple, &chunks), simple);
            assert_eq!(hash(Relaxed, &chunks), relaxed);
        }
    }

    #[test]
    fn pieces_of_every_length_are_hashed_in_order() {
        let body: Vec<u8> = (0..20_000u32).map(|n| b'a' + (n % 23) as u8).collect();
        let whole = hash(Simple, &[&body]);
        for length in [1, 7, 255, 256, 257, 1023, 1024, 1025, 5000] {
            let chunks: Vec<_> = body.chunks(length).collect();
            assert_eq!(hash(Simple, &chunks), whole, "in chunks of {length}");
        }
    }
}
