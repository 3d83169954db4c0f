//! API tokens: creating and changing them through the record API.
//!
//! An API token has the full rights of the user with whose address it works: of one user, or of any
//! where those that are bound to nobody work. So whoever creates one with a bearer token, or brings
//! one back, must hold the scope for everything. An administrator may bind one to anybody, so one
//! for everybody is no more than that.

use tokenry_protocol::{
    api::{
        api_tokens::ApiTokenRequest,
        error::{FieldErrorCode, FieldErrors},
        request::Sent,
    },
    ids::{ApiTokenId, UserId},
    scope::{Scope, ScopeCatalog, ScopeToken},
    secret::{Credential, Kind},
    time::Timestamp,
};

use crate::{
    api_token::{ApiToken, ApiTokenStatus, UnboundApiTokens},
    field::{Flaw, blank, invalid, noted, prose},
    minting::Minting,
    user::User,
};

/// The most characters of a description.
pub const DESCRIPTION_MAX: usize = 255;

/// An API token that may be created. Only [`approve`] makes one.
#[derive(Debug)]
pub struct ApprovedApiToken {
    description: String,
    user_id: UserId,
    assigned_user_id: Option<UserId>,
}

/// What an API token can do and a token of the scope `held` cannot.
pub fn missing_scopes(held: &Scope, catalog: &ScopeCatalog) -> Vec<ScopeToken> {
    Scope::everything().beyond(held, catalog).into_iter().cloned().collect()
}

/// Judges a request. `assigned` is the user whom it names, if there is one. Of a request that names
/// nobody the token is bound to the caller, unless those work that are bound to nobody.
pub fn approve(
    request: ApiTokenRequest,
    caller: &User,
    assigned: Option<&User>,
    unbound: UnboundApiTokens,
) -> Result<ApprovedApiToken, FieldErrors> {
    let mut errors = request.errors;
    let description = noted(&mut errors, "description", described(request.description, ""));
    let assigned = match (request.assigned_user_id, assigned) {
        (Sent::Value(Some(id)), Some(user)) if user.id == id => Ok(Some(id)),
        (Sent::Value(_), _) => Err(invalid("no such user")),
        (Sent::Absent | Sent::Null | Sent::Mistyped, _) => Ok(match unbound {
            UnboundApiTokens::Refused => Some(caller.id),
            UnboundApiTokens::AccountWide => None,
        }),
    };
    let assigned_user_id = noted(&mut errors, "assigned_user_id", assigned);
    match (description, assigned_user_id) {
        (Some(description), Some(assigned_user_id)) => {
            errors.none_or(ApprovedApiToken { description, user_id: caller.id, assigned_user_id })
        }
        _ => Err(errors),
    }
}

impl ApprovedApiToken {
    /// Mints it.
    pub fn issue(self, id: ApiTokenId, minting: &Minting<'_>) -> (ApiToken, Credential) {
        let credential = minting.mint(Kind::ApiToken, id.get(), 0);
        let token = ApiToken {
            id,
            hash: credential.hash(),
            description: self.description,
            status: ApiTokenStatus::Active,
            user_id: self.user_id,
            assigned_user_id: self.assigned_user_id,
            created_at: minting.now,
            updated_at: minting.now,
            last_used: None,
        };
        (token, credential)
    }
}

/// There are as many as there may be.
pub fn too_many(max: u32) -> FieldErrors {
    let text = format!("there are at most {max}; delete one first");
    FieldErrors::one("api_token", FieldErrorCode::TooManyValues, &text)
}

/// Changes description and status.
pub fn update(
    before: &ApiToken,
    request: ApiTokenRequest,
    now: Timestamp,
) -> Result<ApiToken, FieldErrors> {
    let mut errors = request.errors;
    let description = described(request.description, &before.description);
    let description = noted(&mut errors, "description", description);
    let status = match request.active {
        Sent::Value(true) => Ok(ApiTokenStatus::Active),
        Sent::Value(false) => Ok(ApiTokenStatus::Inactive),
        Sent::Null => Err(blank()),
        Sent::Absent | Sent::Mistyped => Ok(before.status),
    };
    let status = noted(&mut errors, "active", status);
    match (description, status) {
        (Some(description), Some(status)) => {
            errors.none_or(ApiToken { description, status, updated_at: now, ..before.clone() })
        }
        _ => Err(errors),
    }
}

fn described(sent: Sent<String>, before: &str) -> Result<String, Flaw> {
    match sent {
        Sent::Value(text) => prose(&text, DESCRIPTION_MAX),
        Sent::Null => Ok(String::new()),
        Sent::Absent | Sent::Mistyped => Ok(before.to_owned()),
    }
}
