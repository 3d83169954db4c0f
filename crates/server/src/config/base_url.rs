//! The address under which clients reach the server: the issuer (RFC 8414 §2) and the beginning of
//! every link. It is an origin and nothing more, compared byte for byte, and taken from here and
//! never from a request, unless `base_url_from_host` says so: then a request gives the host and the
//! port ([`BaseUrl::with_host`]), and nothing else.

use std::{fmt, net::SocketAddr};

use url::{Host, Url};

use super::{
    error::Fault,
    kinds::{Kind, Raw, Shown, toml_text},
};

/// `https://auth.example.com`: scheme, host and, if not the scheme's own, port. No slash at the
/// end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    text: String,
    url: Url,
}

/// In the extensions of a request: it came over TLS, although the configured address is plain.
/// Nothing but what accepts connections may say so.
#[derive(Debug, Clone, Copy)]
pub struct OverTls;

/// Of a host name (RFC 1035 §2.3.4), as it is written.
const NAME_MAX: usize = 253;
/// Of what stands between two of its dots.
const LABEL_MAX: usize = 63;

impl BaseUrl {
    /// The address of a server that listens on `bound` without TLS and has no other name.
    pub fn at(bound: SocketAddr) -> Result<Self, url::ParseError> {
        Url::parse(&format!("http://{bound}")).map(Self::from_origin_of)
    }

    /// The same with TLS.
    pub fn with_tls_at(bound: SocketAddr) -> Result<Self, url::ParseError> {
        Url::parse(&format!("https://{bound}")).map(Self::from_origin_of)
    }

    fn from_origin_of(url: Url) -> Self {
        let text = url.origin().ascii_serialization();
        Self { text, url }
    }

    /// The same scheme with the host and the port of `Host` (RFC 9110 §7.2), such as
    /// `auth.example.com:8443`. `None` for whatever is not a host and perhaps a port in the one
    /// form that clients write: what a request says is put into pages, links and headers.
    pub fn with_host(&self, host: &str) -> Option<Self> {
        Self::of_host(self.url.scheme(), host)
    }

    /// The same with `https`, whatever the scheme of the configured address is.
    pub fn over_tls(host: &str) -> Option<Self> {
        Self::of_host("https", host)
    }

    fn of_host(scheme: &str, host: &str) -> Option<Self> {
        let (name, port) = split_port(host)?;
        let is_address = name.starts_with('[');
        if !is_address && !is_host_name(name) {
            return None;
        }
        let name = name.to_ascii_lowercase();
        let url = Url::parse(&format!("{scheme}://{name}{port}")).ok()?;
        // Numbers that mean an address, and addresses in other spellings, are not what was sent.
        let is_kept = url.host_str() == Some(name.as_str());
        is_kept.then(|| Self::from_origin_of(url))
    }

    /// As it goes over the wire.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// For building addresses; its path is `/`.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Whether browsers and clients reach the server by https, so that cookies can be `Secure`.
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether the host is this machine: then plain http is no danger (RFC 8252 §8.3).
    pub fn is_loopback(&self) -> bool {
        match self.url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }
}

/// `Host` as the name or the bracketed address, and `:port` or nothing. Port 0 is nobody's.
fn split_port(host: &str) -> Option<(&str, &str)> {
    let end = match host.strip_prefix('[') {
        Some(address) => address.find(']')? + "[]".len(),
        None => host.find(':').unwrap_or(host.len()),
    };
    let (name, port) = host.split_at_checked(end)?;
    let Some(digits) = port.strip_prefix(':') else {
        return port.is_empty().then_some((name, port));
    };
    let is_written = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    (is_written && digits.parse::<u16>().is_ok()).then_some((name, port))
}

/// Letters, digits, hyphens and underscores between single dots (RFC 1123 §2.1; names of containers
/// have underscores).
fn is_host_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=LABEL_MAX).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    text.len() <= NAME_MAX && text.split('.').all(is_label)
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

pub(super) struct Base;

const SHAPE: &str = "write scheme, host and perhaps a port, such as https://auth.example.com";

impl Kind for Base {
    type Value = BaseUrl;

    fn parse(&self, raw: &Raw) -> Result<BaseUrl, Fault> {
        let text = raw.text().unwrap_or_default();
        let url = Url::parse(text)
            .map_err(|_| Fault::new(format!("{} is no URL", raw.quoted()), SHAPE))?;
        let problem = if !matches!(url.scheme(), "https" | "http") || !url.has_host() {
            Some("is neither an https nor an http URL")
        } else if !url.username().is_empty() || url.password().is_some() {
            // A password may stand there, so the text is not shown.
            return Err(Fault::new("it holds a user name or a password", SHAPE));
        } else if url.query().is_some() {
            Some("has a query")
        } else if url.fragment().is_some() {
            Some("has a fragment")
        } else if url.path() != "/" {
            Some("has a path: the server answers at the root of its host")
        } else {
            None
        };
        if let Some(problem) = problem {
            return Err(Fault::new(format!("{} {problem}", raw.quoted()), SHAPE));
        }
        let base = BaseUrl::from_origin_of(url);
        if base.text == text {
            Ok(base)
        } else {
            let problem = "is not in the one form that clients compare byte for byte \
                 (no slash at the end, lower case, no default port)";
            Err(Fault::new(format!("{} {problem}", raw.quoted()), format!("write {base}")))
        }
    }

    fn show(&self, value: &BaseUrl) -> Shown {
        Shown::Toml(toml_text(value.as_str()))
    }

    fn name(&self) -> String {
        "URL".to_owned()
    }

    fn example(&self) -> Option<String> {
        Some(toml_text("https://auth.example.com"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn base(text: &str) -> BaseUrl {
        Base.parse(&Raw::Text(text.to_owned())).ok().unwrap()
    }

    fn with_host(host: &str) -> Option<String> {
        base("http://127.0.0.1:4000").with_host(host).map(|base| base.to_string())
    }

    #[test]
    fn a_host_and_perhaps_a_port_are_taken_under_the_scheme_that_is_configured() {
        for (host, expected) in [
            ("evil", "http://evil"),
            ("acme.zendesk.test:4000", "http://acme.zendesk.test:4000"),
            ("LOCALHOST:4000", "http://localhost:4000"),
            ("127.0.0.2:1", "http://127.0.0.2:1"),
            ("[::1]:65535", "http://[::1]:65535"),
            ("[2001:DB8::a]", "http://[2001:db8::a]"),
            ("token_server-2:8080", "http://token_server-2:8080"),
            ("a.test:80", "http://a.test"),
            ("a.test:443", "http://a.test:443"),
        ] {
            assert_eq!(with_host(host).as_deref(), Some(expected), "{host}");
        }
        let https = base("https://auth.example.com");
        assert_eq!(https.with_host("a.test:443").unwrap().as_str(), "https://a.test");
        assert!(https.with_host("a.test:80").unwrap().is_https());
    }

    #[test]
    fn what_is_no_host_in_its_one_form_is_not_taken() {
        let long = format!("{}.test", "a".repeat(64));
        let longer = ["a".repeat(63).as_str(); 5].join(".");
        for host in [
            "",
            "a b",
            "x@y",
            "user:password@y",
            "a.test:",
            "a.test:0",
            "a.test:080",
            "a.test:65536",
            "a.test:80:80",
            "a.test:+80",
            "a.test/evil",
            "a.test?x",
            "a.test#x",
            "a..test",
            "a.test.",
            ".",
            ":4000",
            "127.1",
            "0x7f.1",
            "2130706433",
            "[::1",
            "::1",
            "[::1]a",
            "[::1]:",
            "[0:0::1]",
            "[::1%25eth0]",
            "[v1.a]",
            "ä.test",
            "%61.test",
            "<script>",
            "a.test\r\nX: y",
            "\u{0}",
            &long,
            &longer,
        ] {
            assert_eq!(with_host(host), None, "{host:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_taken_is_an_origin_that_could_have_been_configured(
            host in "[a-zA-Z0-9.:@/?#\\[\\]%_<>\"' \t-]{0,40}|\\PC{0,40}",
        ) {
            if let Some(taken) = with_host(&host) {
                let configured = base(&taken).to_string();
                prop_assert_eq!(&configured, &taken);
                let rest = taken.strip_prefix("http://").unwrap();
                let sent = host.to_ascii_lowercase();
                prop_assert_eq!(rest, sent.strip_suffix(":80").unwrap_or(&sent));
            }
        }
    }
}
