//! One milter connection: read, decode, hand on, write.
//!
//! What a peer may cost is bounded here: the size of a packet before it is read,
//! and the time in which nothing comes. A breach closes this connection with one
//! warning and nothing else.

use std::io;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tracing::warn;

use super::Shared;
use super::listener::Stream;
use crate::filter::{Conversation, Turn};
use crate::milter::SessionError;
use crate::milter::frame::{self, FrameError};
use crate::telemetry::{self, Outcome};

/// What an idle connection keeps of its read buffer.
const IDLE_BUFFER: usize = 4096;

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
    loop {
        while let Some(frame) = frame::decode(&mut input, limits.packet_bytes)? {
            match conversation.receive(&frame, shared, &mut output)? {
                Turn::Continue(None) => {}
                Turn::Continue(Some(outcome)) => telemetry::record(&outcome, Duration::ZERO),
                Turn::Sign(job) => {
                    let begun = Instant::now();
                    let outcome = conversation.signed(job.run(), &mut output);
                    telemetry::record(&outcome, begun.elapsed());
                }
                Turn::Close(outcome) => {
                    record(outcome);
                    return Ok(());
                }
            }
        }
        if !output.is_empty() {
            stream.write_all(&output).await?;
            output.clear();
        }
        // An idle connection keeps little; a frame that is partly here has its room.
        if input.is_empty() && input.capacity() > IDLE_BUFFER {
            input = BytesMut::new();
        }
        if input.capacity() == input.len() {
            input.reserve(IDLE_BUFFER);
        }
        match tokio::time::timeout(limits.idle, stream.read_buf(&mut input)).await {
            Ok(Ok(0)) => {
                record(conversation.hang_up());
                return Ok(());
            }
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                record(conversation.hang_up());
                return Err(error.into());
            }
            Err(_) => {
                record(conversation.hang_up());
                return Err(ConnectionError::Idle(limits.idle.as_secs()));
            }
        }
    }
}

fn record(outcome: Option<Box<Outcome>>) {
    if let Some(outcome) = outcome {
        telemetry::record(&outcome, Duration::ZERO);
    }
}
