//! One milter connection: which command may come now, what the filter is told, and
//! when a reply goes out.
//!
//! The order of commands is taken as loosely as real MTAs need it (HELO at any time,
//! MAIL without an ABORT before it, ABORT whenever it likes), and no more loosely: a
//! header field without a message, or a body before the headers have ended, is an
//! error, because a message put together from it would not be the one delivered.
//!
//! Replies are the part where a mistake stays unseen: Postfix takes a reply too many
//! as the answer to the next event and queues the message unsigned, without a line
//! in its log. So every reply passes through [`Session::respond`] or
//! [`Session::receive`], which write at most one for each event, and none where the
//! negotiation says that none is awaited.

use bytes::BytesMut;
use thiserror::Error;

use super::command::{Command, CommandError, code, name};
use super::event::Event;
use super::frame::Frame;
use super::macros::Macros;
use super::negotiation::{Agreement, NegotiationError, Offer, Wanted};
use super::reply::{self, Response};

/// The protocol's side of one connection.
#[derive(Debug)]
pub struct Session {
    wanted: Wanted,
    macros: Macros,
    state: State,
    /// The event last handed out, until it has been responded to.
    pending: Option<Pending>,
}

/// What one frame means to the caller.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'f> {
    /// Nothing for the filter. There may be a reply in `out`.
    Handled,
    /// To be given to the filter, and its answer to [`Session::respond`].
    Event(Event<'f>),
    /// The MTA is done; close the connection.
    Quit,
}

/// Why the connection has to be closed. Always the peer's fault, except
/// [`SessionError::Unanswered`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SessionError {
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error(transparent)]
    Negotiation(#[from] NegotiationError),
    #[error("{} before the negotiation", name(*.command))]
    NotNegotiated { command: u8 },
    #[error("a second OPTNEG")]
    NegotiatedTwice,
    #[error("{} {phase}", name(*.command))]
    OutOfOrder { command: u8, phase: &'static str },
    #[error("{} before the reply to the event before it", name(*.command))]
    Unanswered { command: u8 },
}

#[derive(Debug)]
enum State {
    /// The MTA has to speak first.
    Opened,
    Negotiated {
        agreement: Agreement,
        phase: Phase,
    },
}

/// How far the message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// There is none.
    Idle,
    /// MAIL has come.
    Envelope,
    /// The first header field has come.
    Header,
    /// The header section has ended.
    Body,
    /// The filter has spoken already; it hears no more until the scope ends.
    Decided { verdict: Verdict, scope: Scope },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Accept,
    Tempfail,
    Reject,
}

/// How far a verdict reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Message,
    Client,
}

#[derive(Debug, Clone, Copy)]
struct Pending {
    command: u8,
    owed: bool,
}

impl Session {
    pub fn new(wanted: Wanted) -> Self {
        Self {
            wanted,
            macros: Macros::default(),
            state: State::Opened,
            pending: None,
        }
    }

    /// The macros of the present client and message. At an event they are those that
    /// the MTA gave up to it; at [`Event::Abort`] the message's are gone.
    pub fn macros(&self) -> &Macros {
        &self.macros
    }

    /// What was agreed on, once it was.
    pub fn agreement(&self) -> Option<&Agreement> {
        match &self.state {
            State::Opened => None,
            State::Negotiated { agreement, .. } => Some(agreement),
        }
    }

    /// Whether the MTA waits for [`Session::respond`].
    pub fn reply_owed(&self) -> bool {
        self.pending.is_some_and(|pending| pending.owed)
    }

    /// Takes one frame. The answer to the negotiation, and the replies to events that
    /// the filter has no more say in, are written to `out`.
    ///
    /// # Errors
    /// When the peer does not keep to the protocol. The connection has to be closed;
    /// nothing that was received on it since the last end of a message counts.
    pub fn receive<'f, P: AsRef<[u8]>>(
        &mut self,
        frame: &'f Frame<P>,
        out: &mut BytesMut,
    ) -> Result<Step<'f>, SessionError> {
        if self.reply_owed() {
            return Err(SessionError::Unanswered {
                command: frame.command,
            });
        }
        self.pending = None;
        match Command::parse(frame)? {
            Command::Quit => Ok(Step::Quit),
            Command::Negotiate(offer) => self.negotiate(&offer, out),
            Command::Macros { stage, definitions } => {
                self.negotiated(frame.command)?;
                if let Some(stage) = stage {
                    self.macros.set(stage, definitions);
                }
                Ok(Step::Handled)
            }
            Command::Event(event) => self.event(frame.command, event, out),
        }
    }

    /// Answers the event last received: writes the reply if one is owed, and nothing
    /// if not, or if it has been written. Need not be called for an event to which no
    /// reply is owed.
    ///
    /// Any response but [`Response::Continue`] ends the filter's part in the message
    /// (at CONNECT and HELO: in all of the client's messages), also where no reply is
    /// owed: the MTA is then told at the next event where it asks. At RCPT, a
    /// [`Response::Tempfail`] or [`Response::Reject`] concerns that recipient alone.
    ///
    /// [`Response::Insert`] before the end of the message cannot be carried out and is
    /// taken as [`Response::Tempfail`]. At the end of the message Continue is written as
    /// ACCEPT, which is the same to the MTA and what some test tools insist on.
    pub fn respond(&mut self, response: &Response<'_>, out: &mut BytesMut) {
        let Some(Pending { command, owed }) = self.pending.take() else {
            return;
        };
        let response = match (command, response) {
            (code::END_OF_MESSAGE, Response::Continue) => &Response::Accept,
            (code::END_OF_MESSAGE, response) => response,
            (_, Response::Insert(_)) => &Response::Tempfail,
            (_, response) => response,
        };
        self.keep_verdict(command, response);
        if owed {
            reply::write(response, out);
        }
    }

    fn negotiate(
        &mut self,
        offer: &Offer,
        out: &mut BytesMut,
    ) -> Result<Step<'static>, SessionError> {
        if let State::Negotiated { .. } = self.state {
            return Err(SessionError::NegotiatedTwice);
        }
        let agreement = Agreement::reach(offer, &self.wanted)?;
        agreement.answer(&self.wanted, out);
        self.state = State::Negotiated {
            agreement,
            phase: Phase::Idle,
        };
        Ok(Step::Handled)
    }

    fn negotiated(&mut self, command: u8) -> Result<(Agreement, &mut Phase), SessionError> {
        match &mut self.state {
            State::Opened => Err(SessionError::NotNegotiated { command }),
            State::Negotiated { agreement, phase } => Ok((*agreement, phase)),
        }
    }

    fn event<'f>(
        &mut self,
        command: u8,
        event: Event<'f>,
        out: &mut BytesMut,
    ) -> Result<Step<'f>, SessionError> {
        if matches!(self.state, State::Opened) && event == Event::Abort {
            return Ok(Step::Handled);
        }
        let (agreement, phase) = self.negotiated(command)?;
        let owed = agreement.owes_reply(command);
        *phase = phase.after(command, &event)?;
        let verdict = phase.verdict_over(&event);
        match event {
            Event::Mail(_) => self.macros.begin_message(),
            Event::Abort => self.macros.clear_message(),
            Event::NewConnection => self.macros.clear(),
            _ => {}
        }
        if let Some(verdict) = verdict {
            if owed {
                reply::write(&verdict.again_at(command), out);
            }
            return Ok(Step::Handled);
        }
        self.pending = Some(Pending { command, owed });
        Ok(Step::Event(event))
    }

    fn keep_verdict(&mut self, command: u8, response: &Response<'_>) {
        let verdict = match response {
            Response::Continue => return,
            Response::Accept | Response::Insert(_) => Verdict::Accept,
            Response::Tempfail => Verdict::Tempfail,
            Response::Reject => Verdict::Reject,
        };
        let scope = match command {
            code::CONNECT | code::HELO => Scope::Client,
            code::RECIPIENT if verdict != Verdict::Accept => return,
            code::MAIL
            | code::RECIPIENT
            | code::DATA
            | code::HEADER
            | code::END_OF_HEADERS
            | code::BODY => Scope::Message,
            // The end of the message, and what belongs to none.
            _ => return,
        };
        if let State::Negotiated { phase, .. } = &mut self.state {
            *phase = Phase::Decided { verdict, scope };
        }
    }
}

impl Phase {
    /// The phase that an event leads to.
    fn after(self, command: u8, event: &Event<'_>) -> Result<Self, SessionError> {
        Ok(match (event, self) {
            (Event::NewConnection, _) => Phase::Idle,
            (Event::Connect(_), Phase::Idle | Phase::Decided { .. }) => Phase::Idle,
            (_, decided) if decided.scope() == Some(Scope::Client) => decided,
            (Event::Abort, _) => Phase::Idle,
            // Sendmail sends no ABORT after a message that it delivered.
            (Event::Mail(_), _) => Phase::Envelope,
            // HELO in the midst of a message comes before that message's ABORT.
            (Event::Helo(_) | Event::Unknown(_), phase) => phase,
            (_, decided @ Phase::Decided { .. }) => decided,
            (Event::Recipient(_) | Event::Data, Phase::Envelope) => Phase::Envelope,
            (Event::Header { .. }, Phase::Envelope | Phase::Header) => Phase::Header,
            (Event::EndOfHeaders, Phase::Envelope | Phase::Header) => Phase::Body,
            (Event::Body(_), Phase::Body) => Phase::Body,
            (Event::EndOfMessage(_), Phase::Body) => Phase::Idle,
            (_, phase) => {
                return Err(SessionError::OutOfOrder {
                    command,
                    phase: phase.words(),
                });
            }
        })
    }

    /// The verdict that has settled an event before it came, so that the filter does
    /// not hear of it. `self` is the phase that the event led to.
    fn verdict_over(self, event: &Event<'_>) -> Option<Verdict> {
        let Phase::Decided { verdict, scope } = self else {
            return None;
        };
        let of_message = !matches!(event, Event::Helo(_) | Event::Unknown(_));
        let settled = *event != Event::Abort && (of_message || scope == Scope::Client);
        settled.then_some(verdict)
    }

    fn scope(self) -> Option<Scope> {
        match self {
            Phase::Decided { scope, .. } => Some(scope),
            _ => None,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Phase::Idle => "outside a message",
            Phase::Envelope => "before the header section",
            Phase::Header => "inside the header section",
            Phase::Body => "inside the body",
            Phase::Decided { .. } => "behind the verdict",
        }
    }
}

impl Verdict {
    /// The reply to an event that comes although the filter has decided. Where the
    /// MTA asks about the message, it hears the verdict again, so that a verdict is
    /// not lost that was given where no reply was awaited. Other questions are none
    /// of its business.
    fn again_at(self, command: u8) -> Response<'static> {
        match (command, self) {
            (code::HELO | code::UNKNOWN | code::RECIPIENT, _) => Response::Continue,
            (_, Verdict::Accept) => Response::Accept,
            (_, Verdict::Tempfail) => Response::Tempfail,
            (_, Verdict::Reject) => Response::Reject,
        }
    }
}

#[cfg(test)]
mod tests;
