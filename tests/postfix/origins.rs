//! Whose mail is signed: strangers, logins, bounces, and addresses beyond ASCII.

use crate::client::Client;
use crate::instance::Setup;
use crate::keys::{ED25519, RSA};
use crate::stand::{DOMAIN, SENDER, Stand, message, recipient};

/// Mail that only passes through is not the author's to sign, whatever its From says.
#[test]
fn mail_of_a_stranger_passes_untouched() {
    let Some(stand) = Stand::start(&Setup::default()) else {
        return;
    };
    let (recipient, sent) = (recipient(), message("not from here\r\n"));
    let signed = stand.postfix.service("signed");
    let mut client = Client::connect_as(signed, "ADDR=192.0.2.7 NAME=client.example");
    client.send(SENDER, &recipient, &sent);
    client.quit();
    stand.assert_unsigned(
        &stand.postfix.sink.wait_for(&recipient),
        &sent,
        "untrusted-client",
    );
}

#[test]
fn mail_of_a_login_is_signed_wherever_it_comes_from() {
    let Some(stand) = Stand::start(&Setup::default()) else {
        return;
    };
    let (recipient, sent) = (recipient(), message("from the road\r\n"));
    let signed = stand.postfix.service("signed");
    let mut client = Client::connect_as(signed, "ADDR=192.0.2.7 NAME=client.example LOGIN=author");
    client.send(SENDER, &recipient, &sent);
    client.quit();
    stand.assert_signed(&stand.postfix.sink.wait_for(&recipient), &sent);
}

#[test]
fn mail_of_another_domain_passes_untouched() {
    let Some(stand) = Stand::start(&Setup::default()) else {
        return;
    };
    let sent = String::from_utf8(message("hello\r\n"))
        .unwrap()
        .replace("@example.org>\r\nTo", "@example.com>\r\nTo");
    let arrived = stand.pass("signed", sent.as_bytes());
    stand.assert_unsigned(&arrived, sent.as_bytes(), "no-rule");
}

#[test]
fn the_null_sender_changes_nothing() {
    let Some(stand) = Stand::start(&Setup::default()) else {
        return;
    };
    let sent = message("away until Monday\r\n");
    let plain = stand.pass_from("plain", "<>", &sent);
    stand.assert_signed_as(
        &stand.pass_from("signed", "<>", &sent),
        &plain,
        &sent,
        DOMAIN,
    );
}

/// Postfix shows its own bounces to the milter when `internal_mail_filter_classes` says so.
#[test]
fn a_bounce_by_postfix_itself_is_signed() {
    let main_cf = [
        "myhostname = example.org",
        "internal_mail_filter_classes = bounce",
    ];
    let setup = Setup {
        main_cf: main_cf.map(str::to_owned).to_vec(),
        ..Setup::default()
    };
    let Some(stand) = Stand::start(&setup) else {
        return;
    };
    let mut client = Client::connect(stand.postfix.service("signed"));
    client.send(
        "<returns@example.org>",
        "refused@sink.test",
        &message("nobody wants it\r\n"),
    );
    client.quit();
    let bounce = stand.postfix.sink.wait_for("returns@example.org");
    assert!(bounce.mail.starts_with("<>"), "{}", bounce.mail);
    let parts = bounce.parts();
    assert_eq!(parts.signatures.len(), stand.keys.selectors().len());
    crate::judges::assert_verifies(&stand.keys, &bounce.message, &[DOMAIN]);
}

/// RFC 6531. The signing domain is the A-label form of what the author wrote.
#[test]
fn an_internationalized_author_is_signed() {
    let domains = [DOMAIN, "xn--bcher-kva.example"];
    let Some(stand) = Stand::with(&Setup::default(), &domains, &[RSA, ED25519], "") else {
        return;
    };
    for (author, domain) in [
        ("jürgen@example.org", DOMAIN),
        ("buch@bücher.example", domains[1]),
    ] {
        let sent = String::from_utf8(message("Grüße\r\n")).unwrap();
        let sent = sent.replace("Author <author@example.org>", &format!("Jürgen <{author}>"));
        let sender = format!("<{author}> BODY=8BITMIME SMTPUTF8");
        let plain = stand.pass_from("plain", &sender, sent.as_bytes());
        let signed = stand.pass_from("signed", &sender, sent.as_bytes());
        stand.assert_signed_as(&signed, &plain, sent.as_bytes(), domain);
    }
}
