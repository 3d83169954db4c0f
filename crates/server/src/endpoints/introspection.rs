//! Introspection endpoint (RFC 7662).
//!
//! 1. A confidential client proves itself.
//! 2. An access token goes through the hot path; a refresh token is looked up.
//! 3. What the asker may not know is `{"active":false}`, like everything that is not alive.

use axum::{
    body::Bytes,
    extract::{Request, State},
    response::Response,
};
use http::StatusCode;
use tokenry_core::{
    client::ClientRole,
    client_authentication::AuthenticatedClient,
    introspection::{Subject, describe, may_ask, may_see},
};
use tokenry_protocol::{
    ids::TokenId,
    oauth::{introspection::IntrospectionResponse, token::Dialect},
    secret::{Credential, Kind},
};

use crate::{
    extract::grant_request::GrantRequest,
    respond::{self, OAuthError},
    state::AppState,
    verify::{self, VerifyError},
};

/// `POST /oauth/introspect`
pub async fn introspect(
    State(state): State<AppState>,
    request: Request,
) -> Result<Response, OAuthError> {
    let request = GrantRequest::read(request, Dialect::Standard, &state).await?;
    let client = request.client(&state).await?;
    may_ask(&client)?;
    let presented = request.required("token")?;
    let answer = match verify::read(presented, &state.keyring) {
        Ok(credential) => match credential.parts().kind {
            Kind::AccessToken => access_token(&state, &client, &credential).await?,
            Kind::RefreshToken => respond::json(
                StatusCode::OK,
                &Box::pin(refresh_token(&state, &client, presented)).await?,
            ),
            _ => inactive(),
        },
        Err(VerifyError::Invalid(reason)) => {
            state.note_refused_text(presented, reason);
            inactive()
        }
        Err(VerifyError::Store(error)) => return Err(error.into()),
    };
    Ok(answer)
}

fn inactive() -> Response {
    respond::json(StatusCode::OK, &IntrospectionResponse::inactive())
}

async fn access_token(
    state: &AppState,
    asker: &AuthenticatedClient,
    credential: &Credential,
) -> Result<Response, OAuthError> {
    let now = state.now();
    let verified = state.verifier.verify(credential, &state.keyring, &state.directory, now).await;
    let verified = match verified {
        Ok(verified) => verified,
        Err(VerifyError::Invalid(reason)) => {
            state.note_refusal(credential, reason);
            return Ok(inactive());
        }
        Err(VerifyError::Store(error)) => return Err(error.into()),
    };
    if !may_see(asker, verified.client()) {
        return Ok(inactive());
    }
    // A resource server asks because it was called with the token; an owner only looks.
    let is_own = asker.client().id == verified.client().id;
    if asker.client().role == ClientRole::ResourceServer && !is_own {
        state.verifier.note_use(&verified, now);
    }
    let (client, user) = (verified.client(), verified.user());
    let base = state.base();
    let subject = Subject { client, user, issuer: base.as_str() };
    let answer = || describe(verified.token(), credential, &subject, now);
    if !state.has_one_base() {
        return Ok(respond::json(StatusCode::OK, &answer()));
    }
    // As long as the token holds, everybody who may ask is told the same.
    let described = &verified.owners.described;
    let described = described.get_or_init(|| serde_json::to_vec(&answer()).ok().map(Bytes::from));
    Ok(match described {
        Some(text) => respond::written_json(StatusCode::OK, text.clone()),
        None => respond::json(StatusCode::OK, &answer()),
    })
}

async fn refresh_token(
    state: &AppState,
    asker: &AuthenticatedClient,
    presented: &str,
) -> Result<IntrospectionResponse, OAuthError> {
    let inactive = Ok(IntrospectionResponse::inactive());
    let refused = |credential: &Credential, reason| {
        state.note_refusal(credential, reason);
        Ok(IntrospectionResponse::inactive())
    };
    let Ok(credential) = state.keys().token.read(presented, &[Kind::RefreshToken]) else {
        return inactive;
    };
    let Ok(id) = TokenId::new(credential.parts().id) else {
        return inactive;
    };
    let Some(token) = state.store.find_token(id).await? else {
        return refused(&credential, "unknown");
    };
    let client = state.directory.find_client(token.client_id).await?;
    let user = state.directory.find_user(token.user_id).await?;
    let Some(client) = client else {
        return refused(&credential, "client deleted");
    };
    let Some(user) = user else {
        return refused(&credential, "user deleted");
    };
    if !may_see(asker, &client) {
        return inactive;
    }
    let base = state.base();
    let subject = Subject { client: &client, user: &user, issuer: base.as_str() };
    match describe(&token, &credential, &subject, state.now()) {
        described if described.active => Ok(described),
        _ => refused(&credential, "inactive"),
    }
}
