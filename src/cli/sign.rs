//! `signet sign`: the milter's own path over a file, to see what it would do.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::BytesMut;

use super::CommandResult;
use super::message_file::read_message;
use super::playback::{Milter, PlayError, play};
use super::settings::Settings;
use super::streams::{self, Reader};

use crate::filter::{Conversation, Turn, World};
use crate::milter::frame::{self, Frame};
use crate::milter::mta::{Envelope, Message};
use crate::snapshot::{Severity, Snapshot};
use crate::telemetry::{Outcome, Verdict};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A message that nobody read to its end is no success: the exit code that a shell shows
/// for a program ended by SIGPIPE.
const CUT_OFF: u8 = 128 + 13;

#[derive(clap::Args)]
#[command(mut_arg("listen", |listen| listen.hide(true)))]
pub struct Args {
    /// The message; standard input when absent or `-`
    file: Option<PathBuf>,

    #[command(flatten)]
    settings: Settings,
}

pub fn run(args: &Args) -> CommandResult {
    let bytes = read_message(args.file.as_deref())?;
    let snapshot = Snapshot::load(args.settings.config()?)?;
    for problem in snapshot.problems() {
        if problem.severity > Severity::Note {
            streams::tell(format_args!("signet: {}: {problem}\n", problem.severity));
        }
    }
    let (signed, outcome) = sign(&Message::parse(&bytes), snapshot)?;
    let signed = in_line_ends_of(&bytes, signed.to_bytes());
    if streams::write(&signed)? == Reader::Gone {
        return Ok(ExitCode::from(CUT_OFF));
    }
    match outcome.verdict {
        Verdict::Signed(_) => Ok(ExitCode::SUCCESS),
        Verdict::NotSigned { reason, detail, .. } => {
            let gap = if detail.is_empty() { "" } else { ": " };
            let reason = reason.as_str();
            streams::tell(format_args!("signet: not signed: {reason}{gap}{detail}\n"));
            Ok(ExitCode::from(1))
        }
    }
}

/// Plays the message to a conversation as if it came from this machine.
fn sign(message: &Message, snapshot: Snapshot) -> Result<(Message, Outcome), Failure> {
    let snapshot = Arc::new(snapshot);
    let mut milter = InProcess {
        conversation: Conversation::new(snapshot.clone(), false),
        world: Here(snapshot),
        sent: BytesMut::new(),
        answered: BytesMut::new(),
        outcome: None,
    };
    let envelope = Envelope {
        recipients: vec![String::new()],
        ..Envelope::default()
    };
    let played = play(&mut milter, &envelope, message)?;
    let outcome = milter.outcome.ok_or("the message came to no end")?;
    Ok((played.message, *outcome))
}

/// The milter's conversation without a socket.
struct InProcess {
    conversation: Conversation,
    world: Here,
    sent: BytesMut,
    answered: BytesMut,
    outcome: Option<Box<Outcome>>,
}

struct Here(Arc<Snapshot>);

impl World for Here {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.0.clone()
    }

    fn now(&self) -> u64 {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        since.map_or(0, |since| since.as_secs())
    }
}

impl Milter for InProcess {
    fn send(&mut self, bytes: &[u8]) -> Result<(), PlayError> {
        self.sent.extend_from_slice(bytes);
        while let Some(frame) = frame::decode(&mut self.sent, frame::DEFAULT_LIMIT)? {
            match self
                .conversation
                .receive(&frame, &self.world, &mut self.answered)?
            {
                Turn::Continue(outcome) | Turn::Close(outcome) => {
                    self.outcome = self.outcome.take().or(outcome);
                }
                Turn::Sign(job) => {
                    self.outcome = Some(self.conversation.signed(job.run(), &mut self.answered));
                }
            }
        }
        Ok(())
    }

    fn receive(&mut self) -> Result<Frame, PlayError> {
        frame::decode(&mut self.answered, frame::DEFAULT_LIMIT)?.ok_or(PlayError::Closed)
    }
}

/// A file with LF line ends gets LF line ends back.
fn in_line_ends_of(original: &[u8], signed: Vec<u8>) -> Vec<u8> {
    if original.windows(2).any(|pair| pair == b"\r\n") {
        return signed;
    }
    let mut lf = Vec::with_capacity(signed.len());
    let mut bytes = signed.iter().peekable();
    while let Some(&byte) = bytes.next() {
        if byte != b'\r' || bytes.peek() != Some(&&b'\n') {
            lf.push(byte);
        }
    }
    lf
}
