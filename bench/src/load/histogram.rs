//! Latencies, counted in buckets of at most 1.6 % width.

use std::time::Duration;

/// Buckets for each power of two.
const STEPS: u64 = 64;
/// 2 to the power of 40 nanoseconds is 18 minutes.
const BUCKETS: usize = 64 * 41;

/// How often each latency occurred.
#[derive(Debug, Clone)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Histogram {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self { counts: vec![0; BUCKETS], total: 0 }
    }

    /// Counts one.
    pub(crate) fn record(&mut self, latency: Duration) {
        let nanoseconds = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        let last = BUCKETS - 1;
        if let Some(count) = self.counts.get_mut(bucket(nanoseconds).min(last)) {
            *count += 1;
            self.total += 1;
        }
    }

    /// How many there are.
    pub(crate) const fn total(&self) -> u64 {
        self.total
    }

    /// The latency that this share of all does not exceed; `share` is between 0 and 1.
    pub(crate) fn quantile(&self, share: f64) -> Duration {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "counts of a few million"
        )]
        let rank = ((self.total as f64) * share).ceil() as u64;
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank.max(1) {
                return Duration::from_nanos(upper_end(index));
            }
        }
        Duration::ZERO
    }
}

/// Below `STEPS` every number has a bucket of its own; above, each power of two has `STEPS`.
fn bucket(value: u64) -> usize {
    let power = u64::from(value.max(1).ilog2());
    let shift = power.saturating_sub(u64::from(STEPS.ilog2()));
    let index = shift * STEPS + (value >> shift);
    usize::try_from(index).unwrap_or(usize::MAX)
}

/// The largest value of a bucket.
fn upper_end(index: usize) -> u64 {
    let index = u64::try_from(index).unwrap_or(u64::MAX);
    let shift = (index / STEPS).saturating_sub(1);
    let value = index - shift * STEPS;
    ((value + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_in_a_bucket_no_wider_than_a_64th_of_it() {
        for value in (0..60_u32).flat_map(|power| {
            let base = 1_u64 << power.min(39);
            [base - 1, base, base + base / 3, base + base / 2 + 1]
        }) {
            let end = upper_end(bucket(value));
            assert!(end >= value, "{value} lies above its bucket's end {end}");
            assert!(end - value <= value / 64, "{value} is told as {end}");
        }
    }

    #[test]
    fn buckets_rise_with_their_values() {
        let mut last = 0;
        for value in 0..100_000_u64 {
            let bucket = bucket(value);
            assert!(bucket == last || bucket == last + 1, "{value}");
            last = bucket;
        }
    }

    #[test]
    fn quantiles_are_those_of_what_was_recorded() {
        let mut histogram = Histogram::new();
        for millis in 1..=1_000 {
            histogram.record(Duration::from_millis(millis));
        }
        let within = |told: Duration, truth: u64| {
            let truth = Duration::from_millis(truth);
            assert!(told >= truth && told < truth + truth / 50, "{told:?} for {truth:?}");
        };
        within(histogram.quantile(0.5), 500);
        within(histogram.quantile(0.99), 990);
        within(histogram.quantile(1.0), 1_000);
        assert_eq!(histogram.total(), 1_000);
    }
}
