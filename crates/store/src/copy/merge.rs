//! Two tables side by side, in the order of their keys: what is missing, what differs, and what is
//! there too much. However large they are, only a few batches of rows are in memory.

use std::{cmp::Ordering, vec};

use tokio::task::JoinHandle;

use super::{
    Result, Side,
    tables::{Row, Table},
};
use crate::StoreError;

/// Rows that are read, or written, at once.
pub(super) const BATCH: usize = 4_096;

/// The rows of a table, one after the other; the next batch is read while this one is looked at.
pub(super) struct Rows {
    side: Side,
    table: &'static Table,
    batch: vec::IntoIter<Row>,
    next: Option<JoinHandle<crate::Result<Vec<Row>>>>,
}

impl Rows {
    /// From the first row on.
    pub(super) fn of(side: &Side, table: &'static Table) -> Self {
        Self::after(side, table, None)
    }

    /// From the first after an id on, of a table that is read in parts.
    pub(super) fn after(side: &Side, table: &'static Table, id: Option<i64>) -> Self {
        let batch = Vec::new().into_iter();
        let mut rows = Self { side: side.clone(), table, batch, next: None };
        rows.read_after(id);
        rows
    }

    fn read_after(&mut self, id: Option<i64>) {
        let (side, table) = (self.side.clone(), self.table);
        self.next = Some(tokio::spawn(async move { side.end.read(table, id, BATCH).await }));
    }

    /// The next row, which stays where it is.
    pub(super) async fn peek(&mut self) -> Result<Option<&Row>> {
        while self.batch.as_slice().is_empty()
            && let Some(next) = self.next.take()
        {
            let read = next.await.unwrap_or_else(|_| Err(given_up()));
            let batch = read.map_err(|error| self.side.failed(error))?;
            let is_full = self.table.is_read_in_parts() && batch.len() == BATCH;
            if let Some(last) = batch.last().filter(|_| is_full) {
                self.read_after(last.id());
            }
            self.batch = batch.into_iter();
        }
        Ok(self.batch.as_slice().first())
    }

    /// The next row.
    pub(super) async fn next(&mut self) -> Result<Option<Row>> {
        self.peek().await?;
        Ok(self.batch.next())
    }
}

/// A task that was not done, because it panicked or the program ends.
pub(super) fn given_up() -> StoreError {
    StoreError::Unavailable("the work was given up".to_owned())
}

/// What there is to say of one key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// Both have the row.
    Same,
    /// The target has no such row.
    Missing(Row),
    /// The target has another row.
    Differs {
        /// The one of the source.
        source: Row,
        /// The one of the target.
        target: Row,
    },
    /// Only the target has it.
    Extra(Row),
}

/// A table of the source, and the same of the target.
pub(super) struct Merge {
    table: &'static Table,
    source: Rows,
    target: Rows,
}

impl Merge {
    pub(super) fn of(source: &Side, target: &Side, table: &'static Table) -> Self {
        Self { table, source: Rows::of(source, table), target: Rows::of(target, table) }
    }

    /// What is found next.
    pub(super) async fn next(&mut self) -> Result<Option<Finding>> {
        let order = match (self.source.peek().await?, self.target.peek().await?) {
            (Some(source), Some(target)) => source.order(target, self.table),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return Ok(None),
        };
        Ok(match order {
            Ordering::Less => self.source.next().await?.map(Finding::Missing),
            Ordering::Greater => self.target.next().await?.map(Finding::Extra),
            Ordering::Equal => {
                let (source, target) = (self.source.next().await?, self.target.next().await?);
                source.zip(target).map(|(source, target)| {
                    if source == target {
                        Finding::Same
                    } else {
                        Finding::Differs { source, target }
                    }
                })
            }
        })
    }
}
