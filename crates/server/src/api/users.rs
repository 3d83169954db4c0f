//! Users: `/api/v2/users/me` and `/api/v2/users/{id}`.

use axum::{extract::State, response::Response};
use http::StatusCode;
use tokenry_core::user::{Role, User};
use tokenry_protocol::{
    api::{
        extra::Extra,
        users::{UserObject, UserResponse},
    },
    ids::UserId,
    scope::{Access, Requirement},
    time::Timestamp,
};

use crate::{
    extract::{
        caller::{Caller, USERS},
        path_id::PathId,
    },
    respond::{self, ApiError},
    state::AppState,
};

const READ_USERS: Requirement = Requirement { resource: USERS, access: Access::Read };

/// `GET /api/v2/users/me`: without credentials the anonymous user, if the configuration says so.
pub async fn me(
    State(state): State<AppState>,
    caller: Result<Caller, ApiError>,
) -> Result<Response, ApiError> {
    let caller = match caller {
        Err(ApiError::NoCredentials) if state.config.record_api.anonymous_me => {
            return Ok(respond::json(StatusCode::OK, &anonymous(&state)));
        }
        caller => caller?,
    };
    caller.require_scope(&state, READ_USERS)?;
    Ok(answer(&state, &caller.user))
}

/// `GET /api/v2/users/{id}`: oneself, or anybody for an administrator.
pub async fn show(
    State(state): State<AppState>,
    caller: Caller,
    id: Result<PathId<UserId>, ApiError>,
) -> Result<Response, ApiError> {
    caller.require_scope(&state, READ_USERS)?;
    let PathId(id) = id?;
    if id != caller.user.id && !caller.is_admin() {
        return Err(ApiError::NotFound);
    }
    let user = state.directory.find_user(id).await?;
    let user = user.ok_or(ApiError::NotFound)?;
    Ok(answer(&state, &user))
}

/// Nobody, as Zendesk writes it. It was never made; the time is there because readers expect one,
/// and is the same in every answer.
fn anonymous(state: &AppState) -> UserResponse {
    const BEGINNING: Timestamp = Timestamp::from_seconds(1_736_236_800);
    let record = UserObject {
        id: None,
        url: Some(format!("{}/api/v2/users/.json", state.base())),
        name: Some("Anonymous user".to_owned()),
        email: Some("invalid@example.com".to_owned()),
        role: Some(Role::EndUser.as_str().to_owned()),
        verified: Some(false),
        active: Some(true),
        suspended: Some(false),
        created_at: Some(BEGINNING),
        updated_at: Some(BEGINNING),
        ..UserObject::default()
    };
    UserResponse { user: Some(record) }
}

fn answer(state: &AppState, user: &User) -> Response {
    let record = UserObject {
        id: Some(user.id),
        url: Some(format!("{}/api/v2/users/{}.json", state.base(), user.id)),
        name: Some(user.name.clone()),
        email: Some(user.email.clone()),
        role: Some(user.role.as_str().to_owned()),
        verified: Some(user.verified),
        // Users who are not are not there.
        active: Some(true),
        suspended: Some(user.suspended),
        photo: None,
        locale: None,
        time_zone: None,
        created_at: Some(user.created_at),
        updated_at: Some(user.updated_at),
        extra: Extra::default(),
    };
    respond::json(StatusCode::OK, &UserResponse { user: Some(record) })
}
