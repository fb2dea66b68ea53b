//! Signatures made by `dkim`, judged by mail-auth's verifier, which shares none of
//! its canonicalization.
#![allow(clippy::unwrap_used, reason = "tests may fail by panicking")]

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::Ed25519KeyPair;
use base64ct::{Base64, Encoding};
use mail_auth::common::parse::TxtRecordParser;
use mail_auth::common::verify::DomainKey;
use mail_auth::{
    AuthenticatedMessage, DkimResult, MessageAuthenticator, Parameters, ResolverCache, Txt,
};
use rsa::pkcs8::EncodePrivateKey;
use signet::dkim::{HeaderSection, HeaderSet, SignRequest, Signer, SigningKey};
use signet::names::{DomainName, Selector};

const MESSAGE: &str = "Received: from a by b;\r\n\tTue, 22 Dec 2009 13:04:12 -0800\r\n\
From: =?utf-8?q?B=C3=BCcher?=\r\n <user@example.com>\r\n\
To:a@example.org,\t b@example.org \r\n\
Subject:  Signing \t test  \r\n\
X-Empty:\r\n\
Date: Tue, 22 Dec 2009 13:04:12 -0800\r\n\
\r\n\
This is  a test!\t\r\n\
\r\n\
With\ttabs and \t runs.   \r\n\
\r\n\r\n";

fn rsa(bits: usize) -> Arc<SigningKey> {
    let size = match bits {
        2048 => KeySize::Rsa2048,
        3072 => KeySize::Rsa3072,
        4096 => KeySize::Rsa4096,
        _ => {
            let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, bits).unwrap();
            return read(key.to_pkcs8_der().unwrap().as_bytes());
        }
    };
    let pair = KeyPair::generate(size).unwrap();
    read(AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap().as_ref())
}

fn ed25519() -> Arc<SigningKey> {
    let pair = Ed25519KeyPair::generate().unwrap();
    read(AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap().as_ref())
}

fn read(der: &[u8]) -> Arc<SigningKey> {
    let text = Base64::encode_string(der);
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
    Arc::new(SigningKey::from_pem(pem.as_bytes()).unwrap())
}

fn request(key: &Arc<SigningKey>, selector: &str, canonicalization: &str) -> SignRequest {
    SignRequest {
        key: Arc::clone(key),
        domain: DomainName::parse("example.com").unwrap(),
        selector: Selector::parse(selector).unwrap(),
        identity: Some("ü;us=er@mail.example.com".to_owned()),
        canonicalization: canonicalization.parse().unwrap(),
        header_set: Arc::new(HeaderSet::default()),
        expiry: Some(Duration::from_secs(3600)),
        request_reports: true,
    }
}

/// The message with its signatures on top.
fn sign(message: &str, requests: Vec<SignRequest>, leading_space: bool) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let (header, body) = message.split_once("\r\n\r\n").unwrap();
    let mut section = HeaderSection::new();
    let unfolded = header.replace("\r\n\t", "\n\t").replace("\r\n ", "\n ");
    for line in unfolded.split("\r\n") {
        let (name, value) = line.split_once(':').unwrap();
        let eaten = value.strip_prefix(' ').unwrap_or(value);
        let value = if leading_space { value } else { eaten };
        section.push(name.as_bytes(), value.as_bytes());
    }
    let mut signer = Signer::new(section, requests, leading_space);
    for chunk in body.as_bytes().chunks(7) {
        signer.body(chunk);
    }
    let signatures = signer.finish(now.as_secs()).run().unwrap();
    let fields = signatures
        .iter()
        .map(|signature| String::from_utf8(signature.to_field()).unwrap());
    fields.collect::<String>() + message
}

struct Records(HashMap<Box<str>, Txt>);

impl ResolverCache<Box<str>, Txt> for Records {
    fn get<Q: Hash + Eq + ?Sized>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
    {
        self.0.get(name).cloned()
    }
    fn remove<Q: Hash + Eq + ?Sized>(&self, _: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
    {
        None
    }
    fn insert(&self, _: Box<str>, _: Txt, _: Instant) {}
}

/// What mail-auth says of each signature.
fn verify(message: &str, keys: &[(&str, &Arc<SigningKey>)]) -> Vec<DkimResult> {
    let records = keys.iter().map(|(selector, key)| {
        let public_key = key.public_key();
        let p = Base64::encode_string(&public_key.bytes);
        let record = format!("v=DKIM1; k={}; p={p}", public_key.key_type);
        let record = DomainKey::parse(record.as_bytes()).unwrap();
        let name = format!("{selector}._domainkey.example.com.");
        (name.into_boxed_str(), Txt::DomainKey(Arc::new(record)))
    });
    let records = Records(records.collect());
    let parsed = AuthenticatedMessage::parse(message.as_bytes()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let authenticator = MessageAuthenticator::new_system_conf().unwrap();
        let parameters = Parameters::new(&parsed).with_txt_cache(&records);
        let outputs = authenticator.verify_dkim(parameters).await;
        outputs
            .iter()
            .map(|output| output.result().clone())
            .collect()
    })
}

#[test]
fn every_kind_of_key_makes_a_signature_that_verifies() {
    for key in [rsa(1024), rsa(2048), rsa(3072), rsa(4096), ed25519()] {
        let signed = sign(MESSAGE, vec![request(&key, "s1", "relaxed")], true);
        assert_eq!(
            verify(&signed, &[("s1", &key)]),
            [DkimResult::Pass],
            "{key:?}\n{signed}"
        );
    }
}

#[test]
fn every_canonicalization_verifies() {
    let key = ed25519();
    for pair in [
        "simple/simple",
        "simple/relaxed",
        "relaxed/simple",
        "relaxed/relaxed",
    ] {
        let signed = sign(MESSAGE, vec![request(&key, "s1", pair)], true);
        assert!(signed.contains(&format!(" c={pair};")));
        assert_eq!(
            verify(&signed, &[("s1", &key)]),
            [DkimResult::Pass],
            "{signed}"
        );
    }
}

#[test]
fn without_leading_space_the_header_is_relaxed_and_verifies() {
    let key = ed25519();
    let signed = sign(MESSAGE, vec![request(&key, "s1", "simple/simple")], false);
    assert!(signed.contains(" c=relaxed/simple;"));
    assert!(signed.starts_with("DKIM-Signature: v=1;"));
    assert_eq!(verify(&signed, &[("s1", &key)]), [DkimResult::Pass]);
}

#[test]
fn two_keys_make_two_signatures_in_the_order_asked() {
    let (rsa, ed25519) = (rsa(2048), ed25519());
    let requests = vec![
        request(&rsa, "r1", "relaxed/relaxed"),
        request(&ed25519, "e1", "simple/simple"),
        request(&rsa, "r2", "relaxed/simple"),
    ];
    let signed = sign(MESSAGE, requests, true);
    let keys = [("r1", &rsa), ("e1", &ed25519), ("r2", &rsa)];
    assert_eq!(
        verify(&signed, &keys),
        vec![DkimResult::Pass; 3],
        "{signed}"
    );
    let at = |text: &str| signed.find(text).unwrap();
    assert!(at("s=r1;") < at("s=e1;") && at("s=e1;") < at("s=r2;"));
}

#[test]
fn what_is_changed_or_added_afterwards_breaks_the_signature() {
    let key = ed25519();
    let signed = sign(MESSAGE, vec![request(&key, "s1", "relaxed/relaxed")], true);
    let fails = |changed: String| {
        assert_ne!(changed, signed);
        assert_ne!(verify(&changed, &[("s1", &key)]), [DkimResult::Pass]);
    };
    fails(signed.replace("a test!", "a test?"));
    fails(signed.replace("Signing", "Singing"));
    fails(signed.replace("Subject:", "From: other@example.com\r\nSubject:"));
    fails(format!("From: other@example.com\r\n{signed}"));
    fails(format!("Cc: other@example.com\r\n{signed}"));
    fails(signed.replace("X-Empty", "Date: now\r\nX-Empty"));
}
