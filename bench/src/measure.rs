//! Rounds in turns: a server, then a reference, then the server again.

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use crate::{
    load::{self, Course, Measured, Pace, Supply, Traffic},
    machine::Cores,
    process::Process,
};

/// How long rounds are, and how many.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pattern {
    /// Rounds of each server.
    pub(crate) rounds: u32,
    /// Answers that are not counted.
    pub(crate) warm_up: Duration,
    /// Answers that are counted.
    pub(crate) measure: Duration,
}

/// What one round came to, or the medians of several.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Figures {
    /// Answers a second.
    pub(crate) per_second: f64,
    /// Median latency in milliseconds.
    pub(crate) p50: f64,
    /// The latency in milliseconds that one answer in a hundred exceeds.
    pub(crate) p99: f64,
    /// Processor time of the server for each answer, in microseconds.
    pub(crate) processor: f64,
}

/// Several rounds of one server.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Series {
    /// Each by itself.
    pub(crate) rounds: Vec<Figures>,
    /// Of each figure by itself.
    pub(crate) median: Figures,
    /// The fastest round over the slowest.
    pub(crate) spread: f64,
}

/// One round of one server.
pub(crate) fn round(
    cores: Cores,
    process: &Process,
    supply: &mut dyn Supply,
    connections: usize,
    pattern: &Pattern,
) -> Result<Figures> {
    process.resume()?;
    supply.prepare(pattern.warm_up + pattern.measure)?;
    let mut traffic = [Traffic { supply, connections, pace: Pace::Closed }];
    let (measured, used) = loaded(cores, process, &mut traffic, pattern)?;
    process.pause()?;
    let measured = measured.first().map(|measured| figures(measured, used));
    measured.ok_or_else(|| anyhow::anyhow!("nothing was measured"))
}

/// Traffic on a server, and the processor time that the server used for it.
pub(crate) fn loaded(
    cores: Cores,
    process: &Process,
    traffic: &mut [Traffic<'_>],
    pattern: &Pattern,
) -> Result<(Vec<Measured>, Duration)> {
    let mut edges = Vec::new();
    let measured = cores.on_core_of_load(|| {
        let mut at_edge = || {
            edges.push(process.processor_time()?);
            Ok(())
        };
        let (warm_up, measure) = (pattern.warm_up, pattern.measure);
        let mut course = Course { warm_up, measure, at_edge: &mut at_edge };
        load::run(process.address, traffic, &mut course)
    })??;
    let used = match edges.as_slice() {
        [begin, end] => end.saturating_sub(*begin),
        _ => Duration::ZERO,
    };
    Ok((measured, used))
}

#[expect(clippy::cast_precision_loss, reason = "counts of a few million")]
fn figures(measured: &Measured, used: Duration) -> Figures {
    let answers = measured.latencies.total() as f64;
    let millis = |share| measured.latencies.quantile(share).as_secs_f64() * 1e3;
    Figures {
        per_second: answers / measured.time.as_secs_f64(),
        p50: millis(0.5),
        p99: millis(0.99),
        processor: used.as_secs_f64() * 1e6 / answers.max(1.0),
    }
}

impl Series {
    /// Of these rounds.
    pub(crate) fn of(rounds: Vec<Figures>) -> Self {
        let all = |figure: fn(&Figures) -> f64| rounds.iter().map(figure).collect::<Vec<_>>();
        let speeds = all(|round| round.per_second);
        let fastest = speeds.iter().copied().fold(0.0, f64::max);
        let slowest = speeds.iter().copied().fold(f64::INFINITY, f64::min);
        let figures = Figures {
            per_second: median(speeds),
            p50: median(all(|round| round.p50)),
            p99: median(all(|round| round.p99)),
            processor: median(all(|round| round.processor)),
        };
        Self { rounds, median: figures, spread: fastest / slowest }
    }
}

/// The value in the middle; of an even number, the mean of the two there.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    if values.len().is_multiple_of(2) {
        f64::midpoint(at(middle.wrapping_sub(1)), at(middle))
    } else {
        at(middle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_the_value_in_the_middle() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(vec![4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < f64::EPSILON);
        assert!(median(Vec::new()).is_nan());
    }
}
