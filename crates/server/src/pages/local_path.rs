//! Where to go after signing in: an address of this server, whatever the request asks for.

use std::fmt;

/// The page of connected apps: where a sign-in leads that says nothing else.
pub const CONNECTIONS: &str = "/account/connections";

/// A path and query on this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalPath(String);

impl LocalPath {
    /// Takes text that every browser reads as a path on the same host: one slash at the beginning,
    /// no backslash (browsers read it as a slash), and nothing that they strip or that needs
    /// encoding in a header.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        let local = text.starts_with('/') && !text.starts_with("//");
        (plain && local).then(|| Self(text.to_owned()))
    }

    /// A path that was written here.
    pub fn own(path: &'static str) -> Self {
        Self(path.to_owned())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What comes before and after the question mark.
    pub fn split(&self) -> (&str, &str) {
        self.0.split_once('?').unwrap_or((&self.0, ""))
    }
}

impl fmt::Display for LocalPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Url;

    use super::*;

    #[test]
    fn only_paths_on_this_server_are_taken() {
        for text in ["/", "/account/connections", "/a?b=//c&d=https://e.test#f", "/./x"] {
            assert_eq!(LocalPath::parse(text).unwrap().as_str(), text);
        }
        for text in [
            "",
            "account",
            "//evil.test",
            "///evil.test",
            "/\\evil.test",
            "/a\\b",
            "\\/evil.test",
            "https://evil.test/",
            "javascript:alert(1)",
            " /a",
            "/a b",
            "/\t/evil.test",
            "/a\r\nSet-Cookie: x=y",
            "/é",
            "/\u{0}",
        ] {
            assert_eq!(LocalPath::parse(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_taken_stays_on_this_host(text in "/[/\\\\a-z.@:?#%\t 0-9]{0,20}") {
            let base = Url::parse("https://auth.test/x/y").unwrap();
            if let Some(path) = LocalPath::parse(&text) {
                prop_assert_eq!(base.join(path.as_str()).unwrap().origin(), base.origin());
            }
        }
    }
}
