//! How long one insert and one find take, beside a store of the same size that is never purged.
//!
//! The machine has other things to do and is not equally fast all the time. So every measurement is
//! taken in turns with the same one on the reference, and what has become slower has done so by the
//! clock and beside the reference: a disturbance of one of them alone is none of the store's. It is
//! judged by the fast ones: a sync takes the disk's own time or, behind somebody else's, several
//! times as long, and which of the two the median is says how busy the disk was.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::load::Load;
use crate::environment::Dice;

/// Measurements of each kind in one look.
const TURNS: u64 = 8;

/// Every measurement of one lifetime.
#[derive(Debug, Default)]
pub(super) struct Latency {
    insert: Kind,
    find: Kind,
}

#[derive(Debug, Default)]
struct Kind {
    measured: Vec<Duration>,
    reference: Vec<Duration>,
}

/// The middle and the tail of one kind.
#[derive(Debug, Clone, Copy)]
pub struct Percentiles {
    /// One of 10 was faster.
    pub p10: Duration,
    /// Half were faster.
    pub p50: Duration,
    /// 99 of 100 were faster.
    pub p99: Duration,
    /// One of 10 of the reference's, measured in turns with these, was faster.
    pub reference: Duration,
}

/// Of one lifetime.
#[derive(Debug, Clone, Copy)]
pub struct Latencies {
    /// One token inserted, durably, nothing else going on.
    pub insert: Percentiles,
    /// One live token found.
    pub find: Percentiles,
}

impl Latency {
    /// Measures at a moment at which nothing else is asked of either store.
    pub(super) async fn look(
        &mut self,
        load: &mut Load,
        reference: &mut Load,
        dice: &mut Dice,
    ) -> Result<()> {
        for _ in 0..TURNS {
            self.insert.measured.push(load.insert_one().await?);
            self.insert.reference.push(reference.insert_one().await?);
            self.find.measured.push(load.find_one(dice).await?);
            self.find.reference.push(reference.find_one(dice).await?);
        }
        Ok(())
    }

    pub(super) fn percentiles(&self) -> Result<Latencies> {
        let of = |kind: &Kind| kind.percentiles().context("nothing was measured");
        Ok(Latencies { insert: of(&self.insert)?, find: of(&self.find)? })
    }
}

impl Kind {
    fn percentiles(&self) -> Option<Percentiles> {
        Some(Percentiles {
            p10: percentile(&self.measured, 10)?,
            p50: percentile(&self.measured, 50)?,
            p99: percentile(&self.measured, 99)?,
            reference: percentile(&self.reference, 10)?,
        })
    }
}

fn percentile(measured: &[Duration], percent: usize) -> Option<Duration> {
    let mut sorted = measured.to_vec();
    sorted.sort_unstable();
    sorted.get((sorted.len() * percent / 100).min(sorted.len().checked_sub(1)?)).copied()
}

impl Percentiles {
    /// How many times the reference's.
    pub fn quotient(&self) -> f64 {
        self.p10.as_secs_f64() / self.reference.as_secs_f64()
    }
}

/// Whether the fast ones are what they were, by the clock or beside their reference.
pub(super) fn check_unchanged(first: &Latencies, last: &Latencies, tolerance: f64) -> Result<()> {
    for (what, first, last) in
        [("insert", first.insert, last.insert), ("find", first.find, last.find)]
    {
        let by_the_clock = last.p10.as_secs_f64() / first.p10.as_secs_f64();
        let change = by_the_clock.min(last.quotient() / first.quotient());
        ensure!(
            change <= tolerance,
            "a fast {what} takes {change:.2} times what it took when the database was first \
             full, {tolerance} are allowed: {first:?}, then {last:?}"
        );
    }
    Ok(())
}

/// Measures what `work` takes.
pub(super) async fn timed<T>(work: impl Future<Output = Result<T>>) -> Result<(T, Duration)> {
    let began = Instant::now();
    let done = work.await?;
    Ok((done, began.elapsed()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn latencies(find: u64) -> Latencies {
        let of = |micros| {
            let reference = Duration::from_micros(100);
            let p10 = Duration::from_micros(micros);
            Percentiles { p10, p50: 10 * p10, p99: 20 * p10, reference }
        };
        Latencies { insert: of(100), find: of(find) }
    }

    #[test]
    fn what_grew_with_the_time_is_refused() {
        assert!(check_unchanged(&latencies(100), &latencies(120), 1.25).is_ok());
        let error = check_unchanged(&latencies(100), &latencies(130), 1.25).unwrap_err();
        assert!(error.to_string().contains("a fast find takes 1.30 times"), "{error}");
    }

    #[test]
    fn a_machine_that_is_disturbed_for_a_while_refuses_nothing() {
        let disturbed = |mut latencies: Latencies, times: u32| {
            latencies.find.p10 *= times;
            latencies.find.reference *= times;
            latencies
        };
        let (calm, busy) = (latencies(100), disturbed(latencies(100), 9));
        assert!(check_unchanged(&calm, &busy, 1.25).is_ok());
        let mut reference_was_busy = calm;
        reference_was_busy.find.reference *= 9;
        assert!(check_unchanged(&reference_was_busy, &calm, 1.25).is_ok());
        let mut disk_is_shared = calm;
        disk_is_shared.find.p50 *= 9;
        assert!(check_unchanged(&calm, &disk_is_shared, 1.25).is_ok());
    }

    #[test]
    fn percentiles_are_of_what_was_measured() {
        let measured: Vec<_> = (1..=100).rev().map(Duration::from_micros).collect();
        assert_eq!(percentile(&measured, 50), Some(Duration::from_micros(51)));
        assert_eq!(percentile(&measured, 99), Some(Duration::from_micros(100)));
        assert_eq!(percentile(&[], 50), None);
    }
}
