//! Authorization server metadata (RFC 8414 §2).

use serde::{Deserialize, Serialize};

use crate::api::extra::Extra;

/// What `/.well-known/oauth-authorization-server` says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Metadata {
    /// The issuer, byte for byte the `iss` of answers (RFC 9207).
    pub issuer: String,
    /// Where the browser goes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub authorization_endpoint: Option<String>,
    /// The standard's door.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub token_endpoint: Option<String>,
    /// RFC 7009
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub revocation_endpoint: Option<String>,
    /// RFC 7662
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub introspection_endpoint: Option<String>,
    /// Every configured name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scopes_supported: Option<Vec<String>>,
    /// `code`
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub response_types_supported: Option<Vec<String>>,
    /// `query`
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub response_modes_supported: Option<Vec<String>>,
    /// What the token endpoint takes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub grant_types_supported: Option<Vec<String>>,
    /// How a client proves itself at the token endpoint.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// The same at the revocation endpoint.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub revocation_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// Confidential clients only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub introspection_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// `S256`
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code_challenge_methods_supported: Option<Vec<String>>,
    /// RFC 9207 §3
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub authorization_response_iss_parameter_supported: Option<bool>,
    /// The record API's door, which has no standard name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub zendesk_token_endpoint: Option<String>,
    /// What else the server says of itself.
    #[serde(flatten)]
    pub extra: Extra,
}
