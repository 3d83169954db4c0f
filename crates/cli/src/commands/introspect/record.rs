//! What introspection answers, as it is printed: for scripts the server's own answer, whole.

use serde::Serialize;
use tokenry_client::models::{IntrospectionResponse, Timestamp};

use crate::output::{Cell, Column, Record};

/// The state of a token.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct IntrospectionRecord(pub(super) IntrospectionResponse);

impl Record for IntrospectionRecord {
    const PLURAL: &'static str = "tokens";
    const FIELDS: &'static [&'static str] = &[
        "active",
        "scope",
        "client_id",
        "username",
        "sub",
        "token_type",
        "exp",
        "iat",
        "iss",
        "jti",
    ];
    const COLUMNS: &'static [Column] = &[
        Column::new("active").whole(),
        Column::number("id"),
        Column::new("type").whole(),
        Column::new("scope"),
        Column::new("client"),
        Column::new("user"),
        Column::new("issued"),
        Column::new("ends"),
        Column::new("issuer"),
    ];

    fn id(&self) -> String {
        self.0.jti.clone().unwrap_or_default()
    }

    fn cells(&self, now: Timestamp) -> Vec<Cell> {
        let answer = &self.0;
        let time = |seconds: Option<i64>| {
            seconds.map(|seconds| Cell::time(Timestamp::from_seconds(seconds), now))
        };
        let user = match (&answer.username, &answer.sub) {
            (Some(name), Some(id)) => Some(format!("{name} ({id})")),
            (name, id) => name.clone().or_else(|| id.clone()),
        };
        let ends = if answer.active { Cell::new("never").notable() } else { Cell::none() };
        vec![
            if answer.active { Cell::new("yes").good() } else { Cell::new("no").bad() },
            answer.jti.as_ref().into(),
            answer.token_type.as_ref().into(),
            answer.scope.as_ref().into(),
            answer.client_id.as_ref().into(),
            user.into(),
            time(answer.iat).unwrap_or_else(Cell::none),
            time(answer.exp).unwrap_or(ends),
            answer.iss.as_ref().into(),
        ]
    }

    fn details(&self, now: Timestamp) -> Vec<(&'static str, Cell)> {
        let titles = Self::COLUMNS.iter().map(Column::title);
        // Of a token that is not active, nothing else is known.
        let shown = if self.0.active { Self::COLUMNS.len() } else { 1 };
        titles.zip(self.cells(now)).take(shown).collect()
    }
}
