//! Users: `/api/v2/users/me` and `/api/v2/users/{id}`.

use axum::{extract::State, response::Response};
use http::StatusCode;
use tokenry_core::user::User;
use tokenry_protocol::{
    api::{
        extra::Extra,
        users::{UserObject, UserResponse},
    },
    ids::UserId,
    scope::{Access, Requirement},
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

/// `GET /api/v2/users/me`
pub async fn me(State(state): State<AppState>, caller: Caller) -> Result<Response, ApiError> {
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

fn answer(state: &AppState, user: &User) -> Response {
    let record = UserObject {
        id: Some(user.id),
        url: Some(format!("{}/api/v2/users/{}.json", state.base, user.id)),
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
