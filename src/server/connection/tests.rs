//! What peers may cost, on a clock that the tests move.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, DuplexStream, duplex};
use tokio::task::JoinHandle;

use super::*;

impl Wire for DuplexStream {}
use crate::config::Config;
use crate::milter::mta::Offer;
use crate::snapshot::Snapshot;
use crate::telemetry::{Connections, Fate, Metrics};

/// A connection that is served, and its peer's end.
struct Served {
    peer: DuplexStream,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
    _keys: tempfile::TempDir,
}

impl Served {
    fn new(limits: &str) -> Self {
        Self::with_room(limits, 4096)
    }

    /// `room` is for so many bytes that the peer has not read.
    fn with_room(limits: &str, room: usize) -> Self {
        let keys = tempfile::tempdir().unwrap();
        let mut config = Config::from_toml(&format!("[limits]\n{limits}"), "test").unwrap();
        config.keys = keys.path().to_owned();
        let shared = Arc::new(Shared::new(Snapshot::load(config).unwrap()));
        let (peer, stream) = duplex(room);
        let task = tokio::spawn({
            let shared = shared.clone();
            async move { attend(stream, None, &shared).await }
        });
        Self {
            peer,
            shared,
            task,
            _keys: keys,
        }
    }

    /// As [`Served::new`], with a client that this peer trusts.
    async fn with_client(limits: &str) -> Self {
        let mut served = Self::new(limits);
        let mut offer = BytesMut::new();
        Offer::postfix(6).encode(&mut offer);
        served.peer.write_all(&offer).await.unwrap();
        served.read().await;
        served
            .send(b'C', b"localhost\x004\x0f\xa0127.0.0.1\0")
            .await;
        served
    }

    async fn send(&mut self, command: u8, payload: &[u8]) {
        let written = self.peer.write_all(&packet(command, payload)).await;
        let breaches = breaches(&self.shared.metrics().connections);
        assert!(written.is_ok(), "closed: {breaches:?}");
    }

    /// One answer.
    async fn read(&mut self) {
        let length = self.peer.read_u32().await.unwrap();
        let mut answer = vec![0; length as usize];
        self.peer.read_exact(&mut answer).await.unwrap();
    }

    /// The envelope of a message, and that its data begins.
    async fn begin(&mut self) {
        self.send(b'M', b"<ada@example.com>\0").await;
        self.send(b'R', b"<you@example.net>\0").await;
        self.send(b'T', b"").await;
        self.read().await;
    }

    /// Waits until it is closed.
    async fn end(self) -> Arc<Shared> {
        self.task.await.unwrap();
        self.shared
    }
}

fn packet(command: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len() + 1).unwrap();
    [&length.to_be_bytes()[..], &[command], payload].concat()
}

/// The breaches that were counted.
fn breaches(connections: &Connections) -> Vec<(Breach, u64)> {
    let counts = Breach::ALL.map(|breach| (breach, connections.broken_by(breach)));
    counts.into_iter().filter(|(_, count)| *count > 0).collect()
}

fn cut_short(metrics: &Metrics) -> u64 {
    metrics.messages(Fate::Aborted)
}

#[tokio::test(start_paused = true)]
async fn one_byte_a_second_is_as_good_as_nothing() {
    let mut served = Served::with_client("idle = \"1h\"").await;
    let begun = Instant::now();
    let large = packet(b'L', &[b'x'; 60_000]);
    for byte in large {
        tokio::time::sleep(Duration::from_secs(1)).await;
        if served.peer.write_all(&[byte]).await.is_err() {
            break;
        }
    }
    let after = begun.elapsed().as_secs();
    assert!((3600..3610).contains(&after), "closed after {after} s");
    let shared = served.end().await;
    assert_eq!(breaches(&shared.metrics().connections), [(Breach::Idle, 1)]);
}

#[tokio::test(start_paused = true)]
async fn whole_packets_keep_a_connection_for_any_time() {
    let mut served = Served::with_client("idle = \"1m\"\nmessage = \"10m\"").await;
    for _ in 0..200 {
        tokio::time::sleep(Duration::from_secs(50)).await;
        served.send(b'A', b"").await;
    }
    served.send(b'Q', b"").await;
    let shared = served.end().await;
    assert_eq!(breaches(&shared.metrics().connections), []);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_does_not_end_is_cut_and_told_of() {
    let mut served = Served::with_client("idle = \"1m\"\nmessage = \"10m\"").await;
    served.begin().await;
    let begun = Instant::now();
    while served
        .peer
        .write_all(&packet(b'L', b"X\0y\0"))
        .await
        .is_ok()
    {
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
    let after = begun.elapsed().as_secs();
    assert!((600..=620).contains(&after), "closed after {after} s");
    let shared = served.end().await;
    assert_eq!(
        breaches(&shared.metrics().connections),
        [(Breach::Message, 1)]
    );
    assert_eq!(cut_short(shared.metrics()), 1);
}

#[tokio::test(start_paused = true)]
async fn each_message_of_a_session_has_its_own_time() {
    let mut served = Served::with_client("idle = \"10m\"\nmessage = \"10m\"").await;
    for _ in 0..5 {
        served.begin().await;
        tokio::time::sleep(Duration::from_secs(400)).await;
        // Given up, and the next begun in the same breath.
        served.send(b'A', b"").await;
    }
    served.send(b'Q', b"").await;
    let shared = served.end().await;
    assert_eq!(breaches(&shared.metrics().connections), []);
    assert_eq!(cut_short(shared.metrics()), 5);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_no_answer_is_closed() {
    let mut served = Served::with_room("write = \"90s\"", 16);
    let mut offer = BytesMut::new();
    Offer::postfix(6).encode(&mut offer);
    let begun = Instant::now();
    served.peer.write_all(&offer).await.unwrap();
    // The peer lives, and holds its end open.
    let Served {
        task, shared, peer, ..
    } = served;
    task.await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), 90);
    assert_eq!(
        breaches(&shared.metrics().connections),
        [(Breach::Write, 1)]
    );
    drop(peer);
}

#[tokio::test(start_paused = true)]
async fn however_a_connection_breaks_its_message_has_a_line() {
    for (bytes, breach) in [
        (&b"\0\0\0\0"[..], Some(Breach::Packet)),
        (b"\xff\xff\xff\xffB", Some(Breach::Packet)),
        (b"\0\0\0\x01\xff", Some(Breach::Protocol)),
        // Half a packet, and gone.
        (b"\0\0\0", None),
    ] {
        let mut served = Served::with_client("").await;
        served.begin().await;
        served.send(b'L', b"X\0y\0").await;
        served.peer.write_all(bytes).await.unwrap();
        served.peer.shutdown().await.unwrap();
        let shared = served.end().await;
        let expected: Vec<_> = breach.map(|breach| (breach, 1)).into_iter().collect();
        assert_eq!(breaches(&shared.metrics().connections), expected);
        assert_eq!(cut_short(shared.metrics()), 1, "{bytes:?}");
    }
}
