//! The one thread that writes: group commit.
//!
//! It takes whatever has queued, runs each event in a savepoint of its own inside one transaction,
//! commits once, and only then answers each.
//!
//! * An event that fails is rolled back alone; its neighbours do not notice.
//! * A commit that fails answers everybody `Unavailable`: of none is it known what the disk holds.
//! * The thread outlives every failure. After one it takes a new connection, so a full disk that
//!   has room again needs no restart.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
};

use crossbeam_channel::Receiver;
use rusqlite::Connection;

use super::{
    calls::{Call, Outcome, unavailable},
    checkpointer::Checkpointer,
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
    /// Transactions.
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
}

impl Writer {
    /// Starts the thread, with a connection whose schema is up to date.
    pub(super) fn start(
        source: Source,
        mut connection: Connection,
        queue: Receiver<Box<dyn Call>>,
        counters: Arc<Counters>,
    ) -> Result<JoinHandle<()>> {
        let checkpointer = match &source {
            Source::File { .. } => Some(Checkpointer::start(source.clone())?),
            Source::Memory => None,
        };
        if let Some(checkpointer) = &checkpointer {
            checkpointer.watch(&mut connection)?;
        }
        let writer = Self { source, connection: Some(connection), checkpointer, counters };
        spawn("store-writer", move || writer.run(&queue))
    }

    fn run(mut self, queue: &Receiver<Box<dyn Call>>) {
        while let Ok(first) = queue.recv() {
            let more = queue.try_iter().take(BATCH_MAX - 1);
            let batch: Vec<_> = std::iter::once(first).chain(more).collect();
            self.write(batch);
            if let (Some(checkpointer), Some(connection)) = (&self.checkpointer, &self.connection) {
                checkpointer.restart_if_due(connection);
            }
        }
        self.stop();
    }

    fn write(&mut self, mut batch: Vec<Box<dyn Call>>) {
        match self.commit(&mut batch) {
            Ok(()) => batch.into_iter().for_each(Call::answer),
            Err(error) => {
                tracing::warn!(%error, events = batch.len(), "a commit failed");
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
        execute(connection, "COMMIT")?;
        let events = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        self.counters.events.fetch_add(events, Ordering::Relaxed);
        self.counters.commits.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn recover(&mut self) {
        if let Some(checkpointer) = &self.checkpointer {
            checkpointer.wake();
        }
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

fn execute(connection: &Connection, sql: &str) -> Result<()> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}
