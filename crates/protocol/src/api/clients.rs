//! Client records: `/api/v2/oauth/clients`.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    error::FieldErrors,
    extra::Extra,
    open::Open,
    pagination::{self, Pagination},
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

/// One client: what showing, creating and changing a client, and a new secret for it, are answered
/// with.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OAuthClientResponse {
    /// The record.
    ///
    /// Present: always.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub client: Option<OAuthClientObject>,
}

/// A page of clients. A page may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OAuthClientsResponse {
    /// The records, in ascending order of id; at most 100.
    ///
    /// Present: always.
    #[serde(default, deserialize_with = "pagination::records")]
    pub clients: Vec<OAuthClientObject>,
    /// Where the page is in the list. Its form is that of the request. Other servers leave it out.
    ///
    /// Present: always.
    ///
    /// Example: cursor: `{"meta": {"has_more": false, "after_cursor": null, "before_cursor": null},
    /// "links": {"next": null, "prev": null}}`; offset: `{"count": 1, "next_page": null,
    /// "previous_page": null}`
    #[serde(flatten, deserialize_with = "pagination::beside_records")]
    pub pagination: Option<Pagination>,
}

/// A client record: a program that users, or its own credentials, give tokens to.
///
/// Its secret is shown in full by the answer that mints it: that of creating a confidential client,
/// of making a public one confidential, and of `generate_secret`. Every other answer has its first
/// 10 characters, for only its hash is stored. Settings that have their default are left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct OAuthClientObject {
    /// The resource id: what token records call `client_id`.
    ///
    /// Present: always.
    ///
    /// Example: `41`; created: `47`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<ClientId>,
    /// Where the record is: `{base}/api/v2/clients/{id}.json`, without `oauth` in it. It can be
    /// read, changed and deleted there.
    ///
    /// Present: always.
    ///
    /// Example: `"http://127.0.0.1:4000/api/v2/clients/41.json"`; created:
    /// `"http://127.0.0.1:4000/api/v2/clients/47.json"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The text name, which is the `client_id` of the grant endpoints: 1 to 255 of `A-Z a-z 0-9 . _
    /// ~ -`, unique without regard to case.
    ///
    /// Present: always.
    ///
    /// Example: `"acme_reports"`; created: `"night_export"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifier: Option<String>,
    /// What users see: 1 to 255 characters.
    ///
    /// Present: always.
    ///
    /// Example: `"Acme Reports"`; created: `"Night Export"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether it can keep a secret.
    ///
    /// Present: always.
    ///
    /// Example: `"confidential"`; created: `"confidential"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Open<ClientKind>>,
    /// Who answers for it: an administrator. Tokens that the client gets for itself act as this
    /// user.
    ///
    /// Present: always.
    ///
    /// Example: `29`; created: `29`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// Where users may be sent back to: 0 to 50 addresses of at most 2,000 characters, always an
    /// array.
    ///
    /// Present: always, and empty where there are none.
    ///
    /// Example: `["https://reports.acme.test/callback"]`; created: `[]`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<Vec<String>>,
    /// Whether it belongs to every account; `false` for clients that were registered here. Set by
    /// the server.
    ///
    /// Present: always.
    ///
    /// Example: `false`; created: `false`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub global: Option<bool>,
    /// The organisation behind it: at most 255 characters.
    ///
    /// Present: when it is set.
    ///
    /// Example: `"Acme Ltd"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// What it is for: at most 2,000 characters.
    ///
    /// Present: when it is set.
    ///
    /// Example: `"Weekly figures"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// An image of it, which the consent page shows. Set by the server.
    ///
    /// Present: when there is one.
    ///
    /// Example: of a global client: `"https://charts.acme.test/logo.png"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_url: Option<String>,
    /// The most that its tokens may do, however they are asked for; absent means no ceiling.
    ///
    /// Present: when it is restricted.
    ///
    /// Example: restricted: `["read"]`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_scopes: Option<Vec<String>>,
    /// The secret: in full, 64 characters, when this request minted it, else its first 10
    /// characters. Public clients have none.
    ///
    /// Present: for confidential clients.
    ///
    /// Example: `"s00000000f"`; created:
    /// `"s00000000l_tokenry_00000FV2tdGusu0eXVOxEa8jM9aeFRYlkaYYoPd1b1scd"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretText>,
    /// `true` while it is stopped: none of its tokens is taken, and it gets no new ones.
    ///
    /// Present: when it is `true`.
    ///
    /// Example: restricted: `true`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// `true` when introspection shows it every client's tokens, not its own alone.
    ///
    /// Present: when it is `true`.
    ///
    /// Example: restricted: `true`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_server: Option<bool>,
    /// The grant types it may use; absent means all that its kind may.
    ///
    /// Present: when they are restricted.
    ///
    /// Example: restricted: `["authorization_code", "refresh_token"]`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_types: Option<Vec<Open<GrantType>>>,
    /// The most seconds that its access tokens live: 300 to 172,800; absent means as the server is
    /// set.
    ///
    /// Present: when it is set.
    ///
    /// Example: restricted: `900`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token_lifetime_max: Option<Seconds>,
    /// The most seconds that its refresh tokens live: 604,800 to 7,776,000; absent means as the
    /// server is set.
    ///
    /// Present: when it is set.
    ///
    /// Example: restricted: `604800`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token_lifetime_max: Option<Seconds>,
    /// For how many seconds its previous refresh token gets the same answer, whatever was done with
    /// that: 0 to 1,800; absent means as the server is set.
    ///
    /// Present: when it is set.
    ///
    /// Example: restricted: `10`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_window_seconds: Option<Seconds>,
    /// When it was registered. UTC, whole seconds.
    ///
    /// Present: always.
    ///
    /// Example: `"2026-01-10T09:00:00Z"`; created: `"2026-01-10T09:00:00Z"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it was last changed. UTC, whole seconds.
    ///
    /// Present: always.
    ///
    /// Example: `"2026-01-10T09:00:00Z"`; created: `"2026-01-10T09:00:00Z"`
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
    /// Runs where its secret could be read: a browser, a phone, a laptop. It has none, and PKCE
    /// takes its place.
    Public,
    /// Runs on a server of its own, and proves itself by its secret.
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

/// What `POST` and `PUT /api/v2/oauth/clients` ask for.
///
/// A change names any subset of the settings: what it leaves out stays, and `null` clears what has
/// a default. What the server sets itself is ignored. Every fault is told at once, by field.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ClientRequest {
    /// The text name: 1 to 255 of `A-Z a-z 0-9 . _ ~ -`, unique without regard to case. It may be
    /// changed.
    ///
    /// Required: to create.
    ///
    /// Example: `"night_export"`
    #[serde(skip_serializing_if = "Sent::is_absent")]
    pub identifier: Sent<String>,
    /// What users see: 1 to 255 characters, no control characters.
    ///
    /// Required: to create.
    ///
    /// Example: `"Night Export"`
    #[serde(skip_serializing_if = "Sent::is_absent")]
    pub name: Sent<String>,
    /// Whether it can keep a secret. Without it a new client is confidential. Public to
    /// confidential mints a secret and shows it once; the other way takes it away, and PKCE is
    /// demanded from then on.
    ///
    /// Example: `"confidential"`
    #[serde(skip_serializing_if = "Sent::is_absent")]
    pub kind: Sent<ClientKind>,
    /// Who answers for it: the id of an administrator, else the caller. A number that is no id is
    /// nobody's.
    ///
    /// Example: a change: `29`
    #[serde(skip_serializing_if = "Sent::is_absent")]
    pub user_id: Sent<Option<UserId>>,
    /// Where users may be sent back to: 0 to 50 addresses, each absolute and at most 2,000
    /// characters: `https`, or `http` on the loopback; private schemes for public clients. One
    /// string with an address on each line is read too.
    ///
    /// Example: `["https://export.acme.test/callback"]`
    #[serde(skip_serializing_if = "Sent::is_absent")]
    pub redirect_uri: Sent<Vec<String>>,
    /// The organisation behind it: at most 255 characters. `null` or `""` clears it.
    ///
    /// Example: `"Acme Ltd"`; a change: `null`
    #[serde(skip_serializing_if = "Sent::is_absent")]
    pub company: Sent<String>,
    /// What it is for: at most 2,000 characters. `null` or `""` clears it.
    ///
    /// Example: `"Exports by night"`
    #[serde(skip_serializing_if = "Sent::is_absent")]
    pub description: Sent<String>,
    /// The most that its tokens may do. `null` or `""` lifts the ceiling.
    ///
    /// Example: `["read"]`; a change: `["read", "tickets:write"]`
    #[serde(skip_serializing_if = "Sent::is_absent")]
    pub allowed_scopes: Sent<Vec<String>>,
    /// `true` stops it: none of its tokens is taken while it is.
    ///
    /// Example: a change: `true`
    #[serde(skip_serializing_if = "Sent::is_absent")]
    pub disabled: Sent<bool>,
    /// `true` lets it introspect every client's tokens.
    ///
    /// Example: a change: `false`
    #[serde(skip_serializing_if = "Sent::is_absent")]
    pub resource_server: Sent<bool>,
    /// The grant types it may use. `null` allows all that its kind may.
    ///
    /// Example: a change: `["authorization_code", "refresh_token"]`
    #[serde(skip_serializing_if = "Sent::is_absent")]
    pub grant_types: Sent<Vec<GrantType>>,
    /// The most seconds that its access tokens live: 300 to 172,800. `null` clears it.
    ///
    /// Example: a change: `900`
    #[serde(skip_serializing_if = "Sent::is_absent")]
    pub access_token_lifetime_max: Sent<u64>,
    /// The most seconds that its refresh tokens live: 604,800 to 7,776,000. `null` clears it.
    ///
    /// Example: a change: `604800`
    #[serde(skip_serializing_if = "Sent::is_absent")]
    pub refresh_token_lifetime_max: Sent<u64>,
    /// For how many seconds its previous refresh token gets the same answer: 0 to 1,800. `null`
    /// clears it.
    ///
    /// Example: a change: `10`
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
