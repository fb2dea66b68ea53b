//! What `signet doctor` makes of the lines that a private Postfix logs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;

use crate::client::Client;
use crate::process::wait_until;
use crate::stand::{SENDER, recipient};
use crate::ward::{Ward, stranger};

/// What Postfix logs in these cases is found and put into words; after a reload it is forgotten.
#[test]
fn what_postfix_logs_is_told_in_words() {
    let Some(ward) = Ward::open() else { return };
    let host = ward.postfix().service("signed").ip();
    let milter = |address: &str| format!("smtpd_milters={address}");
    ward.logs(
        "log-no-such-file",
        &[&["-e", &milter("unix:signet/other.sock")]],
    );
    ward.logs(
        "log-milter-reject",
        &[&["-e", &milter("unix:signet/other.sock")]],
    );
    let nobody = UnixListener::bind(ward.queue("private/signet.sock")).unwrap();
    fs::set_permissions(
        ward.queue("private/signet.sock"),
        fs::Permissions::from_mode(0o600),
    )
    .unwrap();
    ward.logs(
        "log-permission-denied",
        &[&["-e", &milter("unix:private/signet.sock")]],
    );
    drop(nobody);
    ward.logs(
        "log-connection-refused",
        &[&["-e", &milter(&format!("inet:{host}:1"))]],
    );
    ward.logs(
        "log-host-not-found",
        &[&["-e", &milter("inet:signet.invalid:8891")]],
    );
    ward.logs(
        "log-needs-transport",
        &[&["-e", &milter("signet/signet.sock")]],
    );
    ward.logs(
        "log-invalid-transport",
        &[&["-e", &milter("tcp:127.0.0.1:8891")]],
    );
    ward.logs("log-bad-protocol", &[&["-e", "milter_protocol=5"]]);
    ward.logs(
        "log-bad-action",
        &[&[
            "-e",
            "milter_default_action=nothing",
            &milter("unix:signet/other.sock"),
        ]],
    );
    let web = stranger(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    ward.logs(
        "log-not-a-milter",
        &[&["-e", &milter(&format!("inet:{web}"))]],
    );
    let silent = stranger(b"");
    ward.logs(
        "log-timed-out",
        &[&[
            "-e",
            &milter(&format!("inet:{silent}")),
            "milter_command_timeout=1s",
        ]],
    );
    ward.reload();
    let (codes, text) = ward.codes("log-");
    assert_eq!(codes, [""; 0], "{text}");
}

/// smtpd dies of these addresses, and its master waits a minute before it starts the next one.
#[test]
fn what_kills_smtpd_is_told_in_words() {
    let long = format!("smtpd_milters=unix:signet/{}", "x".repeat(110));
    for (code, setting) in [
        ("log-path-too-long", long.as_str()),
        ("log-sendmail-address", "smtpd_milters=inet:8891@127.0.0.1"),
    ] {
        let Some(ward) = Ward::open() else { return };
        ward.logs(code, &[&["-e", setting]]);
    }
}

#[test]
fn a_milter_that_is_gone_in_the_middle_is_told_in_words() {
    let Some(mut ward) = Ward::open() else { return };
    let mut client = Client::connect(ward.postfix().service("signed"));
    client.expect(250, &format!("MAIL FROM:{SENDER}"));
    client.expect(250, &format!("RCPT TO:<{}>", recipient()));
    ward.stand.milter.kill();
    let reply = client.data(b"From: ada@example.com\r\n\r\nHello\r\n");
    assert_eq!(reply.code, 451, "{}", reply.text);
    wait_until("log-closed", || {
        let (codes, _) = ward.codes("log-");
        codes.contains(&"log-closed".to_owned()).then_some(())
    });
}
