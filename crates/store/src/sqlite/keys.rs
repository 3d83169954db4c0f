//! Keys, sealed.

use rusqlite::{Connection, params};

use super::{changes, rows};
use crate::{
    ChangedRecord, Insertion, Result, SealedKey,
    columns::keys::{key_columns, read},
    words,
};

/// Every key, in the order of purpose and number.
pub(super) fn list(connection: &Connection) -> Result<Vec<SealedKey>> {
    let every = concat!("SELECT ", key_columns!(), " FROM keys ORDER BY purpose, number");
    rows::list(connection, every, [], |columns| read(columns))
}

/// Adds a key unless its number is taken.
pub(super) fn insert(connection: &Connection, key: &SealedKey) -> Result<Insertion> {
    let added = "INSERT INTO keys (purpose, number, sealed, created_at) VALUES (?, ?, ?, ?) \
        ON CONFLICT DO NOTHING";
    let added = rows::write(
        connection,
        added,
        params![
            words::key_purpose(key.purpose),
            key.number,
            key.sealed,
            key.created_at.as_millis()
        ],
    )?;
    if added == 0 {
        return Ok(Insertion::Duplicate);
    }
    changes::leave(connection, ChangedRecord::Keys)?;
    Ok(Insertion::Done)
}

/// Marks every key as lost and adds `replacements`.
pub(super) fn replace_lost(connection: &Connection, replacements: &[SealedKey]) -> Result<()> {
    rows::write(connection, "UPDATE keys SET sealed = NULL", [])?;
    for key in replacements {
        if insert(connection, key)? != Insertion::Done {
            return Err(crate::StoreError::Corrupt(format!(
                "the number {} of a new key is taken",
                key.number
            )));
        }
    }
    changes::leave(connection, ChangedRecord::Keys)
}
