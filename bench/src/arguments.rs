//! The command line.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum as _};

use crate::{cases::Case, database::Engine, measure::Pattern, reference};

const EXAMPLES: &str = "\
Examples:
  cargo xtask bench                                   everything; an hour or so
  cargo xtask bench --quick                           that every case runs and is answered rightly
  cargo xtask bench --case client-credentials --tokens 10000
  cargo xtask bench --case rotation --connections 1,16,64 --rounds 5 --seconds 4
  cargo xtask bench --write                           everything, and the pages from it
  cargo xtask bench --store postgres                  the same on PostgreSQL, and several nodes
  cargo xtask bench --store postgres --case nodes --tokens 1000000
  cargo xtask bench --profile dist --case discovery   with the profile that is published

Servers run on one core with their stores, the load on another, and take turns. PostgreSQL is
started for the run, on the servers' core as well. Tables of tokens are kept in target/bench for the
next run, and results in target/bench/results.json or target/bench/postgres/results.json.";

/// Measures Tokenry against servers that do nothing but answer.
#[derive(Parser)]
#[command(bin_name = "cargo xtask bench", after_help = EXAMPLES, max_term_width = 100)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) part: Option<Part>,
    #[command(flatten)]
    pub(crate) plan: Plan,
}

#[derive(Subcommand)]
pub(crate) enum Part {
    /// One of the servers that Tokenry is measured against
    #[command(hide = true)]
    Reference(reference::Arguments),
}

/// What is measured, and how.
#[derive(Args)]
pub(crate) struct Plan {
    /// The engine that Tokenry and its tables are on
    #[arg(long, value_enum, default_value = "sqlite", value_name = "ENGINE")]
    pub(crate) store: Engine,
    /// Only these cases
    #[arg(long, value_delimiter = ',', value_name = "CASE")]
    pub(crate) case: Vec<Case>,
    /// Tokens in the table, one run for each size [default: 10000,100000,1000000,10000000]
    #[arg(long, value_delimiter = ',', value_name = "COUNT")]
    tokens: Vec<u64>,
    /// Connections, for every case [default: 16, and for some 1 and 64 as well]
    #[arg(long, value_delimiter = ',', value_name = "COUNT")]
    pub(crate) connections: Vec<usize>,
    /// Rounds of each server [default: 3]
    #[arg(long)]
    rounds: Option<u32>,
    /// Seconds that are measured of a round [default: 3]
    #[arg(long)]
    seconds: Option<f64>,
    /// A short form with small tables: shows that everything works, and measures nothing
    #[arg(long)]
    pub(crate) quick: bool,
    /// Put the results into docs/performance.md (docs/performance-postgresql.md) and docs/scale.md
    #[arg(long, conflicts_with = "quick")]
    pub(crate) write: bool,
    /// The binary to measure
    #[arg(long, value_name = "FILE", default_value = "target/release/tokenry")]
    pub(crate) tokenry: PathBuf,
    /// Where tables and results are kept
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    pub(crate) folder: PathBuf,
}

impl Plan {
    /// The cases that were asked for.
    pub(crate) fn cases(&self) -> Vec<Case> {
        let all = Case::value_variants().iter();
        let asked = |case: &Case| self.case.is_empty() || self.case.contains(case);
        all.copied().filter(|case| asked(case) && case.is_of(self.store)).collect()
    }

    /// The sizes of tables, ascending.
    pub(crate) fn tokens(&self) -> Vec<u64> {
        let mut sizes = match (self.tokens.is_empty(), self.quick) {
            (false, _) => self.tokens.clone(),
            (true, true) => vec![2_000],
            (true, false) => vec![10_000, 100_000, 1_000_000, 10_000_000],
        };
        sizes.sort_unstable();
        sizes
    }

    /// How long rounds are, and how many.
    pub(crate) fn pattern(&self) -> Pattern {
        let usual = if self.quick { (1, 0.3, 0.1) } else { (3, 3.0, 0.5) };
        let (rounds, seconds, warm_up) = usual;
        Pattern {
            rounds: self.rounds.unwrap_or(rounds),
            warm_up: Duration::from_secs_f64(warm_up),
            measure: Duration::from_secs_f64(self.seconds.unwrap_or(seconds)),
        }
    }
}
