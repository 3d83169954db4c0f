//! Users: `/api/v2/users/me` and `/api/v2/users/{id}`.

use serde::{Deserialize, Serialize};

use super::extra::Extra;
use crate::{ids::UserId, time::Timestamp};

/// One user.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UserResponse {
    /// The record. The server always sends it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user: Option<UserObject>,
}

/// A user record. `id` and `photo` are always written, `null` when there is none: clients that sign
/// users in read both.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct UserObject {
    /// The id; `null` is nobody.
    pub id: Option<UserId>,
    /// Where the record is: `{base}/api/v2/users/{id}.json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What others see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// `end-user`, `agent` or `admin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Whether the address is known to be theirs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified: Option<bool>,
    /// Whether the account is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// Whether an administrator stopped the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspended: Option<bool>,
    /// A picture.
    pub photo: Option<Photo>,
    /// For example `en-US`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// For example `Berlin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// When the account was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// What else the server said.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A picture of a user.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Photo {
    /// Where it is.
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
