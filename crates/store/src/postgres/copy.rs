//! Copying an installation out of a schema and into one.
//!
//! One connection of its own and not the pool: a source is read in one transaction from the first
//! row to the last, and a statement takes as long as it takes.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::time::{Instant, sleep};
use tokio_postgres::Row as SqlRow;

use super::{
    PostgresAddress, PostgresOptions,
    calls::{ATTEMPTS_MAX, Call, Failure, Query, pause},
    hosts::Hosts,
    migrations,
    pool::Pool,
    rows::Columns,
    session::Session,
    values::{Bind as _, Value as Parameter, values},
};
use crate::{
    Result, StoreError,
    columns::ReadColumns as _,
    copy::{
        CopyError,
        end::{End, IS_UNFINISHED, MAKE_MARKS, Role},
        tables::{Column, Kind, MARKS, Row, TOKEN_USES, Table, Value},
    },
};

/// How long connections of a process that has ended may still be there.
const LINGERING_MAX: Duration = Duration::from_secs(5);
/// Between two looks at them.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// A schema, with one connection.
pub(crate) struct PostgresEnd(Session);

impl PostgresEnd {
    /// Connects, makes sure that nobody serves this database, and brings its schema up to date,
    /// neither of which a snapshot needs. A source has to be there.
    pub(crate) async fn open(
        address: PostgresAddress,
        role: Role,
        options: PostgresOptions,
    ) -> std::result::Result<Self, CopyError> {
        let failed = |error| CopyError::Store { side: role, error };
        let name = address.application_name().to_owned();
        let hosts = Hosts::new(address, options);
        let end = Self::connect(&hosts).await.map_err(failed)?;
        if role != Role::Snapshot {
            let connections = end.count_nodes(&name).await.map_err(failed)?;
            if connections > 0 {
                return Err(CopyError::Served { side: role, connections, name });
            }
        }
        end.start(hosts, role, options).await.map_err(failed)?;
        Ok(end)
    }

    async fn connect(hosts: &Hosts) -> Result<Self> {
        let end = Self(hosts.connect().await?);
        end.0
            .batch("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0")
            .await?;
        Ok(end)
    }

    async fn start(&self, hosts: Hosts, role: Role, options: PostgresOptions) -> Result<()> {
        let pool = Pool::new(hosts, options);
        let prepared = prepare(&pool, role).await;
        pool.close();
        prepared?;
        if role != Role::Target {
            // One moment, whatever other processes write meanwhile: it begins with a look.
            self.0.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT 1").await?;
        }
        Ok(())
    }

    /// How many connections others have. Nodes have theirs open all the time; those of a process
    /// that was just stopped may be there for a moment longer.
    async fn count_nodes(&self, name: &str) -> Result<u64> {
        let others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
            AND application_name = $1 AND pid <> pg_backend_pid()";
        let until = Instant::now() + LINGERING_MAX;
        loop {
            let found = self.query(others.to_owned(), values![name]).await?;
            let connections: u64 = number(&found)?;
            if connections == 0 || Instant::now() >= until {
                return Ok(connections);
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    async fn query(&self, sql: String, values: Vec<Parameter>) -> Result<Vec<SqlRow>> {
        Ok(self.0.query(&Query::new(sql, values)).await?)
    }

    /// Sends what may be sent twice, until no other transaction is in its way.
    async fn write_all(&self, sql: String, values: Vec<Parameter>) -> Result<()> {
        let query = Query::new(sql, values);
        let mut attempts = 0;
        while let Err(failure) = self.0.query(&query).await {
            attempts += 1;
            if attempts == ATTEMPTS_MAX || !failure.is_conflict() {
                return Err(failure.into());
            }
            sleep(pause(attempts)).await;
        }
        Ok(())
    }
}

async fn prepare(pool: &Arc<Pool>, role: Role) -> Result<()> {
    if role != Role::Target && !migrations::is_marked(pool).await? {
        return Err(StoreError::Corrupt("there is no installation in it".to_owned()));
    }
    match role {
        Role::Source | Role::Target => migrations::migrate(pool).await?,
        Role::Snapshot => migrations::refuse_other(pool).await?,
    }
    if role == Role::Target { Ok(()) } else { refuse_unfinished(pool).await }
}

#[async_trait]
impl End for PostgresEnd {
    async fn count(&self, table: &'static Table) -> Result<u64> {
        let Table { name, .. } = table;
        let count = format!("SELECT count(*) FROM {name} WHERE {}", of_somebody(table));
        number(&self.query(count, values![]).await?)
    }

    async fn last_id(&self, table: &'static Table) -> Result<i64> {
        let last = format!("SELECT coalesce(max(id), 0) FROM {}", table.name);
        first(&self.query(last, values![]).await?)?.number()
    }

    async fn read(
        &self,
        table: &'static Table,
        after: Option<i64>,
        limit: usize,
    ) -> Result<Vec<Row>> {
        let Table { name, columns, .. } = table;
        let (listed, whose) = (Table::list(columns), of_somebody(table));
        let select = format!("SELECT {listed} FROM {name} WHERE {whose}");
        if table.is_read_in_parts() {
            let part = format!("{select} AND id > $1 ORDER BY id LIMIT $2");
            let found = self.query(part, values![after.unwrap_or(i64::MIN), limit]).await?;
            return found.iter().map(|row| read_row(row, table)).collect();
        }
        let found = self.query(select, values![]).await?;
        let rows = found.iter().map(|row| read_row(row, table));
        let mut rows = rows.collect::<Result<Vec<_>>>()?;
        rows.sort_by(|row, other| row.order(other, table));
        Ok(rows)
    }

    async fn write(&self, table: &'static Table, rows: Vec<Row>) -> Result<()> {
        self.write_all(upsert(table, 1), parameters(table.columns, rows)).await
    }

    async fn write_noted(
        &self,
        table: &'static Table,
        rows: Vec<Row>,
        marks: Vec<Row>,
    ) -> Result<()> {
        let noted = upsert(&MARKS, 1);
        let both = format!("WITH noted AS ({noted}) {}", upsert(table, MARKS.columns.len() + 1));
        let mut values = parameters(MARKS.columns, marks);
        values.extend(parameters(table.columns, rows));
        self.write_all(both, values).await
    }

    async fn remove(&self, table: &'static Table, keys: Vec<Row>) -> Result<()> {
        let removal = format!("DELETE FROM {} WHERE {}", table.name, of_keys(table));
        self.write_all(removal, parameters(table.key_columns(), keys)).await
    }

    async fn free_names(&self, table: &'static Table, keys: Vec<Row>) -> Result<()> {
        let Some(column) = table.frees_name else {
            return Ok(());
        };
        let Table { name, .. } = table;
        let free = format!("UPDATE {name} SET {column} = coalesce({column}, 0)");
        let free = format!("{free} WHERE {}", of_keys(table));
        self.write_all(free, parameters(table.key_columns(), keys)).await
    }

    async fn has(&self, table: &'static Table) -> Result<bool> {
        let found = self.query(HAS.to_owned(), values![table.name]).await?;
        first(&found)?.flag()
    }

    async fn make_marks(&self) -> Result<()> {
        Ok(self.0.batch(MAKE_MARKS).await?)
    }

    async fn begin(&self) -> Result<()> {
        Ok(())
    }

    async fn finish(&self) -> Result<()> {
        Ok(())
    }
}

/// Whether there is a table.
const HAS: &str = "SELECT EXISTS (SELECT 1 FROM information_schema.tables \
    WHERE table_schema = current_schema() AND table_name = $1)";

/// A database that a copy has begun to fill is nobody's yet.
pub(super) async fn refuse_unfinished(pool: &Arc<Pool>) -> Result<()> {
    let has = pool.run(Call::read(HAS, values![MARKS.name])).await?;
    if first(&has)?.flag()? {
        let found = pool.run(Call::read(IS_UNFINISHED, values![])).await?;
        if first(&found)?.flag()? {
            return Err(StoreError::UnfinishedCopy);
        }
    }
    Ok(())
}

/// Uses may be left of tokens that are gone, until they are purged.
fn of_somebody(table: &Table) -> &'static str {
    match table.name {
        TOKEN_USES => "EXISTS (SELECT 1 FROM tokens WHERE tokens.id = token_uses.id)",
        _ => "true",
    }
}

/// Adds rows, or replaces those that have their keys; the parameters from that number on are them.
fn upsert(table: &Table, from: usize) -> String {
    let Table { name, columns, .. } = table;
    let replaced =
        table.other_columns().iter().map(|column| format!("{0} = excluded.{0}", column.name));
    format!(
        "INSERT INTO {name} ({}) SELECT * FROM {} ON CONFLICT ({}) DO UPDATE SET {}",
        Table::list(columns),
        unnest(columns, from),
        Table::list(table.key_columns()),
        replaced.collect::<Vec<_>>().join(", ")
    )
}

/// `unnest($1::bigint[], $2::text[], …)`
fn unnest(columns: &[Column], from: usize) -> String {
    let arrays = columns.iter().zip(from..).map(|(column, at)| {
        let of = match column.kind {
            Kind::Integer => "bigint",
            Kind::Boolean => "boolean",
            Kind::Text => "text",
            Kind::Bytes => "bytea",
        };
        format!("${at}::{of}[]")
    });
    format!("unnest({})", arrays.collect::<Vec<_>>().join(", "))
}

fn of_keys(table: &Table) -> String {
    let columns = table.key_columns();
    format!("({}) IN (SELECT * FROM {})", Table::list(columns), unnest(columns, 1))
}

/// An array for each column.
fn parameters(columns: &[Column], mut rows: Vec<Row>) -> Vec<Parameter> {
    let of_column = |(at, column): (usize, &Column)| {
        let values = rows.iter_mut().map(|row| row.take(at));
        match column.kind {
            Kind::Integer => array(values, |value| match value {
                Value::Integer(number) => Some(number),
                _ => None,
            }),
            Kind::Boolean => array(values, |value| match value {
                Value::Integer(number) => Some(number != 0),
                _ => None,
            }),
            Kind::Text => array(values, |value| match value {
                Value::Text(text) => Some(text.bind()),
                _ => None,
            }),
            Kind::Bytes => array(values, |value| match value {
                Value::Bytes(bytes) => Some(bytes),
                _ => None,
            }),
        }
    };
    columns.iter().enumerate().map(of_column).collect()
}

fn array<T>(values: impl Iterator<Item = Value>, read: impl Fn(Value) -> Option<T>) -> Parameter
where
    Vec<Option<T>>: tokio_postgres::types::ToSql + Send + Sync + 'static,
{
    Box::new(values.map(read).collect::<Vec<_>>())
}

fn read_row(row: &SqlRow, table: &Table) -> Result<Row> {
    let mut columns = Columns::new(row);
    let values = table.columns.iter().map(|column| {
        let value = match column.kind {
            Kind::Integer => columns.integer(Some)?.map(Value::Integer),
            Kind::Boolean => columns.truth(Some)?.map(|is_so| Value::Integer(is_so.into())),
            Kind::Text => columns.text_set()?.map(Value::Text),
            Kind::Bytes => {
                columns.bytes(|bytes| Some(bytes.map(|bytes| Value::Bytes(bytes.to_vec()))))?
            }
        };
        Ok(value.unwrap_or_default())
    });
    Ok(Row(values.collect::<Result<_>>()?))
}

fn number(found: &[SqlRow]) -> Result<u64> {
    first(found)?.number()
}

fn first(found: &[SqlRow]) -> Result<Columns<'_>> {
    let row = found.first().ok_or_else(|| Failure::Corrupt("an answer without rows".to_owned()))?;
    Ok(Columns::new(row))
}
