//! Introspection answer (RFC 7662 §2.2).

use serde::{Deserialize, Serialize};

use crate::api::extra::Extra;

/// What is known of a live token, or `{"active":false}` and not a word more.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct IntrospectionResponse {
    /// Whether it is alive and the asker may know. Everything else is `false`: unknown, expired,
    /// revoked, of the wrong kind, or not the asker's.
    pub active: bool,
    /// What it may do, separated by spaces.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scope: Option<String>,
    /// The client's identifier.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub client_id: Option<String>,
    /// The user's address.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub username: Option<String>,
    /// The user's id, as text.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sub: Option<String>,
    /// `bearer`; absent for a refresh token.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub token_type: Option<String>,
    /// When it expires, in seconds since the epoch; absent when it does not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub exp: Option<i64>,
    /// When this token, not its record, was issued, in seconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub iat: Option<i64>,
    /// The issuer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub iss: Option<String>,
    /// The record's id, as text.
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
