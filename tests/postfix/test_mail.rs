//! `signet test` through a private Postfix.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Command, Output};

use crate::instance::Setup;
use crate::process::wait_until;
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
    assert!(
        text.contains("the field subject was \"A test of signet, number ")
            && text.contains("\" and is \"Changed\""),
        "{text}"
    );
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

/// Runs the commands that the text prints, those up to `until` or those after it.
fn run_printed(text: &str, until: &str, after: bool) {
    let (first, last) = text.split_once(until).unwrap();
    let lines = if after { last } else { first }.lines();
    let commands: Vec<_> = lines.filter_map(|line| line.strip_prefix("    ")).collect();
    assert_eq!(commands.len(), 2, "{text}");
    for command in commands {
        let shell = format!("PATH=/usr/sbin:$PATH; {command}");
        let output = Command::new("sh").args(["-ec", &shell]).output().unwrap();
        assert!(output.status.success(), "{command}: {output:?}");
    }
}

/// The way that is printed leads the mail back, without a flag, and can be taken back.
#[track_caller]
fn assert_way_is_printed(stand: &Stand, arguments: &[&str], why: &str) {
    let maps = || {
        let output = stand.postfix.run("postconf", &["transport_maps"], b"");
        String::from_utf8(output.stdout).unwrap()
    };
    let before = maps();
    let (code, text) = test(stand, arguments);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains(why), "{text}");
    let part = "and run it again";
    run_printed(&text, part, false);
    assert!(maps().contains("signet-test.invalid"), "{}", maps());
    // The place is the same for all who run this at the same time.
    let (code, after) = wait_until("the place of the test is free", || {
        Some(test(stand, &[])).filter(|(_, text)| !text.contains("or another signet test"))
    });
    assert_eq!(code, Some(0), "{after}");
    assert!(after.contains("to test@signet-test.invalid, "), "{after}");
    run_printed(&text, part, true);
    assert_eq!(maps(), before);
}

#[test]
fn with_a_relayhost_the_way_back_is_printed() {
    for line in [
        "transport_maps =",
        "transport_maps = inline:{ example.net=smtp:[127.0.0.1]:1 }",
    ] {
        let setup = Setup {
            main_cf: vec![line.to_owned()],
            ..Setup::default()
        };
        let Some(stand) = Stand::start(&setup) else {
            return;
        };
        assert_way_is_printed(&stand, &[], "Postfix gives all mail to its relayhost [");
    }
}

/// As on most servers: smtpd listens at port 25 of every address.
#[test]
fn where_port_25_is_taken_a_way_is_printed() {
    let setup = Setup {
        main_cf: vec!["relayhost =".to_owned()],
        ..Setup::default()
    };
    let Some(stand) = Stand::start(&setup) else {
        return;
    };
    let process = std::process::id().to_le_bytes();
    let taken =
        TcpListener::bind((format!("127.84.{}.{}", process[1], process[0].max(1)), 25)).unwrap();
    let sink = taken.local_addr().unwrap().to_string();
    assert_way_is_printed(
        &stand,
        &["--sink", &sink],
        "is taken, most likely by Postfix itself",
    );
}

#[test]
fn a_sink_that_nothing_leads_to_is_told_at_once() {
    let Some(stand) = Stand::start(&Setup::default()) else {
        return;
    };
    let (code, text) = test(&stand, &["--sink", "127.0.0.1:2599"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("nothing leads to 127.0.0.1:2599"), "{text}");
}

/// The number of the test stands in the Message-ID, the Subject and the text.
#[test]
fn mail_is_known_again_when_its_message_id_is_rewritten() {
    let rewritten =
        "header_checks = regexp:{ {/^Message-ID:/ REPLACE Message-ID: <other@example.net>} }";
    let dropped = "header_checks = regexp:{ {/^Message-ID:/ IGNORE} }";
    let late = rewritten.replace("header", "smtp_header");
    for (lines, code, words) in [
        (
            vec![rewritten],
            0,
            "and is \"<other@example.net>\"\n    before it was signed",
        ),
        (vec![dropped], 0, "the field message-id"),
        (
            vec![dropped, "always_add_missing_headers = yes"],
            0,
            "the field message-id was \"<signet-test-",
        ),
        (
            vec![late.as_str()],
            1,
            "and is \"<other@example.net>\"\n    after it was signed",
        ),
    ] {
        let sink = free();
        let Some(stand) = stand(sink, &lines) else {
            return;
        };
        let (status, text) = test(&stand, &[]);
        assert_eq!(status, Some(code), "{text}");
        assert!(text.contains(words), "{words:?} is not in\n{text}");
    }
}

#[test]
fn mail_that_has_lost_every_number_is_told_from_none() {
    let sink = free();
    let replaced = "header_checks = regexp:{ {/^(Message-ID|Subject):/ IGNORE} }";
    let Some(stand) = stand(sink, &[replaced]) else {
        return;
    };
    let home = tempfile::tempdir().unwrap();
    let body = home.path().join("body");
    std::fs::write(&body, "Hello\n").unwrap();
    let (code, text) = test(&stand, &["--body", body.to_str().unwrap(), "--wait", "5"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(
        text.contains("not arrived after 5 seconds, but another mail has, without the number"),
        "{text}"
    );
    // The text alone says it.
    let (code, text) = test(&stand, &[]);
    assert_eq!(code, Some(0), "{text}");
}
