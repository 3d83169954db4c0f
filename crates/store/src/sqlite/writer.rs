//! The one thread that writes: group commit.
//!
//! It takes whatever has queued, runs each event in a savepoint of its own inside one transaction,
//! commits once, and only then answers each.
//!
//! * Every so many events, and when nothing is queued, it does one step of upkeep (`listings`)
//!   behind them.
//! * An event that fails is rolled back alone; its neighbours do not notice.
//! * A commit that fails answers everybody `Unavailable`: of none is it known what the disk holds.
//! * The thread outlives every failure. After one it takes a new connection and begins the log
//!   anew, so a full disk that has room again needs no restart.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
};

use crossbeam_channel::{Receiver, TryRecvError};
use rusqlite::Connection;

use super::{
    calls::{Call, Outcome, unavailable},
    checkpointer::Checkpointer,
    listings::{self, Sizes},
    open::{Purpose, Source},
    spawn,
};
use crate::{Result, StoreError};

/// The most events of one transaction. More would make the first wait for the last, and gain
/// nothing: at this size the sync is a small part of a commit.
const BATCH_MAX: usize = 256;

/// What the writer has done since it began.
#[derive(Debug, Default)]
pub(super) struct Counters {
    /// Transactions with events.
    pub(super) commits: AtomicU64,
    /// Events in them.
    pub(super) events: AtomicU64,
}

/// What the thread owns.
pub(super) struct Writer {
    source: Source,
    /// `None` after a failure, until the next batch.
    connection: Option<Connection>,
    /// `None` in memory, where there is no log.
    checkpointer: Option<Checkpointer>,
    counters: Arc<Counters>,
    listings: Sizes,
    /// How many there may be until listings are looked after; none when there is more to do.
    events_to_upkeep: usize,
}

impl Writer {
    /// Starts the thread, with a connection whose schema is up to date.
    pub(super) fn start(
        source: Source,
        mut connection: Connection,
        queue: Receiver<Box<dyn Call>>,
        (counters, listings): (Arc<Counters>, Sizes),
    ) -> Result<JoinHandle<()>> {
        let checkpointer = match &source {
            Source::File { .. } => Some(Checkpointer::start(source.clone())?),
            Source::Memory => None,
        };
        if let Some(checkpointer) = &checkpointer {
            checkpointer.watch(&mut connection)?;
        }
        let connection = Some(connection);
        // Whoever wrote before may have left some.
        let events_to_upkeep = 0;
        let writer =
            Self { source, connection, checkpointer, counters, listings, events_to_upkeep };
        spawn("store-writer", move || writer.run(&queue))
    }

    fn run(mut self, queue: &Receiver<Box<dyn Call>>) {
        while let Some(batch) = self.next_batch(queue) {
            self.write(batch);
            if let (Some(checkpointer), Some(connection)) = (&self.checkpointer, &self.connection) {
                checkpointer.restart_if_due(connection);
            }
        }
        self.stop();
    }

    /// What has queued. Nothing, if there is nothing but upkeep to do; `None` at the end.
    fn next_batch(&mut self, queue: &Receiver<Box<dyn Call>>) -> Option<Vec<Box<dyn Call>>> {
        let first = match queue.try_recv() {
            Ok(first) => first,
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) if self.has_upkeep() => return Some(Vec::new()),
            Err(TryRecvError::Empty) => queue.recv().ok()?,
        };
        let more = queue.try_iter().take(BATCH_MAX - 1);
        Some(std::iter::once(first).chain(more).collect())
    }

    /// Whether listings are to be looked after now. It is asked without a lock on the database.
    fn has_upkeep(&mut self) -> bool {
        let Some(connection) = self.connection.as_ref().filter(|_| self.events_to_upkeep == 0)
        else {
            return false;
        };
        match listings::find_work(connection, self.listings) {
            Ok(Some(_)) => true,
            Ok(None) => {
                self.events_to_upkeep = self.events_between_upkeep();
                false
            }
            Err(error) => {
                tracing::warn!(%error, "listings were not looked after");
                self.events_to_upkeep = self.events_between_upkeep();
                false
            }
        }
    }

    fn events_between_upkeep(&self) -> usize {
        usize::try_from(self.listings.step()).unwrap_or(usize::MAX)
    }

    fn write(&mut self, mut batch: Vec<Box<dyn Call>>) {
        match self.commit(&mut batch) {
            Ok(()) => batch.into_iter().for_each(Call::answer),
            Err(error) => {
                tracing::warn!(%error, events = batch.len(), "a commit failed");
                self.events_to_upkeep = self.events_between_upkeep();
                self.recover();
                let reason = match error {
                    StoreError::Unavailable(reason) => reason,
                    other => other.to_string(),
                };
                for call in batch {
                    call.refuse(&reason);
                }
            }
        }
    }

    fn commit(&mut self, batch: &mut [Box<dyn Call>]) -> Result<()> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            missing => {
                let mut connection = self.source.connect(Purpose::Write)?;
                if let Some(checkpointer) = &self.checkpointer {
                    checkpointer.begin_anew(&connection)?;
                    checkpointer.watch(&mut connection)?;
                }
                missing.insert(connection)
            }
        };
        execute(connection, "BEGIN IMMEDIATE")?;
        for call in &mut *batch {
            execute(connection, "SAVEPOINT event")?;
            if let Outcome::Failed { reason } = call.run(connection) {
                // A full disk and the like leave no transaction to go on with.
                if connection.is_autocommit() {
                    return Err(unavailable(&reason));
                }
                execute(connection, "ROLLBACK TO event")?;
            }
            execute(connection, "RELEASE event")?;
        }
        let events_to_upkeep = match self.events_to_upkeep.saturating_sub(batch.len()) {
            0 => upkeep(connection, self.listings)?,
            more => more,
        };
        execute(connection, "COMMIT")?;
        self.events_to_upkeep = events_to_upkeep;
        if !batch.is_empty() {
            let events = u64::try_from(batch.len()).unwrap_or(u64::MAX);
            self.counters.events.fetch_add(events, Ordering::Relaxed);
            self.counters.commits.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    fn recover(&mut self) {
        match &self.source {
            // A connection that has seen an I/O error is not asked again.
            Source::File { .. } => self.connection = None,
            Source::Memory => {
                let in_transaction = |connection: &&Connection| !connection.is_autocommit();
                if let Some(connection) = self.connection.as_ref().filter(in_transaction)
                    && let Err(error) = execute(connection, "ROLLBACK")
                {
                    tracing::error!(%error, "a rollback failed");
                }
            }
        }
    }

    /// Everything queued is done: puts the whole log into the database.
    fn stop(self) {
        if let Some(checkpointer) = self.checkpointer {
            checkpointer.stop(self.connection);
        }
    }
}

/// One step of looking after the listings, which may fail without harm to anybody. How many events
/// there may be until the next; none if there is more to do.
fn upkeep(connection: &Connection, sizes: Sizes) -> Result<usize> {
    execute(connection, "SAVEPOINT upkeep")?;
    let done = listings::find_work(connection, sizes).and_then(|work| match work {
        Some(work) => listings::perform(connection, &work, sizes).map(|()| 0),
        None => Ok(sizes.step()),
    });
    let events = done.or_else(|error| {
        tracing::warn!(%error, "listings were not looked after");
        if connection.is_autocommit() {
            return Err(error);
        }
        execute(connection, "ROLLBACK TO upkeep")?;
        Ok(sizes.step())
    })?;
    execute(connection, "RELEASE upkeep")?;
    Ok(usize::try_from(events).unwrap_or(usize::MAX))
}

fn execute(connection: &Connection, sql: &str) -> Result<()> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}
