//! How many signatures a batch must make to be worth its time.
//!
//! That depends on the processor, the size of the keys and the version of the library:
//! from three on in one place, never in another. So it is measured, on real work, by
//! the time that the thread had on the processor, which other programs do not change.

use std::sync::atomic::{AtomicU64, Ordering};

use rustix::time::{ClockId, clock_gettime};

use crate::accelerator::LANES;

/// With fewer a batch has not paid on any processor.
const FEWEST: usize = 3;

/// So many of a kind are measured; the quickest counts, for nothing makes one too quick.
const SAMPLES: u64 = 4;

/// Of the keys of one size.
#[derive(Debug, Default)]
pub(super) struct Pace {
    alone: Quickest,
    batch: Quickest,
}

#[derive(Debug, Default)]
struct Quickest {
    /// Nanoseconds, in samples so far.
    time: AtomicU64,
    samples: AtomicU64,
}

impl Pace {
    /// How many of the waiting operations to do next: that many in one batch, or one.
    pub(super) fn portion(&self, waiting: usize) -> usize {
        let full = waiting.min(LANES);
        if full < FEWEST {
            return waiting.min(1);
        }
        let pays = match (self.alone.time(), self.batch.time()) {
            (Some(alone), Some(batch)) => alone.saturating_mul(full as u64) > batch,
            // Both must be known to be compared.
            (None, Some(_)) => false,
            (_, None) => true,
        };
        match pays {
            true => full,
            false => 1,
        }
    }

    /// As if a batch of this many had been found to pay, for tests.
    #[cfg(test)]
    pub(super) fn assume(&self, fewest: u64) {
        for _ in 0..SAMPLES {
            self.alone.take(2);
            self.batch.take(2 * fewest - 1);
        }
    }

    /// Does the operations, and measures that while it must.
    pub(super) fn measure<T>(&self, count: usize, sign: impl FnOnce() -> T) -> T {
        let kind = match count {
            1 => &self.alone,
            _ => &self.batch,
        };
        if kind.time().is_some() {
            return sign();
        }
        let begun = thread_time();
        let made = sign();
        kind.take(thread_time().saturating_sub(begun));
        made
    }
}

impl Quickest {
    /// Once there are enough samples.
    fn time(&self) -> Option<u64> {
        let enough = self.samples.load(Ordering::Relaxed) >= SAMPLES;
        enough.then(|| self.time.load(Ordering::Relaxed))
    }

    /// Two threads may take turns here, and measure once too often.
    fn take(&self, time: u64) {
        match self.samples.fetch_add(1, Ordering::Relaxed) {
            0 => self.time.store(time, Ordering::Relaxed),
            _ => {
                self.time.fetch_min(time, Ordering::Relaxed);
            }
        }
    }
}

fn thread_time() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let (seconds, nanoseconds) = (time.tv_sec.cast_unsigned(), time.tv_nsec.cast_unsigned());
    seconds
        .saturating_mul(1_000_000_000)
        .saturating_add(nanoseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(kind: &Quickest, times: [u64; SAMPLES as usize]) {
        times.into_iter().for_each(|time| kind.take(time));
    }

    fn portions(pace: &Pace) -> Vec<usize> {
        (0..10).map(|waiting| pace.portion(waiting)).collect()
    }

    #[test]
    fn a_batch_is_made_from_where_it_is_quicker() {
        let portions = |alone, batch| {
            let pace = Pace::default();
            measured(&pace.alone, [alone; 4]);
            measured(&pace.batch, [batch; 4]);
            portions(&pace)
        };
        assert_eq!(portions(350, 760), [0, 1, 1, 3, 4, 5, 6, 7, 8, 8]);
        assert_eq!(portions(2000, 11_300), [0, 1, 1, 1, 1, 1, 6, 7, 8, 8]);
        assert_eq!(portions(900, 13_000), [0, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    }

    #[test]
    fn both_ways_are_tried_before_one_is_chosen() {
        let pace = Pace::default();
        assert_eq!(portions(&pace), [0, 1, 1, 3, 4, 5, 6, 7, 8, 8]);
        measured(&pace.batch, [760; 4]);
        assert_eq!(portions(&pace), [0, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
        measured(&pace.alone, [350; 4]);
        assert_eq!(pace.portion(3), 3);
    }

    #[test]
    fn the_quickest_sample_counts() {
        let pace = Pace::default();
        measured(&pace.alone, [350, 4000, 360, 351]);
        measured(&pace.batch, [9000, 760, 800, 5000]);
        assert_eq!(pace.portion(3), 3);
    }
}
