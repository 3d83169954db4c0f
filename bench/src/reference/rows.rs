//! One row committed durably for each answer, as cheaply as SQLite can: one writer, group commit,
//! an integer key and no other index, checkpoints beside the commits.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI32, Ordering},
    },
    thread,
};

use anyhow::{Result, anyhow};
use crossbeam_channel::{Receiver, Sender, bounded};
use rusqlite::{Connection, Statement, hooks::Wal, params, wal::CheckpointMode};
use tokio::sync::oneshot;

use super::Write;

/// The most rows of one transaction.
const BATCH_MAX: usize = 256;
/// How many answers may wait for their row.
const QUEUE_MAX: usize = 4_096;
/// Rows that updates go round.
const UPDATED: u64 = 64;
/// Pages of log between two checkpoints.
const STEP: i32 = 1_024;
/// Pages of log at which it is started anew.
const RESTART: i32 = 4_096;

/// As long as a token's row, about 100 bytes.
const TABLE: &str = "CREATE TABLE rows (
    id INTEGER PRIMARY KEY, client INTEGER NOT NULL, user INTEGER NOT NULL, origin INTEGER NOT NULL,
    rotation INTEGER NOT NULL, created_at INTEGER NOT NULL, granted TEXT NOT NULL,
    hash BLOB NOT NULL, issued_at INTEGER, lifetime INTEGER, used_at INTEGER
) STRICT";
const INSERT: &str = "INSERT INTO rows VALUES (?, ?, ?, 1, 1, ?, 'read write', ?, ?, 1800, NULL)";
const UPDATE: &str = "UPDATE rows SET rotation = rotation + 1, client = ?2, user = ?3,
    created_at = ?4, hash = ?5, issued_at = ?6 WHERE id = ?1";

const MAIN: Option<&std::ffi::CStr> = Some(c"main");

/// The way to the writer.
pub(super) struct Rows(Sender<oneshot::Sender<()>>);

impl Rows {
    /// Makes the database, and starts the writer.
    pub(super) fn open(path: &Path, write: Write) -> Result<Self> {
        let mut connection = connect(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.execute(TABLE, [])?;
        let mut row = connection.prepare(INSERT)?;
        for id in 1..=UPDATED {
            fill(&mut row, id, id)?;
        }
        drop(row);
        let pages = Arc::new(AtomicI32::new(0));
        let (wake, woken) = bounded::<()>(1);
        let (shared, last) = (Arc::clone(&pages), AtomicI32::new(0));
        connection.wal_hook(Some(move |_: &mut Wal, now| {
            shared.store(now, Ordering::Relaxed);
            if (now - last.load(Ordering::Relaxed)).abs() >= STEP {
                last.store(now, Ordering::Relaxed);
                // Full means that it has been woken already.
                let _ = wake.try_send(());
            }
            Ok(())
        }))?;
        let beside = connect(path)?;
        thread::spawn(move || {
            for () in woken {
                // The next one tries again.
                let _ = beside.wal_checkpoint_v2(MAIN, CheckpointMode::PASSIVE);
            }
        });
        let (sender, queue) = bounded(QUEUE_MAX);
        thread::spawn(move || {
            if let Err(error) = run(&connection, &queue, write, &pages) {
                eprintln!("the reference commits no more: {error:#}");
            }
        });
        Ok(Self(sender))
    }

    /// Done when a row is on the disk.
    pub(super) async fn commit(&self) -> Result<()> {
        let (caller, committed) = oneshot::channel();
        self.0.try_send(caller).map_err(|_| anyhow!("the writer is gone or behind"))?;
        Ok(committed.await?)
    }
}

fn connect(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "cache_size", -16_384)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    Ok(connection)
}

fn run(
    connection: &Connection,
    queue: &Receiver<oneshot::Sender<()>>,
    write: Write,
    pages: &AtomicI32,
) -> Result<()> {
    let mut row = connection.prepare(match write {
        Write::Insert => INSERT,
        Write::Update => UPDATE,
    })?;
    let (mut begin, mut commit) =
        (connection.prepare("BEGIN IMMEDIATE")?, connection.prepare("COMMIT")?);
    let mut count = UPDATED;
    while let Ok(first) = queue.recv() {
        let batch: Vec<_> =
            std::iter::once(first).chain(queue.try_iter().take(BATCH_MAX - 1)).collect();
        begin.execute([])?;
        for _ in &batch {
            count += 1;
            let id = match write {
                Write::Insert => count,
                Write::Update => count % UPDATED + 1,
            };
            fill(&mut row, id, count)?;
        }
        commit.execute([])?;
        for caller in batch {
            // Whoever gave up waiting needs no answer.
            let _ = caller.send(());
        }
        // While the checkpoint beside goes on this one is refused, and tried after the next batch.
        if pages.load(Ordering::Relaxed) >= RESTART
            && connection.wal_checkpoint_v2(MAIN, CheckpointMode::RESTART).is_ok()
        {
            pages.store(0, Ordering::Relaxed);
        }
    }
    Ok(())
}

/// Values that differ from row to row, as those of tokens do.
fn fill(row: &mut Statement<'_>, id: u64, count: u64) -> Result<()> {
    let mixed = |salt: u64| (count + salt).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let hash: Vec<u8> = (0..4).flat_map(|salt| mixed(salt).to_be_bytes()).collect();
    let now = 1_790_000_000_000 + count;
    row.execute(params![id, mixed(5) % 1_000 + 1, mixed(6) % 10_000 + 1, now, hash, now])?;
    Ok(())
}
