//! Where tokens outlive their process.

use std::{
    error::Error as StdError,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use super::StoredTokens;
use crate::credentials::BoxFuture;

/// Why tokens could not be loaded or stored, in the words of the storage.
#[derive(Debug)]
pub struct StorageError(Box<dyn StdError + Send + Sync>);

impl StorageError {
    /// The reason. It ends up in logs, so no token is repeated in it.
    pub fn new(reason: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for StorageError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl StdError for StorageError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

/// What is held while tokens are renewed.
pub type StorageGuard = Box<dyn Send + Sync>;

/// A place for the tokens of one grant: a file, a keyring, a row in a database.
pub trait TokenStorage: Send + Sync + 'static {
    /// The tokens that were stored last; `None` when none ever were.
    fn load(&self) -> BoxFuture<'_, Result<Option<StoredTokens>, StorageError>>;

    /// Stores them in the place of what was there. When this has returned they must survive the
    /// end of the process, for the tokens before them are worth nothing from now on; when it
    /// fails, what was there must still be there.
    fn save<'a>(&'a self, tokens: &'a StoredTokens) -> BoxFuture<'a, Result<(), StorageError>>;

    /// Waits until nobody else renews what is stored here, and keeps others from it until the guard
    /// is dropped. By default nobody is kept from anything: for one process that is enough, as a
    /// token source renews once at a time.
    fn exclusive(&self) -> BoxFuture<'_, Result<StorageGuard, StorageError>> {
        Box::pin(async { Ok(Box::new(()) as StorageGuard) })
    }
}

impl<T: TokenStorage + ?Sized> TokenStorage for Arc<T> {
    fn load(&self) -> BoxFuture<'_, Result<Option<StoredTokens>, StorageError>> {
        (**self).load()
    }

    fn save<'a>(&'a self, tokens: &'a StoredTokens) -> BoxFuture<'a, Result<(), StorageError>> {
        (**self).save(tokens)
    }

    fn exclusive(&self) -> BoxFuture<'_, Result<StorageGuard, StorageError>> {
        (**self).exclusive()
    }
}

/// Tokens that end with their process: for client credentials, and for programs that ask their user
/// each time.
#[derive(Debug, Default)]
pub struct MemoryStorage {
    tokens: Mutex<Option<StoredTokens>>,
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl MemoryStorage {
    /// With these tokens, or with none.
    pub fn new(tokens: impl Into<Option<StoredTokens>>) -> Self {
        Self { tokens: Mutex::new(tokens.into()), turn: Arc::default() }
    }
}

impl TokenStorage for MemoryStorage {
    fn load(&self) -> BoxFuture<'_, Result<Option<StoredTokens>, StorageError>> {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Box::pin(async { Ok(tokens) })
    }

    fn save<'a>(&'a self, tokens: &'a StoredTokens) -> BoxFuture<'a, Result<(), StorageError>> {
        *self.tokens.lock().unwrap_or_else(PoisonError::into_inner) = Some(tokens.clone());
        Box::pin(async { Ok(()) })
    }

    fn exclusive(&self) -> BoxFuture<'_, Result<StorageGuard, StorageError>> {
        let turn = Arc::clone(&self.turn);
        Box::pin(async { Ok(Box::new(turn.lock_owned().await) as StorageGuard) })
    }
}
