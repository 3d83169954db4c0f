//! What a run found of the twin.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};

use super::{Results, Surroundings, page::rounded};
use crate::{
    measure::{Pattern, Series},
    twin::{Times, Twin},
};

/// The marks around it on the page.
pub(super) const MARKS: (&str, &str) =
    ("<!-- the twin: written by `cargo xtask bench --write` -->\n", "<!-- end of the twin -->\n");

impl Twin {
    /// On lines.
    pub(crate) fn lines(&self) -> String {
        let of = |times: Times| format!("{:.2} ms (at most {:.2})", times.median, times.most);
        let mut text = format!(
            "twin: start {}, reset {}, snapshot {}, restoration {}",
            of(self.start),
            of(self.reset),
            of(self.snapshot),
            of(self.restoration)
        );
        for rates in &self.rates {
            let of = |series: &Series| rounded(series.median.per_second);
            // Writing to a string does not fail.
            let _ = write!(
                text,
                "\ntwin: {:<28} {}/s; serve {}/s; bare {}/s",
                rates.case.title(),
                of(&rates.twin),
                of(&rates.serve),
                of(&rates.bare)
            );
        }
        text
    }
}

/// The section of the page.
pub(super) fn text(results: &Results, pattern: &Pattern) -> Result<String> {
    let twin = results.twin.as_ref().context("the twin was not measured")?;
    let Surroundings { machine, cores, began_at, .. } = &results.surroundings;
    let mut text = format!(
        "\nMeasured at {began_at}, commit {}, on {machine}; {cores}. {} rounds of {:.0} s each; \
         medians.\n\n| what | ms | at most |\n|---|---:|---:|\n",
        results.commit,
        pattern.rounds,
        pattern.measure.as_secs_f64()
    );
    for (what, times) in [
        ("start, to the line that says that it serves", twin.start),
        ("reset", twin.reset),
        ("snapshot", twin.snapshot),
        ("restoration", twin.restoration),
    ] {
        writeln!(text, "| {what} | {:.2} | {:.2} |", times.median, times.most)?;
    }
    text.push_str(
        "\n| case | server | requests/s | p50 ms | p99 ms | CPU µs | of bare | by CPU |\n\
         |---|---|---:|---:|---:|---:|---:|---:|\n",
    );
    for rates in &twin.rates {
        for (name, series) in
            [("twin", &rates.twin), ("serve", &rates.serve), ("bare", &rates.bare)]
        {
            let (own, bare) = (&series.median, &rates.bare.median);
            writeln!(
                text,
                "| {} | {name} | {} | {:.2} | {:.2} | {:.1} | {:.2} | {:.2} |",
                rates.case.title(),
                rounded(own.per_second),
                own.p50,
                own.p99,
                own.processor,
                own.per_second / bare.per_second,
                bare.processor / own.processor
            )?;
        }
    }
    text.push('\n');
    Ok(text)
}
