//! Keys, sealed.

use std::sync::Arc;

use super::{
    calls::{Call, Query},
    changes::{Log, leave_changes},
    pool::Pool,
    rows,
    values::{column, values},
};
use crate::{
    Conditional, Insertion, Result, SealedKey,
    columns::keys::{key_columns, read},
    words,
};

/// Every key, in the order of purpose and number.
pub(super) async fn list(pool: &Arc<Pool>) -> Result<Vec<SealedKey>> {
    let every = concat!("SELECT ", key_columns!(), " FROM keys ORDER BY purpose, number");
    let found = pool.run(Call::read(every, values![])).await?;
    rows::list(&found, |columns| read(columns))
}

/// Adds a key unless its number is taken.
pub(super) async fn insert(log: &Arc<Log>, key: SealedKey) -> Result<Insertion> {
    let added = concat!(
        "WITH added AS (INSERT INTO keys (purpose, number, sealed, created_at) \
         VALUES ($2, $3, $4, $5) ON CONFLICT (purpose, number) DO NOTHING RETURNING number), \
         told AS (SELECT 'keys'::text AS record, NULL::bigint AS record_id FROM added), ",
        leave_changes!(),
        "SELECT count(*) FROM added"
    );
    let values = values![words::key_purpose(key.purpose), key.number, key.sealed, key.created_at];
    match rows::written(&log.leave(Call::write(added, values)).await?.rows)? {
        Conditional::Now => Ok(Insertion::Done),
        Conditional::Already => Ok(Insertion::Duplicate),
    }
}

/// Marks every key as lost and adds `replacements`, all of them or none.
pub(super) async fn replace_lost(log: &Arc<Log>, replacements: Vec<SealedKey>) -> Result<()> {
    let lost = "UPDATE keys SET sealed = NULL";
    let added = concat!(
        "WITH added AS (INSERT INTO keys (purpose, number, sealed, created_at) \
         SELECT * FROM unnest($2::text[], $3::bigint[], $4::bytea[], $5::bigint[])), \
         told AS (SELECT 'keys'::text AS record, NULL::bigint AS record_id), ",
        leave_changes!(),
        "SELECT 1"
    );
    let values = values![
        column(&replacements, |key| words::key_purpose(key.purpose)),
        column(&replacements, |key| key.number),
        column(&replacements, |key| key.sealed.clone()),
        column(&replacements, |key| key.created_at),
    ];
    log.leave(Call::write(added, values).behind(Query::new(lost, values![]))).await?;
    Ok(())
}
