//! Signing out: the session ends in the store, so a copied cookie ends with it.

use axum::{body::Body, response::Response};
use http::StatusCode;

use super::{
    answer::{self, Allowances},
    authorization_address::written_in,
    error::PageResult,
    local_path::LocalPath,
    sign_in::{self, Reason},
    visit::Visit,
};
use crate::{
    extract::{page_token::Binding, sign_in_session},
    views::{Problem, SignedOutPage},
};

const SIGNED_OUT: &str = "/signed-out";

/// `GET /signed-out`
pub async fn show() -> Response {
    answer::page(StatusCode::OK, &SignedOutPage, &Allowances::default())
}

/// `POST /sign-out`
pub async fn submit(visit: Visit, body: Body) -> PageResult {
    let form = visit.form(body).await?;
    let return_to = form.text("return_to")?.and_then(LocalPath::parse);
    if let Some(signed_in) = visit.signed_in().await? {
        let session = &signed_in.session;
        // The consent page has one token for both of its forms; there it is bound to the request.
        let request = return_to.as_ref().and_then(written_in);
        let is_ours = visit.page_token_holds(Binding::Session(session), &form)
            || request.is_some_and(|request| {
                visit.page_token_holds(Binding::Consent(session, request), &form)
            });
        if !is_ours {
            return Err(Problem::PageExpired.into());
        }
        let _: tokenry_store::Deletion =
            visit.state.store.delete_sign_in_session(session.id).await?;
        tracing::info!(user.id = signed_in.user.id.get(), "signed out");
    }
    let answer = match return_to {
        Some(return_to) => sign_in::send(&visit, &return_to, Reason::Nobody).await?,
        None => answer::see_other(SIGNED_OUT),
    };
    Ok(answer::with_cookie(answer, sign_in_session::forget(&visit.state)))
}
