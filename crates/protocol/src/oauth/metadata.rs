//! Authorization server metadata (RFC 8414 §2).

use serde::{Deserialize, Serialize};

/// What `/.well-known/oauth-authorization-server` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// The issuer, byte for byte the `iss` of answers (RFC 9207).
    pub issuer: String,
    /// Where the browser goes.
    pub authorization_endpoint: String,
    /// The standard's door.
    pub token_endpoint: String,
    /// RFC 7009
    pub revocation_endpoint: String,
    /// RFC 7662
    pub introspection_endpoint: String,
    /// Every configured name.
    pub scopes_supported: Vec<String>,
    /// `code`
    pub response_types_supported: Vec<String>,
    /// `query`
    pub response_modes_supported: Vec<String>,
    /// What the token endpoint takes.
    pub grant_types_supported: Vec<String>,
    /// How a client proves itself at the token endpoint.
    pub token_endpoint_auth_methods_supported: Vec<String>,
    /// The same at the revocation endpoint.
    pub revocation_endpoint_auth_methods_supported: Vec<String>,
    /// Confidential clients only.
    pub introspection_endpoint_auth_methods_supported: Vec<String>,
    /// `S256`
    pub code_challenge_methods_supported: Vec<String>,
    /// RFC 9207 §3
    pub authorization_response_iss_parameter_supported: bool,
    /// The record API's door, which has no standard name.
    pub zendesk_token_endpoint: String,
}
