//! One milter connection: read, decode, hand on, write.
//!
//! What a peer may cost is bounded here: the size of a packet before it is read, the
//! time in which no packet comes, that of a message, and that of an answer which is
//! not read. A breach closes this connection with one warning and nothing else.

mod arrivals;
mod exchange;

use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::Instant;
use tracing::warn;

use self::arrivals::Arrivals;
use self::exchange::{Exchange, Next};
use super::Shared;
use super::listener::Stream;
use crate::config::Limits;
use crate::filter::Conversation;
use crate::milter::SessionError;
use crate::milter::frame::FrameError;
use crate::telemetry::{Breach, Limit};

/// Why a connection was closed before its peer said so.
#[derive(Debug, thiserror::Error)]
enum ConnectionError {
    #[error("the peer sent what is not a milter packet{}", too_long(.0))]
    Frame(#[from] FrameError),
    #[error("the peer broke the milter protocol")]
    Session(#[from] SessionError),
    #[error("nothing came for {0} seconds (limits.idle)")]
    Idle(u64),
    #[error("a message did not end within {0} seconds (limits.message)")]
    Message(u64),
    #[error("an answer was not read for {0} seconds (limits.write)")]
    Write(u64),
    #[error("the connection failed")]
    Io(#[from] io::Error),
}

/// What comes behind the error's words when the packet was too long.
fn too_long(error: &FrameError) -> &'static str {
    match error {
        FrameError::TooLong { .. } => ", or one larger than limits.packet_bytes allows",
        FrameError::Empty => "",
    }
}

impl ConnectionError {
    fn breach(&self) -> Breach {
        match self {
            Self::Frame(_) => Breach::Packet,
            Self::Session(_) => Breach::Protocol,
            Self::Idle(_) => Breach::Idle,
            Self::Message(_) => Breach::Message,
            Self::Write(_) => Breach::Write,
            Self::Io(_) => Breach::Io,
        }
    }

    /// The limit that the peer reached, if it was one.
    fn limit(&self) -> Option<Limit> {
        match self {
            Self::Frame(FrameError::TooLong { .. }) => Some(Limit::PacketBytes),
            Self::Idle(_) => Some(Limit::Idle),
            Self::Message(_) => Some(Limit::Message),
            Self::Write(_) => Some(Limit::Write),
            Self::Frame(FrameError::Empty) | Self::Session(_) | Self::Io(_) => None,
        }
    }
}

/// Serves one connection to its end. `peer` is its address, where it has one.
pub(super) async fn serve(stream: Stream, peer: Option<IpAddr>, shared: &Shared) {
    match stream {
        Stream::Tcp(stream) => attend(stream, peer, shared).await,
        Stream::Unix(stream) => attend(stream, peer, shared).await,
    }
}

/// What a connection is made of.
trait Wire: AsyncRead + AsyncWrite + Unpin {
    /// Has the peer know at once that what it sent has come, where it may be holding
    /// back more until then: the kernel takes up to 40 ms, and Postfix and Sendmail
    /// leave Nagle's algorithm on.
    fn acknowledge(&self) {}
}

impl Wire for TcpStream {
    fn acknowledge(&self) {
        // Where it cannot be done, the peer waits those 40 ms.
        let _ = SockRef::from(self).set_tcp_quickack(true);
    }
}

impl Wire for UnixStream {}

async fn attend(stream: impl Wire, peer: Option<IpAddr>, shared: &Shared) {
    let snapshot = shared.snapshot();
    let limits = snapshot.config().limits.clone();
    let mut conversation = Conversation::new(snapshot, shared.strangers_come());
    let result = converse(stream, &limits, &mut conversation, shared).await;
    // However it ended, a message cut short has its line.
    if let Some(outcome) = conversation.hang_up() {
        shared.record(&outcome, Duration::ZERO);
    }
    if let Err(error) = result {
        shared.metrics().connections.count_breach(error.breach());
        if let Some(limit) = error.limit() {
            shared.metrics().limits.count(limit);
        }
        let cause = std::error::Error::source(&error)
            .map(ToString::to_string)
            .unwrap_or_default();
        let peer = peer.map_or("unix".to_owned(), |peer| peer.to_string());
        warn!(%error, cause, peer, "milter connection closed");
    }
}

/// What a peer takes its time for.
struct Patience<'l> {
    limits: &'l Limits,
    /// When the last whole packet came.
    heard: Instant,
    /// When the message under way began.
    begun: Option<Instant>,
}

impl Patience<'_> {
    /// When to look again; whatever the peer does until then is in time.
    fn next(&self, now: Instant) -> Result<Instant, ConnectionError> {
        let idle = self.heard + self.limits.idle;
        let message = self.begun.unwrap_or(now) + self.limits.message;
        if now >= idle {
            return Err(ConnectionError::Idle(self.limits.idle.as_secs()));
        }
        if now >= message {
            return Err(ConnectionError::Message(self.limits.message.as_secs()));
        }
        Ok(idle.min(message))
    }
}

async fn converse(
    mut stream: impl Wire,
    limits: &Limits,
    conversation: &mut Conversation,
    shared: &Shared,
) -> Result<(), ConnectionError> {
    let mut arrivals = Arrivals::default();
    let mut exchange = Exchange::new(conversation, shared, limits);
    let mut patience = Patience {
        limits,
        heard: Instant::now(),
        begun: None,
    };
    // Moved only when it goes off: to set it anew for every read costs as much as the
    // read.
    let mut alarm = pin!(tokio::time::sleep_until(patience.next(patience.heard)?));
    loop {
        let arrived = loop {
            tokio::select! {
                biased;
                arrived = arrivals.next(&mut stream, &mut exchange) => break arrived?,
                () = &mut alarm => {
                    let again = patience.next(Instant::now())?;
                    alarm.as_mut().reset(again);
                }
            }
        };
        let Some(mut taken) = arrived else {
            return Ok(());
        };
        let heard = taken.bytes > 0;
        let mut ended = taken.ended;
        let close = loop {
            match taken.next {
                Next::More { .. } => break false,
                Next::Close => break true,
                Next::Sign(job) => {
                    exchange.sign(*job).await;
                    if !arrivals.is_empty() {
                        // One who sends message upon message leaves room for others.
                        tokio::task::yield_now().await;
                    }
                    taken = arrivals.again(&mut exchange)?;
                    ended = true;
                }
            }
        };
        if exchange.output.is_empty() {
            stream.acknowledge();
        } else {
            // A reply acknowledges as well.
            send(&mut stream, &mut exchange.output, limits.write).await?;
        }
        if close {
            return Ok(());
        }
        if ended {
            patience.begun = None;
        }
        if heard {
            patience.heard = Instant::now();
            if exchange.has_message() {
                patience.begun.get_or_insert(patience.heard);
            }
        }
    }
}

/// Sends `output`, and empties it.
async fn send(
    stream: &mut (impl AsyncWrite + Unpin),
    output: &mut BytesMut,
    patience: Duration,
) -> Result<(), ConnectionError> {
    let at_once = poll_fn(
        |context| match Pin::new(&mut *stream).poll_write(context, output) {
            Poll::Ready(written) => Poll::Ready(written),
            Poll::Pending => Poll::Ready(Ok(0)),
        },
    );
    // Nearly always that was all, and nobody needs to look at the clock.
    output.advance(at_once.await?);
    if !output.is_empty() {
        match tokio::time::timeout(patience, stream.write_all(output)).await {
            Ok(written) => written?,
            Err(_) => return Err(ConnectionError::Write(patience.as_secs())),
        }
    }
    output.clear();
    Ok(())
}

#[cfg(test)]
mod tests;
