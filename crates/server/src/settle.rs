//! Writes that make something cached stale.
//!
//! The write and the eviction are one piece of work that goes on when its request is dropped: a
//! client that hangs up in the middle must not leave a dead token alive in the cache. It evicts
//! whatever the store answered, for of a write that failed it is not known whether it happened.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokenry_core::{
    early_expiry::EarlyExpiry, grant::Token, grant_types::refresh_token::TokenRotation,
    revocation::GrantEnd,
};
use tokenry_protocol::ids::{ClientId, TokenId, UserId};
use tokenry_store::{Conditional, Result, Store};
use tokio::runtime::Handle;

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
        to_its_end(async move {
            let written = write.await;
            state.evict(outdated);
            written
        })
        .await
    }

    /// Ends a record: it is dead on this node before anybody is told.
    pub async fn end_grant(&self, end: GrantEnd) -> Result<Conditional> {
        let outdated = Stale::Token(end.id());
        self.settle(outdated, |store| async move { store.end_grant(end).await }).await
    }

    /// Ends tokens before their time: they are dead on this node before anybody is told.
    pub async fn expire_early(&self, write: EarlyExpiry) -> Result<Conditional> {
        let outdated = Stale::Token(write.id());
        self.settle(outdated, |store| async move { store.expire_early(write).await }).await
    }

    /// Rotates a record that was `before`: the old access token is dead on this node before anybody
    /// is told, and the new one is known.
    pub async fn rotate(&self, write: TokenRotation, before: &Token) -> Result<Conditional> {
        let (state, after) = (self.clone(), write.after(before));
        let ticket = self.verifier.ticket(after.id);
        to_its_end(async move {
            let written = state.store.rotate_refresh_token(write).await;
            match written {
                Ok(Conditional::Now) => state.verifier.replace(ticket, after),
                _ => state.verifier.evict(after.id),
            }
            written
        })
        .await
    }

    fn evict(&self, outdated: Stale) {
        match outdated {
            Stale::Token(id) => self.verifier.evict(id),
            Stale::Client(id) => self.directory.evict_client(id),
            Stale::User(id) => self.directory.evict_user(id),
        }
    }
}

/// Does `work` as part of the request, and when that is dropped, in a task of its own.
fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> impl Future<Output = T> + Send {
    ToItsEnd(Some(Box::pin(work)))
}

/// `None` once it is done.
struct ToItsEnd<T: Send + 'static>(Option<Pin<Box<dyn Future<Output = T> + Send>>>);

impl<T: Send + 'static> Future for ToItsEnd<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let Some(work) = &mut self.0 else { return Poll::Pending };
        let done = work.as_mut().poll(context);
        if done.is_ready() {
            self.0 = None;
        }
        done
    }
}

impl<T: Send + 'static> Drop for ToItsEnd<T> {
    fn drop(&mut self) {
        // Without a runtime the process is ending, and its memory with it.
        if let Some(work) = self.0.take()
            && let Ok(runtime) = Handle::try_current()
        {
            drop(runtime.spawn(work));
        }
    }
}
