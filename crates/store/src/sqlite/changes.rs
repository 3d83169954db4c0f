//! What other processes may have cached and must look at again.

use rusqlite::{Connection, params};

use super::rows;
use crate::{Change, ChangePosition, ChangedRecord, NodeNumber, Result};

/// Processes take turns in one file, so their changes have one row of numbers.
const EVERYBODY: NodeNumber = NodeNumber(0);

/// The most changes of one answer.
const LIST_MAX: u32 = 1_000;

const CLIENT: &str = "client";
const USER: &str = "user";
const API_TOKEN: &str = "api_token";
const TOKEN: &str = "token";
const KEYS: &str = "keys";

/// Leaves a change, in the transaction of what it tells about.
pub(super) fn leave(connection: &Connection, record: ChangedRecord) -> Result<()> {
    let (word, id) = match record {
        ChangedRecord::Client(id) => (CLIENT, Some(id.get())),
        ChangedRecord::User(id) => (USER, Some(id.get())),
        ChangedRecord::ApiToken(id) => (API_TOKEN, Some(id.get())),
        ChangedRecord::Token(id) => (TOKEN, Some(id.get())),
        ChangedRecord::Keys => (KEYS, None),
    };
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
        let number = columns.plain()?;
        let word: String = columns.plain()?;
        let record = columns.read(|id: Option<u64>| parse(&word, id))?;
        Ok(Change { node: EVERYBODY, number, record })
    })
}

fn parse(word: &str, id: Option<u64>) -> Option<ChangedRecord> {
    match (word, id) {
        (CLIENT, Some(id)) => id.try_into().ok().map(ChangedRecord::Client),
        (USER, Some(id)) => id.try_into().ok().map(ChangedRecord::User),
        (API_TOKEN, Some(id)) => id.try_into().ok().map(ChangedRecord::ApiToken),
        (TOKEN, Some(id)) => id.try_into().ok().map(ChangedRecord::Token),
        (KEYS, None) => Some(ChangedRecord::Keys),
        _ => None,
    }
}
