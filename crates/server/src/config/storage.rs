//! The database, what is kept of it in memory, and what is removed from it.

use std::time::Duration;

use tokenry_store::JOB_LEASE_LIFETIME_MAX;

use super::{
    kinds::{Choice, Switch, count, duration, size},
    section::section,
};

const DAY: u64 = 86_400;

/// What a check of a token relies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consistency {
    /// Memory, as long as it is known to be right.
    Bounded,
    /// The database, each time.
    Strict,
}

pub(super) const CONSISTENCY: Choice<Consistency> =
    Choice(&[("bounded", Consistency::Bounded), ("strict", Consistency::Strict)]);

section! {
    /// The SQLite database in the data folder: one writer that commits what has queued together,
    /// and readers beside it.
    Sqlite "sqlite." {
        /// Connections that read, each with a thread.
        readers: usize = 4, count(1, 64);
        /// How many reads may wait for a reader; above it 503.
        read_queue_max: usize = 4_096, count(1, 1_000_000);
        /// How many writes may wait for the writer; above it 503.
        write_queue_max: usize = 4_096, count(1, 1_000_000);
        /// The page cache of each connection.
        cache_size: usize = 16 << 20, size(1 << 20, 16 << 30);
    }
}

section! {
    /// A PostgreSQL database, or one that speaks its protocol, which several nodes share; used if
    /// `store` names one.
    Postgres "postgres." {
        /// The most connections of this node. Those of all nodes together must stay below what the
        /// database takes.
        connections: usize = 20, count(2, 1_000);
        /// How many calls of one kind may wait; above it 503.
        queue_max: usize = 4_096, count(1, 1_000_000);
        /// How long a call may take, with its waiting and every attempt; then 503.
        call_timeout: Duration = Duration::from_secs(5), duration(1, 60);
        /// How long connecting may take. Several servers of `store` share it, so that a dead one
        /// does not take all of it.
        connect_timeout: Duration = Duration::from_secs(5), duration(1, 60);
    }
}

section! {
    /// Several nodes on one database (`store`).
    Cluster "cluster." {
        /// For how long a node vouches for what it has in memory without news of what the others
        /// have changed. It asks for news all the time and has it within some hundredths of a
        /// second; this is for when the database cannot be reached, or the node was stopped for a
        /// while. Past it the node asks the database about every token, and says 503 if that is
        /// away.
        staleness_max: Duration = Duration::from_secs(1), duration(1, 60);
        /// For how long a node takes what one does for all of them, the purge. It prolongs that at
        /// a third of it. When it dies another takes over within a second after this, and when it
        /// stops in order within a second.
        job_lease_lifetime: Duration = Duration::from_secs(30),
            duration(1, JOB_LEASE_LIFETIME_MAX.as_secs());
    }
}

section! {
    /// Records kept in memory so that checking a token needs no database. When one is full, what
    /// was used least is dropped; nothing is lost by it but time.
    Cache "cache." {
        /// Tokens.
        tokens: usize = 100_000, count(1_000, 100_000_000);
        /// Clients.
        clients: usize = 10_000, count(100, 10_000_000);
        /// Users.
        users: usize = 50_000, count(100, 100_000_000);
    }
}

section! {
    /// Removing what is dead, in small steps between other writes, so that the database does not
    /// grow for ever.
    Purge "purge." {
        /// Whether anything is removed at all.
        enabled: bool = true, Switch;
        /// How often to look.
        interval: Duration = Duration::from_secs(60), duration(1, DAY);
        /// Rows of one step: one transaction, which other writes may have to wait for.
        rows_per_step: usize = 500, count(1, 10_000);
        /// How long a consented grant is kept after both its tokens have expired. Administrators
        /// can list it meanwhile (`include_expired`), for 30 days at most. Other tokens go at once.
        expired_grants_kept: Duration = Duration::from_secs(30 * DAY), duration(0, 3_650 * DAY);
        /// How many events (ends of tokens, replays, leaks) are kept, the latest ones.
        events_kept: usize = 1_000_000, count(1_000, 1_000_000_000);
        /// Of how many refused credentials `tokenry why` can tell the last refusal. Those that were
        /// refused first are forgotten first.
        refusals_kept: usize = 1_000_000, count(1_000, 1_000_000_000);
    }
}
