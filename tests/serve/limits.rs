//! What peers may take, and what becomes of the others when they take it all.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use signet::milter::mta::{Offer, Verdict};

use crate::daemon::{Daemon, Peer};
use crate::left_out;
use crate::place::{Place, SIGNET};
use crate::{place_with_key, unix};

/// A daemon with these limits, on the socket.
fn limited(place: &Place, socket: &Path, limits: &str) -> Daemon {
    let mut command = Command::new(SIGNET);
    command.args(serve(place, &unix(socket), limits));
    let mut daemon = Daemon::run(command);
    daemon.wait_for("listening");
    daemon
}

/// The arguments of such a daemon.
fn serve(place: &Place, listen: &str, limits: &str) -> Vec<String> {
    let config = place.directory.path().join("signet.toml");
    fs::write(&config, format!("[limits]\n{limits}")).unwrap();
    let keys = place.keys();
    [
        "serve",
        "--config",
        config.to_str().unwrap(),
        "--keys",
        keys.to_str().unwrap(),
        "--listen",
        listen,
    ]
    .map(str::to_owned)
    .into()
}

/// A daemon that may have so many open files.
fn with_files(place: &Place, socket: &Path, files: &str) -> Daemon {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit {files}; exec \"$@\""), "sh", SIGNET]);
    command.args(serve(place, &unix(socket), "connections = 500"));
    Daemon::run(command)
}

#[test]
fn when_no_file_descriptor_is_left_peers_wait_until_there_is_one() {
    let (place, socket) = place_with_key();
    let mut daemon = with_files(&place, &socket, "-n 60");
    assert!(daemon.wait_for("open files").contains("LimitNOFILE"));
    daemon.wait_for("listening");
    let many: Vec<_> = (0..100)
        .map(|_| std::os::unix::net::UnixStream::connect(&socket).unwrap())
        .collect();
    daemon.wait_for("cannot accept a connection; trying again");
    drop(many);
    let outcome = Peer::connect(&socket).send("ada@example.com");
    assert_eq!(outcome.edits.len(), 1);
}

#[test]
fn the_daemon_allows_itself_the_files_it_needs() {
    let (place, socket) = place_with_key();
    // Soft, as most systems have it: below what the limit of connections needs.
    let mut daemon = with_files(&place, &socket, "-Sn 60");
    daemon.wait_for("listening");
    let mut peers: Vec<_> = (0..100).map(|_| Peer::connect(&socket)).collect();
    let last = peers.last_mut().unwrap();
    assert_eq!(last.send("ada@example.com").edits.len(), 1);
}

#[test]
fn ten_thousand_connections_leave_room_for_mail() {
    const MANY: usize = 10_000;
    let own = getrlimit(Resource::Nofile);
    if own
        .maximum
        .is_some_and(|maximum| maximum < MANY as u64 + 200)
    {
        left_out::cannot_be_mended(&format!("no file descriptors for {MANY} connections"));
        return;
    }
    let current = own.maximum;
    setrlimit(Resource::Nofile, Rlimit { current, ..own }).unwrap();
    let (place, socket) = place_with_key();
    let _daemon = limited(&place, &socket, &format!("connections = {MANY}"));
    let mut peers: Vec<_> = (0..MANY).map(|_| Peer::connect(&socket)).collect();
    for peer in peers.iter_mut().step_by(1000) {
        assert_eq!(peer.send("ada@example.com").edits.len(), 1);
    }
    // One more waits for a place, and gets one.
    let waiting = std::thread::spawn({
        let socket = socket.clone();
        move || Peer::connect(&socket).send("ada@example.com").edits.len()
    });
    drop(peers.pop());
    assert_eq!(waiting.join().unwrap(), 1);
}

#[test]
fn one_address_cannot_have_all_places() {
    let (place, _) = place_with_key();
    let mut command = Command::new(SIGNET);
    command.args(serve(
        &place,
        "inet:127.0.0.1:0",
        "connections_per_peer = 2",
    ));
    let mut daemon = Daemon::run(command);
    let line = daemon.wait_for("listening");
    let address = line.split("inet:").nth(1).unwrap();
    let address = address.split_whitespace().next().unwrap();

    let mut offer = BytesMut::new();
    Offer::postfix(6).encode(&mut offer);
    // Whether a connection is served.
    let knock = || {
        let mut stream = TcpStream::connect(address).unwrap();
        let answered = stream
            .write_all(&offer)
            .and_then(|()| stream.read(&mut [0; 4]));
        answered.is_ok_and(|length| length > 0).then_some(stream)
    };
    let (first, _second) = (knock().unwrap(), knock().unwrap());
    assert!(knock().is_none());
    let line = daemon.wait_for("limits.connections_per_peer");
    assert!(line.contains("127.0.0.1"), "{line}");
    drop(first);
    let deadline = Instant::now() + Duration::from_secs(30);
    while knock().is_none() {
        assert!(Instant::now() < deadline, "its place is not given back");
    }
}

#[test]
fn a_header_section_of_too_many_fields_waits_at_the_sender() {
    let (place, socket) = place_with_key();
    let mut daemon = limited(&place, &socket, "header_fields = 100");
    let fields = |count| "\r\nX: y".repeat(count);
    let mut peer = Peer::connect(&socket);
    let outcome = peer.send(&format!("ada@example.com{}", fields(98)));
    assert_eq!(outcome.edits.len(), 1);
    let outcome = peer.send(&format!("ada@example.com{}", fields(99)));
    assert_eq!(outcome.verdict, Verdict::Tempfail);
    let line = daemon.wait_for("limit-exceeded");
    assert!(line.contains("limits.header_fields"), "{line}");
}

#[test]
fn a_connection_that_says_nothing_is_closed_at_its_limit() {
    let (place, socket) = place_with_key();
    let mut daemon = limited(&place, &socket, "idle = 1");
    assert!(Peer::connect(&socket).is_closed());
    assert!(
        daemon
            .wait_for("milter connection closed")
            .contains("limits.idle")
    );
}

#[test]
fn a_header_section_beyond_its_limit_waits_at_the_sender() {
    let (place, socket) = place_with_key();
    let mut daemon = limited(&place, &socket, "header_bytes = 1024");
    let long = format!("ada@example.com\r\nX-Long: {}", "x".repeat(1100));
    let outcome = Peer::connect(&socket).send(&long);
    assert_eq!(outcome.verdict, Verdict::Tempfail);
    assert!(
        daemon
            .wait_for("limit-exceeded")
            .contains("limits.header_bytes")
    );
}

#[test]
fn connections_beyond_the_limit_wait_and_are_not_refused() {
    let (place, socket) = place_with_key();
    let _daemon = limited(&place, &socket, "connections = 1");
    let first = Peer::connect(&socket);
    let waiting = std::thread::spawn({
        let socket = socket.clone();
        move || Peer::connect(&socket).send("ada@example.com").edits.len()
    });
    drop(first);
    assert_eq!(waiting.join().unwrap(), 1);
}
