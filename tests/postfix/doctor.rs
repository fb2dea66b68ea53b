//! `signet doctor` on a private Postfix that is wrong in one way after the other.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::process::Command;

use crate::instance::RELATIVE_SOCKET;
use crate::ward::{Ward, stranger};

#[test]
fn a_postfix_that_is_right_gives_no_alarm() {
    let Some(ward) = Ward::open() else { return };
    let (codes, text) = ward.codes("postfix-");
    assert_eq!(codes, [""; 0], "{text}");
    assert!(
        text.contains("signet answers at unix:signet/signet.sock"),
        "{text}"
    );
    assert!(text.contains("signet is asked about mail by"), "{text}");
    // By default Postfix shows its bounces to nobody.
    ward.finds(
        "postfix-bounces",
        &[&["-e", "internal_mail_filter_classes="]],
    );
    // Other milters before it, a table that changes nothing, a service for a content filter.
    let table = ward.postfix().config().join("checks");
    fs::write(&table, "# REPLACE nothing\n/^Subject: a/ WARN seen\n").unwrap();
    let checks = format!("smtp_header_checks=regexp:{}", table.display());
    // A list of its own for a service, by name.
    let submission =
        "submission/inet=submission inet n - y - - smtpd -o smtpd_milters=$mua_milters";
    ward.edit(&["-M", submission]);
    ward.edit(&["-e", "mua_milters=unix:signet/signet.sock"]);
    ward.edit(&[
        "-e",
        "smtpd_milters=inet:127.0.0.1:1, unix:signet/signet.sock",
        &checks,
    ]);
    let (codes, text) = ward.codes("postfix-");
    assert_eq!(codes, [""; 0], "{text}");
}

#[test]
fn what_keeps_postfix_from_asking_is_told() {
    let Some(ward) = Ward::open() else { return };
    let host = ward.postfix().service("signed").ip();
    ward.finds(
        "postfix-not-asked",
        &[&["-e", "smtpd_milters=", "non_smtpd_milters="]],
    );
    ward.finds("postfix-smtpd-milters", &[&["-e", "smtpd_milters="]]);
    ward.finds(
        "postfix-non-smtpd-milters",
        &[&["-e", "non_smtpd_milters="]],
    );
    let submission =
        |option: &str| format!("submission/inet=submission inet n - y - - smtpd -o {option}");
    ward.finds(
        "postfix-no-milters",
        &[&["-M", &submission("receive_override_options=no_milters")]],
    );
    ward.finds(
        "postfix-service-override",
        &[&["-M", &submission("smtpd_milters=inet:127.0.0.1:1")]],
    );
    ward.finds(
        "postfix-address",
        &[&["-e", "smtpd_milters=signet/signet.sock"]],
    );
    ward.finds(
        "postfix-transport",
        &[&["-e", &format!("smtpd_milters=tcp:{host}:8891")]],
    );
    ward.finds(
        "postfix-sendmail-address",
        &[&["-e", &format!("smtpd_milters=inet:8891@{host}")]],
    );
    let long = format!("smtpd_milters=unix:signet/{}", "x".repeat(110));
    ward.finds("postfix-path-long", &[&["-e", &long]]);
    let twice = format!("smtpd_milters={RELATIVE_SOCKET}, {RELATIVE_SOCKET}");
    ward.finds("postfix-listed-twice", &[&["-e", &twice]]);
    let behind = format!("smtpd_milters={RELATIVE_SOCKET}, inet:127.0.0.1:1");
    ward.finds("postfix-order", &[&["-e", &behind]]);
    let both = format!("smtpd_milters=unix:dkim-filter/dkim-filter.sock, {RELATIVE_SOCKET}");
    ward.finds("postfix-signer-unknown", &[&["-e", &both]]);
    // Its settings are not those of this machine. Nobody has the address, and nobody answers.
    let remote = format!("smtpd_milters=inet:opendkim.invalid:12301, {RELATIVE_SOCKET}");
    ward.finds("postfix-signer-unknown", &[&["-e", &remote]]);
    ward.finds(
        "postfix-milter-maps",
        &[&["-e", "smtpd_milter_maps=texthash:/nonexistent"]],
    );
    fs::remove_file(ward.postfix().config().join("main.cf")).unwrap();
    ward.finds("postfix-unreadable", &[]);
}

#[test]
fn what_keeps_postfix_from_reaching_it_is_told() {
    let Some(ward) = Ward::open() else { return };
    let socket = ward.queue("signet/signet.sock");
    let both = |address: &str| {
        [
            format!("smtpd_milters={address}"),
            format!("non_smtpd_milters={address}"),
        ]
    };
    let finds = |code: &str, address: &str| {
        let [smtpd, other] = both(address);
        ward.tells(code, &[&["-e", &smtpd, &other]]);
    };
    let outside = format!("unix:{}", socket.display());
    let list = format!("inet:127.0.0.1:1, {{ {outside}, connect_timeout=5s }}");
    let [_, other] = both(&outside);
    let edit = ["-e", &format!("smtpd_milters={list}"), &other];
    let mended = ward.finds("postfix-socket-chroot", &[&edit]);
    // The milter beside it stays, and so do the settings.
    let list = list.replace(&outside, RELATIVE_SOCKET);
    assert_eq!(mended.trim(), format!("smtpd_milters = {list}"));
    finds("postfix-socket-missing", "unix:signet/other.sock");
    fs::write(ward.queue("signet/file.sock"), "").unwrap();
    finds("postfix-socket-file", "unix:signet/file.sock");
    drop(UnixListener::bind(ward.queue("signet/left.sock")).unwrap());
    let open = fs::Permissions::from_mode(0o666);
    fs::set_permissions(ward.queue("signet/left.sock"), open).unwrap();
    finds("postfix-socket-refused", "unix:signet/left.sock");
    finds("postfix-socket-refused", &ward.postfix().tcp_listener());
    finds("postfix-no-address", "inet:signet.invalid:8891");

    fs::create_dir(ward.queue("signet-2")).unwrap();
    fs::set_permissions(ward.queue("signet-2"), fs::Permissions::from_mode(0o700)).unwrap();
    let _closed = UnixListener::bind(ward.queue("signet-2/s.sock")).unwrap();
    finds("postfix-directory-denied", "unix:signet-2/s.sock");
    let mode = fs::metadata(&socket).unwrap().permissions();
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o600)).unwrap();
    finds("postfix-socket-denied", RELATIVE_SOCKET);
    fs::set_permissions(&socket, mode).unwrap();

    let web = stranger(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    let tcp = format!("{{ inet:{web}, default_action=tempfail }}");
    let named = tcp.replace("127.0.0.1", "localhost");
    // It is signet's by its port only.
    let listen = format!("inet:127.0.0.1:{}", web.port());
    let output = Command::new(env!("CARGO_BIN_EXE_signet"))
        .args([
            "doctor",
            "--json",
            "--keys",
            "/nonexistent",
            "--resolver",
            "127.0.0.1:1",
            "--listen",
            &listen,
        ])
        .arg("--postfix-config")
        .arg({
            let [smtpd, other] = both(&named);
            ward.edit(&["-e", &smtpd, &other]);
            fs::remove_file(ward.queue("etc/hosts")).unwrap();
            ward.postfix().config()
        })
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    for code in ["postfix-not-a-milter", "postfix-chroot-hosts"] {
        assert!(text.contains(code), "{code} in {text}");
    }
}

#[test]
fn what_breaks_signatures_after_they_are_made_is_told() {
    let Some(ward) = Ward::open() else { return };
    let table = ward.postfix().config().join("checks");
    fs::write(&table, "/^Subject: (.*)/ REPLACE Subject: [x] $1\n").unwrap();
    let table = table.display();
    ward.finds(
        "postfix-header-checks",
        &[&["-e", &format!("smtp_header_checks=regexp:{table}")]],
    );
    ward.finds(
        "postfix-body-checks",
        &[&["-e", &format!("smtp_body_checks=regexp:{table}")]],
    );
    ward.finds(
        "postfix-milter-header-checks",
        &[&["-e", &format!("milter_header_checks=regexp:{table}")]],
    );
    ward.finds(
        "postfix-generic-maps",
        &[&[
            "-e",
            "smtp_generic_maps=inline:{ a@example.org=b@example.org }",
        ]],
    );
    ward.finds(
        "postfix-8bit",
        &[&["-e", "smtp_discard_ehlo_keywords=8bitmime"]],
    );
    ward.finds(
        "postfix-line-length",
        &[&["-e", "smtp_line_length_limit=80"]],
    );
    let service = format!("{}/inet", ward.postfix().service("signed"));
    ward.finds(
        "postfix-content-filter",
        &[&[
            "-P",
            &format!("{service}/content_filter=smtp:[127.0.0.1]:1"),
        ]],
    );
    ward.finds(
        "postfix-proxy-filter",
        &[&["-P", &format!("{service}/smtpd_proxy_filter=127.0.0.1:1")]],
    );
    ward.finds(
        "postfix-default-action",
        &[&["-e", "milter_default_action=accept"]],
    );
    let own = format!("smtpd_milters={{ {RELATIVE_SOCKET}, default_action=accept }}");
    ward.finds("postfix-default-action", &[&["-e", &own]]);
    ward.finds(
        "postfix-action-unknown",
        &[&["-e", "milter_default_action=nothing"]],
    );
    ward.finds("postfix-protocol-old", &[&["-e", "milter_protocol=4"]]);
    ward.finds("postfix-protocol-unknown", &[&["-e", "milter_protocol=5"]]);
}

/// A value of its own for a service counts for that service, whatever main.cf says.
#[test]
fn what_a_transport_does_to_signed_mail_is_told() {
    let Some(ward) = Ward::open() else { return };
    let config = ward.postfix().config();
    let table = config.join("checks");
    fs::write(&table, "/^Subject: (.*)/ REPLACE Subject: [x] $1\n").unwrap();
    let table = table.display();
    let finds = |code: &str, setting: &str| {
        ward.finds(code, &[&["-P", &format!("relay/unix/{setting}")]]);
    };
    finds(
        "postfix-header-checks",
        &format!("smtp_header_checks=regexp:{table}"),
    );
    finds(
        "postfix-generic-maps",
        "smtp_generic_maps=inline:{a@example.org=b@example.org}",
    );
    finds("postfix-8bit", "smtp_discard_ehlo_keywords=8BITMIME,dsn");
    finds("postfix-line-length", "smtp_line_length_limit=80");
    // For some servers alone.
    let servers = config.join("servers");
    fs::write(&servers, "192.0.2.0/24\tdsn, 8bitmime\n").unwrap();
    let servers = format!("cidr:{}", servers.display());
    let by_address = format!("smtp_discard_ehlo_keyword_address_maps={servers}");
    ward.finds("postfix-8bit", &[&["-e", &by_address]]);
    finds("postfix-8bit", &by_address);
    // LMTP has another word for it.
    ward.finds(
        "postfix-8bit",
        &[&["-e", "lmtp_discard_lhlo_keywords=8bitmime"]],
    );
    // What no service goes by is no fault.
    for service in ["smtp", "relay"] {
        ward.edit(&["-P", &format!("{service}/unix/smtp_line_length_limit=998")]);
    }
    ward.edit(&["-e", "smtp_line_length_limit=80"]);
    let (codes, text) = ward.codes("postfix-");
    assert_eq!(codes, [""; 0], "{text}");
}
