//! Whole milter conversations without a socket: what a message's fate is, and when it
//! is decided.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::cell::{Cell, RefCell};
use std::fs;
use std::sync::Arc;

use bytes::BytesMut;
use signet::config::Config;
use signet::filter::{Conversation, Turn, World};
use signet::keys::{self, Algorithm};
use signet::milter::frame;
use signet::milter::mta::{
    ABORT, Action, Answer, Client, Dialogue, Edit, Envelope, Message, Offer, Outcome as Answered,
    Script, Verdict as Word,
};
use signet::names::{DomainName, Selector};
use signet::policy::Reason;
use signet::snapshot::Snapshot;
use signet::telemetry::{Action as Fate, Outcome, Verdict};
use tempfile::TempDir;

const NOW: u64 = 1_795_000_000;

/// A key directory, and the snapshot in force.
struct Here {
    directory: TempDir,
    snapshot: RefCell<Arc<Snapshot>>,
    now: Cell<u64>,
}

impl Here {
    fn with(domains: &[&str], config: &str) -> Self {
        let directory = TempDir::new().unwrap();
        fs::create_dir(directory.path().join("keys")).unwrap();
        let here = Self {
            snapshot: RefCell::new(load(&directory, config)),
            now: Cell::new(NOW),
            directory,
        };
        for domain in domains {
            here.add_key(domain);
        }
        here.reload(config);
        here
    }

    fn add_key(&self, domain: &str) {
        let pem = keys::generate(Algorithm::Ed25519).unwrap();
        let (domain, selector) = (DomainName::parse(domain), Selector::parse("s1"));
        let keys = self.directory.path().join("keys");
        keys::write_new(&keys, &domain.unwrap(), &selector.unwrap(), &pem).unwrap();
    }

    fn reload(&self, config: &str) {
        self.snapshot.replace(load(&self.directory, config));
    }
}

fn load(directory: &TempDir, config: &str) -> Arc<Snapshot> {
    let mut config = Config::from_toml(config, "signet.toml").unwrap();
    config.keys = directory.path().join("keys");
    Arc::new(Snapshot::load(config).unwrap())
}

impl World for Here {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.borrow().clone()
    }

    fn now(&self) -> u64 {
        self.now.get()
    }
}

/// Postfix's end of one connection, and the milter's.
struct Line<'h> {
    here: &'h Here,
    conversation: Conversation,
    answer: Answer,
    client: Client,
    replies: BytesMut,
    outcomes: Vec<Outcome>,
}

impl<'h> Line<'h> {
    fn open(here: &'h Here, version: u32, address: [u8; 4]) -> Self {
        let offer = Offer::postfix(version);
        let mut hello = BytesMut::new();
        offer.encode(&mut hello);
        let mut conversation = Conversation::new(here.snapshot(), true);
        let mut replies = BytesMut::new();
        let frame = frame::decode(&mut hello, 1000).unwrap().unwrap();
        conversation.receive(&frame, here, &mut replies).unwrap();
        let frame = frame::decode(&mut replies, 1000).unwrap().unwrap();
        let mut line = Self {
            here,
            conversation,
            answer: Answer::read(&frame, &offer).unwrap(),
            client: Client::new("client.example", (address, 4000).into()),
            replies,
            outcomes: Vec::new(),
        };
        let script = Script::client(&line.answer, &line.client);
        line.play(&script);
        line
    }

    fn here(here: &'h Here) -> Self {
        Self::open(here, 6, [127, 0, 0, 1])
    }

    fn message(&self, text: &str, login: Option<&str>) -> Script {
        let envelope = Envelope {
            sender: "bounce@example.com".to_owned(),
            recipients: vec!["you@elsewhere.example".to_owned()],
            login: login.map(|login| ("PLAIN".to_owned(), login.to_owned())),
            queue_id: "4QUEUE".to_owned(),
            ..Envelope::default()
        };
        let message = Message::parse(text.as_bytes());
        Script::message(&self.answer, &self.client, &envelope, &message)
    }

    fn send(&mut self, text: &str) -> (Answered, Outcome) {
        let script = self.message(text, None);
        let answered = self.play(&script);
        self.give(ABORT);
        self.give(ABORT);
        (answered, self.outcomes.pop().unwrap())
    }

    fn play(&mut self, script: &Script) -> Answered {
        let mut dialogue = Dialogue::new(script);
        loop {
            match dialogue.action() {
                Action::Send(bytes) => self.give(bytes),
                Action::Receive => {
                    let frame = frame::decode(&mut self.replies, 1 << 20).unwrap();
                    dialogue.receive(&frame.expect("a reply is owed")).unwrap();
                }
                Action::Done => break,
            }
        }
        assert!(self.replies.is_empty(), "a reply that nothing owed");
        dialogue.outcome()
    }

    fn give(&mut self, bytes: &[u8]) {
        let mut bytes = BytesMut::from(bytes);
        while let Some(frame) = frame::decode(&mut bytes, 1 << 20).unwrap() {
            let turn = self
                .conversation
                .receive(&frame, self.here, &mut self.replies);
            match turn.unwrap() {
                Turn::Continue(outcome) | Turn::Close(outcome) => {
                    self.outcomes.extend(outcome.map(|outcome| *outcome));
                }
                Turn::Sign(job) => {
                    let outcome = self.conversation.signed(job.run(), &mut self.replies);
                    self.outcomes.push(*outcome);
                }
            }
        }
    }
}

fn reason(outcome: &Outcome) -> (Reason, Fate) {
    match &outcome.verdict {
        Verdict::NotSigned { reason, action, .. } => (*reason, *action),
        Verdict::Signed(by) => panic!("signed by {by:?}"),
    }
}

fn is_signed(outcome: &Outcome) -> bool {
    matches!(outcome.verdict, Verdict::Signed(_))
}

const LETTER: &str = "From: Ada <ada@example.com>\r\nSubject: x\r\n\r\nHello\r\n";

#[test]
fn the_field_is_inserted_on_top_and_the_message_accepted() {
    let here = Here::with(&["example.com"], "");
    let (answered, outcome) = Line::here(&here).send(LETTER);
    assert_eq!(answered.verdict, Word::Accept);
    let [
        Edit::Insert {
            index: 0,
            name,
            value,
        },
    ] = &answered.edits[..]
    else {
        panic!("{:?}", answered.edits);
    };
    assert_eq!(name, b"DKIM-Signature");
    assert!(
        value.starts_with(b" v=1;"),
        "the space behind the colon is ours"
    );
    assert!(!value.contains(&b'\r'), "Postfix would make it CR CR LF");
    assert_eq!(outcome.queue_id.as_deref(), Some("4QUEUE"));
    assert_eq!(outcome.author_domain.unwrap().as_str(), "example.com");
}

#[test]
fn a_clock_that_jumps_back_is_believed_and_costs_no_signature() {
    let here = Here::with(&["example.com"], "");
    let mut line = Line::here(&here);
    for now in [NOW, NOW - 86_400, NOW + 1] {
        here.now.set(now);
        let (answered, _) = line.send(LETTER);
        let [Edit::Insert { value, .. }] = &answered.edits[..] else {
            panic!("{:?}", answered.edits);
        };
        let field = String::from_utf8_lossy(value);
        assert!(field.contains(&format!("t={now};")), "{field}");
    }
}

#[test]
fn every_version_of_the_protocol_gets_a_signature() {
    let here = Here::with(&["example.com"], "");
    for version in [2, 3, 4, 6] {
        let mut line = Line::open(&here, version, [127, 0, 0, 1]);
        let (answered, outcome) = line.send(LETTER);
        assert!(is_signed(&outcome), "version {version}");
        let Edit::Insert { value, .. } = &answered.edits[0] else {
            panic!("{:?}", answered.edits);
        };
        assert_eq!(value.starts_with(b" "), version == 6, "version {version}");
    }
}

#[test]
fn a_stranger_is_told_at_data_and_its_mail_is_never_streamed() {
    let here = Here::with(&["example.com"], "");
    let mut line = Line::open(&here, 6, [192, 0, 2, 7]);
    let (answered, outcome) = line.send(LETTER);
    assert_eq!(answered.verdict, Word::Accept);
    assert_eq!(answered.edits, []);
    assert_eq!(reason(&outcome), (Reason::UntrustedClient, Fate::Passed));
    assert_eq!(outcome.bytes, 0);
    // Without DATA (version 3) the end of the header section is the first occasion.
    let mut line = Line::open(&here, 3, [192, 0, 2, 7]);
    let (answered, outcome) = line.send(LETTER);
    assert_eq!(answered.edits, []);
    assert_eq!(reason(&outcome), (Reason::UntrustedClient, Fate::Passed));
}

#[test]
fn a_stranger_who_logged_in_is_signed() {
    let here = Here::with(&["example.com"], "");
    let mut line = Line::open(&here, 6, [192, 0, 2, 7]);
    let script = line.message(LETTER, Some("ada"));
    line.play(&script);
    let outcome = line.outcomes.pop().unwrap();
    assert!(is_signed(&outcome));
    assert_eq!(outcome.login.as_deref(), Some("ada"));
}

#[test]
fn several_messages_share_a_connection_and_nothing_else() {
    let here = Here::with(&["example.com"], "");
    let mut line = Line::here(&here);
    assert!(is_signed(&line.send(LETTER).1));
    let (_, outcome) = line.send("From: eve@other.example\r\n\r\n");
    assert_eq!(reason(&outcome), (Reason::NoRule, Fate::Passed));
    let (_, outcome) = line.send("Subject: nobody's\r\n\r\n");
    assert_eq!(reason(&outcome), (Reason::FromMissing, Fate::Passed));
    assert!(is_signed(&line.send(LETTER).1));
}

#[test]
fn a_message_ends_with_the_snapshot_it_began_with() {
    let here = Here::with(&["example.com"], "");
    let mut line = Line::here(&here);
    let script = line.message(LETTER, None);
    let bytes = script.bytes().clone();
    // The last packet is the end of the message, behind its macros.
    let (begin, end) = bytes.split_at(bytes.len() - 5);
    line.give(begin);
    fs::remove_dir_all(here.directory.path().join("keys/example.com")).unwrap();
    here.reload("");
    line.give(end);
    assert!(is_signed(&line.outcomes.pop().unwrap()));
    line.replies.clear();
    line.give(ABORT);
    assert_eq!(reason(&line.send(LETTER).1), (Reason::NoRule, Fate::Passed));
}

#[test]
fn a_message_cut_short_is_one_line_and_an_envelope_alone_is_none() {
    let here = Here::with(&["example.com"], "");
    let mut line = Line::here(&here);
    let script = line.message(LETTER, None);
    let bytes = script.bytes().clone();
    line.give(&bytes[..bytes.len() - 5]);
    line.give(ABORT);
    line.give(ABORT);
    assert_eq!(line.outcomes.len(), 1);
    assert_eq!(reason(&line.outcomes[0]).0, Reason::Aborted);
    assert_eq!(line.outcomes[0].queue_id.as_deref(), Some("4QUEUE"));

    let mut line = Line::here(&here);
    // Up to DATA, which is the first to be answered.
    let script = line.message(LETTER, None);
    let envelope = script.parts().next().unwrap().bytes;
    line.give(&envelope[..envelope.len() - 5]);
    line.give(ABORT);
    assert_eq!(line.outcomes, []);
}

#[test]
fn what_is_too_large_has_the_fate_that_was_configured() {
    let long = format!("X-Long: {}\r\n{LETTER}", "x".repeat(2000));
    for (on_failure, fate, verdict) in [
        ("tempfail", Fate::Tempfailed, Word::Tempfail),
        ("unsigned", Fate::Passed, Word::Accept),
        ("reject", Fate::Rejected, Word::Reject),
    ] {
        let config =
            format!("[limits]\nheader_bytes = 1024\n[signing]\non_failure = \"{on_failure}\"\n");
        let here = Here::with(&["example.com"], &config);
        let (answered, outcome) = Line::here(&here).send(&long);
        assert_eq!(reason(&outcome), (Reason::LimitExceeded, fate));
        assert_eq!((answered.verdict, answered.edits.len()), (verdict, 0));
    }
}

#[test]
fn mail_that_comes_back_signed_is_not_signed_again_unless_it_was_changed() {
    let here = Here::with(&["example.com"], "");
    let mut line = Line::here(&here);
    let (answered, _) = line.send(LETTER);
    let signed = Message::parse(LETTER.as_bytes());
    let signed = signed.edited(&answered.edits, true).unwrap().to_bytes();
    let signed = String::from_utf8(signed).unwrap();

    let (answered, outcome) = line.send(&signed);
    assert_eq!((answered.verdict, answered.edits.len()), (Word::Accept, 0));
    assert_eq!(reason(&outcome), (Reason::AlreadySigned, Fate::Passed));

    // The filter wrote a footer: the old signature is void and a new one is due.
    assert!(is_signed(
        &line.send(&format!("{signed}-- \r\nfooter\r\n")).1
    ));
    let changed = signed.replace("Subject: x", "Subject: y");
    assert!(is_signed(&line.send(&changed).1));
    let second = format!("From: eve@example.com\r\n{signed}");
    assert_eq!(reason(&line.send(&second).1).0, Reason::FromRepeated);
    // A key that makes another signature still signs.
    let other = signed.replace("s=s1", "s=s2");
    assert!(is_signed(&line.send(&other).1));
}

#[test]
fn every_canonicalization_of_an_existing_signature_is_known_again() {
    for pair in [
        "simple/simple",
        "simple/relaxed",
        "relaxed/simple",
        "relaxed/relaxed",
    ] {
        let here = Here::with(
            &["example.com"],
            &format!("[signing]\ncanonicalization = \"{pair}\"\n"),
        );
        let text = "From:  Ada <ada@example.com>\r\nSubject: a\r\n  b\r\nX:y\r\n\r\nHello  you \r\n \r\n\r\n";
        let mut line = Line::here(&here);
        let (answered, _) = line.send(text);
        let signed = Message::parse(text.as_bytes())
            .edited(&answered.edits, true)
            .unwrap();
        let signed = String::from_utf8(signed.to_bytes()).unwrap();
        assert_eq!(
            reason(&line.send(&signed).1).0,
            Reason::AlreadySigned,
            "{pair}"
        );
    }
}

#[test]
fn an_excluded_peer_is_accepted_at_connect_with_one_line_for_its_session() {
    let here = Here::with(&["example.com"], "[trust]\nexcept = [\"127.0.0.9\"]\n");
    let line = Line::open(&here, 6, [127, 0, 0, 9]);
    assert_eq!(line.outcomes.len(), 1);
    let expected = (Reason::ExcludedNetwork, Fate::Passed);
    assert_eq!(reason(&line.outcomes[0]), expected);
    assert!(is_signed(&Line::here(&here).send(LETTER).1));
}
