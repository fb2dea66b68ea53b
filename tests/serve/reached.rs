//! Every limit of the config, reached by a peer: the log names its key, the metric counts it.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use signet::milter::mta::{Offer, Verdict};
use signet::telemetry::Limit;

use crate::daemon::{Daemon, Peer};
use crate::http::get;
use crate::place::Place;
use crate::unix;

const AUTHOR: &str = "ada@example.com";

/// A daemon that shows its metrics.
struct Stand {
    daemon: Daemon,
    socket: PathBuf,
    /// It listens here too, which takes a place of `limits.connections` from nobody.
    address: String,
    metrics: SocketAddr,
    _place: Place,
}

impl Stand {
    fn with(config: &str) -> Self {
        let place = Place::new();
        place.ok("keygen example.com --selector s1");
        let file = place.directory.path().join("signet.toml");
        fs::write(
            &file,
            format!("{config}\n[metrics]\nlisten = \"127.0.0.1:0\"\n"),
        )
        .unwrap();
        let socket = place.directory.path().join("signet.sock");
        let (config, listen) = (file.to_str().unwrap(), unix(&socket));
        let tcp = "inet:127.0.0.1:0";
        let arguments = ["--config", config, "--listen", &listen, "--listen", tcp];
        let mut daemon = Daemon::spawn(&place, &arguments);
        let after = |line: &str, text: &str| {
            let (_, rest) = line.split_once(text).unwrap();
            let end = rest.find(['/', ' ']).unwrap_or(rest.len());
            rest[..end].to_owned()
        };
        let listening = daemon.wait_for("listening listener=inet:127.0.0.1");
        let status = daemon.wait_for("status on http://");
        let metrics = after(&status, "http://").parse().unwrap();
        Self {
            address: after(&listening, "inet:"),
            daemon,
            socket,
            metrics,
            _place: place,
        }
    }

    fn connect(&self) -> Peer {
        Peer::connect(&self.socket)
    }

    fn count(&self, limit: Limit) -> u64 {
        let text = get(self.metrics, "/metrics").body;
        let sample = format!(
            "signet_limit_reached_total{{limit=\"{}\"}} ",
            limit.as_str()
        );
        let value = text.lines().find_map(|line| line.strip_prefix(&sample));
        value.unwrap().parse().unwrap()
    }

    /// Waits until a peer's reaching this limit is counted.
    fn wait_for(&self, limit: Limit) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.count(limit) == 0 {
            assert!(Instant::now() < deadline, "{limit:?} is not counted");
            std::thread::yield_now();
        }
    }
}

/// Reaches a limit on a daemon of its own.
fn reach(limit: Limit) -> Stand {
    let key = limit.as_str();
    let set = |value: &str| Stand::with(&format!("[limits]\n{key} = {value}\n"));
    match limit {
        Limit::PacketBytes => {
            let stand = set("65541");
            let mut peer = stand.connect();
            peer.write(&[&65_542_u32.to_be_bytes()[..], b"L"].concat());
            assert!(peer.is_closed());
            stand
        }
        Limit::HeaderBytes => {
            let stand = set("1024");
            let long = format!("{AUTHOR}\r\nX-Long: {}", "x".repeat(1100));
            let outcome = stand.connect().send(&long);
            assert_eq!(outcome.verdict, Verdict::Tempfail);
            stand
        }
        Limit::HeaderFields => {
            let stand = set("100");
            let many = format!("{AUTHOR}{}", "\r\nX: y".repeat(100));
            let outcome = stand.connect().send(&many);
            assert_eq!(outcome.verdict, Verdict::Tempfail);
            stand
        }
        Limit::Recipients => {
            let stand = Stand::with(
                "[limits]\nrecipients = 2\n[exclude]\nrecipients = [\"archive@example.com\"]\n",
            );
            let mut peer = stand.connect();
            let two = ["one@example.net", "two@example.net"];
            assert_eq!(peer.send_to(&two, AUTHOR).edits.len(), 1);
            // Whether the third is excluded nobody has looked.
            let three = ["one@example.net", "two@example.net", "archive@example.com"];
            assert_eq!(peer.send_to(&three, AUTHOR).verdict, Verdict::Tempfail);
            // Mail that is not ours is not held up for it.
            let strange = peer.send_to(&three, "ada@other.example");
            assert_eq!(strange.verdict, Verdict::Accept);
            stand
        }
        Limit::Connections => {
            let stand = set("1");
            let first = stand.connect();
            let waiting = UnixStream::connect(&stand.socket).unwrap();
            stand.wait_for(limit);
            drop((first, waiting));
            assert_eq!(stand.connect().send(AUTHOR).edits.len(), 1);
            stand
        }
        Limit::ConnectionsPerPeer => {
            let stand = set("1");
            let _first = knock(&stand.address).unwrap();
            assert!(knock(&stand.address).is_none());
            stand
        }
        Limit::SigningQueue => {
            let stand = set("1");
            crowd(&stand);
            stand
        }
        Limit::Idle => {
            let stand = set("1");
            assert!(stand.connect().is_closed());
            stand
        }
        Limit::Message => {
            let stand = set("1");
            let mut peer = stand.connect();
            peer.write(b"\0\0\0\x13M<ada@example.com>\0");
            assert!(peer.is_closed());
            stand
        }
        Limit::Write => {
            let stand = set("1");
            let mut stream = UnixStream::connect(&stand.socket).unwrap();
            let mut offer = BytesMut::new();
            Offer::postfix(6).encode(&mut offer);
            stream.write_all(&offer).unwrap();
            // Questions, and never a look at the answers.
            let mut ask = || {
                stream.write_all(
                    b"\0\0\0\x13M<ada@example.com>\0\0\0\0\x01T\0\0\0\x01N\0\0\0\x01E\0\0\0\x01A",
                )
            };
            let ended = std::iter::repeat_with(&mut ask)
                .take(1_000_000)
                .find_map(Result::err)
                .unwrap();
            let closed = [ErrorKind::BrokenPipe, ErrorKind::ConnectionReset];
            assert!(closed.contains(&ended.kind()), "{ended}");
            stand
        }
    }
}

/// Whether a TCP connection is served.
fn knock(address: &str) -> Option<TcpStream> {
    let mut offer = BytesMut::new();
    Offer::postfix(6).encode(&mut offer);
    let mut stream = TcpStream::connect(address).unwrap();
    let answered = stream
        .write_all(&offer)
        .and_then(|()| stream.read(&mut [0; 4]));
    answered.is_ok_and(|length| length > 0).then_some(stream)
}

/// Many messages at their end at once, until one of them has been told to come again.
fn crowd(stand: &Stand) {
    let (told, signed) = (AtomicBool::new(false), AtomicBool::new(false));
    let deadline = Instant::now() + Duration::from_secs(30);
    std::thread::scope(|scope| {
        for mut peer in (0..8).map(|_| stand.connect()) {
            let (told, signed) = (&told, &signed);
            scope.spawn(move || {
                while !(told.load(Ordering::Relaxed) && signed.load(Ordering::Relaxed)) {
                    assert!(Instant::now() < deadline, "the limit is never reached");
                    let outcome = peer.send(AUTHOR);
                    match (outcome.verdict, outcome.edits.len()) {
                        (Verdict::Tempfail, 0) => told.store(true, Ordering::Relaxed),
                        (Verdict::Accept, 1) => signed.store(true, Ordering::Relaxed),
                        other => panic!("{other:?}"),
                    }
                }
            });
        }
    });
}

#[test]
fn every_limit_that_is_reached_is_counted_and_named_in_the_log() {
    for limit in Limit::ALL {
        let mut stand = reach(*limit);
        let line = stand.daemon.wait_for(&format!("limits.{}", limit.as_str()));
        assert!(line.contains("WARN"), "{line}");
        stand.wait_for(*limit);
        for other in Limit::ALL.iter().filter(|other| *other != limit) {
            assert_eq!(stand.count(*other), 0, "{limit:?} counted as {other:?}");
        }
    }
}

#[test]
fn a_message_that_finds_the_queue_full_waits_even_where_mail_may_leave_unsigned() {
    for on_failure in ["unsigned", "reject"] {
        let mut stand = Stand::with(&format!(
            "[limits]\nsigning_queue = 1\n[signing]\non_failure = \"{on_failure}\"\n"
        ));
        crowd(&stand);
        let line = stand.daemon.wait_for("limit-exceeded");
        for part in ["limits.signing_queue", "action=tempfail", "example.com"] {
            assert!(line.contains(part), "{part:?} is not in {line}");
        }
        // Alone it is signed, as the next try of a message that was told to wait is.
        assert_eq!(stand.connect().send(AUTHOR).edits.len(), 1);
    }
}

/// Every place is taken by a peer that sends its byte now and then, of a packet that would take days. Mail gets through when
/// their time is up.
#[test]
fn slow_peers_hold_their_places_no_longer_than_the_idle_limit() {
    let stand = Stand::with("[limits]\nconnections = 20\nidle = 1\n");
    let mut slow: Vec<_> = (0..20).map(|_| stand.connect()).collect();
    for peer in &mut slow {
        peer.write(b"\0\x10\0\0L");
    }
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let deadline = Instant::now() + Duration::from_secs(30);
            while !slow.is_empty() {
                assert!(Instant::now() < deadline, "{} are served", slow.len());
                slow.retain_mut(|peer| peer.try_write(b"x"));
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        assert_eq!(stand.connect().send(AUTHOR).edits.len(), 1);
    });
    assert_eq!(stand.count(Limit::Idle), 20);
}
