//! When credentials were refused last.

use std::{collections::BTreeMap, sync::Arc};

use tokenry_core::refusal::Refusal;

use super::{
    calls::{Call, Repeat},
    ids::RowIds,
    pool::Pool,
    rows,
    values::{column, values},
};
use crate::{
    Result,
    columns::{
        ReadColumns as _,
        refusals::{read, refusal_columns},
    },
};

/// The most refusals of a statement: a flush of many must not hold up anybody for long.
const REFUSALS_PER_STATEMENT: usize = 1_000;

/// Notes refusals; never back in time.
///
/// Those that have a row keep it, and its place in the order by which rows are purged: a number for
/// each time would have few credentials that are refused all the time push out all others.
pub(super) async fn record(pool: &Arc<Pool>, ids: &RowIds, refusals: Vec<Refusal>) -> Result<()> {
    // Locks are taken in one order, and a statement cannot write a row twice.
    let mut latest: BTreeMap<(u64, &'static str), Refusal> = BTreeMap::new();
    for refusal in refusals {
        let key = (refusal.id, refusal.kind.as_str());
        let is_newer = latest.get(&key).is_none_or(|known| known.at <= refusal.at);
        if is_newer {
            latest.insert(key, refusal);
        }
    }
    let latest: Vec<Refusal> = latest.into_values().collect();
    for part in latest.chunks(REFUSALS_PER_STATEMENT) {
        let known = known(pool, part).await?;
        let (known, new): (Vec<_>, Vec<_>) =
            part.iter().zip(known).partition(|(_, is_known)| *is_known);
        update(pool, known.into_iter().map(|(refusal, _)| refusal).collect()).await?;
        insert(pool, ids, new.into_iter().map(|(refusal, _)| refusal).collect()).await?;
    }
    Ok(())
}

/// Which of them have a row, in their order.
async fn known(pool: &Arc<Pool>, part: &[Refusal]) -> Result<Vec<bool>> {
    let known = "SELECT refusals.id IS NOT NULL \
        FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS noted (record_id, kind, at) \
        LEFT JOIN refusals ON refusals.record_id = noted.record_id \
        AND refusals.kind = noted.kind ORDER BY noted.at";
    let values = values![column(part, |refusal| refusal.id), column(part, kind)];
    let found = pool.run(Call::read(known, values)).await?;
    rows::list(&found, |columns| columns.flag())
}

async fn update(pool: &Arc<Pool>, rows: Vec<&Refusal>) -> Result<()> {
    let later = "WITH noted AS (SELECT refusals.id, noted.at, noted.reason, noted.place \
        FROM refusals JOIN unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::text[]) \
        AS noted (record_id, kind, at, reason, place) \
        ON refusals.record_id = noted.record_id AND refusals.kind = noted.kind \
        ORDER BY refusals.record_id, refusals.kind FOR UPDATE OF refusals) \
        UPDATE refusals SET at = noted.at, reason = noted.reason, place = noted.place \
        FROM noted WHERE refusals.id = noted.id AND refusals.at <= noted.at";
    if rows.is_empty() {
        return Ok(());
    }
    let values = values![
        column(rows.iter().copied(), |refusal| refusal.id),
        column(rows.iter().copied(), kind),
        column(rows.iter().copied(), |refusal| refusal.at),
        column(rows.iter().copied(), |refusal| &*refusal.reason),
        column(rows.iter().copied(), |refusal| &*refusal.place),
    ];
    pool.run(Call::new(Repeat::Harmless, later, values)).await?;
    Ok(())
}

async fn insert(pool: &Arc<Pool>, ids: &RowIds, rows: Vec<&Refusal>) -> Result<()> {
    let new = "INSERT INTO refusals (id, record_id, kind, at, reason, place) \
        SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::text[], \
        $6::text[]) AS noted (id, record_id, kind, at, reason, place) ORDER BY record_id, kind \
        ON CONFLICT (record_id, kind) DO UPDATE SET \
        at = excluded.at, reason = excluded.reason, place = excluded.place \
        WHERE refusals.at <= excluded.at";
    if rows.is_empty() {
        return Ok(());
    }
    let first = ids.take(rows.len()).await?;
    let numbers: Vec<u64> = (first..).take(rows.len()).collect();
    let values = values![
        column(&numbers, |number| *number),
        column(rows.iter().copied(), |refusal| refusal.id),
        column(rows.iter().copied(), kind),
        column(rows.iter().copied(), |refusal| refusal.at),
        column(rows.iter().copied(), |refusal| &*refusal.reason),
        column(rows.iter().copied(), |refusal| &*refusal.place),
    ];
    pool.run(Call::new(Repeat::Harmless, new, values)).await?;
    Ok(())
}

fn kind(refusal: &Refusal) -> &'static str {
    refusal.kind.as_str()
}

/// The last refusals of the credentials of any kind that name this id, the oldest first.
pub(super) async fn list(pool: &Arc<Pool>, id: u64) -> Result<Vec<Refusal>> {
    let of_record = concat!(
        "SELECT ",
        refusal_columns!(),
        " FROM refusals WHERE record_id = $1 ORDER BY at, kind"
    );
    let found = pool.run(Call::read(of_record, values![id])).await?;
    rows::list(&found, |columns| read(columns))
}
