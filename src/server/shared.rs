//! What all connections share: the snapshot in force, what signs, and what is counted.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use tokio::task::yield_now;

use super::Signing;
use super::backlog::Backlog;
use super::strangers::Strangers;
use crate::dkim::{SignError, SignJob, Signature};
use crate::filter::World;
use crate::snapshot::Snapshot;
use crate::telemetry::{self, Counter, KeyUses, Metrics, Outcome};

/// The snapshot in force, replaced whole on reload, and the daemon's records.
#[derive(Debug)]
pub struct Shared {
    snapshot: ArcSwap<Snapshot>,
    signing: Signing,
    backlog: Backlog,
    strangers: Strangers,
    metrics: Metrics,
    reloads: Reloads,
    /// Seconds since 1970.
    started: u64,
    stopping: AtomicBool,
}

#[derive(Debug, Default)]
struct Reloads {
    /// When the snapshot in force was loaded, in seconds since 1970.
    succeeded: AtomicU64,
    failures: Counter,
    /// The last reload, if it failed.
    last_failure: Mutex<Option<ReloadFailure>>,
}

/// A reload that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReloadFailure {
    /// Seconds since 1970.
    pub at: u64,
    /// One line a mistake.
    pub why: String,
}

impl Shared {
    pub fn new(snapshot: Snapshot) -> Self {
        Self::with_signing(snapshot, Signing::default())
    }

    /// As [`Shared::new`], with signing of the caller's choice.
    pub fn with_signing(snapshot: Snapshot, signing: Signing) -> Self {
        let now = seconds();
        let metrics = Metrics::default();
        metrics.keys.expect(snapshot.key_names(KeyUses::MOST));
        Self {
            snapshot: ArcSwap::from_pointee(snapshot),
            signing,
            backlog: Backlog::default(),
            strangers: Strangers::default(),
            metrics,
            reloads: Reloads {
                succeeded: now.into(),
                ..Reloads::default()
            },
            started: now,
            stopping: AtomicBool::new(false),
        }
    }

    /// Makes the signatures of one message. None, at once, when `limit` messages wait
    /// for theirs already.
    pub(super) async fn sign(
        &self,
        job: SignJob,
        limit: usize,
    ) -> Option<Result<Vec<Signature>, SignError>> {
        let _waiting = self.backlog.join(limit)?;
        if self.metrics.connections.open() > limit as u64 {
            // Only so are those counted too that are at their end and not yet looked at.
            // With fewer connections the limit cannot be reached.
            yield_now().await;
        }
        Some(self.signing.sign(job, &self.metrics.batches).await)
    }

    /// The snapshot in force now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Puts a new snapshot in force. Messages under way keep the one they began
    /// with.
    pub fn replace(&self, snapshot: Snapshot) {
        self.metrics.keys.expect(snapshot.key_names(KeyUses::MOST));
        self.snapshot.store(Arc::new(snapshot));
        self.reloads.succeeded.store(seconds(), Ordering::Relaxed);
        *self.last_failure() = None;
    }

    /// Notes that a new configuration was refused, and why.
    pub fn reload_failed(&self, why: String) {
        self.reloads.failures.add_one();
        *self.last_failure() = Some(ReloadFailure { at: seconds(), why });
    }

    pub(super) fn last_failure(&self) -> std::sync::MutexGuard<'_, Option<ReloadFailure>> {
        let failure = self.reloads.last_failure.lock();
        failure.unwrap_or_else(PoisonError::into_inner)
    }

    /// Logs and counts what became of one message. `elapsed` is the time from the end
    /// of the message to its answer.
    pub(super) fn record(&self, outcome: &Outcome, elapsed: Duration) {
        self.strangers.note(outcome);
        telemetry::record(outcome, elapsed);
        self.metrics.record(outcome, elapsed, seconds());
    }

    /// Whether mail of strangers is to be expected, which need not be sent here whole.
    pub(super) fn strangers_come(&self) -> bool {
        self.strangers.come()
    }

    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// When the daemon began, in seconds since 1970.
    pub fn started(&self) -> u64 {
        self.started
    }

    /// When the snapshot in force was loaded, in seconds since 1970.
    pub fn loaded(&self) -> u64 {
        self.reloads.succeeded.load(Ordering::Relaxed)
    }

    pub fn reload_failures(&self) -> u64 {
        self.reloads.failures.get()
    }

    /// The last reload, if it failed.
    pub fn reload_failure(&self) -> Option<ReloadFailure> {
        self.last_failure().clone()
    }

    #[cfg(test)]
    pub(super) fn backlog(&self) -> &Backlog {
        &self.backlog
    }

    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether no more connections are accepted.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}

/// The clock, in seconds since 1970.
pub(super) fn seconds() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

impl World for Shared {
    fn snapshot(&self) -> Arc<Snapshot> {
        Shared::snapshot(self)
    }

    fn now(&self) -> u64 {
        seconds()
    }
}
