//! `signet test` where something on the way changes the mail: what it is, and between
//! which servers that was.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::client::Client;
use crate::instance::Setup;
use crate::sink::Sink;
use crate::stand::{SENDER, Stand};
use crate::test_mail::{free, stand, test, to};

/// Fails, and says all of this.
#[track_caller]
fn assert_told(said: &(Option<i32>, String), code: i32, parts: &[&str]) {
    let (status, text) = said;
    assert_eq!(*status, Some(code), "{text}");
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}

const HERE: &str =
    "after it was signed at 1, by mail.example.net (1), behind signet or as it sent the mail";

#[test]
fn the_way_is_told_with_the_place_of_the_signatures() {
    let sink = free();
    let Some(stand) = stand(sink, &[]) else {
        return;
    };
    let said = test(&stand, &to(&sink.to_string(), &[]));
    assert_told(
        &said,
        0,
        &[
            "the way it took\n  1  mail.example.net, from a program of user 0, id ",
            "\n     signed here: d=example.org s=",
            "\n  2  this test, which offers 8BITMIME\n",
            "changed on the way\n  nothing\n",
        ],
    );
}

#[test]
fn what_is_edited_as_mail_is_sent_is_laid_to_the_server_that_sent_it() {
    let sink = free();
    let edits = [
        "smtp_header_checks = regexp:{ {/^Subject:/ REPLACE Subject: Changed} }",
        "smtp_generic_maps = inline:{ postmaster@example.org=info@example.net }",
        "header_checks = regexp:{ {/^MIME-Version:/ REPLACE MIME-Version: 1.0 (new)} }",
    ];
    let Some(stand) = stand(sink, &edits) else {
        return;
    };
    let said = test(&stand, &to(&sink.to_string(), &[]));
    assert_told(
        &said,
        1,
        &[
            &format!(
                "\" and is \"Changed\"\n    {HERE}\n    Postfix here has smtp_header_checks = regexp:"
            ),
            &format!(
                "the field from was \"<postmaster@example.org>\" and is \"<info@example.net>\"\n    {HERE}\n    Postfix here has smtp_generic_maps = inline:"
            ),
            "and is \"1.0 (new)\"\n    before it was signed at 1, so it does no harm",
        ],
    );
}

#[test]
fn text_that_the_next_server_does_not_take_is_laid_to_both() {
    let sink = free();
    let Some(stand) = stand(sink, &[]) else {
        return;
    };
    let said = test(&stand, &to(&sink.to_string(), &["--seven-bit"]));
    assert_told(
        &said,
        1,
        &[
            "2  this test, which does not offer 8BITMIME",
            &format!(
                "the next hop lacks 8BITMIME\n    {HERE}\n    this test (2) does not offer 8BITMIME\n    Postfix here has disable_mime_output_conversion = no"
            ),
            "the field content-transfer-encoding was \"8bit\" and is \"quoted-printable\"\n    after it was signed at 1",
        ],
    );
}

#[test]
fn a_line_that_postfix_wraps_is_named() {
    let sink = free();
    let Some(stand) = stand(sink, &[]) else {
        return;
    };
    let home = tempfile::tempdir().unwrap();
    let body = home.path().join("body");
    std::fs::write(&body, format!("Hello\n{}\nend\n", "x".repeat(1500))).unwrap();
    let said = test(
        &stand,
        &to(&sink.to_string(), &["--body", body.to_str().unwrap()]),
    );
    assert_told(
        &said,
        1,
        &[&format!(
            "line 2 was wrapped at 998 bytes; it has 1500\n    {HERE}\n    Postfix here has smtp_line_length_limit = 998"
        )],
    );
}

/// Asserts that the listing in docs/test.md is this report, save for ids and places; with `SIGNET_WRITE` set, makes it so.
#[track_caller]
fn assert_shown(report: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/test.md");
    let page = fs::read_to_string(&file).unwrap();
    let way = "the way it took\n";
    let (before, rest) = page.split_once(&format!("```\n{way}")).unwrap();
    let (shown, behind) = rest.split_once("```").unwrap();
    let (_, said) = report.split_once(way).unwrap();
    if masked(shown) == masked(said) {
        return;
    }
    if std::env::var_os("SIGNET_WRITE").is_some() {
        fs::write(file, format!("{before}```\n{way}{said}```{behind}")).unwrap();
    } else {
        panic!(
            "docs/test.md is not current (SIGNET_WRITE=1 cargo test --test postfix -- footer)\n{said}"
        );
    }
}

/// Without what is different in every run: ids, and the addresses of this Postfix.
fn masked(text: &str) -> String {
    let mut text = text.to_owned();
    for marker in [", id ", "]:", " for "] {
        let mut pieces = text.split(marker);
        let mut out = pieces.next().unwrap().to_owned();
        for piece in pieces {
            out += marker;
            out += piece.trim_start_matches(|c: char| !c.is_whitespace());
        }
        text = out;
    }
    text
}

/// Mail leaves for a filter after it was signed, gets a footer there, and comes back.
#[test]
fn a_footer_of_a_content_filter_lies_between_two_servers() {
    let sink = free();
    let filter = Sink::start((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let option = format!(
        "content_filter=smtp:[127.0.0.1]:{}",
        filter.address().port()
    );
    let route = format!(
        "transport_maps = inline:{{ signet-test.invalid=smtp:[{}]:{} }}",
        sink.ip(),
        sink.port()
    );
    let Some(stand) = Stand::start(&Setup {
        main_cf: vec![route],
        services: vec![("filtered", vec![option])],
        ..Setup::default()
    }) else {
        return;
    };
    let bring_back = |service: &str| {
        let child = Command::new(env!("CARGO_BIN_EXE_signet"))
            .args(["test", "--resolver", "127.0.0.1:1", "--keys"])
            .arg(stand.keys.directory())
            .arg("--postfix-config")
            .arg(stand.postfix.config())
            .args(["--sink", &sink.to_string(), "--to"])
            .arg(format!("{service}@signet-test.invalid"))
            .args(["--smtp", &stand.postfix.service("filtered").to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let recipient = format!("{service}@signet-test.invalid");
        let mut message = filter.wait_for(&recipient).message;
        message.extend_from_slice(b"-- \r\nFound clean.\r\n");
        message.splice(
            ..0,
            *b"Received: from mail.example.net by filter.example.net with ESMTP id 77; never\r\n",
        );
        let mut back = Client::connect(stand.postfix.service(service));
        back.send(SENDER, &recipient, &message);
        back.quit();
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        (output.status.code(), text)
    };
    let footer = "a footer of 2 lines was added: \"--\"\n    ";
    let first = "by mail.example.net (1), behind signet or as it sent the mail; \
        or on its way to filter.example.net (2), mail.example.net (3), or there\n    \
        Postfix here has content_filter = smtp:[127.0.0.1]:";
    let unsigned = bring_back("plain");
    assert_shown(&unsigned.1);
    assert_told(
        &unsigned,
        1,
        &[
            "\n  2  filter.example.net, from mail.example.net by ESMTP, id 77\n  3  mail.example.net, from ",
            &format!("{footer}after it was signed at 1: {first}"),
        ],
    );
    // Signed once more when it is back: the footer is older than the second signature.
    let signed = bring_back("signed");
    assert_told(
        &signed,
        1,
        &[&format!(
            "{footer}after it was signed at 1, and before it was signed at 3: {first}"
        )],
    );
}
