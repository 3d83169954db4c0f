//! Moving the log into the database, beside the writer instead of inside its commits.
//!
//! 1. The writer's connection tells after each commit how many pages the log holds, and wakes the
//!    checkpointer [`STEP_PAGES`] after that has last ended, or after the log was started anew.
//! 2. The checkpointer copies what it can with a connection of its own (`PASSIVE`): that stops
//!    neither readers nor the writer. If it catches up, `SQLite` starts the log anew by itself.
//! 3. Under constant load it never quite catches up. Once the log is past [`RESTART_PAGES`], the
//!    writer itself copies, between two batches, the few pages that came in the meantime and starts
//!    the log anew (`RESTART`). It waits [`READERS_WAIT`] at most for readers of old pages, and
//!    else tries again a step later.
//!
//! So the log stays near 16 MiB, however long the load lasts, unless a reader holds one snapshot
//! for as long; when it starts anew a file that grew past that is cut.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use rusqlite::{Connection, hooks::Wal, wal::CheckpointMode};

use super::{
    calls::unavailable,
    open::{BUSY_TIMEOUT, Purpose, Source},
    spawn,
};
use crate::Result;

/// Pages of log between two checkpoints: 4 MiB.
const STEP_PAGES: u32 = 1_024;
/// While the checkpointer is at work.
const NEVER: u32 = u32::MAX;
/// Pages of log at which the writer starts it anew: 16 MiB.
const RESTART_PAGES: u32 = 4_096;
/// A tenth of a core that is wanted by others, which is more than checkpoints need.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;
/// How long the writer may wait for readers of old pages.
const READERS_WAIT: Duration = Duration::from_millis(20);

/// The thread, and what the writer and it tell each other.
pub(super) struct Checkpointer {
    wake: Sender<()>,
    log: Arc<Log>,
    thread: JoinHandle<()>,
}

/// The state of the log, in pages.
struct Log {
    /// After the last commit.
    pages: AtomicU32,
    /// When to wake the checkpointer.
    due: AtomicU32,
    /// Whether the writer is to start it anew.
    restart: AtomicBool,
}

impl Checkpointer {
    /// Starts the thread.
    pub(super) fn start(source: Source) -> Result<Self> {
        let log = Arc::new(Log::default());
        let (wake, woken) = bounded(1);
        let shared = Arc::clone(&log);
        let thread = spawn("store-checkpointer", move || run(&source, &woken, &shared))?;
        Ok(Self { wake, log, thread })
    }

    /// After a commit that failed: puts the whole log into the database and begins it anew, or
    /// fails. A sync that failed may have left a hole in the log that nobody sees until power is
    /// lost, and what is acknowledged behind a hole would be lost with it. On a full disk this also
    /// lets the log's own room be used again.
    pub(super) fn begin_anew(&self, connection: &Connection) -> Result<()> {
        let (pages, moved) = connection.wal_checkpoint_v2(MAIN, CheckpointMode::RESTART)?;
        self.log.note(0);
        if pages == moved { Ok(()) } else { Err(unavailable("the log cannot be begun anew yet")) }
    }

    /// Has the writer's connection tell how the log grows.
    pub(super) fn watch(&self, connection: &mut Connection) -> Result<()> {
        let (log, line) = (Arc::clone(&self.log), self.wake.clone());
        connection.wal_hook(Some(move |_: &mut Wal, pages| {
            if log.note(u32::try_from(pages).unwrap_or(0)) {
                wake(&line);
            }
            Ok(())
        }))?;
        Ok(())
    }

    /// Step 3, between two batches.
    pub(super) fn restart_if_due(&self, connection: &Connection) {
        if !self.log.restart.swap(false, Ordering::Relaxed) {
            return;
        }
        let restarted = connection
            .busy_timeout(READERS_WAIT)
            .and_then(|()| connection.wal_checkpoint_v2(MAIN, CheckpointMode::RESTART))
            .and(connection.busy_timeout(BUSY_TIMEOUT));
        if let Err(error) = restarted {
            tracing::debug!(%error, "the log could not be started anew yet");
        }
    }

    /// Ends the thread, and puts the whole log into the database if no other process reads it.
    pub(super) fn stop(self, connection: Option<Connection>) {
        let Self { wake, thread, .. } = self;
        // The hook holds the other end of the line on which the thread waits.
        let unwatched = connection.and_then(|mut connection| {
            let unwatch = connection.wal_hook(None::<Hook>);
            unwatch.is_ok().then_some(connection)
        });
        drop(wake);
        if thread.join().is_err() {
            tracing::error!("the checkpointer panicked");
        }
        let truncated = unwatched
            .map(|connection| connection.wal_checkpoint_v2(MAIN, CheckpointMode::TRUNCATE));
        if let Some(Err(error)) = truncated {
            tracing::debug!(%error, "the log is kept for another process");
        }
    }
}

fn wake(line: &Sender<()>) {
    // Full means that it has been woken already.
    if let Err(TrySendError::Disconnected(())) = line.try_send(()) {
        tracing::error!("nobody moves the log into the database");
    }
}

type Hook = fn(&mut Wal, std::ffi::c_int) -> rusqlite::Result<()>;

const MAIN: Option<&std::ffi::CStr> = Some(c"main");

impl Default for Log {
    fn default() -> Self {
        Self {
            pages: AtomicU32::new(0),
            due: AtomicU32::new(STEP_PAGES),
            restart: AtomicBool::new(false),
        }
    }
}

impl Log {
    /// A step from now on the checkpointer is woken again, if not sooner because the log was begun
    /// anew meanwhile. Until then the log is the writer's: two cannot move it at once.
    fn take_rest(&self) {
        let next = self.pages.load(Ordering::Relaxed).saturating_add(STEP_PAGES);
        // Another value is of a log that the writer has just started anew.
        let _ = self.due.compare_exchange(NEVER, next, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Takes note of its size; whether the checkpointer is to be woken.
    fn note(&self, pages: u32) -> bool {
        let before = self.pages.swap(pages, Ordering::Relaxed);
        if pages < before {
            self.due.store(STEP_PAGES, Ordering::Relaxed);
        }
        let is_due = pages >= self.due.load(Ordering::Relaxed);
        if is_due {
            self.due.store(NEVER, Ordering::Relaxed);
        }
        is_due
    }
}

fn run(source: &Source, woken: &Receiver<()>, log: &Log) {
    give_way();
    let mut connection = None;
    for () in woken {
        match checkpoint(source, &mut connection) {
            Ok(pages) if pages >= RESTART_PAGES => log.restart.store(true, Ordering::Relaxed),
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "a checkpoint failed");
                connection = None;
            }
        }
        log.take_rest();
    }
}

/// Makes this thread one that yields to those which answer: nobody waits for it, and each
/// checkpoint would hold up whoever shares its core for milliseconds.
fn give_way() {
    // Elsewhere the priority is the whole process's.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "the checkpointer has the priority of everybody");
    }
}

/// Step 2; how many pages the log holds.
fn checkpoint(source: &Source, connection: &mut Option<Connection>) -> Result<u32> {
    let connection = match connection {
        Some(connection) => connection,
        missing => missing.insert(source.connect(Purpose::Write)?),
    };
    let (pages, _) = connection.wal_checkpoint_v2(MAIN, CheckpointMode::PASSIVE)?;
    Ok(u32::try_from(pages).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::{Log, STEP_PAGES};

    /// While it copies, and for a step after, the writer can start the log anew.
    #[test]
    fn the_checkpointer_is_woken_once_and_a_step_after_it_has_ended() {
        let log = Log::default();
        assert!(!log.note(STEP_PAGES - 1) && log.note(STEP_PAGES));
        assert!(!log.note(3 * STEP_PAGES) && !log.note(4 * STEP_PAGES));
        log.take_rest();
        assert!(!log.note(5 * STEP_PAGES - 1) && log.note(5 * STEP_PAGES));
        // The log is started anew while the checkpointer still is at work.
        assert!(!log.note(1));
        log.take_rest();
        assert!(!log.note(STEP_PAGES - 1) && log.note(STEP_PAGES));
    }
}
