//! A connection in use: the statements that most requests need stay prepared beside it, because
//! finding one in the cache by its text costs a third of what running it does.

use std::{
    cell::{Cell, RefCell},
    ops::Deref,
};

use rusqlite::{Connection, Params, PrepFlags, Statement};

use super::{calls::unavailable, rows, tokens};
use crate::{Conditional, Result};

/// What work is given.
pub(super) struct Session<'c> {
    connection: &'c Connection,
    begin: Prepared<'c>,
    commit: Prepared<'c>,
    pub(super) find_token: Prepared<'c>,
    pub(super) insert_issued: Prepared<'c>,
    pub(super) rotate_token: Prepared<'c>,
    /// Up to which id tokens are listed; `None` until somebody asks within a transaction.
    pub(super) listed_up_to: Cell<Option<u64>>,
}

impl<'c> Session<'c> {
    pub(super) const fn new(connection: &'c Connection) -> Self {
        Self {
            connection,
            begin: Prepared::new(connection, "BEGIN IMMEDIATE"),
            commit: Prepared::new(connection, "COMMIT"),
            find_token: Prepared::new(connection, tokens::FIND),
            insert_issued: Prepared::new(connection, tokens::INSERT_ISSUED),
            rotate_token: Prepared::new(connection, tokens::ROTATE),
            listed_up_to: Cell::new(None),
        }
    }

    /// Begins a transaction that writes.
    pub(super) fn begin(&self) -> Result<()> {
        // What was read in another transaction may be another process's by now.
        self.listed_up_to.set(None);
        self.begin.write([]).map(drop)
    }

    pub(super) fn commit(&self) -> Result<()> {
        self.commit.write([]).map(drop)
    }

    pub(super) fn rollback(&self) -> Result<()> {
        rows::write(self.connection, "ROLLBACK", []).map(drop)
    }
}

impl Deref for Session<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}

/// A statement that is prepared when it is first used.
pub(super) struct Prepared<'c> {
    connection: &'c Connection,
    sql: &'static str,
    statement: RefCell<Option<Statement<'c>>>,
}

impl<'c> Prepared<'c> {
    const fn new(connection: &'c Connection, sql: &'static str) -> Self {
        Self { connection, sql, statement: RefCell::new(None) }
    }

    fn run<T>(&self, run: impl FnOnce(&mut Statement<'c>) -> Result<T>) -> Result<T> {
        let mut slot =
            self.statement.try_borrow_mut().map_err(|_| unavailable("a statement is in use"))?;
        let statement = match &mut *slot {
            Some(statement) => statement,
            missing => {
                let flags = PrepFlags::SQLITE_PREPARE_PERSISTENT;
                missing.insert(self.connection.prepare_with_flags(self.sql, flags)?)
            }
        };
        run(statement)
    }

    /// The row that it finds, if it finds one.
    pub(super) fn find<T>(
        &self,
        params: impl Params,
        read: impl FnOnce(&mut rows::Columns<'_, '_>) -> Result<T>,
    ) -> Result<Option<T>> {
        self.run(|statement| rows::first(statement, params, read))
    }

    /// How many rows it writes.
    pub(super) fn write(&self, params: impl Params) -> Result<usize> {
        self.run(|statement| Ok(statement.execute(params)?))
    }

    /// Writes one row if its condition holds.
    pub(super) fn write_if(&self, params: impl Params) -> Result<Conditional> {
        rows::at_most_one(self.write(params)?)
    }
}
