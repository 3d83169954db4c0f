//! The schema, step by step: forward only, all missing steps in one transaction.

use std::time::Instant;

use rusqlite::{Connection, TransactionBehavior};

use super::{calls::unavailable, listings};
use crate::{Result, Schema, StoreError};

/// Every step; the schema's number, `user_version`, is how many of them were taken.
const STEPS: [&str; 6] = [
    include_str!("../../migrations/sqlite/0001_initial.sql"),
    include_str!("../../migrations/sqlite/0002_listings.sql"),
    include_str!("../../migrations/sqlite/0003_listing_parts.sql"),
    include_str!("../../migrations/sqlite/0004_several_nodes.sql"),
    include_str!("../../migrations/sqlite/0005_refusals.sql"),
    include_str!("../../migrations/sqlite/0006_account_wide_api_tokens.sql"),
];

/// `Tkny`: marks the file as ours for whoever looks at it from outside.
const APPLICATION_ID: i32 = 0x546B_6E79;

/// The schema that this program writes.
#[expect(clippy::cast_possible_truncation, reason = "there will not be 2^32 steps")]
pub(super) const NEWEST: u32 = STEPS.len() as u32;

/// The step after which all tokens have to be listed again.
const LISTING_PARTS: u32 = 3;

/// Brings the schema up to date. A newer one, or another program's, is refused before anything is
/// touched.
pub(super) fn migrate(connection: &mut Connection) -> Result<()> {
    let found = version(connection)?;
    refuse_foreign(connection, found)?;
    refuse_newer(found)?;
    keep_log(connection)?;
    if found == NEWEST {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have migrated while this one waited for the lock.
    let found = version(&transaction)?;
    refuse_newer(found)?;
    let taken = usize::try_from(found).unwrap_or(usize::MAX);
    // A new file is nothing to wait for.
    let is_told = found > 0 && found < NEWEST;
    if is_told {
        tracing::info!(from = found, to = NEWEST, "bringing the database's schema up to date");
    }
    let began = Instant::now();
    for step in STEPS.iter().skip(taken) {
        transaction.execute_batch(step)?;
    }
    if found < LISTING_PARTS {
        listings::list_all(&transaction)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", NEWEST)?;
    transaction.commit()?;
    if is_told {
        let seconds = began.elapsed().as_secs_f64();
        tracing::info!(seconds, "the database's schema is up to date");
    }
    Ok(())
}

/// The mode stays in the file, so only the first opening ever changes it, also that of a backup.
fn keep_log(connection: &Connection) -> Result<()> {
    let is_kept = |mode: &str| ["wal", "memory"].contains(&mode);
    let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    if is_kept(&mode) {
        return Ok(());
    }
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if is_kept(&mode) {
        return Ok(());
    }
    Err(unavailable("the database cannot keep a write-ahead log"))
}

/// Refuses every schema but the newest, and leaves it as it is.
pub(super) fn refuse_other(connection: &Connection) -> Result<()> {
    let Schema { found, known } = look(connection)?;
    if found < known { Err(StoreError::SchemaTooOld { found, known }) } else { Ok(()) }
}

/// Looks at the schema and changes nothing. What cannot be brought up to date is an error.
pub(super) fn look(connection: &Connection) -> Result<Schema> {
    let found = version(connection)?;
    refuse_foreign(connection, found)?;
    refuse_newer(found)?;
    Ok(Schema { found, known: NEWEST })
}

/// How many steps were taken.
pub(super) fn version(connection: &Connection) -> Result<u32> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

/// Ours is marked, or was never written to.
fn refuse_foreign(connection: &Connection, found: u32) -> Result<()> {
    let is_empty = "SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)";
    let is_new = found == 0 && connection.query_row(is_empty, [], |row| row.get(0))?;
    // Looked at last: a process that makes the database at this moment has marked it by now.
    let mark: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if is_new || mark == APPLICATION_ID {
        return Ok(());
    }
    Err(StoreError::Corrupt("this is a database of another program".to_owned()))
}

const fn refuse_newer(found: u32) -> Result<()> {
    if found > NEWEST {
        return Err(StoreError::SchemaTooNew { found, known: NEWEST });
    }
    Ok(())
}
