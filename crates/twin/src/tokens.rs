//! What happens to a token without its client: it expires, it is revoked, somebody else refreshes
//! it.

use axum::body::Body;
use http::{
    Request, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use http_body_util::BodyExt as _;
use serde::Deserialize;
use tokenry_core::{early_expiry, event::Actor, revocation};
use tokenry_protocol::ids::TokenId;
use tokenry_server::envelope::Envelope;
use tokenry_store::{Conditional, StoreError};

use crate::{call::LOOPBACK, renewals::Renewal, world::World};

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
    pub(crate) async fn rotate(&self, id: TokenId) -> Done {
        let Some(renewal) = self.renewals.find(id) else { return Done::Nothing };
        let Some(pair) = ask_for_pair(&self.envelope, &renewal).await else {
            return Done::Nothing;
        };
        let used = Request::get("/api/v2/oauth/tokens/current.json")
            .header(AUTHORIZATION, format!("Bearer {}", pair.access_token))
            .body(Body::empty());
        if let Ok(request) = used {
            let _ = self.envelope.clone().answer_and_tell(request, LOOPBACK).await;
        }
        self.renewals.keep(id, Renewal { refresh_token: pair.refresh_token, ..renewal });
        Done::Now
    }
}

/// What a token request is answered with.
#[derive(Deserialize)]
struct Pair {
    access_token: String,
    refresh_token: String,
}

async fn ask_for_pair(envelope: &Envelope, renewal: &Renewal) -> Option<Pair> {
    let request = Request::post("/oauth/token")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(form(renewal)));
    let (response, _) = envelope.clone().answer_and_tell(request.ok()?, LOOPBACK).await;
    if response.status() != StatusCode::OK {
        return None;
    }
    let body = response.into_body().collect().await.ok()?.to_bytes();
    serde_json::from_slice(&body).ok()
}

fn form(renewal: &Renewal) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "refresh_token")
        .append_pair("refresh_token", &renewal.refresh_token)
        .append_pair("client_id", &renewal.client_id);
    if let Some(secret) = &renewal.client_secret {
        form.append_pair("client_secret", secret);
    }
    form.finish()
}

impl From<Conditional> for Done {
    fn from(written: Conditional) -> Self {
        match written {
            Conditional::Now => Self::Now,
            Conditional::Already => Self::Nothing,
        }
    }
}
