//! What happens to a token without its client: it expires, it is revoked, somebody else refreshes
//! it.

use axum::body::Body;
use http::{Request, header::AUTHORIZATION};
use tokenry_core::{
    early_expiry,
    event::Actor,
    grant_types::{
        Circumstances,
        refresh_token::{Refresh, refresh},
    },
    revocation,
};
use tokenry_protocol::{
    ids::TokenId,
    oauth::token::{GrantType, Wishes},
    secret::Kind,
};
use tokenry_store::{Conditional, StoreError};

use crate::{
    call::LOOPBACK,
    known::Pair,
    seed::{prove, written_access_token},
    world::World,
};

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    /// As asked.
    Now,
    /// There is no such record, it is over, or nobody could refresh it.
    Nothing,
}

impl World {
    /// Ends the access token of a record; its refresh token lives on.
    pub(crate) async fn expire_access_token(&self, id: TokenId) -> Result<Done, StoreError> {
        let found = self.state.verifier.find(id).await?;
        let now = self.state.now();
        let write = found.and_then(|token| early_expiry::expire_access_token(&token, now));
        self.expire(write).await
    }

    /// Ends both tokens of a record.
    pub(crate) async fn expire_pair(&self, id: TokenId) -> Result<Done, StoreError> {
        let found = self.state.verifier.find(id).await?;
        let now = self.state.now();
        self.expire(found.and_then(|token| early_expiry::expire_pair(&token, now))).await
    }

    async fn expire(&self, write: Option<early_expiry::EarlyExpiry>) -> Result<Done, StoreError> {
        let Some(write) = write else { return Ok(Done::Nothing) };
        self.state.expire_early(write).await.map(Done::from)
    }

    /// Ends a record.
    pub(crate) async fn revoke(&self, id: TokenId) -> Result<Done, StoreError> {
        let Some(token) = self.state.verifier.find(id).await? else { return Ok(Done::Nothing) };
        let end = revocation::revoke(&token, Actor::Server, self.state.now());
        self.state.end_grant(end).await.map(Done::from)
    }

    /// Refreshes a pair as its client would, and uses what comes of it: then the refresh token that
    /// the client has is worth nothing.
    pub(crate) async fn rotate(&self, id: TokenId) -> Result<Done, StoreError> {
        let Some(pair) = self.refresh(id).await? else { return Ok(Done::Nothing) };
        let used = Request::get("/api/v2/oauth/tokens/current.json")
            .header(AUTHORIZATION, format!("Bearer {}", pair.access_token))
            .body(Body::empty());
        if let Ok(request) = used {
            let _ = self.envelope.clone().answer_and_tell(request, LOOPBACK).await;
        }
        self.learn(pair).await;
        Ok(Done::Now)
    }

    /// The next pair of a record, if its newest refresh token is known and still refreshes.
    async fn refresh(&self, id: TokenId) -> Result<Option<Pair>, StoreError> {
        let state = &self.state;
        let Some(presented) = self.known.find(id) else { return Ok(None) };
        let Some(token) = state.verifier.find(id).await? else { return Ok(None) };
        let client = state.store.find_client(token.client_id).await?;
        let user = state.directory.find_user(token.user_id).await?;
        let (keys, entropy) = (state.keys(), state.environment.entropy.as_ref());
        let Ok(presented) = keys.token.read(&presented, &[Kind::RefreshToken]) else {
            return Ok(None);
        };
        let client = client.filter(|client| client.may_use(GrantType::RefreshToken));
        let Some(record) = client else { return Ok(None) };
        let Ok(client) = prove(record.clone(), &keys.token, entropy) else { return Ok(None) };
        let now = state.now();
        let circumstances =
            Circumstances { policy: &state.policy, keys: &keys.token, entropy, now };
        let wishes =
            Wishes { scope: None, access_token_lifetime: None, refresh_token_lifetime: None };
        let asked = (&presented, &wishes);
        match refresh(&client, Some(&token), user.as_deref(), asked, &circumstances) {
            Refresh::Rotate { write, answer } => {
                let rotated = state.rotate(write, &token).await?;
                let policy = (&state.policy, &keys.token);
                let access_token = written_access_token(&answer, &record, &state.base(), policy);
                let pair = answer.refresh_token.map(|(refresh_token, _)| Pair {
                    id,
                    access_token,
                    refresh_token: refresh_token.reveal().to_owned(),
                });
                Ok(pair.filter(|_| rotated == Conditional::Now))
            }
            _ => Ok(None),
        }
    }
}

impl From<Conditional> for Done {
    fn from(written: Conditional) -> Self {
        match written {
            Conditional::Now => Self::Now,
            Conditional::Already => Self::Nothing,
        }
    }
}
