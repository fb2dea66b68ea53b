//! What Postfix and Sendmail really said, replayed into our session: at once, byte by
//! byte and cut at random.
//!
//! The recordings were made with filters that had agreed on other things than signet
//! does, so each is replayed twice: as recorded, and as the MTA would have sent it
//! after signet's own answer. What comes out of the second is held in `NAME.golden`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests may fail by panicking"
)]

mod recorded;

use std::fs;

use bytes::BytesMut;
use recorded::{Connection, Packet};
use signet::milter::frame;
use signet::milter::{Event, InsertedField, Macros, Response, Session, Step, Wanted};

/// Recordings whose filter had switched off events that signet asks for. Their MTA
/// would be out of order for us, and is told so.
const WITHOUT_END_OF_HEADERS: [&str; 5] = [
    "206-sendmail-minimal",
    "207-sendmail-minimal-data",
    "94-minimal-signer",
    "96-all-no",
    "97-recommended-signer",
];

fn wanted([connect_reply, recipients, data_reply, headers_reply]: [bool; 4]) -> Wanted {
    Wanted {
        connect_reply,
        recipients,
        data_reply,
        headers_reply,
        ..Wanted::default()
    }
}

/// How a trivial filter answers.
#[derive(Clone, Copy, PartialEq)]
enum Filter {
    InsertAtTheEnd,
    AcceptAtData,
    TempfailAtTheFirstHeader,
}

/// What a replay brought to light.
#[derive(Debug, Default, PartialEq)]
struct Replay {
    /// What the filter was told, a line an event.
    told: Vec<String>,
    /// The letters of the packets that went back.
    replies: String,
    /// The reply codes that the negotiated flags owe, reckoned here.
    owed: usize,
}

/// Cuts a stream into the pieces in which it arrives.
type Cut = fn(usize) -> Box<dyn Iterator<Item = usize>>;

const AT_ONCE: Cut = |length| Box::new(std::iter::once(length));
const BYTE_BY_BYTE: Cut = |_| Box::new(std::iter::repeat(1));

fn at_random(seed: u64) -> impl Iterator<Item = usize> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        // Mostly a few bytes, so that lengths and commands are cut apart, at times many.
        let most = if state & 0x300 == 0 { 5000 } else { 12 };
        1 + (state >> 12) as usize % most
    })
}

fn replay(
    packets: &[Packet],
    wanted: Wanted,
    filter: Filter,
    mut pieces: impl Iterator<Item = usize>,
) -> Replay {
    let stream: Vec<u8> = packets.iter().flat_map(Packet::bytes).collect();
    let mut session = Session::new(wanted);
    let mut replay = Replay::default();
    let mut buffer = BytesMut::new();
    let mut rest = &stream[..];
    let mut edits = 0;
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(pieces.next().unwrap().min(rest.len()));
        rest = behind;
        buffer.extend_from_slice(piece);
        while let Some(frame) = frame::decode(&mut buffer, 1 << 20).unwrap() {
            let mut out = BytesMut::new();
            if let Some(agreement) = session.agreement() {
                replay.owed += usize::from(is_owed(agreement.protocol, frame.command));
            }
            match session.receive(&frame, &mut out) {
                Ok(Step::Handled) if frame.command == b'O' => {
                    let answer = frame::decode(&mut out, 4096).unwrap().unwrap();
                    replay
                        .told
                        .push(negotiated(&frame.payload, &answer.payload));
                }
                Ok(Step::Handled) => {}
                Ok(Step::Quit) => replay.told.push("quit".into()),
                Ok(Step::Event(event)) => {
                    replay.told.push(line(&event, session.macros()));
                    let field = [InsertedField {
                        name: "X-Signed",
                        value: b" yes".to_vec(),
                    }];
                    let response = match (filter, &event) {
                        (Filter::InsertAtTheEnd, Event::EndOfMessage(_)) => {
                            edits += 1;
                            Response::Insert(&field)
                        }
                        (Filter::AcceptAtData, Event::Data) => Response::Accept,
                        (Filter::TempfailAtTheFirstHeader, Event::Header { .. }) => {
                            Response::Tempfail
                        }
                        _ => Response::Continue,
                    };
                    session.respond(&response, &mut out);
                }
                Err(error) => {
                    replay.told.push(format!("error: {error}"));
                    // The connection is closed, whatever was owed.
                    replay.owed = replay.replies.replace('i', "").len();
                    return replay;
                }
            }
            while let Some(reply) = frame::decode(&mut out, 4096).unwrap() {
                replay.replies.push(char::from(reply.command));
            }
            assert!(out.is_empty(), "half a packet");
        }
    }
    assert!(buffer.is_empty());
    assert_eq!(replay.replies.len(), replay.owed + edits, "{replay:?}");
    replay
}

/// Whether libmilter's documentation says that a reply to `command` is due under these
/// protocol flags. Written apart from the code under test.
fn is_owed(flags: u32, command: u8) -> bool {
    let no_reply = match command {
        b'C' => 0x1000,
        b'H' => 0x2000,
        b'M' => 0x4000,
        b'R' => 0x8000,
        b'T' => 0x1_0000,
        b'U' => 0x2_0000,
        b'N' => 0x4_0000,
        b'B' => 0x8_0000,
        b'L' => 0x80,
        b'E' => 0,
        _ => return false,
    };
    flags & no_reply == 0
}

/// Checks the answer to an offer, and shows both.
fn negotiated(offer: &[u8], answer: &[u8]) -> String {
    let words = |bytes: &[u8]| -> Vec<u32> {
        bytes[..12]
            .chunks(4)
            .map(|word| u32::from_be_bytes(word.try_into().unwrap()))
            .collect()
    };
    let (offered, answered) = (words(offer), words(answer));
    assert!(answered[0] <= offered[0], "version");
    assert_eq!(answered[1] & !offered[1], 0, "actions not offered");
    assert_eq!(answered[2] & !offered[2], 0, "protocol flags not offered");
    assert_eq!(answered[2] & 0x3000_0000, 0, "MDS bits");
    assert!(answer.len() == 12 || answered[1] & 0x100 != 0, "lists");
    format!(
        "offered {} 0x{:x} 0x{:x}, agreed {} 0x{:x} 0x{:x}",
        offered[0], offered[1], offered[2], answered[0], answered[1], answered[2]
    )
}

fn line(event: &Event<'_>, macros: &Macros) -> String {
    match event {
        Event::Connect(connect) => format!(
            "connect {} {:?} {:?} {:?}{}",
            show(connect.hostname),
            connect.family,
            connect.port,
            connect.address,
            show_macros(macros)
        ),
        Event::Helo(name) => format!("helo {}", show(name)),
        Event::Mail(path) | Event::Recipient(path) => {
            let parameters: String = path
                .parameters
                .clone()
                .map(|parameter| format!(" {}", show(parameter)))
                .collect();
            let (what, macros) = match event {
                Event::Mail(_) => ("mail", show_macros(macros)),
                _ => ("rcpt", String::new()),
            };
            format!("{what} <{}>{parameters}{macros}", show(path.address))
        }
        Event::Data => format!("data{}", show_macros(macros)),
        Event::Header { name, value } => format!("header {}:\"{}\"", show(name), show(value)),
        Event::EndOfHeaders => format!("end of headers{}", show_macros(macros)),
        Event::Body(chunk) => format!("body \"{}\"", show(chunk)),
        Event::EndOfMessage(chunk) => {
            format!("end of message \"{}\"{}", show(chunk), show_macros(macros))
        }
        Event::Abort => "abort".into(),
        Event::NewConnection => "new connection".into(),
        Event::Unknown(command) => format!("unknown {}", show(command)),
    }
}

/// The macros that matter to a signer, as they are found from here.
fn show_macros(macros: &Macros) -> String {
    [
        "i",
        "auth_type",
        "auth_authen",
        "daemon_name",
        "client_addr",
        "msg_id",
    ]
    .iter()
    .filter_map(|name| Some(format!(" {name}={}", show(macros.get(name)?))))
    .collect()
}

/// Text as it is if short, its beginning, length and FNV-1a hash if long.
fn show(bytes: &[u8]) -> String {
    const SHOWN: usize = 80;
    if bytes.len() <= SHOWN {
        return bytes.escape_ascii().to_string();
    }
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    });
    let shown = bytes[..SHOWN / 2].escape_ascii();
    format!("{shown}... ({} bytes, {hash:016x})", bytes.len())
}

/// What the MTA would have sent to a filter that agreed on `flags`: events that these
/// switch off are left out, an end of headers that the recorded filter had switched
/// off is put in.
fn as_sent_to(packets: &[Packet], flags: u32) -> Vec<Packet> {
    let mut sent = Vec::new();
    let mut in_headers = false;
    for packet in packets {
        let off = match packet.command {
            b'H' => 0x2,
            b'R' => 0x8,
            b'U' => 0x100,
            _ => 0,
        };
        if flags & off != 0 {
            continue;
        }
        match packet.command {
            b'M' => in_headers = true,
            b'N' | b'A' => in_headers = false,
            b'B' | b'E' if std::mem::take(&mut in_headers) => sent.push(Packet {
                command: b'N',
                payload: Vec::new(),
            }),
            _ => {}
        }
        sent.push(packet.clone());
    }
    sent
}

/// A recording with many fields is shown by its first and its last.
fn abridge(told: &[String]) -> Vec<String> {
    let mut shown: Vec<String> = Vec::new();
    let mut rest = told;
    while let Some((first, behind)) = rest.split_first() {
        let run = rest
            .iter()
            .take_while(|line| line.starts_with("header "))
            .count();
        if run > 60 {
            shown.extend_from_slice(&rest[..3]);
            shown.push(show(rest[3..run - 3].join("\n").as_bytes()));
            shown.extend_from_slice(&rest[run - 3..run]);
            rest = &rest[run..];
        } else {
            shown.push(first.clone());
            rest = behind;
        }
    }
    shown
}

fn for_each_connection(mut check: impl FnMut(&str, &Connection)) {
    let names = recorded::names();
    assert!(names.len() >= 53, "recordings are missing: {names:?}");
    for name in names {
        for connection in recorded::load(&name) {
            check(&name, &connection);
        }
    }
}

#[test]
fn the_filter_is_told_what_was_said() {
    let bless = std::env::var_os("SIGNET_BLESS").is_some();
    for name in recorded::names() {
        let mut golden = String::new();
        for connection in recorded::load(&name) {
            let wanted = wanted([true; 4]);
            let packets = as_sent_to(&connection.from_mta, 0x102);
            let replay = replay(
                &packets,
                wanted,
                Filter::InsertAtTheEnd,
                AT_ONCE(usize::MAX),
            );
            for line in abridge(&replay.told) {
                golden.push_str(&line);
                golden.push('\n');
            }
            golden.push_str(&format!("replies {}\n", replay.replies));
        }
        let path = recorded::directory().join(format!("{name}.golden"));
        if bless {
            fs::write(&path, &golden).unwrap();
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(golden, expected, "{name}");
    }
}

#[test]
fn every_reply_that_is_owed_is_given_and_no_other() {
    for_each_connection(|_, connection| {
        for filter in [
            Filter::InsertAtTheEnd,
            Filter::AcceptAtData,
            Filter::TempfailAtTheFirstHeader,
        ] {
            for replies in [
                [false; 4],
                [false, false, true, false],
                [false, true, true, true],
                [true, false, true, true],
                [true, true, false, true],
                [true; 4],
            ] {
                let [_, recipients, ..] = replies;
                let off = if recipients { 0x102 } else { 0x10a };
                let packets = as_sent_to(&connection.from_mta, off);
                // `replay` itself compares.
                replay(&packets, wanted(replies), filter, AT_ONCE(usize::MAX));
            }
        }
    });
}

#[test]
fn as_recorded_it_is_the_same_message() {
    for_each_connection(|name, connection| {
        let told = |packets: &[Packet]| {
            let wanted = wanted([true; 4]);
            let mut replay = replay(packets, wanted, Filter::InsertAtTheEnd, AT_ONCE(usize::MAX));
            let suppressed = |line: &String| line.starts_with("helo ") || line.starts_with("unk");
            replay.told.retain(|line| !suppressed(line));
            replay.told
        };
        let recorded = told(&connection.from_mta);
        if WITHOUT_END_OF_HEADERS.contains(&name) {
            assert!(recorded.last().unwrap().starts_with("error: "), "{name}");
        } else {
            assert_eq!(recorded, told(&as_sent_to(&connection.from_mta, 0x102)));
            assert!(!recorded.iter().any(|line| line.starts_with("error: ")));
        }
    });
}

#[test]
fn it_does_not_matter_how_the_stream_is_cut() {
    for_each_connection(|name, connection| {
        let cut = |pieces: Box<dyn Iterator<Item = usize>>| {
            let wanted = wanted([true; 4]);
            replay(&connection.from_mta, wanted, Filter::InsertAtTheEnd, pieces)
        };
        let whole = cut(AT_ONCE(usize::MAX));
        assert_eq!(whole, cut(BYTE_BY_BYTE(0)), "{name}");
        for seed in 1..9 {
            assert_eq!(whole, cut(Box::new(at_random(seed))), "{name}, seed {seed}");
        }
    });
}
