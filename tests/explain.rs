//! `signet explain`: what an administrator reads when a mail was not signed.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod place;

use std::fs;

use place::{Place, stderr, stdout};

/// A place with a key for example.com and a config.
fn place(config: &str) -> Place {
    let place = Place::new();
    place.ok("keygen example.com --algorithm ed25519 --selector s1");
    fs::write(place.directory.path().join("signet.toml"), config).unwrap();
    place
}

fn explain(place: &Place, arguments: &str) -> (Option<i32>, String) {
    let config = place.directory.path().join("signet.toml");
    let output = place.signet(&format!(
        "explain --config {} {arguments}",
        config.display()
    ));
    assert_eq!(stderr(&output), "");
    (output.status.code(), stdout(&output))
}

fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
}

#[test]
fn what_would_be_signed_and_with_what() {
    let place = place("[trust]\nnetworks = [\"192.0.2.0/24\"]\n");
    let (code, text) = explain(&place, "--from ada@example.com --client 192.0.2.9");
    assert_eq!(code, Some(0));
    has(
        &text,
        &[
            "yes  May mail of this client be signed?",
            "decided by trust.networks, ",
            "signet.toml:2",
            "without rules every key of example.com",
            "d=example.com s=s1 a=ed25519-sha256 c=relaxed/relaxed i=none",
        ],
    );
}

#[test]
fn each_no_says_what_decided_and_what_would_have_to_change() {
    let place = place(
        "[trust]\nexcept = [\"127.0.0.9\"]\n[exclude]\ndomains = [\"example.net\"]\n\
         recipients = [\"list@elsewhere.example\"]\n",
    );
    for (arguments, parts) in [
        (
            "--from ada@example.com --client 203.0.113.1",
            [
                "NO   May mail of this client",
                "untrusted-client",
                "at its default",
                "let the client log in",
            ],
        ),
        (
            "--from ada@example.com --client 127.0.0.9",
            [
                "NO   May mail of this client",
                "excluded-network",
                "signet.toml:2",
                "trust.except",
            ],
        ),
        (
            "--from ada@example.com --rcpt list@elsewhere.example",
            [
                "NO   Is no recipient excluded?",
                "excluded-recipient",
                "signet.toml:5",
                "take the recipient out",
            ],
        ),
        (
            "--from ada@example.net",
            [
                "NO   Is the author's domain not",
                "excluded-domain",
                "signet.toml:4",
                "take the domain out",
            ],
        ),
        (
            "--from ada@other.example",
            [
                "NO   Is there a rule",
                "no-rule",
                "there is no key for other.example",
                "signet keygen",
            ],
        ),
    ] {
        let (code, text) = explain(&place, arguments);
        assert_eq!(code, Some(1), "{arguments}");
        has(&text, &parts);
    }
}

#[test]
fn a_message_is_explained_by_its_own_fields() {
    let place = place("");
    let message = place.directory.path().join("message.eml");
    fs::write(
        &message,
        "From: a@example.com\nFrom: b@example.com\n\nHello\n",
    )
    .unwrap();
    let (code, text) = explain(&place, message.to_str().unwrap());
    assert_eq!(code, Some(1));
    has(
        &text,
        &[
            "NO   Does it have one author?",
            "from-repeated",
            "write one From field",
        ],
    );
}

#[test]
fn a_login_is_held_to_its_addresses() {
    let place = place("[send_as.logins]\nada = [\"ada@example.com\"]\n");
    let (code, text) = explain(
        &place,
        "--from ada@example.com --login ada --client 203.0.113.1",
    );
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = explain(
        &place,
        "--from ada@example.com --login eve --client 203.0.113.1",
    );
    assert_eq!(code, Some(1), "{text}");
    has(
        &text,
        &["NO   May this login use this author?", "send-as-denied"],
    );
}

#[test]
fn the_rule_that_decides_is_named_with_its_line() {
    let place = place("[[rule]]\npattern = \"*@*.example.org\"\ndomain = \"example.com\"\n");
    let (code, text) = explain(&place, "--from ada@news.example.org");
    assert_eq!(code, Some(0), "{text}");
    has(
        &text,
        &[
            "the rule \"*@*.example.org\"",
            "signet.toml:1",
            "d=example.com s=s1",
        ],
    );
}
