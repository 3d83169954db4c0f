//! A file that is whole before anybody sees it under its name.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

/// What databases have beside them.
pub(crate) const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// What happens to a file that has the name already.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    /// It stays, and there is an error.
    Stays,
    /// It is replaced.
    Replaced,
}

/// A file under another name, for its owner alone. It is removed unless it is put in its place.
pub(crate) struct StagedFile {
    path: PathBuf,
    /// Keeps others away who would stage the same.
    file: File,
    is_kept: bool,
}

/// What is staged first has its own name, which a run that was killed may have left.
pub(crate) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

impl StagedFile {
    /// Begins an empty one. What another run has left there is removed.
    pub(crate) fn new(path: PathBuf) -> anyhow::Result<Self> {
        let staged = Self::open(path)?;
        let path = &staged.path;
        for end in BESIDE {
            remove(&beside(path, end))?;
        }
        staged.file.set_len(0).with_context(|| path.display().to_string())?;
        Ok(staged)
    }

    /// Goes on with what another run has left there.
    pub(crate) fn open(path: PathBuf) -> anyhow::Result<Self> {
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true).mode(0o600);
        let file = options.open(&path).with_context(|| path.display().to_string())?;
        match file.try_lock() {
            Ok(()) => Ok(Self { path, file, is_kept: false }),
            Err(TryLockError::WouldBlock) => {
                bail!("{}: another tokenry is writing it at this moment", path.display())
            }
            Err(TryLockError::Error(error)) => Err(error).context(path.display().to_string()),
        }
    }

    /// Where it is until then.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves it where it is.
    pub(crate) fn keep(&mut self) {
        self.is_kept = true;
    }

    /// Gives it its name, power loss included.
    pub(crate) fn put(mut self, place: &Path, existing: Existing) -> anyhow::Result<()> {
        let put = || -> io::Result<()> {
            File::open(&self.path)?.sync_all()?;
            match existing {
                Existing::Stays => {
                    fs::hard_link(&self.path, place)?;
                    fs::remove_file(&self.path)?;
                }
                Existing::Replaced => fs::rename(&self.path, place)?,
            }
            File::open(folder_of(place))?.sync_all()
        };
        put().with_context(|| place.display().to_string())?;
        self.is_kept = true;
        Ok(())
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        if !self.is_kept {
            for path in BESIDE.map(|end| beside(&self.path, end)).iter().chain([&self.path]) {
                if let Err(error) = remove(path) {
                    tracing::warn!(%error, "what was begun could not be removed");
                }
            }
        }
    }
}

/// Removes a file that may not be there.
pub(crate) fn remove(path: &Path) -> anyhow::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).context(path.display().to_string())
        }
        _ => Ok(()),
    }
}

/// The folder that a file is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
