//! The one thread that writes: group commit.
//!
//! It takes whatever has queued, runs all events inside one transaction, commits once, and only
//! then answers each.
//!
//! * After a batch of several it gives way once before it takes the next, so that those who were
//!   answered together are taken together. One caller alone never waits for others.
//! * Every so many events, and when nothing is queued, it does one step of upkeep (`listings`)
//!   behind them.
//! * An event that fails is rolled back alone; its neighbours do not notice. A savepoint around
//!   each would cost all of them, and hardly any fails: only when one has failed is the whole
//!   transaction rolled back, and run again with a savepoint around each.
//! * A commit that fails answers everybody `Unavailable`: of none is it known what the disk holds.
//! * The thread outlives every failure. After one it takes a new connection and begins the log
//!   anew, so a full disk that has room again needs no restart.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
};

use crossbeam_channel::{Receiver, TryRecvError};
use rusqlite::Connection;

use super::{
    calls::{Call, Outcome, unavailable},
    checkpointer::Checkpointer,
    image::Images,
    join,
    listings::{self, Sizes},
    open::{Purpose, Source},
    session::Session,
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

/// What the thread shares with the store, and how it goes about listings.
pub(super) struct Shared {
    /// What it has done.
    pub(super) counters: Arc<Counters>,
    /// How listings are kept together.
    pub(super) listings: Sizes,
    /// Who waits for an image.
    pub(super) images: Images,
}

/// What the thread owns beside its connection.
pub(super) struct Writer {
    source: Source,
    /// It ends after them.
    readers: Vec<JoinHandle<()>>,
    /// `None` in memory, where there is no log.
    checkpointer: Option<Checkpointer>,
    counters: Arc<Counters>,
    listings: Sizes,
    images: Images,
    /// How many there may be until listings are looked after; none when there is more to do.
    events_to_upkeep: usize,
}

type Batch = Vec<Box<dyn Call>>;

/// Whether an event was the only one of its batch.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Company {
    Alone,
    Others,
}

/// Why a connection is not used any more.
enum End {
    /// Everything queued is done.
    Closed,
    /// A commit failed, and nobody was told yet.
    Failed { batch: Batch, error: StoreError },
}

impl Writer {
    /// Starts the thread, with a connection whose schema is up to date.
    pub(super) fn start(
        source: Source,
        mut connection: Connection,
        readers: Vec<JoinHandle<()>>,
        queue: Receiver<Box<dyn Call>>,
        Shared { counters, listings, images }: Shared,
    ) -> Result<JoinHandle<()>> {
        let checkpointer = match &source {
            Source::File { .. } => Some(Checkpointer::start(source.clone())?),
            Source::Memory => None,
        };
        if let Some(checkpointer) = &checkpointer {
            checkpointer.watch(&mut connection)?;
        }
        // Whoever wrote before may have left some.
        let events_to_upkeep = 0;
        let writer =
            Self { source, readers, checkpointer, counters, listings, images, events_to_upkeep };
        spawn("store-writer", move || writer.run(connection, &queue))
    }

    fn run(mut self, connection: Connection, queue: &Receiver<Box<dyn Call>>) {
        let mut next = Some((connection, None));
        while let Some((connection, first)) = next.take() {
            match self.serve(&connection, first, queue) {
                End::Closed => return self.stop(Some(connection)),
                End::Failed { batch, error } => {
                    let kept = self.recover(connection);
                    refuse(batch, error);
                    next = match kept {
                        Some(connection) => Some((connection, None)),
                        None => self.connect_again(queue),
                    };
                }
            }
        }
        self.stop(None);
    }

    /// Leaves nothing of a transaction that failed. The connection, if it may be used again.
    fn recover(&self, connection: Connection) -> Option<Connection> {
        match &self.source {
            // A connection that has seen an I/O error is not asked again.
            Source::File { .. } => None,
            Source::Memory => {
                if !connection.is_autocommit()
                    && let Err(error) = execute(&connection, "ROLLBACK")
                {
                    tracing::error!(%error, "a rollback failed");
                }
                Some(connection)
            }
        }
    }

    /// A new connection for the next batch there is, or the end.
    fn connect_again(
        &self,
        queue: &Receiver<Box<dyn Call>>,
    ) -> Option<(Connection, Option<Batch>)> {
        loop {
            let batch = take(queue.recv().ok()?, queue);
            match self.connect() {
                Ok(connection) => return Some((connection, Some(batch))),
                Err(error) => refuse(batch, error),
            }
        }
    }

    fn connect(&self) -> Result<Connection> {
        let mut connection = self.source.connect(Purpose::Write)?;
        if let Some(checkpointer) = &self.checkpointer {
            checkpointer.begin_anew(&connection)?;
            checkpointer.watch(&mut connection)?;
        }
        Ok(connection)
    }

    /// Writes what is queued, `first` first.
    fn serve(
        &mut self,
        connection: &Connection,
        mut first: Option<Batch>,
        queue: &Receiver<Box<dyn Call>>,
    ) -> End {
        let session = Session::new(connection);
        let mut company = Company::Alone;
        while let Some(mut batch) =
            first.take().or_else(|| self.next_batch(&session, queue, company))
        {
            company = if batch.len() > 1 { Company::Others } else { Company::Alone };
            if let Err(error) = self.commit(&session, &mut batch) {
                self.events_to_upkeep = self.events_between_upkeep();
                return End::Failed { batch, error };
            }
            batch.into_iter().for_each(Call::answer);
            self.images.give(connection);
            if let Some(checkpointer) = &self.checkpointer {
                checkpointer.restart_if_due(connection);
            }
        }
        End::Closed
    }

    /// What has queued. Nothing, if there is nothing but upkeep to do; `None` at the end.
    fn next_batch(
        &mut self,
        connection: &Connection,
        queue: &Receiver<Box<dyn Call>>,
        before: Company,
    ) -> Option<Batch> {
        let first = match queue.try_recv() {
            Ok(first) => first,
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) if self.has_upkeep(connection) => return Some(Vec::new()),
            Err(TryRecvError::Empty) => queue.recv().ok()?,
        };
        if before == Company::Others {
            // Who woke this thread is about to queue more: with one core for both it is interrupted
            // by the first event, which then has a commit of its own.
            thread::yield_now();
        }
        Some(take(first, queue))
    }

    /// Whether listings are to be looked after now. It is asked without a lock on the database.
    fn has_upkeep(&mut self, connection: &Connection) -> bool {
        if self.events_to_upkeep > 0 {
            return false;
        }
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

    fn commit(&mut self, session: &Session<'_>, batch: &mut [Box<dyn Call>]) -> Result<()> {
        session.begin()?;
        if run_together(session, batch)? == Together::OneFailed {
            session.rollback()?;
            session.begin()?;
            run_apart(session, batch)?;
        }
        let events_to_upkeep = match self.events_to_upkeep.saturating_sub(batch.len()) {
            0 => upkeep(session, self.listings)?,
            more => more,
        };
        session.commit()?;
        self.events_to_upkeep = events_to_upkeep;
        if !batch.is_empty() {
            let events = u64::try_from(batch.len()).unwrap_or(u64::MAX);
            self.counters.events.fetch_add(events, Ordering::Relaxed);
            self.counters.commits.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Everything queued is done: puts the whole log into the database. Only the last connection of
    /// all removes the log, and of several that close at once each takes another for the last.
    fn stop(self, connection: Option<Connection>) {
        join(self.readers);
        if let Some(checkpointer) = self.checkpointer {
            checkpointer.stop(connection);
        }
    }
}

fn take(first: Box<dyn Call>, queue: &Receiver<Box<dyn Call>>) -> Batch {
    let more = queue.try_iter().take(BATCH_MAX - 1);
    std::iter::once(first).chain(more).collect()
}

fn refuse(batch: Batch, error: StoreError) {
    tracing::warn!(%error, events = batch.len(), "a commit failed");
    let reason = error.reason();
    for call in batch {
        call.refuse(&reason);
    }
}

#[derive(PartialEq, Eq)]
enum Together {
    AllDone,
    /// The transaction holds a part of what failed.
    OneFailed,
}

/// Runs the events of a transaction as if none could fail, which few ever do.
fn run_together(session: &Session<'_>, batch: &mut [Box<dyn Call>]) -> Result<Together> {
    for call in batch {
        match run(session, &mut **call)? {
            Outcome::Done => {}
            Outcome::Failed { .. } => return Ok(Together::OneFailed),
        }
    }
    Ok(Together::AllDone)
}

/// Runs each event in a savepoint of its own, so that one that fails leaves nothing behind.
fn run_apart(session: &Session<'_>, batch: &mut [Box<dyn Call>]) -> Result<()> {
    for call in batch {
        execute(session, "SAVEPOINT event")?;
        if let Outcome::Failed { .. } = run(session, &mut **call)? {
            execute(session, "ROLLBACK TO event")?;
        }
        execute(session, "RELEASE event")?;
    }
    Ok(())
}

/// Runs an event, whose transaction must live on.
fn run(session: &Session<'_>, call: &mut dyn Call) -> Result<Outcome> {
    let outcome = call.run(session);
    if !session.is_autocommit() {
        return Ok(outcome);
    }
    // A full disk and the like leave no transaction to go on with.
    Err(match outcome {
        Outcome::Failed { reason } => unavailable(&reason),
        Outcome::Done => unavailable("an event ended its transaction"),
    })
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
