//! One script played against one filter.

use thiserror::Error;

use super::reply::{Reply, ReplyError};
use super::script::{Part, Script};
use crate::milter::command::{code, name};
use crate::milter::frame::Frame;

/// Plays a script. The caller asks [`Dialogue::action`] what to do, does it, and hands
/// every frame that it received to [`Dialogue::receive`].
#[derive(Debug)]
pub struct Dialogue<'s> {
    script: &'s Script,
    /// The part at hand.
    at: usize,
    /// That part has been sent, and its reply not come.
    pub(super) waiting: Option<u8>,
    /// Events of this kind are left out (SKIP).
    skipped: Option<u8>,
    outcome: Outcome,
    done: bool,
}

/// What the caller has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action<'s> {
    /// Send these bytes, and ask again.
    Send(&'s [u8]),
    /// Read one frame and hand it to [`Dialogue::receive`].
    Receive,
    /// The script is over; see [`Dialogue::outcome`].
    Done,
}

/// How a script ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    pub verdict: Verdict,
    /// In the order in which the filter sent them.
    pub edits: Vec<Edit>,
    /// How many recipients the filter refused.
    pub refused_recipients: usize,
}

/// The filter's last word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Verdict {
    /// It had no objection to the end.
    #[default]
    Continue,
    /// At the end of a message the same; before it, the rest was not sent.
    Accept,
    Tempfail,
    Reject,
    Discard,
    Shutdown,
    ReplyCode(Vec<u8>),
}

/// One edit of the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    Insert {
        index: u32,
        name: Vec<u8>,
        value: Vec<u8>,
    },
    Append {
        name: Vec<u8>,
        value: Vec<u8>,
    },
    /// By its letter.
    Other(u8),
}

/// What Postfix would log and take its default action for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DialogueError {
    #[error(transparent)]
    Reply(#[from] ReplyError),
    #[error("the filter sent '{}' when no reply was awaited", char::from(*.code))]
    Surplus { code: u8 },
    #[error("the filter sent '{}' in reply to {}", char::from(*.code), name(*.command))]
    Unexpected { code: u8, command: u8 },
}

impl<'s> Dialogue<'s> {
    pub fn new(script: &'s Script) -> Self {
        Self {
            script,
            at: 0,
            waiting: None,
            skipped: None,
            outcome: Outcome::default(),
            done: false,
        }
    }

    /// What to do now. Takes the bytes as sent.
    pub fn action(&mut self) -> Action<'s> {
        if self.waiting.is_some() {
            return Action::Receive;
        }
        while !self.done {
            let Some(Part { bytes, awaits }) = self.script.part(self.at) else {
                self.done = true;
                break;
            };
            self.at += 1;
            if awaits.is_some() && awaits == self.skipped {
                continue;
            }
            self.waiting = awaits;
            return Action::Send(bytes);
        }
        Action::Done
    }

    /// Takes one packet of the filter.
    ///
    /// # Errors
    /// When the filter says what it may not say here. The connection is then of no
    /// more use.
    pub fn receive(&mut self, frame: &Frame) -> Result<(), DialogueError> {
        let code = frame.command;
        let Some(command) = self.waiting else {
            return Err(DialogueError::Surplus { code });
        };
        let reply = Reply::parse(frame)?;
        if reply.is_edit() {
            // Postfix takes an edit at the end of the message and nowhere else.
            if command != code::END_OF_MESSAGE {
                return Err(DialogueError::Unexpected { code, command });
            }
            self.outcome.edits.push(Edit::from(reply, code));
            return Ok(());
        }
        let verdict = match reply {
            Reply::Progress => return Ok(()),
            Reply::Continue => None,
            Reply::Skip => match command {
                code::RECIPIENT | code::HEADER | code::BODY => {
                    self.skipped = Some(command);
                    None
                }
                command => return Err(DialogueError::Unexpected { code, command }),
            },
            Reply::Accept => Some(Verdict::Accept),
            Reply::Tempfail => Some(Verdict::Tempfail),
            Reply::Reject => Some(Verdict::Reject),
            Reply::Discard => Some(Verdict::Discard),
            Reply::Shutdown => Some(Verdict::Shutdown),
            Reply::ReplyCode(text) => Some(Verdict::ReplyCode(text.to_vec())),
            Reply::AddHeader { .. } | Reply::InsertHeader { .. } | Reply::Edit(_) => None,
        };
        self.waiting = None;
        match verdict {
            Some(Verdict::Tempfail | Verdict::Reject | Verdict::ReplyCode(_))
                if command == code::RECIPIENT =>
            {
                self.outcome.refused_recipients += 1;
            }
            Some(verdict) => {
                self.outcome.verdict = verdict;
                self.done = true;
            }
            None => {}
        }
        Ok(())
    }

    /// How it ended, once [`Action::Done`] has been said.
    pub fn outcome(self) -> Outcome {
        self.outcome
    }
}

impl Edit {
    fn from(reply: Reply<'_>, code: u8) -> Self {
        match reply {
            Reply::InsertHeader { index, name, value } => Self::Insert {
                index,
                name: name.to_vec(),
                value: value.to_vec(),
            },
            Reply::AddHeader { name, value } => Self::Append {
                name: name.to_vec(),
                value: value.to_vec(),
            },
            _ => Self::Other(code),
        }
    }
}
