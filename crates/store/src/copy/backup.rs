//! Backups: an installation as it was at one moment, in one file, taken beside whoever serves it.
//!
//! 1. The file is filled from a snapshot ([`Role::Snapshot`]): page by page where the source is a
//!    file itself, which is the fastest way, and otherwise as a copy.
//! 2. Both are read and compared by the digest of each table. The source is read in the transaction
//!    that the file was filled from, so what was written since is not seen.
//! 3. The digests stay in the file, beside the note of what it is ([`BackupNote`]).
//! 4. Every page and index of the file is checked.

use std::path::Path;

use tokenry_protocol::time::Timestamp;

use super::{
    Copied, CopyError, Result, Role, Side, count, mark,
    progress::{Progress, Stage},
    replace, verify_all,
};
use crate::sqlite::backup;

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupNote {
    /// When it was begun, before its snapshot: whatever it lacks was done later.
    pub taken_at: Timestamp,
    /// The database that it is of, without a password.
    pub source: String,
    /// The program that took it.
    pub version: String,
    /// When what was revoked since was settled, if it is about to be restored.
    pub settled_at: Option<Timestamp>,
    /// Whether its schema is this program's; an older one is brought up to date.
    pub is_of_this_schema: bool,
}

impl BackupNote {
    /// Of a backup that is taken now.
    pub const fn new(taken_at: Timestamp, source: String, version: String) -> Self {
        Self { taken_at, source, version, settled_at: None, is_of_this_schema: true }
    }

    /// Whether both are notes of one backup.
    pub fn is_same_backup(&self, other: &Self) -> bool {
        (self.taken_at, &self.source) == (other.taken_at, &other.source)
    }
}

/// Fills an empty file, and tells what it consists of.
pub async fn back_up(
    source: &Side,
    file: &Path,
    note: BackupNote,
    progress: &Progress,
) -> Result<Vec<Copied>> {
    if source.read_whole(mark::keys()).await?.is_empty() {
        return Err(CopyError::NoInstallation);
    }
    let total = count(source).await?;
    let meter = progress.stage(Stage::Copy, total);
    let telling = meter.clone();
    let tell = Box::new(move |done, of| telling.tell_share(done, of));
    let copied = if source.tell(source.end.write_pages(file, tell).await)? {
        meter.end();
        let target = Side::open_sqlite(file, Role::Target)?;
        mark::begin(&target).await?;
        let meter = progress.stage(Stage::Verify, total);
        let copied = verify_all(source, &target, [0; super::TABLES.len()], &meter).await?;
        mark::finish(&target, &copied).await?;
        meter.end();
        copied
    } else {
        let target = Side::open_sqlite(file, Role::Target)?;
        replace(source, &target, progress).await?
    };
    in_background(file, move |file| {
        backup::seal(file, &note)?;
        backup::check(file)
    })
    .await?;
    Ok(copied)
}

/// What a file says of itself; `None` if it is no backup.
pub fn read_note(file: &Path) -> Result<Option<BackupNote>> {
    told_of_source(backup::read_note(file))
}

/// Refuses a file of which a page or an index is damaged.
pub async fn refuse_damaged(file: &Path) -> Result<()> {
    in_background(file, backup::check).await
}

/// Work on a file, which takes as long as its disk does.
pub(super) async fn in_background<T: Send + 'static>(
    file: &Path,
    work: impl FnOnce(&Path) -> crate::Result<T> + Send + 'static,
) -> Result<T> {
    let file = file.to_owned();
    let done = tokio::task::spawn_blocking(move || work(&file)).await;
    told_of_source(done.unwrap_or_else(|_| Err(super::merge::given_up())))
}

fn told_of_source<T>(done: crate::Result<T>) -> Result<T> {
    done.map_err(|error| CopyError::File { error })
}
