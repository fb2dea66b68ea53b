//! `signet test` through a private Postfix.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Command, Output};

use crate::instance::Setup;
use crate::stand::{DOMAIN, Stand};

/// An address that was free a moment ago.
pub fn free() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap()
}

/// A Postfix that routes a domain to `sink`, with these lines more.
pub fn stand(sink: SocketAddr, lines: &[&str]) -> Option<Stand> {
    let (ip, port) = (sink.ip(), sink.port());
    let route = format!("transport_maps = inline:{{ signet-test.invalid=smtp:[{ip}]:{port} }}");
    let lines = lines.iter().map(|line| (*line).to_owned());
    Stand::start(&Setup {
        main_cf: lines.chain([route]).collect(),
        ..Setup::default()
    })
}

pub fn test(stand: &Stand, arguments: &[&str]) -> (Option<i32>, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_signet"))
        .args(["test", "--resolver", "127.0.0.1:1", "--keys"])
        .arg(stand.keys.directory())
        .arg("--postfix-config")
        .arg(stand.postfix.config())
        .args(arguments)
        .output()
        .unwrap();
    let text = [stdout, stderr].concat();
    (status.code(), String::from_utf8(text).unwrap())
}

/// Arguments that lead the mail to the sink.
pub fn to<'a>(sink: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut all = vec!["--sink", sink, "--to", "test@signet-test.invalid"];
    all.extend(more);
    all
}

#[test]
fn what_arrives_is_verified_and_what_was_changed_is_told() {
    let sink = free();
    let Some(stand) = stand(sink, &[]) else {
        return;
    };
    let sink = sink.to_string();
    let test = |more: &[&str]| test(&stand, &to(&sink, more));

    let (code, text) = test(&[]);
    assert_eq!(code, Some(0), "{text}");
    for part in [
        format!(
            "sent       from postmaster@{DOMAIN} to test@signet-test.invalid, by /usr/sbin/sendmail"
        )
        .as_str(),
        "\narrived    after ",
        "signature 1: pass",
        "is not in DNS yet",
        "changed on the way\n  nothing\n",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let service = stand.postfix.service("signed").to_string();
    let (code, text) = test(&["--smtp", &service]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains(&format!("by SMTP at {service}")), "{text}");

    let plain = stand.postfix.service("plain").to_string();
    let (code, text) = test(&["--smtp", &plain]);
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.contains("It was not signed") && text.contains("signet explain --from"),
        "{text}"
    );

    let (code, text) = test(&["--seven-bit"]);
    assert_eq!(code, Some(1), "{text}");
    let words = "8-bit text was made quoted-printable: the next hop lacks 8BITMIME";
    assert!(text.contains(words), "{text}");
    assert!(
        text.contains("FAIL: the body was changed after signing"),
        "{text}"
    );
}

#[test]
fn a_field_that_was_edited_as_it_was_sent_is_shown() {
    let sink = free();
    let edit = "smtp_header_checks = regexp:{ {/^Subject:/ REPLACE Subject: Changed} }";
    let Some(stand) = stand(sink, &[edit]) else {
        return;
    };
    let (code, text) = test(&stand, &to(&sink.to_string(), &[]));
    assert_eq!(code, Some(1), "{text}");
    let words = "the field subject was \"A test of signet\" and is \"Changed\"";
    assert!(text.contains(words), "{text}");
}

#[test]
fn without_a_relayhost_nothing_has_to_be_set_for_the_test() {
    let process = std::process::id().to_le_bytes();
    let sink = format!("127.83.{}.{}:25", process[1], process[0].max(1));
    let Some(stand) = stand(free(), &["relayhost ="]) else {
        return;
    };
    let (code, text) = test(&stand, &["--sink", &sink]);
    assert_eq!(code, Some(0), "{text}");
}

#[test]
fn with_a_relayhost_the_way_back_is_printed() {
    let Some(stand) = stand(free(), &[]) else {
        return;
    };
    let (code, text) = test(&stand, &[]);
    assert_eq!(code, Some(2), "{text}");
    assert!(
        text.contains(
            " -e 'transport_maps=inline:{ signet-test.invalid=smtp:[127.83.73.71]:2525 }, inline:"
        ),
        "{text}"
    );
}
