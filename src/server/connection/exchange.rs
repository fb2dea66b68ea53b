//! What a peer has sent, taken packet by packet from where it lies, and the replies to
//! it. Reads and writes nothing: bytes come from `arrivals`, and what is to be sent
//! lies in `output`.

use std::time::Duration;

use bytes::BytesMut;
use tokio::time::Instant;

use super::{ConnectionError, Shared};
use crate::config::Limits;
use crate::dkim::SignJob;
use crate::filter::{Conversation, Turn};
use crate::milter::frame::First;
use crate::telemetry::Limit;

/// Both sides of one connection.
pub(super) struct Exchange<'c> {
    conversation: &'c mut Conversation,
    shared: &'c Shared,
    limits: &'c Limits,
    /// Replies that are not sent yet.
    pub output: BytesMut,
}

/// What was done with bytes that came.
pub(super) struct Taken {
    /// So many were taken, of whole packets.
    pub bytes: usize,
    /// Whether there was no message under way at some time.
    pub ended: bool,
    pub next: Next,
}

/// What the bytes that were not taken wait for.
pub(super) enum Next {
    /// For the rest of their packet: so many bytes at least.
    More { missing: usize },
    /// For this job, to be run by [`Exchange::sign`].
    Sign(Box<SignJob>),
    /// For nothing: the peer ends the connection.
    Close,
}

impl Taken {
    /// Of a packet that has `missing` bytes more.
    pub fn nothing(missing: usize) -> Self {
        Self {
            bytes: 0,
            ended: false,
            next: Next::More { missing },
        }
    }
}

impl<'c> Exchange<'c> {
    pub fn new(conversation: &'c mut Conversation, shared: &'c Shared, limits: &'c Limits) -> Self {
        Self {
            conversation,
            shared,
            limits,
            output: BytesMut::new(),
        }
    }

    /// Takes the packets that `bytes` begins with, as far as they are whole.
    pub fn take(&mut self, bytes: &[u8]) -> Result<Taken, ConnectionError> {
        let mut taken = 0;
        let mut ended = false;
        let mut joined = Vec::new();
        let next = loop {
            let rest = bytes.get(taken..).unwrap_or_default();
            let limit = self.limits.packet_bytes;
            let frame = match self.conversation.first_frame(rest, limit, &mut joined)? {
                First::Whole { frame, length } => {
                    taken += length;
                    frame
                }
                First::Part { room } => {
                    let missing = room.max(1);
                    break Next::More { missing };
                }
            };
            let turn = self
                .conversation
                .receive(&frame, self.shared, &mut self.output)?;
            match turn {
                Turn::Continue(None) => {}
                Turn::Continue(Some(outcome)) => self.shared.record(&outcome, Duration::ZERO),
                Turn::Sign(job) => break Next::Sign(job),
                Turn::Close(outcome) => {
                    if let Some(outcome) = outcome {
                        self.shared.record(&outcome, Duration::ZERO);
                    }
                    break Next::Close;
                }
            }
            ended |= !self.conversation.has_message();
        };
        Ok(Taken {
            bytes: taken,
            ended,
            next,
        })
    }

    /// Runs the job, unless too many wait already; the message has then had its fate.
    pub async fn sign(&mut self, job: SignJob) {
        let begun = Instant::now();
        let outcome = match self.shared.sign(job, self.limits.signing_queue).await {
            Some(result) => self.conversation.signed(result, &mut self.output),
            None => self
                .conversation
                .not_run(Limit::SigningQueue, &mut self.output),
        };
        self.shared.record(&outcome, begun.elapsed());
    }

    /// Whether a message is under way that is not decided yet.
    pub fn has_message(&self) -> bool {
        self.conversation.has_message()
    }

    /// Keeps no memory for replies, until there are some.
    pub fn rest(&mut self) {
        if self.output.is_empty() {
            self.output = BytesMut::new();
        }
    }
}
