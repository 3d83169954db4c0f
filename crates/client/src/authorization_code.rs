//! The authorization code grant with PKCE, from the user's browser to the code that may be
//! redeemed (RFC 6749 §4.1, RFC 7636, RFC 9207, RFC 9700 §2.1.1).
//!
//! 1. [`AuthorizationCode`] says who asks, for what, and where the user comes back.
//! 2. `begin` draws `state` and `code_verifier`: a [`PendingAuthorization`], whose address the user
//!    is sent to.
//! 3. [`PendingAuthorization::check`] takes what the user came back with, and is over with it.
//! 4. The [`CheckedCallback`] is the one thing that
//!    [`redeem`](crate::resources::grant_type_tokens::GrantTypeTokens::redeem) takes: a code that
//!    came with somebody else's `state`, or from another server, cannot be redeemed.
//!
//! ```no_run
//! # #[cfg(feature = "client")]
//! # async fn example(
//! #     client: tokenry_client::Client,
//! #     query: &str,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! use tokenry_client::{AuthorizationCode, ClientAuthentication};
//!
//! let reports = ClientAuthentication::secret("acme_reports", "s…");
//! let pending = AuthorizationCode::new("acme_reports", "https://reports.acme.test/callback")
//!     .scope("read")
//!     .discover(&client)
//!     .await?
//!     .begin(&client)?;
//! println!("send the user to {}", pending.url());
//! // `query` is what stands behind the question mark when the user comes back.
//! let callback = pending.check(query)?;
//! let tokens = client.grant_type_tokens().redeem(&reports, callback).await?;
//! # Ok(()) }
//! ```
//!
//! A code that was not checked is not taken:
//!
//! ```compile_fail
//! # async fn example(
//! #     client: tokenry_client::Client,
//! #     reports: tokenry_client::ClientAuthentication,
//! #     code: String,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! let tokens = client.grant_type_tokens().redeem(&reports, code).await?;
//! # Ok(()) }
//! ```
//!
//! One that was is, and then it is gone:
//!
//! ```
//! # #[cfg(feature = "client")]
//! # async fn example(
//! #     client: tokenry_client::Client,
//! #     reports: tokenry_client::ClientAuthentication,
//! #     callback: tokenry_client::CheckedCallback,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! let tokens = client.grant_type_tokens().redeem(&reports, callback).await?;
//! # Ok(()) }
//! ```
//!
//! ```compile_fail
//! # async fn example(
//! #     client: tokenry_client::Client,
//! #     reports: tokenry_client::ClientAuthentication,
//! #     callback: tokenry_client::CheckedCallback,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! let tokens = client.grant_type_tokens().redeem(&reports, callback).await?;
//! let again = client.grant_type_tokens().redeem(&reports, callback).await?;
//! # Ok(()) }
//! ```
//!
//! And nobody else can make one:
//!
//! ```compile_fail
//! # fn example(authorization: tokenry_client::PendingAuthorization) {
//! # use tokenry_client::models::SecretText;
//! let callback =
//!     tokenry_client::CheckedCallback { code: SecretText::new("code"), authorization };
//! # }
//! ```

mod callback;
mod pending;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use tokenry_protocol::{
    api::{clients::ClientKind, secret_text::SecretText},
    oauth::metadata::Metadata,
    pkce::CodeVerifier,
    redirect_uri::RedirectUri,
    scope::Scope,
};
use url::Url;
use zeroize::Zeroizing;

pub use self::{
    callback::{AuthorizationRefusal, CallbackError, CheckedCallback},
    pending::PendingAuthorization,
};
use crate::{Error, Server, resources::grant_type_tokens::Door};

/// Where Tokenry and Zendesk both have the authorization endpoint.
const ENDPOINT: &str = "/oauth/authorizations/new";

/// Bytes of `state`, and of what the verifier is made of. 16 would do (RFC 6749 §10.10, RFC 7636
/// §7.1).
const RANDOM: usize = 32;

/// An authorization request to be.
#[derive(Debug, Clone)]
#[must_use = "nobody is asked before it has begun"]
pub struct AuthorizationCode {
    client_id: String,
    redirect_uri: String,
    scope: Option<String>,
    endpoint: Option<String>,
    issuer: Option<String>,
    answers_with_issuer: bool,
    door: Door,
}

impl AuthorizationCode {
    /// For the client of this identifier, whose users come back to this address. It must be one
    /// that the client registered; only the port of `http://127.0.0.1` and `http://[::1]` is free
    /// (RFC 8252 §7.3).
    pub fn new(client_id: impl Into<String>, redirect_uri: impl Into<String>) -> Self {
        Self {
            client_id: client_id.into(),
            redirect_uri: redirect_uri.into(),
            scope: None,
            endpoint: None,
            issuer: None,
            answers_with_issuer: false,
            door: Door::Record,
        }
    }

    /// What the tokens shall be allowed to do, words separated by spaces. Without it the server
    /// decides: Tokenry gives `read`, Zendesk demands it.
    pub fn scope(mut self, scope: &str) -> Self {
        self.scope = Some(scope.to_owned());
        self
    }

    /// The issuer that answers must name as `iss` (RFC 9207). Without it, and without metadata, an
    /// answer need not name one, and if it does it must be the server's address.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self.answers_with_issuer = true;
        self
    }

    /// What the server says of itself: where its authorization endpoint is, who it is and whether
    /// its answers say so, and that it has the standard's token endpoint.
    pub fn metadata(mut self, metadata: &Metadata) -> Self {
        self.endpoint.clone_from(&metadata.authorization_endpoint);
        self.issuer = Some(metadata.issuer.clone());
        self.answers_with_issuer =
            metadata.authorization_response_iss_parameter_supported == Some(true);
        if metadata.token_endpoint.is_some() {
            self.door = Door::Standard;
        }
        self
    }

    /// Asks the server for its metadata. One that has none, as Zendesk, is used as it is; one that
    /// says that it is somebody else is an error (RFC 8414 §3.3).
    #[cfg(feature = "client")]
    pub async fn discover(self, client: &crate::Client) -> Result<Self, Error> {
        match client.authorization_server().metadata().await {
            Ok(metadata) if Server::parse(&metadata.issuer)? == *client.server() => {
                Ok(self.metadata(&metadata))
            }
            Ok(metadata) => Err(Error::Request(format!(
                "the server at {} says that its address is {}: ask it under that one",
                client.server(),
                crate::refusal::plain(&metadata.issuer)
            ))),
            Err(error) if has_none(&error) => Ok(self),
            Err(error) => Err(error),
        }
    }

    /// Begins, at the client's server and with randomness of its environment.
    #[cfg(feature = "client")]
    pub fn begin(self, client: &crate::Client) -> Result<PendingAuthorization, Error> {
        let mut random = Zeroizing::new([0; 2 * RANDOM]);
        let filled = client.shared.environment.fill(&mut *random);
        filled.map_err(|error| Error::Request(format!("no randomness: {error}")))?;
        self.begin_at(client.server(), &random)
    }

    /// Begins, at this server, with 64 bytes that nobody can guess and that are used for nothing
    /// else: `state` and `code_verifier` are made of them. For those who send requests themselves.
    ///
    /// Refused are redirect addresses that no server takes, scopes that are none, and metadata
    /// whose authorization endpoint no browser should be sent to.
    pub fn begin_at(
        self,
        server: &Server,
        random: &[u8; 2 * RANDOM],
    ) -> Result<PendingAuthorization, Error> {
        let refuse = |what: &str, why: String| Error::Request(format!("{what} {why}"));
        RedirectUri::parse(&self.redirect_uri, ClientKind::Public)
            .map_err(|error| refuse("the redirect address", error.to_string()))?;
        let (state, verifier) = random.split_at(RANDOM);
        // Everybody on the browser's way sees the state, and nobody may see the verifier.
        if state == verifier {
            return Err(Error::Request("the bytes are not random: they repeat".to_owned()));
        }
        let state = URL_SAFE_NO_PAD.encode(state);
        let verifier = Zeroizing::new(URL_SAFE_NO_PAD.encode(verifier));
        let challenge = CodeVerifier::parse(&verifier)
            .map_err(|error| Error::Request(error.to_string()))?
            .challenge();

        let endpoint = self.endpoint.unwrap_or_else(|| format!("{server}{ENDPOINT}"));
        let mut url = browsable(&endpoint)?;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("state", &state)
            .append_pair("code_challenge", challenge.as_str())
            .append_pair("code_challenge_method", "S256");
        if let Some(scope) = &self.scope {
            let scope = Scope::parse(scope).map_err(|error| refuse("scope:", error.to_string()))?;
            url.query_pairs_mut().append_pair("scope", &scope.to_string());
        }
        Ok(PendingAuthorization {
            url: url.into(),
            server: server.clone(),
            client_id: self.client_id,
            redirect_uri: self.redirect_uri,
            issuer: self.issuer.unwrap_or_else(|| server.as_str().to_owned()),
            answers_with_issuer: self.answers_with_issuer,
            door: self.door,
            state: SecretText::new(state),
            code_verifier: SecretText::new(&**verifier),
        })
    }
}

/// An address for a browser; programs that open one act on every scheme, `file:` among them.
fn browsable(endpoint: &str) -> Result<Url, Error> {
    match Url::parse(endpoint) {
        Ok(url) if matches!(url.scheme(), "https" | "http") && url.fragment().is_none() => Ok(url),
        _ => Err(Error::Request(
            "the server's metadata names an authorization endpoint that no browser can be sent to"
                .to_owned(),
        )),
    }
}

/// Whether the answer comes from a server that has no metadata: it says no, in whatever words, or
/// points to a page for people.
#[cfg(feature = "client")]
fn has_none(error: &Error) -> bool {
    error.status().is_some_and(|status| {
        let is_busy = status == http::StatusCode::TOO_MANY_REQUESTS;
        status.is_redirection() || (status.is_client_error() && !is_busy)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random() -> [u8; 64] {
        std::array::from_fn(|at| u8::try_from(at).unwrap())
    }

    fn server() -> Server {
        Server::zendesk("acme").unwrap()
    }

    fn request() -> AuthorizationCode {
        AuthorizationCode::new("acme reports&", "https://reports.acme.test/callback?t=1")
    }

    #[test]
    fn the_user_is_sent_with_state_and_challenge_to_where_zendesk_has_its_endpoint() {
        let pending = request().scope("read users:write").begin_at(&server(), &random());
        let pending = pending.unwrap();
        let url = Url::parse(pending.url()).unwrap();
        assert_eq!(
            url.as_str().split('?').next(),
            Some("https://acme.zendesk.com/oauth/authorizations/new")
        );
        let pairs: Vec<_> = url.query_pairs().into_owned().collect();
        let value = |name: &str| {
            let mut found = pairs.iter().filter(|(known, _)| known == name);
            let value = found.next().map(|(_, value)| value.as_str());
            assert!(found.next().is_none(), "{name} is sent twice");
            value
        };
        assert_eq!(value("response_type"), Some("code"));
        assert_eq!(value("client_id"), Some("acme reports&"));
        assert_eq!(value("redirect_uri"), Some("https://reports.acme.test/callback?t=1"));
        assert_eq!(value("scope"), Some("read users:write"));
        assert_eq!(value("code_challenge_method"), Some("S256"));
        assert_eq!(value("state"), Some(pending.state()));
        assert_eq!(pending.state().len(), 43, "32 bytes");
        let verifier = CodeVerifier::parse(pending.code_verifier.reveal()).unwrap();
        assert_eq!(value("code_challenge"), Some(verifier.challenge().as_str()));
        assert!(!pending.url().contains(pending.code_verifier.reveal()));
    }

    #[test]
    fn metadata_says_where_the_endpoint_is_and_who_answers() {
        let metadata = Metadata {
            issuer: "https://auth.acme.test".to_owned(),
            authorization_endpoint: Some("https://login.acme.test/authorize?realm=1".to_owned()),
            token_endpoint: Some("https://auth.acme.test/oauth/token".to_owned()),
            authorization_response_iss_parameter_supported: Some(true),
            ..Metadata::default()
        };
        let pending = request().metadata(&metadata).begin_at(&server(), &random()).unwrap();
        assert!(
            pending.url().starts_with("https://login.acme.test/authorize?realm=1&response_type=")
        );
        assert_eq!(pending.issuer, "https://auth.acme.test");
        assert!(pending.answers_with_issuer);
        assert_eq!(pending.door, Door::Standard);
    }

    #[test]
    fn no_browser_is_sent_to_what_is_no_page() {
        for endpoint in ["file:///etc/passwd", "javascript:alert(1)", "calculator:", "", "/x"] {
            let metadata = Metadata {
                authorization_endpoint: Some(endpoint.to_owned()),
                ..Metadata::default()
            };
            let begun = request().metadata(&metadata).begin_at(&server(), &random());
            assert!(begun.is_err(), "{endpoint}");
        }
    }

    #[test]
    fn what_no_server_takes_is_refused_before_anybody_is_asked() {
        for redirect_uri in ["", "/callback", "http://reports.acme.test/", "https://a.test/#x"] {
            let request = AuthorizationCode::new("acme", redirect_uri);
            assert!(request.begin_at(&server(), &random()).is_err(), "{redirect_uri}");
        }
        assert!(request().begin_at(&server(), &[7; 64]).is_err(), "nothing is random in it");
        assert!(request().scope("a\"b").begin_at(&server(), &random()).is_err());
    }
}
