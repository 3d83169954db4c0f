//! Token records: `/api/v2/oauth/tokens`.

use serde::{Deserialize, Serialize, Serializer, ser::Error as _};
use serde_json::Value;

use super::{
    error::FieldErrors,
    extra::Extra,
    pagination::{self, Pagination},
    request::{InvalidBody, Members, Sent},
    secret_text::SecretText,
};
use crate::{
    ids::{ClientId, TokenId, UserId, is_digits},
    time::Timestamp,
};

/// The member that wraps a token in a body.
pub const TOKEN: &str = "token";

/// One token: what showing a token, creating one, and asking for the current one are answered with.
///
/// The record is wrapped in a member of its name. Its values are masked unless this answer creates
/// the token: see [`OAuthTokenObject`] for what is full where, and for how a record lives. The
/// examples are those of its page.
///
/// # Reading one
///
/// ```
/// use tokenry_protocol::api::tokens::OAuthTokenResponse;
///
/// let answer = r#"{"token":{"id":1002,"client_id":43,"scopes":["tickets:read"],"token":"a0000000GA"}}"#;
/// let response: OAuthTokenResponse = serde_json::from_str(answer)?;
/// let token = response.token.ok_or("an answer without a record")?;
/// assert_eq!(token.id.map(|id| id.get()), Some(1002));
/// assert_eq!(token.scopes.as_deref(), Some(&["tickets:read".to_owned()][..]));
/// assert_eq!(token.expires_at, None, "this token does not expire");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The member is an `Option` because the published description of the API calls it optional: an
/// answer without it, or with `null`, reads as `None` and is for the caller to judge. A record of
/// which a field has another type than the table says is not read at all, and the error names the
/// field.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OAuthTokenResponse {
    /// The record.
    ///
    /// Present: always.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub token: Option<OAuthTokenObject>,
}

/// A page of tokens: of the caller's own, or of everybody's for an administrator who asks for
/// `all=true`.
///
/// A page may be empty. Records that have expired are left out, unless an administrator asks for
/// them by `include_expired=true`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OAuthTokensResponse {
    /// The records, in ascending order of id; at most 100.
    ///
    /// Present: always.
    #[serde(default, deserialize_with = "pagination::records")]
    pub tokens: Vec<OAuthTokenObject>,
    /// Where the page is in the list. Its form is that of the request: cursors where the request
    /// had `page[size]`, `page[after]` or `page[before]`, else counted pages. Other servers leave
    /// it out.
    ///
    /// Present: always.
    #[serde(flatten, deserialize_with = "pagination::beside_records")]
    pub pagination: Option<Pagination>,
}

/// A token record: an access token and, where there is one, its refresh token.
///
/// It says what the token may do, whom it acts for, which client holds it, when it was last used
/// and when it ends. The record is one pair and dies whole: whoever revokes it ends both tokens, at
/// once.
///
/// The first example is the record of a grant that a user consented to, as it is shown. The two
/// behind it are one record that an administrator created: in the answer that creates it, and as it
/// is shown from then on.
///
/// # What is full and what is masked
///
/// A credential is shown in full by the answer that creates it and never again, for only its hash
/// is stored. Elsewhere the first 10 characters stand for it. They are no secret: they are the kind
/// of the credential and the record's id, so the access token `a0000000GA` and the refresh token
/// `r0000000GA` are of one record.
///
/// | answer | `token` | `full_token` | `refresh_token` |
/// |---|---|---|---|
/// | create | full, 64 characters | the same | absent: created tokens have none |
/// | show, list | first 10 characters | absent | first 10 characters, where there is one |
/// | current | first 10 characters | absent | first 10 characters, where there is one |
/// | token endpoint | full: [`access_token`](crate::oauth::token::TokenResponse) | absent | full |
/// | introspection, logs, errors, pages | never | never | never |
///
/// Other servers mask otherwise: with 15 characters and an ellipsis, for one. So the text is opaque
/// here ([`SecretText`]), and its `Debug` shows what is public at most.
///
/// # The life of a record
///
/// * A record begins when a user consents to a grant and its code is redeemed, when a client gets a
///   token for itself, or when an administrator creates one. A created token has no refresh token
///   and does not expire, unless the server is set to end it.
/// * Refreshing keeps the record. `id`, `url`, `client_id`, `user_id` and `created_at` stay; both
///   tokens and both expiries are new. So one consent is one line in every list, however often it
///   is refreshed.
/// * `used_at` moves when the access token authenticates a call, when it asks for its own record,
///   and when a resource server introspects it. Listing records, showing one by id, and refreshing
///   do not move it.
/// * A record is found until it is revoked, or until both its tokens have expired. Consented grants
///   can be listed for 30 more days with `all=true&include_expired=true`.
/// * Disabling the client and suspending the user stop the token for as long as that lasts.
///   Deleting either of them ends it, at once, and its record follows in the background.
///
/// # Reading one
///
/// ```
/// use tokenry_protocol::{api::tokens::OAuthTokenObject, time::Timestamp};
///
/// let token: OAuthTokenObject = serde_json::from_str(
///     r#"{"id":1002,"scopes":["tickets:read"],"token":"a0000000GA","expires_at":"2026-03-02T10:30:00Z","plan":"x"}"#,
/// )?;
///
/// let now = Timestamp::parse("2026-03-02T10:12:41Z").ok_or("no time")?;
/// let is_alive = token.expires_at.is_none_or(|expiry| expiry > now);
/// assert!(is_alive);
///
/// let is_full = token.full_token.is_some();
/// assert!(!is_full, "only the answer of create has it");
///
/// let never_used = token.used_at.is_none();
/// assert!(never_used);
///
/// assert_eq!(token.extra.get("plan"), Some(&"x".into()), "what is unknown is kept");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct OAuthTokenObject {
    /// The resource id of the client that holds the token: a number, not the identifier that the
    /// grant endpoints call `client_id`. Chosen by whoever creates the token, else the client of
    /// the grant.
    ///
    /// Present: always.
    ///
    /// Example: `43`; created and shown later: `41`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// When the grant was consented to, or the token created. UTC, whole seconds. A refresh does
    /// not change it.
    ///
    /// Present: always.
    ///
    /// Example: `"2026-03-02T10:00:00Z"`; created and shown later: `"2026-03-05T12:00:00Z"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When the access token expires. UTC, whole seconds; absent means never. A refresh moves it.
    /// 300 to 172,800 seconds after the token was issued, where a client asked for a lifetime.
    ///
    /// Present: when the access token expires.
    ///
    /// Example: `"2026-03-02T10:30:00Z"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The record's id, which is also characters 2 to 10 of its credentials, in base 62. It stays
    /// through every refresh. Gaps between ids are normal.
    ///
    /// Present: always.
    ///
    /// Example: `1002`; created and shown later: `1010`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<TokenId>,
    /// The first 10 characters of the refresh token, in every answer of the record API: the token
    /// endpoint alone shows it in full.
    ///
    /// Present: when there is one: not for created tokens and not for client credentials.
    ///
    /// Example: `"r0000000GA"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<SecretText>,
    /// When the refresh token expires. UTC, whole seconds. A refresh moves it: 604,800 to 7,776,000
    /// seconds from then.
    ///
    /// Present: with `refresh_token`.
    ///
    /// Example: `"2026-04-01T10:00:00Z"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token_expires_at: Option<Timestamp>,
    /// What the access token may do, in the order of asking and without repetitions; at most 50. A
    /// name that the server does not know is kept and grants nothing.
    ///
    /// Present: always.
    ///
    /// Example: `["tickets:read", "users:read"]`; created and shown later: `["read", "write"]`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// The access token: in full, 64 characters, in the answer that creates it, and its first 10
    /// characters in every other. Of other servers: opaque text of any length and alphabet.
    ///
    /// Present: always.
    ///
    /// Example: `"a0000000GA"`; created:
    /// `"a0000000GI_tokenry_0000lN99CAgaWtKi7Bsmlf6EN9lXWzmvSmhH8V63r27F7"`; shown later:
    /// `"a0000000GI"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<SecretText>,
    /// The access token in full, the same as `token` in this answer. Where it is there, this answer
    /// created the token, and this is the one time to keep it.
    ///
    /// Present: in the answer of create.
    ///
    /// Example: created: `"a0000000GI_tokenry_0000lN99CAgaWtKi7Bsmlf6EN9lXWzmvSmhH8V63r27F7"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_token: Option<SecretText>,
    /// Where the record is: `{base}/api/v2/tokens/{id}.json`, without `oauth` in it. It can be read
    /// there, and revoked.
    ///
    /// Present: always.
    ///
    /// Example: `"http://127.0.0.1:4000/api/v2/tokens/1002.json"`; created and shown later:
    /// `"http://127.0.0.1:4000/api/v2/tokens/1010.json"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// When the access token last authenticated a call. UTC, whole seconds. Seen at once on the
    /// node that took the call, within a second on others; a crash may lose the last second.
    ///
    /// Present: after the first use.
    ///
    /// Example: `"2026-03-02T10:12:41Z"`; shown later: `"2026-03-05T12:05:00Z"`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_at: Option<Timestamp>,
    /// Whom it authenticates as. A created token is its creator's; a client's token for itself is
    /// that of the client's `user_id`.
    ///
    /// Present: always.
    ///
    /// Example: `31`; created and shown later: `29`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// What else the server said.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What `POST /api/v2/oauth/tokens` asks for, by an administrator for themselves.
///
/// Everything else about the token is the server's to say: a `token`, a `user_id` or an
/// `expires_at` of the request is ignored. A request whose body is empty names the client in the
/// query, `?client_id=41`, and gets the scope `read`. With a bearer token nothing can be asked for
/// that the bearer's own scope does not cover.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct CreateTokenRequest {
    /// Whose token it will be: the resource id of a client that exists, as a number or as digits in
    /// a string. The text identifier is the usual mistake, and is told as one.
    ///
    /// Required: yes.
    ///
    /// Example: `41`
    #[serde(skip_serializing_if = "Sent::is_absent")]
    pub client_id: Sent<ClientReference>,
    /// What it may do: 1 to 50 names, 2,000 characters in all, within the client's
    /// `allowed_scopes`. Without it: `["read"]`. Names that the server does not know are stored and
    /// grant nothing.
    ///
    /// Example: `["read", "write"]`
    #[serde(skip_serializing_if = "Sent::is_absent")]
    pub scopes: Sent<Vec<String>>,
    /// What is wrong with the types of the members.
    #[serde(skip)]
    pub errors: FieldErrors,
}

/// How a client was named where its resource id belongs. Only an id can be written.
///
/// Example: `41`
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
