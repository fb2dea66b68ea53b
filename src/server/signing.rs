//! Where signing happens: on the worker that has the message in hand, alone or for
//! several messages at once.
//!
//! Without an accelerator a message is signed at once, where it is. With one, its RSA
//! operations are queued, and the worker turns to whoever else is ready at this
//! moment, but never waits for more to become so. Then the first to come back signs
//! what is queued: one operation by itself, three to eight as one batch.
//! `docs/performance.md` has the figures behind this.

mod pace;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest::Digest;
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;
use tokio::task::yield_now;
use tracing::error;

use self::pace::Pace;
use crate::accelerator::{Accelerator, LANES, Lane, RsaSize, Unavailable};
use crate::config::{Batch, BatchMode};
use crate::dkim::{Operation, SignError, SignJob, Signature, SigningKey};
use crate::telemetry::Batches;

/// Signs messages.
#[derive(Debug, Default)]
pub struct Signing {
    accelerator: Option<Accelerator>,
    /// Set for good when the accelerator made a signature that was wrong.
    distrusted: AtomicBool,
    queues: [Queue; RsaSize::ALL.len()],
}

/// Operations with keys of one size.
#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<VecDeque<Waiting>>,
    pace: Pace,
}

impl Queue {
    fn waiting(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets everybody run who is ready now, until a batch is full or nobody joins.
    async fn gather(&self) {
        let mut before = 0;
        for turn in 0..LANES {
            let waiting = self.waiting().len();
            // The first turn comes back before those have run whom the runtime found
            // ready when it looked at the sockets in between; hence a second.
            if waiting >= LANES || turn >= 2 && waiting <= before {
                break;
            }
            before = waiting;
            yield_now().await;
        }
    }

    /// The operations to do next. Those left have their own waiting for them, perhaps
    /// on idle processors.
    fn take(&self, batches: bool) -> Vec<Waiting> {
        let mut waiting = self.waiting();
        let count = match batches {
            true => self.pace.portion(waiting.len()),
            false => waiting.len().min(1),
        };
        waiting.drain(..count).collect()
    }
}

/// An operation that somebody waits for, and that whoever comes first may do.
struct Waiting {
    key: Arc<SigningKey>,
    hash: Digest,
    answer: oneshot::Sender<OperationResult>,
}

type OperationResult = Result<Vec<u8>, String>;

impl Waiting {
    /// Does this operation by itself.
    fn sign(self) {
        let result = self.key.sign_hash(&self.hash);
        self.answer(result);
    }

    fn lane(&self) -> Option<Lane<'_>> {
        Some(Lane {
            key: self.key.batch_key()?,
            hash: self.hash.as_ref().try_into().ok()?,
        })
    }

    fn answer(self, result: OperationResult) {
        // It fails when the connection has gone, and the result with it.
        let _ = self.answer.send(result);
    }
}

/// An operation of a message under way.
enum Progress {
    Done(OperationResult),
    Queued(RsaSize, oneshot::Receiver<OperationResult>),
}

impl Signing {
    /// Signs in batches.
    pub fn with_accelerator(accelerator: Accelerator) -> Self {
        Self {
            accelerator: Some(accelerator),
            ..Self::default()
        }
    }

    /// Makes the signatures of one message, and counts what it does about batches.
    ///
    /// # Errors
    /// As [`SignJob::run`].
    pub async fn sign(&self, job: SignJob, batches: &Batches) -> Result<Vec<Signature>, SignError> {
        if self.accelerator().is_none() {
            return job.run();
        }
        let prepared = job.prepare()?;
        let mut under_way: Vec<_> = prepared.operations().map(|o| self.begin(&o)).collect();
        for progress in &mut under_way {
            if let Progress::Queued(size, receiver) = progress {
                *progress = Progress::Done(self.settle(*size, receiver, batches).await);
            }
        }
        let results = under_way.into_iter().map(|progress| match progress {
            Progress::Done(result) => result,
            Progress::Queued(..) => Err(LOST.to_owned()),
        });
        prepared.finish(results.collect())
    }

    /// The accelerator, as long as it can be relied on.
    fn accelerator(&self) -> Option<&Accelerator> {
        let distrusted = self.distrusted.load(Ordering::Relaxed);
        self.accelerator.as_ref().filter(|_| !distrusted)
    }

    /// Queues what can be batched, and does the rest.
    fn begin(&self, operation: &Operation<'_>) -> Progress {
        let Some(key) = operation.key.batch_key() else {
            return Progress::Done(operation.key.sign_hash(&operation.hash));
        };
        let (answer, receiver) = oneshot::channel();
        self.queue(key.size()).waiting().push_back(Waiting {
            key: operation.key.clone(),
            hash: operation.hash,
            answer,
        });
        Progress::Queued(key.size(), receiver)
    }

    /// Sees to it that a queued operation gets done, by somebody or here.
    async fn settle(
        &self,
        size: RsaSize,
        receiver: &mut oneshot::Receiver<OperationResult>,
        batches: &Batches,
    ) -> OperationResult {
        let queue = self.queue(size);
        loop {
            queue.gather().await;
            match receiver.try_recv() {
                Ok(result) => return result,
                Err(TryRecvError::Closed) => return Err(LOST.to_owned()),
                Err(TryRecvError::Empty) => {}
            }
            let portion = queue.take(self.accelerator().is_some());
            if portion.is_empty() {
                // Another worker is at it.
                return receiver.await.unwrap_or_else(|_| Err(LOST.to_owned()));
            }
            queue
                .pace
                .measure(portion.len(), || self.sign_portion(size, portion, batches));
            if let Ok(result) = receiver.try_recv() {
                return result;
            }
            // Those who were served send their answers off before others are.
            yield_now().await;
        }
    }

    fn queue(&self, size: RsaSize) -> &Queue {
        let [bits_2048, bits_3072, bits_4096] = &self.queues;
        match size {
            RsaSize::Bits2048 => bits_2048,
            RsaSize::Bits3072 => bits_3072,
            RsaSize::Bits4096 => bits_4096,
        }
    }

    fn sign_portion(&self, size: RsaSize, portion: Vec<Waiting>, batches: &Batches) {
        let lanes: Vec<_> = portion.iter().filter_map(Waiting::lane).collect();
        let accelerator = self.accelerator().filter(|_| portion.len() > 1);
        let Some(accelerator) = accelerator.filter(|_| lanes.len() == portion.len()) else {
            for waiting in portion {
                batches.alone.add_one();
                waiting.sign();
            }
            return;
        };
        let signatures = accelerator.sign(size, &lanes);
        batches.made.add_one();
        for (waiting, signature) in portion.into_iter().zip(signatures) {
            match signature {
                Some(signature) => {
                    batches.batched.add_one();
                    waiting.answer(Ok(signature));
                }
                None => {
                    batches.wrong.add_one();
                    self.distrust(&waiting.key);
                    waiting.sign();
                }
            }
        }
    }

    /// A wrong signature is a fault of the processor or the library, and may give a key
    /// away if it leaves; no other such batch is made.
    fn distrust(&self, key: &SigningKey) {
        self.distrusted.store(true, Ordering::Relaxed);
        error!(
            fingerprint = key.public_key().fingerprint(),
            "a signature of a batch was wrong and is made again alone; batched RSA is off until \
             the next start; suspect the processor, or the crypto_mb library"
        );
    }
}

/// Reached only when the one who was signing for others has panicked.
const LOST: &str = "the result got lost";

/// Why RSA signatures are not made in batches.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoBatches {
    #[error("signing.batch is \"off\"")]
    Off,
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Opens the library that the config asks for.
///
/// # Errors
/// Why there are no batches. Everything is signed without them just as well.
pub fn accelerator(batch: &Batch) -> Result<Accelerator, NoBatches> {
    match batch.mode {
        BatchMode::Off => Err(NoBatches::Off),
        BatchMode::Auto => Ok(Accelerator::open(batch.library.as_deref())?),
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
