//! What an installation consists of: its tables, column by column, as both engines have them.
//!
//! Whatever a migration adds belongs into [`TABLES`] or, with its reason, into [`NOT_COPIED`]:
//! tests compare both with the real schemas (`tests/copy/schema.rs`).

use std::cmp::Ordering;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A whole number: ids, counts, times.
    Integer,
    /// Yes or no, which is 1 or 0 where there is no such type.
    Boolean,
    /// Text.
    Text,
    /// Hashes and what is sealed.
    Bytes,
}

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
}

/// A table.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns, the key first.
    pub columns: &'static [Column],
    /// How many columns the key has. A key of one number is what a table is read in the order of;
    /// tables with another one are small, and read whole.
    pub key: usize,
    /// The column that, once it is set, takes a row out of the unique index of its names.
    pub(crate) frees_name: Option<&'static str>,
    /// Whether its rows are unique by more than their key. Nothing refers to them, so those that
    /// will change or go are removed before others are written.
    pub(crate) is_cleared_first: bool,
    /// Whether rows of other tables refer to its rows, which must go before them.
    pub(crate) is_referred_to: bool,
}

impl Table {
    /// A table that nothing special is known of.
    const fn plain(name: &'static str, key: usize, columns: &'static [Column]) -> Self {
        Self {
            name,
            columns,
            key,
            frees_name: None,
            is_cleared_first: false,
            is_referred_to: false,
        }
    }

    /// The columns of the key.
    pub fn key_columns(&self) -> &'static [Column] {
        self.columns.get(..self.key).unwrap_or(self.columns)
    }

    /// The columns beside the key.
    pub(crate) fn other_columns(&self) -> &'static [Column] {
        self.columns.get(self.key..).unwrap_or_default()
    }

    /// Whether it is read part by part, in the order of its id.
    pub(crate) fn is_read_in_parts(&self) -> bool {
        matches!(self.key_columns(), [Column { kind: Kind::Integer, .. }])
    }

    /// `a, b, c`
    pub(crate) fn list(columns: &[Column]) -> String {
        columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
    }
}

/// One value of a row. Its order is that of the rows: both engines' own orders of text depend on
/// their settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Value {
    #[default]
    Null,
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// A row, or the key of one: the values of its columns in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row(pub(crate) Vec<Value>);

impl Row {
    /// The first columns.
    pub(crate) fn key(&self, table: &Table) -> &[Value] {
        self.0.get(..table.key).unwrap_or(&self.0)
    }

    /// The first columns alone.
    pub(crate) fn into_key(mut self, table: &Table) -> Self {
        self.0.truncate(table.key);
        self
    }

    /// The number that it has in a table that is read in parts.
    pub(crate) fn id(&self) -> Option<i64> {
        match self.0.first() {
            Some(Value::Integer(id)) => Some(*id),
            _ => None,
        }
    }

    /// Which of two rows of a table stands first.
    pub(crate) fn order(&self, other: &Self, table: &Table) -> Ordering {
        self.key(table).cmp(other.key(table))
    }

    /// Takes the value of a column out.
    pub(crate) fn take(&mut self, at: usize) -> Value {
        self.0.get_mut(at).map(std::mem::take).unwrap_or_default()
    }

    /// Its key as people read it.
    pub(crate) fn name(&self, table: &Table) -> String {
        let names = self.key(table).iter().map(|value| match value {
            Value::Integer(number) => number.to_string(),
            Value::Text(text) => text.clone(),
            Value::Null | Value::Bytes(_) => "?".to_owned(),
        });
        names.collect::<Vec<_>>().join(" ")
    }
}

/// `name: Kind, …`
macro_rules! columns {
    ($($name:ident: $kind:ident),+ $(,)?) => {
        &[$(Column { name: stringify!($name), kind: Kind::$kind }),+]
    };
}

/// What is copied, each after what it refers to.
pub static TABLES: [Table; 9] = [
    // First: whose installation this is shows in its keys.
    Table::plain(
        "keys",
        2,
        columns![purpose: Text, number: Integer, sealed: Bytes, created_at: Integer],
    ),
    Table {
        frees_name: Some("deleted_at"),
        is_referred_to: true,
        ..Table::plain("users", 1, USERS)
    },
    Table { frees_name: Some("deleted_at"), ..Table::plain("clients", 1, CLIENTS) },
    Table::plain(
        "api_tokens",
        1,
        columns![
            id: Integer,
            hash: Bytes,
            description: Text,
            status: Text,
            user_id: Integer,
            assigned_user_id: Integer,
            created_at: Integer,
            updated_at: Integer,
            last_used: Integer,
            account_wide: Boolean,
        ],
    ),
    Table::plain(
        "sign_in_sessions",
        1,
        columns![
            id: Integer,
            hash: Bytes,
            user_id: Integer,
            password_epoch: Integer,
            created_at: Integer,
            expires_at: Integer,
        ],
    ),
    Table::plain(TOKENS, 1, TOKEN_COLUMNS),
    // SQLite has these two columns in `tokens`.
    Table::plain(TOKEN_USES, 1, columns![id: Integer, used_at: Integer, used_rotation: Integer]),
    Table::plain(
        "events",
        1,
        columns![
            id: Integer,
            at: Integer,
            kind: Text,
            token_id: Integer,
            client_id: Integer,
            user_id: Integer,
            actor: Text,
            actor_id: Integer,
        ],
    ),
    Table { is_cleared_first: true, ..Table::plain("refusals", 1, REFUSALS) },
];

/// Tokens, codes included.
pub(crate) const TOKENS: &str = "tokens";
/// When tokens were last used.
pub(crate) const TOKEN_USES: &str = "token_uses";

const USERS: &[Column] = columns![
    id: Integer,
    email: Text,
    folded_email: Text,
    name: Text,
    role: Text,
    password_hash: Text,
    verified: Boolean,
    suspended: Boolean,
    password_epoch: Integer,
    created_at: Integer,
    updated_at: Integer,
    deleted_at: Integer,
];

const CLIENTS: &[Column] = columns![
    id: Integer,
    identifier: Text,
    folded_identifier: Text,
    name: Text,
    user_id: Integer,
    secret_hash: Bytes,
    secret_generation: Integer,
    redirect_uris: Text,
    company: Text,
    description: Text,
    logo_url: Text,
    allowed_scope: Text,
    status: Text,
    role: Text,
    grant_types: Text,
    access_token_lifetime_max: Integer,
    refresh_token_lifetime_max: Integer,
    retry_window: Integer,
    created_at: Integer,
    updated_at: Integer,
    deleted_at: Integer,
];

const TOKEN_COLUMNS: &[Column] = columns![
    id: Integer,
    client_id: Integer,
    user_id: Integer,
    origin: Integer,
    rotation: Integer,
    created_at: Integer,
    granted: Text,
    hash: Bytes,
    scope: Text,
    issued_at: Integer,
    access_lifetime: Integer,
    refresh_hash: Bytes,
    refresh_expires_at: Integer,
    refresh_lifetime: Integer,
    previous_hash: Bytes,
    rotated_at: Integer,
    salt: Bytes,
    key_number: Integer,
    code_expires_at: Integer,
    redirect_uri: Text,
    redirect_uri_named: Boolean,
    challenge: Text,
    wrong_verifiers: Integer,
];

const REFUSALS: &[Column] = columns![
    id: Integer,
    record_id: Integer,
    kind: Text,
    at: Integer,
    reason: Text,
    place: Text,
];

/// The next id of each sequence: raised to the source's where it is lower, so that no id is given
/// twice.
pub static LEASES: Table = Table::plain("id_leases", 1, columns![sequence: Text, next: Integer]);

/// What a copy says of itself in the database that it fills (`mark`): how many rows of a table it
/// has put there and their digest, or NULL while it is under way.
pub(crate) static MARKS: Table =
    Table::plain("copied_tables", 1, columns![name: Text, row_count: Integer, digest: Bytes]);

/// Tables that are not copied, and why.
pub const NOT_COPIED: [(&str, &str); 8] = [
    ("changes", "what processes that serve may have cached, and the target is not served"),
    ("job_leases", "which node of this database does what one does for all"),
    ("nodes", "the processes that left changes in this database"),
    ("listing_blocks", "SQLite's own, made anew from the tokens"),
    ("listing_parts", "SQLite's own, made anew from the tokens"),
    ("tokenry_schema", "which migrations this database has taken"),
    ("copied_tables", "what a copy says of itself in the database that it fills"),
    ("backup", "what a backup says of itself, until it is restored"),
];
