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

/// Who was made, with secrets that are shown once.
#[derive(Serialize)]
pub(super) struct CreatedRecord {
    pub(super) id: UserId,
    pub(super) email: String,
    pub(super) api_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) password: Option<String>,
}

impl Record for CreatedRecord {
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
            Cell::new(&self.api_token),
            self.password.as_ref().into(),
        ]
    }
}

/// Whose password was replaced. One that was made is shown this once.
#[derive(Serialize)]
pub(super) struct PasswordRecord {
    pub(super) id: UserId,
    pub(super) email: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) password: Option<String>,
    /// `None` if that was not asked for, or not done.
    pub(super) tokens_revoked: Option<u64>,
    /// The same.
    pub(super) api_tokens_revoked: Option<u64>,
}

impl Record for PasswordRecord {
    const PLURAL: &'static str = "users";
    const FIELDS: &'static [&'static str] =
        &["id", "email", "password", "tokens_revoked", "api_tokens_revoked"];
    const COLUMNS: &'static [Column] = &[
        Column::number("id"),
        Column::new("email"),
        Column::new("password").whole(),
        Column::number("tokens revoked"),
        Column::number("API tokens revoked"),
    ];

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn cells(&self, _: Timestamp) -> Vec<Cell> {
        vec![
            Cell::new(&self.id),
            Cell::new(&self.email),
            self.password.as_ref().into(),
            self.tokens_revoked.into(),
            self.api_tokens_revoked.into(),
        ]
    }
}
