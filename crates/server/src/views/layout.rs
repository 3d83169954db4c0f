//! What several pages show: the user, a client and its picture, and above all of them the notice of
//! the installation.

use std::{any::Any, fmt, sync::Arc};

use askama::{Template, Values, filters::HtmlSafe};
use url::Url;

/// What whoever runs the server says above every page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteNotice(Arc<str>);

impl SiteNotice {
    /// Takes plain text.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }
}

/// By its name in the frame's template.
impl Values for SiteNotice {
    fn get_value<'a>(&'a self, key: &str) -> Option<&'a dyn Any> {
        (key == "notice").then_some(self)
    }
}

impl fmt::Display for SiteNotice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A page as HTML, under the notice. The frame of all pages shows it, whatever page stands in it.
pub fn render(page: &impl Template, notice: Option<&SiteNotice>) -> askama::Result<String> {
    page.render_with_values(&notice)
}

/// Whose account it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedInUser {
    /// The name of the person.
    pub name: String,
    /// The address that they sign in with.
    pub email: String,
}

/// A client as people see it. All of it was written by whoever registered the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSummary {
    /// Its name.
    pub name: String,
    /// Who makes it.
    pub company: Option<String>,
    /// Its picture; without one, the first letter of its name stands there.
    pub logo: Option<Logo>,
}

/// The address of a picture that a page may load: `https`, without user information.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logo {
    href: String,
    origin: String,
}

impl Logo {
    /// Takes a registered `logo_url`; `None` when a page must not load it.
    pub fn parse(logo_url: &str) -> Option<Self> {
        let url = Url::parse(logo_url).ok()?;
        let plain = url.username().is_empty() && url.password().is_none();
        // Numeric IPv6 hosts cannot be named in a policy.
        let named = url.host_str().is_some_and(|host| !host.starts_with('['));
        (url.scheme() == "https" && plain && named)
            .then(|| Self { origin: url.origin().ascii_serialization(), href: url.into() })
    }

    /// The address, in the one form that browsers understand alike.
    pub fn href(&self) -> &str {
        &self.href
    }

    /// What `img-src` must list (CSP Level 3 §6.1.6): scheme, host and, if not 443, port.
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

/// The square with a client's picture or first letter. Decoration: the name stands beside it.
#[derive(Template)]
#[template(path = "parts/client_tile.html")]
pub(super) struct ClientTile<'a> {
    initial: String,
    logo: Option<&'a Logo>,
}

impl HtmlSafe for ClientTile<'_> {}

impl ClientSummary {
    pub(super) fn tile(&self) -> ClientTile<'_> {
        ClientTile { initial: initial(&self.name), logo: self.logo.as_ref() }
    }
}

impl SignedInUser {
    pub(super) fn initial(&self) -> String {
        initial(&self.name)
    }
}

/// The first letter or digit in upper case. Signs and marks that could be mistaken for more than a
/// letter, or that show nothing, are passed over.
fn initial(name: &str) -> String {
    name.chars()
        .find(|character| character.is_alphanumeric())
        .map_or_else(String::new, |first| first.to_uppercase().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_initial_is_the_first_letter_or_digit() {
        for (name, expected) in [
            ("acme", "A"),
            ("  «éclair»", "É"),
            ("7-eleven", "7"),
            ("\u{202e}evil", "E"),
            ("<b>", "B"),
            ("日本", "日"),
            ("***", ""),
        ] {
            assert_eq!(initial(name), expected, "{name}");
        }
    }

    #[test]
    fn a_logo_comes_by_https_and_names_its_origin() {
        let logo = Logo::parse("https://CDN.acme.test:8443/a b.png?x=1").unwrap();
        assert_eq!(logo.href(), "https://cdn.acme.test:8443/a%20b.png?x=1");
        assert_eq!(logo.origin(), "https://cdn.acme.test:8443");
        for refused in [
            "http://cdn.acme.test/a.png",
            "javascript:alert(1)",
            "data:image/png;base64,AA==",
            "//cdn.acme.test/a.png",
            "https://user@cdn.acme.test/a.png",
            "https://[::1]/a.png",
            "",
        ] {
            assert_eq!(Logo::parse(refused), None, "{refused}");
        }
    }
}
