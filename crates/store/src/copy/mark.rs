//! Whether a target may be written, and how it shows what it is.
//!
//! A target has a table with a row for each table that is copied: its digest, or NULL while the
//! copy is under way. So:
//!
//! * no marks and no rows: it is empty;
//! * no marks, and rows: somebody's own installation;
//! * marks, and keys that are not the source's: a copy of another installation;
//! * digests that are missing: a copy was broken off, and nobody has served since, for no store
//!   opens such a database;
//! * digests that are there: nobody has served since if they are still right.

use super::{
    Copied, CopyError, Result, Side, count, digest,
    progress::{Progress, Stage},
    tables::{MARKS, Row, TABLES, Table, Value},
};

/// The table that shows whose installation it is.
pub(super) fn keys() -> &'static Table {
    let [keys, ..] = &TABLES;
    keys
}

/// Refuses a target that must not be written.
pub(super) async fn admit(source: &Side, target: &Side, progress: &Progress) -> Result<()> {
    let ours = source.read_whole(keys()).await?;
    if ours.is_empty() {
        return Err(CopyError::NoInstallation);
    }
    let rows = count(target).await?;
    if rows == 0 {
        return Ok(());
    }
    let theirs = target.read_whole(keys()).await?;
    let mut marks = all(target).await?;
    marks.retain(is_of_table);
    if marks.is_empty() || !is_kin(&ours, &theirs) {
        return Err(CopyError::Foreign);
    }
    if marks.iter().any(|mark| mark.0.contains(&Value::Null)) {
        return Ok(());
    }
    let meter = progress.stage(Stage::Check, rows);
    for table in &TABLES {
        let amount = digest::of(target.clone(), table, Some(meter.clone())).await?;
        if !marks.contains(&mark(table.name, amount.rows, Some(amount.digest))) {
            return Err(CopyError::Changed { table: table.name });
        }
    }
    meter.end();
    Ok(())
}

async fn all(target: &Side) -> Result<Vec<Row>> {
    if target.tell(target.end.has(&MARKS).await)? {
        target.read_whole(&MARKS).await
    } else {
        Ok(Vec::new())
    }
}

/// Others are notes of an import.
fn is_of_table(mark: &Row) -> bool {
    let named = |table: &Table| mark.0.first() == Some(&Value::Text(table.name.to_owned()));
    TABLES.iter().any(named)
}

/// Whether both are one installation, of whatever time: one has all keys of the other.
pub(super) async fn are_kin(one: &Side, other: &Side) -> Result<bool> {
    let (ours, theirs) = (one.read_whole(keys()).await?, other.read_whole(keys()).await?);
    let are_there = !ours.is_empty() && !theirs.is_empty();
    Ok(are_there && (is_kin(&ours, &theirs) || is_kin(&theirs, &ours)))
}

/// Whether all keys of the target are the source's: the same number, made at the same moment and
/// sealed the same, unless the source has lost it since.
fn is_kin(ours: &[Row], theirs: &[Row]) -> bool {
    let same = |our: &Row, their: &Row| {
        let pairs = our.0.iter().zip(&their.0).enumerate();
        let mut pairs = pairs.map(|(at, (our, their))| our == their || is_lost(at, our));
        pairs.all(|is_same| is_same)
    };
    theirs.iter().all(|their| ours.iter().any(|our| same(our, their)))
}

/// A lost key has nothing sealed any more.
fn is_lost(at: usize, value: &Value) -> bool {
    let name = keys().columns.get(at).map(|column| column.name);
    name == Some("sealed") && *value == Value::Null
}

fn mark(table: &str, rows: u64, digest: Option<[u8; 32]>) -> Row {
    Row(vec![
        Value::Text(table.to_owned()),
        Value::Integer(i64::try_from(rows).unwrap_or(i64::MAX)),
        digest.map_or(Value::Null, |digest| Value::Bytes(digest.to_vec())),
    ])
}

/// Marks the target as unfinished. What an import has noted is of the rows that were there before.
pub(super) async fn begin(target: &Side) -> Result<()> {
    target.tell(target.end.make_marks().await)?;
    let mut notes = target.read_whole(&MARKS).await?;
    notes.retain(|mark| !is_of_table(mark));
    let notes = notes.into_iter().map(|note| note.into_key(&MARKS)).collect();
    target.tell(target.end.remove(&MARKS, notes).await)?;
    let marks = TABLES.iter().map(|table| mark(table.name, 0, None)).collect();
    target.tell(target.end.write(&MARKS, marks).await)
}

/// Marks the target as whole, for as long as nobody changes it.
pub(super) async fn finish(target: &Side, copied: &[Copied]) -> Result<()> {
    let marks = copied.iter().map(|copied| mark(copied.table, copied.rows, Some(copied.digest)));
    target.tell(target.end.write(&MARKS, marks.collect()).await)
}
