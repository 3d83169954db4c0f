//! An API token, as commands print it: in scripts' formats the server's own record, whole.

use serde::Serialize;
use tokenry_client::models::{ApiTokenObject, SecretText, Timestamp};

use crate::output::{Cell, Column, Record};

/// An API token record.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct ApiTokenRecord(pub(super) ApiTokenObject);

impl ApiTokenRecord {
    /// The token in full, where the server has just made it.
    pub(super) fn secret(&self) -> Option<&str> {
        self.0.full_token.as_ref().or(self.0.token.as_ref()).map(SecretText::reveal)
    }

    /// What it is called: its description, or its first characters.
    pub(super) fn name(&self) -> &str {
        let description = self.0.description.as_deref().filter(|text| !text.is_empty());
        let visible = self.0.visible_token.as_ref().map(SecretText::reveal);
        description.or(visible).unwrap_or("–")
    }

    fn status(&self) -> Cell {
        match self.0.active {
            Some(false) => Cell::new("disabled").bad(),
            _ => Cell::new("active").good(),
        }
    }
}

impl Record for ApiTokenRecord {
    const PLURAL: &'static str = "API tokens";
    const FIELDS: &'static [&'static str] = &[
        "id",
        "url",
        "description",
        "active",
        "user_id",
        "assigned_user_id",
        "token",
        "full_token",
        "visible_token",
        "created_at",
        "updated_at",
        "last_used",
    ];
    const COLUMNS: &'static [Column] = &[
        Column::number("id"),
        Column::new("description"),
        Column::new("status").whole(),
        Column::new("works for").whole(),
        Column::new("begins with").whole().hidden_when_narrow(),
        Column::new("last used").whole(),
        Column::new("created").hidden_when_narrow(),
    ];

    fn id(&self) -> String {
        self.0.id.map(|id| id.to_string()).unwrap_or_default()
    }

    fn cells(&self, now: Timestamp) -> Vec<Cell> {
        let token = &self.0;
        let user = match token.assigned_user_id {
            Some(id) => Cell::new(&format!("user {id}")),
            None => Cell::new("every user").notable(),
        };
        let time = |time: Option<Timestamp>| time.map(|time| Cell::time(time, now));
        vec![
            token.id.into(),
            token.description.as_ref().filter(|text| !text.is_empty()).into(),
            self.status(),
            user,
            token.visible_token.as_ref().map(SecretText::reveal).into(),
            time(token.last_used).unwrap_or_else(|| Cell::new("never").notable()),
            time(token.created_at).unwrap_or_else(Cell::none),
        ]
    }
}
