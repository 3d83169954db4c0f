//! The trait, method by method: what runs on the writer and what on a reader.

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
    SqliteStore, api_tokens, changes, clients, events, ids, keys,
    purge::{self, Look},
    refusals, rows, sign_in_sessions, tokens, tokens_list, users,
};
use crate::{
    ApiTokenInsertion, ApiTokenUse, Change, ChangePosition, ClientFilter, ClientUpdate,
    Conditional, Deletion, IdSequence, Insertion, JobLease, JobLeaseRequest, Page, PageRequest,
    PurgeRequest, PurgeStep, Result, SealedKey, Store, TokenFilter, TokenUse, Tombstone,
    UserDeletion, UserFilter, WrongVerifierCount,
};

/// Rows of one event, and of one look, where there are many: they must not hold up what is behind
/// them, nor whoever shares their core.
const ROWS_AT_ONCE: u32 = 64;

const COUNT_CHECK: &str = "UPDATE id_leases SET next = next + 1 WHERE sequence = 'checks'";

#[async_trait]
impl Store for SqliteStore {
    async fn check(&self) -> Result<()> {
        // On a full disk a write that changes nothing would succeed.
        self.write(|connection| rows::write(connection, COUNT_CHECK, [])).await?;
        self.read(|connection| changes::last(connection)).await.map(drop)
    }

    async fn lease_ids(&self, sequence: IdSequence, count: u32) -> Result<RangeInclusive<u64>> {
        self.write(move |connection| ids::lease(connection, sequence, count)).await
    }

    async fn last_id(&self, sequence: IdSequence) -> Result<u64> {
        self.read(move |connection| ids::last(connection, sequence)).await
    }

    async fn list_keys(&self) -> Result<Vec<SealedKey>> {
        self.read(|connection| keys::list(connection)).await
    }

    async fn insert_key(&self, key: SealedKey) -> Result<Insertion> {
        self.write(move |connection| keys::insert(connection, &key)).await
    }

    async fn replace_lost_keys(&self, replacements: Vec<SealedKey>) -> Result<()> {
        self.write(move |connection| keys::replace_lost(connection, &replacements)).await
    }

    async fn has_users(&self) -> Result<bool> {
        self.read(|connection| users::any(connection)).await
    }

    async fn insert_user(&self, user: User) -> Result<Insertion> {
        self.write(move |connection| users::insert(connection, &user)).await
    }

    async fn find_user(&self, id: UserId) -> Result<Option<User>> {
        self.read(move |connection| users::find(connection, id)).await
    }

    async fn find_deleted_user(&self, id: UserId) -> Result<Option<Tombstone>> {
        self.read(move |connection| users::find_deleted(connection, id)).await
    }

    async fn find_user_by_email(&self, folded_email: &str) -> Result<Option<User>> {
        let folded_email = folded_email.to_owned();
        self.read(move |connection| users::find_by_email(connection, &folded_email)).await
    }

    async fn list_users(&self, filter: UserFilter, page: PageRequest) -> Result<Page<User>> {
        self.read(move |connection| users::list(connection, filter, page)).await
    }

    async fn update_user(&self, write: Revision<User>) -> Result<Conditional> {
        self.write(move |connection| users::update(connection, &write)).await
    }

    async fn delete_user(&self, id: UserId, now: Timestamp) -> Result<UserDeletion> {
        self.write(move |connection| users::delete(connection, id, now)).await
    }

    async fn insert_client(&self, client: Client) -> Result<Insertion> {
        self.write(move |connection| clients::insert(connection, &client)).await
    }

    async fn find_client(&self, id: ClientId) -> Result<Option<Client>> {
        self.read(move |connection| clients::find(connection, id)).await
    }

    async fn find_deleted_client(&self, id: ClientId) -> Result<Option<Tombstone>> {
        self.read(move |connection| clients::find_deleted(connection, id)).await
    }

    async fn find_client_by_identifier(&self, id: &ClientIdentifier) -> Result<Option<Client>> {
        let id = id.clone();
        self.read(move |connection| clients::find_by_identifier(connection, &id)).await
    }

    async fn update_client(&self, write: Revision<Client>) -> Result<ClientUpdate> {
        self.write(move |connection| clients::update(connection, &write)).await
    }

    async fn delete_client(&self, id: ClientId, now: Timestamp) -> Result<Deletion> {
        self.write(move |connection| clients::delete(connection, id, now)).await
    }

    async fn list_clients(&self, filter: ClientFilter, page: PageRequest) -> Result<Page<Client>> {
        self.read(move |connection| clients::list(connection, &filter, page)).await
    }

    async fn count_clients(&self, filter: ClientFilter, limit: u32) -> Result<u32> {
        self.read(move |connection| clients::count(connection, &filter, limit)).await
    }

    async fn insert_api_token(&self, token: ApiToken, limit: u32) -> Result<ApiTokenInsertion> {
        self.write(move |connection| api_tokens::insert(connection, &token, limit)).await
    }

    async fn find_api_token(&self, id: ApiTokenId) -> Result<Option<ApiToken>> {
        self.read(move |connection| api_tokens::find(connection, id)).await
    }

    async fn list_api_tokens(&self) -> Result<Vec<ApiToken>> {
        self.read(|connection| api_tokens::list(connection)).await
    }

    async fn update_api_token(&self, write: Revision<ApiToken>) -> Result<Conditional> {
        self.write(move |connection| api_tokens::update(connection, &write)).await
    }

    async fn delete_api_token(&self, id: ApiTokenId) -> Result<Deletion> {
        self.write(move |connection| api_tokens::delete(connection, id)).await
    }

    async fn record_api_token_uses(&self, uses: Vec<ApiTokenUse>) -> Result<()> {
        self.write(move |connection| api_tokens::record_uses(connection, &uses)).await
    }

    async fn insert_sign_in_session(&self, session: SignInSession) -> Result<()> {
        self.write(move |connection| sign_in_sessions::insert(connection, &session)).await
    }

    async fn find_sign_in_session(&self, id: SignInSessionId) -> Result<Option<SignInSession>> {
        self.read(move |connection| sign_in_sessions::find(connection, id)).await
    }

    async fn delete_sign_in_session(&self, id: SignInSessionId) -> Result<Deletion> {
        self.write(move |connection| sign_in_sessions::delete(connection, id)).await
    }

    async fn insert_token(&self, token: NewToken) -> Result<()> {
        self.write(move |session| tokens::insert(session, token.token())).await
    }

    async fn find_token(&self, id: TokenId) -> Result<Option<Token>> {
        self.read(move |session| tokens::find(session, id)).await
    }

    async fn list_tokens(
        &self,
        filter: TokenFilter,
        page: PageRequest,
        now: Timestamp,
    ) -> Result<Page<Token>> {
        self.read(move |connection| tokens_list::page(connection, filter, page, now)).await
    }

    async fn count_tokens(&self, filter: TokenFilter, limit: u32, now: Timestamp) -> Result<u32> {
        self.read(move |connection| tokens_list::count(connection, filter, limit, now)).await
    }

    async fn list_approved_scopes(
        &self,
        user: UserId,
        client: ClientId,
        now: Timestamp,
    ) -> Result<Vec<Scope>> {
        self.read(move |connection| tokens_list::approved_scopes(connection, user, client, now))
            .await
    }

    async fn redeem_authorization_code(&self, write: CodeRedemption) -> Result<Conditional> {
        self.write(move |connection| tokens::redeem(connection, &write)).await
    }

    async fn count_wrong_verifier(&self, write: WrongVerifier) -> Result<WrongVerifierCount> {
        self.write(move |connection| tokens::count_wrong_verifier(connection, &write)).await
    }

    async fn rotate_refresh_token(&self, write: TokenRotation) -> Result<Conditional> {
        self.write(move |session| tokens::rotate(session, &write)).await
    }

    async fn renew_repeat(&self, write: RepeatRenewal) -> Result<Conditional> {
        self.write(move |connection| tokens::renew(connection, &write)).await
    }

    async fn expire_early(&self, write: EarlyExpiry) -> Result<Conditional> {
        self.write(move |connection| tokens::expire(connection, &write)).await
    }

    async fn end_grant(&self, end: GrantEnd) -> Result<Conditional> {
        self.write(move |connection| tokens::end(connection, &end)).await
    }

    async fn record_token_uses(&self, mut uses: Vec<TokenUse>) -> Result<()> {
        // Neighbours share pages.
        uses.sort_unstable_by_key(|used| used.id);
        for part in uses.chunks(ROWS_AT_ONCE as usize) {
            let part = part.to_vec();
            self.write(move |connection| tokens::record_uses(connection, &part)).await?;
        }
        Ok(())
    }

    async fn record_event(&self, event: Event) -> Result<()> {
        self.write(move |connection| events::record(connection, &event)).await
    }

    async fn list_events(&self, id: TokenId) -> Result<Vec<Event>> {
        self.read(move |connection| events::list(connection, id)).await
    }

    async fn record_refusals(&self, mut refusals: Vec<Refusal>) -> Result<()> {
        // Neighbours share pages.
        refusals.sort_unstable_by_key(|refusal| refusal.id);
        for part in refusals.chunks(ROWS_AT_ONCE as usize) {
            let part = part.to_vec();
            self.write(move |connection| refusals::record(connection, &part)).await?;
        }
        Ok(())
    }

    async fn list_refusals(&self, id: u64) -> Result<Vec<Refusal>> {
        self.read(move |connection| refusals::list(connection, id)).await
    }

    async fn last_change(&self) -> Result<ChangePosition> {
        self.read(|connection| changes::last(connection)).await
    }

    async fn list_changes(&self, after: &ChangePosition) -> Result<Vec<Change>> {
        let after = after.clone();
        self.read(move |connection| changes::list(connection, &after)).await
    }

    async fn lease_job(&self, request: JobLeaseRequest) -> Result<Option<JobLease>> {
        Ok(self.job_leases.take(request))
    }

    async fn return_job(&self, lease: JobLease) -> Result<Conditional> {
        Ok(self.job_leases.give_back(lease))
    }

    async fn purge(&self, request: PurgeRequest) -> Result<PurgeStep> {
        let mut step = PurgeStep { removed: 0, next: Some(request.after), due: None };
        let mut left = request.limit;
        while let Some(after) = step.next
            && left > 0
        {
            let limit = left.min(ROWS_AT_ONCE);
            let part = self.purge_part(PurgeRequest { after, limit, ..request }).await?;
            step.removed += part.removed;
            step.next = part.next;
            step.due = [step.due, part.due].into_iter().flatten().min();
            left -= limit;
        }
        Ok(step)
    }
}

impl SqliteStore {
    async fn purge_part(&self, request: PurgeRequest) -> Result<PurgeStep> {
        let Look { over, next, due } =
            self.read(move |connection| purge::look(connection, request)).await?;
        let found = over.len();
        let removed = if over.is_empty() {
            0
        } else {
            self.write(move |connection| purge::remove(connection, request, &over)).await?
        };
        // Of what was kept after all nobody knows when it will be over.
        let is_known = usize::try_from(removed).is_ok_and(|removed| removed == found);
        let due = if is_known { due } else { Some(request.now) };
        Ok(PurgeStep { removed, next, due })
    }
}
