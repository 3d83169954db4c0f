//! A connection in use, with its prepared statements.

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio_postgres::{Client, Row, Statement, types::ToSql};

use super::{
    calls::{Call, Failure, Found, Query},
    values::Value,
};

type Result<T> = std::result::Result<T, Failure>;

/// A connection that is ready for use.
pub(super) struct Session {
    client: Client,
    statements: Mutex<HashMap<Cow<'static, str>, Statement>>,
    /// Nobody knows any more what it is in the middle of.
    is_broken: AtomicBool,
}

impl Session {
    pub(super) fn new(client: Client) -> Self {
        Self { client, statements: Mutex::default(), is_broken: AtomicBool::new(false) }
    }

    /// Whether it can be used for another call.
    pub(super) fn is_sound(&self) -> bool {
        !self.client.is_closed() && !self.is_broken.load(Ordering::Relaxed)
    }

    /// Carries out a call, as one transaction.
    pub(super) async fn carry_out(&self, call: &Call) -> Result<Found> {
        let Some(first) = &call.first else {
            return Ok(Found { first: Vec::new(), rows: self.query(&call.query).await? });
        };
        self.batch("BEGIN").await?;
        let carried_out = self.carry_out_both(first, &call.query).await;
        if carried_out.is_err() && self.batch("ROLLBACK").await.is_err() {
            self.is_broken.store(true, Ordering::Relaxed);
        }
        carried_out
    }

    async fn carry_out_both(&self, first: &Query, query: &Query) -> Result<Found> {
        let found = Found { first: self.query(first).await?, rows: self.query(query).await? };
        self.batch("COMMIT").await?;
        Ok(found)
    }

    /// Runs one statement.
    pub(super) async fn query(&self, query: &Query) -> Result<Vec<Row>> {
        let statement = self.prepare(query).await?;
        let values: Vec<&(dyn ToSql + Sync)> = query.values.iter().map(parameter).collect();
        Ok(self.client.query(&statement, &values).await?)
    }

    /// Runs statements that need neither parameters nor an answer.
    pub(super) async fn batch(&self, sql: &str) -> Result<()> {
        Ok(self.client.batch_execute(sql).await?)
    }

    async fn prepare(&self, query: &Query) -> Result<Statement> {
        let known =
            self.statements.lock().unwrap_or_else(PoisonError::into_inner).get(&query.sql).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = self.client.prepare(&query.sql).await?;
        let mut statements = self.statements.lock().unwrap_or_else(PoisonError::into_inner);
        statements.insert(query.sql.clone(), statement.clone());
        Ok(statement)
    }
}

fn parameter(value: &Value) -> &(dyn ToSql + Sync) {
    &**value
}
