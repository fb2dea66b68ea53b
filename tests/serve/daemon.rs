//! A running `signet serve` and a peer that speaks to it as Postfix does.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::IpAddr;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use signet::milter::frame::{self, Frame};
use signet::milter::mta::{
    ABORT, Action, Answer, Client, Dialogue, Envelope, Message, Offer, Outcome, Script, Verdict,
};

use crate::place::{Place, SIGNET};

const PATIENCE: Duration = Duration::from_secs(30);

pub struct Daemon {
    child: Child,
    log: Receiver<String>,
    seen: Vec<String>,
}

impl Daemon {
    /// `signet serve --keys KEYS ARGUMENTS`, once it listens.
    pub fn start(place: &Place, arguments: &[&str]) -> Self {
        let mut daemon = Self::spawn(place, arguments);
        daemon.wait_for("listening");
        daemon
    }

    pub fn spawn(place: &Place, arguments: &[&str]) -> Self {
        let mut command = Command::new(SIGNET);
        command
            .arg("serve")
            .arg("--keys")
            .arg(place.keys())
            .args(arguments);
        Self::run(command)
    }

    /// A command line of the caller's that becomes `signet serve`.
    pub fn run(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let (send, log) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let _ = send.send(line);
            }
        });
        Self {
            child,
            log,
            seen: Vec::new(),
        }
    }

    /// The first line of the log, from here on, that holds `text`.
    pub fn wait_for(&mut self, text: &str) -> String {
        self.wait_for_any(&[text])
    }

    /// The first line of the log, from here on, that holds one of `texts`.
    pub fn wait_for_any(&mut self, texts: &[&str]) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.log.recv_timeout(left) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if texts.iter().any(|text| line.contains(text)) {
                        return line;
                    }
                }
                Err(_) => panic!("no line with {texts:?} in {:#?}", self.seen),
            }
        }
    }

    /// The lines that were waited for, and those before them.
    pub fn seen(&self) -> &[String] {
        &self.seen
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(status.unwrap().success());
    }

    pub fn end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("it does not end: {:#?}", self.seen);
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One milter connection on which the client has said HELO.
pub struct Peer {
    stream: UnixStream,
    received: BytesMut,
    answer: Answer,
    client: Client,
}

impl Peer {
    pub fn connect(socket: &Path) -> Self {
        Self::of_client(socket, [127, 0, 0, 1].into())
    }

    /// As [`Peer::connect`], for an SMTP client with this address.
    pub fn of_client(socket: &Path, client: IpAddr) -> Self {
        let mut stream = UnixStream::connect(socket).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let offer = Offer::postfix(6);
        let mut bytes = BytesMut::new();
        offer.encode(&mut bytes);
        stream.write_all(&bytes).unwrap();
        let mut received = BytesMut::new();
        let frame = read(&mut stream, &mut received).unwrap();
        let answer = Answer::read(&frame, &offer).unwrap();
        let client = Client::new("localhost", (client, 4000).into());
        let mut peer = Self {
            stream,
            received,
            answer,
            client,
        };
        let greeting = Script::client(&peer.answer, &peer.client);
        peer.play(&greeting);
        peer
    }

    /// Whether the daemon replies to DATA.
    pub fn is_asked_at_data(&self) -> bool {
        self.answer.agreement.owes_reply(b'T')
    }

    /// Sends one message from `author`, as one of several in an SMTP session.
    pub fn send(&mut self, author: &str) -> Outcome {
        self.send_to(&["you@elsewhere.example"], author)
    }

    /// As [`Peer::send`], to these recipients.
    pub fn send_to(&mut self, recipients: &[&str], author: &str) -> Outcome {
        let text = format!("From: {author}\r\nTo: you@elsewhere.example\r\n\r\nHello\r\n");
        let outcome = self.play(&self.script(recipients, &Message::parse(text.as_bytes())));
        self.stream.write_all(ABORT).unwrap();
        outcome
    }

    /// Sends this message, and returns it as it goes on, or none when it may not.
    pub fn pass(&mut self, text: &[u8]) -> Option<Vec<u8>> {
        let message = Message::parse(text);
        let outcome = self.play(&self.script(&["you@elsewhere.example"], &message));
        self.stream.write_all(ABORT).unwrap();
        (outcome.verdict == Verdict::Accept).then(|| {
            let edited = message.edited(&outcome.edits, true);
            edited.unwrap().to_bytes()
        })
    }

    /// Sends the first half of this message, and says no more.
    pub fn break_off(mut self, text: &[u8]) {
        let script = self.script(&["you@elsewhere.example"], &Message::parse(text));
        let mut dialogue = Dialogue::new(&script);
        loop {
            match dialogue.action() {
                Action::Send(bytes) if bytes.len() > 1000 => {
                    self.stream.write_all(&bytes[..bytes.len() / 2]).unwrap();
                    return;
                }
                Action::Send(bytes) => self.stream.write_all(bytes).unwrap(),
                Action::Receive => {
                    let frame = read(&mut self.stream, &mut self.received).unwrap();
                    dialogue.receive(&frame).unwrap();
                }
                Action::Done => return,
            }
        }
    }

    /// Sends this message in this envelope.
    pub fn send_as(&mut self, envelope: &Envelope, text: &[u8]) -> Outcome {
        let message = Message::parse(text);
        let script = Script::message(&self.answer, &self.client, envelope, &message);
        let outcome = self.play(&script);
        self.stream.write_all(ABORT).unwrap();
        outcome
    }

    fn script(&self, recipients: &[&str], message: &Message) -> Script {
        let envelope = Envelope {
            sender: "ada@example.com".to_owned(),
            recipients: recipients
                .iter()
                .map(|&address| address.to_owned())
                .collect(),
            queue_id: "4QUEUE".to_owned(),
            ..Envelope::default()
        };
        Script::message(&self.answer, &self.client, &envelope, message)
    }

    pub fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// Whether the daemon still takes these bytes.
    pub fn try_write(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Whether the daemon has closed the connection.
    pub fn is_closed(&mut self) -> bool {
        read(&mut self.stream, &mut self.received).is_none()
    }

    fn play(&mut self, script: &Script) -> Outcome {
        let mut dialogue = Dialogue::new(script);
        loop {
            match dialogue.action() {
                Action::Send(bytes) => self.stream.write_all(bytes).unwrap(),
                Action::Receive => {
                    let frame = read(&mut self.stream, &mut self.received).unwrap();
                    dialogue.receive(&frame).unwrap();
                }
                Action::Done => return dialogue.outcome(),
            }
        }
    }
}

fn read(stream: &mut UnixStream, received: &mut BytesMut) -> Option<Frame> {
    let mut chunk = [0; 4096];
    loop {
        if let Some(frame) = frame::decode(received, frame::DEFAULT_LIMIT).unwrap() {
            return Some(frame);
        }
        match stream.read(&mut chunk) {
            Ok(0) => return None,
            Ok(count) => received.extend_from_slice(&chunk[..count]),
            Err(error) => panic!("the daemon says nothing: {error}"),
        }
    }
}
