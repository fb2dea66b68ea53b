//! The MTA that tests, selftest and bench play says what Postfix said, byte for byte.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests may fail by panicking"
)]

mod recorded;

use bytes::{Bytes, BytesMut};
use recorded::{Connection, Packet};
use signet::milter::frame::Frame;
use signet::milter::mta::{Answer, Client, Envelope, Message, Offer, Script};

fn pairs(macros: &[(&str, &str)]) -> Vec<(String, String)> {
    macros
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()))
        .collect()
}

/// The client of the recordings, whose port differs from one to the next.
fn client(connection: &Connection) -> Client {
    let port = connection
        .from_mta
        .iter()
        .find(|packet| packet.command == b'C')
        .map_or(0, |packet| {
            let behind = packet.payload.iter().position(|byte| *byte == 0).unwrap() + 2;
            u16::from_be_bytes([packet.payload[behind], packet.payload[behind + 1]])
        });
    Client {
        hostname: "localhost".into(),
        address: Some(([127, 0, 0, 1], port).into()),
        helo: "client.example.com".into(),
        macros: pairs(&[
            ("j", "mx.test"),
            ("daemon_name", "mx.test"),
            ("daemon_addr", "127.0.0.1"),
            ("v", "Postfix 3.7.11"),
            ("_", "localhost [127.0.0.1]"),
            ("client_addr", "127.0.0.1"),
        ]),
    }
}

/// The queue ids of a recording's messages.
fn queue_ids(connection: &Connection) -> Vec<String> {
    let ends = connection.from_mta.iter().filter(|packet| {
        packet.command == b'D' && matches!(packet.payload.first(), Some(b'E' | b'T'))
    });
    let mut ids: Vec<String> = ends
        .filter_map(|packet| {
            let text = String::from_utf8_lossy(&packet.payload[1..]).into_owned();
            let id = text.strip_prefix("i\0")?.strip_suffix('\0')?;
            Some(id.to_owned())
        })
        .collect();
    ids.dedup();
    ids
}

fn envelope(queue_id: &str) -> Envelope {
    Envelope {
        sender: "sender@example.com".into(),
        recipients: vec!["user@d8.test".into()],
        queue_id: queue_id.into(),
        macros: pairs(&[
            ("mail_host", "[127.0.0.1]:28100"),
            ("rcpt_host", "[127.0.0.1]:28100"),
        ]),
        ..Envelope::default()
    }
}

fn message() -> Message {
    Message::parse(
        b"From: Sender <sender@example.com>\r\n\
          To: user@d8.test\r\n\
          Subject: hello\r\n\
          Date: Sun, 22 Nov 2026 07:00:00 +0000\r\n\
          Message-ID: <1@example.com>\r\n\
          \r\n\
          Hello body\r\n\
          line2\r\n",
    )
}

/// An unknown SMTP command with its macros, which scripts do not have.
fn of_unknown(packet: &Packet) -> bool {
    packet.command == b'U' || (packet.command == b'D' && packet.payload == b"U")
}

/// The negotiation of a recording, from the MTA's end.
fn negotiate(connection: &Connection) -> Answer {
    let offered = &connection.from_mta[0];
    let version = u32::from_be_bytes(offered.payload[..4].try_into().unwrap());
    let answered = &connection.from_filter[0];
    let frame = Frame {
        command: answered.command,
        payload: Bytes::from(answered.payload.clone()),
    };
    Answer::read(&frame, &Offer::postfix(version)).unwrap()
}

#[track_caller]
fn compare(name: &str, sent: &[u8], packets: &[Packet]) {
    let recorded: Vec<u8> = packets.iter().flat_map(Packet::bytes).collect();
    assert_eq!(
        sent.escape_ascii().to_string(),
        recorded.escape_ascii().to_string(),
        "{name}"
    );
}

#[test]
fn one_message_by_smtp_under_every_version_and_set_of_flags() {
    for name in [
        "01-smtpd-v6-default-one-message",
        "80-mta-v2-milter-v2",
        "80-mta-v3-milter-v3",
        "80-mta-v4-milter-v4",
        "81-mta-v6-milter-v2",
        "90-setsymlist-partial",
        "94-minimal-signer",
        "97-recommended-signer",
    ] {
        let mut connection = recorded::load(name).remove(0);
        connection.from_mta.retain(|packet| !of_unknown(packet));
        let answer = negotiate(&connection);
        let client = client(&connection);
        let mut sent = Script::client(&answer, &client).bytes().to_vec();
        for queue_id in queue_ids(&connection) {
            let script = Script::message(&answer, &client, &envelope(&queue_id), &message());
            sent.extend_from_slice(script.bytes());
            sent.extend_from_slice(signet::milter::mta::ABORT);
        }
        sent.extend_from_slice(signet::milter::mta::ABORT);
        sent.extend_from_slice(signet::milter::mta::QUIT);
        compare(name, &sent, &connection.from_mta[1..]);
    }
}

#[test]
fn mail_that_did_not_come_by_smtp() {
    let connection = recorded::load("100-sendmail-t").remove(0);
    let answer = negotiate(&connection);
    let mut client = client(&connection);
    client.helo = "localhost".into();
    let envelope = Envelope {
        sender: "root@origin.test".into(),
        recipients: vec!["user@d8.test".into()],
        queue_id: queue_ids(&connection).remove(0),
        not_by_smtp: true,
        ..Envelope::default()
    };
    let message = Message::parse(
        b"To: user@d8.test\nSubject: pick up\n\
          Message-Id: <20261122071847.5774A9AA009@mx.test>\n\
          Date: Sun, 22 Nov 2026 07:18:47 +0000 (UTC)\n\
          From: root <root@origin.test>\n\nbody\n.dot\nlast\n",
    );
    let mut sent = Script::client(&answer, &client).bytes().to_vec();
    sent.extend_from_slice(Script::message(&answer, &client, &envelope, &message).bytes());
    sent.extend_from_slice(signet::milter::mta::QUIT);
    compare("100", &sent, &connection.from_mta[1..]);
}

#[test]
fn a_body_in_the_chunks_of_postfix() {
    let connection = recorded::load("14-body-200k").remove(0);
    let answer = negotiate(&connection);
    let text = |command: u8| {
        let packets = connection.from_mta.iter();
        packets.filter(move |packet| packet.command == command)
    };
    let message = Message {
        fields: text(b'L')
            .map(|packet| {
                let mut parts = packet.payload.splitn(3, |byte| *byte == 0);
                let name = parts.next().unwrap().to_vec();
                (name, [b" ", parts.next().unwrap()].concat())
            })
            .collect(),
        body: text(b'B')
            .flat_map(|packet| packet.payload.clone())
            .collect(),
    };
    let id = queue_ids(&connection).remove(0);
    let script = Script::message(&answer, &client(&connection), &envelope(&id), &message);
    let from = &connection.from_mta;
    let begin = from
        .iter()
        .position(|packet| packet.payload.starts_with(b"M{"));
    let end = from.iter().position(|packet| packet.command == b'E');
    compare("14", script.bytes(), &from[begin.unwrap()..=end.unwrap()]);
}

#[test]
fn the_offer_at_every_version() {
    let mut versions = std::collections::BTreeSet::new();
    for name in recorded::names() {
        let packets = recorded::load(&name).remove(0).from_mta;
        let version = u32::from_be_bytes(packets[0].payload[..4].try_into().unwrap());
        let mut offer = BytesMut::new();
        Offer::postfix(version).encode(&mut offer);
        assert_eq!(offer, packets[0].bytes(), "{name}");
        versions.insert(version);
    }
    assert!(versions.into_iter().eq([2, 3, 4, 6]));
}
