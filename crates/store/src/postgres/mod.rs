//! The engine for several nodes: PostgreSQL, or whatever speaks its protocol.
//!
//! ```text
//! callers ──▶ batches ──▶ tasks ─┐
//!    │                           ├──▶ connections ──▶ database
//!    ├──▶ log, one at a time ────┤
//!    └───────────────────────────┘
//! ```
//!
//! * `hosts`: which of the servers of an address is the database, also after a failover.
//! * `pool`: a bounded number of connections, which come back by themselves.
//! * `calls`: every event and every look is one statement, or two in one transaction of which the
//!   first only locks or counts. What is sent is a value, and sent again where that is safe.
//! * `batches`: the events that most requests need share statements, and so commits.
//! * `changes`: events that others must hear of take turns, so that they are numbered in order.
//!
//! Nothing here needs an extension, an advisory lock, a sequence of the database's or a
//! notification (`docs/decisions/0015-postgresql.md`).

mod address;
mod api_tokens;
mod batches;
mod calls;
mod changes;
mod clients;
pub(crate) mod copy;
mod engine;
mod events;
mod grant_ends;
mod hosts;
mod ids;
mod job_leases;
mod keys;
mod migrations;
mod open;
mod pages;
mod pool;
mod purge;
mod refusals;
mod rows;
mod session;
mod sign_in_sessions;
mod tls;
mod token_uses;
mod tokens;
mod tokens_list;
mod users;
mod values;

use std::{
    fmt,
    sync::{Arc, atomic::Ordering},
};

pub use self::{
    address::{InvalidAddress, PostgresAddress},
    open::PostgresOptions,
};
use self::{
    batches::Batches,
    changes::Log,
    grant_ends::End,
    hosts::Hosts,
    ids::RowIds,
    pool::Pool,
    token_uses::Note,
    tokens::{Find, Insert, Redeem, Rotate},
};
use crate::{Result, Schema};

/// A store in a PostgreSQL database, which it shares with other nodes.
pub struct PostgresStore {
    pool: Arc<Pool>,
    log: Arc<Log>,
    event_ids: Arc<RowIds>,
    refusal_ids: RowIds,
    batches: Kinds,
}

/// The calls that share statements.
struct Kinds {
    insert: Batches<Insert>,
    find: Batches<Find>,
    redeem: Batches<Redeem>,
    rotate: Batches<Rotate>,
    end: Batches<End>,
    note: Batches<Note>,
}

/// What a store has done since it was opened, and what waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statistics {
    /// Transactions that were sent, attempts that failed included.
    pub calls: u64,
    /// Connections, idle ones included.
    pub connections: usize,
    /// Calls that wait for a connection.
    pub waiting: usize,
    /// Calls that wait to be sent together with others.
    pub queued: usize,
}

impl PostgresStore {
    /// Connects to the database at an address, which must be there, and brings its schema up to
    /// date. While the database is away this fails, within the time of a call, and says so.
    pub async fn open(address: PostgresAddress, options: PostgresOptions) -> Result<Self> {
        let pool = Pool::new(Hosts::new(address, options), options);
        if let Err(error) = prepare(&pool).await {
            pool.close();
            return Err(error);
        }
        let log = Log::new(Arc::clone(&pool), options.queue_max);
        let event_ids = Arc::new(RowIds::new(Arc::clone(&pool), "events"));
        let refusal_ids = RowIds::new(Arc::clone(&pool), "refusals");
        let (tasks, queue_max) = (options.batches, options.queue_max);
        let end = End { log: Arc::clone(&log), event_ids: Arc::clone(&event_ids) };
        let shared = || Arc::clone(&pool);
        let batches = Kinds {
            insert: Batches::start(&pool, Insert(shared()), tasks, queue_max),
            find: Batches::start(&pool, Find(shared()), tasks, queue_max),
            redeem: Batches::start(&pool, Redeem(shared()), tasks, queue_max),
            // These take turns anyhow.
            rotate: Batches::start(&pool, Rotate(Arc::clone(&log)), 1, queue_max),
            end: Batches::start(&pool, end, 1, queue_max),
            note: Batches::start(&pool, Note(shared()), 1, queue_max),
        };
        Ok(Self { pool, log, event_ids, refusal_ids, batches })
    }

    /// Looks at the schema that an address names, and changes nothing. What `open` would refuse is
    /// an error.
    pub async fn schema(address: PostgresAddress, options: PostgresOptions) -> Result<Schema> {
        let pool = Pool::new(Hosts::new(address, options), options);
        let schema = look(&pool).await;
        pool.close();
        schema
    }

    /// What it has done, for metrics.
    pub fn statistics(&self) -> Statistics {
        let Kinds { insert, find, redeem, rotate, end, note } = &self.batches;
        let (connections, waiting) = self.pool.load();
        Statistics {
            calls: self.pool.calls.load(Ordering::Relaxed),
            connections,
            waiting,
            queued: insert.len()
                + find.len()
                + redeem.len()
                + rotate.len()
                + end.len()
                + note.len(),
        }
    }

    /// Takes no more calls, finishes what is under way and leaves the database. Later calls are
    /// answered `Unavailable`.
    pub async fn close(&self) {
        let Kinds { insert, find, redeem, rotate, end, note } = &self.batches;
        tokio::join!(
            insert.close(),
            find.close(),
            redeem.close(),
            rotate.close(),
            end.close(),
            note.close()
        );
        self.pool.close();
    }
}

async fn look(pool: &Arc<Pool>) -> Result<Schema> {
    let schema = migrations::look(pool).await?;
    if schema.found > 0 {
        copy::refuse_unfinished(pool).await?;
    }
    Ok(schema)
}

async fn prepare(pool: &Arc<Pool>) -> Result<()> {
    migrations::migrate(pool).await?;
    copy::refuse_unfinished(pool).await
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}
