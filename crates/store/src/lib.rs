//! The memory: one narrow trait, engines behind it, one suite that every engine passes.
//!
//! # The law
//!
//! * **Reads** are `find_*` (→ `Option`) and `list_*`. They never queue behind writes.
//! * **Writes are protocol events.** Each is one transaction with its condition in the write
//!   itself, and tells by its answer whether the condition held. There is no begin and no commit
//!   here, so no caller can forget one.
//! * An answer means **durable**: it survives `kill -9` and power loss.
//! * **Only hashes are at rest**, by type.
//! * What ends the tokens of many (a client, a user) is one small write and a [`Change`]; rows
//!   follow in bounded purge steps.
//! * A [`StoreError`] is never an answer of the protocol: callers say 503 and the client retries.

mod columns;
pub mod copy;
pub mod error;
pub mod page;
pub mod postgres;
pub mod records;
pub mod sqlite;
#[cfg(feature = "suite")]
pub mod suite;
mod words;

use std::ops::RangeInclusive;

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

pub use crate::{
    error::StoreError,
    page::{Page, PageRequest, Window},
    records::{
        ApiTokenInsertion, ApiTokenUse, Change, ChangePosition, ChangedRecord, ClientFilter,
        ClientUpdate, Conditional, Deletion, IdSequence, Insertion, JOB_LEASE_LIFETIME_MAX, Job,
        JobHolder, JobLease, JobLeaseRequest, KeyPurpose, NodeNumber, PurgeRequest, PurgeStep,
        PurgeSubject, Schema, SealedKey, TokenFilter, TokenUse, Tombstone, UserDeletion,
        UserFilter, WrongVerifierCount,
    },
};

/// What every read and write answers.
pub type Result<T> = std::result::Result<T, StoreError>;

/// The memory of the server. Held as `Arc<dyn Store>`.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Whether the store answers reads and takes writes.
    async fn check(&self) -> Result<()>;

    /// Takes `count` ids that nobody will ever be given again, power loss included.
    async fn lease_ids(&self, sequence: IdSequence, count: u32) -> Result<RangeInclusive<u64>>;

    /// The highest id that was leased so far; 0 if none was.
    async fn last_id(&self, sequence: IdSequence) -> Result<u64>;

    // Keys, sealed under the root key.

    /// Every key there is, lost ones included.
    async fn list_keys(&self) -> Result<Vec<SealedKey>>;
    /// Adds a key; `Duplicate` when its purpose has that number already.
    async fn insert_key(&self, key: SealedKey) -> Result<Insertion>;
    /// Marks every key that is there as lost and adds `replacements`, in one transaction.
    async fn replace_lost_keys(&self, replacements: Vec<SealedKey>) -> Result<()>;

    // Users.

    /// Whether there is any user.
    async fn has_users(&self) -> Result<bool>;
    /// Adds a user; `Duplicate` when the folded address is taken.
    async fn insert_user(&self, user: User) -> Result<Insertion>;
    /// A user who is not deleted.
    async fn find_user(&self, id: UserId) -> Result<Option<User>>;
    /// A user who is deleted and not purged yet.
    async fn find_deleted_user(&self, id: UserId) -> Result<Option<Tombstone>>;
    /// By [`tokenry_core::user::fold_email`].
    async fn find_user_by_email(&self, folded_email: &str) -> Result<Option<User>>;
    /// Users who are not deleted, in ascending order of id.
    async fn list_users(&self, filter: UserFilter, page: PageRequest) -> Result<Page<User>>;
    /// Replaces what may change of a user if the version is as it was, and leaves a [`Change`].
    async fn update_user(&self, write: Revision<User>) -> Result<Conditional>;
    /// Ends a user, tokens, API tokens and sessions with it, and API tokens that the user made and
    /// that are bound to nobody; refused while the user owns clients.
    async fn delete_user(&self, id: UserId, now: Timestamp) -> Result<UserDeletion>;

    // Clients.

    /// Adds a client; `Duplicate` when the folded identifier is taken.
    async fn insert_client(&self, client: Client) -> Result<Insertion>;
    /// A client that is not deleted.
    async fn find_client(&self, id: ClientId) -> Result<Option<Client>>;
    /// A client that is deleted and not purged yet.
    async fn find_deleted_client(&self, id: ClientId) -> Result<Option<Tombstone>>;
    /// By identifier, exactly as it was registered.
    async fn find_client_by_identifier(&self, id: &ClientIdentifier) -> Result<Option<Client>>;
    /// Replaces what may change of a client if the version is as it was, and leaves a [`Change`];
    /// `Duplicate` when the folded identifier is another's. Of another version it tells nothing
    /// else, for what was decided on that one may not hold.
    async fn update_client(&self, write: Revision<Client>) -> Result<ClientUpdate>;
    /// Ends a client, and its tokens with it, and leaves a [`Change`].
    async fn delete_client(&self, id: ClientId, now: Timestamp) -> Result<Deletion>;
    /// Clients in ascending order of id.
    async fn list_clients(&self, filter: ClientFilter, page: PageRequest) -> Result<Page<Client>>;
    /// How many there are, exact up to `limit` and no more.
    async fn count_clients(&self, filter: ClientFilter, limit: u32) -> Result<u32>;

    // API tokens.

    /// Adds an API token unless there are `limit` already.
    async fn insert_api_token(&self, token: ApiToken, limit: u32) -> Result<ApiTokenInsertion>;
    /// By id.
    async fn find_api_token(&self, id: ApiTokenId) -> Result<Option<ApiToken>>;
    /// All of them, in ascending order of id.
    async fn list_api_tokens(&self) -> Result<Vec<ApiToken>>;
    /// Replaces description and status if the version is as it was, and leaves a [`Change`].
    async fn update_api_token(&self, write: Revision<ApiToken>) -> Result<Conditional>;
    /// Ends an API token, and leaves a [`Change`].
    async fn delete_api_token(&self, id: ApiTokenId) -> Result<Deletion>;
    /// Notes when API tokens were last used; never back in time.
    async fn record_api_token_uses(&self, uses: Vec<ApiTokenUse>) -> Result<()>;

    // Sign-in sessions.

    /// Adds a session.
    async fn insert_sign_in_session(&self, session: SignInSession) -> Result<()>;
    /// By id.
    async fn find_sign_in_session(&self, id: SignInSessionId) -> Result<Option<SignInSession>>;
    /// Ends a session.
    async fn delete_sign_in_session(&self, id: SignInSessionId) -> Result<Deletion>;

    // Tokens: grants from their code to their end.

    /// Adds a record: a consented grant, or an access token alone.
    async fn insert_token(&self, token: NewToken) -> Result<()>;
    /// By id, whatever its stage, expired or not; its client and user may be gone.
    async fn find_token(&self, id: TokenId) -> Result<Option<Token>>;
    /// Issued records that have not wholly expired, or only as long ago as the filter says, and
    /// whose client and user are not deleted, in ascending order of id.
    async fn list_tokens(
        &self,
        filter: TokenFilter,
        page: PageRequest,
        now: Timestamp,
    ) -> Result<Page<Token>>;
    /// How many of those there are, exact up to `limit` and no more.
    async fn count_tokens(&self, filter: TokenFilter, limit: u32, now: Timestamp) -> Result<u32>;
    /// What a user's live, consented grants to a client were approved for.
    async fn list_approved_scopes(
        &self,
        user: UserId,
        client: ClientId,
        now: Timestamp,
    ) -> Result<Vec<Scope>>;
    /// Turns a code into tokens if the record is still rotation 0.
    async fn redeem_authorization_code(&self, write: CodeRedemption) -> Result<Conditional>;
    /// Counts a wrong verifier; the last one ends the record and leaves its event.
    async fn count_wrong_verifier(&self, write: WrongVerifier) -> Result<WrongVerifierCount>;
    /// Replaces both tokens if the record is still at the rotation before. Where several nodes
    /// serve, the others are told: they may have the access token before in memory.
    async fn rotate_refresh_token(&self, write: TokenRotation) -> Result<Conditional>;
    /// Starts lifetimes and window anew if the rotation is as it was, and no use was noted that the
    /// decision did not know of.
    async fn renew_repeat(&self, write: RepeatRenewal) -> Result<Conditional>;
    /// Ends tokens before their time if the rotation is as it was. Where several nodes serve, the
    /// others are told.
    async fn expire_early(&self, write: EarlyExpiry) -> Result<Conditional>;
    /// Ends a record and leaves its event.
    async fn end_grant(&self, end: GrantEnd) -> Result<Conditional>;
    /// Notes when records were last used and at which rotation; neither ever goes back.
    async fn record_token_uses(&self, uses: Vec<TokenUse>) -> Result<()>;

    // What is remembered.

    /// Remembers an event.
    async fn record_event(&self, event: Event) -> Result<()>;
    /// What is remembered of a record, oldest first.
    async fn list_events(&self, id: TokenId) -> Result<Vec<Event>>;
    /// Notes when credentials were refused, for each the last time; never back in time.
    async fn record_refusals(&self, refusals: Vec<Refusal>) -> Result<()>;
    /// The last refusals of the credentials of any kind that name this id, the oldest first.
    async fn list_refusals(&self, id: u64) -> Result<Vec<Refusal>>;

    // Coherence between processes.

    /// Up to the last change of every node.
    async fn last_change(&self) -> Result<ChangePosition>;
    /// Changes after a position, each node's in order, at most 1,000. Of a node that was read up
    /// to a number, whatever commits later has a higher one.
    async fn list_changes(&self, after: &ChangePosition) -> Result<Vec<Change>>;

    // Jobs that one node does for all.

    /// Takes a job for a while, or prolongs it if it is the holder's own; `None` while it is
    /// another's. Its end is judged by one clock, the store's, whatever those of nodes say.
    async fn lease_job(&self, request: JobLeaseRequest) -> Result<Option<JobLease>>;
    /// Gives a job back before its time, unless somebody has taken it since.
    async fn return_job(&self, lease: JobLease) -> Result<Conditional>;

    // Purging.

    /// One bounded step: looks at `limit` rows after a position, and removes those that are over.
    async fn purge(&self, request: PurgeRequest) -> Result<PurgeStep>;
}
