//! Claims of access tokens in the form of a JWT (RFC 9068 §2.2).

use serde::{Deserialize, Serialize};

use crate::api::secret_text::SecretText;

/// What an access token says of itself where `tokens.access_token_format = "jwt"`.
///
/// The token is as alive as the credential in it, which the server looks up as ever: what is said
/// here was true when the token was issued, and nobody should rely on it without asking the server.
/// Signed with a key that the server keeps to itself (HS256, RFC 7518 §3.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JwtAccessTokenClaims {
    /// The credential itself, 64 characters. Records show its first 10.
    ///
    /// Present: always.
    ///
    /// Example: `"a0000000WI_tokenry_0000lKNAPIz6Kun2j4HGTNwQZDwpQEUO8VKdiuh3IoRAy"`
    pub credential: SecretText,
    /// The issuer: the server's public address.
    ///
    /// Present: always.
    ///
    /// Example: `"http://127.0.0.1:4000"`
    pub iss: String,
    /// The user's id, as text.
    ///
    /// Present: always.
    ///
    /// Example: `"29"`
    pub sub: String,
    /// For whom it is: the issuer itself, whose record API takes it.
    ///
    /// Present: always.
    ///
    /// Example: `"http://127.0.0.1:4000"`
    pub aud: String,
    /// The client's identifier: its text name, not its resource id.
    ///
    /// Present: always.
    ///
    /// Example: `"acme_reports"`
    pub client_id: String,
    /// What it may do, separated by spaces.
    ///
    /// Present: always.
    ///
    /// Example: `"tickets:read users:read"`
    pub scope: String,
    /// When it was issued, in whole seconds since 1970-01-01T00:00:00Z.
    ///
    /// Present: always.
    ///
    /// Example: `1772712000`
    pub iat: i64,
    /// When it expires, in whole seconds since 1970-01-01T00:00:00Z.
    ///
    /// Present: when it expires.
    ///
    /// Example: `1772713800`
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub exp: Option<i64>,
    /// The id of the token's record, as text.
    ///
    /// Present: always.
    ///
    /// Example: `"2001"`
    pub jti: String,
}
