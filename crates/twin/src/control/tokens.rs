//! `/twin/tokens`: grants without a browser, and what happens to them without their client.

use std::sync::Arc;

use axum::{
    extract::{FromRequest as _, Path, Request, State},
    response::Response,
};
use http::StatusCode;
use tokenry_protocol::ids::TokenId;
use tokenry_server::respond;

use super::{
    page::base_of,
    wire::{ControlError, Json},
};
use crate::{
    double::Double,
    seed::{Authorize, IssueToken},
    tokens::Done,
};

/// `POST /twin/tokens`: a record as if its client had asked for it.
pub(super) async fn issue(
    State(double): State<Arc<Double>>,
    request: Request,
) -> Result<Response, ControlError> {
    let base = base_of(&double, &request);
    let Json(asked): Json<IssueToken> = Json::from_request(request, &()).await?;
    Ok(respond::json(StatusCode::CREATED, &double.issue(&asked, &base).await?))
}

/// `POST /twin/codes`: an authorization code as if the user had consented.
pub(super) async fn authorize(
    State(double): State<Arc<Double>>,
    request: Request,
) -> Result<Response, ControlError> {
    let base = base_of(&double, &request);
    let Json(asked): Json<Authorize> = Json::from_request(request, &()).await?;
    Ok(respond::json(StatusCode::CREATED, &double.authorize(&asked, &base).await?))
}

/// `POST /twin/tokens/{id}/expire`: the access token; its refresh token lives on.
pub(super) async fn expire(
    State(double): State<Arc<Double>>,
    Path(id): Path<String>,
) -> Result<Response, ControlError> {
    let id = parse(&id)?;
    let done = double.world().expire_access_token(id).await;
    told(done.map_err(store)?, id, "is over already, or is not there")
}

/// `POST /twin/tokens/{id}/revoke`: the whole record.
pub(super) async fn revoke(
    State(double): State<Arc<Double>>,
    Path(id): Path<String>,
) -> Result<Response, ControlError> {
    let id = parse(&id)?;
    told(double.world().revoke(id).await.map_err(store)?, id, "is not there")
}

/// `POST /twin/tokens/{id}/rotate`: somebody else refreshes it.
pub(super) async fn rotate(
    State(double): State<Arc<Double>>,
    Path(id): Path<String>,
) -> Result<Response, ControlError> {
    let id = parse(&id)?;
    let why_not = "has no refresh token that this twin has seen, or it is over";
    told(double.world().rotate(id).await.map_err(store)?, id, why_not)
}

fn parse(id: &str) -> Result<TokenId, ControlError> {
    let id = id.parse().ok().and_then(|id| TokenId::new(id).ok());
    id.ok_or_else(|| ControlError::Invalid("A token's id is a number.".to_owned()))
}

fn store(error: tokenry_store::StoreError) -> ControlError {
    crate::error::TwinError::from(error).into()
}

fn told(done: Done, id: TokenId, why_not: &str) -> Result<Response, ControlError> {
    match done {
        Done::Now => Ok(respond::no_content()),
        Done::Nothing => Err(ControlError::Missing(format!("token {id} {why_not}"))),
    }
}
