//! Writing what was prepared. Records that do not wait for each other are written together, so that
//! the store's group commit takes them as one.

use futures_util::future::try_join_all;
use tokenry_server::state::AppState;
use tokenry_store::{ApiTokenInsertion, Conditional, IdSequence, Insertion, Store, StoreError};

use super::{
    Seed, SeedError,
    error::Entry,
    prepare::{Prepared, Surroundings, prepare},
    resolve::{API_TOKENS_MAX, Resolved, resolve},
};
use crate::account::Account;

/// Leases that are asked for together.
const LEASES_AT_ONCE: usize = 256;

/// Plants a seed in a store without users, before the first request, and tells every credential.
///
/// Credentials follow from the seed, the keys and what `state.environment` draws: the same ones
/// give the same credentials, byte for byte. When it fails, the store may hold a part of the seed
/// only if the store itself failed or held something already.
pub async fn plant(seed: &Seed, state: &AppState) -> Result<Account, SeedError> {
    let resolved = resolve(seed)?;
    let (keys, base) = (state.keys(), state.base());
    let surroundings = Surroundings {
        policy: &state.policy,
        keys: &keys.token,
        entropy: state.environment.entropy.as_ref(),
        now: state.now(),
        base: &base,
    };
    let prepared = prepare(&resolved, &surroundings)?;
    let store = state.store.as_ref();
    lease(store, resolved.last_ids).await?;
    write_owners(store, &resolved, &prepared).await?;
    write_tokens(store, &prepared).await?;
    Ok(prepared.account)
}

/// Nothing that is made later gets an id of the seed.
async fn lease(store: &dyn Store, last_ids: [u64; 4]) -> Result<(), StoreError> {
    let sequences =
        [IdSequence::Users, IdSequence::Clients, IdSequence::ApiTokens, IdSequence::Tokens];
    for (sequence, last) in sequences.into_iter().zip(last_ids) {
        let mut missing = last.saturating_sub(store.last_id(sequence).await?);
        while missing > 0 {
            let mut leases = Vec::new();
            while missing > 0 && leases.len() < LEASES_AT_ONCE {
                let count = u32::try_from(missing).unwrap_or(u32::MAX);
                missing -= u64::from(count);
                leases.push(store.lease_ids(sequence, count));
            }
            try_join_all(leases).await?;
        }
    }
    Ok(())
}

/// Users, then what is theirs.
async fn write_owners(
    store: &dyn Store,
    resolved: &Resolved<'_>,
    prepared: &Prepared,
) -> Result<(), SeedError> {
    let users = prepared.users.iter().map(|user| store.insert_user(user.clone()));
    let inserted = try_join_all(users).await?;
    check(inserted.into_iter().zip(resolved.users.iter().map(|user| &user.entry)))?;
    let clients = prepared.clients.iter().map(|client| store.insert_client(client.clone()));
    let inserted = try_join_all(clients).await?;
    check(inserted.into_iter().zip(resolved.clients.iter().map(|client| &client.entry)))?;
    let max = u32::try_from(API_TOKENS_MAX).unwrap_or(u32::MAX);
    let tokens = prepared.api_tokens.iter();
    let tokens = tokens.map(|token| store.insert_api_token(token.clone(), max));
    let inserted = try_join_all(tokens).await?.into_iter().map(|inserted| match inserted {
        ApiTokenInsertion::Done => Insertion::Done,
        ApiTokenInsertion::LimitReached => Insertion::Duplicate,
        ApiTokenInsertion::OwnerGone => Insertion::OwnerGone,
    });
    check(inserted.zip(resolved.api_tokens.iter().map(|token| &token.entry)))
}

fn check<'a>(mut inserted: impl Iterator<Item = (Insertion, &'a Entry)>) -> Result<(), SeedError> {
    match inserted.find(|(insertion, _)| *insertion != Insertion::Done) {
        Some((_, entry)) => {
            Err(entry.refuse("the account has it already: a seed is for an account without users"))
        }
        None => Ok(()),
    }
}

/// Records, then what happened to them.
async fn write_tokens(store: &dyn Store, prepared: &Prepared) -> Result<(), StoreError> {
    let grants = prepared.grants.iter();
    try_join_all(grants.clone().map(|grant| store.insert_token(grant.token.clone()))).await?;
    let redemptions = grants.filter_map(|grant| grant.redemption.clone());
    let redemptions = redemptions.map(|write| store.redeem_authorization_code(write));
    let redeemed = try_join_all(redemptions).await?;
    if redeemed.contains(&Conditional::Already) {
        return Err(StoreError::Corrupt("a code of the seed was redeemed already".to_owned()));
    }
    store.record_token_uses(prepared.token_uses.clone()).await?;
    store.record_api_token_uses(prepared.api_token_uses.clone()).await
}
