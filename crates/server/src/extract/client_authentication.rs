//! Client authentication at the grant endpoints (RFC 6749 §2.3).
//!
//! 1. Read the header and the body; more than one method is refused.
//! 2. Find the client by its identifier.
//! 3. Let `core` judge the secret, within the limits of the client and of the address.

use std::{borrow::Cow, net::IpAddr, sync::Arc};

use http::HeaderMap;
use percent_encoding::percent_decode_str;
use tokenry_core::{
    client::Client,
    client_authentication::{
        AuthenticatedClient, Redeemer, authenticate, authenticate_by_verifier,
    },
    rejection::Rejection,
};
use tokenry_protocol::{
    ids::ClientIdentifier,
    oauth::{parameters::Parameters, token::Dialect},
};

use super::authorization_header::{Authorization, Basic, authorization};
use crate::{
    failure_limits::Subject,
    request_context,
    respond::{AuthenticatedBy, OAuthError},
    state::AppState,
};

/// What a client says about itself.
pub struct Presented<'a> {
    /// Unjudged text.
    pub identifier: Cow<'a, str>,
    /// `None` when it is missing or empty.
    pub secret: Option<Cow<'a, str>>,
    /// Where both stood.
    pub by: AuthenticatedBy,
}

/// Where a request says who sends it.
pub struct Sender<'a> {
    /// For `Authorization`.
    pub headers: &'a HeaderMap,
    /// For `client_id` and `client_secret`.
    pub parameters: &'a Parameters,
    /// How both are read.
    pub dialect: Dialect,
    /// Failures count by it.
    pub ip: IpAddr,
}

/// Proves the client of a request, or says why not.
pub async fn authenticated_client(
    sender: &Sender<'_>,
    state: &AppState,
) -> Result<AuthenticatedClient, OAuthError> {
    let client = judged(sender, state, authenticate).await?;
    request_context::note_client(client.client().id);
    Ok(client)
}

/// The same where a code verifier may prove a client that sends no secret.
pub async fn redeeming_client(
    sender: &Sender<'_>,
    state: &AppState,
) -> Result<Redeemer, OAuthError> {
    let redeemer = judged(sender, state, |client, secret| match secret {
        None => authenticate_by_verifier(client),
        secret => authenticate(client, secret).map(Redeemer::from),
    });
    let redeemer = redeemer.await?;
    request_context::note_client(redeemer.client().id);
    Ok(redeemer)
}

async fn judged<T>(
    sender: &Sender<'_>,
    state: &AppState,
    judge: impl FnOnce(Option<Arc<Client>>, Option<&str>) -> Result<T, Rejection>,
) -> Result<T, OAuthError> {
    let Sender { headers, parameters, dialect, ip } = *sender;
    let authorization = authorization(headers);
    let presented = presented(&authorization, parameters, dialect)?;
    let subjects = || vec![Subject::client(&presented.identifier), Subject::address(ip)];
    let client = match ClientIdentifier::parse(&presented.identifier) {
        Ok(identifier) => state.directory.find_client_by_identifier(&identifier).await?,
        Err(_) => None,
    };
    state.failures.judge(subjects, state.now(), || {
        let secret = presented.secret.as_deref();
        judge(client, secret).map_err(|rejection| {
            state.note_refused_text(secret.unwrap_or_default(), rejection.as_str());
            OAuthError::Rejected(rejection, presented.by)
        })
    })
}

/// Step 1.
pub fn presented<'a>(
    authorization: &'a Authorization<'_>,
    parameters: &'a Parameters,
    dialect: Dialect,
) -> Result<Presented<'a>, OAuthError> {
    let in_body = parameters.text("client_id")?;
    let secret_in_body = parameters.text("client_secret")?;
    let by_header = match authorization {
        Authorization::Several => return Err(Rejection::TwoMethods.into()),
        Authorization::Basic(basic) if !is_users(basic, dialect) => Some(basic),
        Authorization::MalformedBasic if dialect == Dialect::Standard => {
            return Err(OAuthError::Rejected(Rejection::ClientMissing, AuthenticatedBy::Header));
        }
        _ => None,
    };
    let Some(basic) = by_header else {
        let identifier = in_body.ok_or(Rejection::ClientMissing)?.into();
        let secret = secret_in_body.map(Cow::Borrowed);
        return Ok(Presented { identifier, secret, by: AuthenticatedBy::Body });
    };
    let by = AuthenticatedBy::Header;
    let (identifier, secret) = form_decoded(basic.user())
        .zip(form_decoded(basic.password()))
        .ok_or(OAuthError::Rejected(Rejection::ClientSecretWrong, by))?;
    let named_otherwise = in_body.is_some_and(|in_body| in_body != identifier);
    if secret_in_body.is_some() || named_otherwise {
        return Err(Rejection::TwoMethods.into());
    }
    Ok(Presented { identifier, secret: Some(secret).filter(|secret| !secret.is_empty()), by })
}

/// The record door is called by clients that send their user's credentials in the header and their
/// own in the body. Identifiers hold neither `@` nor `/`.
fn is_users(basic: &Basic, dialect: Dialect) -> bool {
    dialect == Dialect::Record && basic.user().contains(['@', '/'])
}

/// RFC 6749 §2.3.1: both halves are form-encoded before they are joined.
fn form_decoded(half: &str) -> Option<Cow<'_, str>> {
    if memchr::memchr2(b'+', b'%', half.as_bytes()).is_none() {
        return Some(half.into());
    }
    let spaced = half.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().ok()?;
    Some(decoded.into_owned().into())
}
