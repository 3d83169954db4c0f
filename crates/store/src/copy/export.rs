//! Exporting records as JSON Lines.
//!
//! 1. A header: `{"kind":"tokenry_export","format":1,"taken_at":…,"counts":{…},"next_ids":{…}}`.
//! 2. A line for each record, table by table, in the order of their keys ([`lines`]).
//! 3. `{"kind":"end","lines":…,"sha256":…}`: how many lines come before it, and their digest. A
//!    file without it was broken off.
//!
//! One that was broken off is gone on with after its last whole line. What comes then is of a later
//! moment, and a line `{"kind":"resumed",…}` says so. Records of users and clients that the lines
//! before do not have are left out ([`parents`](super::parents)).

use std::{
    collections::BTreeMap,
    io::{BufRead, Write},
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use sha2::{Digest as _, Sha256};
use tokenry_protocol::time::Timestamp;

use super::{
    CopyError, Result, Side,
    lines::{self, KIND, Records, hex},
    merge::Rows,
    parents::Parents,
    progress::{Progress, Stage},
    tables::{Row, Table},
    transfer,
};

/// The kinds of lines that are no records.
pub(super) const HEADER: &str = "tokenry_export";
pub(super) const RESUMED: &str = "resumed";
pub(super) const END: &str = "end";
/// What this program writes, and the only format that it reads.
const FORMAT: u32 = 1;

/// The first line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Header {
    kind: String,
    /// Of the lines.
    pub format: u32,
    /// When it was begun.
    pub taken_at: Timestamp,
    /// The program that wrote it.
    pub version: String,
    /// How many records of each kind there were then.
    pub counts: BTreeMap<String, u64>,
    /// The next id of each sequence: whoever imports gives none that was given before.
    pub next_ids: BTreeMap<String, i64>,
}

#[derive(Serialize)]
struct Resumed {
    kind: &'static str,
    at: Timestamp,
    next_ids: BTreeMap<String, i64>,
    left_out: &'static str,
}

/// What is not among the lines behind it.
const LEFT_OUT: &str = "records of users and clients that came after their lines were written";

#[derive(Serialize)]
struct End {
    kind: &'static str,
    lines: u64,
    sha256: String,
}

/// What there is of an export.
#[derive(Debug)]
pub struct Begun {
    /// Its first line.
    pub header: Header,
    /// The bytes of its whole lines, `end` not counted.
    pub bytes: u64,
    /// How many lines those are.
    pub lines: u64,
    /// Whether its end is there, and right.
    pub is_whole: bool,
    digest: Sha256,
    last: Option<(&'static Table, Row)>,
    parents: Parents,
}

/// What the lines of an export that goes on have already.
#[derive(Default)]
struct There {
    last: Option<(&'static Table, Row)>,
    /// `None` where all is of one moment.
    parents: Option<Parents>,
}

/// Lines, and what they amount to.
struct Lines<'a> {
    out: &'a mut (dyn Write + Send),
    digest: Sha256,
    count: u64,
}

impl Lines<'_> {
    fn write(&mut self, line: &str) -> Result<()> {
        self.digest.update(line);
        self.digest.update("\n");
        self.count += 1;
        writeln!(self.out, "{line}").map_err(CopyError::Lines)
    }

    fn write_json(&mut self, line: &impl Serialize) -> Result<()> {
        let line = serde_json::to_string(line).map_err(|error| CopyError::Lines(error.into()))?;
        self.write(&line)
    }

    fn end(mut self) -> Result<u64> {
        let lines = self.count;
        let sha256 = hex(&self.digest.clone().finalize());
        self.write_json(&End { kind: END, lines, sha256 })?;
        self.out.flush().map_err(CopyError::Lines)?;
        Ok(lines + 1)
    }
}

/// What is exported.
#[derive(Debug)]
pub enum Start<'a> {
    /// All of what is wanted.
    New {
        /// Nothing is everything.
        only: &'a [Records],
        /// The program that writes it.
        version: &'a str,
    },
    /// What is missing of what was begun.
    Rest(Box<Begun>),
}

/// Writes lines from a snapshot. How many lines there are then.
pub async fn export(
    source: &Side,
    start: Start<'_>,
    now: Timestamp,
    out: &mut (dyn Write + Send),
    progress: &Progress,
) -> Result<u64> {
    let tables = match &start {
        Start::New { only, .. } => lines::tables(only),
        Start::Rest(begun) => begun.header.tables(),
    };
    let mut counts = BTreeMap::new();
    for (table, kind) in &tables {
        counts.insert((*kind).to_owned(), source.tell(source.end.count(table).await)?);
    }
    let meter = progress.stage(Stage::Export, counts.values().sum());
    let (mut lines, There { last, mut parents }) = begin(source, start, counts, (now, out)).await?;
    let place = |table: &Table| tables.iter().position(|(known, _)| known.name == table.name);
    let reached = last.as_ref().and_then(|(table, _)| place(table)).unwrap_or(0);
    for (table, kind) in tables.iter().skip(reached) {
        let last = last.as_ref().filter(|(reached, _)| reached.name == table.name);
        let last = last.map(|(_, row)| row);
        let mut rows = Rows::after(source, table, last.and_then(Row::id));
        while let Some(row) = rows.next().await? {
            meter.count();
            let is_there = |parents: &Parents| parents.are_there(table, &row);
            // A table that is not read in parts is read from its first row on.
            if last.is_some_and(|last| row.order(last, table).is_le())
                || !parents.as_ref().is_none_or(is_there)
            {
                continue;
            }
            lines.write(&lines::write(table, kind, &row))?;
            if let Some(parents) = &mut parents {
                parents.note(table, row.id());
            }
        }
    }
    meter.end();
    lines.end()
}

/// The first line that is written now, and what is there already.
async fn begin<'a>(
    source: &Side,
    start: Start<'_>,
    counts: BTreeMap<String, u64>,
    (now, out): (Timestamp, &'a mut (dyn Write + Send)),
) -> Result<(Lines<'a>, There)> {
    let mut next_ids = transfer::leases(source).await?;
    next_ids.retain(|sequence, _| transfer::is_of_ids(sequence));
    match start {
        Start::New { version, .. } => {
            let mut lines = Lines { out, digest: Sha256::new(), count: 0 };
            let (kind, version) = (HEADER.to_owned(), version.to_owned());
            let header = Header { kind, format: FORMAT, taken_at: now, version, counts, next_ids };
            lines.write_json(&header)?;
            Ok((lines, There::default()))
        }
        Start::Rest(begun) => {
            let mut lines = Lines { out, digest: begun.digest, count: begun.lines };
            let left_out = LEFT_OUT;
            lines.write_json(&Resumed { kind: RESUMED, at: now, next_ids, left_out })?;
            Ok((lines, There { last: begun.last, parents: Some(begun.parents) }))
        }
    }
}

impl Header {
    /// What it announces.
    fn tables(&self) -> Vec<(&'static Table, &'static str)> {
        let mut tables = lines::tables(&[]);
        tables.retain(|(_, kind)| self.counts.contains_key(*kind));
        tables
    }

    fn read(line: &str) -> Result<Self> {
        let wrong = |what: String| CopyError::Line { line: 1, what };
        let header: Self = serde_json::from_str(line)
            .map_err(|error| wrong(format!("it is no export of Tokenry: {error}")))?;
        if header.kind != HEADER || header.format != FORMAT {
            return Err(wrong(format!(
                "it is of format {}, and this version reads format {FORMAT}",
                header.format
            )));
        }
        Ok(header)
    }
}

/// Reads what there is of an export, and compares it with its digest if it is whole.
pub fn read_begun(mut file: impl BufRead, progress: impl Fn(u64)) -> Result<Begun> {
    let mut line = String::new();
    let mut next = |line: &mut String| {
        line.clear();
        file.read_line(line).map_err(CopyError::Lines)?;
        // What comes after the last newline is half of a line.
        Ok::<_, CopyError>(line.ends_with('\n'))
    };
    if !next(&mut line)? {
        return Err(CopyError::Line { line: 1, what: "it has no header".to_owned() });
    }
    let header = Header::read(&line)?;
    let mut digest = Sha256::new();
    let mut parents = Parents::of(&header.tables());
    let (mut bytes, mut count, mut last) = (0, 0, None);
    loop {
        digest.update(&line);
        bytes += u64::try_from(line.len()).unwrap_or(u64::MAX);
        count += 1;
        progress(bytes);
        if let Some(table) = table_of_parent(&line) {
            parents.note(table, read_object(&line, count)?.get("id").and_then(Json::as_i64));
        }
        if count > 1 && !line.starts_with(r#"{"kind":"resumed","#) {
            last = Some((std::mem::take(&mut line), count));
        }
        if !next(&mut line)? {
            let last = last.map(|(line, number)| record_of(&line, number)).transpose()?;
            let is_whole = false;
            return Ok(Begun { header, bytes, lines: count, is_whole, digest, last, parents });
        }
        if is_end(&line) {
            let right = End { kind: END, lines: count, sha256: hex(&digest.clone().finalize()) };
            let right = serde_json::to_string(&right);
            if !right.is_ok_and(|right| right == line.trim_end()) {
                return Err(CopyError::Line {
                    line: count + 1,
                    what: "its digest is not that of the lines before: it was changed".to_owned(),
                });
            }
            let (is_whole, last) = (true, None);
            return Ok(Begun { header, bytes, lines: count, is_whole, digest, last, parents });
        }
    }
}

/// Only lines of users and clients are read one by one.
fn table_of_parent(line: &str) -> Option<&'static Table> {
    let kind = ["user", "client"].into_iter();
    let mut kind = kind.filter(|kind| line.starts_with(&format!(r#"{{"kind":"{kind}","#)));
    lines::table_of(kind.next()?)
}

fn is_end(line: &str) -> bool {
    line.starts_with(r#"{"kind":"end","#)
}

/// The record that a line is of.
fn record_of(line: &str, number: u64) -> Result<(&'static Table, Row)> {
    let object = read_object(line, number)?;
    let wrong = |what: String| CopyError::Line { line: number, what };
    let table = object.get(KIND).and_then(Json::as_str).and_then(lines::table_of);
    let table = table.ok_or_else(|| wrong("its kind is unknown".to_owned()))?;
    Ok((table, lines::read(table, &object).map_err(wrong)?))
}

/// A line as an object.
pub(super) fn read_object(line: &str, number: u64) -> Result<Map<String, Json>> {
    serde_json::from_str(line)
        .map_err(|error| CopyError::Line { line: number, what: error.to_string() })
}
