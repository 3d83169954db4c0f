//! When API tokens were last used: exact on reads here, written in batches.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokenry_core::api_token::ApiToken;
use tokenry_protocol::{ids::ApiTokenId, time::Timestamp};
use tokenry_store::{ApiTokenUse, Result, Store};

/// The last use of every API token that was used here; there are at most a few hundred.
#[derive(Default)]
pub struct ApiTokenUses(Mutex<HashMap<ApiTokenId, LastUse>>);

#[derive(Clone, Copy)]
struct LastUse {
    at: Timestamp,
    is_written: bool,
}

impl ApiTokenUses {
    /// Notes a use.
    pub fn note(&self, id: ApiTokenId, at: Timestamp) {
        self.lock().insert(id, LastUse { at, is_written: false });
    }

    /// Lays a newer use over a record that the store gave.
    pub fn overlay(&self, token: &mut ApiToken) {
        let known = self.lock().get(&token.id).map(|last| last.at);
        token.last_used = token.last_used.max(known);
    }

    /// Writes what was noted since the last time.
    pub async fn flush(&self, store: &Arc<dyn Store>) -> Result<()> {
        let uses: Vec<ApiTokenUse> = (self.lock().iter())
            .filter(|(_, last)| !last.is_written)
            .map(|(id, last)| ApiTokenUse { id: *id, used_at: last.at })
            .collect();
        if uses.is_empty() {
            return Ok(());
        }
        store.record_api_token_uses(uses.clone()).await?;
        let mut known = self.lock();
        for written in uses {
            if let Some(last) = known.get_mut(&written.id) {
                last.is_written = last.at == written.used_at;
            }
        }
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<ApiTokenId, LastUse>> {
        // A panic elsewhere cannot leave the map half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
