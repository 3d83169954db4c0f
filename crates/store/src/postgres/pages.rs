//! Lists in the order of id: one page of them, or how many there are.

use std::sync::Arc;

use super::{
    calls::Call,
    pool::Pool,
    rows::{self, Columns},
    values::{Bind as _, Value},
};
use crate::{Page, PageRequest, Result, Window};

/// The rows of a table that hold to some conditions.
pub(super) struct List {
    /// The table, with what is joined to it.
    from: &'static str,
    columns: &'static str,
    id: &'static str,
    /// What the order begins with: an index, and so a plan.
    owner: Option<&'static str>,
    condition: String,
    pub(super) values: Vec<i64>,
}

impl List {
    /// `id` is the column that rows are in the order of.
    pub(super) fn new(
        from: &'static str,
        id: &'static str,
        columns: &'static str,
        condition: &str,
    ) -> Self {
        let condition = condition.to_owned();
        Self { from, columns, id, owner: None, condition, values: Vec::new() }
    }

    /// Takes only the rows of one owner, over the index on `owner` and the id.
    ///
    /// A column that equals a value says nothing about the order, so the planner may go over
    /// everybody's rows in the order of id until it has found enough of one owner's, which may be
    /// all the way. An array of one value is looked up in the index as well, and the order is
    /// that index's alone.
    pub(super) fn of(&mut self, owner: &'static str, value: i64) {
        self.and(&format!("{owner} = ANY (ARRAY[?::bigint])"), value);
        self.owner = Some(owner);
    }

    /// Adds a condition, in which each `?` stands for `value`.
    pub(super) fn and(&mut self, condition: &str, value: i64) {
        self.values.push(value);
        self.condition.push_str(" AND ");
        self.condition.push_str(&condition.replace('?', &format!("${}", self.values.len())));
    }

    fn values(self) -> Vec<Value> {
        self.values.into_iter().map(|value| Box::new(value) as Value).collect()
    }

    /// The statement for one page. One row more than it holds is looked for, to know whether there
    /// is more.
    pub(super) fn statement(&mut self, page: PageRequest) -> String {
        let id = self.id;
        let order = match page.window {
            Window::After(after) => {
                self.and(&format!("{id} > ?"), after.bind());
                ""
            }
            Window::Before(before) => {
                self.and(&format!("{id} < ?"), before.bind());
                "DESC"
            }
            Window::Offset(_) => "",
        };
        let offset = match page.window {
            Window::Offset(rows) => rows,
            Window::After(_) | Window::Before(_) => 0,
        };
        self.values.extend([i64::from(page.limit) + 1, offset.into()]);
        let (last, count) = (self.values.len(), self.values.len() - 1);
        let owner = self.owner.map(|owner| format!("{owner} {order}, ")).unwrap_or_default();
        format!(
            "SELECT {} FROM {} WHERE {} ORDER BY {owner}{id} {order} LIMIT ${count} OFFSET ${last}",
            self.columns, self.from, self.condition
        )
    }

    /// One page.
    pub(super) async fn page<T>(
        mut self,
        pool: &Arc<Pool>,
        page: PageRequest,
        read: impl FnMut(&mut Columns<'_>) -> Result<T>,
    ) -> Result<Page<T>> {
        let sql = self.statement(page);
        let found = pool.run(Call::read(sql, self.values())).await?;
        let mut items = rows::list(&found, read)?;
        let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let has_more = items.len() > limit;
        items.truncate(limit);
        if matches!(page.window, Window::Before(_)) {
            items.reverse();
        }
        Ok(Page { items, has_more })
    }

    /// How many there are, up to `limit`: it looks no further.
    pub(super) async fn count(mut self, pool: &Arc<Pool>, limit: u32) -> Result<u32> {
        self.values.push(limit.into());
        let sql = format!(
            "SELECT count(*) FROM (SELECT 1 FROM {} WHERE {} LIMIT ${}) AS found",
            self.from,
            self.condition,
            self.values.len()
        );
        let found = pool.run(Call::read(sql, self.values())).await?;
        rows::number(&found)
    }
}
