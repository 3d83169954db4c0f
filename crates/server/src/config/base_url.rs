//! The address under which clients reach the server: the issuer (RFC 8414 §2) and the beginning of
//! every link. It is an origin and nothing more, compared byte for byte, and taken from here and
//! never from a request.

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
