//! Authorization server metadata (RFC 8414 §2).

use serde::{Deserialize, Serialize};

use crate::api::extra::Extra;

/// What `GET /.well-known/oauth-authorization-server` says (RFC 8414 §2), to anybody.
///
/// Every address begins with the issuer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Metadata {
    /// The issuer, byte for byte the `iss` of answers (RFC 9207).
    ///
    /// Present: always.
    ///
    /// Example: `"http://127.0.0.1:4000"`
    pub issuer: String,
    /// Where the browser goes.
    ///
    /// Present: always.
    ///
    /// Example: `"http://127.0.0.1:4000/oauth/authorizations/new"`
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub authorization_endpoint: Option<String>,
    /// The standard's door: a form, answered with 200.
    ///
    /// Present: always.
    ///
    /// Example: `"http://127.0.0.1:4000/oauth/token"`
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub token_endpoint: Option<String>,
    /// Where a client ends its own tokens (RFC 7009).
    ///
    /// Present: always.
    ///
    /// Example: `"http://127.0.0.1:4000/oauth/revoke"`
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub revocation_endpoint: Option<String>,
    /// Where a resource server asks what a token is (RFC 7662).
    ///
    /// Present: always.
    ///
    /// Example: `"http://127.0.0.1:4000/oauth/introspect"`
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub introspection_endpoint: Option<String>,
    /// Every configured name.
    ///
    /// Present: always.
    ///
    /// Example: `["read", "write", "impersonate", "tickets:read", "tickets:write", "users:read",
    /// "users:write"]`
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scopes_supported: Option<Vec<String>>,
    /// `code`: the implicit grant is not offered.
    ///
    /// Present: always.
    ///
    /// Example: `["code"]`
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub response_types_supported: Option<Vec<String>>,
    /// `query`
    ///
    /// Present: always.
    ///
    /// Example: `["query"]`
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub response_modes_supported: Option<Vec<String>>,
    /// What the token endpoint takes.
    ///
    /// Present: always.
    ///
    /// Example: `["authorization_code", "refresh_token", "client_credentials"]`
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub grant_types_supported: Option<Vec<String>>,
    /// How a client proves itself at the token endpoint; `none` is for public clients.
    ///
    /// Present: always.
    ///
    /// Example: `["client_secret_basic", "client_secret_post", "none"]`
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// The same at the revocation endpoint.
    ///
    /// Present: always.
    ///
    /// Example: `["client_secret_basic", "client_secret_post", "none"]`
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub revocation_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// The same at the introspection endpoint: confidential clients only.
    ///
    /// Present: always.
    ///
    /// Example: `["client_secret_basic", "client_secret_post"]`
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub introspection_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// `S256`: a challenge is a hash (RFC 7636 §4.2).
    ///
    /// Present: always.
    ///
    /// Example: `["S256"]`
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code_challenge_methods_supported: Option<Vec<String>>,
    /// Whether `iss` is in every authorization response (RFC 9207 §3).
    ///
    /// Present: always.
    ///
    /// Example: `true`
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub authorization_response_iss_parameter_supported: Option<bool>,
    /// The record API's door, which has no standard name: JSON or a form, answered with 201.
    ///
    /// Present: always.
    ///
    /// Example: `"http://127.0.0.1:4000/oauth/tokens"`
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub zendesk_token_endpoint: Option<String>,
    /// What else the server says of itself.
    #[serde(flatten)]
    pub extra: Extra,
}
