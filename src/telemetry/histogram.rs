//! Counts of values by size, in buckets fixed when the program was written.
//!
//! Counting is three relaxed additions and no lock. It keeps no single value, so a
//! quantile is an estimate within its bucket.

use std::sync::atomic::{AtomicU64, Ordering};

/// A histogram over whole numbers; `N` upper bounds make `N + 1` buckets.
#[derive(Debug)]
pub struct Histogram<const N: usize> {
    /// Ascending; a value belongs to the first bound that is not smaller.
    bounds: [u64; N],
    buckets: [AtomicU64; N],
    /// Values above the last bound.
    above: AtomicU64,
    sum: AtomicU64,
}

/// A histogram's counts at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// Each bound with the number of values up to it.
    pub cumulative: Vec<(u64, u64)>,
    /// All values, those above the last bound included.
    pub count: u64,
    pub sum: u64,
}

impl<const N: usize> Histogram<N> {
    /// `bounds` must be ascending.
    pub const fn new(bounds: [u64; N]) -> Self {
        Self {
            bounds,
            buckets: [const { AtomicU64::new(0) }; N],
            above: AtomicU64::new(0),
            sum: AtomicU64::new(0),
        }
    }

    pub fn observe(&self, value: u64) {
        let at = self.bounds.partition_point(|bound| *bound < value);
        let bucket = self.buckets.get(at).unwrap_or(&self.above);
        bucket.fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// The counts now. Of a value that arrives meanwhile the sum may know and the
    /// buckets not, or the other way round.
    pub fn read(&self) -> Distribution {
        let sum = self.sum.load(Ordering::Relaxed);
        let mut count = 0;
        let mut cumulative = Vec::with_capacity(N);
        for (bound, bucket) in self.bounds.iter().zip(&self.buckets) {
            count += bucket.load(Ordering::Relaxed);
            cumulative.push((*bound, count));
        }
        Distribution {
            cumulative,
            count: count + self.above.load(Ordering::Relaxed),
            sum,
        }
    }
}

impl Distribution {
    /// The value below which `share` of all values lie, taken as spread evenly within
    /// their bucket. None without values; infinite when it lies above the last bound.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        if self.count == 0 {
            return None;
        }
        let rank = share * self.count as f64;
        let (mut lower, mut before) = (0.0, 0.0);
        for &(bound, upto) in &self.cumulative {
            let (bound, upto) = (bound as f64, upto as f64);
            if upto >= rank && upto > before {
                return Some(lower + (bound - lower) * (rank - before) / (upto - before));
            }
            (lower, before) = (bound, upto);
        }
        Some(f64::INFINITY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_own_bucket() {
        let histogram = Histogram::new([10, 20]);
        for value in [0, 10, 11, 20, 21] {
            histogram.observe(value);
        }
        let read = histogram.read();
        assert_eq!(read.cumulative, [(10, 2), (20, 4)]);
        assert_eq!((read.count, read.sum), (5, 62));
    }

    #[test]
    fn a_quantile_lies_in_the_bucket_that_holds_it() {
        let histogram = Histogram::new([100, 200, 400]);
        for _ in 0..50 {
            histogram.observe(150);
        }
        for _ in 0..50 {
            histogram.observe(300);
        }
        let read = histogram.read();
        assert_eq!(read.quantile(0.25), Some(150.0));
        assert_eq!(read.quantile(0.5), Some(200.0));
        assert_eq!(read.quantile(0.99), Some(396.0));
        histogram.observe(1_000_000);
        assert_eq!(histogram.read().quantile(1.0), Some(f64::INFINITY));
        assert_eq!(Histogram::new([1]).read().quantile(0.5), None);
    }
}
