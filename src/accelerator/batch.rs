//! A batch: padded, signed, and checked before anything leaves.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::ffi::{Library, SecretPages};
use super::padding::padded;
use super::{BatchKey, LANES, LIBRARY, RsaSize, Unavailable};

/// The library that signs in batches.
#[derive(Debug)]
pub struct Accelerator {
    library: Library,
    path: PathBuf,
    /// Scratch memory that no batch uses just now.
    scratch: Mutex<Vec<SecretPages>>,
}

/// One signature of a batch.
#[derive(Debug, Clone, Copy)]
pub struct Lane<'a> {
    pub key: &'a BatchKey,
    /// SHA-256 of what is signed.
    pub hash: &'a [u8; 32],
}

impl Accelerator {
    /// Loads the library from a path, or by default as [`LIBRARY`] from where the
    /// system keeps its libraries.
    ///
    /// # Errors
    /// Why there is none, or none to rely on.
    pub fn open(library: Option<&Path>) -> Result<Self, Unavailable> {
        let path = library.unwrap_or(Path::new(LIBRARY));
        Ok(Self {
            library: Library::open(path)?,
            path: path.to_owned(),
            scratch: Mutex::default(),
        })
    }

    /// The library that `SIGNET_BATCH_LIBRARY` names, or the system's; none, and loudly,
    /// where there is none.
    #[cfg(test)]
    pub(crate) fn for_tests() -> Option<Self> {
        let named = std::env::var_os("SIGNET_BATCH_LIBRARY");
        match Self::open(named.as_ref().map(Path::new)) {
            Ok(accelerator) => Some(accelerator),
            Err(error) if named.is_none() => {
                eprintln!("SKIPPED: no batches are tested: {error}");
                None
            }
            Err(error) => panic!("SIGNET_BATCH_LIBRARY: {error}"),
        }
    }

    /// Makes up to [`LANES`] signatures (RSASSA-PKCS1-v1_5 with SHA-256) with keys of
    /// one size, in the order of `lanes`. `None` where the signature did not pass the
    /// check with its public key, or the lane does not belong here: then nothing of
    /// what was computed may leave.
    pub fn sign(&self, size: RsaSize, lanes: &[Lane<'_>]) -> Vec<Option<Vec<u8>>> {
        let (batch, beyond) = lanes.split_at_checked(LANES).unwrap_or((lanes, &[]));
        let blocks: Vec<_> = batch
            .iter()
            .map(|lane| padded(lane.hash, size.bytes()))
            .collect();
        let empty = || vec![vec![0; size.bytes()]; batch.len()];
        let (mut signatures, mut opened) = (empty(), empty());

        let mut scratch = self.take_scratch();
        let private: Vec<_> = batch.iter().map(|lane| lane.key.private()).collect();
        let inputs: Vec<_> = private
            .iter()
            .zip(&blocks)
            .map(|(k, b)| (k, b.as_slice()))
            .collect();
        let signed = self
            .library
            .private(size, &inputs, &mut signatures, &mut scratch);
        let inputs: Vec<_> = batch
            .iter()
            .zip(&signatures)
            .map(|(lane, signature)| (lane.key.modulus(), signature.as_slice()))
            .collect();
        let checked = self
            .library
            .public(size, &inputs, &mut opened, &mut scratch);
        self.give_scratch(scratch);

        let right = signed
            .iter()
            .zip(&checked)
            .map(|(signed, checked)| *signed && *checked);
        let right = right
            .zip(blocks.iter().zip(&opened))
            .map(|(done, (block, opened))| {
                // A lane that the library left out opened to zeros, never to a block.
                done && block == opened
            });
        let mut results: Vec<_> = signatures
            .into_iter()
            .zip(right)
            .map(|(signature, right)| right.then_some(signature))
            .collect();
        results.resize(batch.len() + beyond.len(), None);
        results
    }

    fn take_scratch(&self) -> SecretPages {
        let mut idle = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        idle.pop().unwrap_or_else(|| self.library.scratch())
    }

    fn give_scratch(&self, scratch: SecretPages) {
        let mut idle = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(scratch);
    }
}

impl fmt::Display for Accelerator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (version, path) = (self.library.version(), self.path.display());
        write!(f, "crypto_mb {version} ({path}), AVX-512 IFMA")
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest::{SHA256, digest};
    use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
    use aws_lc_rs::rsa::{KeyPair, KeySize};
    use rsa::pkcs8::der::pem::{LineEnding, encode_string};

    use super::*;
    use crate::dkim::SigningKey;

    fn key() -> SigningKey {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
        let pem = encode_string("PRIVATE KEY", LineEnding::LF, der.as_ref()).unwrap();
        SigningKey::from_pem(pem.as_bytes()).unwrap()
    }

    #[test]
    fn a_fault_in_one_lane_is_found_and_leaves_the_others_alone() {
        let Some(accelerator) = Accelerator::for_tests() else {
            return;
        };
        let mut keys = [key(), key(), key()];
        keys[1].spoil_batches();
        let hash = digest(&SHA256, b"x");
        let batch_keys = keys.each_ref().map(|key| key.batch_key().unwrap());
        let lanes = batch_keys.map(|key| Lane {
            key,
            hash: hash.as_ref().try_into().unwrap(),
        });
        let signatures = accelerator.sign(RsaSize::Bits2048, &lanes);
        let right = |key: &SigningKey| Some(key.sign_hash(&hash).unwrap());
        assert_eq!(signatures, [right(&keys[0]), None, right(&keys[2])]);
    }
}
