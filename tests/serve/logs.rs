//! The log: where it goes, and how much of it there is.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

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
