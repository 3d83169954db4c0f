//! Many times as one text: median, 95th and 99th percentile, maximum, and how many fell where.

use std::{fmt, time::Duration};

/// Upper ends of the bars.
const BARS: [u64; 8] = [1, 5, 10, 20, 50, 100, 500, 1_000];
const BAR_WIDTH: usize = 40;

pub(super) struct Distribution<'a> {
    what: &'a str,
    /// In order, and at least one.
    times: Vec<Duration>,
}

impl<'a> Distribution<'a> {
    pub(super) fn of(what: &'a str, mut times: Vec<Duration>) -> Self {
        assert!(!times.is_empty(), "nothing was measured: {what}");
        times.sort_unstable();
        Self { what, times }
    }

    /// The time that so many of a hundred did not exceed.
    pub(super) fn at(&self, percent: usize) -> Duration {
        let place = (self.times.len() * percent).div_ceil(100).max(1) - 1;
        self.times[place]
    }
}

impl fmt::Display for Distribution<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.times.len();
        let [median, p95, p99, max] = [50, 95, 99, 100].map(|percent| self.at(percent));
        writeln!(to, "{}: {count} times", self.what)?;
        writeln!(to, "  median {median:.1?}, 95 % {p95:.1?}, 99 % {p99:.1?}, max {max:.1?}")?;
        let mut rest = self.times.as_slice();
        for end in BARS.into_iter().map(Duration::from_millis).chain([Duration::MAX]) {
            let (below, above) = rest.split_at(rest.partition_point(|time| *time < end));
            rest = above;
            let bar = "#".repeat((below.len() * BAR_WIDTH).div_ceil(count));
            let end = if end == Duration::MAX { "more".into() } else { format!("< {end:?}") };
            writeln!(to, "  {end:>8} {:>6} {bar}", below.len())?;
        }
        Ok(())
    }
}

#[test]
fn percentiles_are_times_that_were_measured_and_bars_hold_all_of_them() {
    let times = (1..=200).rev().map(Duration::from_millis).collect();
    let distribution = Distribution::of("from 1 to 200 ms", times);
    let at = [0, 50, 95, 99, 100].map(|percent| distribution.at(percent).as_millis());
    assert_eq!(at, [1, 100, 190, 198, 200]);
    let text = distribution.to_string();
    assert!(text.contains("median 100.0ms, 95 % 190.0ms, 99 % 198.0ms, max 200.0ms"), "{text}");
    let counts = text.lines().skip(2).map(|line| {
        let words: Vec<_> = line.split_whitespace().filter(|word| !word.contains('#')).collect();
        words.last().unwrap().parse::<usize>().unwrap()
    });
    assert_eq!(counts.collect::<Vec<_>>(), [0, 4, 5, 10, 30, 50, 101, 0, 0]);
}
