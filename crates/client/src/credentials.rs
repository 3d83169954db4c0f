//! Who asks.

use std::{fmt, pin::Pin, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::HeaderValue;
use tokenry_protocol::api::secret_text::SecretText;
use zeroize::Zeroizing;

use crate::Error;

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
    /// What the next request is sent with.
    fn authorization(&self) -> BoxFuture<'_, Result<Authorization, Error>>;

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

/// The variables that [`Credentials::from_variables`] reads, ours before Zendesk's.
const BEARER: &str = "TOKENRY_CLIENT_ACCESS_TOKEN";
const EMAIL: &str = "TOKENRY_CLIENT_EMAIL";
const API_TOKEN: &str = "TOKENRY_CLIENT_API_TOKEN";
const PASSWORD: &str = "TOKENRY_CLIENT_PASSWORD";
const ZENDESK_USERNAME: &str = "ZENDESK_USERNAME";
const ZENDESK_PASSWORD: &str = "ZENDESK_PASSWORD";

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

    /// Reads the first of these that is set:
    ///
    /// 1. `TOKENRY_CLIENT_ACCESS_TOKEN`: an access token;
    /// 2. `TOKENRY_CLIENT_EMAIL` with `TOKENRY_CLIENT_API_TOKEN` or `TOKENRY_CLIENT_PASSWORD`;
    /// 3. `ZENDESK_USERNAME` and `ZENDESK_PASSWORD`, as the Python SDK reads them: the name ends in
    ///    `/token` when the password is an API token.
    ///
    /// `None` when nothing is set; a name without its secret is an error.
    pub fn from_variables(
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, Error> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        if let Some(token) = set(BEARER) {
            return Ok(Some(Self::bearer(token)));
        }
        if let Some(email) = set(EMAIL) {
            return match (set(API_TOKEN), set(PASSWORD)) {
                (Some(token), _) => Ok(Some(Self::api_token(email, token))),
                (None, Some(password)) => Ok(Some(Self::password(email, password))),
                (None, None) => Err(Error::Request(format!(
                    "{EMAIL} is set, but neither {API_TOKEN} nor {PASSWORD}"
                ))),
            };
        }
        match (set(ZENDESK_USERNAME), set(ZENDESK_PASSWORD)) {
            (Some(name), Some(secret)) => Ok(Some(match name.strip_suffix("/token") {
                Some(email) => Self::api_token(email, secret),
                None => Self::password(name, secret),
            })),
            (Some(_), None) => Err(Error::Request(format!(
                "{ZENDESK_USERNAME} is set, but {ZENDESK_PASSWORD} not"
            ))),
            (None, _) => Ok(None),
        }
    }

    /// The header for one request; `None` for nobody.
    pub async fn authorization(&self) -> Result<Option<Authorization>, Error> {
        match self {
            Self::Source(source) => source.authorization().await.map(Some),
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

    #[test]
    fn the_environment_names_one_who_asks_and_ours_goes_first() {
        let read = |set: &[(&str, &str)]| {
            let found = |name: &str| {
                let value = set.iter().find(|(known, _)| *known == name);
                value.map(|(_, value)| (*value).to_owned())
            };
            Credentials::from_variables(found)
        };
        let zendesk = (ZENDESK_USERNAME, "ada@acme.test/token");
        let secret = (ZENDESK_PASSWORD, "s");
        for (set, expected) in [
            (vec![], "None"),
            (vec![zendesk, secret], r#"Some(ApiToken("ada@acme.test"))"#),
            (
                vec![(ZENDESK_USERNAME, "ada@acme.test"), secret],
                r#"Some(Password("ada@acme.test"))"#,
            ),
            (vec![(EMAIL, "b@x"), (API_TOKEN, "t"), zendesk], r#"Some(ApiToken("b@x"))"#),
            (vec![(EMAIL, "b@x"), (PASSWORD, "t")], r#"Some(Password("b@x"))"#),
            (vec![(BEARER, "t"), (EMAIL, "b@x"), zendesk], "Some(Bearer)"),
            (vec![(BEARER, ""), secret], "None"),
        ] {
            assert_eq!(format!("{:?}", read(&set).unwrap()), expected);
        }
        for half in [vec![zendesk], vec![(EMAIL, "b@x")]] {
            assert!(read(&half).is_err(), "{half:?}");
        }
    }
}
