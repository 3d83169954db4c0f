//! What other processes may have cached and must look at again.

use rusqlite::{Connection, params};

use super::rows;
use crate::{
    Change, ChangePosition, ChangedRecord, NodeNumber, Result,
    columns::{ReadColumns as _, changes::read_record},
    words,
};

/// Processes take turns in one file, so their changes have one row of numbers.
const EVERYBODY: NodeNumber = NodeNumber(0);

/// The most changes of one answer.
const LIST_MAX: u32 = 1_000;

/// Leaves a change, in the transaction of what it tells about.
pub(super) fn leave(connection: &Connection, record: ChangedRecord) -> Result<()> {
    let (word, id) = words::changed_record(record);
    let left = "INSERT INTO changes (record, record_id) VALUES (?, ?)";
    rows::write(connection, left, params![word, id])?;
    Ok(())
}

/// Up to the last one.
pub(super) fn last(connection: &Connection) -> Result<ChangePosition> {
    let last: Option<u64> = rows::value(connection, "SELECT max(number) FROM changes", [])?;
    Ok(last.map(|number| (EVERYBODY, number)).into_iter().collect())
}

/// Those after a position, in order.
pub(super) fn list(connection: &Connection, after: &ChangePosition) -> Result<Vec<Change>> {
    let later = "SELECT number, record, record_id FROM changes WHERE number > ? \
        ORDER BY number LIMIT ?";
    rows::list(connection, later, params![after.of(EVERYBODY), LIST_MAX], |columns| {
        let number = columns.number()?;
        let record = read_record(columns)?;
        Ok(Change { node: EVERYBODY, number, record, age: None })
    })
}
