//! What the daemon counts. A message costs a few relaxed additions and no lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::histogram::Histogram;
use super::{Action, KeyUses, LimitCounts, Outcome, Verdict};
use crate::policy::Reason;

/// Upper bounds of the time from the end of a message to its answer, in
/// microseconds: 50 µs to 50 ms.
pub const SIGN_MICROS: [u64; 13] = [
    50, 100, 200, 300, 500, 700, 1_000, 2_000, 3_000, 5_000, 10_000, 20_000, 50_000,
];

/// Upper bounds of the size of a message: 1 KiB to 64 MiB.
pub const MESSAGE_BYTES: [u64; 9] = [
    1 << 10,
    1 << 12,
    1 << 14,
    1 << 16,
    1 << 18,
    1 << 20,
    1 << 22,
    1 << 24,
    1 << 26,
];

/// What became of a message, as the label of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Signed,
    /// It was not ours to sign, and went its way.
    Skipped,
    /// It should have been signed, and waits at the sender.
    Tempfail,
    /// It should have been signed, and was refused.
    Rejected,
    /// It should have been signed, and went unsigned because the config says so.
    Failed,
    /// It was given up before its end.
    Aborted,
}

impl Fate {
    pub const ALL: [Self; 6] = [
        Self::Signed,
        Self::Skipped,
        Self::Tempfail,
        Self::Rejected,
        Self::Failed,
        Self::Aborted,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::Skipped => "skipped",
            Self::Tempfail => "tempfail",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Aborted => "aborted",
        }
    }

    fn of(verdict: &Verdict) -> Self {
        let (reason, action) = match verdict {
            Verdict::Signed(_) => return Self::Signed,
            Verdict::NotSigned { reason, action, .. } => (reason, action),
        };
        match (action, reason) {
            (Action::Tempfailed, _) => Self::Tempfail,
            (Action::Rejected, _) => Self::Rejected,
            (Action::Passed, Reason::Aborted) => Self::Aborted,
            (Action::Passed, Reason::KeyUnusable | Reason::LimitExceeded | Reason::SignFailed) => {
                Self::Failed
            }
            (Action::Passed, _) => Self::Skipped,
        }
    }
}

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Everything that the daemon counts, from its start.
#[derive(Debug)]
pub struct Metrics {
    fates: [Counter; Fate::ALL.len()],
    reasons: [Counter; Reason::ALL.len()],
    rsa: Counter,
    ed25519: Counter,
    pub sign_micros: Histogram<{ SIGN_MICROS.len() }>,
    pub message_bytes: Histogram<{ MESSAGE_BYTES.len() }>,
    /// Seconds since 1970; 0 before the first.
    last_message: AtomicU64,
    pub keys: KeyUses,
    pub connections: Connections,
    pub batches: Batches,
    pub limits: LimitCounts,
}

/// How the signatures of keys that can be batched were made, while batches were on.
#[derive(Debug, Default)]
pub struct Batches {
    pub made: Counter,
    /// Signatures that were made in batches and passed their check.
    pub batched: Counter,
    /// Signatures made alone, because there were too few for a batch.
    pub alone: Counter,
    /// Signatures that did not pass their check and were made again.
    pub wrong: Counter,
}

/// Milter connections.
#[derive(Debug, Default)]
pub struct Connections {
    pub accepted: Counter,
    pub ended: Counter,
    pub accept_errors: Counter,
    broken: [Counter; Breach::ALL.len()],
}

/// Why a connection was closed before its peer was done, as the label of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breach {
    /// What came is no packet, or a larger one than may be.
    Packet,
    Protocol,
    Idle,
    Message,
    Write,
    PerPeer,
    Io,
    /// A fault of our own.
    Panic,
}

impl Breach {
    pub const ALL: [Self; 8] = [
        Self::Packet,
        Self::Protocol,
        Self::Idle,
        Self::Message,
        Self::Write,
        Self::PerPeer,
        Self::Io,
        Self::Panic,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Packet => "packet",
            Self::Protocol => "protocol",
            Self::Idle => "idle",
            Self::Message => "message",
            Self::Write => "write",
            Self::PerPeer => "per-peer",
            Self::Io => "io",
            Self::Panic => "panic",
        }
    }
}

impl Connections {
    /// How many are open.
    pub fn open(&self) -> u64 {
        // An end is read before its beginning, so the difference is never below 0.
        let ended = self.ended.get();
        self.accepted.get().saturating_sub(ended)
    }

    /// Counts one that was closed before its peer was done.
    pub fn count_breach(&self, breach: Breach) {
        if let Some(counter) = self.broken.get(breach as usize) {
            counter.add_one();
        }
    }

    pub fn broken_by(&self, breach: Breach) -> u64 {
        self.broken.get(breach as usize).map_or(0, Counter::get)
    }

    /// How many were closed before their peer was done.
    pub fn broken(&self) -> u64 {
        self.broken.iter().map(Counter::get).sum()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            fates: Default::default(),
            reasons: [const { Counter(AtomicU64::new(0)) }; Reason::ALL.len()],
            rsa: Counter::default(),
            ed25519: Counter::default(),
            sign_micros: Histogram::new(SIGN_MICROS),
            message_bytes: Histogram::new(MESSAGE_BYTES),
            last_message: AtomicU64::default(),
            keys: KeyUses::default(),
            connections: Connections::default(),
            batches: Batches::default(),
            limits: LimitCounts::default(),
        }
    }
}

impl Metrics {
    /// Counts what became of one message. `elapsed` is the time from its end to the
    /// answer, `now` seconds since 1970.
    pub fn record(&self, outcome: &Outcome, elapsed: Duration, now: u64) {
        let fate = Fate::of(&outcome.verdict);
        if let Some(counter) = self.fates.get(fate as usize) {
            counter.add_one();
        }
        self.last_message.store(now, Ordering::Relaxed);
        if let Some(limit) = outcome.limit {
            self.limits.count(limit);
        }
        match &outcome.verdict {
            Verdict::Signed(by) => {
                let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
                self.sign_micros.observe(micros);
                self.message_bytes.observe(outcome.bytes);
                for by in by {
                    match by.algorithm {
                        "ed25519-sha256" => self.ed25519.add_one(),
                        _ => self.rsa.add_one(),
                    }
                    self.keys.count(by, now);
                }
            }
            Verdict::NotSigned { reason, .. } => {
                if let Some(counter) = self.reasons.get(*reason as usize) {
                    counter.add_one();
                }
            }
        }
    }

    pub fn messages(&self, fate: Fate) -> u64 {
        self.fates.get(fate as usize).map_or(0, Counter::get)
    }

    pub fn not_signed(&self, reason: Reason) -> u64 {
        self.reasons.get(reason as usize).map_or(0, Counter::get)
    }

    /// Signatures by the value of their `a=` tag; a message may carry several.
    pub fn signatures(&self) -> [(&'static str, u64); 2] {
        [
            ("rsa-sha256", self.rsa.get()),
            ("ed25519-sha256", self.ed25519.get()),
        ]
    }

    /// When the last message was decided, in seconds since 1970.
    pub fn last_message(&self) -> Option<u64> {
        let last = self.last_message.load(Ordering::Relaxed);
        (last > 0).then_some(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(verdict: Verdict) -> Outcome {
        Outcome {
            queue_id: None,
            client: None,
            login: None,
            author_domain: None,
            rule: None,
            bytes: 2000,
            limit: None,
            verdict,
        }
    }

    fn not_signed(reason: Reason, action: Action) -> Outcome {
        outcome(Verdict::NotSigned {
            reason,
            detail: String::new(),
            action,
        })
    }

    #[test]
    fn each_message_is_counted_once_by_fate_and_once_by_reason() {
        let metrics = Metrics::default();
        let zero = Duration::ZERO;
        for (reason, action) in [
            (Reason::NoRule, Action::Passed),
            (Reason::KeyUnusable, Action::Tempfailed),
            (Reason::KeyUnusable, Action::Passed),
            (Reason::SignFailed, Action::Rejected),
            (Reason::Aborted, Action::Passed),
        ] {
            metrics.record(&not_signed(reason, action), zero, 5);
        }
        metrics.record(&outcome(Verdict::Signed(Vec::new())), zero, 6);
        assert_eq!(Fate::ALL.map(|fate| metrics.messages(fate)), [1; 6]);
        assert_eq!(metrics.not_signed(Reason::KeyUnusable), 2);
        assert_eq!(metrics.not_signed(Reason::NoRule), 1);
        let reasons: u64 = Reason::ALL.iter().map(|r| metrics.not_signed(*r)).sum();
        assert_eq!(reasons, 5);
        assert_eq!(metrics.last_message(), Some(6));
        assert_eq!(metrics.message_bytes.read().count, 1);
    }

    #[test]
    fn every_reason_fate_and_breach_has_its_own_counter() {
        for (at, reason) in Reason::ALL.iter().enumerate() {
            assert_eq!(at, *reason as usize);
        }
        for (at, fate) in Fate::ALL.iter().enumerate() {
            assert_eq!(at, *fate as usize);
        }
        for (at, breach) in Breach::ALL.iter().enumerate() {
            assert_eq!(at, *breach as usize);
        }
    }
}
