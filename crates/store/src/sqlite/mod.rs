//! The embedded engine: one `SQLite` file, or memory.
//!
//! ```text
//! callers ──▶ queue ──▶ writer ──▶ log (WAL) ──▶ checkpointer ──▶ database
//!    │                                 ▲                              ▲
//!    └──────▶ queue ──▶ readers ───────┴──────────────────────────────┘
//! ```
//!
//! * `writer`: one thread, group commit.
//! * `readers`: a few threads, each with a connection of its own.
//! * `checkpointer`: moves the log into the database beside the writer.
//! * `listings`: whose tokens are which, filled by the writer beside its events.
//! * In memory there is one connection, the writer's, which then reads as well: between two events
//!   of a batch, and answered after its commit, so nobody can see what was not committed.
//!
//! Several processes may use one file at the same time.

mod api_tokens;
pub(crate) mod backup;
mod calls;
mod changes;
mod checkpointer;
mod clients;
pub(crate) mod copy;
mod engine;
mod events;
mod ids;
mod image;
mod job_leases;
mod keys;
mod listings;
mod migrations;
mod open;
mod pages;
mod purge;
mod readers;
mod refusals;
mod rows;
mod session;
mod sign_in_sessions;
mod tokens;
mod tokens_list;
mod users;
mod writer;

#[cfg(test)]
mod tests;

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    thread::{self, JoinHandle},
};

use self::{
    calls::{Queue, unavailable},
    image::Images,
    job_leases::JobLeases,
    listings::Sizes,
    open::{Purpose, Source},
    session::Session,
    writer::{Counters, Shared, Writer},
};
pub use self::{image::Image, open::StoreOptions};
use crate::{Result, Schema};
use rusqlite::Connection;

/// A store in one `SQLite` file, or in memory.
pub struct SqliteStore {
    writes: Queue,
    images: Images,
    /// `None` in memory, where the writer reads as well.
    reads: Option<Queue>,
    counters: Arc<Counters>,
    job_leases: JobLeases,
    /// The one that writes, which ends after all others.
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What a store has done since it was opened, and what waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statistics {
    /// Transactions with writes.
    pub commits: u64,
    /// Writes in them.
    pub events: u64,
    /// Writes that wait.
    pub writes_queued: usize,
    /// Reads that wait.
    pub reads_queued: usize,
}

impl SqliteStore {
    /// Opens a file, makes it if it is not there, and brings its schema up to date. The folder must
    /// be there; only the owner may read the file.
    pub fn open(path: impl AsRef<Path>, options: StoreOptions) -> Result<Self> {
        let source =
            Source::File { path: path.as_ref().to_owned(), cache_size: options.cache_size };
        Self::start(&source, options)
    }

    /// Looks at the schema of a file that is there, and changes nothing. What `open` would refuse
    /// is an error.
    pub fn schema(path: impl AsRef<Path>) -> Result<Schema> {
        let cache_size = StoreOptions::default().cache_size;
        let source = Source::File { path: path.as_ref().to_owned(), cache_size };
        let connection = source.connect(Purpose::Read)?;
        let schema = migrations::look(&connection)?;
        copy::refuse_unfinished(&connection)?;
        Ok(schema)
    }

    /// A store that is gone when it is dropped.
    pub fn in_memory() -> Result<Self> {
        Self::start(&Source::Memory, StoreOptions::default())
    }

    /// The same, and it begins as another store was.
    pub fn in_memory_from(image: &Image) -> Result<Self> {
        let mut connection = Source::Memory.connect(Purpose::Write)?;
        image.restore(&mut connection)?;
        Self::start_with(connection, &Source::Memory, StoreOptions::default())
    }

    fn start(source: &Source, options: StoreOptions) -> Result<Self> {
        let connection = source.create()?;
        copy::refuse_unfinished(&connection)?;
        Self::start_with(connection, source, options)
    }

    fn start_with(connection: Connection, source: &Source, options: StoreOptions) -> Result<Self> {
        let (writes, writes_end) = Queue::new(options.write_queue_max);
        let (reads, readers) = match source {
            Source::Memory => (None, Vec::new()),
            Source::File { .. } => {
                let (reads, reads_end) = Queue::new(options.read_queue_max);
                let threads = readers::start(source, options.readers, &reads_end)?;
                (Some(reads), threads)
            }
        };
        let counters = Arc::new(Counters::default());
        let images = Images::default();
        let shared = Shared {
            counters: Arc::clone(&counters),
            listings: Sizes::new(options.listing_block),
            images: images.clone(),
        };
        let thread = Writer::start(source.clone(), connection, readers, writes_end, shared)?;
        let (job_leases, thread) = (JobLeases::default(), Mutex::new(Some(thread)));
        Ok(Self { writes, images, reads, counters, job_leases, thread })
    }

    /// What it has done, for metrics.
    pub fn statistics(&self) -> Statistics {
        Statistics {
            commits: self.counters.commits.load(Ordering::Relaxed),
            events: self.counters.events.load(Ordering::Relaxed),
            writes_queued: self.writes.len(),
            reads_queued: self.reads.as_ref().map_or(0, Queue::len),
        }
    }

    /// An image of everything that was acknowledged until now.
    pub async fn image(&self) -> Result<Image> {
        let image = self.images.ask();
        // The writer looks whether one is wanted after every commit.
        self.write(|_| Ok(())).await?;
        image.await.unwrap_or_else(|_| Err(unavailable("the store was closed")))
    }

    /// Finishes what is queued, puts the log into the database and closes it. Later calls are
    /// answered `Unavailable`. Dropping does the same, but blocks the thread that drops.
    pub async fn close(&self) {
        let thread = self.end();
        let joined = tokio::task::spawn_blocking(move || join(thread)).await;
        if let Err(error) = joined {
            tracing::error!(%error, "the store was not closed in order");
        }
    }

    /// Takes no more calls; the threads end when they have finished what is queued.
    fn end(&self) -> Option<JoinHandle<()>> {
        if let Some(reads) = &self.reads {
            reads.close();
        }
        self.writes.close();
        self.thread.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    async fn write<T, W>(&self, event: W) -> Result<T>
    where
        T: Send + 'static,
        W: Fn(&Session<'_>) -> Result<T> + Send + 'static,
    {
        self.writes.call(event).await
    }

    async fn read<T, W>(&self, look: W) -> Result<T>
    where
        T: Send + 'static,
        W: Fn(&Session<'_>) -> Result<T> + Send + 'static,
    {
        self.reads.as_ref().unwrap_or(&self.writes).call(look).await
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        join(self.end());
    }
}

fn join(threads: impl IntoIterator<Item = JoinHandle<()>>) {
    for thread in threads {
        if thread.join().is_err() {
            tracing::error!("a thread of the store panicked");
        }
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    let thread = thread::Builder::new().name(name.to_owned());
    thread.spawn(run).map_err(|error| unavailable(&format!("no thread for the store: {error}")))
}
