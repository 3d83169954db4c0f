//! The start page.

use http::StatusCode;

use super::{
    answer::{self, Allowances},
    error::PageResult,
    shown,
    visit::Visit,
};
use crate::{
    extract::page_token::Binding,
    views::{HomePage, Viewer},
};

/// `GET /`
pub async fn show(visit: Visit) -> PageResult {
    let viewer = match visit.signed_in().await? {
        None => Viewer::SignedOut,
        Some(signed_in) => Viewer::SignedIn {
            user: shown::user(&signed_in.user),
            page_token: visit.page_token(Binding::Session(&signed_in.session)),
        },
    };
    let content = HomePage { viewer };
    Ok(answer::page(StatusCode::OK, &content, &Allowances::default()))
}
