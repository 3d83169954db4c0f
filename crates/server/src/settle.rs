//! Writes that make something cached stale.
//!
//! The write and the eviction are one piece of work that goes on when its request is dropped: a
//! client that hangs up in the middle must not leave a dead token alive in the cache. It evicts
//! whatever the store answered, for of a write that failed it is not known whether it happened.

use std::sync::Arc;

use tokenry_core::revocation::GrantEnd;
use tokenry_protocol::ids::{ClientId, TokenId, UserId};
use tokenry_store::{Conditional, Result, Store, StoreError};

use crate::state::AppState;

/// What must not be answered from memory any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stale {
    /// A record.
    Token(TokenId),
    /// A client, and so every record of it.
    Client(ClientId),
    /// A user, and so every record of theirs.
    User(UserId),
}

impl AppState {
    /// Writes, and evicts before the answer is given.
    pub async fn settle<T, F>(
        &self,
        outdated: Stale,
        write: impl FnOnce(Arc<dyn Store>) -> F,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let (state, write) = (self.clone(), write(Arc::clone(&self.store)));
        let settled = tokio::spawn(async move {
            let written = write.await;
            state.evict(outdated);
            written
        });
        settled.await.unwrap_or_else(|error| Err(StoreError::Unavailable(error.to_string())))
    }

    /// Ends a record: it is dead on this node before anybody is told.
    pub async fn end_grant(&self, end: GrantEnd) -> Result<Conditional> {
        let outdated = Stale::Token(end.id());
        self.settle(outdated, |store| async move { store.end_grant(end).await }).await
    }

    fn evict(&self, outdated: Stale) {
        match outdated {
            Stale::Token(id) => self.verifier.evict(id),
            Stale::Client(id) => self.directory.evict_client(id),
            Stale::User(id) => self.directory.evict_user(id),
        }
    }
}
