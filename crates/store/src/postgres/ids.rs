//! Blocks of ids.

use std::{ops::RangeInclusive, sync::Arc};

use tokenry_protocol::ids::ID_MAX;
use tokio::sync::Mutex;

use super::{
    calls::{Call, Failure, Repeat, unavailable},
    pool::Pool,
    rows,
    values::values,
};
use crate::{IdSequence, Result, columns::ReadColumns as _, words};

/// Takes the next `count` ids of a sequence.
pub(super) async fn lease(
    pool: &Arc<Pool>,
    sequence: IdSequence,
    count: u32,
) -> Result<RangeInclusive<u64>> {
    let taken = pool.run(lease_call(words::id_sequence(sequence), count)).await?;
    Ok(read(&taken)?)
}

/// The highest id that was leased so far.
pub(super) async fn last(pool: &Arc<Pool>, sequence: IdSequence) -> Result<u64> {
    let next = "SELECT next - 1 FROM id_leases WHERE sequence = $1";
    rows::number(&pool.run(Call::read(next, values![words::id_sequence(sequence)])).await?)
}

fn lease_call(sequence: &'static str, count: u32) -> Call {
    let taken = "UPDATE id_leases SET next = next + $2 \
        WHERE sequence = $1 AND next + $2 - 1 <= $3 RETURNING next - $2, next - 1";
    // A block that was taken and whose answer was lost is a gap.
    Call::new(Repeat::Harmless, taken, values![sequence, count, ID_MAX])
}

fn read(taken: &[tokio_postgres::Row]) -> std::result::Result<RangeInclusive<u64>, Failure> {
    let block =
        rows::first(taken, |columns| Ok(columns.number::<u64>()?..=columns.number::<u64>()?))?;
    block.ok_or_else(|| unavailable("the ids are spent"))
}

/// Ids of rows that the store numbers itself, events and refusals: leased in blocks, given in
/// ascending order.
pub(super) struct RowIds {
    pool: Arc<Pool>,
    sequence: &'static str,
    left: Mutex<(u64, u64)>,
}

/// How many ids are leased at least. They are lost when a process ends, and the purge counts them
/// as rows that are kept.
const ROW_BLOCK: u32 = 64;

impl RowIds {
    pub(super) fn new(pool: Arc<Pool>, sequence: &'static str) -> Self {
        Self { pool, sequence, left: Mutex::new((1, 0)) }
    }

    /// The next `count` ids, without a gap between them.
    pub(super) async fn take(&self, count: usize) -> std::result::Result<u64, Failure> {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let mut left = self.left.lock().await;
        let (mut first, mut last) = *left;
        if first.saturating_add(count) > last.saturating_add(1) {
            let block = u32::try_from(count).unwrap_or(u32::MAX).max(ROW_BLOCK);
            let found = self.pool.carry_out(&lease_call(self.sequence, block)).await?;
            (first, last) = read(&found.rows)?.into_inner();
        }
        *left = (first + count, last);
        Ok(first)
    }
}
