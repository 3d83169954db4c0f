//! The folder that holds everything: database, server key, and the lock of the process that serves.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use tokenry_core::{Entropy, credentials::Key};

use crate::config::ServerKey;

const DATABASE: &str = "tokenry.db";
const SERVER_KEY: &str = "server.key";
const LOCK: &str = "serve.lock";
const FIRST_ADMINISTRATOR: &str = "first-administrator.txt";
const OWNER_ONLY: u32 = 0o600;

/// The folder.
#[derive(Debug, Clone)]
pub struct DataFolder(PathBuf);

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataFolderError {
    /// A file or the folder itself.
    #[error("{path}: {error}")]
    Io {
        /// Where.
        path: PathBuf,
        /// What happened.
        error: io::Error,
    },
    /// Another process serves it.
    #[error("another tokenry serves {0} already: stop it first, or choose another --data")]
    Served(PathBuf),
    /// Somebody fills its database.
    #[error(
        "a `tokenry restore`, `import` or `store copy` fills the database in {0}: wait until it \
         has ended"
    )]
    Filled(PathBuf),
    /// Others have its database open.
    #[error("another tokenry command has the database in {0} open: wait until it has ended")]
    InUse(PathBuf),
    /// The key file holds no key.
    #[error(
        "{0} holds no server key: it must be 32 bytes in base64url, as `tokenry init` writes it"
    )]
    NoKey(PathBuf),
    /// A database without its key.
    #[error(
        "the database is in use already, but its server key is not here ({0} is missing): put the \
         key back from its backup or from another node, or set TOKENRY_SERVER_KEY; if it is lost \
         for good, run `tokenry key replace --lost`"
    )]
    KeyMissing(PathBuf),
}

/// The right to serve the folder's database, until it is dropped.
#[derive(Debug)]
pub struct ServeLock {
    _file: File,
}

/// Others may use the database as well, but nobody fills it, until this is dropped.
#[derive(Debug)]
pub struct SharedLock {
    _folder: File,
}

/// Nobody else has the database open, until this is dropped.
#[derive(Debug)]
pub struct ExclusiveLock {
    _serve: ServeLock,
    _folder: File,
}

impl DataFolder {
    /// Opens the folder; makes it, for its owner only, when it is not there.
    pub fn open(path: &Path) -> Result<Self, DataFolderError> {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.map_err(|error| DataFolderError::Io { path: path.to_owned(), error })?;
        Ok(Self(path.to_owned()))
    }

    /// A folder that may not be there, and is not made.
    pub fn named(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where the database is.
    pub fn database(&self) -> PathBuf {
        self.0.join(DATABASE)
    }

    /// Where the key is, unless the configuration says otherwise.
    pub fn server_key(&self) -> PathBuf {
        self.0.join(SERVER_KEY)
    }

    /// The file that the one process which serves has locked.
    pub fn serve_lock(&self) -> PathBuf {
        self.0.join(LOCK)
    }

    /// Takes the lock of the one process that may serve: two would not know of each other's
    /// caches.
    pub fn lock(&self) -> Result<ServeLock, DataFolderError> {
        let path = self.serve_lock();
        let opened = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(OWNER_ONLY)
            .open(&path);
        let file = opened.map_err(|error| DataFolderError::Io { path: path.clone(), error })?;
        match file.try_lock() {
            Ok(()) => Ok(ServeLock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(DataFolderError::Served(self.0.clone())),
            Err(TryLockError::Error(error)) => Err(DataFolderError::Io { path, error }),
        }
    }

    /// Keeps out whoever would fill the database, while a server or a command has it open. The
    /// folder itself is locked: a file that root had made would keep out the server's own account.
    pub fn lock_shared(&self) -> Result<SharedLock, DataFolderError> {
        let folder = self.open_itself()?;
        match folder.try_lock_shared() {
            Ok(()) => Ok(SharedLock { _folder: folder }),
            Err(TryLockError::WouldBlock) => Err(DataFolderError::Filled(self.0.clone())),
            Err(TryLockError::Error(error)) => Err(self.failed(error)),
        }
    }

    /// Keeps out servers and commands, while the database is filled.
    pub fn lock_exclusive(&self) -> Result<ExclusiveLock, DataFolderError> {
        let serve = self.lock()?;
        let folder = self.open_itself()?;
        match folder.try_lock() {
            Ok(()) => Ok(ExclusiveLock { _serve: serve, _folder: folder }),
            Err(TryLockError::WouldBlock) => Err(DataFolderError::InUse(self.0.clone())),
            Err(TryLockError::Error(error)) => Err(self.failed(error)),
        }
    }

    fn open_itself(&self) -> Result<File, DataFolderError> {
        File::open(&self.0).map_err(|error| self.failed(error))
    }

    fn failed(&self, error: io::Error) -> DataFolderError {
        DataFolderError::Io { path: self.0.clone(), error }
    }

    /// The root key: from the configuration or from the key file; `None` if there is none yet.
    pub fn root_key(
        &self,
        given: Option<&ServerKey>,
        key_file: Option<&Path>,
    ) -> Result<Option<Key>, DataFolderError> {
        if let Some(given) = given {
            return Ok(Some(Key::new(*given.expose())));
        }
        let path = key_file.map_or_else(|| self.server_key(), Path::to_owned);
        match read_key(&path)? {
            None if key_file.is_some() => Err(DataFolderError::NoKey(path)),
            found => Ok(found),
        }
    }

    /// Draws the root key of a new database and keeps it. When another process was faster, its key
    /// is the one.
    pub fn draw_key(&self, entropy: &dyn Entropy) -> Result<Key, DataFolderError> {
        let key = Key::draw(entropy);
        let path = self.server_key();
        match self.write_key(&key) {
            Ok(()) => Ok(key),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                read_key(&path)?.ok_or(DataFolderError::NoKey(path))
            }
            Err(error) => Err(DataFolderError::Io { path, error }),
        }
    }

    /// Keeps a new key in the folder, where none may be yet.
    pub fn write_key(&self, key: &Key) -> io::Result<()> {
        let text = format!("{}\n", URL_SAFE_NO_PAD.encode(key.expose()));
        // Whole or not at all: a half-written key would lock its owner out.
        let staged = format!("{SERVER_KEY}.{}.new", std::process::id());
        let staged = self.stage(&staged, text.as_bytes())?;
        let linked = fs::hard_link(&staged, self.server_key());
        fs::remove_file(&staged)?;
        linked?;
        File::open(&self.0)?.sync_all()
    }

    /// What a file of the folder holds; `None` if it is not there.
    pub fn read(&self, name: &str) -> Result<Option<String>, DataFolderError> {
        let path = self.0.join(name);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(DataFolderError::Io { path, error }),
        }
    }

    /// Writes a file of the folder, for its owner only, in place of the one there is. It is whole
    /// or as before at every moment, power loss included. For whoever has the lock.
    pub fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), DataFolderError> {
        let path = self.0.join(name);
        let put = || {
            fs::rename(self.stage(&format!("{name}.new"), bytes)?, &path)?;
            File::open(&self.0)?.sync_all()
        };
        put().map_err(|error| DataFolderError::Io { path: path.clone(), error })
    }

    /// Writes a file that gets its name later.
    fn stage(&self, name: &str, bytes: &[u8]) -> io::Result<PathBuf> {
        let path = self.0.join(name);
        let mut options = OpenOptions::new();
        options.create(true).write(true).truncate(true).mode(OWNER_ONLY);
        let mut file = options.open(&path)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        Ok(path)
    }

    /// Keeps the first administrator's secrets for the owner of the folder, and says where.
    pub fn write_first_administrator(&self, text: &str) -> Result<PathBuf, DataFolderError> {
        let path = self.0.join(FIRST_ADMINISTRATOR);
        let fail = |error| DataFolderError::Io { path: path.clone(), error };
        let mut file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .mode(OWNER_ONLY)
            .open(&path)
            .map_err(fail)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(fail)?;
        Ok(path)
    }
}

fn read_key(path: &Path) -> Result<Option<Key>, DataFolderError> {
    let mut text = String::new();
    let read = File::open(path).and_then(|mut file| {
        warn_if_readable_by_others(path, &file);
        file.read_to_string(&mut text)
    });
    match read {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(DataFolderError::Io { path: path.to_owned(), error });
        }
    }
    let key =
        ServerKey::parse(text.trim()).ok_or_else(|| DataFolderError::NoKey(path.to_owned()))?;
    Ok(Some(Key::new(*key.expose())))
}

fn warn_if_readable_by_others(path: &Path, file: &File) {
    let mode = file.metadata().map(|metadata| metadata.permissions().mode()).unwrap_or_default();
    if mode & 0o077 != 0 {
        tracing::warn!(path = %path.display(), "others can read the server key: chmod 600 it");
    }
}
