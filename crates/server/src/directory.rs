//! Clients and users, cached and coherent: their state decides over every token of theirs.

use std::sync::Arc;

use tokenry_core::{client::Client, user::User};
use tokenry_protocol::ids::{ClientId, ClientIdentifier, UserId};
use tokenry_store::{Result, Store};

use crate::{
    coherent_cache::{Changes, CoherentCache},
    config,
    freshness::Freshness,
};

/// What the directory was when something was found in it: as long as this is its present state,
/// what was found is what would be found again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DirectoryState {
    clients: Changes,
    users: Changes,
}

/// The clients and users that requests need all the time.
pub struct Directory {
    store: Arc<dyn Store>,
    clients: CoherentCache<ClientId, Client>,
    identifiers: CoherentCache<ClientIdentifier, ClientId>,
    users: CoherentCache<UserId, User>,
}

impl Directory {
    /// An empty directory over a store.
    pub fn new(store: Arc<dyn Store>, sizes: &config::Cache, freshness: &Arc<Freshness>) -> Self {
        let fresh = || Arc::clone(freshness);
        Self {
            store,
            clients: CoherentCache::new(sizes.clients, fresh()),
            identifiers: CoherentCache::new(sizes.clients, fresh()),
            users: CoherentCache::new(sizes.users, fresh()),
        }
    }

    /// To be taken before something is found that is to be kept elsewhere.
    pub fn state(&self) -> DirectoryState {
        DirectoryState { clients: self.clients.changes(), users: self.users.changes() }
    }

    /// A client that is not deleted. It may be disabled.
    pub async fn find_client(&self, id: ClientId) -> Result<Option<Arc<Client>>> {
        if let Some(client) = self.clients.get(&id) {
            return Ok(Some(client));
        }
        let ticket = self.clients.ticket(&id);
        let found = self.store.find_client(id).await?.map(Arc::new);
        if let Some(client) = &found {
            self.clients.admit(ticket, &id, client);
        }
        Ok(found)
    }

    /// The same by identifier.
    pub async fn find_client_by_identifier(
        &self,
        identifier: &ClientIdentifier,
    ) -> Result<Option<Arc<Client>>> {
        if let Some(id) = self.identifiers.get(identifier) {
            let client = self.find_client(*id).await?;
            // An identifier may have moved on to another client.
            if let Some(client) = client.filter(|client| client.identifier == *identifier) {
                return Ok(Some(client));
            }
            self.identifiers.evict(identifier);
        }
        let ticket = self.identifiers.ticket(identifier);
        let Some(found) = self.store.find_client_by_identifier(identifier).await? else {
            return Ok(None);
        };
        self.identifiers.admit(ticket, identifier, &Arc::new(found.id));
        // The record itself is read under a ticket of its own, for which its id must be known.
        let client = self.find_client(found.id).await?;
        Ok(client.filter(|client| client.identifier == *identifier))
    }

    /// A user who is not deleted. They may be suspended.
    pub async fn find_user(&self, id: UserId) -> Result<Option<Arc<User>>> {
        if let Some(user) = self.users.get(&id) {
            return Ok(Some(user));
        }
        let ticket = self.users.ticket(&id);
        let found = self.store.find_user(id).await?.map(Arc::new);
        if let Some(user) = &found {
            self.users.admit(ticket, &id, user);
        }
        Ok(found)
    }

    /// To be called when a client was changed or deleted, before that is acknowledged.
    pub fn evict_client(&self, id: ClientId) {
        self.clients.evict(&id);
    }

    /// To be called when a user was changed or deleted, before that is acknowledged.
    pub fn evict_user(&self, id: UserId) {
        self.users.evict(&id);
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.clients.clear();
        self.identifiers.clear();
        self.users.clear();
    }
}
