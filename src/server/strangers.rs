//! Whether strangers' mail is to be expected: what the daemon asks of the MTA depends on
//! it, and nothing else does. What becomes of a message is not decided here.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::policy::Reason;
use crate::telemetry::{Outcome, Verdict};

/// A message that is streamed for nothing costs both sides about as much as the reply
/// at DATA costs on so many that are signed; large ones cost more.
const WEIGHT: u32 = 16;
/// After so many others in a row, strangers are forgotten.
const MEMORY: u32 = 1024;

/// How many messages ago the strangers were, each of them counted [`WEIGHT`] times.
#[derive(Debug, Default)]
pub(super) struct Strangers(AtomicU32);

impl Strangers {
    pub(super) fn note(&self, outcome: &Outcome) {
        let is_stranger = matches!(
            outcome.verdict,
            Verdict::NotSigned {
                reason: Reason::UntrustedClient | Reason::ExcludedNetwork,
                ..
            }
        );
        let before = self.0.load(Ordering::Relaxed);
        let now = match is_stranger {
            true => before.saturating_add(WEIGHT).min(MEMORY),
            false => before.saturating_sub(1),
        };
        // One that is lost between two threads makes no difference.
        if now != before {
            self.0.store(now, Ordering::Relaxed);
        }
    }

    /// Whether more than one message in [`WEIGHT`] was a stranger's of late.
    pub(super) fn come(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Action;

    fn stranger() -> Outcome {
        of(Verdict::NotSigned {
            reason: Reason::UntrustedClient,
            detail: String::new(),
            action: Action::Passed,
        })
    }

    fn of(verdict: Verdict) -> Outcome {
        Outcome {
            queue_id: None,
            client: None,
            login: None,
            author_domain: None,
            rule: None,
            bytes: 0,
            limit: None,
            verdict,
        }
    }

    #[test]
    fn one_in_sixteen_is_expected_again_and_they_are_forgotten_in_time() {
        let strangers = Strangers::default();
        assert!(!strangers.come());
        for _ in 0..100 {
            strangers.note(&stranger());
            for _ in 1..WEIGHT {
                strangers.note(&of(Verdict::Signed(Vec::new())));
                assert!(strangers.come());
            }
        }
        for _ in 0..MEMORY {
            strangers.note(&of(Verdict::Signed(Vec::new())));
        }
        assert!(!strangers.come());
    }
}
