//! A milter with one key in this process, and what Postfix would send it: frames in
//! and replies out, without a socket.

use std::sync::Arc;

use bytes::{Buf, BytesMut};
use signet::config::Config;
use signet::dkim::{SignError, SignJob, Signature};
use signet::filter::{Conversation, Turn, World};
use signet::keys::{self, Algorithm};
use signet::milter::frame::{self, First};
use signet::milter::mta::{ABORT, Answer, Client, Envelope, Message, Offer, Script};
use signet::snapshot::Snapshot;

const FIELDS: &str = include_str!("../../src/cli/bench/message.eml");

struct Now(Arc<Snapshot>);

impl World for Now {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.0.clone()
    }

    fn now(&self) -> u64 {
        1_795_000_000
    }
}

/// What signs.
pub type Sign = fn(SignJob) -> Result<Vec<Signature>, SignError>;

/// A milter with which the negotiation is over.
pub struct Milter {
    world: Now,
    conversation: Conversation,
    answer: Answer,
    client: Client,
    sign: Sign,
    input: BytesMut,
    output: BytesMut,
}

impl Milter {
    pub fn new(algorithm: Algorithm, sign: Sign) -> Self {
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
        let mut conversation = Conversation::new(snapshot.clone(), false);
        let world = Now(snapshot);
        let offer = Offer::postfix(6);
        let (mut packet, mut output) = (BytesMut::new(), BytesMut::new());
        offer.encode(&mut packet);
        let frame = frame::decode(&mut packet, 4096).unwrap().unwrap();
        conversation.receive(&frame, &world, &mut output).unwrap();
        let frame = frame::decode(&mut output, 4096).unwrap().unwrap();
        let mut milter = Self {
            world,
            conversation,
            answer: Answer::read(&frame, &offer).unwrap(),
            client: Client::new("localhost", "127.0.0.1:40000".parse().unwrap()),
            sign,
            input: BytesMut::new(),
            output: BytesMut::new(),
        };
        let connect = Script::client(&milter.answer, &milter.client);
        milter.receive(connect.bytes(), usize::MAX);
        milter
    }

    /// All that Postfix sends for one message.
    pub fn script(&self, message: &Message) -> Vec<u8> {
        let envelope = Envelope {
            sender: "ada@bench.example".to_owned(),
            recipients: vec!["grace@recipient.example".to_owned()],
            queue_id: "4BxKqz0mRzz1g".to_owned(),
            ..Envelope::default()
        };
        let script = Script::message(&self.answer, &self.client, &envelope, message);
        [script.bytes(), ABORT, ABORT].concat()
    }

    /// Takes a message as it comes from a socket, in reads of so many bytes.
    pub fn play(&mut self, script: &[u8], read: usize) {
        self.receive(script, read);
        // INSHEADER and ACCEPT: whoever is fast because he does not sign is no use.
        assert!(self.output.len() > 400, "{:?}", self.output);
    }

    fn receive(&mut self, bytes: &[u8], read: usize) {
        self.output.clear();
        for read in bytes.chunks(read) {
            self.input.extend_from_slice(read);
            let (mut taken, mut joined) = (0, Vec::new());
            loop {
                let rest = self.input.get(taken..).unwrap_or_default();
                let first = self.conversation.first_frame(rest, 1 << 20, &mut joined);
                let First::Whole { frame, length } = first.unwrap() else {
                    break;
                };
                taken += length;
                let turn = self
                    .conversation
                    .receive(&frame, &self.world, &mut self.output);
                if let Turn::Sign(job) = turn.unwrap() {
                    let signed = (self.sign)(*job);
                    self.conversation.signed(signed, &mut self.output);
                }
            }
            self.input.advance(taken);
        }
    }
}

/// An ordinary header section over this body.
pub fn message(body: Vec<u8>) -> Message {
    Message {
        body,
        ..Message::parse(FIELDS.as_bytes())
    }
}

/// So many bytes of body of this text.
pub fn body(text: &str, length: usize) -> Vec<u8> {
    text.bytes().cycle().take(length).collect()
}

pub const BASE64: &str = "VGhlIHF1aWNrIGJyb3duIGZveCBqdW1wcyBvdmVyIHRoZSBsYXp5IGRvZyBhbmQgdGhl\r\n";
