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

/// Ids of events, which the store gives itself: leased in blocks, given in ascending order.
pub(super) struct EventIds {
    pool: Arc<Pool>,
    left: Mutex<(u64, u64)>,
}

/// How many ids of events are leased at least. They are lost when a process ends, and the purge
/// counts them as events that are kept.
const EVENT_BLOCK: u32 = 64;

impl EventIds {
    pub(super) fn new(pool: Arc<Pool>) -> Self {
        Self { pool, left: Mutex::new((1, 0)) }
    }

    /// The next `count` ids, without a gap between them.
    pub(super) async fn take(&self, count: usize) -> std::result::Result<u64, Failure> {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let mut left = self.left.lock().await;
        let (mut first, mut last) = *left;
        if first.saturating_add(count) > last.saturating_add(1) {
            let block = u32::try_from(count).unwrap_or(u32::MAX).max(EVENT_BLOCK);
            let found = self.pool.carry_out(&lease_call("events", block)).await?;
            (first, last) = read(&found.rows)?.into_inner();
        }
        *left = (first + count, last);
        Ok(first)
    }
}
