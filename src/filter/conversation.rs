//! The session and the filter, joined: frames in, replies and outcomes out.

use std::sync::Arc;

use bytes::BytesMut;

use super::{Conclusion, Context, Effect, Filter};
use crate::dkim::{SignError, SignJob, Signature};
use crate::milter::command::code;
use crate::milter::frame::{self, First, Frame, FrameError};
use crate::milter::{Agreement, Event, Response, Session, SessionError, Step};
use crate::snapshot::Snapshot;
use crate::telemetry::{Limit, Outcome};

/// What a conversation asks of the world, and only when it needs it.
pub trait World {
    /// The snapshot in force now.
    fn snapshot(&self) -> Arc<Snapshot>;
    /// Seconds since 1970.
    fn now(&self) -> u64;
}

/// What is to be done after a frame.
#[derive(Debug)]
pub enum Turn {
    /// Go on; a message's fate may have been decided.
    Continue(Option<Box<Outcome>>),
    /// Run the job and give its result to [`Conversation::signed`], or say to
    /// [`Conversation::not_run`] which limit forbids it.
    Sign(Box<SignJob>),
    /// The peer ends the connection, perhaps in the midst of a message.
    Close(Option<Box<Outcome>>),
}

/// One milter connection.
#[derive(Debug)]
pub struct Conversation {
    session: Session,
    filter: Filter,
    /// In force when the message under way began.
    snapshot: Arc<Snapshot>,
}

impl Conversation {
    /// `strangers`: whether to ask for a reply at DATA, which spares both sides the
    /// messages of clients that are not to be signed for.
    pub fn new(snapshot: Arc<Snapshot>, strangers: bool) -> Self {
        Self {
            session: Session::new(snapshot.wanted(strangers)),
            filter: Filter::new(),
            snapshot,
        }
    }

    /// The first frame of `buffer`; pieces of a body that nobody answers are one, in
    /// `joined`, however many small packets they are.
    ///
    /// # Errors
    /// As [`frame::first`].
    pub fn first_frame<'b>(
        &self,
        buffer: &'b [u8],
        limit: usize,
        joined: &'b mut Vec<u8>,
    ) -> Result<First<'b>, FrameError> {
        match self.session.agreement() {
            Some(agreement) if !agreement.owes_reply(code::BODY) => {
                frame::first_joined(buffer, limit, code::BODY, joined)
            }
            _ => frame::first(buffer, limit),
        }
    }

    /// Takes one frame and writes the replies that are owed for it to `out`.
    ///
    /// # Errors
    /// When the peer breaks the protocol; the connection is then of no more use.
    pub fn receive<P: AsRef<[u8]>>(
        &mut self,
        frame: &Frame<P>,
        world: &impl World,
        out: &mut BytesMut,
    ) -> Result<Turn, SessionError> {
        let event = match self.session.receive(frame, out)? {
            Step::Handled => return Ok(Turn::Continue(None)),
            Step::Quit => return Ok(Turn::Close(self.hang_up())),
            Step::Event(event) => event,
        };
        let mut now = 0;
        match event {
            Event::Connect(_) | Event::Mail(_) => self.snapshot = world.snapshot(),
            Event::EndOfMessage(_) => now = world.now(),
            _ => {}
        }
        let context = context(&self.session, &self.snapshot, now);
        match self.filter.handle(event, &context) {
            Effect::Respond(response) => {
                self.session.respond(&response, out);
                Ok(Turn::Continue(None))
            }
            Effect::Conclude(response, outcome) => {
                self.session.respond(&response, out);
                Ok(Turn::Continue(Some(outcome)))
            }
            Effect::Sign(job) => Ok(Turn::Sign(job)),
        }
    }

    /// Takes the result of the job of [`Turn::Sign`] and writes the answer.
    pub fn signed(
        &mut self,
        result: Result<Vec<Signature>, SignError>,
        out: &mut BytesMut,
    ) -> Box<Outcome> {
        let context = context(&self.session, &self.snapshot, 0);
        let conclusion = self.filter.signed(result, &context);
        self.conclude(conclusion, out)
    }

    /// Takes note that the job of [`Turn::Sign`] was not run, and writes the answer.
    pub fn not_run(&mut self, limit: Limit, out: &mut BytesMut) -> Box<Outcome> {
        let context = context(&self.session, &self.snapshot, 0);
        let conclusion = self.filter.not_run(limit, &context);
        self.conclude(conclusion, out)
    }

    fn conclude(&mut self, conclusion: Conclusion, out: &mut BytesMut) -> Box<Outcome> {
        if conclusion.fields.is_empty() {
            self.session.respond(&conclusion.otherwise, out);
        } else {
            self.session
                .respond(&Response::Insert(&conclusion.fields), out);
        }
        conclusion.outcome
    }

    /// Whether a message is under way that is not decided yet.
    pub fn has_message(&self) -> bool {
        self.filter.has_message()
    }

    /// The peer is gone; a message it had begun is worth an outcome.
    pub fn hang_up(&mut self) -> Option<Box<Outcome>> {
        let context = context(&self.session, &self.snapshot, 0);
        match self.filter.handle(Event::Abort, &context) {
            Effect::Conclude(_, outcome) => Some(outcome),
            Effect::Respond(_) | Effect::Sign(_) => None,
        }
    }
}

fn context<'a>(session: &'a Session, snapshot: &'a Arc<Snapshot>, now: u64) -> Context<'a> {
    Context {
        snapshot,
        macros: session.macros(),
        leading_space: session.agreement().is_some_and(Agreement::leading_space),
        now,
    }
}
