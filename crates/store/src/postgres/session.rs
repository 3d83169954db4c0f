//! A connection in use, with its prepared statements.

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio_postgres::{
    Client, Row, Statement,
    error::{DbError, Severity, SqlState},
    types::ToSql,
};

use super::{
    calls::{Call, Failure, Found, Query, tell_database, unavailable},
    values::Value,
};

type Result<T> = std::result::Result<T, Failure>;

/// What the database says beside its answers.
///
/// A commit that waits for a standby, and whose wait is cancelled, is answered as a success, with a
/// warning that the standby may not have it. So it was not acknowledged: when the standby takes
/// over, it may be gone. The warning has no code of its own, and comes before the answer's end.
#[derive(Clone, Default)]
pub(super) struct Warnings(Arc<AtomicBool>);

impl Warnings {
    pub(super) fn note(&self, notice: &DbError) {
        let is_warning = notice.parsed_severity() == Some(Severity::Warning);
        if is_warning && [SqlState::WARNING, SqlState::ADMIN_SHUTDOWN].contains(notice.code()) {
            tracing::warn!(said = tell_database(notice), "the database warns");
            self.0.store(true, Ordering::Release);
        }
    }

    /// Whether there was one since somebody asked.
    fn take(&self) -> bool {
        self.0.swap(false, Ordering::Acquire)
    }
}

/// A connection that is ready for use.
pub(super) struct Session {
    client: Client,
    warnings: Warnings,
    statements: Mutex<HashMap<Cow<'static, str>, Statement>>,
    /// Nobody knows any more what it is in the middle of.
    is_broken: AtomicBool,
    /// Since when the server that it leads to is trusted (`hosts`).
    pub(super) era: u64,
}

impl Session {
    pub(super) fn new(client: Client, warnings: Warnings) -> Self {
        let (statements, is_broken) = (Mutex::default(), AtomicBool::new(false));
        Self { client, warnings, statements, is_broken, era: 0 }
    }

    pub(super) fn of_era(self, era: u64) -> Self {
        Self { era, ..self }
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
        self.warnings.take();
        let rows = self.client.query(&statement, &values).await?;
        self.confirmed(rows)
    }

    /// Runs statements that need neither parameters nor an answer.
    pub(super) async fn batch(&self, sql: &str) -> Result<()> {
        self.warnings.take();
        self.client.batch_execute(sql).await?;
        self.confirmed(())
    }

    /// Takes what was answered with a warning for not acknowledged.
    fn confirmed<T>(&self, answer: T) -> Result<T> {
        if self.warnings.take() {
            return Err(unavailable("the database has not confirmed what it was told"));
        }
        Ok(answer)
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
