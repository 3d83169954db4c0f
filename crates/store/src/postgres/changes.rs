//! What other processes may have cached and must look at again.
//!
//! A change is written by the statement that it tells about, and numbers must never be seen out of
//! the order of commits, or a reader would pass one over:
//!
//! 1. Each process is a node with numbers of its own. It gets its number with its first change,
//!    from `id_leases`, where none is given twice; a process that only reads is no node.
//! 2. The statement takes its numbers by adding to `last_change` in the node's row. The row's lock
//!    is held to the commit, so the next number is not taken before the last one can be seen. That
//!    holds for a statement of a connection that was lost, too, wherever it still runs.
//! 3. So that connections do not wait for that lock, a process lets one such event after the other
//!    have it ([`Log`]).
//! 4. Readers keep a position for each node. A node that they do not know began after their last
//!    look, or was silent until then, and is read from its first change.
//! 5. Where a node has left fewer changes than were read, the database is not the one that was read
//!    any more but a copy that is behind it, and nothing that is known is certain.
//! 6. A node's row is purged when it has been silent for days. If it comes back nevertheless, its
//!    statement finds no row to number its change by, fails as a whole, and is sent again with a
//!    new node number.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::Mutex,
    time::{Instant, timeout_at},
};
use tokio_postgres::error::SqlState;

use super::{
    calls::{Call, Failure, Found, Repeat, unavailable},
    pool::Pool,
    rows,
    values::{Bind as _, column, values},
};
use crate::{
    Change, ChangePosition, NodeNumber, Result,
    columns::{ReadColumns as _, changes::read_record},
};

/// The most changes of one answer.
const LIST_MAX: u32 = 1_000;

/// The part of a statement that leaves a change for each row of `told (record, record_id)`, which
/// stands before it. `$1` is the node.
macro_rules! leave_changes {
    () => {
        "numbered AS (UPDATE nodes SET last_change = last_change + counted.told, \
         changed_at = now() FROM (SELECT count(*) AS told FROM told) AS counted \
         WHERE node = $1 AND counted.told > 0 RETURNING last_change - counted.told AS before), \
         left_changes AS (INSERT INTO changes (node, number, record, record_id) \
         SELECT $1, (SELECT before FROM numbered) + row_number() OVER (), record, record_id \
         FROM told) "
    };
}
pub(super) use leave_changes;

/// The order of a process's changes.
pub(super) struct Log {
    pool: Arc<Pool>,
    /// The node's number, once it has one. Whoever holds the lock has the turn.
    turn: Mutex<Option<NodeNumber>>,
    waiting: AtomicUsize,
    waiting_max: usize,
}

impl Log {
    pub(super) fn new(pool: Arc<Pool>, waiting_max: usize) -> Arc<Self> {
        Arc::new(Self { pool, turn: Mutex::new(None), waiting: AtomicUsize::new(0), waiting_max })
    }

    /// Carries out an event that leaves changes, to its end even if nobody waits for it any more.
    /// The statement's first parameter is the node, and not among its values yet.
    pub(super) async fn leave(self: &Arc<Self>, call: Call) -> std::result::Result<Found, Failure> {
        let log = Arc::clone(self);
        let task = self.pool.runtime().spawn(async move { log.carry_out(call).await });
        task.await.unwrap_or_else(|_| Err(unavailable("the call was given up")))
    }

    /// The same within a task that nobody drops.
    pub(super) async fn carry_out(&self, mut call: Call) -> std::result::Result<Found, Failure> {
        let deadline = self.pool.deadline();
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= self.waiting_max {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(unavailable("too much is waiting"));
        }
        let turn = timeout_at(deadline, self.turn.lock()).await;
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        let mut turn = turn.map_err(|_| unavailable("too much was before it"))?;
        let mut is_new = false;
        call.query.values.insert(0, Box::new(0_i64));
        loop {
            let node = if let Some(node) = *turn {
                node
            } else {
                is_new = true;
                let node = self.begin_node(deadline).await?;
                *turn = Some(node);
                node
            };
            if let Some(first) = call.query.values.first_mut() {
                *first = Box::new(node.bind());
            }
            match self.pool.carry_out_until(&call, deadline).await {
                Err(failure) if failure.is(&SqlState::NOT_NULL_VIOLATION) && !is_new => {
                    *turn = None;
                }
                left => return left,
            }
        }
    }

    async fn begin_node(&self, deadline: Instant) -> std::result::Result<NodeNumber, Failure> {
        let begun = "WITH leased AS (UPDATE id_leases SET next = next + 1 \
            WHERE sequence = 'nodes' RETURNING next - 1 AS node) \
            INSERT INTO nodes (node, last_change, changed_at) SELECT node, 0, now() FROM leased \
            RETURNING node";
        // A node that nobody is leaves no changes, and is purged.
        let call = Call::new(Repeat::Harmless, begun, values![]);
        let found = self.pool.carry_out_until(&call, deadline).await?;
        Ok(rows::only(&found.rows, |columns| columns.number().map(NodeNumber))?)
    }
}

/// Up to the last one of every node.
pub(super) async fn last(pool: &Arc<Pool>) -> Result<ChangePosition> {
    let last = "SELECT node, last_change FROM nodes WHERE last_change > 0";
    let found = pool.run(Call::read(last, values![])).await?;
    let numbers = rows::list(&found, |columns| {
        Ok((NodeNumber(columns.number()?), columns.number::<u64>()?))
    })?;
    Ok(numbers.into_iter().collect())
}

/// Those after a position, each node's in order. Nodes take turns, so that one that leaves many
/// hides no other's; of one that has left none since nothing but its own row is read. Of one that
/// has left fewer the last one that is there is listed, as a change of everything.
pub(super) async fn list(pool: &Arc<Pool>, after: &ChangePosition) -> Result<Vec<Change>> {
    let later = "WITH seen AS (SELECT node, number \
        FROM unnest($1::bigint[], $2::bigint[]) AS seen (node, number)), \
        later AS (SELECT changes.node, changes.number, changes.record, changes.record_id, \
        (extract(epoch FROM clock_timestamp() - changes.changed_at) * 1000000)::bigint \
        FROM nodes \
        LEFT JOIN seen ON seen.node = nodes.node \
        CROSS JOIN LATERAL (SELECT node, number, record, record_id, changed_at FROM changes \
        WHERE changes.node = nodes.node AND changes.number > coalesce(seen.number, 0) \
        ORDER BY changes.number LIMIT $3) AS changes \
        WHERE nodes.last_change > coalesce(seen.number, 0) \
        ORDER BY changes.number - coalesce(seen.number, 0), changes.node LIMIT $3) \
        SELECT nodes.node, nodes.last_change, 'everything', NULL, NULL \
        FROM seen JOIN nodes ON nodes.node = seen.node WHERE nodes.last_change < seen.number \
        UNION ALL SELECT * FROM later";
    let seen: Vec<_> = after.iter().collect();
    let values =
        values![column(&seen, |(node, _)| node.0), column(&seen, |(_, number)| *number), LIST_MAX];
    let found = pool.run(Call::read(later, values)).await?;
    rows::list(&found, |columns| {
        let node = NodeNumber(columns.number()?);
        let number = columns.number()?;
        let record = read_record(columns)?;
        // A clock that was set back makes a time that is still to come.
        let age = columns.number_set::<i64>()?.map(|micros| micros.try_into().unwrap_or(0));
        Ok(Change { node, number, record, age: age.map(Duration::from_micros) })
    })
}
