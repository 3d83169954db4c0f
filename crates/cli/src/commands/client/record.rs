//! A client, as commands print it: in scripts' formats the server's own record, whole.

use serde::Serialize;
use tokenry_client::models::{OAuthClientObject, SecretText, Timestamp};

use crate::output::{Cell, Column, Record};

/// A client record.
#[derive(Serialize)]
#[serde(transparent)]
pub(in crate::commands) struct ClientRecord(pub(in crate::commands) OAuthClientObject);

impl ClientRecord {
    /// What others call it.
    pub(super) fn name(&self) -> &str {
        self.0.identifier.as_deref().unwrap_or("–")
    }

    /// The secret in full, where the server has just made it.
    pub(super) fn secret(&self) -> Option<&str> {
        self.0.secret.as_ref().map(SecretText::reveal)
    }

    fn status(&self) -> Cell {
        match self.0.disabled {
            Some(true) => Cell::new("disabled").bad(),
            _ => Cell::new("active").good(),
        }
    }

    fn redirect_uris(&self) -> Cell {
        match self.0.redirect_uri.as_deref() {
            None | Some([]) => Cell::none(),
            Some(addresses) => Cell::new(&addresses.join(" ")),
        }
    }
}

impl Record for ClientRecord {
    const PLURAL: &'static str = "clients";
    const FIELDS: &'static [&'static str] = &[
        "id",
        "url",
        "identifier",
        "name",
        "kind",
        "user_id",
        "redirect_uri",
        "global",
        "company",
        "description",
        "logo_url",
        "allowed_scopes",
        "secret",
        "disabled",
        "resource_server",
        "grant_types",
        "access_token_lifetime_max",
        "refresh_token_lifetime_max",
        "retry_window_seconds",
        "created_at",
        "updated_at",
    ];
    const COLUMNS: &'static [Column] = &[
        Column::number("id"),
        Column::new("identifier"),
        Column::new("name"),
        Column::new("kind").whole(),
        Column::new("status").whole(),
        Column::new("redirect addresses").hidden_when_narrow(),
        Column::new("created").hidden_when_narrow(),
    ];

    fn id(&self) -> String {
        self.0.id.map(|id| id.to_string()).unwrap_or_default()
    }

    fn cells(&self, now: Timestamp) -> Vec<Cell> {
        vec![
            self.0.id.into(),
            self.0.identifier.as_ref().into(),
            self.0.name.as_ref().into(),
            self.0.kind.as_ref().into(),
            self.status(),
            self.redirect_uris(),
            time(self.0.created_at, now),
        ]
    }

    fn details(&self, now: Timestamp) -> Vec<(&'static str, Cell)> {
        let client = &self.0;
        let words = |words: &Option<Vec<String>>, none: &str| {
            Cell::new(&words.as_ref().map_or_else(|| none.to_owned(), |words| words.join(" ")))
        };
        let seconds = |limit: Option<tokenry_client::models::Seconds>| {
            Cell::from(limit.map(|seconds| format!("{} s", seconds.0)))
        };
        let grant_types = client
            .grant_types
            .as_ref()
            .map(|types| types.iter().map(ToString::to_string).collect::<Vec<_>>());
        vec![
            ("id", client.id.into()),
            ("identifier", client.identifier.as_ref().into()),
            ("name", client.name.as_ref().into()),
            ("kind", client.kind.as_ref().into()),
            ("status", self.status()),
            ("redirect addresses", self.redirect_uris()),
            ("scopes at most", words(&client.allowed_scopes, "any")),
            ("grant types", words(&grant_types, "all that its kind may")),
            ("secret begins with", self.secret().map(beginning).into()),
            ("answered for by", client.user_id.map(|id| format!("user {id}")).into()),
            ("company", client.company.as_ref().into()),
            ("description", client.description.as_ref().into()),
            ("access tokens live", seconds(client.access_token_lifetime_max)),
            ("refresh tokens live", seconds(client.refresh_token_lifetime_max)),
            ("created", time(client.created_at, now)),
            ("changed", time(client.updated_at, now)),
        ]
    }
}

/// The characters of a secret that are public.
fn beginning(secret: &str) -> String {
    secret.chars().take(10).collect()
}

fn time(time: Option<Timestamp>, now: Timestamp) -> Cell {
    time.map_or_else(Cell::none, |time| Cell::time(time, now))
}
