//! The path of a request, as it was sent (RFC 3986 §6.2.1): `%2F` is no slash. In the record API
//! `/x.json` is `/x`.

use std::convert::Infallible;

use axum::extract::OptionalFromRequestParts;
use http::request::Parts;
use percent_encoding::percent_decode_str;

/// What stands in a path where its row has a name in braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathSegment(String);

impl PathSegment {
    /// Takes one segment as it was sent. An encoded slash is no slash and belongs into no name.
    pub fn parse(text: &str) -> Option<Self> {
        let mut triples = text.as_bytes().windows(3);
        let is_one = !text.is_empty()
            && !text.contains('/')
            && !triples.any(|triple| triple.eq_ignore_ascii_case(b"%2f"));
        is_one.then(|| Self(text.to_owned()))
    }

    /// Decoded; `None` if it is not UTF-8.
    pub fn decoded(&self) -> Option<String> {
        percent_decode_str(&self.0).decode_utf8().ok().map(Into::into)
    }
}

/// `None` where the row has no such name.
impl<S: Send + Sync> OptionalFromRequestParts<S> for PathSegment {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(parts.extensions.get().cloned())
    }
}

/// A path of the record API without the ending that it may have.
pub fn without_json(path: &str) -> &str {
    let plain = path.strip_suffix(".json").filter(|plain| !plain.ends_with('/'));
    plain.filter(|plain| plain.starts_with("/api/v2/")).unwrap_or(path)
}
