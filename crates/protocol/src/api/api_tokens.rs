//! API tokens: `/api/v2/api_tokens`. Their list is one page.

use serde::{Deserialize, Serialize};

use super::{
    error::FieldErrors,
    extra::Extra,
    pagination,
    request::{InvalidBody, Members, Sent},
    secret_text::SecretText,
};
use crate::{
    ids::{ApiTokenId, UserId},
    time::Timestamp,
};

/// The member that wraps an API token in a body.
pub const API_TOKEN: &str = "api_token";

/// One API token: what showing, creating and changing one are answered with.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ApiTokenResponse {
    /// The record.
    ///
    /// Present: always.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub api_token: Option<ApiTokenObject>,
}

/// All API tokens of the account: at most 256, unless the server is set otherwise.
///
/// The list is one page: it has no pagination.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ApiTokensResponse {
    /// The records, in ascending order of id.
    ///
    /// Present: always.
    #[serde(default, deserialize_with = "pagination::records")]
    pub api_tokens: Vec<ApiTokenObject>,
}

/// An API token record: a credential for HTTP Basic beside a user's address, with all that the user
/// may do. It works with one user's address, or with any where it is bound to nobody.
///
/// It is shown in full by the answer that creates it and by its first 10 characters afterwards, for
/// only its hash is stored.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ApiTokenObject {
    /// The id.
    ///
    /// Present: always.
    ///
    /// Example: `7`; created: `8`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<ApiTokenId>,
    /// Where the record is: `{base}/api/v2/api_tokens/{id}.json`.
    ///
    /// Present: always.
    ///
    /// Example: `"http://127.0.0.1:4000/api/v2/api_tokens/7.json"`; created:
    /// `"http://127.0.0.1:4000/api/v2/api_tokens/8.json"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What it is for: at most 255 characters; may be empty.
    ///
    /// Present: always.
    ///
    /// Example: `"nightly export"`; created: `"backup job"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it works.
    ///
    /// Present: always.
    ///
    /// Example: `true`; created: `true`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// Who made it.
    ///
    /// Present: always.
    ///
    /// Example: `29`; created: `29`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// With whose address it works; absent means with every user's.
    ///
    /// Present: when it is bound to one user, as every token is that a server made without
    /// `api_tokens.account_wide`.
    ///
    /// Example: `29`; created: `29`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assigned_user_id: Option<UserId>,
    /// In full, 64 characters.
    ///
    /// Present: in the answer of create.
    ///
    /// Example: created: `"p000000008_tokenry_00000CR83afjrIR8z6HPobKQLHI0VbgkVoNJpgq0zaeaC"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<SecretText>,
    /// The same as `token`.
    ///
    /// Present: in the answer of create.
    ///
    /// Example: created: `"p000000008_tokenry_00000CR83afjrIR8z6HPobKQLHI0VbgkVoNJpgq0zaeaC"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_token: Option<SecretText>,
    /// The first 10 characters.
    ///
    /// Present: always.
    ///
    /// Example: `"p000000007"`; created: `"p000000008"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visible_token: Option<SecretText>,
    /// When it was made. UTC, whole seconds.
    ///
    /// Present: always.
    ///
    /// Example: `"2025-09-01T06:00:00Z"`; created: `"2026-03-05T12:10:00Z"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it was last changed. UTC, whole seconds.
    ///
    /// Present: always.
    ///
    /// Example: `"2025-09-01T06:00:00Z"`; created: `"2026-03-05T12:10:00Z"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// When it last authenticated a call. UTC, whole seconds.
    ///
    /// Present: after the first use.
    ///
    /// Example: `"2026-03-05T11:59:58Z"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used: Option<Timestamp>,
    /// What else the server said.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What `POST` and `PUT /api/v2/api_tokens` ask for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ApiTokenRequest {
    /// What it is for: at most 255 characters.
    ///
    /// Example: `"backup job"`
    #[serde(skip_serializing_if = "Sent::is_absent")]
    pub description: Sent<String>,
    /// Whether it works. Only a change minds it.
    ///
    /// Example: a change: `false`
    #[serde(skip_serializing_if = "Sent::is_absent")]
    pub active: Sent<bool>,
    /// With whose address it works; without it, the caller's or, where API tokens are account-wide,
    /// every verified user's. Only a creation minds it. A number that is no id is nobody's.
    ///
    /// Example: `29`
    #[serde(skip_serializing_if = "Sent::is_absent")]
    pub assigned_user_id: Sent<Option<UserId>>,
    /// What is wrong with the types of the members.
    #[serde(skip)]
    pub errors: FieldErrors,
}

impl ApiTokenRequest {
    /// Reads a body.
    pub fn parse(body: &[u8]) -> Result<Self, InvalidBody> {
        let mut members = Members::unwrap_body(body, API_TOKEN)?;
        Ok(Self {
            description: members.text("description"),
            active: members.switch("active"),
            assigned_user_id: members.integer("assigned_user_id").map(|id| UserId::new(id).ok()),
            errors: members.into_errors(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        let text = r#"{"api_token":{"id":7,"url":"http://127.0.0.1:4000/api/v2/api_tokens/7.json","description":"","active":true,"user_id":29,"assigned_user_id":29,"visible_token":"p000000007","created_at":"2025-09-01T06:00:00Z","updated_at":"2025-09-01T06:00:00Z"}}"#;
        let record: ApiTokenResponse = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&record).unwrap(), text);
    }

    #[test]
    fn what_a_client_writes_is_what_the_server_reads() {
        let request = ApiTokenRequest {
            description: "nightly".to_owned().into(),
            assigned_user_id: Some(UserId::new(29).unwrap()).into(),
            ..ApiTokenRequest::default()
        };
        let body = serde_json::json!({ API_TOKEN: &request }).to_string();
        assert_eq!(body, r#"{"api_token":{"description":"nightly","assigned_user_id":29}}"#);
        assert_eq!(ApiTokenRequest::parse(body.as_bytes()).unwrap(), request);
    }

    #[test]
    fn wrong_types_are_told_by_field() {
        let body = br#"{"api_token":{"description":1,"active":1,"assigned_user_id":"29"}}"#;
        let request = ApiTokenRequest::parse(body).unwrap();
        let fields: Vec<_> = request.errors.fields().collect();
        assert_eq!(fields.join(" "), "active assigned_user_id description");
    }
}
