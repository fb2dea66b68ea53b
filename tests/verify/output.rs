//! Exit codes, JSON, and what is odd about a file.

use std::fs;
use std::sync::Arc;

use serde_json::{Value, json};
use signet::dkim::HeaderSet;
use signet::names::FieldName;
use tempfile::TempDir;

use crate::run::{signet, with_records};
use crate::signed::*;

#[test]
fn a_message_without_a_signature_is_a_no() {
    let said = signet(b"From: a@example.com\r\n\r\nHi\r\n", &[]);
    assert_eq!(
        said.out,
        "no signature: the message has no DKIM-Signature field\n"
    );
    assert_eq!(said.code, 1);
}

#[test]
fn what_cannot_be_read_is_told_and_exits_with_2() {
    let said = signet(b"", &["/nonexistent/message"]);
    assert_eq!(
        said.err,
        "signet: /nonexistent/message cannot be read: No such file or directory (os error 2)\n"
    );
    assert_eq!((said.code, said.out.as_str()), (2, ""));

    let said = with_records(message().as_bytes(), "\n\"v=DKIM1; p=\"\n", &[]);
    assert!(
        said.err
            .ends_with("records: line 2: the text \"v=DKIM1; p=\" has no name before it\n"),
        "{said:?}"
    );
    assert_eq!((said.code, said.out.as_str()), (2, ""));

    let said = signet(b"", &["--resolver", "dns.example.com"]);
    assert!(
        said.err
            .contains("expected an IP address, with or without a port"),
        "{said:?}"
    );
    assert_eq!(said.code, 2);
}

#[test]
fn the_message_can_be_a_file_and_the_records_several() {
    let directory = TempDir::new().unwrap();
    let path = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let message = path("message", &message());
    let first = path("first", "other._domainkey.example.com v=DKIM1; p=\n");
    let second = path("second", &records());
    let arguments = [&message, "--dns-file", &first, "--dns-file", &second];
    let said = signet(b"", &arguments.map(|argument| argument as &str));
    assert_eq!((said.verdict(), said.code), ("pass", 0), "{said:?}");
}

#[test]
fn json_has_the_documented_shape() {
    let text = message();
    let read = |message: &str, records: &str, code: i32| -> Value {
        let said = with_records(message.as_bytes(), records, &["--json"]);
        assert_eq!(said.code, code, "{said:?}");
        assert_eq!(said.out.lines().count(), 1);
        serde_json::from_str(&said.out).unwrap()
    };
    let pass = read(&text, &records(), 0);
    let mut signature = pass["signatures"][0].clone();
    let tags = signature.as_object_mut().unwrap().remove("tags").unwrap();
    assert_eq!(
        tags[3],
        json!({
            "name": "d",
            "value": "example.com",
            "text": "the signing domain, which answers for the message",
        })
    );
    for names in ["signed", "oversigned"] {
        let names = signature.as_object_mut().unwrap().remove(names).unwrap();
        assert!(names.as_array().unwrap().contains(&json!("from")), "{pass}");
    }
    assert_eq!(
        signature,
        json!({
            "verdict": "pass",
            "reason": null,
            "domain": "example.com",
            "selector": "s1",
            "identity": null,
            "algorithm": "rsa-sha256",
            "canonicalization": "relaxed/relaxed",
            "key": {"name": NAME, "type": "rsa", "bits": 2048},
            "header": "intact",
            "body_change": null,
            "unsigned": [],
            "addable": [],
            "outside": [],
            "warnings": [],
        })
    );
    assert_eq!(pass["verdict"], "pass");
    assert_eq!(pass["notes"], json!([]));

    let fail = read(
        &text.replace("\r\n", "\n").replace("Ann", "Eve"),
        &records(),
        1,
    );
    assert_eq!(fail["verdict"], "fail");
    assert_eq!(fail["notes"][0]["code"], "line-ends");
    assert_eq!(fail["signatures"][0]["reason"]["code"], "header-changed");

    let footer = read(&(text.clone() + "Ad\r\n"), &records(), 1);
    assert_eq!(footer["signatures"][0]["body_change"], "lines-added");
    assert_eq!(footer["signatures"][0]["header"], "intact");

    let none = read("From: a@b.c\r\n\r\n", &records(), 1);
    assert_eq!(
        none,
        json!({"verdict": "unsigned", "notes": [], "signatures": []})
    );
}

#[test]
fn a_unix_file_and_a_mailbox_line_are_read_as_mail_and_noted() {
    let mailbox = format!("From ann Fri Jan  2 03:04:05 2026\n{}", message()).replace('\r', "");
    let said = with_records(mailbox.as_bytes(), &records(), &[]);
    assert_eq!((said.verdict(), said.code), ("pass", 0));
    let notes: Vec<&str> = said.out.lines().take(2).collect();
    assert_eq!(
        notes,
        [
            "note: the lines of the file end in LF; they were read as CRLF, which is what mail has",
            "note: the first line, a mailbox file's \"From \" line, was left out",
        ]
    );
}

/// A signature that does not oversign: what can be put into the message unnoticed has
/// to be said.
#[test]
fn fields_that_the_signature_does_not_cover_are_named() {
    let mut request = request(&RSA, "relaxed/relaxed");
    let names = ["from", "to"].map(|name| FieldName::parse(name).unwrap());
    request.header_set = Arc::new(HeaderSet::new(names.to_vec(), vec![], vec![]).unwrap());
    let message = sign(FIELDS, BODY, vec![request]);
    let said = with_records(message.as_bytes(), &records(), &[]);
    assert_eq!(said.verdict(), "pass");
    assert_eq!(said.of("  not signed: "), "Subject, Date, Message-ID");
    assert_eq!(
        said.of("    (whoever"),
        " passes the message on can change these unnoticed)"
    );
    assert_eq!(said.of("  can be added: "), "From, To");
    let trace = format!("Received: by a\r\nX-Spam: no\r\n{message}");
    let said = with_records(trace.as_bytes(), &records(), &[]);
    assert_eq!(said.of("  outside: "), "Received, X-Spam");

    let second = message.replace("From: Ann", "From: eve@example.net\r\nFrom: Ann");
    let said = with_records(second.as_bytes(), &records(), &[]);
    assert_eq!((said.verdict(), said.code), ("pass", 0));
    assert_eq!(
        said.of("  warning: "),
        "not every From field is signed: h= names it less often than the message has it"
    );
    assert_eq!(
        said.of("note: "),
        "the message has 2 From fields, where one is allowed (RFC 5322 §3.6)"
    );
}
