//! A store that can go away, lose its answers, or be slow at a chosen moment.

use std::{
    ops::RangeInclusive,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tokenry_core::{
    api_token::ApiToken,
    client::Client,
    early_expiry::EarlyExpiry,
    event::Event,
    grant::Token,
    grant_types::{
        authorization_code::{CodeRedemption, WrongVerifier},
        refresh_token::{RepeatRenewal, TokenRotation},
    },
    issue::NewToken,
    refusal::Refusal,
    revision::Revision,
    revocation::GrantEnd,
    sign_in_session::SignInSession,
    user::User,
};
use tokenry_protocol::{
    ids::{ApiTokenId, ClientId, ClientIdentifier, SignInSessionId, TokenId, UserId},
    scope::Scope,
    time::Timestamp,
};
use tokenry_store::{
    ApiTokenInsertion, ApiTokenUse, Change, ChangePosition, ClientFilter, ClientUpdate,
    Conditional, Deletion, IdSequence, Insertion, JobLease, JobLeaseRequest, Page, PageRequest,
    PurgeRequest, PurgeStep, Result, SealedKey, Store, StoreError, TokenFilter, TokenUse,
    Tombstone, UserDeletion, UserFilter, WrongVerifierCount,
};
use tokio::{sync::Semaphore, time::timeout};

/// How long a test waits for what never comes, before it fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// A store around another one.
pub struct FaultyStore {
    inner: Arc<dyn Store>,
    is_away: AtomicBool,
    loses_next_write: AtomicBool,
    calls: AtomicU64,
    readers_held: Mutex<Option<(Hold, usize)>>,
    writer_stopped: Mutex<Option<Hold>>,
    writer_held: Mutex<Option<Hold>>,
}

/// The next looks at tokens, each stopped between the store's answer and its reader.
#[derive(Clone)]
pub struct Hold {
    awaited: usize,
    reached: Arc<Semaphore>,
    released: Arc<Semaphore>,
}

impl Hold {
    fn new(awaited: usize) -> Self {
        Self {
            awaited,
            reached: Arc::new(Semaphore::new(0)),
            released: Arc::new(Semaphore::new(0)),
        }
    }

    /// Returns when all the readers have been stopped.
    pub async fn reached(&self) {
        let awaited = u32::try_from(self.awaited).unwrap();
        let reached = timeout(PATIENCE, self.reached.acquire_many(awaited)).await;
        reached.expect("readers in time").unwrap().forget();
    }

    /// Lets the readers go on.
    pub fn release(&self) {
        self.released.add_permits(self.awaited);
    }

    async fn pass(&self) {
        self.reached.add_permits(1);
        self.released.acquire().await.unwrap().forget();
    }
}

impl FaultyStore {
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self {
            inner,
            is_away: AtomicBool::new(false),
            loses_next_write: AtomicBool::new(false),
            calls: AtomicU64::new(0),
            readers_held: Mutex::new(None),
            writer_stopped: Mutex::new(None),
            writer_held: Mutex::new(None),
        }
    }

    /// From now on nothing reaches the store.
    pub fn go_away(&self) {
        self.is_away.store(true, Ordering::SeqCst);
    }

    /// The store works again.
    pub fn come_back(&self) {
        self.is_away.store(false, Ordering::SeqCst);
    }

    /// The next write is carried out, and its answer is lost.
    pub fn lose_the_next_write(&self) {
        self.loses_next_write.store(true, Ordering::SeqCst);
    }

    /// How many calls came so far.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    /// Stops the next readers of tokens after the store has answered them.
    pub fn hold_find_token(&self, readers: usize) -> Hold {
        let hold = Hold::new(readers);
        *self.readers_held.lock().unwrap() = Some((hold.clone(), readers));
        hold
    }

    /// Stops the next writer before the store has heard of it.
    pub fn stop_write(&self) -> Hold {
        let hold = Hold::new(1);
        *self.writer_stopped.lock().unwrap() = Some(hold.clone());
        hold
    }

    /// Stops the next writer after the store has answered it.
    pub fn hold_write(&self) -> Hold {
        let hold = Hold::new(1);
        *self.writer_held.lock().unwrap() = Some(hold.clone());
        hold
    }

    fn held(&self) -> Option<Hold> {
        let mut hold = self.readers_held.lock().unwrap();
        let (current, left) = hold.take()?;
        if left > 1 {
            *hold = Some((current.clone(), left - 1));
        }
        Some(current)
    }

    async fn stop(&self, call: &str) {
        let stopped = if is_read(call) { None } else { self.writer_stopped.lock().unwrap().take() };
        if let Some(stop) = stopped {
            stop.pass().await;
        }
    }

    fn enter(&self) -> Result<()> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.is_away.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("sent away by a test".to_owned()));
        }
        Ok(())
    }

    async fn leave<T>(&self, call: &str, answer: Result<T>) -> Result<T> {
        if is_read(call) {
            return answer;
        }
        let held = self.writer_held.lock().unwrap().take();
        if let Some(hold) = held {
            hold.pass().await;
        }
        if self.loses_next_write.swap(false, Ordering::SeqCst) {
            return Err(StoreError::Unavailable("answer lost by a test".to_owned()));
        }
        answer
    }
}

fn is_read(call: &str) -> bool {
    ["find_", "list_", "count_tokens", "count_clients", "check", "last_", "has_"]
        .iter()
        .any(|beginning| call.starts_with(beginning))
}

macro_rules! forward {
    ($(fn $name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl Store for FaultyStore {
            async fn find_token(&self, id: TokenId) -> Result<Option<Token>> {
                self.enter()?;
                let answer = self.inner.find_token(id).await;
                if let Some(hold) = self.held() {
                    hold.pass().await;
                }
                answer
            }

            $(async fn $name(&self, $($argument: $type),*) -> Result<$answer> {
                self.enter()?;
                self.stop(stringify!($name)).await;
                let answer = self.inner.$name($($argument),*).await;
                self.leave(stringify!($name), answer).await
            })*
        }
    };
}

forward! {
    fn check() -> ();
    fn lease_ids(sequence: IdSequence, count: u32) -> RangeInclusive<u64>;
    fn last_id(sequence: IdSequence) -> u64;
    fn list_keys() -> Vec<SealedKey>;
    fn insert_key(key: SealedKey) -> Insertion;
    fn replace_lost_keys(replacements: Vec<SealedKey>) -> ();
    fn has_users() -> bool;
    fn insert_user(user: User) -> Insertion;
    fn find_user(id: UserId) -> Option<User>;
    fn find_deleted_user(id: UserId) -> Option<Tombstone>;
    fn find_user_by_email(folded_email: &str) -> Option<User>;
    fn list_users(filter: UserFilter, page: PageRequest) -> Page<User>;
    fn update_user(write: Revision<User>) -> Conditional;
    fn delete_user(id: UserId, now: Timestamp) -> UserDeletion;
    fn insert_client(client: Client) -> Insertion;
    fn find_client(id: ClientId) -> Option<Client>;
    fn find_deleted_client(id: ClientId) -> Option<Tombstone>;
    fn find_client_by_identifier(id: &ClientIdentifier) -> Option<Client>;
    fn update_client(write: Revision<Client>) -> ClientUpdate;
    fn delete_client(id: ClientId, now: Timestamp) -> Deletion;
    fn list_clients(filter: ClientFilter, page: PageRequest) -> Page<Client>;
    fn count_clients(filter: ClientFilter, limit: u32) -> u32;
    fn insert_api_token(token: ApiToken, limit: u32) -> ApiTokenInsertion;
    fn find_api_token(id: ApiTokenId) -> Option<ApiToken>;
    fn list_api_tokens() -> Vec<ApiToken>;
    fn update_api_token(write: Revision<ApiToken>) -> Conditional;
    fn delete_api_token(id: ApiTokenId) -> Deletion;
    fn record_api_token_uses(uses: Vec<ApiTokenUse>) -> ();
    fn insert_sign_in_session(session: SignInSession) -> ();
    fn find_sign_in_session(id: SignInSessionId) -> Option<SignInSession>;
    fn delete_sign_in_session(id: SignInSessionId) -> Deletion;
    fn insert_token(token: NewToken) -> ();
    fn list_tokens(filter: TokenFilter, page: PageRequest, now: Timestamp) -> Page<Token>;
    fn count_tokens(filter: TokenFilter, limit: u32, now: Timestamp) -> u32;
    fn list_approved_scopes(user: UserId, client: ClientId, now: Timestamp) -> Vec<Scope>;
    fn redeem_authorization_code(write: CodeRedemption) -> Conditional;
    fn count_wrong_verifier(write: WrongVerifier) -> WrongVerifierCount;
    fn rotate_refresh_token(write: TokenRotation) -> Conditional;
    fn renew_repeat(write: RepeatRenewal) -> Conditional;
    fn expire_early(write: EarlyExpiry) -> Conditional;
    fn end_grant(end: GrantEnd) -> Conditional;
    fn record_token_uses(uses: Vec<TokenUse>) -> ();
    fn record_event(event: Event) -> ();
    fn list_events(id: TokenId) -> Vec<Event>;
    fn record_refusals(refusals: Vec<Refusal>) -> ();
    fn list_refusals(id: u64) -> Vec<Refusal>;
    fn last_change() -> ChangePosition;
    fn list_changes(after: &ChangePosition) -> Vec<Change>;
    fn lease_job(request: JobLeaseRequest) -> Option<JobLease>;
    fn return_job(lease: JobLease) -> Conditional;
    fn purge(request: PurgeRequest) -> PurgeStep;
}
