//! What commands print, for people and for scripts.
//!
//! A list is a [`List`] of [`Record`]s, one record alone is printed by [`show`]; both print a table
//! or lines for people, and the same records as JSON, YAML, CSV or ids with [`OutputArgs`].

mod csv;
mod list;
mod record;
mod table;
mod text;

use std::{
    fmt::Display,
    io::{self, IsTerminal as _, Write as _},
};

use clap::Args;
use tokenry_protocol::time::Timestamp;

pub(crate) use self::{
    list::{List, show},
    record::{Cell, Column, Record},
    text::escaped,
};

/// Wide enough where a terminal does not say how wide it is.
const WIDTH: usize = 80;

/// Prints a line on standard output. A reader that has gone away is no error of ours.
pub(crate) fn line(text: impl Display) {
    let _ = writeln!(anstream::stdout().lock(), "{text}");
}

/// A table among other words.
pub(crate) fn table(columns: &[Column], rows: &[Vec<Cell>]) -> String {
    table::table(columns, rows, io::stdout().is_terminal().then(terminal_width))
}

/// Whoever read standard output has closed it: no error, but no reason to go on either.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads standard output any more")]
pub(crate) struct ReaderGone;

/// Where `--help` shows how records can be printed.
const HEADING: &str = "Output";

/// How records are to be printed.
#[expect(clippy::struct_excessive_bools, reason = "flags of which clap takes one at most")]
#[derive(Args, Clone, Copy, Default)]
#[group(id = "output", multiple = false)]
pub(crate) struct OutputArgs {
    /// Print JSON: an object, or of a list an array of objects
    #[arg(long, help_heading = HEADING)]
    json: bool,
    /// Print YAML
    #[arg(long, help_heading = HEADING)]
    yaml: bool,
    /// Print comma-separated values with a header; what a spreadsheet would run is defused
    #[arg(long, help_heading = HEADING)]
    csv: bool,
    /// Print nothing but ids, one a line
    #[arg(long, short, help_heading = HEADING)]
    quiet: bool,
}

/// The same as one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    Words,
    /// `--json`
    Json,
    /// `--yaml`
    Yaml,
    /// `--csv`
    Csv,
    /// `--quiet`
    Ids,
}

impl OutputArgs {
    /// What was asked for.
    pub(crate) const fn format(self) -> Format {
        match self {
            Self { json: true, .. } => Format::Json,
            Self { yaml: true, .. } => Format::Yaml,
            Self { csv: true, .. } => Format::Csv,
            Self { quiet: true, .. } => Format::Ids,
            _ => Format::Words,
        }
    }
}

/// Where something is printed.
#[derive(Debug, Clone, Copy)]
struct Surroundings {
    now: Timestamp,
    /// How wide the terminal is, if it is one.
    terminal: Option<usize>,
}

impl Surroundings {
    fn of_standard_output(now: Timestamp) -> Self {
        Self { now, terminal: io::stdout().is_terminal().then(terminal_width) }
    }
}

/// What `COLUMNS` says, or the terminal itself.
fn terminal_width() -> usize {
    let said = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let found = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    said.or_else(found).filter(|width| *width > 0).unwrap_or(WIDTH)
}
