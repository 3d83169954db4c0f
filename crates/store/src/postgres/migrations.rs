//! The schema, step by step: forward only.
//!
//! 1. The table `tokenry_schema`, of one row, says which steps were taken. It is made before every
//!    other, so a schema with tables and without it is another program's.
//! 2. Whoever has a step to take locks that row, looks again, and takes all that are missing. A
//!    row's lock is had on every engine; several nodes that start at once take turns.
//! 3. Steps may run again over what they have made, because not every engine undoes definitions.

use std::{sync::Arc, time::Instant};

use tokio_postgres::error::SqlState;

use super::{
    calls::{Call, Failure, Query, Repeat, pause},
    pool::Pool,
    rows::Columns,
    session::Session,
    values::values,
};
use crate::{Result, Schema, StoreError, columns::ReadColumns as _};

/// Every step; the schema's number is how many of them were taken.
const STEPS: [&str; 6] = [
    include_str!("../../migrations/postgres/0001_initial.sql"),
    include_str!("../../migrations/postgres/0002_listings.sql"),
    include_str!("../../migrations/postgres/0003_listing_parts.sql"),
    include_str!("../../migrations/postgres/0004_several_nodes.sql"),
    include_str!("../../migrations/postgres/0005_refusals.sql"),
    include_str!("../../migrations/postgres/0006_account_wide_api_tokens.sql"),
];

/// The schema that this program writes.
#[expect(clippy::cast_possible_truncation, reason = "there will not be 2^32 steps")]
const NEWEST: u32 = STEPS.len() as u32;

/// How often making the first table is tried again, when another node makes it at this moment.
const ATTEMPTS_MAX: u32 = 20;

/// Brings the schema up to date. A newer one, or another program's, is refused before anything is
/// touched.
pub(super) async fn migrate(pool: &Arc<Pool>) -> Result<()> {
    if is_marked(pool).await? {
        let found = version(pool).await?;
        refuse_newer(found)?;
        if found == NEWEST {
            return Ok(());
        }
    }
    mark(pool).await?;
    let mut attempts = 0;
    loop {
        let lease = pool.acquire(pool.deadline()).await?;
        match take_steps(&lease.session).await {
            Ok(found) => {
                lease.give_back();
                return refuse_newer(found);
            }
            Err(failure) if failure.is_conflict() && attempts < ATTEMPTS_MAX => {
                attempts += 1;
                tokio::time::sleep(pause(attempts)).await;
            }
            Err(failure) => return Err(failure.into()),
        }
    }
}

/// Refuses every schema but the newest, and leaves it as it is.
pub(super) async fn refuse_other(pool: &Arc<Pool>) -> Result<()> {
    let found = version(pool).await?;
    refuse_newer(found)?;
    if found < NEWEST {
        return Err(StoreError::SchemaTooOld { found, known: NEWEST });
    }
    Ok(())
}

/// Takes the missing steps, and says how many had been taken before. A connection on which that
/// failed is not given back, which ends what it had begun.
async fn take_steps(session: &Session) -> std::result::Result<u32, Failure> {
    let locked = "SELECT version FROM tokenry_schema WHERE id = 1 FOR UPDATE";
    let written = "UPDATE tokenry_schema SET version = $1 WHERE id = 1";
    // A step may take longer than any call, and no call waits for it.
    session.batch("BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0").await?;
    let found = read_version(&session.query(&Query::new(locked, values![])).await?)?;
    // A new schema is nothing to wait for.
    let is_told = found > 0 && found < NEWEST;
    if is_told {
        tracing::info!(from = found, to = NEWEST, "bringing the database's schema up to date");
    }
    let began = Instant::now();
    if found < NEWEST {
        let taken = usize::try_from(found).unwrap_or(usize::MAX);
        for step in STEPS.iter().skip(taken) {
            session.batch(step).await?;
        }
        session.query(&Query::new(written, values![NEWEST])).await?;
    }
    session.batch("COMMIT").await?;
    if is_told {
        let seconds = began.elapsed().as_secs_f64();
        tracing::info!(seconds, "the database's schema is up to date");
    }
    Ok(found)
}

/// Looks at the schema and changes nothing. What cannot be brought up to date is an error.
pub(super) async fn look(pool: &Arc<Pool>) -> Result<Schema> {
    let found = if is_marked(pool).await? { version(pool).await? } else { 0 };
    refuse_newer(found)?;
    Ok(Schema { found, known: NEWEST })
}

/// Whether the schema is ours; not if it is empty.
pub(super) async fn is_marked(pool: &Arc<Pool>) -> Result<bool> {
    let tables = "SELECT coalesce(bool_or(table_name = 'tokenry_schema'), false), count(*) \
        FROM information_schema.tables WHERE table_schema = current_schema()";
    let rows = pool.run(Call::new(Repeat::Harmless, tables, values![])).await?;
    let row = rows.first().ok_or_else(|| StoreError::Corrupt("no schema".to_owned()))?;
    let mut columns = Columns::new(row);
    match (columns.flag()?, columns.number::<u64>()?) {
        (true, _) => Ok(true),
        (false, 0) => Ok(false),
        (false, _) => Err(StoreError::Corrupt(
            "this schema of the database holds tables of another program".to_owned(),
        )),
    }
}

/// Makes the schema ours, unless another node is faster.
async fn mark(pool: &Arc<Pool>) -> Result<()> {
    let table = "CREATE TABLE IF NOT EXISTS tokenry_schema \
        (id bigint NOT NULL PRIMARY KEY, version bigint NOT NULL)";
    let row = "INSERT INTO tokenry_schema (id, version) VALUES (1, 0) ON CONFLICT (id) DO NOTHING";
    for sql in [table, row] {
        let mut attempts = 0;
        while let Err(failure) = pool.run(Call::new(Repeat::Harmless, sql, values![])).await {
            attempts += 1;
            if attempts == ATTEMPTS_MAX || !is_taken(&failure) {
                return Err(failure.into());
            }
            tokio::time::sleep(pause(attempts)).await;
        }
    }
    Ok(())
}

/// What two who make one table at once are told.
fn is_taken(failure: &Failure) -> bool {
    [SqlState::UNIQUE_VIOLATION, SqlState::DUPLICATE_TABLE, SqlState::DUPLICATE_OBJECT]
        .iter()
        .any(|state| failure.is(state))
}

async fn version(pool: &Arc<Pool>) -> Result<u32> {
    let version = "SELECT version FROM tokenry_schema WHERE id = 1";
    let rows = pool.run(Call::new(Repeat::Harmless, version, values![])).await?;
    read_version(&rows)
}

/// No row is there while another node is making it.
fn read_version(rows: &[tokio_postgres::Row]) -> Result<u32> {
    rows.first().map_or(Ok(0), |row| Columns::new(row).number())
}

const fn refuse_newer(found: u32) -> Result<()> {
    if found > NEWEST {
        return Err(StoreError::SchemaTooNew { found, known: NEWEST });
    }
    Ok(())
}
