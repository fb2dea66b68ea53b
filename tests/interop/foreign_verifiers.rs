//! Random messages that signet signed, judged by dkimpy, Mail::DKIM and OpenDKIM, and
//! by `signet verify`.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use signet::dkim::{HeaderSection, SignRequest, Signer, SigningKey};
use signet::names::Selector;
use signet::verify::{Records, verify};
use tempfile::TempDir;

use crate::left_out::installed;
use crate::random_mail::{Random, message};
use crate::signed::{ED25519, RSA, SIGNED_AT, record, request};

const DRIVERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verifiers/");
const MESSAGES: usize = 150;
const CANONICALIZATIONS: [&str; 4] = [
    "simple/simple",
    "simple/relaxed",
    "relaxed/simple",
    "relaxed/relaxed",
];

/// Signs as the milter does: fields one by one, the body in pieces.
fn sign(message: &[u8], requests: Vec<SignRequest>, random: &mut Random) -> Vec<u8> {
    let end = memchr::memmem::find(message, b"\r\n\r\n").unwrap() + 2;
    let (fields, body) = (&message[..end], &message[end + 2..]);
    let mut section = HeaderSection::new();
    let mut field: Vec<u8> = Vec::new();
    let mut push = |field: &[u8]| {
        let colon = field.iter().position(|byte| *byte == b':').unwrap();
        section.push(&field[..colon], &field[colon + 1..]);
    };
    for line in fields.split_inclusive(|byte| *byte == b'\n') {
        if line[0] != b' ' && line[0] != b'\t' && !field.is_empty() {
            push(field.strip_suffix(b"\n").unwrap());
            field.clear();
        }
        // A milter gets folds as LF.
        field.extend_from_slice(line.strip_suffix(b"\r\n").unwrap());
        field.push(b'\n');
    }
    push(field.strip_suffix(b"\n").unwrap());
    let mut signer = Signer::new(section, requests, true);
    let mut rest = body;
    while !rest.is_empty() {
        let (piece, tail) = rest.split_at(1 + random.below(rest.len()));
        signer.body(piece);
        rest = tail;
    }
    let mut signed = Vec::new();
    for signature in signer.finish(SIGNED_AT).run().unwrap() {
        let value = String::from_utf8(signature.value).unwrap();
        let field = format!("DKIM-Signature:{}\r\n", value.replace('\n', "\r\n"));
        signed.extend_from_slice(field.as_bytes());
    }
    signed.extend_from_slice(message);
    signed
}

/// The message with one space after each colon and something behind it: OpenDKIM's test
/// mode takes whatever white space stands there for one space, whoever signed.
fn one_space(message: &[u8]) -> Vec<u8> {
    let end = memchr::memmem::find(message, b"\r\n\r\n").unwrap() + 2;
    let (fields, body) = message.split_at(end);
    let mut out = Vec::new();
    for line in fields.split_inclusive(|byte| *byte == b'\n') {
        let colon = line.iter().position(|byte| *byte == b':');
        match colon.filter(|_| !line[0].is_ascii_whitespace()) {
            Some(colon) => {
                out.extend_from_slice(&line[..=colon]);
                out.extend_from_slice(b" x");
                out.extend_from_slice(line[colon + 1..].trim_ascii_start());
                if !out.ends_with(b"\r\n") {
                    out.extend_from_slice(b"\r\n");
                }
            }
            None => out.extend_from_slice(line),
        }
    }
    [&out, body].concat()
}

/// A directory of messages `NUMBER.signed`, and the file of records beside it.
fn signed(seed: u64, keys: &[(&str, &Arc<SigningKey>)], shape: fn(&[u8]) -> Vec<u8>) -> TempDir {
    let directory = TempDir::new().unwrap();
    let path = |name: &str| directory.path().join(name);
    let mut random = Random::new(seed);
    let mut records = String::new();
    let mut known = Records::new();
    for (selector, key) in keys {
        let name = format!("{selector}._domainkey.example.com");
        known.insert(&name, record(key));
        records += &format!("{name}\t{}\n", record(key));
    }
    fs::write(path("records"), records).unwrap();
    for number in 0..MESSAGES {
        let canonicalization = CANONICALIZATIONS[number % 4];
        let requests = keys.iter().map(|(selector, key)| {
            let mut request = request(key, canonicalization);
            request.selector = Selector::parse(selector).unwrap();
            request
        });
        let requests = requests.collect();
        let original = shape(&message(&mut random));
        let signed = sign(&original, requests, &mut random);
        let reports = verify(&signed, &known, SIGNED_AT);
        let passed = reports.iter().filter(|report| report.verdict.is_pass());
        assert_eq!(
            passed.count(),
            keys.len(),
            "{canonicalization} {:?} {reports:?}",
            String::from_utf8_lossy(&signed)
        );
        fs::write(path(&format!("{number:03}.signed")), &signed).unwrap();
    }
    directory
}

/// The verdict of every signature is a pass, or that the verifier does not know the
/// algorithm; that may be only Ed25519.
fn judge(driver: &str, directory: &Path, signatures: usize) {
    let mut messages: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "signed"))
        .collect();
    messages.sort();
    let output = Command::new(format!("{DRIVERS}{driver}"))
        .arg(directory.join("records"))
        .args(&messages)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    for line in said.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        let fine = match columns[4] {
            "pass" => true,
            "unsupported" => columns[3] == "ed25519-sha256",
            _ => false,
        };
        assert!(
            fine,
            "{driver}: {line}\n{:?}",
            String::from_utf8_lossy(&fs::read(columns[0]).unwrap())
        );
    }
    assert_eq!(said.lines().count(), MESSAGES * signatures, "{driver}");
}

#[test]
fn dkimpy_takes_what_signet_signs() {
    let needed = ["/usr/bin/python3", "/usr/lib/python3/dist-packages/dkim"];
    if installed("python3-dkim", &needed) {
        let directory = signed(11, &[("rsa", &RSA), ("ed", &ED25519)], <[u8]>::to_vec);
        judge("dkimpy.py", directory.path(), 2);
    }
}

#[test]
fn mail_dkim_takes_what_signet_signs() {
    let needed = ["/usr/share/perl5/Mail/DKIM/Verifier.pm"];
    if installed("libmail-dkim-perl", &needed) {
        let directory = signed(12, &[("rsa", &RSA), ("ed", &ED25519)], <[u8]>::to_vec);
        judge("mail_dkim.pl", directory.path(), 2);
    }
}

#[test]
fn opendkim_takes_what_signet_signs() {
    if installed("opendkim", &["/usr/sbin/opendkim"]) {
        let directory = signed(13, &[("rsa", &RSA)], one_space);
        judge("opendkim.py", directory.path(), 1);
    }
}
