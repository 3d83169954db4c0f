//! Rounds in turns: a server, then a reference, then the server again.

use std::{net::SocketAddr, time::Duration};

use anyhow::Result;
use serde::Serialize;

use crate::{
    load::{self, Course, Measured, Pace, Supply, Traffic},
    machine::Cores,
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

/// Who is measured in a turn, and halted outside of it, so that what it does in the background is
/// charged to nobody else.
pub(crate) trait Party: Sync {
    /// Where it listens.
    fn address(&self) -> SocketAddr;
    /// What it has used so far.
    fn used(&self) -> Result<Used>;
    /// Bytes of log that its database has written so far, where that is known.
    fn log_written(&self) -> Result<Option<u64>> {
        Ok(None)
    }
    /// Halts it.
    fn pause(&self) -> Result<()>;
    /// Lets it go on.
    fn resume(&self) -> Result<()>;
}

/// Processor time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Used {
    /// Of the server.
    pub(crate) server: Duration,
    /// Of its database, where that is a server as well.
    pub(crate) database: Option<Duration>,
}

impl Used {
    /// Since then.
    pub(crate) fn since(self, begin: Self) -> Self {
        let database = self.database.zip(begin.database);
        Self {
            server: self.server.saturating_sub(begin.server),
            database: database.map(|(end, begin)| end.saturating_sub(begin)),
        }
    }

    /// Of both, in microseconds, for each of so many answers; and that of the database.
    pub(crate) fn for_each_of(self, answers: f64) -> (f64, Option<f64>) {
        let micros = |time: Duration| time.as_secs_f64() * 1e6 / answers.max(1.0);
        let database = self.database.map(micros);
        (micros(self.server) + database.unwrap_or(0.0), database)
    }
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
    /// Processor time of the server for each answer, in microseconds; its database's included.
    pub(crate) processor: f64,
    /// That of its database, where it is a server as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) database: Option<f64>,
    /// Bytes of log that the database wrote for each answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) log_bytes: Option<f64>,
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
    party: &dyn Party,
    supply: &mut dyn Supply,
    connections: usize,
    pattern: &Pattern,
) -> Result<Figures> {
    party.resume()?;
    supply.prepare(pattern.warm_up + pattern.measure)?;
    let address = party.address();
    let mut traffic = [Traffic { address, supply, connections, pace: Pace::Closed }];
    let mut log = Vec::new();
    let mut edges = Edges::default();
    let measured = loaded(cores, &mut traffic, pattern, &mut || {
        // Asking for the log's length is work of the database, and belongs to no answer.
        if edges.begin.is_none() {
            log.push(party.log_written()?);
            edges.note(party.used()?);
        } else {
            edges.note(party.used()?);
            log.push(party.log_written()?);
        }
        Ok(())
    })?;
    party.pause()?;
    let written = match log.as_slice() {
        [Some(begin), Some(end)] => Some(end.saturating_sub(*begin)),
        _ => None,
    };
    let measured = measured.first().map(|measured| figures(measured, edges.used(), written));
    measured.ok_or_else(|| anyhow::anyhow!("nothing was measured"))
}

/// What was used at the beginning and at the end.
#[derive(Debug, Default)]
pub(crate) struct Edges {
    begin: Option<Used>,
    end: Option<Used>,
}

impl Edges {
    /// At the beginning first, and then at the end.
    pub(crate) fn note(&mut self, used: Used) {
        let edge = if self.begin.is_none() { &mut self.begin } else { &mut self.end };
        *edge = Some(used);
    }

    /// Between them.
    pub(crate) fn used(&self) -> Used {
        self.begin.zip(self.end).map_or_else(Used::default, |(begin, end)| end.since(begin))
    }
}

/// Traffic from the load's core; `at_edge` is called when measuring begins and when it has ended.
pub(crate) fn loaded(
    cores: Cores,
    traffic: &mut [Traffic<'_>],
    pattern: &Pattern,
    at_edge: &mut (dyn FnMut() -> Result<()> + Send),
) -> Result<Vec<Measured>> {
    cores.on_core_of_load(|| {
        let (warm_up, measure) = (pattern.warm_up, pattern.measure);
        load::run(traffic, &mut Course { warm_up, measure, at_edge })
    })?
}

#[expect(clippy::cast_precision_loss, reason = "counts of a few million")]
fn figures(measured: &Measured, used: Used, written: Option<u64>) -> Figures {
    let answers = measured.latencies.total() as f64;
    let millis = |share| measured.latencies.quantile(share).as_secs_f64() * 1e3;
    let (processor, database) = used.for_each_of(answers);
    Figures {
        per_second: measured.per_second(),
        p50: millis(0.5),
        p99: millis(0.99),
        processor,
        database,
        log_bytes: written.map(|bytes| bytes as f64 / answers.max(1.0)),
    }
}

impl Series {
    /// Of these rounds.
    pub(crate) fn of(rounds: Vec<Figures>) -> Self {
        let all = |figure: fn(&Figures) -> f64| rounds.iter().map(figure).collect::<Vec<_>>();
        let known = |figure: fn(&Figures) -> Option<f64>| {
            let all: Option<Vec<_>> = rounds.iter().map(figure).collect();
            all.filter(|all| !all.is_empty()).map(median)
        };
        let speeds = all(|round| round.per_second);
        let fastest = speeds.iter().copied().fold(0.0, f64::max);
        let slowest = speeds.iter().copied().fold(f64::INFINITY, f64::min);
        let figures = Figures {
            per_second: median(speeds),
            p50: median(all(|round| round.p50)),
            p99: median(all(|round| round.p99)),
            processor: median(all(|round| round.processor)),
            database: known(|round| round.database),
            log_bytes: known(|round| round.log_bytes),
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
