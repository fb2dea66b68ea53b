//! What a signature costs: canonicalization alone, with hashing beside plain SHA-256,
//! and one private-key operation of each kind.
//!
//! `cargo bench --bench dkim`; one group: `cargo bench --bench dkim -- canonicalize`.
#![allow(clippy::unwrap_used, reason = "a bench may fail by panicking")]

use std::hint::black_box;
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::Ed25519KeyPair;
use base64ct::{Base64, Encoding};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use signet::dkim::{
    BodyCanonicalizer, Canonicalization, CanonicalizationAlgorithm, HeaderSection, HeaderSet,
    SignRequest, Signer, SigningKey,
};

const MEGABYTE: usize = 1 << 20;
/// What Postfix sends in one packet.
const CHUNK: usize = 65535;

/// A megabyte of body of each kind that matters to the scanner.
fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    let cases = [
        (
            "plain text",
            "The quick brown fox jumps over the lazy dog and then some more words come,\r\nas long as lines are.\r\n",
        ),
        (
            "text with changes in every line",
            "The quick brown fox jumps over the lazy dog.  And then some more words come, \r\n",
        ),
        (
            "base64",
            "VGhlIHF1aWNrIGJyb3duIGZveCBqdW1wcyBvdmVyIHRoZSBsYXp5IGRvZyBhbmQgdGhlbiBzb21l\r\n",
        ),
        (
            "html",
            "            <td class=\"x\">\r\n                        <a href=\"http://example.com/\">text</a>\r\n\t\t</td>\r\n",
        ),
        ("tabs", "abc\tdef\tghi\tjk\t12\t3456\r\n"),
        (
            "long runs of spaces",
            "                                                                                                                                                       x",
        ),
        ("empty lines", "\r\n"),
        ("lines of one space", " \r\n"),
    ];
    let fill = |text: &str| text.bytes().cycle().take(MEGABYTE).collect();
    cases.map(|(name, text)| (name, fill(text))).to_vec()
}

fn canonicalize(c: &mut Criterion) {
    for (label, algorithm) in [
        ("canonicalize relaxed", CanonicalizationAlgorithm::Relaxed),
        ("canonicalize simple", CanonicalizationAlgorithm::Simple),
    ] {
        let mut group = c.benchmark_group(label);
        group.throughput(Throughput::Bytes(MEGABYTE as u64));
        let run = |body: &[u8], chunk: usize| {
            let mut out = |piece: &[u8]| {
                black_box(piece);
            };
            let mut canonicalizer = BodyCanonicalizer::new(algorithm);
            for chunk in body.chunks(chunk) {
                canonicalizer.update(chunk, &mut out);
            }
            canonicalizer.finish(&mut out);
        };
        for (name, body) in bodies() {
            group.bench_function(name, |b| b.iter(|| run(&body, CHUNK)));
        }
        let (_, text) = bodies().swap_remove(0);
        group.bench_function("plain text byte by byte", |b| b.iter(|| run(&text, 1)));
    }
}

fn hash(c: &mut Criterion) {
    let key = ed25519();
    let mut group = c.benchmark_group("hash");
    group.throughput(Throughput::Bytes(MEGABYTE as u64));
    for (name, body) in bodies() {
        group.bench_function(format!("relaxed: {name}"), |b| {
            b.iter(|| {
                let mut signer = Signer::new(header_section(), vec![request(&key)], true);
                for chunk in body.chunks(CHUNK) {
                    signer.body(chunk);
                }
                signer.finish(0)
            });
        });
    }
    let (_, text) = bodies().swap_remove(0);
    group.bench_function("SHA-256 alone", |b| {
        b.iter(|| {
            let mut context = Context::new(&SHA256);
            for chunk in text.chunks(CHUNK) {
                context.update(chunk);
            }
            context.finish()
        });
    });
}

fn sign(c: &mut Criterion) {
    let keys = [
        ("RSA-1024", weak_rsa()),
        ("RSA-2048", rsa(KeySize::Rsa2048)),
        ("RSA-3072", rsa(KeySize::Rsa3072)),
        ("RSA-4096", rsa(KeySize::Rsa4096)),
        ("Ed25519", ed25519()),
    ];
    let mut group = c.benchmark_group("sign");
    let canonical = [b'x'; 1000];
    for (name, key) in &keys {
        group.bench_function(*name, |b| b.iter(|| key.sign(&canonical)));
    }
    // All but the private-key operation: selection, header, field.
    let request = request(&keys[4].1);
    group.bench_function("whole message of 4 KiB, Ed25519", |b| {
        b.iter(|| {
            let mut signer = Signer::new(header_section(), vec![request.clone()], true);
            signer.body(&[b'x'; 4096]);
            signer.finish(0).run().unwrap()
        });
    });
}

fn request(key: &Arc<SigningKey>) -> SignRequest {
    SignRequest {
        key: Arc::clone(key),
        domain: "example.com".parse().unwrap(),
        selector: "s1".parse().unwrap(),
        identity: None,
        canonicalization: Canonicalization::default(),
        header_set: Arc::new(HeaderSet::default()),
        expiry: None,
        request_reports: false,
    }
}

/// The fields of ordinary mail.
fn header_section() -> HeaderSection {
    let mut section = HeaderSection::new();
    for (name, value) in [
        (
            "Received",
            " from client.example.com (client.example.com [192.0.2.1])\n\tby mail.example.com (Postfix) with ESMTPSA id 4XyZ\n\tfor <b@example.org>; Sun, 22 Nov 2026 12:00:00 +0000 (UTC)",
        ),
        ("Date", " Sun, 22 Nov 2026 12:00:00 +0000"),
        ("MIME-Version", " 1.0"),
        ("User-Agent", " Mozilla Thunderbird"),
        (
            "Subject",
            " =?UTF-8?Q?An_ordinary_subject_of_an_ordinary_length?=",
        ),
        ("Content-Language", " en-GB"),
        ("To", " \"B\" <b@example.org>, \"C\" <c@example.org>"),
        ("From", " \"A\" <a@example.com>"),
        ("Message-ID", " <0123456789abcdef@example.com>"),
        ("Content-Type", " text/plain; charset=UTF-8; format=flowed"),
        ("Content-Transfer-Encoding", " 8bit"),
    ] {
        section.push(name.as_bytes(), value.as_bytes());
    }
    section
}

fn rsa(size: KeySize) -> Arc<SigningKey> {
    let pair = KeyPair::generate(size).unwrap();
    read(AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap().as_ref())
}

fn ed25519() -> Arc<SigningKey> {
    let pair = Ed25519KeyPair::generate().unwrap();
    read(AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap().as_ref())
}

fn weak_rsa() -> Arc<SigningKey> {
    let pem = include_bytes!("../keys/football.example.com/test.pem");
    Arc::new(SigningKey::from_pem(pem).unwrap())
}

fn read(der: &[u8]) -> Arc<SigningKey> {
    let text = Base64::encode_string(der);
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
    Arc::new(SigningKey::from_pem(pem.as_bytes()).unwrap())
}

criterion_group!(benches, canonicalize, hash, sign);
criterion_main!(benches);
