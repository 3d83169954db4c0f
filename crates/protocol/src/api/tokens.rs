//! Token records: `/api/v2/oauth/tokens`.

use serde::{Deserialize, Serialize, Serializer, ser::Error as _};
use serde_json::Value;

use super::{
    error::FieldErrors,
    extra::Extra,
    pagination::Pagination,
    request::{InvalidBody, Members, Sent},
    secret_text::SecretText,
};
use crate::{
    ids::{ClientId, TokenId, UserId, is_digits},
    time::Timestamp,
};

/// The member that wraps a token in a body.
pub const TOKEN: &str = "token";

/// One token.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OAuthTokenResponse {
    /// The record. The server always sends it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub token: Option<OAuthTokenObject>,
}

/// A page of tokens.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OAuthTokensResponse {
    /// The records, in ascending order of id.
    #[serde(default)]
    pub tokens: Vec<OAuthTokenObject>,
    /// Where the page is in the list.
    #[serde(flatten)]
    pub pagination: Option<Pagination>,
}

/// A token record: an access token and, where there is one, its refresh token.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct OAuthTokenObject {
    /// The resource id of the client, not its identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// When it was consented to or created; a refresh does not change it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When the access token expires; absent means never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<TokenId>,
    /// The first 10 characters of the refresh token, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<SecretText>,
    /// When that expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token_expires_at: Option<Timestamp>,
    /// What the access token may do, in the order of asking.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// The access token: in full when it was created by this request, else its first 10 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<SecretText>,
    /// The access token in full, when it was created by this request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_token: Option<SecretText>,
    /// Where the record is: `{base}/api/v2/tokens/{id}.json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// When the access token last authenticated a call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_at: Option<Timestamp>,
    /// Whom it authenticates as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// What else the server said.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What `POST /api/v2/oauth/tokens` asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct CreateTokenRequest {
    /// Whose token it will be.
    #[serde(skip_serializing_if = "Sent::is_absent")]
    pub client_id: Sent<ClientReference>,
    /// What it may do.
    #[serde(skip_serializing_if = "Sent::is_absent")]
    pub scopes: Sent<Vec<String>>,
    /// What is wrong with the types of the members.
    #[serde(skip)]
    pub errors: FieldErrors,
}

/// How a client was named where its resource id belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientReference {
    /// By its resource id.
    Id(ClientId),
    /// By a number that no client can have.
    NoId,
    /// By other text: the identifier, most of the time.
    Text,
}

impl Serialize for ClientReference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Id(id) => id.serialize(serializer),
            Self::NoId | Self::Text => Err(S::Error::custom("not the resource id of a client")),
        }
    }
}

impl ClientReference {
    /// Reads text that stands where a resource id belongs.
    pub fn parse(text: &str) -> Self {
        match ClientId::parse(text) {
            Ok(id) => Self::Id(id),
            Err(_) if is_digits(text) => Self::NoId,
            Err(_) => Self::Text,
        }
    }
}

impl CreateTokenRequest {
    /// Reads a body.
    pub fn parse(body: &[u8]) -> Result<Self, InvalidBody> {
        let mut members = Members::unwrap_body(body, TOKEN)?;
        let client_id = members.typed("client_id", "an integer", |value| match value {
            Value::String(text) => Some(ClientReference::parse(&text)),
            Value::Number(number) if number.is_u64() || number.is_i64() => {
                let id = number.as_u64().and_then(|id| ClientId::new(id).ok());
                Some(id.map_or(ClientReference::NoId, ClientReference::Id))
            }
            _ => None,
        });
        let scopes = members.texts("scopes");
        Ok(Self { client_id, scopes, errors: members.into_errors() })
    }

    /// The request of a client that cannot send a body and names the client in the query.
    pub fn from_query(client_id: &str) -> Self {
        Self { client_id: Sent::Value(ClientReference::parse(client_id)), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: &str = include_str!("seed-record.json");

    #[test]
    fn the_documented_record_survives_reading_and_writing() {
        let value: Value = serde_json::from_str(SEED).unwrap();
        let response: OAuthTokenResponse = serde_json::from_str(SEED).unwrap();
        // As text, so that the order of the members counts too.
        assert_eq!(
            serde_json::to_string(&response).unwrap(),
            serde_json::to_string(&value).unwrap()
        );
        let token = response.token.unwrap();
        assert_eq!(token.id.map(TokenId::get), Some(1));
        assert_eq!(token.full_token, None);
    }

    #[test]
    fn readers_take_missing_null_and_unknown_fields() {
        let nothing = OAuthTokenResponse { token: Some(OAuthTokenObject::default()) };
        for text in [
            r#"{"token":{}}"#,
            r#"{"token":{"id":null,"scopes":null,"used_at":null,"token":null,"url":null}}"#,
            r#"{"token":{"expires_at":null,"refresh_token":null},"more":1}"#,
        ] {
            assert_eq!(
                serde_json::from_str::<OAuthTokenResponse>(text).unwrap(),
                nothing,
                "{text}"
            );
        }
        assert_eq!(
            serde_json::to_string(&nothing).unwrap(),
            r#"{"token":{}}"#,
            "what has no value is left out"
        );
        for text in ["{}", r#"{"token":null}"#] {
            let read: OAuthTokenResponse = serde_json::from_str(text).unwrap();
            assert_eq!(read, OAuthTokenResponse::default());
        }
    }

    #[test]
    fn unknown_fields_are_kept_and_wrong_types_are_told_by_name() {
        let text = r#"{"token":{"id":7,"resource_type":"oauth_token","restrictions":{"ip":null}}}"#;
        let read: OAuthTokenResponse = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
        let extra = read.token.unwrap().extra;
        assert_eq!(extra.get("resource_type"), Some(&"oauth_token".into()));
        for text in [
            r#"{"token":{"id":"7"}}"#,
            r#"{"token":{"id":0}}"#,
            r#"{"token":{"scopes":"read"}}"#,
            r#"{"token":{"expires_at":1772712000}}"#,
            r#"{"token":{"token":7}}"#,
            r#"{"token":[]}"#,
        ] {
            assert!(serde_json::from_str::<OAuthTokenResponse>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_list_is_read_in_both_forms_and_without_any() {
        let cursor = r#"{"tokens":[],"meta":{"has_more":false,"after_cursor":null,"before_cursor":null},"links":{"next":null,"prev":null}}"#;
        let offset = r#"{"tokens":[],"count":0,"next_page":null,"previous_page":null}"#;
        for text in [cursor, offset, r#"{"tokens":[]}"#] {
            let read: OAuthTokensResponse = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), text);
        }
    }

    #[test]
    fn a_client_is_named_by_number_or_by_digits() {
        let id = |id| Sent::Value(ClientReference::Id(ClientId::new(id).unwrap()));
        for (text, expected) in [
            ("41", id(41)),
            (r#""41""#, id(41)),
            ("0", Sent::Value(ClientReference::NoId)),
            ("-1", Sent::Value(ClientReference::NoId)),
            ("9007199254740992", Sent::Value(ClientReference::NoId)),
            (r#""041""#, Sent::Value(ClientReference::NoId)),
            (r#""acme_reports""#, Sent::Value(ClientReference::Text)),
            (r#""""#, Sent::Value(ClientReference::Text)),
            ("41.0", Sent::Mistyped),
            ("4e1", Sent::Mistyped),
            ("true", Sent::Mistyped),
            ("[41]", Sent::Mistyped),
            ("null", Sent::Null),
        ] {
            let body = format!(r#"{{"token":{{"client_id":{text}}}}}"#);
            let request = CreateTokenRequest::parse(body.as_bytes()).unwrap();
            assert_eq!(request.client_id, expected, "{text}");
            assert_eq!(request.scopes, Sent::Absent);
        }
    }

    #[test]
    fn what_a_client_writes_is_what_the_server_reads() {
        let id = ClientReference::Id(ClientId::new(41).unwrap());
        for (request, text) in [
            (CreateTokenRequest::default(), r#"{"token":{}}"#),
            (
                CreateTokenRequest {
                    client_id: id.into(),
                    scopes: vec!["read".to_owned()].into(),
                    errors: FieldErrors::NONE,
                },
                r#"{"token":{"client_id":41,"scopes":["read"]}}"#,
            ),
        ] {
            let body = serde_json::json!({ TOKEN: &request }).to_string();
            assert_eq!(body, text);
            assert_eq!(CreateTokenRequest::parse(body.as_bytes()).unwrap(), request);
        }
        let unread = CreateTokenRequest { scopes: Sent::Mistyped, ..Default::default() };
        assert!(serde_json::to_value(unread).is_err());
        let no_id =
            CreateTokenRequest { client_id: ClientReference::Text.into(), ..Default::default() };
        assert!(serde_json::to_value(no_id).is_err());
    }

    #[test]
    fn a_client_in_the_query_asks_for_its_token_and_for_nothing_else() {
        let id = ClientId::new(41).unwrap();
        for (text, expected) in [
            ("41", ClientReference::Id(id)),
            ("041", ClientReference::NoId),
            ("acme_reports", ClientReference::Text),
        ] {
            let request = CreateTokenRequest::from_query(text);
            let client_id = Sent::Value(expected);
            assert_eq!(request, CreateTokenRequest { client_id, ..CreateTokenRequest::default() });
        }
    }
}
