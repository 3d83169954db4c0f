//! An image of a whole database, kept in memory, to begin again from: as often as one likes, in a
//! fraction of a millisecond where the database is small.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use rusqlite::{
    Connection,
    backup::{Backup, StepResult},
};

use tokio::sync::oneshot;

use super::{StoreOptions, calls::unavailable, open::Source};
use crate::Result;

/// As many pages as there are.
const ALL: i32 = -1;

/// What a store held at one moment. Clones are the same image.
#[derive(Clone)]
pub struct Image(Arc<Mutex<Connection>>);

impl Image {
    /// Of what a connection sees outside a transaction.
    pub(super) fn of(source: &Connection) -> Result<Self> {
        let mut image = Connection::open_in_memory()?;
        copy(source, &mut image)?;
        Ok(Self(Arc::new(Mutex::new(image))))
    }

    /// Overwrites the database of an open connection.
    pub(super) fn restore(&self, target: &mut Connection) -> Result<()> {
        copy(&self.0.lock().unwrap_or_else(PoisonError::into_inner), target)
    }

    /// Writes the image over a database that nobody has open, and makes it if it is not there. Who
    /// is killed meanwhile leaves it as it was before.
    pub fn write(&self, path: &Path) -> Result<()> {
        if path.exists() {
            return self.write_over(path);
        }
        let staged = ending(path, ".new");
        let clear = || {
            for left in ["", "-wal", "-shm", "-journal"].map(|end| ending(&staged, end)) {
                match fs::remove_file(left) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
            Ok(())
        };
        let fail = |error: io::Error| unavailable(&format!("{}: {error}", path.display()));
        clear().map_err(fail)?;
        self.write_over(&staged)?;
        fs::rename(&staged, path).map_err(fail)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = File::open(folder.unwrap_or(Path::new(".")));
        folder.and_then(|folder| folder.sync_all()).map_err(fail)
    }

    /// In one transaction, once the file is there.
    fn write_over(&self, path: &Path) -> Result<()> {
        let source =
            Source::File { path: path.to_owned(), cache_size: StoreOptions::default().cache_size };
        let mut target = source.create()?;
        self.restore(&mut target)
    }
}

fn ending(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn copy(source: &Connection, target: &mut Connection) -> Result<()> {
    let backup = Backup::new(source, target)?;
    match backup.step(ALL)? {
        StepResult::Done => Ok(()),
        _ => Err(unavailable("the database is locked by another program")),
    }
}

/// Who waits for an image.
#[derive(Clone, Default)]
pub(super) struct Images(Arc<Mutex<Vec<oneshot::Sender<Result<Image>>>>>);

impl Images {
    /// From now on the next one is wanted.
    pub(super) fn ask(&self) -> oneshot::Receiver<Result<Image>> {
        let (asked, image) = oneshot::channel();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
        image
    }

    /// Gives one to everybody who waits. It is asked behind a commit, outside of transactions.
    pub(super) fn give(&self, source: &Connection) {
        let waiting = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for asked in waiting {
            drop(asked.send(Image::of(source)));
        }
    }
}
