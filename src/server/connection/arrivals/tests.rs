//! However the bytes of a message come, its signature is over all of them.

use std::sync::Arc;

use base64ct::{Base64, Encoding};
use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex, split};

use super::ROOM;
use crate::config::Config;
use crate::dkim::{CanonicalizationAlgorithm, canonicalize_body};
use crate::keys::{self, Algorithm};
use crate::milter::mta::Offer;
use crate::names::{DomainName, Selector};
use crate::server::connection::attend;
use crate::server::shared::Shared;
use crate::snapshot::Snapshot;

/// A session that sends a message so many times and quits, with its body in packets of
/// `lengths`; and the body.
fn session(times: usize, lengths: &[usize]) -> (BytesMut, Vec<u8>) {
    let mut bytes = BytesMut::new();
    Offer::postfix(6).encode(&mut bytes);
    let mut body = Vec::new();
    let mut send = |command: u8, payload: &[u8]| {
        let length = u32::try_from(payload.len() + 1).unwrap();
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&[command]);
        bytes.extend_from_slice(payload);
    };
    send(b'C', b"localhost\x004\x0f\xa0127.0.0.1\0");
    for _ in 0..times {
        body.clear();
        send(b'M', b"<ada@example.com>\0");
        send(b'R', b"<you@example.net>\0");
        send(b'L', b"From\0 ada@example.com\0");
        send(b'N', b"");
        for (number, length) in lengths.iter().enumerate() {
            let line = format!("piece {number}, {length} bytes  long\r\n");
            let piece: Vec<u8> = line.bytes().cycle().take(*length).collect();
            send(b'B', &piece);
            body.extend_from_slice(&piece);
        }
        send(b'E', b"");
    }
    send(b'Q', b"");
    (bytes, body)
}

/// All that is answered to `session`, of which at most `at_once` bytes come at a time.
async fn answers(session: &[u8], at_once: usize) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let key = keys::generate(Algorithm::Ed25519).unwrap();
    let domain = DomainName::parse("example.com").unwrap();
    let selector = Selector::parse("s").unwrap();
    keys::write_new(directory.path(), &domain, &selector, &key).unwrap();
    let mut config = Config::from_toml("[limits]\npacket_bytes = 4_000_000", "test").unwrap();
    config.keys = directory.path().to_owned();
    let shared = Arc::new(Shared::new(Snapshot::load(config).unwrap()));
    let (peer, stream) = duplex(at_once);
    let serving = tokio::spawn(async move { attend(stream, None, &shared).await });
    let (mut replies, mut requests) = split(peer);
    let mut answers = Vec::new();
    let (written, read) = tokio::join!(
        requests.write_all(session),
        replies.read_to_end(&mut answers)
    );
    written.unwrap();
    read.unwrap();
    serving.await.unwrap();
    answers
}

async fn signs_all(times: usize, lengths: &[usize], at_once: usize) {
    let (session, body) = session(times, lengths);
    let body = canonicalize_body(CanonicalizationAlgorithm::Relaxed, &body);
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &body);
    let expected = format!("bh={}", Base64::encode_string(hash.as_ref()));
    let answers = answers(&session, at_once).await;
    let answers = String::from_utf8_lossy(&answers).replace("\n\t", "");
    let signed = answers.matches(&expected).count();
    assert_eq!(signed, times, "{at_once} at once: {answers:?}");
}

#[tokio::test]
async fn byte_by_byte() {
    for at_once in [7, 1, 2, 5, 64, 1000] {
        signs_all(1, &[300, 0, 1, 2, 1000, 3], at_once).await;
    }
}

#[tokio::test]
async fn in_packets_as_large_as_postfix_sends_them() {
    for at_once in [
        1500,
        4096,
        65_540,
        65_541,
        ROOM - 1,
        ROOM,
        ROOM + 1,
        8 * ROOM,
    ] {
        signs_all(1, &[65_535; 50], at_once).await;
    }
}

#[tokio::test]
async fn in_packets_larger_than_the_room_for_them() {
    for at_once in [4096, 100_000, ROOM, 8 * ROOM] {
        signs_all(1, &[3, 3 * ROOM, 70_000, ROOM + 5, ROOM - 5, 1], at_once).await;
    }
}

#[tokio::test]
async fn message_upon_message_without_waiting_for_an_answer() {
    for at_once in [100, 5000, 8 * ROOM] {
        signs_all(300, &[20, 5000], at_once).await;
    }
}
