//! The hot path: checking an access token.
//!
//! 1. Form and checksum, when the credential is parsed: garbage is refused without a look at
//!    anything. What is no credential may be a JWT of ours around one: then its signature.
//! 2. The cached record by id, unless the token says that it is of a later rotation: another node
//!    may have rotated the record. Otherwise the tag (forgeries never reach the store), then the
//!    store.
//! 3. The stored hash, in constant time.
//! 4. The state of its client and of its user.
//! 5. Its expiry.
//! 6. The use is noted by the caller, once it has judged the scope: [`Verifier::note_use`].

use std::sync::{
    Arc, OnceLock, PoisonError, RwLock,
    atomic::{AtomicBool, AtomicI64, Ordering},
};

use axum::body::Bytes;
use tokenry_core::{
    Mint, TokenKeys,
    client::Client,
    grant::{Stage, Token, in_good_standing},
    jwt_access_token::{Unopened, open},
    user::User,
};
use tokenry_protocol::{
    ids::TokenId,
    scope::Scope,
    secret::{Credential, Kind},
    time::Timestamp,
};
use tokenry_store::{Store, StoreError};

use crate::{
    coherent_cache::{CoherentCache, Ticket},
    directory::{Directory, DirectoryState},
    freshness::Freshness,
    keyring::Keyring,
    rendered::Rendered,
    uses::Uses,
};

/// A record as the cache holds it: issued, and with the time of its last use beside it.
pub struct CachedToken {
    token: Token,
    /// Milliseconds; the store's value at first. Uses within one second are noted once.
    used_at: AtomicI64,
    /// Whether a use of this rotation was noted since the record was read.
    noted: AtomicBool,
    /// Whose it was found to be.
    owners: RwLock<Option<Arc<Owners>>>,
    /// How the record was shown to itself.
    pub shown: OnceLock<Option<Rendered>>,
}

/// Client and user of a token, both there and in good standing, as long as the directory is in the
/// state in which they were found.
pub struct Owners {
    found_in: DirectoryState,
    client: Arc<Client>,
    user: Arc<User>,
    /// How the token was described to those who may ask.
    pub described: OnceLock<Option<Bytes>>,
}

/// An access token that holds, with whom it speaks for.
#[derive(Clone)]
pub struct VerifiedToken {
    /// The record, as long as it is as it was read.
    pub cached: Arc<CachedToken>,
    /// Whose it is.
    pub owners: Arc<Owners>,
}

/// Why an access token does not hold.
#[derive(Debug)]
pub enum VerifyError {
    /// Unknown, malformed, expired, revoked, or of somebody who is gone: nobody is told which.
    Invalid(&'static str),
    /// The store was needed and is away: that says nothing about the token.
    Store(StoreError),
}

impl From<Unopened> for VerifyError {
    fn from(unopened: Unopened) -> Self {
        Self::Invalid(match unopened {
            Unopened::Malformed => "malformed",
            Unopened::SignatureWrong => "signature wrong",
        })
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

    /// Whose token it is.
    pub fn client(&self) -> &Arc<Client> {
        &self.owners.client
    }

    /// Whom it acts for.
    pub fn user(&self) -> &Arc<User> {
        &self.owners.user
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

/// Step 1: the credential that was presented as an access token, in either form.
pub fn read(text: &str, keyring: &Keyring) -> Result<Credential, VerifyError> {
    match Credential::parse(text) {
        Ok(credential) => Ok(credential),
        Err(_) => Ok(open(text, &keyring.keys().token)?),
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
    pub fn new(store: Arc<dyn Store>, capacity: usize, freshness: Arc<Freshness>) -> Self {
        Self { store, cache: CoherentCache::new(capacity, freshness), uses: Uses::default() }
    }

    /// Checks `credential`.
    pub async fn verify(
        &self,
        credential: &Credential,
        keyring: &Keyring,
        directory: &Directory,
        now: Timestamp,
    ) -> Result<VerifiedToken, VerifyError> {
        if let Some(verified) = self.verify_from_memory(credential, directory, now) {
            return verified;
        }
        // The larger part of the work is the rarer one, and would be moved about with every
        // request.
        Box::pin(async {
            let id = id_of(credential)?;
            let cached = match self.current(id, credential) {
                Some(cached) => cached,
                None => self.fill(id, credential, &keyring.keys().token).await?,
            };
            let owners = cached.find_owners(directory).await?;
            judge(cached, owners, credential, now)
        })
        .await
    }

    /// The same without waiting, if all that it takes is in memory.
    fn verify_from_memory(
        &self,
        credential: &Credential,
        directory: &Directory,
        now: Timestamp,
    ) -> Option<Result<VerifiedToken, VerifyError>> {
        let cached = self.current(id_of(credential).ok()?, credential)?;
        let owners = cached.known_owners(directory)?;
        Some(judge(cached, Ok(owners), credential, now))
    }

    /// The record in memory, if it can say anything about this token.
    fn current(&self, id: TokenId, credential: &Credential) -> Option<Arc<CachedToken>> {
        let rotation = credential.parts().rotation;
        self.cache.get(&id).filter(|cached| rotation <= cached.rotation())
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
        let ticket = self.cache.ticket(&id);
        let token = self.find(id).await?.ok_or(VerifyError::Invalid("unknown"))?;
        let is_issued = token.issued().is_some();
        let cached = Arc::new(CachedToken::new(token));
        if is_issued {
            self.cache.admit(ticket, &id, &cached);
        }
        Ok(cached)
    }

    /// A record as it was when it was read last, with its last use exact; `None` if it is not in
    /// memory. Another node may have changed it since: good for nothing but a write that carries
    /// its own condition.
    pub fn recall(&self, id: TokenId) -> Option<Token> {
        let mut token = self.cache.get(&id)?.token.clone();
        self.overlay(&mut token);
        Some(token)
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
        let rotation = cached.rotation();
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

    /// To be taken before a write after which the record is known.
    pub fn ticket(&self, id: TokenId) -> Ticket {
        self.cache.ticket(&id)
    }

    /// The same as [`evict`](Self::evict), and keeps what the write has left. It will be asked for:
    /// somebody has just been given its token.
    pub fn replace(&self, ticket: Ticket, token: Token) {
        let id = token.id;
        self.cache.replace(ticket, &id, Arc::new(CachedToken::new(token)));
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

/// An access token's id.
fn id_of(credential: &Credential) -> Result<TokenId, VerifyError> {
    let parts = credential.parts();
    if parts.kind != Kind::AccessToken {
        return Err(VerifyError::Invalid("wrong kind"));
    }
    TokenId::new(parts.id).map_err(|_| VerifyError::Invalid("malformed"))
}

/// Steps 3 to 5.
fn judge(
    cached: Arc<CachedToken>,
    owners: Result<Arc<Owners>, &'static str>,
    credential: &Credential,
    now: Timestamp,
) -> Result<VerifiedToken, VerifyError> {
    let issued = cached.token.issued().ok_or(VerifyError::Invalid("not issued"))?;
    if !issued.access.hash.matches(&credential.hash()) {
        return Err(VerifyError::Invalid("other secret"));
    }
    let owners = owners.map_err(VerifyError::Invalid)?;
    if issued.access.is_expired(now) {
        return Err(VerifyError::Invalid("expired"));
    }
    Ok(VerifiedToken { cached, owners })
}

impl CachedToken {
    fn new(token: Token) -> Self {
        let used_at = token.issued().and_then(|issued| issued.used_at);
        Self {
            token,
            used_at: AtomicI64::new(used_at.map_or(NEVER, Timestamp::as_millis)),
            noted: AtomicBool::new(false),
            owners: RwLock::new(None),
            shown: OnceLock::new(),
        }
    }

    fn rotation(&self) -> u32 {
        self.token.issued().map_or(0, |issued| issued.rotation)
    }

    /// Whose token it is, if that is known and the directory has not changed since.
    fn known_owners(&self, directory: &Directory) -> Option<Arc<Owners>> {
        let known = self.owners.read().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().filter(|owners| owners.found_in == directory.state()).map(Arc::clone)
    }

    /// Whose token it is; the reason for which it is refused if one of them is gone or stopped.
    async fn find_owners(
        &self,
        directory: &Directory,
    ) -> Result<Result<Arc<Owners>, &'static str>, StoreError> {
        let found_in = directory.state();
        let client = directory.find_client(self.token.client_id).await?;
        let user = directory.find_user(self.token.user_id).await?;
        let (client, user) = match (client, user) {
            (Some(client), Some(user)) if in_good_standing(&client, &user) => (client, user),
            (None, _) => return Ok(Err("client deleted")),
            (_, None) => return Ok(Err("user deleted")),
            (_, Some(user)) if user.suspended => return Ok(Err("user suspended")),
            _ => return Ok(Err("client disabled")),
        };
        let owners = Arc::new(Owners { found_in, client, user, described: OnceLock::new() });
        *self.owners.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&owners));
        Ok(Ok(owners))
    }
}
