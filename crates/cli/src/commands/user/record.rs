//! A user, as commands print them.

use serde::Serialize;
use tokenry_core::user::User;
use tokenry_protocol::{ids::UserId, time::Timestamp};

use crate::output::{Cell, Column, Record};

/// A user without their password.
#[derive(Serialize)]
pub(super) struct UserRecord {
    id: UserId,
    email: String,
    name: String,
    role: &'static str,
    verified: bool,
    suspended: bool,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<User> for UserRecord {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            email: user.email,
            name: user.name,
            role: user.role.as_str(),
            verified: user.verified,
            suspended: user.suspended,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

impl UserRecord {
    fn status(&self) -> Cell {
        if self.suspended { Cell::new("disabled").bad() } else { Cell::new("active").good() }
    }

    fn role(&self) -> Cell {
        let role = Cell::new(self.role);
        if self.role == "admin" { role.notable() } else { role }
    }
}

impl Record for UserRecord {
    const PLURAL: &'static str = "users";
    const FIELDS: &'static [&'static str] =
        &["id", "email", "name", "role", "verified", "suspended", "created_at", "updated_at"];
    const COLUMNS: &'static [Column] = &[
        Column::number("id"),
        Column::new("email"),
        Column::new("name"),
        Column::new("role").whole(),
        Column::new("status").whole(),
        Column::new("created").hidden_when_narrow(),
    ];

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn cells(&self, now: Timestamp) -> Vec<Cell> {
        vec![
            Cell::new(&self.id),
            Cell::new(&self.email),
            Cell::new(&self.name),
            self.role(),
            self.status(),
            Cell::time(self.created_at, now),
        ]
    }

    fn details(&self, now: Timestamp) -> Vec<(&'static str, Cell)> {
        vec![
            ("id", Cell::new(&self.id)),
            ("email", Cell::new(&self.email)),
            ("name", Cell::new(&self.name)),
            ("role", self.role()),
            ("status", self.status()),
            ("verified", Cell::new(if self.verified { "yes" } else { "no" })),
            ("created", Cell::time(self.created_at, now)),
            ("changed", Cell::time(self.updated_at, now)),
        ]
    }
}

/// Who was made, or whose password was, with secrets that are shown once.
#[derive(Serialize)]
pub(super) struct Secrets {
    pub(super) id: UserId,
    pub(super) email: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) api_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) password: Option<String>,
}

impl Record for Secrets {
    const PLURAL: &'static str = "users";
    const FIELDS: &'static [&'static str] = &["id", "email", "api_token", "password"];
    const COLUMNS: &'static [Column] = &[
        Column::number("id"),
        Column::new("email"),
        Column::new("API token").whole(),
        Column::new("password").whole(),
    ];

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn cells(&self, _: Timestamp) -> Vec<Cell> {
        vec![
            Cell::new(&self.id),
            Cell::new(&self.email),
            self.api_token.as_ref().into(),
            self.password.as_ref().into(),
        ]
    }
}
