//! A message signed by `dkim`, to be spoilt in every way.
#![allow(
    dead_code,
    reason = "every test takes what it needs of this, no test takes all"
)]

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::Ed25519KeyPair;
use base64ct::{Base64, Encoding};
use signet::dkim::{HeaderSection, HeaderSet, SignRequest, Signer, SigningKey};
use signet::dns::KeyRecord;
use signet::names::{DomainName, Selector};

/// When the messages are signed: 2026-01-02 03:04:05 UTC.
pub const SIGNED_AT: u64 = 1_767_323_045;
pub const NAME: &str = "s1._domainkey.example.com";

pub const FIELDS: &str = "From: Ann <ann@example.com>\r\nTo: bob@example.org\r\n\
    Subject: Two\r\n lines\r\nDate: Fri, 02 Jan 2026 03:04:05 +0000\r\n\
    Message-ID: <1@example.com>\r\n";
pub const BODY: &str = "Hello,\r\n\r\nthis is a body.\r\n";

pub static RSA: LazyLock<Arc<SigningKey>> = LazyLock::new(rsa);
pub static ED25519: LazyLock<Arc<SigningKey>> = LazyLock::new(|| {
    let pair = Ed25519KeyPair::generate().unwrap();
    read(AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap().as_ref())
});

/// A new key.
pub fn rsa() -> Arc<SigningKey> {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    read(AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap().as_ref())
}

pub fn pem(der: &[u8]) -> String {
    let text = Base64::encode_string(der);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        lines.join("\n")
    )
}

fn read(der: &[u8]) -> Arc<SigningKey> {
    Arc::new(SigningKey::from_pem(pem(der).as_bytes()).unwrap())
}

/// The text of a key's record.
pub fn record(key: &SigningKey) -> String {
    KeyRecord::new(&key.public_key()).to_string()
}

/// The record of [`RSA`] at [`NAME`], in a file.
pub fn records() -> String {
    format!("{NAME} {}\n", record(&RSA))
}

pub fn request(key: &Arc<SigningKey>, canonicalization: &str) -> SignRequest {
    SignRequest {
        key: Arc::clone(key),
        domain: DomainName::parse("example.com").unwrap(),
        selector: Selector::parse("s1").unwrap(),
        identity: None,
        canonicalization: canonicalization.parse().unwrap(),
        header_set: Arc::new(HeaderSet::default()),
        expiry: None,
        request_reports: false,
    }
}

/// The message with its signatures on top.
pub fn sign(fields: &str, body: &str, requests: Vec<SignRequest>) -> String {
    let mut section = HeaderSection::new();
    let mut rest = fields;
    while let Some((name, tail)) = rest.split_once(':') {
        let end = tail
            .match_indices("\r\n")
            .find(|(at, _)| !tail[at + 2..].starts_with([' ', '\t']));
        let (value, tail) = tail.split_at(end.unwrap().0);
        section.push(name.as_bytes(), value.as_bytes());
        rest = &tail[2..];
    }
    let mut signer = Signer::new(section, requests, true);
    signer.body(body.as_bytes());
    let signatures = signer.finish(SIGNED_AT).run().unwrap();
    let mut message = String::new();
    for signature in &signatures {
        let value = String::from_utf8(signature.value.clone()).unwrap();
        message += &format!("DKIM-Signature:{}\r\n", value.replace('\n', "\r\n"));
    }
    message + fields + "\r\n" + body
}

/// [`FIELDS`] and [`BODY`] with one signature by [`RSA`].
pub fn message() -> String {
    sign(FIELDS, BODY, vec![request(&RSA, "relaxed/relaxed")])
}

/// The same with `x=`, so many seconds after [`SIGNED_AT`].
pub fn expiring(seconds: u64) -> String {
    let mut request = request(&RSA, "relaxed/relaxed");
    request.expiry = Some(Duration::from_secs(seconds));
    sign(FIELDS, BODY, vec![request])
}
