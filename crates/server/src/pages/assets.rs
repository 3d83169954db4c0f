//! Files that pages refer to.

use axum::{body::Body, response::Response};
use http::{
    HeaderValue,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
};

use super::{error::PageResult, visit::Visit};
use crate::{
    request_path::PathSegment,
    views::{Asset, Problem, assets},
};

const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Under an address that does not name the content, the content may change.
const FOR_AN_HOUR: HeaderValue = HeaderValue::from_static("public, max-age=3600");
/// A picture may be opened as a page of its own.
const NOTHING: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// `GET /assets/{file}`
pub async fn serve(visit: Visit, file: Option<PathSegment>) -> PageResult {
    let file = file.and_then(|file| file.decoded());
    let asset = file.as_deref().and_then(|file| {
        let mut all = assets().iter();
        all.find(|asset| asset.path.strip_prefix("/assets/") == Some(file))
    });
    asset.map(|asset| give(asset, visit.target())).ok_or_else(|| Problem::NotFound.into())
}

fn give(asset: &Asset, target: &str) -> Response {
    let mut response = Response::new(Body::from(asset.bytes));
    let kept = if target == asset.href() { FOR_EVER } else { FOR_AN_HOUR };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    headers.insert(CACHE_CONTROL, kept);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_SECURITY_POLICY, NOTHING);
    response
}
