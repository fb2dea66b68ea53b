//! One message from envelope to verdict: the only place that knows both the milter
//! protocol and DKIM.
//!
//! A plain state machine over values: events go in, effects come out, and the
//! clock is an argument. It writes no log line and counts nothing; what became of
//! a message is returned as an [`Outcome`]. It does no signing of its own either:
//! at the end of a message it hands out a [`SignJob`], and whoever runs it gives
//! the result back.

mod conversation;
mod message;

use std::net::IpAddr;
use std::sync::Arc;

use crate::dkim::{SignError, SignJob, Signature};
use crate::milter::{Connect, Event, InsertedField, Macros, Response};
use crate::policy::{Origin, Reason};
use crate::snapshot::Snapshot;
use crate::telemetry::{Action, Limit, Outcome, Verdict};

pub use conversation::{Conversation, Turn, World};
use message::{Message, Pending};

/// The name of the one header field this program adds.
const FIELD: &str = "DKIM-Signature";

/// What the filter needs beside the event itself.
#[derive(Debug)]
pub struct Context<'a> {
    /// The state to begin a message with; a message under way keeps its own.
    pub snapshot: &'a Arc<Snapshot>,
    pub macros: &'a Macros,
    /// Whether SMFIP_HDR_LEADSPC was negotiated: values arrive, and are inserted,
    /// with the white space that follows the colon.
    pub leading_space: bool,
    /// Seconds since 1970, for `t=` and `x=`; asked for at the end of a message only.
    pub now: u64,
}

/// What is to be done about an event.
#[derive(Debug)]
pub enum Effect {
    /// Respond, and go on.
    Respond(Response<'static>),
    /// Respond; the message's fate is decided.
    Conclude(Response<'static>, Box<Outcome>),
    /// Run the job, and give its result to [`Filter::signed`].
    Sign(Box<SignJob>),
}

/// How the answer to a signed message is made up.
#[derive(Debug)]
pub struct Conclusion {
    /// The fields to insert, the first on top; empty when it was not signed.
    pub fields: Vec<InsertedField>,
    /// What to say when there are no fields.
    pub otherwise: Response<'static>,
    pub outcome: Box<Outcome>,
}

/// One milter connection's worth of messages, one after the other.
#[derive(Debug, Default)]
pub struct Filter {
    client: Option<IpAddr>,
    /// What CONNECT called the client.
    client_name: Option<Box<[u8]>>,
    state: State,
}

#[derive(Debug, Default)]
enum State {
    /// No message, or one whose fate is decided already.
    #[default]
    Idle,
    Receiving(Box<Message>),
    Signing(Pending),
}

impl Filter {
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one event.
    pub fn handle(&mut self, event: Event<'_>, context: &Context<'_>) -> Effect {
        match event {
            Event::Connect(connect) => return self.connect(&connect, context),
            Event::Mail(_) => {
                self.state = State::Receiving(Box::new(Message::new(context.snapshot.clone())));
            }
            Event::Recipient(path) => {
                if let State::Receiving(message) = &mut self.state {
                    message.recipient(path.address);
                }
            }
            Event::Data => return self.decide_origin(context),
            Event::Header { name, value } => {
                if let State::Receiving(message) = &mut self.state {
                    message.field(name, value);
                }
            }
            Event::EndOfHeaders => return self.decide(context),
            Event::Body(chunk) => {
                if let State::Receiving(message) = &mut self.state {
                    message.body(chunk);
                }
            }
            Event::EndOfMessage(chunk) => return self.finish(chunk, context),
            Event::Abort => return self.abort(context),
            Event::NewConnection => {
                let effect = self.abort(context);
                self.client = None;
                self.client_name = None;
                return effect;
            }
            Event::Helo(_) | Event::Unknown(_) => {}
        }
        Effect::Respond(Response::Continue)
    }

    /// Whether a message is under way that is not decided yet.
    pub fn has_message(&self) -> bool {
        !matches!(self.state, State::Idle)
    }

    /// Takes the result of the job that [`Effect::Sign`] handed out.
    pub fn signed(
        &mut self,
        result: Result<Vec<Signature>, SignError>,
        context: &Context<'_>,
    ) -> Conclusion {
        match std::mem::take(&mut self.state) {
            State::Signing(pending) => pending.conclude(result, self.client, context),
            // Not reachable from a caller that gives back what it was handed.
            State::Idle | State::Receiving(_) => {
                let detail = "a signature came for no message".to_owned();
                put_off(self.client, context, Reason::SignFailed, detail)
            }
        }
    }

    /// The job that [`Effect::Sign`] handed out was not run, because `limit` is reached.
    /// Whatever `on_failure` says the client is told to come again: by then there is
    /// room, and neither a refusal nor mail without a signature would be in order.
    pub fn not_run(&mut self, limit: Limit, context: &Context<'_>) -> Conclusion {
        let detail = format!(
            "as many messages wait for their signatures as limits.{} allows",
            limit.as_str()
        );
        let mut conclusion = put_off(self.client, context, Reason::LimitExceeded, detail);
        conclusion.outcome.limit = Some(limit);
        if let State::Signing(pending) = std::mem::take(&mut self.state) {
            pending.describe(&mut conclusion.outcome);
        }
        conclusion
    }

    fn connect(&mut self, connect: &Connect<'_>, context: &Context<'_>) -> Effect {
        self.client = connect.address;
        self.client_name = Some(connect.hostname.into());
        let name = Some(connect.hostname);
        match context.snapshot.decide_client(self.client, name) {
            Ok(()) => Effect::Respond(Response::Continue),
            // ACCEPT here ends the milter's part in the whole SMTP session: an excluded
            // peer costs nothing more, and one line stands for all of its messages.
            Err(reason) => {
                let verdict = Verdict::NotSigned {
                    reason,
                    detail: "every message of this SMTP session".to_owned(),
                    action: Action::Passed,
                };
                let outcome = outcome(self.client, context.macros, verdict);
                Effect::Conclude(Response::Accept, Box::new(outcome))
            }
        }
    }

    /// At DATA the client and the login are known: mail from strangers is never
    /// streamed to us.
    fn decide_origin(&mut self, context: &Context<'_>) -> Effect {
        let State::Receiving(message) = &mut self.state else {
            return Effect::Respond(Response::Continue);
        };
        let mut origin = origin(self.client, context.macros);
        origin.client_name = self.client_name.as_deref();
        match message.decide_origin(&origin) {
            Ok(()) => Effect::Respond(Response::Continue),
            Err(verdict) => self.conclude(verdict, context),
        }
    }

    /// At the end of the header section everything but the body is known.
    fn decide(&mut self, context: &Context<'_>) -> Effect {
        let State::Receiving(message) = &mut self.state else {
            return Effect::Respond(Response::Continue);
        };
        let mut origin = origin(self.client, context.macros);
        origin.client_name = self.client_name.as_deref();
        match message.decide(&origin, context.leading_space) {
            Ok(()) => {
                message.set_queue_id(context.macros.get("i").map(printable));
                Effect::Respond(Response::Continue)
            }
            Err(verdict) => self.conclude(verdict, context),
        }
    }

    fn finish(&mut self, chunk: &[u8], context: &Context<'_>) -> Effect {
        let State::Receiving(message) = &mut self.state else {
            return Effect::Respond(Response::Accept);
        };
        match message.finish(chunk, context.now) {
            Ok((job, pending)) => {
                self.state = State::Signing(pending);
                Effect::Sign(Box::new(job))
            }
            Err(verdict) => self.conclude(verdict, context),
        }
    }

    /// Forgets the message. Postfix sends ABORT after every finished one, often
    /// twice; only a message cut short is worth a line.
    fn abort(&mut self, context: &Context<'_>) -> Effect {
        match std::mem::take(&mut self.state) {
            State::Idle => Effect::Respond(Response::Continue),
            State::Receiving(message) if message.has_begun() => {
                let mut outcome = outcome(
                    self.client,
                    context.macros,
                    Verdict::NotSigned {
                        reason: Reason::Aborted,
                        detail: String::new(),
                        action: Action::Passed,
                    },
                );
                message.describe(&mut outcome);
                Effect::Conclude(Response::Continue, Box::new(outcome))
            }
            State::Receiving(_) | State::Signing(_) => Effect::Respond(Response::Continue),
        }
    }

    fn conclude(&mut self, verdict: Verdict, context: &Context<'_>) -> Effect {
        let response = match &verdict {
            Verdict::Signed(_) => Response::Continue,
            Verdict::NotSigned { action, .. } => response(*action),
        };
        let mut outcome = outcome(self.client, context.macros, verdict);
        if let State::Receiving(message) = std::mem::take(&mut self.state) {
            message.describe(&mut outcome);
        }
        Effect::Conclude(response, Box::new(outcome))
    }
}

/// A message without its signature must wait, not leave.
fn put_off(
    client: Option<IpAddr>,
    context: &Context<'_>,
    reason: Reason,
    detail: String,
) -> Conclusion {
    let action = Action::Tempfailed;
    let verdict = Verdict::NotSigned {
        reason,
        detail,
        action,
    };
    Conclusion {
        fields: Vec::new(),
        otherwise: response(action),
        outcome: Box::new(outcome(client, context.macros, verdict)),
    }
}

/// What to tell the MTA about a message that is not signed.
fn response(action: Action) -> Response<'static> {
    match action {
        Action::Passed => Response::Accept,
        Action::Tempfailed => Response::Tempfail,
        Action::Rejected => Response::Reject,
    }
}

/// How the client came, from CONNECT and the macros.
fn origin<'a>(client: Option<IpAddr>, macros: &'a Macros) -> Origin<'a> {
    Origin {
        // CONNECT has the address for every client that has one; the macro serves
        // the MTA that was told not to send CONNECT.
        client: client.or_else(|| {
            let text = std::str::from_utf8(macros.get("client_addr")?).ok()?;
            text.strip_prefix("IPv6:").unwrap_or(text).parse().ok()
        }),
        client_name: None,
        login: macros.get("auth_authen").filter(|login| !login.is_empty()),
        auth_type: macros.get("auth_type").filter(|kind| !kind.is_empty()),
        daemon_name: macros.get("daemon_name"),
        macros: Some(macros),
    }
}

/// An outcome with what the connection knows; the message adds the rest.
fn outcome(client: Option<IpAddr>, macros: &Macros, verdict: Verdict) -> Outcome {
    let origin = origin(client, macros);
    Outcome {
        queue_id: macros.get("i").map(printable),
        client: origin.client,
        login: origin.login.map(printable),
        author_domain: None,
        rule: None,
        bytes: 0,
        limit: None,
        verdict,
    }
}

/// At most 128 bytes of a macro's value, fit for a log line.
fn printable(value: &[u8]) -> Box<str> {
    let cut = value.get(..128).unwrap_or(value);
    let text = String::from_utf8_lossy(cut);
    if text.chars().any(char::is_control) {
        text.chars().filter(|c| !c.is_control()).collect()
    } else {
        text.into()
    }
}
