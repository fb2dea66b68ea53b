//! Batches against single signatures, with the real library where it and a processor
//! for it are at hand: SIGNET_BATCH_LIBRARY names the library, else the system's is
//! tried.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may fail by panicking"
)]

use std::sync::Arc;
use std::thread;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64ct::{Base64, Encoding};
use signet::accelerator::{Accelerator, LANES, Lane, RsaSize};
use signet::dkim::SigningKey;

/// The library; none, and loudly, where there is none. One that was named must be
/// there.
fn accelerator() -> Option<Accelerator> {
    let named = std::env::var_os("SIGNET_BATCH_LIBRARY");
    match Accelerator::open(named.as_ref().map(AsRef::as_ref)) {
        Ok(accelerator) => Some(accelerator),
        Err(error) if named.is_none() => {
            eprintln!("SKIPPED: no batches are tested: {error}");
            None
        }
        Err(error) => panic!("SIGNET_BATCH_LIBRARY: {error}"),
    }
}

fn key(size: KeySize) -> SigningKey {
    let pair = KeyPair::generate(size).unwrap();
    let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
    let text = Base64::encode_string(der.as_ref());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
    SigningKey::from_pem(pem.as_bytes()).unwrap()
}

fn keys(count: usize, size: KeySize) -> Vec<Arc<SigningKey>> {
    let some = |count: usize| (0..count).map(|_| Arc::new(key(size))).collect();
    thread::scope(|scope| {
        let half = scope.spawn(move || -> Vec<_> { some(count / 2) });
        let mut keys: Vec<_> = some(count - count / 2);
        keys.extend(half.join().unwrap());
        keys
    })
}

/// Small and repeatable; what matters is that lanes and keys mix.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

/// PKCS#1 v1.5 leaves nothing to chance, so both must give the very same bytes.
fn batches_equal_single_signatures(size: RsaSize, keys: &[Arc<SigningKey>], messages: usize) {
    let Some(accelerator) = accelerator() else {
        return;
    };
    let mut dice = Dice(size.bytes() as u64);
    let mut made = 0;
    let mut filled = [0; LANES + 1];
    while made < messages {
        let count = 1 + dice.below(LANES);
        let batch: Vec<_> = (made..made + count)
            .map(|message| {
                let key = &keys[dice.below(keys.len())];
                (
                    key,
                    digest(&SHA256, format!("message {message}").as_bytes()),
                )
            })
            .collect();
        let hashes: Vec<&[u8; 32]> = batch
            .iter()
            .map(|(_, hash)| hash.as_ref().try_into().unwrap())
            .collect();
        let lanes: Vec<_> = batch
            .iter()
            .zip(hashes)
            .map(|((key, _), hash)| Lane {
                key: key.batch_key().unwrap(),
                hash,
            })
            .collect();
        let signatures = accelerator.sign(size, &lanes);
        assert_eq!(signatures.len(), count);
        for ((key, hash), signature) in batch.iter().zip(signatures) {
            assert_eq!(signature, Some(key.sign_hash(hash).unwrap()));
        }
        made += count;
        filled[count] += 1;
    }
    assert!(filled[1..].iter().all(|count| *count > 0), "{filled:?}");
}

#[test]
fn ten_thousand_messages_with_fifty_keys_of_2048_bits() {
    let keys = keys(50, KeySize::Rsa2048);
    batches_equal_single_signatures(RsaSize::Bits2048, &keys, 10_000);
}

#[test]
fn keys_of_3072_bits() {
    let keys = keys(4, KeySize::Rsa3072);
    batches_equal_single_signatures(RsaSize::Bits3072, &keys, 300);
}

#[test]
fn keys_of_4096_bits() {
    let keys = keys(3, KeySize::Rsa4096);
    batches_equal_single_signatures(RsaSize::Bits4096, &keys, 300);
}

#[test]
fn a_key_of_another_size_gets_no_signature_and_spoils_no_neighbour() {
    let Some(accelerator) = accelerator() else {
        return;
    };
    let (short, long) = (key(KeySize::Rsa2048), key(KeySize::Rsa3072));
    let hash = digest(&SHA256, b"x");
    let lane = |key| Lane {
        key,
        hash: hash.as_ref().try_into().unwrap(),
    };
    let lanes = [long.batch_key().unwrap(), short.batch_key().unwrap()].map(lane);
    let signatures = accelerator.sign(RsaSize::Bits2048, &lanes);
    assert_eq!(signatures, [None, Some(short.sign_hash(&hash).unwrap())]);
}

#[test]
fn what_is_no_crypto_mb_is_named_and_refused() {
    let error = Accelerator::open(Some("libc.so.6".as_ref())).unwrap_err();
    assert_eq!(error.to_string(), "libc.so.6 is not a crypto_mb library");
    let error = Accelerator::open(Some("/nonexistent/libcrypto_mb.so".as_ref())).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("/nonexistent/libcrypto_mb.so cannot be loaded: "),
        "{error}"
    );
}
