//! The tokens of a profile, where the source that renews them finds and leaves them.

use std::sync::{Arc, Mutex, PoisonError};

use tokenry_client::{BoxFuture, StorageError, StorageGuard, StoredTokens, TokenStorage};

use super::profiles::Profiles;

/// The tokens of the profile of this name.
pub(super) struct ProfileStorage {
    name: String,
    /// Those that were found last, which a renewal begins with.
    found: Arc<Mutex<Option<StoredTokens>>>,
}

impl ProfileStorage {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), found: Arc::default() }
    }
}

impl TokenStorage for ProfileStorage {
    fn load(&self) -> BoxFuture<'_, Result<Option<StoredTokens>, StorageError>> {
        let found = Arc::clone(&self.found);
        Box::pin(aside(self.name.clone(), move |name| {
            let tokens = Profiles::open()?.secrets(name)?.tokens;
            found.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&tokens);
            Ok(tokens)
        }))
    }

    fn save<'a>(&'a self, tokens: &'a StoredTokens) -> BoxFuture<'a, Result<(), StorageError>> {
        let (tokens, found) = (tokens.clone(), Arc::clone(&self.found));
        Box::pin(aside(self.name.clone(), move |name| {
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            Profiles::open()?.renew(name, found.as_ref(), tokens.clone())?;
            *found = Some(tokens);
            Ok(())
        }))
    }

    fn exclusive(&self) -> BoxFuture<'_, Result<StorageGuard, StorageError>> {
        Box::pin(aside(self.name.clone(), |_| {
            Ok(Box::new(Profiles::open()?.renewal_turn()?) as StorageGuard)
        }))
    }
}

/// Files and keyrings let their callers wait; tasks must not.
async fn aside<T: Send + 'static>(
    name: String,
    work: impl FnOnce(&str) -> anyhow::Result<T> + Send + 'static,
) -> Result<T, StorageError> {
    let done = tokio::task::spawn_blocking(move || work(&name)).await;
    let done = done.map_err(StorageError::new)?;
    done.map_err(|error| StorageError::new(format!("{error:#}")))
}
