//! Redirect addresses: what may be registered, and what matches at use.
//!
//! Registered: absolute, no fragment, no user information, no wildcard, no dot segments, a host of
//! letters, digits and `-._~`; `https`,
//! or `http` on a loopback host; private schemes with a dot for public clients (RFC 8252 §7.1).
//! At use: the exact string. The one exception is any port on `http://127.0.0.1` and
//! `http://[::1]` (RFC 8252 §7.3).

use std::fmt;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

pub use crate::api::clients::ClientKind;

/// The most characters of one address.
pub const LENGTH_MAX: usize = 2_000;
/// The most addresses of one client.
pub const COUNT_MAX: usize = 50;

/// A registered redirect address, exactly as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RedirectUri(String);

/// Why an address cannot be registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRedirectUri {
    /// Not absolute, or with a part that has no place in it.
    #[error("must be an absolute address without fragment, user, wildcard or '..'")]
    Form,
    /// Plain http to another host, or a scheme that browsers act on.
    #[error("must use https, or http on a loopback host")]
    Scheme,
    /// A private scheme on a client that can keep a secret.
    #[error("private schemes are for public clients only")]
    PrivateScheme,
    /// Over [`LENGTH_MAX`].
    #[error("has at most 2000 characters")]
    TooLong,
}

impl RedirectUri {
    /// Takes an address that a client of this kind may register.
    pub fn parse(text: &str, kind: ClientKind) -> Result<Self, InvalidRedirectUri> {
        use InvalidRedirectUri::{Form, PrivateScheme, Scheme, TooLong};
        if text.len() > LENGTH_MAX {
            return Err(TooLong);
        }
        // The URL parser forgives spaces, backslashes and line breaks; an exact match must not.
        let plain =
            text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\*#\"<>^`{|}".contains(&byte));
        let url = Url::parse(text).map_err(|_| Form)?;
        let path = text.split(['?', '#']).next().unwrap_or_default();
        let dotted = path.split('/').any(is_dots);
        if !plain || dotted || !is_host_plain(&url) || has_user(text) {
            return Err(Form);
        }
        match url.scheme() {
            "https" | "http"
                if !text.to_ascii_lowercase().starts_with(&format!("{}://", url.scheme())) =>
            {
                Err(Form)
            }
            "https" => Ok(Self(text.to_owned())),
            "http" if is_loopback(text) => Ok(Self(text.to_owned())),
            scheme if !scheme.contains('.') => Err(Scheme),
            _ if kind == ClientKind::Confidential => Err(PrivateScheme),
            _ => Ok(Self(text.to_owned())),
        }
    }

    /// The address as it was registered.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a request may name `asked` for this address.
    pub fn matches(&self, asked: &str) -> bool {
        asked == self.0
            || match (loopback_without_port(&self.0), loopback_without_port(asked)) {
                (Some(registered), Some(asked)) => registered == asked,
                _ => false,
            }
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Even an empty one, which the URL parser forgets; like browsers, it takes any number of slashes.
fn has_user(text: &str) -> bool {
    let after_scheme = text.split_once("://").map_or("", |(_, rest)| rest.trim_start_matches('/'));
    let authority = after_scheme.split(['/', '?']).next().unwrap_or_default();
    authority.contains('@')
}

/// The URL parser takes hosts with `;`, `,` or `=` in them. No name on the network has those, and
/// in the consent page's policy, which names the host, they would begin something else.
fn is_host_plain(url: &Url) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    match url.host() {
        Some(Host::Domain(name)) => name.bytes().all(is_plain),
        Some(Host::Ipv4(_) | Host::Ipv6(_)) | None => true,
    }
}

fn is_dots(part: &str) -> bool {
    let part = part.to_ascii_lowercase().replace("%2e", ".");
    part == "." || part == ".."
}

/// Whether an http address names a loopback host in its one spelling: URL parsers read `127.1` and
/// `2130706433` as one too, and what resolves an address may not.
fn is_loopback(text: &str) -> bool {
    let after_scheme = text.get("http://".len()..).unwrap_or_default();
    ["localhost", "127.0.0.1", "[::1]"].into_iter().any(|host| {
        let rest = after_scheme.strip_prefix(host);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/', '?']))
    })
}

/// Splits `http://127.0.0.1:PORT/rest` into host and rest, so that only the port is ignored.
fn loopback_without_port(uri: &str) -> Option<(&str, &str)> {
    let after_scheme = uri.strip_prefix("http://")?;
    let host = ["127.0.0.1", "[::1]"].into_iter().find(|host| after_scheme.starts_with(host))?;
    let rest = after_scheme.strip_prefix(host)?;
    let Some(after_colon) = rest.strip_prefix(':') else {
        return (rest.is_empty() || rest.starts_with(['/', '?'])).then_some((host, rest));
    };
    let digits = after_colon.bytes().take_while(u8::is_ascii_digit).count();
    let (port, rest) = after_colon.split_at_checked(digits)?;
    let port_fits = !port.is_empty() && port.parse::<u16>().is_ok();
    (port_fits && (rest.is_empty() || rest.starts_with(['/', '?']))).then_some((host, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_may_be_registered() {
        use ClientKind::{Confidential, Public};
        use InvalidRedirectUri::{Form, PrivateScheme, Scheme};
        for (text, kind, expected) in [
            ("https://reports.acme.test/callback", Confidential, Ok(())),
            ("https://reports.acme.test/callback?tenant=1", Confidential, Ok(())),
            ("http://localhost/cb", Confidential, Ok(())),
            ("http://127.0.0.1:8080/cb", Confidential, Ok(())),
            ("http://[::1]/cb", Public, Ok(())),
            ("com.acme.app:/cb", Public, Ok(())),
            ("com.acme.app:/cb", Confidential, Err(PrivateScheme)),
            ("http://plain.acme.test/cb", Confidential, Err(Scheme)),
            ("http://127.0.0.1.evil.test/cb", Public, Err(Scheme)),
            ("http://localhost.evil.test/cb", Public, Err(Scheme)),
            ("http://127.0.0.1", Public, Ok(())),
            ("http://127.1/cb", Public, Err(Scheme)),
            ("http://2130706433/cb", Public, Err(Scheme)),
            ("http://0x7f.0.0.1/cb", Public, Err(Scheme)),
            ("http://LOCALHOST/cb", Public, Err(Scheme)),
            ("http://[0:0:0:0:0:0:0:1]/cb", Public, Err(Scheme)),
            ("javascript:alert(1)", Public, Err(Scheme)),
            ("data:text/html,x", Public, Err(Scheme)),
            ("/cb", Public, Err(Form)),
            ("", Public, Err(Form)),
            ("https://a.test/cb#x", Public, Err(Form)),
            ("https://user@a.test/cb", Public, Err(Form)),
            ("https://:secret@a.test/cb", Public, Err(Form)),
            ("https://a.test/*", Public, Err(Form)),
            ("https://*.a.test/", Public, Err(Form)),
            ("https://a.test/x/../cb", Public, Err(Form)),
            ("https://a.test/x/./cb", Public, Err(Form)),
            ("https://a.test/x/%2E%2e/cb", Public, Err(Form)),
            ("https:a.test/cb", Public, Err(Form)),
            ("https:/a.test/cb", Public, Err(Form)),
            ("https:/user@a.test/cb", Public, Err(Form)),
            ("https:user:secret@a.test/cb", Public, Err(Form)),
            ("https:\\\\a.test/cb", Public, Err(Form)),
            (" https://a.test/cb", Public, Err(Form)),
            ("https://@a.test/cb", Public, Err(Form)),
            ("https://:@a.test/cb", Public, Err(Form)),
            ("https:///@a.test/cb", Public, Err(Form)),
            ("https:///user@a.test/cb", Public, Err(Form)),
            ("com.acme.app://user@a/cb", Public, Err(Form)),
            ("https://a.test/@user/cb?to=me@a.test", Public, Ok(())),
            ("https://a.test;img-src/cb", Confidential, Err(Form)),
            ("https://a.test,b.test/cb", Confidential, Err(Form)),
            ("https://a.test=1", Confidential, Err(Form)),
            ("https://xn--bcher-kva.a_b.test:8443/a;b=c,d", Confidential, Ok(())),
            ("https://a.test/c\nb", Public, Err(Form)),
        ] {
            assert_eq!(RedirectUri::parse(text, kind).map(|_| ()), expected, "{text:?}");
        }
    }

    #[test]
    fn an_address_has_at_most_2000_characters_and_is_kept_as_it_was_written() {
        let longest = format!("https://A.test/{}", "x".repeat(LENGTH_MAX - 15));
        let kept = RedirectUri::parse(&longest, ClientKind::Public).unwrap();
        assert_eq!(kept.as_str(), longest);
        assert_eq!(kept.to_string(), longest);
        for excess in [1, 100] {
            let long = format!("{longest}{}", "x".repeat(excess));
            let refused = RedirectUri::parse(&long, ClientKind::Public);
            assert_eq!(refused, Err(InvalidRedirectUri::TooLong), "{excess} more");
        }
    }

    #[test]
    fn what_matches_at_use() {
        for (registered, asked, expected) in [
            ("https://a.test/cb", "https://a.test/cb", true),
            ("https://a.test/cb", "https://a.test/cb/", false),
            ("https://a.test/cb", "https://a.test:443/cb", false),
            ("https://a.test/cb", "https://A.test/cb", false),
            ("https://a.test/cb", "https://a.test/cb?x=1", false),
            ("http://127.0.0.1/cb", "http://127.0.0.1:53123/cb", true),
            ("http://127.0.0.1:1/cb", "http://127.0.0.1/cb", true),
            ("http://[::1]/cb", "http://[::1]:53123/cb", true),
            ("http://127.0.0.1", "http://127.0.0.1:53123", true),
            ("http://127.0.0.1:1", "http://127.0.0.1", true),
            ("http://127.0.0.1?a=1", "http://127.0.0.1:53123?a=1", true),
            ("http://127.0.0.1/cb", "http://127.0.0.1:/cb", false),
            ("http://localhost/cb", "http://localhost:53123/cb", false),
            ("http://127.0.0.1/cb", "http://127.0.0.1:53123/other", false),
            ("http://127.0.0.1/cb", "http://[::1]/cb", false),
            ("http://127.0.0.1/cb", "http://127.0.0.1:99999/cb", false),
            ("http://127.0.0.1/cb", "http://127.0.0.1:80@evil.test/cb", false),
            ("http://127.0.0.1/cb", "http://127.0.0.1.evil.test/cb", false),
            ("http://127.0.0.1/cb", "https://127.0.0.1/cb", false),
        ] {
            let registered = RedirectUri::parse(registered, ClientKind::Public).unwrap();
            assert_eq!(registered.matches(asked), expected, "{registered} {asked}");
        }
    }

    proptest! {
        #[test]
        fn only_the_registered_text_matches_outside_loopback(
            one in "https://[a-z]{1,8}\\.test/[a-z0-9/?=&]{0,12}",
            other in "https://[a-z]{1,8}\\.test/[a-z0-9/?=&]{0,12}",
        ) {
            let registered = RedirectUri::parse(&one, ClientKind::Public).unwrap();
            prop_assert!(registered.matches(&one));
            prop_assert_eq!(registered.matches(&other), one == other);
        }

        #[test]
        fn any_port_matches_on_loopback_and_nothing_else_changes(
            port in any::<u16>(),
            path in "/[a-z]{0,6}",
            other in "/[a-z]{0,6}",
        ) {
            let registered =
                RedirectUri::parse(&format!("http://127.0.0.1{path}"), ClientKind::Public).unwrap();
            let asked = format!("http://127.0.0.1:{port}{other}");
            prop_assert_eq!(registered.matches(&asked), path == other);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,120}", asked in "\\PC{0,120}") {
            if let Ok(uri) = RedirectUri::parse(&text, ClientKind::Public) {
                let _ = uri.matches(&asked);
            }
        }
    }
}
