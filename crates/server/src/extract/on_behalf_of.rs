//! `X-On-Behalf-Of`: a call that an administrator makes as an end user.
//!
//! 1. Who calls has proved that already; the header names whom the call is to run as, by id or by
//!    address. An empty one names nobody, and where a token looks at itself it is not read.
//! 2. `core` judges who calls before anybody is looked for, and then whom they name.
//! 3. The call goes on as the end user, with the token's other scopes. The log has both of them,
//!    and what is written down of a record that ends so names who really ended it.

use std::sync::Arc;

use axum::http::{HeaderName, request::Parts};
use tokenry_core::{
    impersonation::{ImpersonationRefused, Impersonator, Named},
    user::User,
};
use tokenry_protocol::secret::Kind;
use tokenry_store::StoreError;

use super::caller::{Caller, is_current};
use crate::{request_context, respond::ApiError, state::AppState};

const ON_BEHALF_OF: HeaderName = HeaderName::from_static("x-on-behalf-of");

/// Whom a request names.
pub enum Naming<'a> {
    /// Nobody: it runs as who calls.
    Nobody,
    /// One user, unjudged.
    One(&'a str),
    /// More than one header, or text that is none: it runs as nobody.
    Unclear,
}

/// Reads the header.
pub fn naming(parts: &Parts) -> Naming<'_> {
    let mut values = parts.headers.get_all(ON_BEHALF_OF).iter();
    let Some(first) = values.next() else {
        return Naming::Nobody;
    };
    let (first, mut others) = (first.as_bytes().trim_ascii(), values.peekable());
    let is_several = others.peek().is_some();
    let is_empty = first.is_empty() && others.all(|value| value.as_bytes().trim_ascii().is_empty());
    if is_empty || is_current(parts) {
        return Naming::Nobody;
    }
    match str::from_utf8(first) {
        Ok(name) if !is_several => Naming::One(name),
        _ => Naming::Unclear,
    }
}

/// The call as whom it names; `None` is an unclear name.
pub async fn run_as(
    caller: Caller,
    name: Option<&str>,
    state: &AppState,
) -> Result<Caller, ApiError> {
    match find(&caller, name, state).await? {
        Ok(user) => {
            request_context::note_impersonator(caller.actor);
            request_context::note_user(user.id);
            tracing::info!("a call runs on behalf of an end user");
            Ok(Caller { user, ..caller })
        }
        Err(refused) => {
            tracing::debug!(reason = refused.as_str(), "a call on behalf of a user was refused");
            if let Some(token) = &caller.token {
                let id = token.token().id.get();
                state.note_refusal_of(Kind::AccessToken, id, refused.as_str());
            }
            Err(ApiError::WrongRole)
        }
    }
}

async fn find(
    caller: &Caller,
    name: Option<&str>,
    state: &AppState,
) -> Result<Result<Arc<User>, ImpersonationRefused>, StoreError> {
    let impersonator = match Impersonator::judge(&caller.user, caller.scope()) {
        Ok(impersonator) => impersonator,
        Err(refused) => return Ok(Err(refused)),
    };
    let named = match name.and_then(Named::parse) {
        Some(Named::Id(id)) => state.directory.find_user(id).await?,
        Some(Named::Email(email)) => state.store.find_user_by_email(&email).await?.map(Arc::new),
        None => None,
    };
    Ok(impersonator.act_for(named))
}
