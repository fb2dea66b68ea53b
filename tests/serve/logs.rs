//! The log: where it goes, and how much of it there is.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use signet::milter::mta::Envelope;

use crate::daemon::{Daemon, Peer};
use crate::{place_with_key, unix};

#[test]
fn the_journal_gets_each_line_with_its_fields() {
    let (place, socket) = place_with_key();
    let directory = place.directory.path();
    let journal = UnixDatagram::bind(directory.join("journal")).unwrap();
    journal
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let config = directory.join("signet.toml");
    let text = "[log]\nformat = \"journald\"\njournal_socket = \"journal\"\n";
    fs::write(&config, text).unwrap();
    let _daemon = Daemon::spawn(
        &place,
        &[
            "--config",
            config.to_str().unwrap(),
            "--listen",
            &unix(&socket),
        ],
    );
    let wait_for = |text: &str| loop {
        let mut entry = [0; 8192];
        let length = journal.recv(&mut entry).unwrap();
        let entry = String::from_utf8(entry[..length].to_vec()).unwrap();
        if entry.contains(text) {
            return entry;
        }
    };
    let entry = wait_for("MESSAGE=listening");
    assert!(
        entry.contains("PRIORITY=6\nSYSLOG_IDENTIFIER=signet\n"),
        "{entry}"
    );

    let mut peer = Peer::connect(&socket);
    peer.send("ada@example.com");
    let entry = wait_for("MESSAGE=signed queue_id=4QUEUE d=example.com");
    for field in ["SIGNET_QUEUE_ID=4QUEUE\n", "SIGNET_D=example.com\n"] {
        assert!(entry.contains(field), "{entry}");
    }
    peer.send("ada@other.example");
    let entry = wait_for("SIGNET_REASON=no-rule\n");
    assert!(
        entry.contains("SIGNET_AUTHOR_DOMAIN=other.example\n"),
        "{entry}"
    );
    assert!(!entry.contains("ada@"), "a full address: {entry}");
}

#[test]
fn without_a_journal_the_log_goes_to_standard_error() {
    let (place, socket) = place_with_key();
    let config = place.directory.path().join("signet.toml");
    let text = "[log]\nformat = \"journald\"\njournal_socket = \"absent\"\n";
    fs::write(&config, text).unwrap();
    let mut daemon = Daemon::spawn(
        &place,
        &[
            "--config",
            config.to_str().unwrap(),
            "--listen",
            &unix(&socket),
        ],
    );
    let line = daemon.wait_for("the journal cannot be reached");
    assert!(
        line.contains("absent") && line.contains("log.format"),
        "{line}"
    );
    daemon.wait_for("listening");
}

#[test]
fn a_reload_changes_how_much_is_logged() {
    let (place, socket) = place_with_key();
    let config = place.directory.path().join("signet.toml");
    fs::write(&config, "").unwrap();
    let mut daemon = Daemon::start(
        &place,
        &[
            "--config",
            config.to_str().unwrap(),
            "--listen",
            &unix(&socket),
        ],
    );
    let mut peer = Peer::connect(&socket);
    peer.send("ada@example.com");
    daemon.wait_for("4QUEUE");

    // From now on only trouble is logged: the reload itself no longer is.
    let metrics = "[metrics]\nlisten = \"127.0.0.1:0\"\n";
    fs::write(&config, format!("[log]\nlevel = \"warn\"\n{metrics}")).unwrap();
    daemon.signal("HUP");
    daemon.wait_for("metrics has changed");
    fs::write(&config, "").unwrap();
    daemon.signal("HUP");
    let line = daemon.wait_for_any(&["metrics has changed", "reloaded", "4QUEUE"]);
    assert!(line.contains("metrics has changed"), "{line}");
    daemon.wait_for("reloaded");
    peer.send("ada@example.com");
    daemon.wait_for("4QUEUE");
}

/// Words that stand in a message, and what stands for them in the log at info: nothing.
const SECRETS: [&str; 8] = [
    "ada.lovelace",
    "grace.hopper",
    "bounce.handler",
    "mallory.login",
    "subject-text",
    "x-secret-name",
    "secret-value",
    "body-text",
];

/// Messages that end in every way, and peers that speak no milter.
fn all_kinds_of_mail(socket: &std::path::Path) {
    let field = "Subject: subject-text\r\nX-Secret-Name: secret-value\r\n\r\nbody-text\r\n";
    let message =
        |from: &str| format!("From: {from}\r\nTo: <grace.hopper@elsewhere.example>\r\n{field}");
    let envelope = |login: Option<&str>| Envelope {
        sender: "bounce.handler@example.com".to_owned(),
        recipients: vec!["grace.hopper@elsewhere.example".to_owned()],
        login: login.map(|login| ("PLAIN".to_owned(), login.to_owned())),
        queue_id: "4QUEUE".to_owned(),
        ..Envelope::default()
    };
    let mut peer = Peer::connect(socket);
    for (from, login) in [
        ("Ada <ada.lovelace@example.com>", None),
        (
            "Ada <ada.lovelace@example.com>",
            Some("mallory.login@example.com"),
        ),
        ("ada.lovelace@other.example", None),
        ("ada.lovelace@broken.example", None),
        ("ada.lovelace@internal.example", None),
        ("ada.lovelace@example.com, ada.lovelace@example.net", None),
        ("ada.lovelace@@example.com", None),
        (
            "ada.lovelace@example.com\r\nFrom: ada.lovelace@example.com",
            None,
        ),
        (
            &format!("ada.lovelace@example.com{}", "\r\nX: y".repeat(100)),
            None,
        ),
    ] {
        peer.send_as(&envelope(login), message(from).as_bytes());
    }
    peer.break_off(message(&format!("{} <ada.lovelace@example.com>", "x".repeat(2000))).as_bytes());
    let mut strange = Peer::connect(socket);
    strange.write(b"MAIL FROM:<ada.lovelace@example.com>\r\n");
    assert!(strange.is_closed());
}

#[test]
fn at_info_the_log_holds_no_header_text_no_address_and_no_key() {
    for format in ["text", "json"] {
        let (place, socket) = place_with_key();
        place.ok("keygen broken.example --algorithm ed25519 --selector s1");
        let broken = place.key("broken.example", "s1");
        let pem = fs::read_to_string(&broken).unwrap();
        // What is left of it is key material all the same.
        let cut = pem.replace("-----END", "----END");
        fs::write(&broken, &cut).unwrap();
        let config = place.directory.path().join("signet.toml");
        let text = format!(
            "[log]\nformat = \"{format}\"\n[limits]\nheader_fields = 100\n\
             [exclude]\ndomains = [\"internal.example\"]\n\
             [send_as]\n[send_as.logins]\n\"mallory.login@example.com\" = [\"other@example.com\"]\n"
        );
        fs::write(&config, text).unwrap();
        let arguments = [
            "--config",
            config.to_str().unwrap(),
            "--listen",
            &unix(&socket),
        ];
        let mut daemon = Daemon::start(&place, &arguments);
        all_kinds_of_mail(&socket);
        daemon.signal("HUP");
        daemon.wait_for("reloaded");
        daemon.signal("TERM");
        daemon.wait_for("stopped");
        let lines = daemon.seen().join("\n").to_lowercase();
        for reason in [
            "no-rule",
            "key-unusable",
            "excluded-domain",
            "from-multiple",
            "from-unparsable",
            "from-repeated",
            "send-as-denied",
            "limit-exceeded",
            "aborted",
        ] {
            assert!(lines.contains(reason), "no message was {reason}: {lines}");
        }
        let key = pem.lines().nth(1).unwrap().to_lowercase();
        let own = fs::read_to_string(place.key("example.com", "s1")).unwrap();
        let own = own.lines().nth(1).unwrap().to_lowercase();
        for secret in SECRETS.into_iter().chain([&key[20..40], &own[20..40]]) {
            assert!(!lines.contains(secret), "{secret} in {lines}");
        }
    }
}

#[test]
fn json_is_one_object_a_line_with_the_fields_of_the_text() {
    let (place, socket) = place_with_key();
    let config = place.directory.path().join("signet.toml");
    fs::write(&config, "[log]\nformat = \"json\"\n").unwrap();
    let arguments = [
        "--config",
        config.to_str().unwrap(),
        "--listen",
        &unix(&socket),
    ];
    let mut daemon = Daemon::start(&place, &arguments);
    let mut peer = Peer::connect(&socket);
    peer.send("ada@example.com");
    peer.send("ada@other.example");
    daemon.wait_for("no-rule");
    let entries: Vec<serde_json::Value> = daemon
        .seen()
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let entry = |message: &str| {
        let mut entries = entries.iter();
        entries.find(|entry| entry["message"] == message).unwrap()
    };
    let signed = entry("signed");
    assert_eq!(signed["level"], "INFO");
    for (field, value) in [("queue_id", "4QUEUE"), ("d", "example.com"), ("s", "s1")] {
        assert_eq!(signed[field], value, "{signed}");
    }
    assert!(signed["timestamp"].is_string() && signed["micros"].is_number());
    assert_eq!(entry("not signed")["reason"], "no-rule");
}
