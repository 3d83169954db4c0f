//! Making the tables of the target those of the source.
//!
//! 1. Where names are unique, rows of the target that will change or go give up theirs first, all
//!    of them: two users may have exchanged their addresses since the last copy. Where rows are
//!    unique by more than their key and nothing refers to them, they go.
//! 2. Rows that are missing or differ are written, in the order of tables: each is there before
//!    another refers to it.
//! 3. Rows that are there too much go, at once or, where others may still refer to them, at the
//!    end.

use std::collections::BTreeMap;

use tokio::task::JoinHandle;

use super::{
    Result, Side,
    merge::{BATCH, Finding, Merge, given_up},
    progress::Meter,
    tables::{LEASES, Row, TABLES, Table, Value},
};
use crate::{IdSequence, words};

/// All tables; how many rows of each were written or removed.
pub(super) async fn all(source: &Side, target: &Side, meter: &Meter) -> Result<Vec<u64>> {
    let mut changed = Vec::new();
    let mut late = Vec::new();
    for table in &TABLES {
        if table.frees_name.is_some() {
            free_names(source, target, table).await?;
        }
        let cleared = if table.is_cleared_first { clear(source, target, table).await? } else { 0 };
        let (written, is_late) = write(source, target, table, meter).await?;
        changed.push(cleared + written);
        if is_late {
            late.push(table);
        }
    }
    for table in late.into_iter().rev() {
        remove(source, target, table).await?;
    }
    Ok(changed)
}

/// Step 1.
async fn free_names(source: &Side, target: &Side, table: &'static Table) -> Result<()> {
    let mut keys = Vec::new();
    if target.tell(target.end.count(table).await)? == 0 {
        return Ok(());
    }
    let mut merge = Merge::of(source, target, table);
    while let Some(finding) = merge.next().await? {
        if let Finding::Differs { source: row, .. } | Finding::Extra(row) = finding {
            keys.push(row.into_key(table));
        }
        if keys.len() == BATCH {
            target.tell(target.end.free_names(table, std::mem::take(&mut keys)).await)?;
        }
    }
    target.tell(target.end.free_names(table, keys).await)
}

/// Step 1 where rows may go. How many are there too much: those that differ are written anew.
async fn clear(source: &Side, target: &Side, table: &'static Table) -> Result<u64> {
    let (mut keys, mut extra) = (Vec::new(), 0);
    let mut merge = Merge::of(source, target, table);
    while let Some(finding) = merge.next().await? {
        extra += u64::from(matches!(finding, Finding::Extra(_)));
        if let Finding::Differs { source: row, .. } | Finding::Extra(row) = finding {
            keys.push(row.into_key(table));
        }
        if keys.len() == BATCH {
            target.tell(target.end.remove(table, std::mem::take(&mut keys)).await)?;
        }
    }
    target.tell(target.end.remove(table, keys).await)?;
    Ok(extra)
}

/// Step 2, and step 3 where it may be at once. How many rows differed, and whether some have to be
/// removed later.
async fn write(
    source: &Side,
    target: &Side,
    table: &'static Table,
    meter: &Meter,
) -> Result<(u64, bool)> {
    let mut merge = Merge::of(source, target, table);
    let (mut changed, mut is_late) = (0, false);
    let (mut rows, mut keys) = (Vec::new(), Vec::new());
    let mut writing = Writing::new(target);
    while let Some(finding) = merge.next().await? {
        if !matches!(finding, Finding::Extra(_)) {
            meter.count();
        }
        changed += u64::from(finding != Finding::Same);
        match finding {
            Finding::Same => {}
            Finding::Missing(row) | Finding::Differs { source: row, .. } => rows.push(row),
            Finding::Extra(_) if table.is_referred_to => is_late = true,
            Finding::Extra(row) => keys.push(row.into_key(table)),
        }
        if rows.len() == BATCH {
            writing.write(table, std::mem::take(&mut rows)).await?;
        }
        if keys.len() == BATCH {
            target.tell(target.end.remove(table, std::mem::take(&mut keys)).await)?;
        }
    }
    writing.write(table, rows).await?;
    writing.end().await?;
    if !keys.is_empty() {
        target.tell(target.end.remove(table, keys).await)?;
    }
    Ok((changed, is_late))
}

/// Step 3 at the end.
async fn remove(source: &Side, target: &Side, table: &'static Table) -> Result<()> {
    let mut keys = Vec::new();
    let mut merge = Merge::of(source, target, table);
    while let Some(finding) = merge.next().await? {
        if let Finding::Extra(row) = finding {
            keys.push(row.into_key(table));
        }
        if keys.len() == BATCH {
            target.tell(target.end.remove(table, std::mem::take(&mut keys)).await)?;
        }
    }
    target.tell(target.end.remove(table, keys).await)
}

/// Writes one batch while the next one is put together.
struct Writing<'a> {
    target: &'a Side,
    under_way: Option<JoinHandle<crate::Result<()>>>,
}

impl<'a> Writing<'a> {
    const fn new(target: &'a Side) -> Self {
        Self { target, under_way: None }
    }

    async fn write(&mut self, table: &'static Table, rows: Vec<Row>) -> Result<()> {
        self.end().await?;
        if !rows.is_empty() {
            let target = self.target.clone();
            self.under_way = Some(tokio::spawn(async move { target.end.write(table, rows).await }));
        }
        Ok(())
    }

    async fn end(&mut self) -> Result<()> {
        match self.under_way.take() {
            Some(write) => self.target.tell(write.await.unwrap_or_else(|_| Err(given_up()))),
            None => Ok(()),
        }
    }
}

/// The sequences that both engines lease ids of.
const SEQUENCES: [IdSequence; 5] = [
    IdSequence::Tokens,
    IdSequence::Clients,
    IdSequence::Users,
    IdSequence::ApiTokens,
    IdSequence::SignInSessions,
];
/// Others of PostgreSQL's, each with the name of its table. `SQLite` numbers these rows itself, by
/// the highest id there is.
const NUMBERED: [&str; 2] = ["events", "refusals"];

/// The next ids of the target, where they are lower than the source's.
pub(super) async fn raise_leases(source: &Side, target: &Side) -> Result<()> {
    let mut ours = leases(source).await?;
    ours.retain(|sequence, _| is_of_ids(sequence));
    for table in TABLES.iter().filter(|table| NUMBERED.contains(&table.name)) {
        let last = source.tell(source.end.last_id(table).await)?;
        ours.insert(table.name.to_owned(), last + 1);
    }
    let theirs = leases(target).await?;
    ours.retain(|sequence, next| theirs.get(sequence).is_some_and(|theirs| theirs < next));
    let raised = ours
        .into_iter()
        .map(|(sequence, next)| Row(vec![Value::Text(sequence), Value::Integer(next)]));
    target.tell(target.end.write(&LEASES, raised.collect()).await)
}

/// Whether both engines lease ids of it.
pub(super) fn is_of_ids(sequence: &str) -> bool {
    SEQUENCES.iter().any(|known| words::id_sequence(*known) == sequence)
}

/// The next id of each sequence.
pub(super) async fn leases(side: &Side) -> Result<BTreeMap<String, i64>> {
    let rows = side.read_whole(&LEASES).await?;
    let leases = rows.into_iter().filter_map(|row| match <[Value; 2]>::try_from(row.0) {
        Ok([Value::Text(sequence), Value::Integer(next)]) => Some((sequence, next)),
        _ => None,
    });
    Ok(leases.collect())
}
