//! Lists in the order of id: one page of them, or how many there are.

use rusqlite::{Connection, params_from_iter};

use super::rows;
use crate::{Page, PageRequest, Result, Window};

/// An id that bounds a page, as the database can be asked for it.
pub(super) fn bound(id: u64) -> u64 {
    // Ids have 53 bits, so nothing lies beyond the largest number that the database knows.
    id.min(i64::MAX.unsigned_abs())
}

/// The rows of a table that hold to some conditions.
pub(super) struct List {
    table: &'static str,
    columns: &'static str,
    /// Its `?` stand for `values`, in order.
    condition: String,
    values: Vec<u64>,
}

impl List {
    pub(super) fn new(table: &'static str, columns: &'static str, condition: &str) -> Self {
        Self { table, columns, condition: condition.to_owned(), values: Vec::new() }
    }

    /// Adds a condition, in which each `?` stands for `value`.
    pub(super) fn and(&mut self, condition: &str, value: u64) {
        self.condition.push_str(" AND ");
        self.condition.push_str(condition);
        let uses = condition.matches('?').count();
        self.values.extend(std::iter::repeat_n(value, uses));
    }

    /// One page. One row more than it holds is looked for, to know whether there is more.
    pub(super) fn page<T>(
        mut self,
        connection: &Connection,
        page: PageRequest,
        read: impl FnMut(&mut rows::Columns<'_, '_>) -> Result<T>,
    ) -> Result<Page<T>> {
        let limit = u64::from(page.limit);
        let (from_there, values) = match page.window {
            Window::After(id) => ("AND id > ? ORDER BY id LIMIT ?", [bound(id), limit + 1]),
            Window::Before(id) => ("AND id < ? ORDER BY id DESC LIMIT ?", [bound(id), limit + 1]),
            Window::Offset(rows) => ("ORDER BY id LIMIT ? OFFSET ?", [limit + 1, rows.into()]),
        };
        self.values.extend(values);
        let sql = format!(
            "SELECT {} FROM {} WHERE {} {from_there}",
            self.columns, self.table, self.condition
        );
        let mut items = rows::list(connection, &sql, params_from_iter(&self.values), read)?;
        let has_more = u64::try_from(items.len()).is_ok_and(|found| found > limit);
        items.truncate(usize::try_from(page.limit).unwrap_or(usize::MAX));
        if matches!(page.window, Window::Before(_)) {
            items.reverse();
        }
        Ok(Page { items, has_more })
    }

    /// How many there are, up to `limit`: it looks no further.
    pub(super) fn count(mut self, connection: &Connection, limit: u32) -> Result<u32> {
        self.values.push(limit.into());
        let sql = format!(
            "SELECT count(*) FROM (SELECT 1 FROM {} WHERE {} LIMIT ?)",
            self.table, self.condition
        );
        rows::value(connection, &sql, params_from_iter(&self.values))
    }
}
