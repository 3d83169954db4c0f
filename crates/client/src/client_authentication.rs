//! How a client proves itself to the token endpoint (RFC 6749 §2.3).

use std::fmt;

use tokenry_protocol::api::secret_text::SecretText;

use crate::{
    Authorization, Error,
    request::{Authentication, Outline},
};

/// Who asks at the token endpoint: a client, and not a user.
#[derive(Clone)]
#[non_exhaustive]
pub enum ClientAuthentication {
    /// A public client: it only names itself.
    Public {
        /// The identifier.
        client_id: String,
    },
    /// Identifier and secret in the body: the one form that Zendesk has.
    SecretPost {
        /// The identifier.
        client_id: String,
        /// The secret.
        client_secret: SecretText,
    },
    /// Identifier and secret in the header (RFC 6749 §2.3.1).
    SecretBasic {
        /// The identifier.
        client_id: String,
        /// The secret.
        client_secret: SecretText,
    },
}

impl ClientAuthentication {
    /// A public client.
    pub fn public(client_id: impl Into<String>) -> Self {
        Self::Public { client_id: client_id.into() }
    }

    /// A confidential client, which sends its secret in the body.
    pub fn secret(client_id: impl Into<String>, client_secret: impl Into<String>) -> Self {
        let client_secret = SecretText::new(client_secret);
        Self::SecretPost { client_id: client_id.into(), client_secret }
    }

    /// A confidential client, which sends its secret in the header.
    pub fn basic(client_id: impl Into<String>, client_secret: impl Into<String>) -> Self {
        let client_secret = SecretText::new(client_secret);
        Self::SecretBasic { client_id: client_id.into(), client_secret }
    }

    /// The identifier.
    pub fn client_id(&self) -> &str {
        match self {
            Self::Public { client_id }
            | Self::SecretPost { client_id, .. }
            | Self::SecretBasic { client_id, .. } => client_id,
        }
    }

    /// The parameters that go with those of the request.
    pub(crate) fn pairs(&self) -> Vec<(&'static str, String)> {
        let client_id = || ("client_id", self.client_id().to_owned());
        match self {
            Self::Public { .. } => vec![client_id()],
            Self::SecretPost { client_secret, .. } => {
                vec![client_id(), ("client_secret", client_secret.reveal().to_owned())]
            }
            Self::SecretBasic { .. } => Vec::new(),
        }
    }

    /// The request with its header, if it has one.
    pub(crate) fn sign(&self, mut outline: Outline) -> Result<Outline, Error> {
        outline.authentication = match self {
            Self::SecretBasic { client_id, client_secret } => {
                let encoded = |text: &str| {
                    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>()
                };
                let authorization =
                    Authorization::basic(&encoded(client_id), &encoded(client_secret.reveal()))?;
                Authentication::Own(authorization.value().clone())
            }
            Self::Public { .. } | Self::SecretPost { .. } => Authentication::None,
        };
        Ok(outline)
    }
}

/// Without the secret.
impl fmt::Debug for ClientAuthentication {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ClientAuthentication({:?})", self.client_id())
    }
}
