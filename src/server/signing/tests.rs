use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::Ed25519KeyPair;
use rsa::pkcs8::der::pem::{LineEnding, encode_string};
use tokio::task::JoinSet;

use super::*;
use crate::dkim::{Canonicalization, HeaderSection, HeaderSet, SignRequest, Signer};

fn read(der: &[u8]) -> SigningKey {
    let pem = encode_string("PRIVATE KEY", LineEnding::LF, der).unwrap();
    SigningKey::from_pem(pem.as_bytes()).unwrap()
}

fn rsa(size: KeySize) -> SigningKey {
    let pair = KeyPair::generate(size).unwrap();
    read(AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap().as_ref())
}

fn ed25519() -> SigningKey {
    let pair = Ed25519KeyPair::generate().unwrap();
    read(AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap().as_ref())
}

/// A message, told from others by its number, with one signature by each key.
fn job(number: usize, keys: &[Arc<SigningKey>]) -> SignJob {
    let mut section = HeaderSection::new();
    section.push(b"From", b" a@example.com");
    section.push(b"Subject", format!(" message {number}").as_bytes());
    let request = |key: &Arc<SigningKey>| SignRequest {
        key: key.clone(),
        domain: "example.com".parse().unwrap(),
        selector: "s1".parse().unwrap(),
        identity: None,
        canonicalization: Canonicalization::default(),
        header_set: Arc::new(HeaderSet::default()),
        expiry: None,
        request_reports: false,
    };
    let requests = keys.iter().map(request).collect();
    Signer::new(section, requests, true).finish(1_790_000_000)
}

/// Sends the messages at once, and holds each signature to the one that is made
/// alone: RSA and Ed25519 leave nothing to chance, so they must be the same bytes.
fn sign_at_once(fixture: &Arc<Fixture>, messages: &[Vec<Arc<SigningKey>>]) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for (number, keys) in messages.iter().enumerate() {
            let (fixture, job) = (fixture.clone(), job(number, keys));
            tasks.spawn(async move {
                let Fixture { signing, batches } = &*fixture;
                (number, signing.sign(job, batches).await.unwrap())
            });
        }
        while let Some(done) = tasks.join_next().await {
            let (number, signatures) = done.unwrap();
            let alone = job(number, &messages[number]).run().unwrap();
            assert!(signatures == alone, "message {number}: {signatures:?}");
        }
    });
}

struct Fixture {
    signing: Signing,
    batches: Batches,
}

impl Fixture {
    fn new(signing: Signing) -> Arc<Self> {
        let batches = Batches::default();
        Arc::new(Self { signing, batches })
    }

    /// Batches made, and signatures batched, alone and wrong.
    fn counts(&self) -> [u64; 4] {
        let Batches {
            made,
            batched,
            alone,
            wrong,
        } = &self.batches;
        [made, batched, alone, wrong].map(|count| count.get())
    }
}

/// With batches of three and more, however long they take here.
fn signing() -> Option<Arc<Fixture>> {
    let signing = Signing::with_accelerator(Accelerator::for_tests()?);
    signing.queues.iter().for_each(|queue| queue.pace.assume(3));
    Some(Fixture::new(signing))
}

#[test]
fn without_a_library_everything_is_signed_all_the_same() {
    let key = Arc::new(rsa(KeySize::Rsa2048));
    let signing = Fixture::new(Signing::default());
    sign_at_once(&signing, &vec![vec![key]; 10]);
    assert_eq!(signing.counts(), [0; 4]);
}

#[test]
fn messages_that_are_ready_together_are_signed_together() {
    let Some(signing) = signing() else { return };
    let keys = [(); 3].map(|()| Arc::new(rsa(KeySize::Rsa2048)));
    let messages: Vec<_> = (0..61).map(|n| vec![keys[n % 3].clone()]).collect();
    sign_at_once(&signing, &messages);
    assert_eq!(signing.counts(), [8, 61, 0, 0]);
}

#[test]
fn one_or_two_messages_wait_for_no_third() {
    let Some(signing) = signing() else { return };
    let key = Arc::new(rsa(KeySize::Rsa2048));
    sign_at_once(&signing, &[vec![key.clone()]]);
    sign_at_once(&signing, &[vec![key.clone()], vec![key]]);
    assert_eq!(signing.counts(), [0, 0, 3, 0]);
}

#[test]
fn keys_of_every_kind_sign_beside_each_other() {
    let Some(signing) = signing() else { return };
    let weak = include_bytes!("../../../keys/football.example.com/test.pem");
    let weak = Arc::new(SigningKey::from_pem(weak).unwrap());
    let (short, long) = (
        Arc::new(rsa(KeySize::Rsa2048)),
        Arc::new(rsa(KeySize::Rsa3072)),
    );
    let ed25519 = Arc::new(ed25519());
    let messages: Vec<_> = (0..20)
        .map(|n| match n % 5 {
            0 => vec![short.clone(), ed25519.clone()],
            1 => vec![long.clone()],
            2 => vec![weak.clone(), long.clone(), short.clone()],
            3 => vec![ed25519.clone()],
            _ => vec![short.clone(), short.clone()],
        })
        .collect();
    sign_at_once(&signing, &messages);
    let [_, batched, alone, wrong] = signing.counts();
    assert_eq!((batched + alone, wrong), (16 + 8, 0));
    assert!(batched > 12, "{batched} of 24");
}

#[test]
fn a_wrong_signature_never_leaves_and_ends_the_batches() {
    let Some(signing) = signing() else { return };
    let good = Arc::new(rsa(KeySize::Rsa2048));
    let mut faulty = rsa(KeySize::Rsa2048);
    faulty.spoil_batches();
    let faulty = Arc::new(faulty);
    let mut messages = vec![vec![good]; 8];
    messages[5] = vec![faulty];
    sign_at_once(&signing, &messages);
    assert_eq!(signing.counts(), [1, 7, 0, 1]);

    // Without batches nothing is counted either.
    sign_at_once(&signing, &messages);
    assert_eq!(signing.counts(), [1, 7, 0, 1]);
}
