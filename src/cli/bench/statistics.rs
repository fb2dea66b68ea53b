//! Latencies and their quantiles. Every value is kept, so a quantile is a value
//! that was measured; nothing is averaged or interpolated.

use std::time::Duration;

use serde::Serialize;

/// What was measured, in the order it came.
#[derive(Debug, Default)]
pub struct Latencies {
    values: Vec<Duration>,
}

/// Nearest-rank quantiles, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Quantiles {
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub max: f64,
}

impl Latencies {
    pub fn record(&mut self, value: Duration) {
        self.values.push(value);
    }

    /// None when nothing was recorded.
    pub fn quantiles(&self) -> Option<Quantiles> {
        let mut sorted = self.values.clone();
        sorted.sort_unstable();
        Some(Quantiles {
            p50: nearest_rank(&sorted, 50)?,
            p90: nearest_rank(&sorted, 90)?,
            p99: nearest_rank(&sorted, 99)?,
            max: nearest_rank(&sorted, 100)?,
        })
    }
}

/// The smallest value that at least `percent` of all values do not exceed.
fn nearest_rank(sorted: &[Duration], percent: usize) -> Option<f64> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).map(|value| microseconds(*value))
}

pub fn microseconds(value: Duration) -> f64 {
    value.as_secs_f64() * 1e6
}

/// The middle value; of an even number the upper one. Infinities and NaN cannot
/// come from durations and sort last.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn latencies(microseconds: impl IntoIterator<Item = u64>) -> Latencies {
        let mut latencies = Latencies::default();
        for value in microseconds {
            latencies.record(Duration::from_micros(value));
        }
        latencies
    }

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let quantiles = latencies((1..=200).rev()).quantiles().unwrap();
        assert_eq!(
            (
                quantiles.p50.round(),
                quantiles.p90.round(),
                quantiles.p99.round(),
                quantiles.max.round()
            ),
            (100.0, 180.0, 198.0, 200.0)
        );
    }

    #[test]
    fn one_value_is_every_quantile_and_none_is_no_quantile() {
        let quantiles = latencies([7]).quantiles().unwrap();
        assert_eq!(quantiles.p50, quantiles.max);
        assert_eq!(latencies([]).quantiles(), None);
    }

    #[test]
    fn a_median_ignores_one_wild_value() {
        assert_eq!(median(vec![900.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![]), None);
    }
}
