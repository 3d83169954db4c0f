//! Fresh ids, out of blocks that the store has leased to this process.

use std::{collections::HashMap, ops::RangeInclusive, sync::Arc};

use tokenry_protocol::ids::InvalidId;
use tokenry_store::{IdSequence, Store, StoreError};
use tokio::sync::Mutex;

/// The blocks at hand.
pub struct IdLeases {
    store: Arc<dyn Store>,
    blocks: Mutex<HashMap<IdSequence, RangeInclusive<u64>>>,
}

/// How many ids are leased at once. What is left of a block at a stop becomes a gap, so records
/// that people look at get theirs one by one.
const fn block_size(sequence: IdSequence) -> u32 {
    match sequence {
        IdSequence::Tokens => 1_000,
        IdSequence::SignInSessions => 100,
        IdSequence::Clients | IdSequence::Users | IdSequence::ApiTokens => 1,
    }
}

impl IdLeases {
    /// Nothing is leased before the first id is asked for.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, blocks: Mutex::new(HashMap::new()) }
    }

    /// An id that nobody had and nobody will have.
    pub async fn next<T: TryFrom<u64, Error = InvalidId>>(
        &self,
        sequence: IdSequence,
    ) -> Result<T, StoreError> {
        // Held while a block is fetched: others wait for that block instead of leasing their own.
        let mut blocks = self.blocks.lock().await;
        let next = if let Some(next) = blocks.get_mut(&sequence).and_then(Iterator::next) {
            next
        } else {
            let mut block = self.store.lease_ids(sequence, block_size(sequence)).await?;
            let first = block.next();
            blocks.insert(sequence, block);
            first.ok_or_else(|| StoreError::Corrupt("an empty block of ids".to_owned()))?
        };
        T::try_from(next).map_err(|_| StoreError::Corrupt("the ids are spent".to_owned()))
    }
}
