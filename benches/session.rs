//! A whole message through the filter, frames in and replies out, without a socket:
//! what signet spends on a message beside the private-key operation and the kernel.
//!
//! `cargo bench --bench session`. An Ed25519 key costs next to nothing and shows the
//! rest; the RSA-2048 key shows what a message costs most users.
#![allow(clippy::unwrap_used, reason = "a bench may fail by panicking")]

use std::hint::black_box;
use std::sync::Arc;

use bytes::BytesMut;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use signet::config::Config;
use signet::filter::{Conversation, Turn, World};
use signet::keys::{self, Algorithm, RsaSize};
use signet::milter::frame;
use signet::milter::mta::{ABORT, Answer, Client, Envelope, Message, Offer, Script};
use signet::snapshot::Snapshot;

const FIELDS: &str = include_str!("../src/cli/bench/message.eml");

struct Now(Arc<Snapshot>);

impl World for Now {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.0.clone()
    }

    fn now(&self) -> u64 {
        1_795_000_000
    }
}

/// A milter with one key, with which the negotiation is over, and a message for it.
struct Bench {
    world: Now,
    conversation: Conversation,
    message: Vec<u8>,
    input: BytesMut,
    output: BytesMut,
}

impl Bench {
    fn new(algorithm: Algorithm, body: usize) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let pem = keys::generate(algorithm).unwrap();
        let (domain, selector) = ("bench.example".parse(), "s1".parse());
        keys::write_new(directory.path(), &domain.unwrap(), &selector.unwrap(), &pem).unwrap();
        let config = Config {
            keys: directory.path().to_owned(),
            ..Config::default()
        };
        let snapshot = Arc::new(Snapshot::load(config).unwrap());
        // Keys are read when they are first needed; the directory ends with this function.
        assert!(snapshot.every_problem().is_empty());
        let mut bench = Self {
            conversation: Conversation::new(snapshot.clone()),
            world: Now(snapshot),
            message: Vec::new(),
            input: BytesMut::new(),
            output: BytesMut::new(),
        };
        let offer = Offer::postfix(6);
        let mut packet = BytesMut::new();
        offer.encode(&mut packet);
        bench.receive(&packet);
        let frame = frame::decode(&mut bench.output, 4096).unwrap().unwrap();
        let answer = Answer::read(&frame, &offer).unwrap();
        let client = Client::new("localhost", "127.0.0.1:40000".parse().unwrap());
        bench.receive(Script::client(&answer, &client).bytes());
        let envelope = Envelope {
            sender: "ada@bench.example".to_owned(),
            recipients: vec!["grace@recipient.example".to_owned()],
            queue_id: "4BxKqz0mRzz1g".to_owned(),
            ..Envelope::default()
        };
        let line = b"VGhlIHF1aWNrIGJyb3duIGZveCBqdW1wcyBvdmVyIHRoZSBsYXp5IGRvZyBhbmQgdGhl\r\n";
        let message = Message {
            body: line.iter().copied().cycle().take(body).collect(),
            ..Message::parse(FIELDS.as_bytes())
        };
        let script = Script::message(&answer, &client, &envelope, &message);
        bench.message = [script.bytes(), ABORT, ABORT].concat();
        bench
    }

    fn play(&mut self) {
        let message = std::mem::take(&mut self.message);
        self.receive(&message);
        self.message = message;
        // INSHEADER and ACCEPT: whoever is fast because he does not sign is no use.
        assert!(self.output.len() > 400);
    }

    /// Takes bytes as they come from a socket, in pieces of a read's size.
    fn receive(&mut self, bytes: &[u8]) {
        self.output.clear();
        for read in bytes.chunks(65536) {
            self.input.extend_from_slice(read);
            while let Some(frame) = frame::decode(&mut self.input, 1 << 20).unwrap() {
                let turn = self
                    .conversation
                    .receive(&frame, &self.world, &mut self.output);
                if let Turn::Sign(job) = turn.unwrap() {
                    black_box(self.conversation.signed(job.run(), &mut self.output));
                }
            }
        }
    }
}

fn session(c: &mut Criterion) {
    let mut group = c.benchmark_group("session");
    for (key, algorithm) in [
        ("ed25519", Algorithm::Ed25519),
        ("rsa 2048", Algorithm::Rsa(RsaSize::Bits2048)),
    ] {
        for (name, body) in [("4 KiB", 2048), ("1 MiB", 1 << 20)] {
            group.throughput(Throughput::Bytes(body as u64));
            // Made only if it is to run: an RSA key takes its time.
            let mut bench = None;
            group.bench_function(format!("{name}, {key}"), |b| {
                let bench = bench.get_or_insert_with(|| Bench::new(algorithm, body));
                b.iter(|| bench.play());
            });
        }
    }
    group.finish();
}

criterion_group!(benches, session);
criterion_main!(benches);
