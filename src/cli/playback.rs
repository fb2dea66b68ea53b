//! Plays one message to a milter exactly as Postfix does, and tells what came back.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use bytes::{BufMut, BytesMut};

use crate::config::ListenAddress;
use crate::milter::frame::{self, Frame, FrameError};
use crate::milter::mta::{
    ABORT, Action, Answer, AnswerError, Client, Dialogue, DialogueError, Envelope, Message, Offer,
    Outcome, QUIT, Script, UnknownEdit,
};

/// As long as Postfix waits for a command's reply (milter_command_timeout).
const TIMEOUT: Duration = Duration::from_secs(30);

/// The milter's end: a socket, or the conversation itself.
pub trait Milter {
    fn send(&mut self, bytes: &[u8]) -> Result<(), PlayError>;
    fn receive(&mut self) -> Result<Frame, PlayError>;
}

/// Why a message could not be played to its end.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    #[error("cannot connect to the milter at {address}")]
    Connect { address: String, source: io::Error },
    #[error("lost the milter")]
    Lost(#[source] io::Error),
    #[error("the milter closed the connection while it owed a reply")]
    Closed,
    #[error("the milter gave no reply within {} seconds", TIMEOUT.as_secs())]
    Silent,
    #[error("what answers there is no milter")]
    Frame(#[from] FrameError),
    #[error("the negotiation failed")]
    Answer(#[from] AnswerError),
    #[error("the milter broke the protocol")]
    Dialogue(#[from] DialogueError),
    #[error("the milter edits what it should not")]
    Edit(#[from] UnknownEdit),
    #[error(transparent)]
    InProcess(#[from] crate::milter::SessionError),
}

/// A message as it left the milter.
#[derive(Debug)]
pub struct Played {
    pub outcome: Outcome,
    /// The message with the milter's edits.
    pub message: Message,
}

/// Plays a message that a program on this machine sends.
///
/// # Errors
/// When the milter does not do its part.
pub fn play(
    milter: &mut impl Milter,
    envelope: &Envelope,
    message: &Message,
) -> Result<Played, PlayError> {
    let client = Client::new("localhost", SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000)));
    let offer = Offer::postfix(6);
    let mut bytes = BytesMut::new();
    offer.encode(&mut bytes);
    milter.send(&bytes)?;
    let answer = Answer::read(&milter.receive()?, &offer)?;
    run(milter, &Script::client(&answer, &client))?;
    let outcome = run(
        milter,
        &Script::message(&answer, &client, envelope, message),
    )?;
    milter.send(ABORT)?;
    milter.send(QUIT)?;
    let message = message.edited(&outcome.edits, answer.agreement.leading_space())?;
    Ok(Played { outcome, message })
}

fn run(milter: &mut impl Milter, script: &Script) -> Result<Outcome, PlayError> {
    let mut dialogue = Dialogue::new(script);
    loop {
        match dialogue.action() {
            Action::Send(bytes) => milter.send(bytes)?,
            Action::Receive => dialogue.receive(&milter.receive()?)?,
            Action::Done => return Ok(dialogue.outcome()),
        }
    }
}

trait Stream: Read + Write {}
impl<S: Read + Write> Stream for S {}

/// A milter behind a socket.
pub struct Socket {
    stream: Box<dyn Stream>,
    received: BytesMut,
}

impl Socket {
    /// # Errors
    /// When nobody listens there.
    pub fn connect(address: &ListenAddress) -> Result<Self, PlayError> {
        let failed = |source| PlayError::Connect {
            address: address.to_string(),
            source,
        };
        let stream: Box<dyn Stream> = match address {
            ListenAddress::Inet { host, port } => {
                let stream = TcpStream::connect((host.as_str(), *port)).map_err(failed)?;
                stream.set_nodelay(true).map_err(failed)?;
                stream.set_read_timeout(Some(TIMEOUT)).map_err(failed)?;
                Box::new(stream)
            }
            ListenAddress::Unix { path } => {
                let stream = UnixStream::connect(path).map_err(failed)?;
                stream.set_read_timeout(Some(TIMEOUT)).map_err(failed)?;
                Box::new(stream)
            }
        };
        Ok(Self {
            stream,
            received: BytesMut::new(),
        })
    }
}

impl Milter for Socket {
    fn send(&mut self, bytes: &[u8]) -> Result<(), PlayError> {
        self.stream.write_all(bytes).map_err(PlayError::Lost)
    }

    fn receive(&mut self) -> Result<Frame, PlayError> {
        let mut chunk = [0; 4096];
        loop {
            if let Some(frame) = frame::decode(&mut self.received, frame::DEFAULT_LIMIT)? {
                return Ok(frame);
            }
            match self.stream.read(&mut chunk) {
                Ok(0) => return Err(PlayError::Closed),
                Ok(count) => self
                    .received
                    .put_slice(chunk.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Err(PlayError::Silent);
                }
                Err(error) => return Err(PlayError::Lost(error)),
            }
        }
    }
}
