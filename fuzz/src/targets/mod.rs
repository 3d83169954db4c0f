//! The targets, each in the file of its name.

mod authorization_header;
mod authorization_request;
mod cookies;
mod credential;
mod cursor;
mod form;
mod framing;
mod identifiers;
mod json;
mod jwt_access_token;
mod local_path;
mod page_token;
mod query;
mod redirect_uri;
mod registration;
mod scope;
mod token_request;

/// A parser and what must hold of it whatever it reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    /// Of the file and of the folder of its corpus.
    pub(crate) name: &'static str,
    /// Panics when a property does not hold.
    pub(crate) run: fn(&[u8]),
}

const fn target(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run }
}

/// Every target, by name.
pub(crate) const TARGETS: [Target; 17] = [
    target("authorization_header", authorization_header::run),
    target("authorization_request", authorization_request::run),
    target("cookies", cookies::run),
    target("credential", credential::run),
    target("cursor", cursor::run),
    target("form", form::run),
    target("framing", framing::run),
    target("identifiers", identifiers::run),
    target("json", json::run),
    target("jwt_access_token", jwt_access_token::run),
    target("local_path", local_path::run),
    target("page_token", page_token::run),
    target("query", query::run),
    target("redirect_uri", redirect_uri::run),
    target("registration", registration::run),
    target("scope", scope::run),
    target("token_request", token_request::run),
];

/// Most targets read text: what is not UTF-8 never reaches their parser.
fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// What RFC 6749 §5.2 allows in an `error_description`.
fn is_description(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\')
}
