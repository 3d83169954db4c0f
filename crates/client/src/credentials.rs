//! Who asks.

use std::{fmt, pin::Pin, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::HeaderValue;
use tokenry_protocol::api::secret_text::SecretText;
use zeroize::Zeroizing;

use crate::{Error, Server, variables::Variables};

/// A future that is told apart by nothing but what it gives.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The value of an `Authorization` header.
#[derive(Clone, PartialEq, Eq)]
pub struct Authorization(HeaderValue);

impl Authorization {
    /// `Bearer …` (RFC 6750 §2.1).
    pub fn bearer(token: &str) -> Result<Self, Error> {
        Self::new(&Zeroizing::new(format!("Bearer {token}")))
    }

    /// `Basic …` (RFC 7617), in UTF-8.
    pub fn basic(user: &str, password: &str) -> Result<Self, Error> {
        if user.contains(':') {
            return Err(Error::Request("the name before a password has no colon".to_owned()));
        }
        let pair = Zeroizing::new(format!("{user}:{password}"));
        let encoded = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
        Self::new(&Zeroizing::new(format!("Basic {}", *encoded)))
    }

    fn new(text: &str) -> Result<Self, Error> {
        let value = HeaderValue::from_str(text);
        let mut value = value.map_err(|_| {
            let text = "the credentials hold characters that no header can carry";
            Error::Request(text.to_owned())
        })?;
        value.set_sensitive(true);
        Ok(Self(value))
    }

    /// The header's value.
    pub const fn value(&self) -> &HeaderValue {
        &self.0
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Authorization(…)")
    }
}

/// Credentials that change while a client lives: tokens that are refreshed.
pub trait CredentialSource: Send + Sync + 'static {
    /// What the next request to this server is sent with. A source whose secrets are another
    /// server's answers with an error, and nothing is sent.
    fn authorization<'a>(
        &'a self,
        server: &'a Server,
    ) -> BoxFuture<'a, Result<Authorization, Error>>;

    /// The server knows this one no more. `true` when there is another to try, once.
    fn refused<'a>(&'a self, authorization: &'a Authorization) -> BoxFuture<'a, bool>;
}

/// Who asks.
#[derive(Clone)]
#[non_exhaustive]
pub enum Credentials {
    /// Nobody: for the token endpoint, which asks for a client and not for a user.
    None,
    /// A user's address and one of their API tokens: Basic, `{email}/token:{token}`.
    ApiToken {
        /// The address.
        email: String,
        /// The API token.
        token: SecretText,
    },
    /// A user's address and password: Basic. Zendesk has deprecated it, and Tokenry takes it only
    /// where it is switched on.
    Password {
        /// The address.
        email: String,
        /// The password.
        password: SecretText,
    },
    /// An access token.
    Bearer(SecretText),
    /// Whatever the source gives for each request.
    Source(Arc<dyn CredentialSource>),
}

impl Credentials {
    /// A user's API token.
    pub fn api_token(email: impl Into<String>, token: impl Into<String>) -> Self {
        Self::ApiToken { email: email.into(), token: SecretText::new(token) }
    }

    /// A user's password.
    pub fn password(email: impl Into<String>, password: impl Into<String>) -> Self {
        Self::Password { email: email.into(), password: SecretText::new(password) }
    }

    /// An access token.
    pub fn bearer(token: impl Into<String>) -> Self {
        Self::Bearer(SecretText::new(token))
    }

    /// Reads who asks at the server that the variables name:
    ///
    /// * beside `TOKENRY_CLIENT_SERVER`, and where they name no server,
    ///   `TOKENRY_CLIENT_ACCESS_TOKEN`, an access token, or else `TOKENRY_CLIENT_EMAIL` with
    ///   `TOKENRY_CLIENT_API_TOKEN` or `TOKENRY_CLIENT_PASSWORD`;
    /// * beside `ZENDESK_SERVER_URL` or `ZENDESK_SUBDOMAIN`, `ZENDESK_USERNAME` and
    ///   `ZENDESK_PASSWORD`, as the Python SDK reads them: the name ends in `/token` when the
    ///   password is an API token.
    ///
    /// `None` when nothing is set. A name without its secret is an error, and so is a secret
    /// without its name, and a server with the credentials of the other family alone.
    pub fn from_variables(
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, Error> {
        Variables(variable).credentials(None)
    }

    /// The same for a server that no variable names: ours, and for an account of Zendesk's
    /// (`https://….zendesk.com`) its own before ours. Where a variable names a server, its family
    /// counts all the same.
    pub fn from_variables_for(
        server: &Server,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, Error> {
        Variables(variable).credentials(Some(server))
    }

    /// The header for one request to this server; `None` for nobody.
    pub async fn authorization(&self, server: &Server) -> Result<Option<Authorization>, Error> {
        match self {
            Self::Source(source) => source.authorization(server).await.map(Some),
            fixed => fixed.fixed(),
        }
    }

    /// The header of credentials that do not change.
    pub(crate) fn fixed(&self) -> Result<Option<Authorization>, Error> {
        match self {
            Self::None => Ok(None),
            Self::ApiToken { email, token } => {
                Authorization::basic(&format!("{email}/token"), token.reveal()).map(Some)
            }
            Self::Password { email, password } => {
                Authorization::basic(email, password.reveal()).map(Some)
            }
            Self::Bearer(token) => Authorization::bearer(token.reveal()).map(Some),
            Self::Source(_) => {
                let text = "credentials that change are for clients that send";
                Err(Error::Request(text.to_owned()))
            }
        }
    }
}

/// Without the secrets.
impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => formatter.write_str("None"),
            Self::ApiToken { email, .. } => write!(formatter, "ApiToken({email:?})"),
            Self::Password { email, .. } => write!(formatter, "Password({email:?})"),
            Self::Bearer(_) => formatter.write_str("Bearer"),
            Self::Source(_) => formatter.write_str("Source"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(credentials: &Credentials) -> String {
        let authorization = credentials.fixed().unwrap().unwrap();
        authorization.value().to_str().unwrap().to_owned()
    }

    #[test]
    fn every_form_has_its_header() {
        let api_token = Credentials::api_token("ada@acme.test", "secret");
        assert_eq!(header(&api_token), "Basic YWRhQGFjbWUudGVzdC90b2tlbjpzZWNyZXQ=");
        let password = Credentials::password("ada@acme.test", "pässwörd");
        assert_eq!(header(&password), "Basic YWRhQGFjbWUudGVzdDpww6Rzc3fDtnJk");
        assert_eq!(header(&Credentials::bearer("abc")), "Bearer abc");
        assert_eq!(Credentials::None.fixed().unwrap(), None);
        for wrong in [Credentials::bearer("a\nb"), Credentials::password("a:b", "c")] {
            assert!(wrong.fixed().is_err());
        }
    }

    #[test]
    fn no_secret_is_written_for_debugging() {
        for credentials in [
            Credentials::api_token("ada@acme.test", "hunter2"),
            Credentials::password("ada@acme.test", "hunter2"),
            Credentials::bearer("hunter2"),
        ] {
            let shown = format!("{credentials:?} {:?}", credentials.fixed().unwrap());
            assert!(!shown.contains("hunter2") && !shown.contains("aHVudGVyMg"), "{shown}");
        }
    }
}
