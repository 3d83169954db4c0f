//! Answers to browsers: the one place that sets the headers of pages.

use askama::Template;
use axum::{body::Body, response::Response};
use http::{
    HeaderName, HeaderValue, StatusCode,
    header::{
        CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, SET_COOKIE,
        X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
    },
};

use crate::{request_context, respond, views};

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
/// What no page of ours asks a device for, nor lets anything in it ask.
const NO_PERMISSIONS: HeaderValue = HeaderValue::from_static(
    "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
);

/// What a page may do besides what every page may.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowances {
    /// Where the answers to its forms may redirect to: Chromium holds `form-action` against every
    /// redirect after a form (CSP Level 3 §6.3.1.1).
    pub form_targets: Vec<String>,
    /// Where its pictures come from.
    pub images: Vec<String>,
    /// Who may keep hold of its window.
    pub opener: Opener,
}

/// Whether the window that opened a page keeps its hold on it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Opener {
    /// It does not.
    #[default]
    Severed,
    /// It does: an app that authorizes in a pop-up is told the outcome by that pop-up, and would
    /// lose it for good on the way through a severed page.
    Kept,
}

/// A page.
pub fn page(status: StatusCode, content: &impl Template, allowances: &Allowances) -> Response {
    let html = match views::render(content, request_context::notice().as_ref()) {
        Ok(html) => html,
        Err(error) => {
            tracing::error!(%error, "a page cannot be rendered");
            return respond::internal_error();
        }
    };
    let mut response = private(Response::new(Body::from(html)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HTML);
    headers.insert(CONTENT_SECURITY_POLICY, policy(allowances));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(PERMISSIONS_POLICY, NO_PERMISSIONS);
    let same_origin = HeaderValue::from_static("same-origin");
    headers.insert(RESOURCE_POLICY, same_origin.clone());
    if allowances.opener == Opener::Severed {
        headers.insert(OPENER_POLICY, same_origin);
    }
    response
}

/// On to another address by GET: 303, never 307, which would send the form along.
pub fn see_other(location: &str) -> Response {
    private(respond::see_other(location))
}

/// Adds a cookie.
pub fn with_cookie(mut response: Response, cookie: HeaderValue) -> Response {
    response.headers_mut().append(SET_COOKIE, cookie);
    response
}

/// What is true of pages and of redirects between them: addresses hold codes and states.
fn private(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn policy(allowances: &Allowances) -> HeaderValue {
    let text = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'{}; form-action 'self'{}; \
         base-uri 'none'; frame-ancestors 'none'",
        sources(&allowances.images),
        sources(&allowances.form_targets)
    );
    let strictest = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    HeaderValue::from_str(&text).unwrap_or(strictest)
}

/// Hosts come from registered addresses and may hold characters that mean something in a policy,
/// such as `;` and `,`: those are not allowed anything.
fn sources(list: &[String]) -> String {
    let plain = |source: &&String| {
        let mut bytes = source.bytes();
        bytes.all(|byte| byte.is_ascii_alphanumeric() || b":/.-+_".contains(&byte))
    };
    list.iter().filter(plain).flat_map(|source| [" ", source]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_lists_sources_and_nothing_that_could_be_a_directive() {
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        let allowances = Allowances {
            form_targets: texts(&["https://a.test:8443", "https://b;script-src", "com.acme.app:"]),
            images: texts(&["https://c,d", "https://cdn.test", "'unsafe-inline'", "* *"]),
            opener: Opener::Severed,
        };
        assert_eq!(
            policy(&allowances),
            "default-src 'none'; style-src 'self'; img-src 'self' https://cdn.test; \
             form-action 'self' https://a.test:8443 com.acme.app:; \
             base-uri 'none'; frame-ancestors 'none'"
        );
    }
}
