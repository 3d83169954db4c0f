//! The tokens of a profile, where the source that renews them finds and leaves them.

use tokenry_client::{BoxFuture, StorageError, StorageGuard, StoredTokens, TokenStorage};

use super::profiles::{Profiles, renewal_turn};

/// The tokens of the profile of this name.
pub(super) struct ProfileStorage {
    name: String,
}

impl ProfileStorage {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }
}

impl TokenStorage for ProfileStorage {
    fn load(&self) -> BoxFuture<'_, Result<Option<StoredTokens>, StorageError>> {
        Box::pin(aside(self.name.clone(), |name| Ok(Profiles::open()?.secrets(name)?.tokens)))
    }

    fn save<'a>(&'a self, tokens: &'a StoredTokens) -> BoxFuture<'a, Result<(), StorageError>> {
        let tokens = tokens.clone();
        Box::pin(aside(self.name.clone(), move |name| Profiles::open()?.renew(name, tokens)))
    }

    fn exclusive(&self) -> BoxFuture<'_, Result<StorageGuard, StorageError>> {
        Box::pin(aside(self.name.clone(), |_| Ok(Box::new(renewal_turn()?) as StorageGuard)))
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
