//! Importing records from JSON Lines.
//!
//! Lines and the rows of the database go side by side, in the order of their keys: a record that is
//! there and the same is left alone, one that is new here is written, and one that differs stops
//! the import with the number of its line. So does one that is missing although its id was given or
//! taken in before ([`passed_over`](super::passed_over)): it was revoked, and would work again. An
//! import can be run again wherever it was broken off.

use std::{collections::BTreeMap, io::BufRead};

use serde::Deserialize;
use serde_json::Value as Json;

use super::{
    CopyError, Result, Side,
    export::{Begun, END, RESUMED, read_object},
    lines::{self, KIND, Records},
    merge::{BATCH, Rows},
    passed_over::PassedOver,
    progress::{Progress, Stage},
    restore::is_unfinished,
    tables::{Row, TOKENS, Table},
};
use crate::StoreError;

/// Records of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The kind.
    pub kind: &'static str,
    /// Records that were written.
    pub written: u64,
    /// Records that were there already.
    pub same: u64,
}

/// What becomes of a record that was in the target and is there no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// It stops the import: whoever revoked or deleted it meant that.
    Stays,
    /// It is written, and works again.
    Revives,
}

/// What of an export is taken in.
#[derive(Debug, Clone, Copy)]
pub struct Taken<'a> {
    /// Nothing is everything.
    pub only: &'a [Records],
    /// What was ended in the target.
    pub gone: Gone,
}

/// Reads the lines of an export that is whole, from its first on.
pub async fn import(
    target: &Side,
    taken: Taken<'_>,
    begun: &Begun,
    file: impl BufRead,
    progress: &Progress,
) -> Result<Vec<Imported>> {
    if is_unfinished(target).await? {
        return Err(target.failed(StoreError::UnfinishedCopy));
    }
    let meter = progress.stage(Stage::Import, begun.lines);
    let passed_over = PassedOver::read(target).await?;
    let mut importing = Importing::new(target, taken, passed_over);
    importing.passed_over.raise(target, &begun.header.next_ids).await?;
    for (line, number) in file.lines().zip(1..).skip(1) {
        let line = line.map_err(CopyError::Lines)?;
        if number > begun.lines {
            break;
        }
        importing.take(&line, number).await?;
        meter.count();
    }
    let imported = importing.end().await?;
    meter.end();
    Ok(imported)
}

#[derive(Deserialize)]
struct Resumed {
    next_ids: BTreeMap<String, i64>,
}

struct Importing<'a> {
    target: &'a Side,
    wanted: Vec<(&'static Table, &'static str)>,
    /// Where among the wanted ones the lines are.
    at: usize,
    /// The rows of that table.
    rows: Option<Rows>,
    last: Option<Row>,
    batch: Vec<(u64, Row)>,
    imported: Vec<Imported>,
    has_tokens: bool,
    gone: Gone,
    passed_over: PassedOver,
}

impl<'a> Importing<'a> {
    fn new(target: &'a Side, taken: Taken<'_>, passed_over: PassedOver) -> Self {
        let wanted = lines::tables(taken.only);
        let none = |(_, kind): &(_, &'static str)| Imported { kind, written: 0, same: 0 };
        let imported = wanted.iter().map(none).collect();
        let (rows, last, batch) = (None, None, Vec::new());
        let (at, has_tokens, gone) = (0, false, taken.gone);
        Self { target, wanted, at, rows, last, batch, imported, has_tokens, gone, passed_over }
    }

    /// One line.
    async fn take(&mut self, line: &str, number: u64) -> Result<()> {
        let wrong = |what: &str| CopyError::Line { line: number, what: what.to_owned() };
        let object = read_object(line, number)?;
        let kind = object.get(KIND).and_then(Json::as_str).unwrap_or_default();
        if kind == RESUMED {
            let resumed: Resumed = serde_json::from_str(line)
                .map_err(|error| CopyError::Line { line: number, what: error.to_string() })?;
            return self.passed_over.raise(self.target, &resumed.next_ids).await;
        }
        let Some(table) = lines::table_of(kind) else {
            let what = if kind == END { "its end is in the middle" } else { "its kind is unknown" };
            return Err(wrong(what));
        };
        let Some(at) = self.wanted.iter().position(|(wanted, _)| wanted.name == table.name) else {
            return Ok(());
        };
        if at < self.at {
            return Err(wrong("records of this kind belong further up"));
        }
        if at > self.at || self.rows.is_none() {
            self.flush().await?;
            self.at = at;
            self.last = None;
            self.rows = Some(Rows::of(self.target, table));
        }
        let row =
            lines::read(table, &object).map_err(|what| CopyError::Line { line: number, what })?;
        if self.last.as_ref().is_some_and(|last| row.order(last, table).is_le()) {
            return Err(wrong("records are in the order of their ids, and this one is not"));
        }
        self.last = Some(row.clone());
        self.compare(table, row, number).await
    }

    /// Goes on to where the row is or would be.
    async fn compare(&mut self, table: &'static Table, row: Row, number: u64) -> Result<()> {
        if let Some(rows) = &mut self.rows {
            while let Some(there) = rows.peek().await? {
                let order = there.order(&row, table);
                if order.is_lt() {
                    rows.next().await?;
                    continue;
                }
                if order.is_gt() {
                    break;
                }
                if *there != row {
                    return Err(CopyError::Line {
                        line: number,
                        what: format!(
                            "{} is in the database already, and differs; nothing is overwritten. \
                             Import into an empty database",
                            self.name(table, &row)
                        ),
                    });
                }
                self.counted(|imported| imported.same += 1);
                return Ok(());
            }
        }
        if self.gone == Gone::Stays && !self.passed_over.has(table, &row) {
            let name = self.name(table, &row);
            self.flush().await?;
            return Err(CopyError::Line {
                line: number,
                what: format!(
                    "{name} is not in the database, though its id was given there before: it was \
                     revoked or deleted since, and stays so. To make this and all others like it \
                     work again, say --revive"
                ),
            });
        }
        self.batch.push((number, row));
        if self.batch.len() == BATCH { self.flush().await } else { Ok(()) }
    }

    /// As messages show a row.
    fn name(&self, table: &Table, row: &Row) -> String {
        let kind = self.wanted.get(self.at).map_or("it", |(_, kind)| kind);
        format!("{kind} {}", row.name(table))
    }

    fn counted(&mut self, count: impl FnOnce(&mut Imported)) {
        if let Some(imported) = self.imported.get_mut(self.at) {
            count(imported);
        }
    }

    async fn flush(&mut self) -> Result<()> {
        let Some((table, _)) = self.wanted.get(self.at).copied() else {
            return Ok(());
        };
        if self.batch.is_empty() {
            return Ok(());
        }
        if table.name == TOKENS && !self.has_tokens {
            // Whose they are is listed anew, wherever among the others they come.
            self.target.tell(self.target.end.begin().await)?;
            self.has_tokens = true;
        }
        let batch = std::mem::take(&mut self.batch);
        let written = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        let rows = batch.iter().map(|(_, row)| row.clone()).collect();
        let note = self.passed_over.behind(table, batch.last().map(|(_, row)| row));
        if self.target.end.write_noted(table, rows, note).await.is_err() {
            self.find_refused(table, batch).await?;
        }
        self.counted(|imported| imported.written += written);
        Ok(())
    }

    /// Writes row by row what could not be written together, to find the one that is in the way.
    async fn find_refused(&self, table: &'static Table, batch: Vec<(u64, Row)>) -> Result<()> {
        for (line, row) in batch {
            let name = row.name(table);
            if let Err(error) = self.target.end.write(table, vec![row]).await {
                let what = format!(
                    "{} {name} is not taken: {}. What it refers to has to be there, and its \
                     name has to be free",
                    table.name,
                    error.reason()
                );
                return Err(CopyError::Line { line, what });
            }
        }
        Ok(())
    }

    async fn end(mut self) -> Result<Vec<Imported>> {
        self.flush().await?;
        if self.has_tokens {
            self.target.tell(self.target.end.finish().await)?;
        }
        Ok(self.imported)
    }
}
