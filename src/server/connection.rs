//! One milter connection: read, decode, hand on, write.
//!
//! What a peer may cost is bounded here: the size of a packet before it is read,
//! and the time in which nothing comes. A breach closes this connection with one
//! warning and nothing else.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Poll, ready};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tracing::warn;

use super::Shared;
use super::listener::Stream;
use crate::filter::{Conversation, Turn};
use crate::milter::SessionError;
use crate::milter::frame::{self, FrameError};
use crate::telemetry::Outcome;

/// Most of the flights of packets between two replies fit into one read of this size.
const READ: usize = 16 * 1024;
/// Where one did not, more is to come: room for the largest packet of a body.
const BULK: usize = 64 * 1024 + 8;

thread_local! {
    /// Where the connections of a thread read into, one at a time, so that one that
    /// waits keeps no buffer of its own.
    static ROOM: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ].into());
}

/// Why a connection was closed before its peer said so.
#[derive(Debug, thiserror::Error)]
enum ConnectionError {
    #[error("the peer sent what is not a milter packet")]
    Frame(#[from] FrameError),
    #[error("the peer broke the milter protocol")]
    Session(#[from] SessionError),
    #[error("nothing came for {0} seconds (limits.idle)")]
    Idle(u64),
    #[error("the connection failed")]
    Io(#[from] io::Error),
}

/// Serves one connection to its end.
pub(super) async fn serve(stream: Stream, shared: &Shared) {
    let result = match stream {
        Stream::Tcp(stream) => converse(stream, shared).await,
        Stream::Unix(stream) => converse(stream, shared).await,
    };
    if let Err(error) = result {
        shared.metrics().connections.broken.add_one();
        let cause = std::error::Error::source(&error)
            .map(ToString::to_string)
            .unwrap_or_default();
        warn!(%error, cause, "milter connection closed");
    }
}

async fn converse(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    shared: &Shared,
) -> Result<(), ConnectionError> {
    let snapshot = shared.snapshot();
    let limits = snapshot.config().limits.clone();
    let mut conversation = Conversation::new(snapshot);
    let mut input = BytesMut::new();
    let mut output = BytesMut::new();
    let mut bulk = false;
    // Moved only when it goes off: to set it anew for every read costs as much as the
    // read.
    let mut heard = tokio::time::Instant::now();
    let mut alarm = pin!(tokio::time::sleep(limits.idle));
    loop {
        while let Some(frame) = frame::decode(&mut input, limits.packet_bytes)? {
            match conversation.receive(&frame, shared, &mut output)? {
                Turn::Continue(None) => {}
                Turn::Continue(Some(outcome)) => shared.record(&outcome, Duration::ZERO),
                Turn::Sign(job) => {
                    let begun = Instant::now();
                    let result = shared.sign(*job).await;
                    let outcome = conversation.signed(result, &mut output);
                    shared.record(&outcome, begun.elapsed());
                }
                Turn::Close(outcome) => {
                    record(shared, outcome);
                    return Ok(());
                }
            }
        }
        if !output.is_empty() {
            stream.write_all(&output).await?;
            output.clear();
        }
        let read = loop {
            tokio::select! {
                biased;
                read = receive(&mut stream, &mut input, bulk) => break read,
                () = &mut alarm => {
                    let due = heard + limits.idle;
                    if tokio::time::Instant::now() >= due {
                        record(shared, conversation.hang_up());
                        return Err(ConnectionError::Idle(limits.idle.as_secs()));
                    }
                    alarm.as_mut().reset(due);
                }
            }
        };
        heard = tokio::time::Instant::now();
        match read {
            Ok(0) => {
                record(shared, conversation.hang_up());
                return Ok(());
            }
            Ok(length) => bulk = length >= READ,
            Err(error) => {
                record(shared, conversation.hang_up());
                return Err(error.into());
            }
        }
    }
}

/// Appends what has come to `input`, which keeps no memory while nothing comes and
/// nothing is in it. Loses nothing when it is dropped before it ends.
async fn receive(
    stream: &mut (impl AsyncRead + Unpin),
    input: &mut BytesMut,
    bulk: bool,
) -> io::Result<usize> {
    poll_fn(|context| {
        // A large packet is read to where it stays.
        let read = if bulk || input.capacity() - input.len() >= READ {
            input.reserve(BULK.saturating_sub(input.len()));
            pin!(stream.read_buf(input)).poll(context)
        } else {
            ROOM.with_borrow_mut(|room| {
                let mut read = ReadBuf::new(room);
                ready!(Pin::new(&mut *stream).poll_read(context, &mut read))?;
                input.extend_from_slice(read.filled());
                Poll::Ready(Ok(read.filled().len()))
            })
        };
        if read.is_pending() && input.is_empty() {
            *input = BytesMut::new();
        }
        read
    })
    .await
}

fn record(shared: &Shared, outcome: Option<Box<Outcome>>) {
    if let Some(outcome) = outcome {
        shared.record(&outcome, Duration::ZERO);
    }
}
