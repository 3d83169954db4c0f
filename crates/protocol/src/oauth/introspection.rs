//! Introspection answer (RFC 7662 §2.2).

use serde::{Deserialize, Serialize};

use crate::api::extra::Extra;

/// What `POST /oauth/introspect` says of a live token, or `{"active":false}` and not a word more
/// (RFC 7662 §2.2).
///
/// A confidential client may ask about its own tokens, and a resource server about every client's.
/// Introspecting an access token counts as a use of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct IntrospectionResponse {
    /// Whether it is alive and the asker may know. Everything else is `false`: unknown, expired,
    /// revoked, of the wrong kind, or not the asker's.
    ///
    /// Present: always.
    ///
    /// Example: `true`; dead: `false`
    pub active: bool,
    /// What it may do, separated by spaces.
    ///
    /// Present: when it is active.
    ///
    /// Example: `"read"`
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scope: Option<String>,
    /// The client's identifier: its text name, not its resource id.
    ///
    /// Present: when it is active.
    ///
    /// Example: `"acme_reports"`
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub client_id: Option<String>,
    /// The user's email address.
    ///
    /// Present: when it is active.
    ///
    /// Example: `"ada@acme.test"`
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub username: Option<String>,
    /// The user's id, as text.
    ///
    /// Present: when it is active.
    ///
    /// Example: `"29"`
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sub: Option<String>,
    /// How it is sent: `bearer`.
    ///
    /// Present: for a live access token.
    ///
    /// Example: `"bearer"`
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub token_type: Option<String>,
    /// When it expires, in whole seconds since 1970-01-01T00:00:00Z.
    ///
    /// Present: when it is active and expires.
    ///
    /// Example: `1772800504`
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub exp: Option<i64>,
    /// When this token, not its record, was issued, in whole seconds since 1970-01-01T00:00:00Z.
    ///
    /// Present: when it is active.
    ///
    /// Example: `1772714104`
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub iat: Option<i64>,
    /// The issuer: the server's public address.
    ///
    /// Present: when it is active.
    ///
    /// Example: `"http://127.0.0.1:4000"`
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub iss: Option<String>,
    /// The id of the token's record, as text.
    ///
    /// Present: when it is active.
    ///
    /// Example: `"2001"`
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub jti: Option<String>,
    /// What else the server said.
    #[serde(flatten)]
    pub extra: Extra,
}

impl IntrospectionResponse {
    /// The one answer for everything that is not a live token of the asker's.
    pub fn inactive() -> Self {
        Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_active_is_required_and_nothing_is_lost() {
        for text in [
            r#"{"active":true}"#,
            r#"{"active":true,"scope":"read","client_id":"acme","exp":1772712000,"aud":["a","b"]}"#,
        ] {
            let read: IntrospectionResponse = serde_json::from_str(text).unwrap();
            assert!(read.active);
            assert_eq!(serde_json::to_string(&read).unwrap(), text);
        }
        assert!(serde_json::from_str::<IntrospectionResponse>("{}").is_err());
        let dead = serde_json::to_string(&IntrospectionResponse::inactive()).unwrap();
        assert_eq!(dead, r#"{"active":false}"#);
    }
}
