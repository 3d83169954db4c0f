//! Client records: `/api/v2/oauth/clients`.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    error::FieldErrors,
    extra::Extra,
    open::Open,
    pagination::Pagination,
    request::{InvalidBody, Members, Sent, strings},
    secret_text::SecretText,
};
use crate::{
    ids::{ClientId, UserId},
    oauth::token::GrantType,
    time::{Seconds, Timestamp},
};

/// The member that wraps a client in a body.
pub const CLIENT: &str = "client";

/// One client.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OAuthClientResponse {
    /// The record. The server always sends it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub client: Option<OAuthClientObject>,
}

/// A page of clients.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OAuthClientsResponse {
    /// The records, in ascending order of id.
    #[serde(default)]
    pub clients: Vec<OAuthClientObject>,
    /// Where the page is in the list.
    #[serde(flatten)]
    pub pagination: Option<Pagination>,
}

/// A client record.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct OAuthClientObject {
    /// The resource id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<ClientId>,
    /// Where the record is: `{base}/api/v2/clients/{id}.json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The text name, which is the `client_id` of the grant endpoints.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifier: Option<String>,
    /// What users see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether it can keep a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Open<ClientKind>>,
    /// Who answers for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// Where users may be sent back to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<Vec<String>>,
    /// Whether it belongs to every account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub global: Option<bool>,
    /// The organisation behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// An image of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_url: Option<String>,
    /// The most it may ask for; absent means no ceiling.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_scopes: Option<Vec<String>>,
    /// The secret of a confidential client: in full when this request minted it, else its first 10
    /// characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretText>,
    /// `true` while it is stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// `true` when introspection shows it every token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_server: Option<bool>,
    /// The grant types it may use; absent means all that its kind may.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_types: Option<Vec<Open<GrantType>>>,
    /// Lowers the lifetime of its access tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token_lifetime_max: Option<Seconds>,
    /// Lowers the lifetime of its refresh tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token_lifetime_max: Option<Seconds>,
    /// How long its previous refresh token gets the same answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_window_seconds: Option<Seconds>,
    /// When it was registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// What else the server said.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Whether a client can keep a secret (RFC 6749 §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientKind {
    /// Runs where its secret could be read: a browser, a phone, a laptop.
    Public,
    /// Runs on a server of its own.
    Confidential,
}

impl fmt::Display for ClientKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Public => "public",
            Self::Confidential => "confidential",
        })
    }
}

/// What `POST` and `PUT /api/v2/oauth/clients` ask for. What the server sets itself is ignored.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ClientRequest {
    /// `identifier`
    #[serde(skip_serializing_if = "Sent::is_absent")]
    pub identifier: Sent<String>,
    /// `name`
    #[serde(skip_serializing_if = "Sent::is_absent")]
    pub name: Sent<String>,
    /// `kind`
    #[serde(skip_serializing_if = "Sent::is_absent")]
    pub kind: Sent<ClientKind>,
    /// `user_id`; a number that is no id is nobody's.
    #[serde(skip_serializing_if = "Sent::is_absent")]
    pub user_id: Sent<Option<UserId>>,
    /// `redirect_uri`
    #[serde(skip_serializing_if = "Sent::is_absent")]
    pub redirect_uri: Sent<Vec<String>>,
    /// `company`
    #[serde(skip_serializing_if = "Sent::is_absent")]
    pub company: Sent<String>,
    /// `description`
    #[serde(skip_serializing_if = "Sent::is_absent")]
    pub description: Sent<String>,
    /// `allowed_scopes`; `""` clears it as `null` does.
    #[serde(skip_serializing_if = "Sent::is_absent")]
    pub allowed_scopes: Sent<Vec<String>>,
    /// `disabled`
    #[serde(skip_serializing_if = "Sent::is_absent")]
    pub disabled: Sent<bool>,
    /// `resource_server`
    #[serde(skip_serializing_if = "Sent::is_absent")]
    pub resource_server: Sent<bool>,
    /// `grant_types`
    #[serde(skip_serializing_if = "Sent::is_absent")]
    pub grant_types: Sent<Vec<GrantType>>,
    /// `access_token_lifetime_max`
    #[serde(skip_serializing_if = "Sent::is_absent")]
    pub access_token_lifetime_max: Sent<u64>,
    /// `refresh_token_lifetime_max`
    #[serde(skip_serializing_if = "Sent::is_absent")]
    pub refresh_token_lifetime_max: Sent<u64>,
    /// `retry_window_seconds`
    #[serde(skip_serializing_if = "Sent::is_absent")]
    pub retry_window_seconds: Sent<u64>,
    /// What is wrong with the types of the members.
    #[serde(skip)]
    pub errors: FieldErrors,
}

impl ClientRequest {
    /// Reads a body.
    pub fn parse(body: &[u8]) -> Result<Self, InvalidBody> {
        let mut members = Members::unwrap_body(body, CLIENT)?;
        let mut request = Self {
            identifier: members.text("identifier"),
            name: members.text("name"),
            kind: members.typed("kind", "\"public\" or \"confidential\"", |value| {
                serde_json::from_value(value).ok()
            }),
            user_id: members.integer("user_id").map(|id| UserId::new(id).ok()),
            redirect_uri: members.typed("redirect_uri", "an array of strings", addresses),
            company: members.text("company"),
            description: members.text("description"),
            allowed_scopes: Sent::Absent,
            disabled: members.switch("disabled"),
            resource_server: members.switch("resource_server"),
            grant_types: members
                .typed("grant_types", GRANT_TYPES, |value| serde_json::from_value(value).ok()),
            access_token_lifetime_max: members.integer("access_token_lifetime_max"),
            refresh_token_lifetime_max: members.integer("refresh_token_lifetime_max"),
            retry_window_seconds: members.integer("retry_window_seconds"),
            errors: FieldErrors::NONE,
        };
        let read = |value| match value {
            Value::String(text) if text.is_empty() => Some(None),
            value => strings(value).map(Some),
        };
        request.allowed_scopes = match members.typed("allowed_scopes", "an array of strings", read)
        {
            Sent::Value(Some(scopes)) => Sent::Value(scopes),
            Sent::Value(None) | Sent::Null => Sent::Null,
            Sent::Mistyped => Sent::Mistyped,
            Sent::Absent => Sent::Absent,
        };
        request.errors = members.into_errors();
        Ok(request)
    }
}

const GRANT_TYPES: &str =
    "an array of \"authorization_code\", \"refresh_token\" and \"client_credentials\"";

/// An array, or one string with an address on each line, as forms send it.
fn addresses(value: Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => {
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            Some(lines.map(str::to_owned).collect())
        }
        value => strings(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(record: &str) -> ClientRequest {
        ClientRequest::parse(format!(r#"{{"client":{record}}}"#).as_bytes()).unwrap()
    }

    #[test]
    fn redirect_addresses_come_as_an_array_or_as_lines() {
        let expected = Sent::Value(vec!["https://a.test/".to_owned(), "x".to_owned()]);
        for record in [
            r#"{"redirect_uri":["https://a.test/","x"]}"#,
            r#"{"redirect_uri":"https://a.test/\r\n\n  x \n"}"#,
        ] {
            assert_eq!(parse(record).redirect_uri, expected, "{record}");
        }
        assert_eq!(parse(r#"{"redirect_uri":""}"#).redirect_uri, Sent::Value(vec![]));
    }

    #[test]
    fn what_a_client_writes_is_what_the_server_reads() {
        let request = ClientRequest {
            identifier: "acme".to_owned().into(),
            kind: ClientKind::Public.into(),
            user_id: Some(UserId::new(29).unwrap()).into(),
            redirect_uri: vec!["https://a.test/".to_owned()].into(),
            company: Sent::Null,
            allowed_scopes: Sent::Null,
            disabled: false.into(),
            grant_types: vec![GrantType::RefreshToken].into(),
            retry_window_seconds: 0.into(),
            ..ClientRequest::default()
        };
        let body = serde_json::json!({ CLIENT: &request }).to_string();
        assert_eq!(
            body,
            r#"{"client":{"identifier":"acme","kind":"public","user_id":29,"redirect_uri":["https://a.test/"],"company":null,"allowed_scopes":null,"disabled":false,"grant_types":["refresh_token"],"retry_window_seconds":0}}"#
        );
        assert_eq!(ClientRequest::parse(body.as_bytes()).unwrap(), request);
    }

    #[test]
    fn words_of_tomorrow_are_kept() {
        let text = r#"{"client":{"kind":"native","grant_types":["refresh_token","x"],"new":1}}"#;
        let read: OAuthClientResponse = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
        let client = read.client.unwrap();
        assert_eq!(client.kind, Some(Open::Other("native".to_owned())));
    }

    #[test]
    fn nothing_and_null_are_told_apart_and_wrong_types_are_told_by_field() {
        let request = parse(r#"{"company":null,"allowed_scopes":""}"#);
        assert_eq!(request.company, Sent::Null);
        assert_eq!(request.description, Sent::Absent);
        assert_eq!(request.allowed_scopes, Sent::Null);
        assert_eq!(request.errors, FieldErrors::NONE);

        let request = parse(
            r#"{"name":1,"kind":"secret","user_id":"29","redirect_uri":[1],"allowed_scopes":"read",
                "disabled":"true","grant_types":["password"],"retry_window_seconds":1.5,"id":9}"#,
        );
        let fields: Vec<_> = request.errors.fields().collect();
        assert_eq!(
            fields.join(" "),
            "allowed_scopes disabled grant_types kind name redirect_uri retry_window_seconds \
             user_id"
        );
        assert_eq!(
            parse(r#"{"user_id":0}"#).user_id,
            Sent::Value(None),
            "a number that is nobody's id"
        );
    }
}
