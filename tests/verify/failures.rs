//! Every way in which a signature can fail, and the exact words for it.

use crate::run::{Said, with_records};
use crate::signed::*;

fn verify(message: &str, records: &str) -> Said {
    with_records(message.as_bytes(), records, &[])
}

#[track_caller]
fn fails(message: &str, records: &str, words: &str) -> Said {
    let said = verify(message, records);
    assert_eq!(said.verdict(), format!("FAIL: {words}"));
    assert_eq!(said.code, 1);
    assert_eq!(said.err, "");
    said
}

#[track_caller]
fn passes(message: &str, records: &str) -> Said {
    let said = verify(message, records);
    assert_eq!((said.verdict(), said.code), ("pass", 0), "{said:?}");
    said
}

/// The record of the key with other tags in front of `p=`.
fn record_with(tags: &str) -> String {
    records().replace("k=rsa;", tags)
}

#[test]
fn a_good_signature_is_told_with_its_key_and_its_fields() {
    let said = passes(&message(), &records());
    for (tag, words) in [
        (
            "a=rsa-sha256",
            "RSA over SHA-256, which every receiver can check",
        ),
        (
            "d=example.com",
            "the signing domain, which answers for the message",
        ),
        (
            "s=s1",
            "the selector: the key is at s1._domainkey.example.com",
        ),
        ("t=1767323045", "signed on 2026-01-02 03:04:05 UTC, "),
    ] {
        let said = said.of(&format!("  {tag}")).trim_start();
        assert!(said.starts_with(words), "{said:?}");
    }
    assert_eq!(
        said.of("  key: "),
        "rsa, 2048 bits, at s1._domainkey.example.com"
    );
    assert!(said.of("  signed: ").contains("subject"), "{said:?}");
    assert!(!said.out.contains("not signed"), "{said:?}");
    assert!(!said.out.contains("warning"), "{said:?}");
}

#[test]
fn a_changed_body() {
    let body = |from: &str, to: &str, words: &str| {
        let changed = message().replace(from, to);
        let words = format!("the body was changed after signing: {words}");
        let said = fails(&changed, &records(), &words);
        assert_eq!(
            said.of("  header: "),
            "as it was signed, by the key in DNS; only the body was changed"
        );
        let said = fails(&changed.replace("To: bob", "To: eve"), &records(), &words);
        assert_eq!(
            said.of("  header: "),
            "does not fit either: a signed field was changed, added or removed after signing"
        );
    };
    body("a body", "A body", "its hash is not the one in bh=");
    body(BODY, "", "a body was signed, and the message has none");
    body(
        "body.\r\n",
        "body.\r\n-- \r\nA footer.\r\n",
        "2 lines were added at its end",
    );
    body(
        "body.\r\n",
        "body.\r\nAd\r\n\r\n",
        "one line was added at its end",
    );
    let nothing = sign(FIELDS, "\r\n", vec![request(&RSA, "simple/simple")]);
    fails(
        &(nothing + "x\r\n"),
        &records(),
        "the body was changed after signing: no body was signed, and the message has one",
    );
    let mailbox = sign(
        FIELDS,
        "From here\r\n",
        vec![request(&RSA, "simple/simple")],
    );
    fails(
        &mailbox.replace("\r\n\r\nFrom", "\r\n\r\n>From"),
        &records(),
        "the body was changed after signing: \">\" was put before lines that begin with \"From \"",
    );
    let dots = sign(FIELDS, "a\r\n.b\r\n", vec![request(&RSA, "simple/simple")]);
    fails(
        &dots.replace("\r\n.b", "\r\n..b"),
        &records(),
        "the body was changed after signing: dots at the start of lines are doubled, as SMTP \
         does on the wire",
    );
}

/// What Postfix does on its way out, after the milter has signed.
#[test]
fn a_body_that_the_next_server_rewrote() {
    let changed = |body: &str, now: &str, words: &str| {
        let message = sign(FIELDS, body, vec![request(&RSA, "relaxed/relaxed")]);
        let message = message.replace(body, now);
        let words = format!("the body was changed after signing: {words}");
        fails(&message, &records(), &words);
    };
    changed(
        "Grüße =\r\n",
        "Gr=C3=BC=\r\n=C3=9Fe =3D\r\n",
        "8-bit text was made quoted-printable; sign after that, or have the message \
         quoted-printable before it is signed",
    );
    let (first, second) = ("x".repeat(998), "y".repeat(997));
    changed(
        &format!("{first}{second}z\r\nend\r\n"),
        &format!("{first}\r\n {second}\r\n z\r\nend\r\n"),
        "lines longer than the 998 bytes of SMTP were broken (Postfix does so as it sends: \
         smtp_line_length_limit)",
    );
}

#[test]
fn a_signer_that_hashes_lf() {
    // What a signer puts into bh= that is given "a\nb\n".
    let message = message();
    let bh = message
        .split("bh=")
        .nth(1)
        .unwrap()
        .split(';')
        .next()
        .unwrap();
    let wrong = "kRFp3arxRq/1OfWMJsSJrzuJLf8P4oPBwmTGWuWqWaI=";
    let lf = message.replace(bh, wrong).replace(BODY, "a\r\nb\r\n");
    fails(
        &lf,
        &records(),
        "the signer hashed the body with lines that end in LF; mail has CRLF, so give the signer \
         CRLF",
    );
}

#[test]
fn a_changed_header_and_a_wrong_key_are_told_apart() {
    let changed = "a signed header field was changed, added or removed after signing (the key at \
        s1._domainkey.example.com did make the signature, and the body is unchanged)";
    for (from, to) in [("Ann", "Eve"), ("To: bob@example.org\r\n", "")] {
        fails(&message().replace(from, to), &records(), changed);
    }
    // Names in h= once more than there are fields: nothing can be added.
    for name in ["Subject", "From"] {
        let field = format!("{name}: eve@example.com\r\nTo: bob");
        fails(
            &message().replace("To: bob", &field),
            &records(),
            &format!("a {name} field was added after signing (without it the signature is good)"),
        );
    }
    fails(
        &message().replace("Subject: ", "Subject: [list] "),
        &records(),
        "a tag in brackets was put before the Subject after signing, as mailing lists do (without \
         it the signature is good)",
    );
    let simple = sign(FIELDS, BODY, vec![request(&RSA, "simple/simple")]);
    fails(
        &simple.replace("To: ", "To:").replace("From: ", "From:\t"),
        &records(),
        "the white space behind the colons of header fields was changed after signing, which \
         simple header canonicalization does not forgive",
    );
    let other = format!("{NAME} {}\n", record(&rsa()));
    fails(
        &message(),
        &other,
        "the key at s1._domainkey.example.com is not the one that made the signature; publish \
         the public key that belongs to the private key in use",
    );
    let ed25519 = sign(FIELDS, BODY, vec![request(&ED25519, "simple/simple")]);
    let record = format!("{NAME} {}\n", record(&ED25519));
    passes(&ed25519, &record);
    fails(
        &ed25519.replace("To: bob", "Cc: eve@example.com\r\nTo: bob"),
        &record,
        "a Cc field was added after signing (without it the signature is good)",
    );
    fails(
        &ed25519.replace("Ann", "Eve"),
        &record,
        "the signature does not fit: either a signed header field was changed after signing, or \
         the key at s1._domainkey.example.com is not the one that signed (the body is unchanged)",
    );
}

#[test]
fn a_key_that_cannot_be_used_6_1_2() {
    let at = "s1._domainkey.example.com";
    let fails = |record: &str, words: &str| {
        fails(&message(), record, words);
    };
    fails(
        "s2._domainkey.example.com v=DKIM1; p=\n",
        &format!("there is no TXT record at {at}; publish the key there"),
    );
    fails(
        &format!("{NAME} v=DKIM1; p=\n"),
        &format!("the key at {at} is revoked: p= is empty"),
    );
    // A zone file without quotation marks.
    fails(
        &format!("{NAME}. TXT v=DKIM1; k=rsa; p=AA\n"),
        &format!(
            "the TXT record at {at} is not a key record: there is no public key (p=); if the \
             record ends after \"v=DKIM1\", its zone file lacks quotation marks and the \";\" \
             began a comment"
        ),
    );
    fails(
        &format!("{NAME} {}\n", record(&ED25519)),
        &format!("the signature is a=rsa-sha256, but the key at {at} is k=ed25519"),
    );
    fails(
        &record_with("h=sha1; k=rsa;"),
        &format!("the record at {at} allows only the hash algorithms h=sha1, not sha256"),
    );
    fails(
        &record_with("s=tlsrpt;"),
        &format!("the record at {at} is for the services s=tlsrpt, not for e-mail"),
    );
    let short = "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAMXJpdLyIn61Mq3XKMOJ7FesygZPrHLI\
        CtZ8+YqH+VEr7yMWzti9vWwYuSbT1z7QlkrQ7YeNTgDWmFcvDFJ1mIUCAwEAAQ==";
    fails(
        &format!("{NAME} v=DKIM1; p={short}\n"),
        &format!(
            "the RSA key at {at} has 512 bits; verifiers take 1024 at least (RFC 8301 section 3.2)"
        ),
    );
}

#[test]
fn an_identity_below_the_domain_is_refused_by_t_s_3_6_1() {
    let mut request = request(&RSA, "relaxed/simple");
    request.identity = Some("ann@mail.example.com".to_owned());
    let message = sign(FIELDS, BODY, vec![request]);
    passes(&message, &records());
    fails(
        &message,
        &record_with("t=s;"),
        "the record at s1._domainkey.example.com says t=s, so the domain of \
         i=ann@mail.example.com must be d=example.com itself",
    );
}

#[test]
fn an_expired_signature_3_5() {
    fails(
        &expiring(60),
        &records(),
        "the signature expired on 2026-01-02 03:05:05 UTC",
    );
    passes(&expiring(100 * 365 * 86400), &records());
}

#[test]
fn a_field_against_the_rules_is_named_with_its_tags() {
    let said = fails(
        &message().replace("d=example.com; s=s1", "d=example.com; s=s1; s=s2"),
        &records(),
        "the DKIM-Signature field cannot be read: the tag \"s\" is there twice",
    );
    assert!(!said.out.contains("  key: "), "{said:?}");
    let said = fails(
        &message().replace("a=rsa-sha256", "a=rsa-sha1"),
        &records(),
        "a=rsa-sha1: SHA-1 signatures count as no signature (RFC 8301 section 3.1); sign with \
         rsa-sha256",
    );
    assert!(said.out.contains("d=example.com"), "{said:?}");
}

#[test]
fn what_should_be_mended_is_a_warning() {
    let warning = |message: &str, records: &str, words: &str| {
        let said = passes(message, records);
        assert_eq!(said.of("  warning: "), words);
    };
    let at = "s1._domainkey.example.com";
    warning(
        &message(),
        &record_with("t=y;"),
        &format!("the record at {at} says t=y (testing): receivers may treat the mail as unsigned"),
    );
    warning(
        &message(),
        &(records() + &format!("{NAME} v=spf1 -all\n")),
        &format!(
            "2 TXT records are published at {at}; verifiers may pick any of them, so leave only one"
        ),
    );
}

#[test]
fn several_signatures_are_judged_one_by_one() {
    let mut second = request(&ED25519, "simple/simple");
    second.selector = signet::names::Selector::parse("s2").unwrap();
    let message = sign(
        FIELDS,
        "Hello \r\n \r\n",
        vec![request(&RSA, "relaxed/relaxed"), second],
    );
    let both = records() + &format!("s2._domainkey.example.com {}\n", record(&ED25519));
    let said = passes(&message, &both);
    assert_eq!(said.of("signature 2: "), "pass");
    // White space changed: relaxed does not mind, simple does.
    let said = verify(&message.replace("Hello ", "Hello  "), &both);
    assert_eq!(said.verdict(), "pass");
    assert!(said.of("signature 2: ").starts_with("FAIL: the body was"));
    assert_eq!(said.code, 1);
}
