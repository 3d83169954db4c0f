//! The hot path: checking an access token.
//!
//! 1. Form and checksum, when the credential is parsed: garbage is refused without a look at
//!    anything.
//! 2. The cached record by id; on a miss the tag (forgeries never reach the store), then the store.
//! 3. The stored hash, in constant time.
//! 4. The state of its client and of its user.
//! 5. Its expiry.
//! 6. The use is noted by the caller, once it has judged the scope: [`Verifier::note_use`].

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicI64, Ordering},
};

use tokenry_core::{
    Mint, TokenKeys,
    client::{Client, ClientStatus},
    grant::{Stage, Token},
    user::User,
};
use tokenry_protocol::{
    ids::TokenId,
    scope::Scope,
    secret::{Credential, Kind, Malformed},
    time::Timestamp,
};
use tokenry_store::{Store, StoreError};

use crate::{coherent_cache::CoherentCache, directory::Directory, uses::Uses};

/// A record as the cache holds it: issued, and with the time of its last use beside it.
pub struct CachedToken {
    token: Token,
    /// Milliseconds; the store's value at first. Uses within one second are noted once.
    used_at: AtomicI64,
    /// Whether a use of this rotation was noted since the record was read.
    noted: AtomicBool,
}

/// An access token that holds, with whom it speaks for.
#[derive(Clone)]
pub struct VerifiedToken {
    cached: Arc<CachedToken>,
    /// Whose token it is.
    pub client: Arc<Client>,
    /// Whom it acts for.
    pub user: Arc<User>,
}

/// Why an access token does not hold.
#[derive(Debug)]
pub enum VerifyError {
    /// Unknown, malformed, expired, revoked, or of somebody who is gone: nobody is told which.
    Invalid(&'static str),
    /// The store was needed and is away: that says nothing about the token.
    Store(StoreError),
}

impl From<Malformed> for VerifyError {
    fn from(_: Malformed) -> Self {
        Self::Invalid("malformed")
    }
}

impl From<StoreError> for VerifyError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl VerifiedToken {
    /// When it was last used, exactly.
    pub fn used_at(&self) -> Option<Timestamp> {
        let used_at = self.cached.used_at.load(Ordering::Relaxed);
        (used_at != NEVER).then(|| Timestamp::from_millis(used_at))
    }

    /// The record as it was read; its last use may be later than this says.
    pub fn token(&self) -> &Token {
        &self.cached.token
    }

    /// What the token may do.
    pub fn scope(&self) -> Option<&Scope> {
        self.cached.token.issued().map(|issued| &issued.scope)
    }
}

const NEVER: i64 = i64::MIN;

/// Checks access tokens.
pub struct Verifier {
    store: Arc<dyn Store>,
    cache: CoherentCache<TokenId, CachedToken>,
    uses: Uses,
}

impl Verifier {
    /// A verifier over a store, with room for `capacity` records.
    pub fn new(store: Arc<dyn Store>, capacity: usize) -> Self {
        Self { store, cache: CoherentCache::new(capacity), uses: Uses::default() }
    }

    /// Checks `credential`.
    pub async fn verify(
        &self,
        credential: &Credential,
        keys: &TokenKeys,
        directory: &Directory,
        now: Timestamp,
    ) -> Result<VerifiedToken, VerifyError> {
        let (kind, id) = (credential.parts().kind, credential.parts().id);
        let id = TokenId::new(id).map_err(|_| VerifyError::Invalid("malformed"))?;
        if kind != Kind::AccessToken {
            return Err(VerifyError::Invalid("wrong kind"));
        }
        let cached = match self.cache.get(&id) {
            Some(cached) => cached,
            None => self.fill(id, credential, keys).await?,
        };
        let issued = cached.token.issued().ok_or(VerifyError::Invalid("not issued"))?;
        if !issued.access.hash.matches(&credential.hash()) {
            return Err(VerifyError::Invalid("other secret"));
        }
        let client = directory.find_client(cached.token.client_id).await?;
        let client = client.filter(|client| client.status == ClientStatus::Enabled);
        let user = directory.find_user(cached.token.user_id).await?.filter(|user| !user.suspended);
        let (Some(client), Some(user)) = (client, user) else {
            return Err(VerifyError::Invalid("client or user gone"));
        };
        if issued.access.is_expired(now) {
            return Err(VerifyError::Invalid("expired"));
        }
        Ok(VerifiedToken { cached, client, user })
    }

    async fn fill(
        &self,
        id: TokenId,
        credential: &Credential,
        keys: &TokenKeys,
    ) -> Result<Arc<CachedToken>, VerifyError> {
        if keys.recognise(credential) == Mint::Forged {
            return Err(VerifyError::Invalid("forged"));
        }
        let ticket = self.cache.ticket();
        let token = self.find(id).await?.ok_or(VerifyError::Invalid("unknown"))?;
        let used_at = token.issued().and_then(|issued| issued.used_at);
        let used_at = AtomicI64::new(used_at.map_or(NEVER, Timestamp::as_millis));
        let is_issued = token.issued().is_some();
        let cached = Arc::new(CachedToken { token, used_at, noted: AtomicBool::new(false) });
        if is_issued {
            self.cache.admit(ticket, &id, &cached);
        }
        Ok(cached)
    }

    /// A record as the store has it, with its last use exact.
    pub async fn find(&self, id: TokenId) -> Result<Option<Token>, StoreError> {
        let mut found = self.store.find_token(id).await?;
        if let Some(token) = &mut found {
            self.overlay(token);
        }
        Ok(found)
    }

    /// Lays uses that the store does not know yet over a record that it gave.
    pub fn overlay(&self, token: &mut Token) {
        if let Stage::Issued(issued) = &mut token.stage {
            self.uses.overlay(token.id, issued);
        }
    }

    /// Notes that a verified token was used.
    pub fn note_use(&self, verified: &VerifiedToken, now: Timestamp) {
        let cached = &verified.cached;
        let before = cached.used_at.fetch_max(now.as_millis(), Ordering::Relaxed);
        let rotation = cached.token.issued().map_or(0, |issued| issued.rotation);
        // What the wire shows has whole seconds, so one note a second is exact; the first use of a
        // rotation always counts, because it decides what a repeated refresh may be given.
        let is_first = !cached.noted.swap(true, Ordering::Relaxed);
        let is_same_second =
            before != NEVER && Timestamp::from_millis(before).as_seconds() == now.as_seconds();
        if is_first || !is_same_second {
            self.uses.note(cached.token.id, now, rotation);
        }
    }

    /// To be called when a record was ended or rotated, before that is acknowledged.
    pub fn evict(&self, id: TokenId) {
        self.cache.evict(&id);
    }

    /// Forgets every cached record; uses are kept.
    pub fn clear(&self) {
        self.cache.clear();
    }

    /// Writes the uses noted so far.
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.uses.flush(&self.store).await
    }
}
