//! Backups are files of this engine, whatever database they are of.
//!
//! A backup is one file: its journal is a rollback journal, so nothing lies beside it once it is
//! closed. A table of its own, `backup`, says what it is; who restores it takes that out again.

use std::path::Path;

use rusqlite::{
    Connection, OpenFlags,
    backup::{Backup, StepResult},
    params,
};
use tokenry_protocol::time::Timestamp;

use super::{calls::unavailable, migrations, open::BUSY_TIMEOUT, rows};
use crate::{Result, StoreError, columns::ReadColumns as _, copy::BackupNote};

/// Pages that are written between two looks at how far it is: 16 MiB.
const PAGES_PER_STEP: i32 = 4_096;

const MAKE_NOTE: &str = "DROP TABLE IF EXISTS backup; \
    CREATE TABLE backup (taken_at INTEGER NOT NULL, source TEXT NOT NULL, version TEXT NOT NULL, \
    settled_at INTEGER) STRICT";

/// Writes all pages of the moment that a connection's transaction sees. While that is open the
/// source is not looked at anew, so whoever writes meanwhile neither waits nor is seen.
pub(super) fn write_pages(
    source: &Connection,
    file: &Path,
    tell: &(dyn Fn(u64, u64) + Send),
) -> Result<()> {
    let mut target = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // Nobody needs what a crash leaves of it; it is synced at the end.
    target.pragma_update(None, "synchronous", "OFF")?;
    target.pragma_update(None, "journal_mode", "OFF")?;
    let backup = Backup::new(source, &mut target)?;
    loop {
        let step = backup.step(PAGES_PER_STEP)?;
        let pages = backup.progress();
        let count = |pages: i32| u64::try_from(pages).unwrap_or(0);
        tell(count(pages.pagecount - pages.remaining), count(pages.pagecount));
        match step {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            // Readers of a log wait for nobody, and nobody else has the file.
            _ => return Err(unavailable("the database is locked by another program")),
        }
    }
}

/// Says what a file is, and makes it one that nothing has to lie beside.
pub(crate) fn seal(file: &Path, note: &BackupNote) -> Result<()> {
    let connection = connect(file)?;
    connection.execute_batch(MAKE_NOTE)?;
    let BackupNote { taken_at, source, version, .. } = note;
    connection.execute(
        "INSERT INTO backup (taken_at, source, version) VALUES (?, ?, ?)",
        params![taken_at.as_millis(), source, version],
    )?;
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get(0))?;
    if mode != "delete" {
        return Err(unavailable("the backup is in use by another program"));
    }
    drop(connection);
    std::fs::File::open(file)
        .and_then(|file| file.sync_all())
        .map_err(|error| unavailable(&format!("{}: {error}", file.display())))
}

/// What a file says of itself; `None` if it is no backup.
pub(crate) fn read_note(file: &Path) -> Result<Option<BackupNote>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    let schema = migrations::version(&connection)?;
    let is_there = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'backup')";
    if !rows::value::<bool>(&connection, is_there, [])? {
        return Ok(None);
    }
    let read = "SELECT taken_at, source, version, settled_at FROM backup";
    rows::find(&connection, read, [], |columns| {
        Ok(BackupNote {
            taken_at: columns.time()?,
            source: columns.text()?,
            version: columns.text()?,
            settled_at: columns.time_set()?,
            is_of_this_schema: schema == migrations::NEWEST,
        })
    })
}

/// Reads every page and every index.
pub(crate) fn check(file: &Path) -> Result<()> {
    let connection = connect(file)?;
    let said: String = connection
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(|error| StoreError::Corrupt(error.to_string()))?;
    if said == "ok" { Ok(()) } else { Err(StoreError::Corrupt(said)) }
}

/// Ends every token, API token and session there is: how many.
pub(crate) fn end_all(file: &Path) -> Result<[u64; 3]> {
    let connection = connect(file)?;
    let mut ended = [0; 3];
    for (table, ended) in ["tokens", "api_tokens", "sign_in_sessions"].iter().zip(&mut ended) {
        *ended = rows::value(&connection, &format!("SELECT count(*) FROM {table}"), [])?;
    }
    connection.execute_batch(
        "BEGIN; DELETE FROM tokens; DELETE FROM listing_parts; DELETE FROM listing_blocks; \
         DELETE FROM api_tokens; DELETE FROM sign_in_sessions; COMMIT",
    )?;
    Ok(ended)
}

/// Notes that a restored file may be served as soon as it is in its place.
pub(crate) fn note_settled(file: &Path, now: Timestamp) -> Result<()> {
    let connection = connect(file)?;
    connection.execute("UPDATE backup SET settled_at = ?", [now.as_millis()])?;
    put_log_into(&connection)
}

/// Takes out what only a backup has, and the next server finds a database like any other.
pub(crate) fn unseal(file: &Path) -> Result<()> {
    let connection = connect(file)?;
    connection.execute_batch(
        "BEGIN; DROP TABLE IF EXISTS backup; DROP TABLE IF EXISTS copied_tables; COMMIT",
    )?;
    put_log_into(&connection)
}

/// Puts the log of a database that nobody uses into it, so that the file is all there is of it.
pub(crate) fn close_log(file: &Path) -> Result<()> {
    put_log_into(&connect(file)?)
}

fn put_log_into(connection: &Connection) -> Result<()> {
    let busy: bool =
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    if busy { Err(unavailable("the database is in use by another program")) } else { Ok(()) }
}

fn connect(file: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}
