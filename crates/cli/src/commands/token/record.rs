//! A token, as commands print it: in scripts' formats the server's own record, whole, with the
//! names of its client and of its user.

use serde::Serialize;
use tokenry_client::models::{OAuthTokenObject, SecretText, Timestamp};

use super::{directory::Directory, filter::ends_at};
use crate::output::{Cell, Column, Record};

/// Characters of a token that are public.
const PUBLIC_LENGTH: usize = 10;

/// A token record.
#[derive(Clone, Serialize)]
pub(super) struct TokenRecord {
    #[serde(flatten)]
    pub(super) token: OAuthTokenObject,
    pub(super) client_identifier: Option<String>,
    pub(super) user_email: Option<String>,
}

impl TokenRecord {
    /// The token in full, where the server has just made it.
    pub(super) fn secret(&self) -> Option<&str> {
        self.token.full_token.as_ref().or(self.token.token.as_ref()).map(SecretText::reveal)
    }

    /// With the names that the directory has.
    pub(super) fn new(token: OAuthTokenObject, directory: &Directory) -> Self {
        let client = directory.client(token.client_id);
        let user = directory.user(token.user_id);
        let client_identifier = client.and_then(|client| client.identifier.clone());
        let user_email = user.and_then(|user| user.email.clone());
        Self { token, client_identifier, user_email }
    }

    /// Whose client it is for, in one word.
    pub(super) fn client(&self) -> Option<String> {
        named(self.client_identifier.as_ref(), "client", self.token.client_id)
    }

    /// Whom it acts for, in one word.
    pub(super) fn user(&self) -> Option<String> {
        named(self.user_email.as_ref(), "user", self.token.user_id)
    }

    /// What it is called where there is one line for it.
    pub(super) fn name(&self) -> String {
        let parts = [
            self.token.id.map(|id| id.to_string()),
            self.client().map(|client| format!("of {client}")),
            self.user().map(|user| format!("for {user}")),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

/// A name, or the id where there is none.
pub(in crate::commands) fn named(
    name: Option<&String>,
    kind: &str,
    id: Option<impl ToString>,
) -> Option<String> {
    name.cloned().or_else(|| id.map(|id| format!("{kind} {}", id.to_string())))
}

/// When it was last used.
pub(in crate::commands) fn used(time: Option<Timestamp>, now: Timestamp) -> Cell {
    time.map_or_else(|| Cell::new("never").notable(), |time| Cell::time(time, now))
}

/// When it ends.
pub(in crate::commands) fn ends(time: Option<Timestamp>, now: Timestamp) -> Cell {
    match time {
        None => Cell::new("never").notable(),
        Some(time) if time <= now => Cell::time(time, now).bad(),
        Some(time) => Cell::time(time, now),
    }
}

/// The characters of a credential that are public, whatever a server shows of it.
fn beginning(text: Option<&SecretText>) -> Cell {
    text.map(|text| text.reveal().chars().take(PUBLIC_LENGTH).collect::<String>()).into()
}

fn time(time: Option<Timestamp>, now: Timestamp) -> Cell {
    time.map_or_else(Cell::none, |time| Cell::time(time, now))
}

impl Record for TokenRecord {
    const PLURAL: &'static str = "tokens";
    const FIELDS: &'static [&'static str] = &[
        "client_id",
        "created_at",
        "expires_at",
        "id",
        "refresh_token",
        "refresh_token_expires_at",
        "scopes",
        "token",
        "full_token",
        "url",
        "used_at",
        "user_id",
        "client_identifier",
        "user_email",
    ];
    const COLUMNS: &'static [Column] = &[
        Column::number("id"),
        Column::new("token").whole().hidden_when_narrow(),
        Column::new("client"),
        Column::new("user"),
        Column::new("scopes"),
        Column::new("created").hidden_when_narrow(),
        Column::new("last used").whole(),
        Column::new("expires").whole(),
    ];

    fn id(&self) -> String {
        self.token.id.map(|id| id.to_string()).unwrap_or_default()
    }

    fn cells(&self, now: Timestamp) -> Vec<Cell> {
        let token = &self.token;
        vec![
            token.id.into(),
            beginning(token.token.as_ref()),
            self.client().into(),
            self.user().into(),
            token.scopes.as_ref().map(|scopes| scopes.join(" ")).into(),
            time(token.created_at, now),
            used(token.used_at, now),
            ends(ends_at(token), now),
        ]
    }

    fn details(&self, now: Timestamp) -> Vec<(&'static str, Cell)> {
        let token = &self.token;
        let with_id = |name: Option<&String>, kind, id: Option<String>| match (name, id) {
            (Some(name), Some(id)) => Cell::new(&format!("{name} ({id})")),
            (name, id) => named(name, kind, id).into(),
        };
        let client_id = token.client_id.map(|id| id.to_string());
        let user_id = token.user_id.map(|id| id.to_string());
        let mut details = vec![
            ("id", token.id.into()),
            ("token begins with", beginning(token.token.as_ref())),
            ("client", with_id(self.client_identifier.as_ref(), "client", client_id)),
            ("user", with_id(self.user_email.as_ref(), "user", user_id)),
            ("scopes", token.scopes.as_ref().map(|scopes| scopes.join(" ")).into()),
            ("created", time(token.created_at, now)),
            ("last used", used(token.used_at, now)),
            ("access token expires", ends(token.expires_at, now)),
        ];
        if token.refresh_token.is_some() || token.refresh_token_expires_at.is_some() {
            details.push(("refresh token begins with", beginning(token.refresh_token.as_ref())));
            let expires = token.refresh_token_expires_at;
            details.push(("refresh token expires", ends(expires, now)));
        }
        details
    }
}
