//! Which server is spoken to.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::Error;

/// The public address of a server, without a slash at its end.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Server {
    base: String,
    is_safe: bool,
}

impl Server {
    /// Takes the address of a server: `https://auth.example.com`, with a path if it has one.
    ///
    /// Refused are other schemes than https and http, and addresses with a user, a query or a
    /// fragment.
    pub fn parse(address: &str) -> Result<Self, Error> {
        let refuse = |why: &str| {
            let text = format!("the server's address {why}: write https://auth.example.com");
            Err(Error::Request(text))
        };
        let Ok(url) = Url::parse(address.trim()) else {
            return refuse("cannot be read");
        };
        if !matches!(url.scheme(), "https" | "http") {
            return refuse("is neither https nor http");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("holds credentials, which would be seen in logs");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return refuse("has a query or a fragment");
        }
        let is_loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => return refuse("has no host"),
        };
        let is_safe = url.scheme() == "https" || is_loopback;
        Ok(Self { base: url.as_str().trim_end_matches('/').to_owned(), is_safe })
    }

    /// The Zendesk account of this name: `https://{subdomain}.zendesk.com`.
    pub fn zendesk(subdomain: &str) -> Result<Self, Error> {
        let is_label = (1..=63).contains(&subdomain.len())
            && subdomain.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !subdomain.starts_with('-')
            && !subdomain.ends_with('-');
        if !is_label {
            let text = "a subdomain is 1 to 63 letters, digits and hyphens: the part before \
                        .zendesk.com";
            return Err(Error::Request(text.to_owned()));
        }
        Self::parse(&format!("https://{}.zendesk.com", subdomain.to_ascii_lowercase()))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.base
    }

    /// Whether credentials that are sent there can be read by nobody else: over https, or to this
    /// machine.
    pub const fn is_safe(&self) -> bool {
        self.is_safe
    }

    /// Whether it is an account of Zendesk's.
    pub(crate) fn is_zendesk(&self) -> bool {
        let host = self.base.strip_prefix("https://");
        host.is_some_and(|host| !host.contains('/') && host.ends_with(".zendesk.com"))
    }
}

impl TryFrom<String> for Server {
    type Error = Error;

    fn try_from(address: String) -> Result<Self, Error> {
        Self::parse(&address)
    }
}

impl From<Server> for String {
    fn from(server: Server) -> Self {
        server.base
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.base)
    }
}

impl fmt::Display for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_without_the_slash_at_its_end() {
        for (text, base, is_safe) in [
            ("https://auth.example.com", "https://auth.example.com", true),
            (" https://auth.example.com/ ", "https://auth.example.com", true),
            ("https://example.com/auth/", "https://example.com/auth", true),
            ("http://127.0.0.1:4000", "http://127.0.0.1:4000", true),
            ("http://localhost:4000", "http://localhost:4000", true),
            ("http://[::1]:4000", "http://[::1]:4000", true),
            ("http://auth.example.com", "http://auth.example.com", false),
            ("http://localhost.example.com", "http://localhost.example.com", false),
        ] {
            let server = Server::parse(text).unwrap();
            assert_eq!((server.as_str(), server.is_safe()), (base, is_safe), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_of_a_server_is_refused_and_not_repeated() {
        for text in [
            "",
            "auth.example.com",
            "ftp://example.com",
            "https://ada:hunter2@example.com",
            "https://example.com?token=hunter2",
            "https://example.com/#hunter2",
            "unix:/run/tokenry",
        ] {
            let error = Server::parse(text).unwrap_err().to_string();
            assert!(error.contains("https://auth.example.com"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn an_account_is_named_by_its_subdomain() {
        assert_eq!(Server::zendesk("Acme-2").unwrap().as_str(), "https://acme-2.zendesk.com");
        for text in ["", "acme.zendesk.com", "-a", "a-", "a/b", "a@b", &"x".repeat(64)] {
            assert!(Server::zendesk(text).is_err(), "{text}");
        }
    }
}
