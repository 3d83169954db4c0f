//! What records refer to, among the lines of an export that was broken off.
//!
//! What is added to such a file is of a later moment, while users and clients were written as they
//! were before. A record of somebody who came meanwhile could not be imported, so it is left out.
//! Ids alone do not tell who came: servers lease blocks of them.

use std::collections::BTreeMap;

use super::tables::{Row, Table, Value};

/// Columns that refer to rows, and the tables of those.
const REFERRING: [(&str, &str); 3] =
    [("user_id", "users"), ("assigned_user_id", "users"), ("client_id", "clients")];

/// The ids of the users and clients that a file has, ascending.
#[derive(Debug, Default)]
pub(super) struct Parents(BTreeMap<&'static str, Vec<i64>>);

impl Parents {
    /// Those of tables that a file has lines of.
    pub(super) fn of(tables: &[(&'static Table, &'static str)]) -> Self {
        let are_referred_to = |name: &str| REFERRING.iter().any(|(_, table)| *table == name);
        let names = tables.iter().map(|(table, _)| table.name);
        Self(names.filter(|name| are_referred_to(name)).map(|name| (name, Vec::new())).collect())
    }

    /// Takes down a row that the file has.
    pub(super) fn note(&mut self, table: &Table, id: Option<i64>) {
        if let (Some(ids), Some(id)) = (self.0.get_mut(table.name), id) {
            ids.push(id);
        }
    }

    /// Whether the file has what a row refers to, as far as it has lines of that at all.
    pub(super) fn are_there(&self, table: &Table, row: &Row) -> bool {
        table.columns.iter().zip(&row.0).all(|(column, value)| {
            let referring = REFERRING.iter().find(|(name, _)| *name == column.name);
            let ids = referring.and_then(|(_, table)| self.0.get(table));
            match (ids, value) {
                (Some(ids), Value::Integer(id)) => ids.binary_search(id).is_ok(),
                _ => true,
            }
        })
    }
}
