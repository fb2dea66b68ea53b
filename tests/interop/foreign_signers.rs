//! Messages that dkimpy and Mail::DKIM signed: all pass, and spoilt none does. Thousands of them, so they are verified in this process.

use std::fs;
use std::path::Path;
use std::process::Command;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64ct::{Base64, Encoding};
use signet::dkim::SigningKey;
use signet::verify::{Records, Verdict, verify};
use tempfile::TempDir;

use crate::left_out::installed;
use crate::random_mail::{Random, message};
use crate::signed::{NAME, pem, record};

const DRIVERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verifiers/");
const MESSAGES: usize = 120;

/// A directory with random messages and a key, and the records for that key.
fn prepared(seed: u64, ed25519: bool) -> (TempDir, Records) {
    let directory = TempDir::new().unwrap();
    let path = |name: &str| directory.path().join(name);
    let mut random = Random::new(seed);
    for number in 0..MESSAGES {
        fs::write(path(&format!("{number:03}.eml")), message(&mut random)).unwrap();
    }
    let mut records = Records::new();
    if ed25519 {
        let seed: Vec<u8> = (0..32).map(|_| random.next() as u8).collect();
        fs::write(path("key"), Base64::encode_string(&seed)).unwrap();
        let pair = aws_lc_rs::signature::Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
        let public = aws_lc_rs::signature::KeyPair::public_key(&pair).as_ref();
        let public = Base64::encode_string(public);
        records.insert(NAME, format!("v=DKIM1; k=ed25519; p={public}"));
    } else {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
        let pem = pem(der.as_ref());
        fs::write(path("key"), &pem).unwrap();
        let key = SigningKey::from_pem(pem.as_bytes()).unwrap();
        records.insert(NAME, record(&key));
    }
    (directory, records)
}

fn run(program: &str, arguments: &[&str], directory: &Path) {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// Every signed message of the directory passes; spoilt, none does.
fn judge(directory: &Path, records: &Records, count: usize) {
    let mut random = Random::new(7);
    let mut seen = 0;
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_none_or(|extension| extension != "signed")
        {
            continue;
        }
        seen += 1;
        let signed = fs::read(&path).unwrap();
        let shown = || String::from_utf8_lossy(&signed).into_owned();
        let reports = verify(&signed, records, 1_800_000_000);
        assert_eq!(reports.len(), 1, "{path:?}\n{}", shown());
        assert_eq!(reports[0].verdict, Verdict::Pass, "{path:?}\n{:?}", shown());
        for _ in 0..4 {
            let (spoilt, how) = spoil(&signed, &mut random);
            let reports = verify(&spoilt, records, 1_800_000_000);
            assert!(
                !reports.iter().any(|report| report.verdict.is_pass()),
                "{how} {path:?}\n{:?}",
                shown()
            );
        }
    }
    assert_eq!(seen, count);
}

/// A change that no canonicalization forgives.
fn spoil(signed: &[u8], random: &mut Random) -> (Vec<u8>, &'static str) {
    let mut spoilt = signed.to_vec();
    let end = spoilt
        .windows(4)
        .position(|bytes| bytes == b"\r\n\r\n")
        .unwrap()
        + 2;
    match random.below(5) {
        0 => {
            spoilt.extend_from_slice(b"\r\nmore");
            (spoilt, "text at the end")
        }
        1 => {
            spoilt.splice(0..0, *b"From: eve@example.net\r\n");
            (spoilt, "another From on top")
        }
        2 => {
            spoilt.splice(end..end, *b"From: eve@example.net\r\n");
            (spoilt, "another From below")
        }
        _ => {
            // The last character of b= has bits that say nothing, and RFC 6376 §3.7 takes
            // its value out of what is signed; the other places all count.
            let b = value_of_b(&spoilt);
            let places: Vec<usize> = (0..spoilt.len())
                .filter(|at| spoilt[*at].is_ascii_alphanumeric() && !b.contains(at))
                .collect();
            let at = places[random.below(places.len())];
            spoilt[at] = if spoilt[at] == b'7' { b'8' } else { b'7' };
            (spoilt, "one character")
        }
    }
}

fn value_of_b(signed: &[u8]) -> std::ops::Range<usize> {
    let tag = [&b" b="[..], b"\tb=", b"; b=", b";b="]
        .iter()
        .filter_map(|tag| memchr::memmem::find(signed, tag).map(|at| at + tag.len()))
        .min()
        .unwrap();
    let tail = &signed[tag..];
    let end = tail.windows(3).position(|bytes| {
        bytes.starts_with(b";") || (bytes.starts_with(b"\r\n") && !bytes[2].is_ascii_whitespace())
    });
    tag..tag + end.unwrap()
}

const PYTHON: &str = "/usr/bin/python3";
const DKIMPY: &str = "/usr/lib/python3/dist-packages/dkim";

#[test]
fn messages_signed_by_dkimpy() {
    if !installed("python3-dkim", &[PYTHON, DKIMPY]) {
        return;
    }
    let driver = format!("{DRIVERS}sign_dkimpy.py");
    for (seed, algorithm) in [(1, "rsa"), (2, "ed25519")] {
        let (directory, records) = prepared(seed, algorithm == "ed25519");
        let arguments = [&driver, algorithm, "key", "s1", "example.com", "."];
        run(PYTHON, &arguments, directory.path());
        judge(directory.path(), &records, 4 * MESSAGES);
    }
}

#[test]
fn messages_signed_by_mail_dkim() {
    if !installed(
        "libmail-dkim-perl",
        &["/usr/share/perl5/Mail/DKIM/Signer.pm"],
    ) {
        return;
    }
    let driver = format!("{DRIVERS}sign_mail_dkim.pl");
    let (directory, records) = prepared(3, false);
    let arguments = [&driver, "key", "s1", "example.com", "."];
    run("/usr/bin/perl", &arguments, directory.path());
    judge(directory.path(), &records, 4 * MESSAGES);
}
