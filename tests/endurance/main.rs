//! A daemon under hours of mixed load: it signs everything, and grows in nothing.
//!
//! `cargo test` runs it for seconds, `tests/soak MINUTES` for as long as one likes.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

#[path = "../place/mod.rs"]
mod place;

#[path = "../serve/daemon.rs"]
#[allow(dead_code, reason = "the tests of serve need more of it")]
mod daemon;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use daemon::{Daemon, Peer};
use place::Place;
use signet::verify::{Records, Summary, verify};

/// How long `cargo test` runs it.
const SHORT: Duration = Duration::from_secs(6);
/// From then on memory may not grow.
const WARM: Duration = Duration::from_secs(60);

/// Bytes of the bodies, one after the other; most mail is small.
const SIZES: [usize; 8] = [100, 2_000, 0, 30_000, 500, 300_000, 4_000, 2_000_000];

#[derive(Default)]
struct Counts {
    stop: AtomicBool,
    signed: AtomicU64,
    broken_off: AtomicU64,
    garbage: AtomicU64,
}

impl Counts {
    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }
}

fn duration() -> Duration {
    let minutes = std::env::var("SIGNET_SOAK_MINUTES").ok();
    minutes.map_or(SHORT, |minutes| {
        Duration::from_secs(60 * minutes.parse::<u64>().unwrap())
    })
}

#[test]
fn it_signs_everything_and_grows_in_nothing() {
    let length = duration();
    let place = Place::new();
    let mut records = String::new();
    for algorithm in ["rsa", "ed25519"] {
        let key = format!("keygen example.com --algorithm {algorithm} --selector {algorithm}");
        let record = place.ok(&format!("{key} --format plain"));
        records += &format!("{algorithm}._domainkey.example.com {}\n", record.trim());
    }
    let records = Records::from_text(&records).unwrap();
    let socket = place.directory.path().join("signet.sock");
    let listen = format!("unix:{}", socket.display());
    let mut daemon = Daemon::start(&place, &["--listen", &listen]);
    // One message first, so that all that is opened once is open.
    assert!(Peer::connect(&socket).pass(&message(0, 0)).is_some());
    let files = open_files(&daemon);

    let counts = Arc::new(Counts::default());
    let begun = Instant::now();
    let mut threads: Vec<JoinHandle<()>> = (0..3)
        .map(|number| {
            let (counts, socket, records) = (counts.clone(), socket.clone(), records.clone());
            std::thread::spawn(move || send_mail(number, &counts, &socket, &records))
        })
        .collect();
    threads.push(std::thread::spawn({
        let (counts, socket) = (counts.clone(), socket.clone());
        move || misbehave(&counts, &socket)
    }));
    let mut reloads = 0;
    let mut warm = None;
    let mut told = 0;
    let tell = |daemon: &Daemon, reloads: u64| {
        println!(
            "{} s: {} messages signed and verified, {} broken off, {} garbage connections, \
             {reloads} reloads, {} kB resident, {} open files",
            begun.elapsed().as_secs(),
            counts.signed.load(Ordering::Relaxed),
            counts.broken_off.load(Ordering::Relaxed),
            counts.garbage.load(Ordering::Relaxed),
            resident(daemon),
            open_files(daemon),
        );
    };
    while begun.elapsed() < length {
        let failed = threads.iter().any(JoinHandle::is_finished);
        assert!(!failed, "a client has failed; see above");
        daemon.signal("HUP");
        daemon.wait_for("reloaded");
        reloads += 1;
        if warm.is_none() && begun.elapsed() >= WARM {
            warm = Some(resident(&daemon));
        }
        if begun.elapsed().as_secs() / 60 > told {
            told += 1;
            tell(&daemon, reloads);
        }
    }
    counts.stop.store(true, Ordering::Relaxed);
    for thread in threads {
        thread.join().unwrap();
    }
    let end = resident(&daemon);
    tell(&daemon, reloads);
    if let Some(warm) = warm {
        println!("resident after a minute {warm} kB, at the end {end} kB");
        assert!(end <= warm + warm / 20, "from {warm} kB to {end} kB");
    }
    let deadline = Instant::now() + Duration::from_secs(30);
    while open_files(&daemon) > files {
        assert!(Instant::now() < deadline, "{files} open files became more");
        std::thread::sleep(Duration::from_millis(10));
    }
    println!("open files at the start {files}, and no more at the end");
    assert!(counts.signed.load(Ordering::Relaxed) > 0);
}

fn message(number: u64, size: usize) -> Vec<u8> {
    let mut text = format!(
        "From: Ada <ada@example.com>\r\nTo: you@elsewhere.example\r\nSubject: number {number}\r\n\
         Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <{number}@example.com>\r\n\r\n"
    );
    while text.len() < size {
        text += "A line of text that is as long as the lines of mail mostly are, or so.\r\n";
    }
    text.into_bytes()
}

/// Sessions of one to four messages, some of them broken off in the midst of one.
fn send_mail(thread: u64, counts: &Counts, socket: &Path, records: &Records) {
    let mut number = thread * 1_000_000_000;
    while counts.goes_on() {
        let mut peer = Peer::connect(socket);
        for _ in 0..=number % 4 {
            number += 1;
            let size = SIZES[(number % SIZES.len() as u64) as usize];
            let passed = peer.pass(&message(number, size)).unwrap();
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            let reports = verify(&passed, records, now.as_secs());
            assert_eq!((Summary::of(&reports), reports.len()), (Summary::Pass, 2));
            counts.signed.fetch_add(1, Ordering::Relaxed);
        }
        if number.is_multiple_of(5) {
            peer.break_off(&message(number, 100_000));
            counts.broken_off.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Connections that are no milter's, one after the other.
fn misbehave(counts: &Counts, socket: &Path) {
    let mut letter = 0_u8;
    while counts.goes_on() {
        letter = letter.wrapping_mul(5).wrapping_add(1);
        let bytes = match letter % 4 {
            0 => vec![letter; 1000],
            1 => vec![0, 0, 0, 2, letter, 0],
            2 => vec![0, 15, 0, 0, b'L', letter],
            _ => Vec::new(),
        };
        let mut stream = UnixStream::connect(socket).unwrap();
        // It may be closed before all is written or read.
        let _ = stream.write_all(&bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let _ = stream.read_to_end(&mut Vec::new());
        counts.garbage.fetch_add(1, Ordering::Relaxed);
    }
}

fn open_files(daemon: &Daemon) -> usize {
    let files = fs::read_dir(format!("/proc/{}/fd", daemon.pid()));
    files.unwrap().count()
}

/// Resident memory, in kB.
fn resident(daemon: &Daemon) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let figure = line.unwrap().split_whitespace().next();
    figure.unwrap().parse().unwrap()
}
