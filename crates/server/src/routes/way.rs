//! From the path of a request to its row of the table.
//!
//! Paths are compared as they were sent (RFC 3986 §6.2.1): `%2F` is no slash, and one at the end
//! makes another path. In the record API `/x.json` is `/x`.

use std::{collections::HashMap, convert::Infallible};

use axum::extract::OptionalFromRequestParts;
use http::request::Parts;
use percent_encoding::percent_decode_str;

/// What stands in a path where its row has a name in braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathSegment(String);

impl PathSegment {
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

/// The paths of the table.
pub(super) struct Ways {
    fixed: HashMap<&'static str, usize>,
    /// With one name in braces: what stands before it and behind it.
    named: Vec<(&'static str, &'static str, usize)>,
}

impl Ways {
    pub(super) fn new(paths: impl Iterator<Item = &'static str>) -> Self {
        let mut ways = Self { fixed: HashMap::new(), named: Vec::new() };
        for (at, path) in paths.enumerate() {
            let parts = path
                .split_once('{')
                .and_then(|(before, rest)| Some((before, rest.split_once('}')?.1)));
            match parts {
                Some((before, behind)) => ways.named.push((before, behind, at)),
                None => drop(ways.fixed.insert(path, at)),
            }
        }
        ways
    }

    /// The row at a path, and what stands where the row has a name. A path that is in the table
    /// word for word goes before one with a name.
    pub(super) fn find(&self, path: &str) -> Option<(usize, Option<PathSegment>)> {
        let path = without_json(path);
        if let Some(at) = self.fixed.get(path) {
            return Some((*at, None));
        }
        self.named.iter().find_map(|(before, behind, at)| {
            let segment = path.strip_prefix(before)?.strip_suffix(behind)?;
            is_one(segment).then(|| (*at, Some(PathSegment(segment.to_owned()))))
        })
    }
}

/// An encoded slash is no slash and belongs into no name.
fn is_one(segment: &str) -> bool {
    let mut triples = segment.as_bytes().windows(3);
    !segment.is_empty()
        && !segment.contains('/')
        && !triples.any(|triple| triple.eq_ignore_ascii_case(b"%2f"))
}

/// A path of the record API without the ending that it may have.
pub fn without_json(path: &str) -> &str {
    let plain = path.strip_suffix(".json").filter(|plain| !plain.ends_with('/'));
    plain.filter(|plain| plain.starts_with("/api/v2/")).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(path: &str) -> Option<(usize, Option<String>)> {
        let table = ["/", "/api/v2/x/current", "/api/v2/x/{id}", "/api/v2/x/{id}/end", "/a/{file}"];
        let found = Ways::new(table.into_iter()).find(path);
        found.map(|(at, segment)| (at, segment.and_then(|segment| segment.decoded())))
    }

    #[test]
    fn a_path_finds_the_row_that_is_written_like_it() {
        let named = |at, segment: &str| Some((at, Some(segment.to_owned())));
        assert_eq!(find("/"), Some((0, None)));
        assert_eq!(find("/api/v2/x/current"), Some((1, None)));
        assert_eq!(find("/api/v2/x/7"), named(2, "7"));
        assert_eq!(find("/api/v2/x/7/end"), named(3, "7"));
        assert_eq!(find("/api/v2/x/%37"), named(2, "7"));
        assert_eq!(find("/a/b.css"), named(4, "b.css"));
        for none in
            ["", "*", "//", "/api/v2/x", "/api/v2/x/", "/api/v2/x//end", "/api/v2/x/7/", "/A/b"]
        {
            assert_eq!(find(none), None, "{none}");
        }
    }

    #[test]
    fn only_paths_of_the_record_api_may_end_in_json() {
        assert_eq!(find("/api/v2/x/current.json"), Some((1, None)));
        assert_eq!(find("/api/v2/x/7.json"), Some((2, Some("7".to_owned()))));
        assert_eq!(find("/api/v2/x/7/end.json"), Some((3, Some("7".to_owned()))));
        assert_eq!(find("/a/b.json"), Some((4, Some("b.json".to_owned()))));
        assert_eq!(find("/api/v2/x/.json"), Some((2, Some(".json".to_owned()))));
        assert_eq!(find("/api/v2/x/current.json/"), None);
    }

    #[test]
    fn an_encoded_slash_parts_nothing() {
        assert_eq!(find("/api/v2/x%2Fcurrent"), None);
        assert_eq!(find("/api/v2/x/7%2fend"), None);
        assert_eq!(find("/api/v2/x/7%2F8"), None);
    }

    #[test]
    fn what_is_not_utf_8_stands_for_nothing() {
        assert_eq!(find("/api/v2/x/%ff"), Some((2, None)));
    }
}
