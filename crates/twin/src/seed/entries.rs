//! What a seed holds, as it is written. Members have the names of the record API; where that has
//! an id, a seed has a reference that people can read.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use tokenry_core::user::Role;
use tokenry_protocol::{
    ids::{ApiTokenId, ClientId, TokenId, UserId},
    oauth::token::GrantType,
    redirect_uri::ClientKind,
};

use super::Moment;

/// A user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedUser {
    /// The id; without it the next free one.
    #[serde(default)]
    pub id: Option<UserId>,
    /// The address they sign in with.
    pub email: String,
    /// What others see; without it, what stands before the `@`.
    #[serde(default)]
    pub name: Option<String>,
    /// `admin`, `agent` or `end-user`.
    #[serde(deserialize_with = "role", serialize_with = "role_as_word")]
    pub role: Role,
    /// Without one they cannot sign in by password.
    #[serde(default)]
    pub password: Option<String>,
    /// Whether the address is known to be theirs.
    #[serde(default = "yes")]
    pub verified: bool,
    /// Whether they are refused everywhere.
    #[serde(default)]
    pub suspended: bool,
    /// When the account was made; without it, now.
    #[serde(default)]
    pub created_at: Option<Moment>,
    /// When it was last changed; without it, when it was made.
    #[serde(default)]
    pub updated_at: Option<Moment>,
}

/// A client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedClient {
    /// The id; without it the next free one.
    #[serde(default)]
    pub id: Option<ClientId>,
    /// The `client_id` of the grant endpoints.
    pub identifier: String,
    /// What users see; without it, the identifier.
    #[serde(default)]
    pub name: Option<String>,
    /// Whether it has a secret; without it, it has.
    #[serde(default)]
    pub kind: Option<ClientKind>,
    /// Who answers for it: an administrator; without it, the first one.
    #[serde(default)]
    pub user: Option<UserReference>,
    /// Where users may be sent back to.
    #[serde(default)]
    pub redirect_uri: Vec<String>,
    /// The organisation behind it.
    #[serde(default)]
    pub company: Option<String>,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// An image of it.
    #[serde(default)]
    pub logo_url: Option<String>,
    /// The most that its tokens may do; without it there is no ceiling.
    #[serde(default)]
    pub allowed_scopes: Option<Vec<String>>,
    /// The grant types it may use; without it, all that its kind may.
    #[serde(default)]
    pub grant_types: Option<Vec<GrantType>>,
    /// Whether it is stopped.
    #[serde(default)]
    pub disabled: bool,
    /// Whether introspection shows it every client's tokens.
    #[serde(default)]
    pub resource_server: bool,
    /// The most seconds that its access tokens live.
    #[serde(default)]
    pub access_token_lifetime_max: Option<u64>,
    /// The most seconds that its refresh tokens live.
    #[serde(default)]
    pub refresh_token_lifetime_max: Option<u64>,
    /// For how many seconds its previous refresh token gets the same answer.
    #[serde(default)]
    pub retry_window_seconds: Option<u64>,
    /// When it was registered; without it, now.
    #[serde(default)]
    pub created_at: Option<Moment>,
}

/// An API token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedApiToken {
    /// The id; without it the next free one.
    #[serde(default)]
    pub id: Option<ApiTokenId>,
    /// Who made it; without it, the first administrator.
    #[serde(default)]
    pub user: Option<UserReference>,
    /// Whom alone it works for; without it, whomever the server's settings say.
    #[serde(default)]
    pub assigned_user: Option<UserReference>,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Whether it works.
    #[serde(default = "yes")]
    pub active: bool,
    /// When it was made; without it, now.
    #[serde(default)]
    pub created_at: Option<Moment>,
    /// When it last authenticated a call.
    #[serde(default)]
    pub used_at: Option<Moment>,
}

/// A token record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedToken {
    /// The id; without it the next free one.
    #[serde(default)]
    pub id: Option<TokenId>,
    /// How it came to be: by a user's consent (`authorization_code`), which gives a refresh token,
    /// or for the client itself (`client_credentials`). Without it, it was made through the record
    /// API, without expiry.
    #[serde(default)]
    pub grant_type: Option<GrantType>,
    /// Whose token it is.
    pub client: ClientReference,
    /// For whom. Of `client_credentials` it is who answers for the client, and may be left out.
    #[serde(default)]
    pub user: Option<UserReference>,
    /// What it may do.
    pub scopes: Vec<String>,
    /// How many seconds the access token lives; without it, as the server's settings say.
    #[serde(default)]
    pub expires_in: Option<u32>,
    /// How many seconds the refresh token lives; without it, as the server's settings say.
    #[serde(default)]
    pub refresh_token_expires_in: Option<u32>,
    /// When it was issued; without it, now.
    #[serde(default)]
    pub created_at: Option<Moment>,
    /// When it was last used.
    #[serde(default)]
    pub used_at: Option<Moment>,
}

/// The first ids of what is made after planting; without one, behind the highest that was planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NextIds {
    /// Of users.
    pub users: Option<UserId>,
    /// Of clients.
    pub clients: Option<ClientId>,
    /// Of API tokens.
    pub api_tokens: Option<ApiTokenId>,
    /// Of token records.
    pub tokens: Option<TokenId>,
}

/// Names a user of the seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserReference {
    /// By address, in any spelling that folds to the same.
    Email(String),
    /// By id.
    Id(UserId),
}

/// Names a client of the seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientReference {
    /// By identifier, as it was registered: case counts, as at the grant endpoints.
    Identifier(String),
    /// By id.
    Id(ClientId),
}

const fn yes() -> bool {
    true
}

fn role<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Role, D::Error> {
    let word = String::deserialize(deserializer)?;
    let told = || format!("{word:?} is no role: write \"admin\", \"agent\" or \"end-user\"");
    Role::parse(&word).ok_or_else(|| de::Error::custom(told()))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn role_as_word<S: Serializer>(role: &Role, serializer: S) -> Result<S::Ok, S::Error> {
    role.as_str().serialize(serializer)
}

/// Text or a number.
enum TextOrNumber {
    Text(String),
    Number(u64),
}

/// Reads text or a number, and says of anything else that it is not `expected`.
struct TextOrNumberVisitor(&'static str);

impl de::Visitor<'_> for TextOrNumberVisitor {
    type Value = TextOrNumber;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<TextOrNumber, E> {
        Ok(TextOrNumber::Text(text.to_owned()))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<TextOrNumber, E> {
        Ok(TextOrNumber::Number(number))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<TextOrNumber, E> {
        let invalid = || E::invalid_value(de::Unexpected::Signed(number), &self);
        u64::try_from(number).map(TextOrNumber::Number).map_err(|_| invalid())
    }
}

impl<'de> Deserialize<'de> for UserReference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let visitor = TextOrNumberVisitor("the address of a user in quotes, or an id");
        match deserializer.deserialize_any(visitor)? {
            TextOrNumber::Text(email) => Ok(Self::Email(email)),
            TextOrNumber::Number(id) => UserId::new(id).map(Self::Id).map_err(de::Error::custom),
        }
    }
}

impl<'de> Deserialize<'de> for ClientReference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let visitor = TextOrNumberVisitor("the identifier of a client in quotes, or an id");
        match deserializer.deserialize_any(visitor)? {
            TextOrNumber::Text(identifier) => Ok(Self::Identifier(identifier)),
            TextOrNumber::Number(id) => ClientId::new(id).map(Self::Id).map_err(de::Error::custom),
        }
    }
}

impl Serialize for UserReference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Email(email) => email.serialize(serializer),
            Self::Id(id) => id.serialize(serializer),
        }
    }
}

impl Serialize for ClientReference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Identifier(identifier) => identifier.serialize(serializer),
            Self::Id(id) => id.serialize(serializer),
        }
    }
}

impl From<&str> for UserReference {
    fn from(email: &str) -> Self {
        Self::Email(email.to_owned())
    }
}

impl From<UserId> for UserReference {
    fn from(id: UserId) -> Self {
        Self::Id(id)
    }
}

impl From<&str> for ClientReference {
    fn from(identifier: &str) -> Self {
        Self::Identifier(identifier.to_owned())
    }
}

impl From<ClientId> for ClientReference {
    fn from(id: ClientId) -> Self {
        Self::Id(id)
    }
}

impl fmt::Display for UserReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Email(email) => write!(formatter, "{email:?}"),
            Self::Id(id) => id.fmt(formatter),
        }
    }
}

impl fmt::Display for ClientReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identifier(identifier) => write!(formatter, "{identifier:?}"),
            Self::Id(id) => id.fmt(formatter),
        }
    }
}
