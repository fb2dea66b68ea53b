//! One connection to the milter under load: a real socket, and the MTA's side of the
//! conversation as `milter::mta` writes it, encoded once for all connections.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};

use super::message;
use crate::config::ListenAddress;
use crate::milter::frame::{self, FrameError};
use crate::milter::mta::{
    ABORT, Action, Answer, AnswerError, Client, Dialogue, DialogueError, Edit, Envelope, Message,
    Offer, Outcome, QUIT, Script, Verdict,
};

/// What every connection of a run does.
#[derive(Debug)]
pub struct Plan {
    pub address: ListenAddress,
    /// Bytes of the message, as asked for.
    pub size: usize,
    client: Client,
    /// One for each author.
    messages: Vec<(Envelope, Message)>,
    /// By what was negotiated, which is one in a run unless the milter is very odd.
    scripts: RefCell<Vec<Rc<Scripts>>>,
}

/// All that a connection sends after the negotiation.
#[derive(Debug)]
struct Scripts {
    answer: Answer,
    greeting: Script,
    messages: Vec<Whole>,
    /// Whose turn it is.
    next: Cell<usize>,
}

/// A message from its envelope to its end.
#[derive(Debug)]
struct Whole {
    script: Script,
    /// Writes up to the end of the message, when nothing is skipped.
    parts: usize,
}

impl Scripts {
    /// The next author's message.
    fn message(&self) -> Option<&Whole> {
        let turn = self.next.get();
        self.next.set((turn + 1) % self.messages.len().max(1));
        self.messages.get(turn)
    }
}

/// What became of one message.
#[derive(Debug)]
pub struct Reaction {
    /// When the first byte of the message was sent.
    pub began: Instant,
    pub answered: Instant,
    /// From the last byte sent to the answer.
    pub end_of_message: Duration,
    /// DKIM-Signature fields inserted or added.
    pub signatures: usize,
    /// The milter's last word, for those that are not signed.
    pub verdict: String,
}

/// Why a connection cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    #[error("cannot connect to the milter at {address}")]
    Connect { address: String, source: io::Error },
    #[error("lost the milter")]
    Lost(#[source] io::Error),
    #[error("the milter closed the connection while it owed a reply")]
    Closed,
    #[error("no reply within {TIMEOUT:?}")]
    Silent,
    #[error("the milter sent bytes that are no packet")]
    Frame(#[from] FrameError),
    #[error("the negotiation failed")]
    Answer(#[from] AnswerError),
    #[error(transparent)]
    Dialogue(#[from] DialogueError),
    #[error("the milter sent a reply that nothing owed ({0} bytes)")]
    Surplus(usize),
    #[error("no author writes any message")]
    NoAuthor,
    #[error("the milter answered the client with {0:?} and sees none of its messages")]
    Unwilling(Verdict),
}

/// As long as Postfix waits while a message is sent (milter_content_timeout).
const TIMEOUT: Duration = Duration::from_secs(300);

/// Replies are small; a signature is the largest that is expected.
const REPLY_LIMIT: usize = 1 << 20;

impl Plan {
    /// Messages of `size` bytes from an authenticated client on this machine, by each of
    /// the authors in turn.
    pub fn new(address: ListenAddress, authors: &[impl AsRef<str>], size: usize) -> Self {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000));
        Self {
            address,
            size,
            client: Client::new("localhost", loopback),
            messages: authors
                .iter()
                .map(|from| letter(from.as_ref(), size))
                .collect(),
            scripts: RefCell::default(),
        }
    }

    fn scripts(&self, answer: Answer) -> Rc<Scripts> {
        let mut known = self.scripts.borrow_mut();
        if let Some(scripts) = known.iter().find(|scripts| scripts.answer == answer) {
            return Rc::clone(scripts);
        }
        let whole = |(envelope, message): &(Envelope, Message)| {
            let script = Script::message(&answer, &self.client, envelope, message);
            let parts = script.parts().count();
            Whole { script, parts }
        };
        let scripts = Rc::new(Scripts {
            greeting: Script::client(&answer, &self.client),
            messages: self.messages.iter().map(whole).collect(),
            next: Cell::new(0),
            answer,
        });
        known.push(Rc::clone(&scripts));
        scripts
    }
}

fn letter(from: &str, size: usize) -> (Envelope, Message) {
    let envelope = Envelope {
        sender: from.to_owned(),
        parameters: vec!["BODY=8BITMIME".to_owned()],
        recipients: vec!["grace@recipient.example".to_owned()],
        login: Some(("PLAIN".to_owned(), from.to_owned())),
        queue_id: "4BxKqz0mRzz1g".to_owned(),
        ..Envelope::default()
    };
    (envelope, message::realistic(from, size))
}

trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

/// A connection that has negotiated and said CONNECT and HELO.
pub struct Exchange {
    stream: Box<dyn Stream>,
    received: BytesMut,
    scripts: Rc<Scripts>,
}

impl Exchange {
    /// Connects, negotiates, and introduces the client.
    ///
    /// # Errors
    /// When there is no milter, or it accepts or refuses the client unheard.
    pub async fn open(plan: &Plan) -> Result<Self, ExchangeError> {
        let mut stream = connect(&plan.address)
            .await
            .map_err(|source| ExchangeError::Connect {
                address: plan.address.to_string(),
                source,
            })?;
        let offer = Offer::postfix(6);
        let mut out = BytesMut::new();
        offer.encode(&mut out);
        stream.write_all(&out).await.map_err(ExchangeError::Lost)?;
        let mut received = BytesMut::with_capacity(4096);
        let answer = loop {
            if let Some(frame) = frame::decode(&mut received, REPLY_LIMIT)? {
                break Answer::read(&frame, &offer)?;
            }
            receive(&mut *stream, &mut received).await?;
        };
        let scripts = plan.scripts(answer);
        let mut exchange = Self {
            stream,
            received,
            scripts: Rc::clone(&scripts),
        };
        let played = exchange.play(&scripts.greeting).await?;
        match played.outcome.verdict {
            Verdict::Continue => Ok(exchange),
            verdict => Err(ExchangeError::Unwilling(verdict)),
        }
    }

    /// What was agreed on, for the report.
    pub fn negotiation(&self) -> String {
        let agreement = &self.scripts.answer.agreement;
        format!(
            "version {}, actions 0x{:x}, protocol 0x{:x}",
            agreement.version, agreement.actions, agreement.protocol
        )
    }

    /// Sends one message and reads its answer, then ends the message as Postfix does.
    ///
    /// # Errors
    /// For what Postfix would log and take its default action for.
    pub async fn message(&mut self) -> Result<Reaction, ExchangeError> {
        let scripts = Rc::clone(&self.scripts);
        let Some(message) = scripts.message() else {
            return Err(ExchangeError::NoAuthor);
        };
        let began = Instant::now();
        let played = self.play(&message.script).await?;
        let answered = Instant::now();
        // ABORT comes once from cleanup and once from smtpd.
        self.send(&[ABORT, ABORT].concat()).await?;
        let stage = match played.parts == message.parts {
            true => "at the end of the message",
            false => "before the end of the message",
        };
        Ok(Reaction {
            began,
            answered,
            end_of_message: answered.saturating_duration_since(played.sent),
            signatures: played
                .outcome
                .edits
                .iter()
                .filter(|edit| signs(edit))
                .count(),
            verdict: format!("{:?} {stage}", played.outcome.verdict),
        })
    }

    /// # Errors
    /// When the milter is gone already.
    pub async fn quit(mut self) -> Result<(), ExchangeError> {
        self.send(QUIT).await
    }

    async fn play(&mut self, script: &Script) -> Result<Played, ExchangeError> {
        let mut dialogue = Dialogue::new(script);
        let mut sent = Instant::now();
        let mut parts = 0;
        loop {
            match dialogue.action() {
                Action::Send(bytes) => {
                    self.send(bytes).await?;
                    sent = Instant::now();
                    parts += 1;
                }
                Action::Receive => match frame::decode(&mut self.received, REPLY_LIMIT)? {
                    Some(frame) => dialogue.receive(&frame)?,
                    None => receive(&mut *self.stream, &mut self.received).await?,
                },
                Action::Done => break,
            }
        }
        match self.received.len() {
            0 => Ok(Played {
                outcome: dialogue.outcome(),
                sent,
                parts,
            }),
            surplus => Err(ExchangeError::Surplus(surplus)),
        }
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), ExchangeError> {
        self.stream
            .write_all(bytes)
            .await
            .map_err(ExchangeError::Lost)
    }
}

struct Played {
    outcome: Outcome,
    /// When the last byte had been sent.
    sent: Instant,
    parts: usize,
}

fn signs(edit: &Edit) -> bool {
    match edit {
        Edit::Insert { name, .. } | Edit::Append { name, .. } => {
            name.eq_ignore_ascii_case(b"DKIM-Signature")
        }
        Edit::Other(_) => false,
    }
}

async fn connect(address: &ListenAddress) -> io::Result<Box<dyn Stream>> {
    Ok(match address {
        ListenAddress::Inet { host, port } => {
            let stream = TcpStream::connect((host.as_str(), *port)).await?;
            // Between two messages of one connection Postfix has been idle long enough
            // for every byte to be acknowledged; a generator has not, and would wait
            // 40 ms for the milter's delayed acknowledgement of ABORT.
            stream.set_nodelay(true)?;
            Box::new(stream)
        }
        ListenAddress::Unix { path } => Box::new(UnixStream::connect(path).await?),
    })
}

async fn receive(stream: &mut dyn Stream, received: &mut BytesMut) -> Result<(), ExchangeError> {
    let count = tokio::time::timeout(TIMEOUT, stream.read_buf(received))
        .await
        .map_err(|_| ExchangeError::Silent)?
        .map_err(ExchangeError::Lost)?;
    match count {
        0 => Err(ExchangeError::Closed),
        _ => Ok(()),
    }
}
