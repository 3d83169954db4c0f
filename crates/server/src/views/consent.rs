//! The question whether a client may use one's account.

use askama::Template;
use tokenry_protocol::redirect_uri::ClientKind;
use url::{Host, Url};

use super::{
    layout::{ClientSummary, Logo, SignedInUser},
    scope_words::{ScopeKind, ScopeWords, describe_scope},
};

/// The consent page. Posts `request`, `page_token` and `decision` (`allow` or `deny`) to
/// `/oauth/authorizations`. A second form posts `page_token` and `return_to` to `/sign-out`, for
/// somebody else to sign in.
#[derive(Debug, Clone, Template)]
#[template(path = "consent.html")]
pub struct ConsentPage {
    /// Who asks.
    pub client: ClientSummary,
    /// What the client says about itself.
    pub description: Option<String>,
    /// The client's name in the protocol.
    pub client_identifier: String,
    /// Whether it can prove who it is.
    pub client_kind: ClientKind,
    /// Where the answer goes.
    pub redirect_uri: String,
    /// The scope tokens asked for, in that order.
    pub scope_tokens: Vec<String>,
    /// Whose account it is about.
    pub user: SignedInUser,
    /// The authorization request, as the handler reads it back from the form.
    pub request: String,
    /// For both forms.
    pub page_token: String,
    /// Where to go when somebody else has signed in: back to this question.
    pub return_to: String,
}

/// Where the browser goes with the answer, as far as it says who gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A website: host and, if it is not the scheme's own, port.
    Website(String),
    /// A program on the reader's own computer (RFC 8252 §7.3): host and port.
    ThisComputer(String),
    /// An app that the device opens for a private scheme (RFC 8252 §7.1).
    InstalledApp(String),
}

/// A description up to this many characters is shown in full at once.
const DESCRIPTION_SHORT_MAX: usize = 240;

/// What the client says about itself, by how much room it takes.
enum Description<'a> {
    Short(&'a str),
    Long(&'a str),
}

impl Destination {
    /// Reads a registered redirect address. Hosts are in ASCII, so that letters which only look
    /// alike show.
    pub fn of(redirect_uri: &str) -> Self {
        let scheme = || redirect_uri.split(':').next().unwrap_or_default();
        let Ok(url) = Url::parse(redirect_uri) else {
            return Self::InstalledApp(scheme().to_owned());
        };
        let Some(host) = url.host_str() else {
            return Self::InstalledApp(url.scheme().to_owned());
        };
        let place = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        match (url.scheme(), url.host()) {
            ("https" | "http", Some(Host::Ipv4(address))) if address.is_loopback() => {
                Self::ThisComputer(place)
            }
            ("https" | "http", Some(Host::Ipv6(address))) if address.is_loopback() => {
                Self::ThisComputer(place)
            }
            ("https" | "http", _) if host == "localhost" => Self::ThisComputer(place),
            ("https" | "http", _) => Self::Website(place),
            (scheme, _) => Self::InstalledApp(scheme.to_owned()),
        }
    }
}

/// What `form-action` must list for answers that redirect to this address. The sign-in page needs
/// it too: where nothing is left to ask, the answer to its form leads there.
pub fn form_action_source(redirect_uri: &str) -> String {
    match Url::parse(redirect_uri) {
        Ok(url) if matches!(url.host(), Some(Host::Ipv6(_))) || url.host().is_none() => {
            // A policy can name no IPv6 address and no private host: the scheme stands for it.
            format!("{}:", url.scheme())
        }
        Ok(url) if matches!(url.scheme(), "https" | "http") => url.origin().ascii_serialization(),
        Ok(url) => format!("{}:", url.scheme()),
        Err(_) => "'none'".to_owned(),
    }
}

impl ConsentPage {
    /// What `form-action` must list besides `'self'` (CSP Level 3 §6.3.1): browsers check where a
    /// form's answer redirects to.
    pub fn form_action_source(&self) -> String {
        form_action_source(&self.redirect_uri)
    }

    /// What `img-src` must list besides `'self'`.
    pub fn image_source(&self) -> Option<&str> {
        self.client.logo.as_ref().map(Logo::origin)
    }

    fn destination(&self) -> Destination {
        Destination::of(&self.redirect_uri)
    }

    fn permissions(&self) -> Vec<ScopeWords> {
        let words = self.scope_tokens.iter();
        words.map(|token| describe_scope(token)).collect()
    }

    fn described(&self) -> Option<Description<'_>> {
        let text = self.description.as_deref().map(str::trim)?;
        match text.chars().count() {
            0 => None,
            1..=DESCRIPTION_SHORT_MAX => Some(Description::Short(text)),
            _ => Some(Description::Long(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::consent_page, *};

    #[test]
    fn a_destination_says_who_gets_the_answer() {
        use Destination::{InstalledApp, ThisComputer, Website};
        for (redirect_uri, expected) in [
            ("https://reports.acme.test/callback", Website("reports.acme.test".to_owned())),
            ("https://reports.acme.test:8443/cb?x=1", Website("reports.acme.test:8443".to_owned())),
            ("https://аcme.test/cb", Website("xn--cme-5cd.test".to_owned())),
            ("http://127.0.0.1:53682/", ThisComputer("127.0.0.1:53682".to_owned())),
            ("http://[::1]:9/", ThisComputer("[::1]:9".to_owned())),
            ("http://localhost/cb", ThisComputer("localhost".to_owned())),
            ("com.acme.app:/cb", InstalledApp("com.acme.app".to_owned())),
            ("com.acme.app://reports.acme.test/cb", InstalledApp("com.acme.app".to_owned())),
        ] {
            assert_eq!(Destination::of(redirect_uri), expected);
        }
    }

    #[test]
    fn a_policy_names_the_origin_or_else_the_scheme() {
        for (redirect_uri, source) in [
            ("https://reports.acme.test/cb", "https://reports.acme.test"),
            ("http://127.0.0.1:53682/", "http://127.0.0.1:53682"),
            ("http://[::1]:53682/", "http:"),
            ("com.acme.app:/cb", "com.acme.app:"),
            ("com.acme.app://cb/x", "com.acme.app:"),
            ("no address", "'none'"),
        ] {
            let page = ConsentPage { redirect_uri: redirect_uri.to_owned(), ..consent_page() };
            assert_eq!(page.form_action_source(), source);
        }
    }
}
