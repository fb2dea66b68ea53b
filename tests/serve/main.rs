//! `signet serve` as an administrator and a Postfix meet it: sockets, signals, limits.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

#[path = "../left_out/mod.rs"]
mod left_out;
#[path = "../place/mod.rs"]
mod place;

#[allow(dead_code, reason = "the endurance test needs more of it")]
mod daemon;
#[path = "../status/http.rs"]
#[allow(dead_code, reason = "the tests of status need more of it")]
mod http;
mod limits;
mod logs;
mod privileges;
mod reached;
mod strangers;

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use daemon::{Daemon, Peer};
use place::Place;
use signet::milter::mta::{Edit, Outcome, Verdict};

fn place_with_key() -> (Place, PathBuf) {
    let place = Place::new();
    place.ok("keygen example.com --algorithm ed25519 --selector s1");
    let socket = place.directory.path().join("signet.sock");
    (place, socket)
}

fn unix(socket: &std::path::Path) -> String {
    format!("unix:{}", socket.display())
}

fn signatures(outcome: &Outcome) -> Vec<String> {
    outcome
        .edits
        .iter()
        .filter_map(|edit| match edit {
            Edit::Insert { value, .. } => Some(String::from_utf8(value.clone()).unwrap()),
            _ => None,
        })
        .collect()
}

#[test]
fn one_line_a_message_says_what_became_of_it() {
    let (place, socket) = place_with_key();
    let mut daemon = Daemon::start(&place, &["--listen", &unix(&socket)]);
    let mut peer = Peer::connect(&socket);

    let outcome = peer.send("ada@example.com");
    assert_eq!(outcome.verdict, Verdict::Accept);
    let field = &signatures(&outcome)[0];
    assert!(field.contains("d=example.com;"), "{field}");
    assert!(field.contains("s=s1;"), "{field}");
    let line = daemon.wait_for("signed");
    for part in [
        "INFO",
        "4QUEUE",
        "d=example.com s=s1 a=ed25519-sha256",
        "127.0.0.1",
    ] {
        assert!(line.contains(part), "{part:?} is not in {line}");
    }

    let outcome = peer.send("ada@other.example");
    assert_eq!(signatures(&outcome), Vec::<String>::new());
    let line = daemon.wait_for("not signed");
    for part in ["no-rule", "other.example"] {
        assert!(line.contains(part), "{part:?} is not in {line}");
    }
    assert!(!line.contains("ada@"), "a full address: {line}");
}

#[test]
fn a_socket_has_the_mode_asked_for_and_goes_with_the_daemon() {
    let (place, socket) = place_with_key();
    let config = place.directory.path().join("signet.toml");
    let listen = format!(
        "listen = [{{ address = \"{}\", mode = \"0600\" }}]\n",
        unix(&socket)
    );
    fs::write(&config, listen).unwrap();
    let mut daemon = Daemon::start(&place, &["--config", config.to_str().unwrap()]);
    let found = fs::metadata(&socket).unwrap();
    assert!(found.file_type().is_socket());
    assert_eq!(found.permissions().mode() & 0o777, 0o600);
    daemon.signal("TERM");
    assert!(daemon.end().success());
    assert!(!socket.exists());
}

/// Each of several, and the directory that is made for it.
#[test]
fn each_socket_belongs_to_whom_the_config_says() {
    if !left_out::is_root() {
        return;
    }
    let (place, _) = place_with_key();
    let directory = place.directory.path();
    let config = directory.join("signet.toml");
    let sockets = [("one", 1234, 2345, 0o660), ("two", 3456, 4567, 0o600)].map(
        |(name, owner, group, mode)| (directory.join(name).join("signet.sock"), owner, group, mode),
    );
    let listen = sockets.iter().map(|(socket, owner, group, mode)| {
        let address = unix(socket);
        format!(
            "{{ address = \"{address}\", owner = {owner}, group = {group}, mode = \"{mode:04o}\" }},"
        )
    });
    let listen: String = listen.collect();
    fs::write(&config, format!("listen = [{listen}]\n")).unwrap();
    let mut daemon = Daemon::start(&place, &["--config", config.to_str().unwrap()]);
    daemon.wait_for("listening");
    for (socket, owner, group, mode) in &sockets {
        let found = fs::metadata(socket).unwrap();
        assert!(found.file_type().is_socket());
        assert_eq!((found.uid(), found.gid()), (*owner, *group));
        assert_eq!(found.mode() & 0o777, *mode);
        let found = fs::metadata(socket.parent().unwrap()).unwrap();
        assert_eq!((found.uid(), found.gid()), (*owner, *group));
        assert_eq!(found.mode() & 0o777, 0o750);
        assert_eq!(Peer::connect(socket).send("ada@example.com").edits.len(), 1);
    }
}

#[test]
fn a_directory_that_is_missing_is_made() {
    let (place, _) = place_with_key();
    let socket = place.directory.path().join("spool/signet/signet.sock");
    let _daemon = Daemon::start(&place, &["--listen", &unix(&socket)]);
    assert_eq!(
        fs::metadata(socket.parent().unwrap()).unwrap().mode() & 0o777,
        0o750
    );
    Peer::connect(&socket);
}

#[test]
fn a_stale_socket_is_replaced_and_a_live_one_is_not() {
    let (place, socket) = place_with_key();
    // Left over from a daemon that was killed: a file, and nobody who listens.
    drop(UnixListener::bind(&socket).unwrap());
    assert!(socket.exists());
    let _first = Daemon::start(&place, &["--listen", &unix(&socket)]);
    assert_eq!(
        Peer::connect(&socket).send("ada@example.com").edits.len(),
        1
    );

    let mut second = Daemon::spawn(&place, &["--listen", &unix(&socket)]);
    second.wait_for("another program answers there");
    assert_eq!(second.end().code(), Some(2));
    assert_eq!(
        Peer::connect(&socket).send("ada@example.com").edits.len(),
        1
    );
}

#[test]
fn a_file_that_is_no_socket_is_left_alone() {
    let (place, socket) = place_with_key();
    fs::write(&socket, "precious").unwrap();
    let mut daemon = Daemon::spawn(&place, &["--listen", &unix(&socket)]);
    daemon.wait_for("is not a socket");
    assert_eq!(daemon.end().code(), Some(2));
    assert_eq!(fs::read_to_string(&socket).unwrap(), "precious");
}

#[test]
fn several_listeners_serve_the_same() {
    let (place, socket) = place_with_key();
    let other = place.directory.path().join("other.sock");
    let config = place.directory.path().join("signet.toml");
    // One that waits for a connection takes no place from the other.
    fs::write(&config, "[limits]\nconnections = 1\n").unwrap();
    let config = config.to_str().unwrap();
    let (first, second) = (unix(&socket), unix(&other));
    let arguments = ["--config", config, "--listen", &first, "--listen", &second];
    let mut daemon = Daemon::start(&place, &arguments);
    daemon.wait_for("listening");
    for socket in [&socket, &other] {
        assert_eq!(Peer::connect(socket).send("ada@example.com").edits.len(), 1);
    }
}

#[test]
fn hangup_reloads_the_keys_and_a_mistake_changes_nothing() {
    let (place, socket) = place_with_key();
    let config = place.directory.path().join("signet.toml");
    fs::write(&config, "").unwrap();
    let listen = [
        "--config",
        config.to_str().unwrap(),
        "--listen",
        &unix(&socket),
    ];
    let mut daemon = Daemon::start(&place, &listen);
    let mut peer = Peer::connect(&socket);
    assert_eq!(peer.send("ada@example.net").edits.len(), 0);

    place.ok("keygen example.net --algorithm ed25519 --selector s1");
    daemon.signal("HUP");
    daemon.wait_for("reloaded");
    // The same SMTP session: it was neither cut nor left with the old keys.
    assert_eq!(peer.send("ada@example.net").edits.len(), 1);

    fs::write(&config, "[trust]\nnetwroks = []\n").unwrap();
    daemon.signal("HUP");
    let line = daemon.wait_for("netwroks");
    assert!(line.contains("ERROR not reloaded"), "{line}");
    assert!(line.contains("signet.toml:2"), "{line}");
    daemon.wait_for("stay in force");
    assert_eq!(peer.send("ada@example.net").edits.len(), 1);
    assert_eq!(peer.send("ada@example.com").edits.len(), 1);
}

#[test]
fn told_to_stop_it_lets_an_smtp_session_end() {
    let (place, socket) = place_with_key();
    let mut daemon = Daemon::start(&place, &["--listen", &unix(&socket)]);
    let mut peer = Peer::connect(&socket);
    assert_eq!(peer.send("ada@example.com").edits.len(), 1);
    daemon.signal("TERM");
    daemon.wait_for("stopping");
    // Postfix would apply its default action to these, had the connection been cut.
    assert_eq!(peer.send("ada@example.com").edits.len(), 1);
    assert_eq!(peer.send("ada@example.com").edits.len(), 1);
    drop(peer);
    daemon.wait_for("every connection had ended");
    assert!(daemon.end().success());
}

#[test]
fn a_grace_that_ends_ends_the_daemon() {
    let (place, socket) = place_with_key();
    let config = place.directory.path().join("signet.toml");
    fs::write(&config, "[limits]\ngrace = 1\n").unwrap();
    let listen = [
        "--config",
        config.to_str().unwrap(),
        "--listen",
        &unix(&socket),
    ];
    let mut daemon = Daemon::start(&place, &listen);
    let _peer = Peer::connect(&socket);
    daemon.signal("TERM");
    daemon.wait_for("still open");
    assert!(daemon.end().success());
}

#[test]
fn a_peer_that_breaks_the_protocol_loses_its_connection_and_nothing_else_happens() {
    let (place, socket) = place_with_key();
    let mut daemon = Daemon::start(&place, &["--listen", &unix(&socket)]);
    let mut good = Peer::connect(&socket);
    for bytes in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        b"\0\0\0\0",
        b"\0\0\0\x01L",
        b"\0\0\0\x01\xff",
    ] {
        let mut bad = Peer::connect(&socket);
        bad.write(bytes);
        assert!(bad.is_closed(), "{bytes:?}");
        assert!(daemon.wait_for("milter connection closed").contains("WARN"));
    }
    assert_eq!(good.send("ada@example.com").edits.len(), 1);
}

#[test]
fn a_key_that_anybody_can_read_defers_its_own_domain_only() {
    let (place, socket) = place_with_key();
    place.ok("keygen example.net --algorithm ed25519 --selector s1");
    let key = place.key("example.net", "s1");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let mut daemon = Daemon::spawn(&place, &["--listen", &unix(&socket)]);
    assert!(daemon.wait_for("chmod 600").contains("example.net"));
    daemon.wait_for("listening");
    let mut peer = Peer::connect(&socket);
    assert_eq!(peer.send("ada@example.net").verdict, Verdict::Tempfail);
    assert!(daemon.wait_for("key-unusable").contains("tempfail"));
    assert_eq!(peer.send("ada@example.com").edits.len(), 1);
}
