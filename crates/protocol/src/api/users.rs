//! Users: `/api/v2/users/me` and `/api/v2/users/{id}`.

use serde::{Deserialize, Serialize};

use super::extra::Extra;
use crate::{ids::UserId, time::Timestamp};

/// One user: what `GET /api/v2/users/me` and `GET /api/v2/users/{id}` are answered with.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UserResponse {
    /// The record.
    ///
    /// Present: always.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user: Option<UserObject>,
}

/// A user record.
///
/// `id` and `photo` are always written, `null` when there is none: clients that sign users in read
/// both.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct UserObject {
    /// The id; `null` is nobody. Other servers answer so to a call without credentials; this one
    /// refuses it unless it is set to do the same (`record_api.anonymous_me`).
    ///
    /// Present: always.
    ///
    /// Example: `29`; of another server: `null`
    pub id: Option<UserId>,
    /// Where the record is: `{base}/api/v2/users/{id}.json`.
    ///
    /// Present: always.
    ///
    /// Example: `"http://127.0.0.1:4000/api/v2/users/29.json"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What others see.
    ///
    /// Present: always.
    ///
    /// Example: `"Ada Lindqvist"`; of another server: `"Anonymous user"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The email address.
    ///
    /// Present: always.
    ///
    /// Example: `"ada@acme.test"`; of another server: `"invalid@example.com"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// What the user may do: `end-user`, `agent` or `admin`.
    ///
    /// Present: always.
    ///
    /// Example: `"admin"`; of another server: `"end-user"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Whether the address is known to be theirs.
    ///
    /// Present: always.
    ///
    /// Example: `true`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified: Option<bool>,
    /// Whether the account is there.
    ///
    /// Present: always.
    ///
    /// Example: `true`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// Whether an administrator stopped the account: then none of its tokens is taken.
    ///
    /// Present: always.
    ///
    /// Example: `false`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspended: Option<bool>,
    /// A picture, or `null`.
    ///
    /// Present: always.
    ///
    /// Example: `null`; of another server: `{"content_url": "https://acme.test/photos/0.png"}`
    pub photo: Option<Photo>,
    /// The language: of other servers only.
    ///
    /// Example: of another server: `"en-US"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// The time zone, by its name: of other servers only.
    ///
    /// Example: of another server: `"Berlin"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// When the account was made. UTC, whole seconds.
    ///
    /// Present: always.
    ///
    /// Example: `"2025-01-07T08:00:00Z"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it was last changed. UTC, whole seconds.
    ///
    /// Present: always.
    ///
    /// Example: `"2026-02-11T16:20:00Z"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// What else the server said.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A picture of a user. This server has none; others do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Photo {
    /// Where it is.
    ///
    /// Example: `"https://acme.test/photos/29.png"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_url: Option<String>,
    /// What else the server said.
    #[serde(flatten)]
    pub extra: Extra,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        for text in [
            r#"{"user":{"id":29,"url":"http://127.0.0.1:4000/api/v2/users/29.json","name":"Ada Lindqvist","email":"ada@acme.test","role":"admin","verified":true,"active":true,"suspended":false,"photo":null,"created_at":"2025-01-07T08:00:00Z","updated_at":"2026-02-11T16:20:00Z"}}"#,
            r#"{"user":{"id":null,"photo":{"content_url":"https://a.test/x.png"}}}"#,
        ] {
            let record: UserResponse = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&record).unwrap(), text);
        }
    }
}
