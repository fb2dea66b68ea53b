//! What stands in a message: 8-bit text, odd header fields, large attachments.

use crate::instance::Setup;
use crate::judges::{self, Opinion};
use crate::keys::{ED25519, RSA};
use crate::stand::{DOMAIN, SENDER, Stand, message};

const CANONICALIZATIONS: [&str; 4] = [
    "relaxed/relaxed",
    "relaxed/simple",
    "simple/relaxed",
    "simple/simple",
];

fn stand(canonicalization: &str) -> Option<Stand> {
    let config = format!("[signing]\ncanonicalization = \"{canonicalization}\"\n");
    Stand::with(&Setup::default(), &[DOMAIN], &[RSA, ED25519], &config)
}

/// RFC 6376 §3.4: each pair, on fields and lines that tell them apart.
#[test]
fn every_canonicalization_survives_odd_fields_and_lines() {
    let odd = "Date: Sun, 22 Nov 2026 10:00:00 +0000\r\n\
               MESSAGE-id:<1@example.org>\r\n\
               From:\tAuthor  of \r\n \t this <author@example.org> \r\n\
               To:\r\n reader@sink.test\r\n\
               Cc: \r\n\
               Subject:no space\r\n\
               subject : a second one, and a space before the colon\r\n\
               Reply-To: =?utf-8?q?J=C3=BCrgen?=\r\n\t<juergen@example.org>,\r\n  other@example.org\r\n\
               X-Empty:\r\n\
               X-8bit: \u{fc} \u{4e2d}\u{6587}\r\n\
               MIME-Version: 1.0\r\n\
               Content-Type: text/plain;\r\n\tcharset=utf-8\r\n\
               Content-Transfer-Encoding: 8bit\r\n\
               \r\n\
               \r\n\
               two  spaces, a\ttab, and some at the end \t \r\n\
               \u{fc}\u{4e2d}\u{6587}\r\n\
               .\r\n\
               .. dots\r\n\
               \x20\r\n\
               \r\n\
               \t\r\n\
               \r\n";
    for canonicalization in CANONICALIZATIONS {
        let Some(stand) = stand(canonicalization) else {
            return;
        };
        let signed = stand.pass_from("signed", &format!("{SENDER} BODY=8BITMIME"), odd.as_bytes());
        for signature in 0..stand.keys.selectors().len() {
            assert_eq!(signed.parts().tag(signature, "c"), canonicalization);
        }
        stand.assert_signed(&signed, odd.as_bytes());
    }
}

/// The judges are no yes-men: a change to what was signed turns every one of them.
#[test]
fn no_judge_accepts_a_changed_message() {
    let Some(stand) = stand("relaxed/relaxed") else {
        return;
    };
    let signed = stand.pass("signed", &message("Pay ten euros\r\n")).message;
    let signed = String::from_utf8(signed).unwrap();
    let changes = [
        ("ten euros", "six euros"),
        ("Subject: A subject", "Subject: Another"),
        ("From: Author", "From: Writer"),
        ("\r\nFrom:", "\r\nFrom: mallory@evil.example\r\nFrom:"),
        ("\r\nTo:", "\r\nCc: more@sink.test\r\nTo:"),
    ];
    for (before, after) in changes {
        let changed = signed.replacen(before, after, 1);
        assert_ne!(changed, signed);
        let verdicts = judges::judge(&stand.keys, &[changed.as_bytes()]).remove(0);
        assert!(verdicts.len() >= 6, "{verdicts:#?}");
        for verdict in verdicts {
            assert_ne!(verdict.passed, Opinion::Pass, "{after:?}: {verdict:#?}");
        }
    }
}

#[test]
fn messages_without_a_body_are_signed() {
    let Some(stand) = stand("simple/simple") else {
        return;
    };
    let header = message("");
    stand.assert_signs(&header);
    stand.assert_signs(&[&header[..], b"\r\n\r\n\r\n"].concat());
    // Header fields alone, without even the empty line.
    stand.assert_signs(&header[..header.len() - 2]);
}

#[test]
fn large_attachments_are_signed() {
    for canonicalization in ["relaxed/relaxed", "simple/simple"] {
        let Some(stand) = stand(canonicalization) else {
            return;
        };
        for size in [1 << 20, 20 << 20] {
            stand.assert_signs(&with_attachment(size));
        }
    }
}

/// A multipart message whose attachment has `size` bytes, base64 included.
fn with_attachment(size: usize) -> Vec<u8> {
    let header = String::from_utf8(message("")).unwrap();
    let header = header
        .replace(
            "text/plain; charset=utf-8",
            "multipart/mixed; boundary=limit",
        )
        .replace("8bit", "7bit");
    let start = "--limit\r\nContent-Type: text/plain\r\n\r\nSee the attachment.\r\n\
                 --limit\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    let mut message = [header, start.to_owned()].concat().into_bytes();
    // Not random, and no line like the one before it: a lost or doubled line changes the hash.
    let mut number = 1u64;
    while message.len() < size {
        let line: String = (0..76)
            .map(|_| {
                number = number
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
                char::from(letters[usize::try_from(number >> 58).unwrap()])
            })
            .collect();
        message.extend_from_slice(line.as_bytes());
        message.extend_from_slice(b"\r\n");
    }
    message.extend_from_slice(b"--limit--\r\n");
    message
}
