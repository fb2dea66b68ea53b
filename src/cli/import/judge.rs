//! OpenDKIM itself, on a private socket, to sign what signet signs.
//!
//! It runs with the tables and signing options of the imported file and without what
//! belongs to a service: other user, socket, pid file, log. It is asked as Postfix
//! would ask it, and killed in the end: it has nothing to finish.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bytes::BytesMut;

use super::sample::Said;
use crate::import::Import;
use crate::milter::frame;
use crate::milter::mta::{
    ABORT, Action, Answer, Client, Dialogue, Edit, Envelope, Message, Offer, Outcome, Script,
    Verdict,
};

/// Where packages put it.
const PLACES: &[&str] = &[
    "/usr/sbin/opendkim",
    "/usr/local/sbin/opendkim",
    "/usr/bin/opendkim",
];

/// Options that do not change d=, s=, i= and h=, or that would reach outside.
const LEFT_OUT: &[&str] = &[
    "Socket",
    "UMask",
    "UserID",
    "Mode",
    "InternalHosts",
    "PeerList",
    "ExternalIgnoreList",
    "MTA",
    "MacroList",
    "DontSignMailTo",
    "RequireSafeKeys",
    "Syslog",
    "SyslogFacility",
    "SyslogName",
    "SyslogSuccess",
    "LogWhy",
    "SoftwareHeader",
    "X-Header",
];

/// How long it may take to start, and to answer.
const PATIENCE: Duration = Duration::from_secs(5);

const REPLY_LIMIT: usize = 1 << 20;

/// A running OpenDKIM with a connection to it.
pub struct OpenDkim {
    child: Child,
    directory: PathBuf,
    stream: UnixStream,
    received: BytesMut,
    answer: Answer,
    client: Client,
    pub name: String,
}

impl OpenDkim {
    /// Starts it; `None` when it is not installed.
    pub fn start(imported: &Import, conf: &Path, directory: &Path) -> Option<Result<Self, String>> {
        let program = PLACES
            .iter()
            .map(Path::new)
            .find(|path| is_opendkim(path))?;
        Some(Self::run(program, imported, conf, directory))
    }

    fn run(
        program: &Path,
        imported: &Import,
        conf: &Path,
        directory: &Path,
    ) -> Result<Self, String> {
        let place = private_directory().map_err(|error| format!("no place for it: {error}"))?;
        let own = place.join("opendkim.conf");
        let errors = place.join("stderr");
        let socket = place.join("socket");
        let start = || {
            fs::write(&own, imported.source.without(LEFT_OUT) + OWN)?;
            Command::new(program)
                .arg("-f")
                .arg("-x")
                .arg(&own)
                .arg("-p")
                .arg(format!("unix:{}", socket.display()))
                .current_dir(directory)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(File::create(&errors)?)
                .spawn()
        };
        let mut child = match start() {
            Ok(child) => child,
            Err(error) => {
                let _ = fs::remove_dir_all(&place);
                return Err(format!("cannot be started: {error}"));
            }
        };
        let stream = connect(&mut child, &socket).map_err(|why| {
            let said = fs::read_to_string(&errors).unwrap_or_default();
            // It names its own file; the administrator knows the other one.
            let said = said
                .trim()
                .replace(&*own.to_string_lossy(), &conf.to_string_lossy());
            if said.is_empty() {
                why
            } else {
                format!("{why}: {said}")
            }
        });
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000));
        let opened = stream.and_then(|stream| {
            let mut received = BytesMut::new();
            let answer = negotiate(&stream, &mut received).map_err(|error| error.to_string())?;
            Ok((stream, received, answer))
        });
        match opened {
            Ok((stream, received, answer)) => Ok(Self {
                child,
                directory: place,
                stream,
                received,
                answer,
                client: Client::new("localhost", loopback),
                name: program.display().to_string(),
            })
            .and_then(Self::greeted),
            Err(why) => {
                let _ = child.kill();
                let _ = child.wait();
                let _ = fs::remove_dir_all(&place);
                Err(why)
            }
        }
    }

    fn greeted(mut self) -> Result<Self, String> {
        let script = Script::client(&self.answer, &self.client);
        self.play(&script).map_err(|error| error.to_string())?;
        Ok(self)
    }

    /// Has it sign a message.
    ///
    /// # Errors
    /// When it answers otherwise than with signatures or none: its words.
    pub fn sign(&mut self, author: &str, message: &Message) -> Result<Vec<Said>, String> {
        let envelope = Envelope {
            sender: author.to_owned(),
            recipients: vec!["grace@recipient.example".to_owned()],
            queue_id: "4BxKqz0mRzz1g".to_owned(),
            ..Envelope::default()
        };
        let script = Script::message(&self.answer, &self.client, &envelope, message);
        let outcome = self.play(&script).map_err(|error| error.to_string())?;
        let ended = (&self.stream).write_all(ABORT);
        ended.map_err(|error| error.to_string())?;
        match outcome.verdict {
            Verdict::Continue | Verdict::Accept => {}
            Verdict::Tempfail => return Err("temporary error".to_owned()),
            Verdict::Reject => return Err("rejected".to_owned()),
            Verdict::ReplyCode(code) => return Err(String::from_utf8_lossy(&code).into_owned()),
            other => return Err(format!("{other:?}")),
        }
        let signature = |edit: &Edit| match edit {
            Edit::Insert { name, value, .. } | Edit::Append { name, value }
                if name.eq_ignore_ascii_case(b"DKIM-Signature") =>
            {
                Some(Said::read(value))
            }
            _ => None,
        };
        Ok(outcome.edits.iter().filter_map(signature).collect())
    }

    fn play(&mut self, script: &Script) -> io::Result<Outcome> {
        let mut dialogue = Dialogue::new(script);
        loop {
            match dialogue.action() {
                Action::Send(bytes) => (&self.stream).write_all(bytes)?,
                Action::Receive => {
                    let frame = receive(&self.stream, &mut self.received)?;
                    dialogue.receive(&frame).map_err(io::Error::other)?;
                }
                Action::Done => return Ok(dialogue.outcome()),
            }
        }
    }
}

impl Drop for OpenDkim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// What the private file says instead of what is left out.
const OWN: &str = "Mode s\nBackground No\nRequireSafeKeys No\nInternalHosts csl:127.0.0.1\n";

/// Whether a program says that it is OpenDKIM: another may have its name.
fn is_opendkim(path: &Path) -> bool {
    let Ok(output) = Command::new(path).arg("-V").stdin(Stdio::null()).output() else {
        return false;
    };
    let said = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&said).contains("OpenDKIM Filter")
}

/// A directory that nobody else can look into.
fn private_directory() -> io::Result<PathBuf> {
    let temporary = std::env::temp_dir();
    let id = std::process::id();
    for number in 0..100 {
        let path = temporary.join(format!("signet-import-{id}-{number}"));
        match DirBuilder::new().mode(0o700).create(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.map(|()| path),
        }
    }
    Err(io::Error::other("every name is taken"))
}

/// Connects as soon as it listens.
fn connect(child: &mut Child, socket: &Path) -> Result<UnixStream, String> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Ok(stream) = UnixStream::connect(socket) {
            let patience = Some(PATIENCE);
            let set = stream
                .set_read_timeout(patience)
                .and_then(|()| stream.set_write_timeout(patience));
            return set.map(|()| stream).map_err(|error| error.to_string());
        }
        if let Ok(Some(status)) = child.try_wait() {
            return Err(format!("does not start ({status})"));
        }
        if Instant::now() > deadline {
            return Err(format!("does not listen within {PATIENCE:?}"));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn negotiate(stream: &UnixStream, received: &mut BytesMut) -> io::Result<Answer> {
    let offer = Offer::postfix(6);
    let mut out = BytesMut::new();
    offer.encode(&mut out);
    let mut writer = stream;
    writer.write_all(&out)?;
    let frame = receive(stream, received)?;
    Answer::read(&frame, &offer).map_err(io::Error::other)
}

fn receive(stream: &UnixStream, received: &mut BytesMut) -> io::Result<frame::Frame> {
    let mut stream = stream;
    let mut buffer = [0; 4096];
    loop {
        let decoded = frame::decode(received, REPLY_LIMIT).map_err(io::Error::other)?;
        if let Some(frame) = decoded {
            return Ok(frame);
        }
        let taken = stream
            .read(&mut buffer)
            .map_err(|error| match error.kind() {
                io::ErrorKind::WouldBlock => {
                    io::Error::other(format!("no answer within {PATIENCE:?}"))
                }
                _ => error,
            })?;
        if taken == 0 {
            return Err(io::Error::other(
                "it closed the connection (a crash, perhaps)",
            ));
        }
        received.extend_from_slice(buffer.get(..taken).unwrap_or_default());
    }
}
