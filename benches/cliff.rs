//! No message costs far more than its length: odd ones beside an ordinary one, by the
//! byte. It fails when one of them costs more than [`MOST`] times as much.
//!
//! `cargo bench --bench cliff`, or `cargo bench --bench cliff -- CR` for those with CR
//! in their name. The private-key operation is left out: it costs every
//! message the same, and would hide everything else. What is compared is the time of
//! one thread on the processor, least of several turns of either, so that neither a
//! slow machine nor a busy one changes what comes out.
#![allow(clippy::unwrap_used, reason = "a bench may fail by panicking")]

mod milter;

use std::process::ExitCode;
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use rustix::time::{ClockId, clock_gettime};
use signet::dkim::{SignError, SignJob, Signature};
use signet::keys::Algorithm;
use signet::milter::frame;
use signet::milter::mta::Message;

use milter::{BASE64, Milter, body, message};

/// By the byte that the milter receives, of the ordinary message.
const MOST: f64 = 3.0;

/// What comes of a socket at once.
const READ: usize = 65536;
const MIB: usize = 1 << 20;
/// The longest that Postfix passes on.
const LONG_FIELD: usize = 60_000;

/// Each is measured so often, and each time at least so long.
const TURNS: u32 = 7;
const TURN: Duration = Duration::from_millis(20);

/// What comes of a socket for one message, and in which pieces.
struct Case {
    name: &'static str,
    script: Vec<u8>,
    read: usize,
}

fn main() -> ExitCode {
    let mut milter = Milter::new(Algorithm::Ed25519, all_but_the_private_key_operation);
    let case = |name, message: &Message| Case {
        name,
        script: milter.script(message),
        read: READ,
    };
    let of_body = |name, text, length| case(name, &message(body(text, length)));
    let of_fields = |name, fields: Vec<(&str, String)>| {
        let mut message = message(b"x\r\n".to_vec());
        let fields = fields
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()));
        message.fields.extend(fields);
        case(name, &message)
    };

    let short = of_body("an ordinary message of 4 KiB", BASE64, 2048);
    let beside_short = [
        Case {
            name: "the same in reads of seven bytes",
            script: short.script.clone(),
            read: 7,
        },
        Case {
            name: "the same in body packets of one byte",
            script: in_packets(&short.script, 1),
            read: READ,
        },
        Case {
            name: "the same in body packets of eight bytes",
            script: in_packets(&short.script, 8),
            read: READ,
        },
        of_fields(
            "3,000 header fields",
            (0..3000).map(|n| ("X-Field", format!(" {n}"))).collect(),
        ),
        of_fields(
            "3,000 of them named To",
            (0..3000)
                .map(|n| ("To", format!(" <{n}@example.org>")))
                .collect(),
        ),
        of_fields("a header field of 60 KB", vec![("Subject", long("word "))]),
        of_fields(
            "one of 60 KB of white space",
            vec![("Subject", long(" \t"))],
        ),
        of_fields(
            "one of 60 KB in lines of two bytes",
            vec![("Subject", long("\n "))],
        ),
        of_fields(
            "recipients of 60 KB",
            vec![("To", long(" \"A, B\" <a@example.org>,\n"))],
        ),
    ];
    let long = of_body("an ordinary message of 1 MiB", BASE64, MIB);
    let beside_long = [
        of_body("100 MB of CRLF", "\r\n", 100_000_000),
        case(
            "100 MB of CRLF and then a word",
            &message([body("\r\n", 100_000_000), b"word\r\n".to_vec()].concat()),
        ),
        of_body("lines of one space", " \r\n", MIB),
        of_body("lines of white space", "  \t \t   \t\t  \r\n", MIB),
        of_body("white space and no line end", " \t", MIB),
        of_body("a letter, then spaces", "x         ", MIB),
        of_body("a letter, then a space", "x ", MIB),
        of_body("a letter, then a space and a line end", "x \r\n", MIB),
        of_body("a letter, then CR", "x\r", MIB),
        of_body("two letters, then LF", "xx\n", MIB),
        of_body("a space, then CR", " \r", MIB),
        of_body("CR alone", "\r", MIB),
        of_body("LF alone", "\n", MIB),
        of_body("CR CR LF", "\r\r\n", MIB),
        Case {
            name: "the ordinary one in body packets of one byte",
            script: in_packets(&long.script, 1),
            read: READ,
        },
        Case {
            name: "the ordinary one in body packets of 100 bytes",
            script: in_packets(&long.script, 100),
            read: READ,
        },
    ];
    let steep = steep(&mut milter, &short, &beside_short) + steep(&mut milter, &long, &beside_long);
    if steep > 0 {
        eprintln!("cliff: {steep} cost more than {MOST} times as much as an ordinary message");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Prints what each costs beside the ordinary one, and counts those that cost too much.
fn steep(milter: &mut Milter, ordinary: &Case, cases: &[Case]) -> usize {
    println!(
        "{:48}{:8.2} ns a byte",
        ordinary.name,
        price(milter, ordinary)
    );
    let wanted = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'));
    let wanted = wanted.unwrap_or_default();
    let mut steep = 0;
    for case in cases.iter().filter(|case| case.name.contains(&wanted)) {
        let (mut least, mut least_ordinary) = (f64::INFINITY, f64::INFINITY);
        let (mut turns, mut ratio) = (0, f64::INFINITY);
        // What else the machine does only ever adds: too much has to be so in more turns.
        while turns < TURNS || (ratio > MOST && turns < 4 * TURNS) {
            least_ordinary = least_ordinary.min(price(milter, ordinary));
            least = least.min(price(milter, case));
            ratio = least / least_ordinary;
            turns += 1;
        }
        let mark = if ratio > MOST { "  TOO MUCH" } else { "" };
        println!(
            "  {:46}{least:8.2} ns a byte, {ratio:5.2} times{mark}",
            case.name
        );
        steep += usize::from(ratio > MOST);
    }
    steep
}

/// Nanoseconds of processor time a byte, of one turn.
fn price(milter: &mut Milter, case: &Case) -> f64 {
    let (begun, mut bytes) = (thread_time(), 0);
    loop {
        milter.play(&case.script, case.read);
        bytes += case.script.len();
        let spent = thread_time() - begun;
        if spent >= TURN {
            return spent.as_secs_f64() * 1e9 / bytes as f64;
        }
    }
}

fn thread_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap()
}

fn all_but_the_private_key_operation(job: SignJob) -> Result<Vec<Signature>, SignError> {
    let prepared = job.prepare()?;
    let bytes = prepared.operations().map(|_| Ok(vec![0; 256])).collect();
    prepared.finish(bytes)
}

/// The script with its body in packets of so many bytes.
fn in_packets(script: &[u8], length: usize) -> Vec<u8> {
    let mut script = BytesMut::from(script);
    let mut out = BytesMut::new();
    while let Some(frame) = frame::decode(&mut script, MIB).unwrap() {
        let pieces = match frame.command {
            b'B' => frame.payload.chunks(length).collect(),
            _ => vec![&*frame.payload],
        };
        for piece in pieces {
            out.put_u32(1 + piece.len() as u32);
            out.put_u8(frame.command);
            out.put_slice(piece);
        }
    }
    out.to_vec()
}

fn long(text: &str) -> String {
    let bytes = text.bytes().cycle().take(LONG_FIELD).collect();
    String::from_utf8(bytes).unwrap()
}
