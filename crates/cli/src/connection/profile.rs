//! A server, and how one signs in there.

use serde::{Deserialize, Serialize};
use tokenry_client::{StoredTokens, models::SecretText};

/// A profile without its secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Profile {
    /// The address.
    pub(crate) server: String,
    /// How one signs in.
    pub(crate) sign_in: SignIn,
    /// The address of whoever is signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    /// The client that a browser signs in for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_id: Option<String>,
    /// Whether the secrets are in the keyring of the system and not in the file.
    #[serde(skip_serializing_if = "is_false", default)]
    pub(crate) keyring: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// How one signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SignIn {
    /// With an address and an API token.
    ApiToken,
    /// With an access token that somebody else keeps alive.
    AccessToken,
    /// With tokens that a browser got and that are refreshed.
    Browser,
}

impl SignIn {
    /// One of those that the file and scripts have.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::ApiToken, Self::AccessToken, Self::Browser]
            .into_iter()
            .find(|sign_in| sign_in.as_str() == text)
    }

    /// As the file and scripts have it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::ApiToken => "api-token",
            Self::AccessToken => "access-token",
            Self::Browser => "browser",
        }
    }

    /// As people read it.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::ApiToken => "API token",
            Self::AccessToken => "access token",
            Self::Browser => "browser",
        }
    }
}

/// What must not be seen of a profile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Secrets {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) api_token: Option<SecretText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) access_token: Option<SecretText>,
    /// Those that a browser got.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tokens: Option<StoredTokens>,
}
