//! Tokens in a file that only its owner may read.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use super::{StorageError, StorageGuard, StoredTokens, TokenStorage};
use crate::{Environment as _, SystemEnvironment, credentials::BoxFuture};

/// The longest file that is read, in bytes; the tokens of a grant are a hundredth of it.
const FILE_MAX: u64 = 64 << 10;

/// How soon a lock that somebody else holds is tried again.
const LOCK_WAIT: Duration = Duration::from_millis(20);

/// Tells the temporary files of one process apart.
static WRITTEN: AtomicU64 = AtomicU64::new(0);

/// A file of JSON, readable and writable for its owner alone (0600).
///
/// It is written beside itself, synced and renamed, so at every moment, and after a loss of power,
/// it holds either the old tokens or the new ones. A file that others may read is refused: their
/// copies would go on working. Processes that share it renew one after the other, by a lock on
/// `{file}.lock`.
#[derive(Debug, Clone)]
pub struct FileStorage {
    path: PathBuf,
}

impl FileStorage {
    /// At this path, whose folder must be there. The file need not be.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn named(&self, error: &io::Error) -> StorageError {
        StorageError::new(format!("{}: {error}", self.path.display()))
    }

    /// The path with something after its name.
    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(suffix);
        name.into()
    }

    fn read(&self) -> io::Result<Option<StoredTokens>> {
        let file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        refuse_shared(&file)?;
        let mut text = String::new();
        file.take(FILE_MAX + 1).read_to_string(&mut text)?;
        if text.len() as u64 > FILE_MAX {
            return Err(io::Error::other("it is too long for a file of tokens"));
        }
        // What the reader says of it may repeat it.
        let tokens = serde_json::from_str(&text);
        tokens.map(Some).map_err(|error| {
            let place = format!("line {} column {}", error.line(), error.column());
            io::Error::other(format!("it holds no stored tokens ({place})"))
        })
    }

    fn write(&self, tokens: &StoredTokens) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(tokens)?;
        let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
        let new = self.beside(&format!(".{}-{number}.new", std::process::id()));
        let written = write_new(&new, &text).and_then(|()| fs::rename(&new, &self.path));
        if let Err(error) = written {
            let _ = fs::remove_file(&new);
            return Err(error);
        }
        self.sync_folder()
    }

    /// Renaming is done when the folder is on the disk.
    fn sync_folder(&self) -> io::Result<()> {
        if cfg!(unix) {
            let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
            File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
        }
        Ok(())
    }

    fn open_lock(&self) -> io::Result<File> {
        private().create(true).truncate(false).open(self.beside(".lock"))
    }

    /// Does it beside the tasks of the runtime, and names the file when it fails.
    fn beside_tasks<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> io::Result<T> + Send + 'static,
    ) -> BoxFuture<'_, Result<T, StorageError>> {
        let storage = self.clone();
        Box::pin(async move {
            let done = tokio::task::spawn_blocking(move || {
                work(&storage).map_err(|error| storage.named(&error))
            });
            done.await.map_err(StorageError::new)?
        })
    }
}

impl TokenStorage for FileStorage {
    fn load(&self) -> BoxFuture<'_, Result<Option<StoredTokens>, StorageError>> {
        self.beside_tasks(Self::read)
    }

    fn save<'a>(&'a self, tokens: &'a StoredTokens) -> BoxFuture<'a, Result<(), StorageError>> {
        let tokens = tokens.clone();
        self.beside_tasks(move |storage| storage.write(&tokens))
    }

    fn exclusive(&self) -> BoxFuture<'_, Result<StorageGuard, StorageError>> {
        Box::pin(async {
            let file = self.beside_tasks(Self::open_lock).await?;
            loop {
                // The lock goes with the file that is held, whatever ends the process. A thread
                // that waited for it could not be called off when its caller waits no more.
                match file.try_lock() {
                    Ok(()) => return Ok(Box::new(file) as StorageGuard),
                    Err(TryLockError::WouldBlock) => SystemEnvironment.sleep(LOCK_WAIT).await,
                    Err(TryLockError::Error(error)) => return Err(self.named(&error)),
                }
            }
        })
    }
}

/// A file that is its owner's from its first moment on.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn write_new(path: &Path, text: &[u8]) -> io::Result<()> {
    // Left by a process of the same number that died: nobody else would use this name.
    let _ = fs::remove_file(path);
    let mut file = private().create_new(true).open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

/// Other systems than Unix keep a user's folders to that user.
#[cfg(not(unix))]
fn refuse_shared(_file: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn refuse_shared(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = file.metadata()?.permissions().mode() & 0o777;
    let others = mode & 0o077;
    if others == 0 {
        return Ok(());
    }
    let text = format!(
        "others may read it (mode {mode:04o}): chmod 600 it if nobody has, else sign in again"
    );
    Err(io::Error::new(io::ErrorKind::PermissionDenied, text))
}
