//! The trait, method by method: what is sent alone, what with others' calls, and what takes its
//! turn in the log.

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

use super::{
    PostgresStore, api_tokens,
    calls::{Call, Repeat},
    changes, clients, events, ids, job_leases, keys, purge, refusals, sign_in_sessions, tokens,
    tokens_list, users,
    values::values,
};
use crate::{
    ApiTokenInsertion, ApiTokenUse, Change, ChangePosition, ClientFilter, ClientUpdate,
    Conditional, Deletion, IdSequence, Insertion, JobLease, JobLeaseRequest, Page, PageRequest,
    PurgeRequest, PurgeStep, Result, SealedKey, Store, TokenFilter, TokenUse, Tombstone,
    UserDeletion, UserFilter, WrongVerifierCount,
};

#[async_trait]
impl Store for PostgresStore {
    async fn check(&self) -> Result<()> {
        // A server that only reads would answer a look.
        let count = "UPDATE id_leases SET next = next + 1 WHERE sequence = 'checks'";
        self.pool.run(Call::new(Repeat::Harmless, count, values![])).await?;
        Ok(())
    }

    async fn lease_ids(&self, sequence: IdSequence, count: u32) -> Result<RangeInclusive<u64>> {
        ids::lease(&self.pool, sequence, count).await
    }

    async fn last_id(&self, sequence: IdSequence) -> Result<u64> {
        ids::last(&self.pool, sequence).await
    }

    async fn list_keys(&self) -> Result<Vec<SealedKey>> {
        keys::list(&self.pool).await
    }

    async fn insert_key(&self, key: SealedKey) -> Result<Insertion> {
        keys::insert(&self.log, key).await
    }

    async fn replace_lost_keys(&self, replacements: Vec<SealedKey>) -> Result<()> {
        keys::replace_lost(&self.log, replacements).await
    }

    async fn has_users(&self) -> Result<bool> {
        users::any(&self.pool).await
    }

    async fn insert_user(&self, user: User) -> Result<Insertion> {
        users::insert(&self.pool, &user).await
    }

    async fn find_user(&self, id: UserId) -> Result<Option<User>> {
        users::find(&self.pool, id).await
    }

    async fn find_deleted_user(&self, id: UserId) -> Result<Option<Tombstone>> {
        users::find_deleted(&self.pool, id).await
    }

    async fn find_user_by_email(&self, folded_email: &str) -> Result<Option<User>> {
        users::find_by_email(&self.pool, folded_email).await
    }

    async fn list_users(&self, filter: UserFilter, page: PageRequest) -> Result<Page<User>> {
        users::list(&self.pool, filter, page).await
    }

    async fn update_user(&self, write: Revision<User>) -> Result<Conditional> {
        users::update(&self.log, &write).await
    }

    async fn delete_user(&self, id: UserId, now: Timestamp) -> Result<UserDeletion> {
        users::delete(&self.log, id, now).await
    }

    async fn insert_client(&self, client: Client) -> Result<Insertion> {
        clients::insert(&self.pool, &client).await
    }

    async fn find_client(&self, id: ClientId) -> Result<Option<Client>> {
        clients::find(&self.pool, id).await
    }

    async fn find_deleted_client(&self, id: ClientId) -> Result<Option<Tombstone>> {
        clients::find_deleted(&self.pool, id).await
    }

    async fn find_client_by_identifier(&self, id: &ClientIdentifier) -> Result<Option<Client>> {
        clients::find_by_identifier(&self.pool, id).await
    }

    async fn update_client(&self, write: Revision<Client>) -> Result<ClientUpdate> {
        clients::update(&self.log, &write).await
    }

    async fn delete_client(&self, id: ClientId, now: Timestamp) -> Result<Deletion> {
        clients::delete(&self.log, id, now).await
    }

    async fn list_clients(&self, filter: ClientFilter, page: PageRequest) -> Result<Page<Client>> {
        clients::list(&self.pool, &filter, page).await
    }

    async fn count_clients(&self, filter: ClientFilter, limit: u32) -> Result<u32> {
        clients::count(&self.pool, &filter, limit).await
    }

    async fn insert_api_token(&self, token: ApiToken, limit: u32) -> Result<ApiTokenInsertion> {
        api_tokens::insert(&self.pool, &token, limit).await
    }

    async fn find_api_token(&self, id: ApiTokenId) -> Result<Option<ApiToken>> {
        api_tokens::find(&self.pool, id).await
    }

    async fn list_api_tokens(&self) -> Result<Vec<ApiToken>> {
        api_tokens::list(&self.pool).await
    }

    async fn update_api_token(&self, write: Revision<ApiToken>) -> Result<Conditional> {
        api_tokens::update(&self.log, &write).await
    }

    async fn delete_api_token(&self, id: ApiTokenId) -> Result<Deletion> {
        api_tokens::delete(&self.log, id).await
    }

    async fn record_api_token_uses(&self, uses: Vec<ApiTokenUse>) -> Result<()> {
        api_tokens::record_uses(&self.pool, uses).await
    }

    async fn insert_sign_in_session(&self, session: SignInSession) -> Result<()> {
        sign_in_sessions::insert(&self.pool, &session).await
    }

    async fn find_sign_in_session(&self, id: SignInSessionId) -> Result<Option<SignInSession>> {
        sign_in_sessions::find(&self.pool, id).await
    }

    async fn delete_sign_in_session(&self, id: SignInSessionId) -> Result<Deletion> {
        sign_in_sessions::delete(&self.pool, id).await
    }

    async fn insert_token(&self, token: NewToken) -> Result<()> {
        self.batches.insert.call(token).await
    }

    async fn find_token(&self, id: TokenId) -> Result<Option<Token>> {
        self.batches.find.call(id).await
    }

    async fn list_tokens(
        &self,
        filter: TokenFilter,
        page: PageRequest,
        now: Timestamp,
    ) -> Result<Page<Token>> {
        tokens_list::page(&self.pool, filter, page, now).await
    }

    async fn count_tokens(&self, filter: TokenFilter, limit: u32, now: Timestamp) -> Result<u32> {
        tokens_list::count(&self.pool, filter, limit, now).await
    }

    async fn list_approved_scopes(
        &self,
        user: UserId,
        client: ClientId,
        now: Timestamp,
    ) -> Result<Vec<Scope>> {
        tokens_list::approved_scopes(&self.pool, user, client, now).await
    }

    async fn redeem_authorization_code(&self, write: CodeRedemption) -> Result<Conditional> {
        self.batches.redeem.call(write).await
    }

    async fn count_wrong_verifier(&self, write: WrongVerifier) -> Result<WrongVerifierCount> {
        tokens::count_wrong_verifier(&self.log, &self.event_ids, &write).await
    }

    async fn rotate_refresh_token(&self, write: TokenRotation) -> Result<Conditional> {
        self.batches.rotate.call(write).await
    }

    async fn renew_repeat(&self, write: RepeatRenewal) -> Result<Conditional> {
        tokens::renew(&self.log, &write).await
    }

    async fn expire_early(&self, write: EarlyExpiry) -> Result<Conditional> {
        tokens::expire(&self.log, &write).await
    }

    async fn end_grant(&self, end: GrantEnd) -> Result<Conditional> {
        self.batches.end.call(end).await
    }

    async fn record_token_uses(&self, uses: Vec<TokenUse>) -> Result<()> {
        self.batches.note.call(uses).await
    }

    async fn record_event(&self, event: Event) -> Result<()> {
        events::record(&self.pool, &self.event_ids, &event).await
    }

    async fn list_events(&self, id: TokenId) -> Result<Vec<Event>> {
        events::list(&self.pool, id).await
    }

    async fn record_refusals(&self, refusals: Vec<Refusal>) -> Result<()> {
        refusals::record(&self.pool, &self.refusal_ids, refusals).await
    }

    async fn list_refusals(&self, id: u64) -> Result<Vec<Refusal>> {
        refusals::list(&self.pool, id).await
    }

    async fn last_change(&self) -> Result<ChangePosition> {
        changes::last(&self.pool).await
    }

    async fn list_changes(&self, after: &ChangePosition) -> Result<Vec<Change>> {
        changes::list(&self.pool, after).await
    }

    async fn lease_job(&self, request: JobLeaseRequest) -> Result<Option<JobLease>> {
        job_leases::take(&self.pool, request).await
    }

    async fn return_job(&self, lease: JobLease) -> Result<Conditional> {
        job_leases::give_back(&self.pool, lease).await
    }

    async fn purge(&self, request: PurgeRequest) -> Result<PurgeStep> {
        purge::step(&self.pool, request).await
    }
}
