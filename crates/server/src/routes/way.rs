//! From the path of a request to its row of the table.
//!
//! Paths are compared as they were sent ([`request_path`](crate::request_path)); a slash at the end
//! makes another path.

use std::collections::HashMap;

use crate::request_path::{PathSegment, without_json};

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
            Some((*at, Some(PathSegment::parse(segment)?)))
        })
    }
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
