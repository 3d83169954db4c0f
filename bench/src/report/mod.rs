//! What a run found: lines while it goes on, tables at its end, and a file for programs.

pub(crate) mod chart;
mod database;
pub(crate) mod growth;
pub(crate) mod page;
mod twin;

use std::{fmt::Write as _, fs, path::Path};

use anyhow::Result;
use serde::Serialize;

use crate::{
    cases::Case, database::Engine, footprint::Footprint, machine::told_by, measure::Series,
    nodes::Nodes, start::Starts, twin::Twin, under_writes::UnderWrites,
};

/// One case at one size of table and one number of connections.
#[derive(Debug, Serialize)]
pub(crate) struct Comparison {
    /// What was asked.
    pub(crate) case: Case,
    /// Tokens in the table.
    pub(crate) tokens: u64,
    /// Connections.
    pub(crate) connections: usize,
    /// Bytes of the answer's body.
    pub(crate) answer_bytes: usize,
    /// Tokenry.
    pub(crate) tokenry: Series,
    /// The server that only answers.
    pub(crate) bare: Series,
    /// What commits a row for each answer: a server, or the database's own tool.
    pub(crate) durable: Option<Series>,
    /// What that is called.
    #[serde(skip)]
    pub(crate) durable_name: &'static str,
}

/// All that a run found.
#[derive(Debug, Serialize)]
pub(crate) struct Results {
    #[serde(flatten)]
    pub(crate) surroundings: Surroundings,
    pub(crate) commit: String,
    /// In the order they were measured.
    pub(crate) comparisons: Vec<Comparison>,
    /// One for each size of table and number of nodes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) nodes: Vec<Nodes>,
    /// One for each size of table.
    pub(crate) under_writes: Vec<UnderWrites>,
    /// One for each size of table.
    pub(crate) starts: Vec<Starts>,
    /// One for each size of table.
    pub(crate) footprints: Vec<Footprint>,
    /// The double, which has a table of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) twin: Option<Twin>,
}

/// Where a run took place.
#[derive(Debug, Serialize)]
pub(crate) struct Surroundings {
    /// The machine.
    pub(crate) machine: String,
    /// Which core was whose.
    pub(crate) cores: String,
    /// The database's version and settings, where it is a server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) database: Option<String>,
    /// When it began.
    pub(crate) began_at: String,
    /// What the tables were in.
    pub(crate) engine: Engine,
}

impl Comparison {
    /// On a line.
    pub(crate) fn line(&self) -> String {
        let of = |other: &Series| {
            let (own, other) = (&self.tokenry.median, &other.median);
            format!(
                "{:.2} ({:.2} by CPU)",
                own.per_second / other.per_second,
                other.processor / own.processor
            )
        };
        let own = &self.tokenry.median;
        let mut line = format!(
            "{:<28} {:>9} tokens {:>3} conn. {:>8.0}/s p50 {:>6.3} p99 {:>7.3} ms \
             {:>6.1} µs CPU, of bare {}",
            self.case.title(),
            self.tokens,
            self.connections,
            own.per_second,
            own.p50,
            own.p99,
            own.processor,
            of(&self.bare),
        );
        if let Some(durable) = &self.durable {
            // Writing to a string does not fail.
            let _ = write!(line, ", of {} {}", self.durable_name, of(durable));
        }
        line
    }
}

impl UnderWrites {
    /// On a line.
    pub(crate) fn line(&self) -> String {
        format!(
            "verification at {:.0}/s beside {:.0} issued a second and {} purged, {} tokens: \
             p50 {:.3} p99 {:.3} ms (issued p99 {:.2} ms)",
            self.per_second,
            self.issued,
            self.purged,
            self.tokens,
            self.p50,
            self.p99,
            self.issued_p99
        )
    }
}

impl Nodes {
    /// A line for each case, and one for what is not asked.
    pub(crate) fn lines(&self) -> String {
        let mut text = String::new();
        for load in &self.loads {
            // Writing to a string does not fail.
            let _ = writeln!(
                text,
                "{} node(s), {} tokens: {:<28} {:>8.0}/s, {:.1} µs CPU, of it {:.1} PostgreSQL",
                self.nodes,
                self.tokens,
                load.case.title(),
                load.per_second,
                load.processor,
                load.database
            );
        }
        let _ = write!(
            text,
            "{} node(s) asked nothing: {:.2} % of a core each, and {:.2} % of PostgreSQL",
            self.nodes, self.idle_node, self.idle_database
        );
        if let Some(delays) = &self.delays {
            let _ = write!(
                text,
                "; {} revocations known elsewhere after {:.1} ms (median), {:.1} ms (99 %), \
                 {:.1} ms at most",
                delays.revocations, delays.p50, delays.p99, delays.most
            );
        }
        text
    }
}

impl Starts {
    /// On a line.
    pub(crate) fn line(&self) -> String {
        format!(
            "start with {} tokens: {:.1} ms to the first answer, {:.1} ms to the first token; in a \
             new folder {:.1} ms",
            self.tokens, self.to_answer, self.to_token, self.first_to_answer
        )
    }
}

impl Footprint {
    /// On a line.
    #[expect(clippy::cast_precision_loss, reason = "sizes of a few gigabytes")]
    pub(crate) fn line(&self) -> String {
        let mebibytes = |bytes: u64| bytes as f64 / 1_048_576.0;
        format!(
            "{} tokens: {:.1} MiB idle, {:.1} MiB after {} tokens more, {:.0} bytes on disk for \
             each of them, {:.0} for each of the table; binary {:.1} MB",
            self.tokens,
            mebibytes(self.idle),
            mebibytes(self.after),
            self.issued,
            self.bytes_a_token,
            self.bytes_a_kept_token,
            self.binary as f64 / 1e6
        )
    }
}

impl Results {
    /// Nothing yet.
    pub(crate) fn new(surroundings: Surroundings) -> Self {
        let commit = told_by("git", &["rev-parse", "--short", "HEAD"]);
        let changed = !told_by("git", &["status", "--porcelain"]).is_empty();
        let commit = if changed { format!("{commit} with changes") } else { commit };
        Self {
            surroundings,
            commit,
            comparisons: Vec::new(),
            nodes: Vec::new(),
            under_writes: Vec::new(),
            starts: Vec::new(),
            footprints: Vec::new(),
            twin: None,
        }
    }

    /// Writes the file for programs.
    pub(crate) fn save(&self, folder: &Path) -> Result<()> {
        Ok(fs::write(folder.join("results.json"), serde_json::to_vec_pretty(self)?)?)
    }

    /// For people.
    pub(crate) fn tables(&self) -> String {
        let mut text = String::new();
        for comparison in &self.comparisons {
            let row = |name: &str, series: &Series| {
                let figures = &series.median;
                format!(
                    "    {name:<8} {:>9.0}/s  p50 {:>7.3}  p99 {:>8.3} ms  {:>7.2} µs  \
                     spread {:.2}\n",
                    figures.per_second, figures.p50, figures.p99, figures.processor, series.spread
                )
            };
            let _ = writeln!(
                text,
                "{}, {} tokens, {} connections, {} bytes",
                comparison.case.title(),
                comparison.tokens,
                comparison.connections,
                comparison.answer_bytes
            );
            text.push_str(&row("tokenry", &comparison.tokenry));
            text.push_str(&row("bare", &comparison.bare));
            if let Some(durable) = &comparison.durable {
                text.push_str(&row(comparison.durable_name, durable));
            }
        }
        text
    }
}
