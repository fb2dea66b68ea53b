//! The body made ready for hashing (RFC 6376 §3.4.3, §3.4.4) as it streams.

use aws_lc_rs::digest::{Context, SHA256};

use super::CanonicalizationAlgorithm;

/// The body hash of one message under one canonicalization.
#[derive(Clone)]
pub(super) struct BodyHash {
    algorithm: CanonicalizationAlgorithm,
    context: Context,
    lines: u64,
    space: bool,
    cr: bool,
    written: bool,
}

impl BodyHash {
    pub(super) fn new(algorithm: CanonicalizationAlgorithm) -> Self {
        Self {
            algorithm,
            context: Context::new(&SHA256),
            lines: 0,
            space: false,
            cr: false,
            written: false,
        }
    }

    pub(super) fn algorithm(&self) -> CanonicalizationAlgorithm {
        self.algorithm
    }

    pub(super) fn update(&mut self, chunk: &[u8]) {
        for &byte in chunk {
            let cr = std::mem::take(&mut self.cr);
            match byte {
                b'\n' => {
                    self.space = false;
                    self.lines += 1;
                    continue;
                }
                _ if cr => self.byte(b'\r'),
                _ => {}
            }
            match byte {
                b'\r' => self.cr = true,
                b' ' | b'\t' if self.algorithm == CanonicalizationAlgorithm::Relaxed => {
                    self.space = true;
                }
                byte => self.byte(byte),
            }
        }
    }

    fn byte(&mut self, byte: u8) {
        for _ in 0..std::mem::take(&mut self.lines) {
            self.context.update(b"\r\n");
        }
        if std::mem::take(&mut self.space) {
            self.context.update(b" ");
        }
        self.context.update(&[byte]);
        self.written = true;
    }

    pub(super) fn finish(mut self) -> (CanonicalizationAlgorithm, [u8; 32]) {
        if self.cr {
            self.byte(b'\r');
        }
        if self.written || self.algorithm == CanonicalizationAlgorithm::Simple {
            self.context.update(b"\r\n");
        }
        let mut hash = [0; 32];
        hash.copy_from_slice(self.context.finish().as_ref());
        (self.algorithm, hash)
    }
}

impl std::fmt::Debug for BodyHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BodyHash")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}
