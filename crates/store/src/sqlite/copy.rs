//! Copying an installation out of a file and into one.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use rusqlite::{
    CachedStatement, Connection, Row as SqlRow, ToSql, TransactionBehavior, params,
    params_from_iter,
    types::{ToSqlOutput, ValueRef},
};

use super::{
    StoreOptions, backup,
    calls::unavailable,
    listings::{self, Sizes},
    migrations,
    open::{Purpose, Source},
    rows,
};
use crate::{
    Result, StoreError,
    copy::{
        end::{End, IS_UNFINISHED, MAKE_MARKS, PagesTold, Role},
        tables::{MARKS, Row, TOKEN_USES, TOKENS, Table, Value},
    },
};

/// The size at which the log goes into the database while a copy writes, in pages.
const LOG_PAGES: u32 = 16_384;
/// Steps of listing in one transaction.
const STEPS_PER_TRANSACTION: u32 = 256;

/// A file, with one connection.
pub(crate) struct SqliteEnd(Arc<Mutex<Connection>>);

impl SqliteEnd {
    /// Opens a file and brings its schema up to date, as everything does that opens one. A source
    /// has to be there.
    pub(crate) fn open(path: &Path, role: Role) -> Result<Self> {
        if role != Role::Target && !path.is_file() {
            return Err(unavailable("there is no such file"));
        }
        let cache_size = StoreOptions::default().cache_size;
        let source = Source::File { path: path.to_owned(), cache_size };
        let connection = match role {
            Role::Source => {
                refuse_unfinished(&source.create()?)?;
                snapshot(&source)?
            }
            Role::Snapshot => {
                let connection = snapshot(&source)?;
                migrations::refuse_other(&connection)?;
                refuse_unfinished(&connection)?;
                connection
            }
            Role::Target => {
                let connection = source.create()?;
                connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
                connection
            }
        };
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let connection = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || {
            work(&mut connection.lock().unwrap_or_else(PoisonError::into_inner))
        });
        done.await.unwrap_or_else(|_| Err(unavailable("the work was given up")))
    }

    /// Runs a statement for each row, in one transaction.
    async fn for_each(&self, sql: String, rows: Vec<Row>) -> Result<()> {
        self.for_all([(sql, rows)]).await
    }

    /// Runs statements, each for its rows, in one transaction.
    async fn for_all<const N: usize>(&self, all: [(String, Vec<Row>); N]) -> Result<()> {
        self.run(move |connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for (sql, rows) in all {
                let mut statement = transaction.prepare_cached(&sql)?;
                for row in &rows {
                    statement.execute(params_from_iter(&row.0))?;
                }
            }
            Ok(transaction.commit()?)
        })
        .await
    }
}

#[async_trait]
impl End for SqliteEnd {
    async fn count(&self, table: &'static Table) -> Result<u64> {
        let count = match table.name {
            TOKEN_USES => "SELECT count(*) FROM tokens WHERE used_at IS NOT NULL".to_owned(),
            name => format!("SELECT count(*) FROM {name}"),
        };
        self.run(move |connection| rows::value(connection, &count, [])).await
    }

    async fn last_id(&self, table: &'static Table) -> Result<i64> {
        let last = format!("SELECT coalesce(max(id), 0) FROM {}", table.name);
        self.run(move |connection| rows::value(connection, &last, [])).await
    }

    async fn read(
        &self,
        table: &'static Table,
        after: Option<i64>,
        limit: usize,
    ) -> Result<Vec<Row>> {
        self.run(move |connection| {
            let mut statement = connection.prepare_cached(&select(table))?;
            if table.is_read_in_parts() {
                return read(&mut statement, params![after.unwrap_or(i64::MIN), limit], table);
            }
            let mut found = read(&mut statement, [], table)?;
            found.sort_by(|row, other| row.order(other, table));
            Ok(found)
        })
        .await
    }

    async fn write(&self, table: &'static Table, rows: Vec<Row>) -> Result<()> {
        self.for_each(upsert(table), rows).await
    }

    async fn write_noted(
        &self,
        table: &'static Table,
        rows: Vec<Row>,
        marks: Vec<Row>,
    ) -> Result<()> {
        self.for_all([(upsert(table), rows), (upsert(&MARKS), marks)]).await
    }

    async fn remove(&self, table: &'static Table, keys: Vec<Row>) -> Result<()> {
        let removal = match table.name {
            TOKEN_USES => "UPDATE tokens SET used_at = NULL, used_rotation = NULL".to_owned(),
            name => format!("DELETE FROM {name}"),
        };
        if table.name == TOKENS {
            let gone = keys.iter().filter_map(Row::id).filter_map(|id| id.try_into().ok());
            let gone = gone.collect::<Vec<u64>>();
            self.run(move |connection| listings::note_gone(connection, &gone)).await?;
        }
        self.for_each(format!("{removal} WHERE {}", of_key(table)), keys).await
    }

    async fn free_names(&self, table: &'static Table, keys: Vec<Row>) -> Result<()> {
        let Some(column) = table.frees_name else {
            return Ok(());
        };
        let Table { name, .. } = table;
        let free = format!("UPDATE {name} SET {column} = coalesce({column}, 0)");
        self.for_each(format!("{free} WHERE {}", of_key(table)), keys).await
    }

    async fn has(&self, table: &'static Table) -> Result<bool> {
        self.run(|connection| has(connection, table)).await
    }

    async fn write_pages(&self, file: &Path, tell: PagesTold) -> Result<bool> {
        let file = file.to_owned();
        self.run(move |connection| backup::write_pages(connection, &file, &*tell)).await?;
        Ok(true)
    }

    async fn make_marks(&self) -> Result<()> {
        self.run(|connection| Ok(connection.execute_batch(MAKE_MARKS)?)).await
    }

    async fn begin(&self) -> Result<()> {
        let clear =
            "BEGIN IMMEDIATE; DELETE FROM listing_parts; DELETE FROM listing_blocks; COMMIT";
        self.run(|connection| Ok(connection.execute_batch(clear)?)).await
    }

    async fn finish(&self) -> Result<()> {
        self.run(|connection| {
            let sizes = Sizes::new(StoreOptions::default().listing_block);
            let mut is_all = false;
            while !is_all {
                let transaction =
                    connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
                for _ in 0..STEPS_PER_TRANSACTION {
                    let Some(work) = listings::find_work(&transaction, sizes)? else {
                        is_all = true;
                        break;
                    };
                    listings::perform(&transaction, &work, sizes)?;
                }
                transaction.commit()?;
            }
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
            Ok(())
        })
        .await
    }
}

/// One moment, whatever other processes write meanwhile: it begins with a look.
fn snapshot(source: &Source) -> Result<Connection> {
    let connection = source.connect(Purpose::Read)?;
    connection.execute_batch("BEGIN")?;
    rows::value::<i64>(&connection, "SELECT count(*) FROM sqlite_schema", [])?;
    Ok(connection)
}

/// A database that a copy has begun to fill is nobody's yet.
pub(super) fn refuse_unfinished(connection: &Connection) -> Result<()> {
    if has(connection, &MARKS)? && rows::value(connection, IS_UNFINISHED, [])? {
        return Err(StoreError::UnfinishedCopy);
    }
    Ok(())
}

fn has(connection: &Connection, table: &Table) -> Result<bool> {
    let named = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?)";
    rows::value(connection, named, [table.name])
}

fn select(table: &Table) -> String {
    let Table { name, columns, .. } = table;
    let part = "id > ? ORDER BY id LIMIT ?";
    match *name {
        TOKEN_USES => format!(
            "SELECT id, used_at, coalesce(used_rotation, 0) FROM tokens \
             WHERE used_at IS NOT NULL AND {part}"
        ),
        name if table.is_read_in_parts() => {
            format!("SELECT {} FROM {name} WHERE {part}", Table::list(columns))
        }
        name => format!("SELECT {} FROM {name}", Table::list(columns)),
    }
}

fn upsert(table: &Table) -> String {
    let Table { name, columns, .. } = table;
    if *name == TOKEN_USES {
        return "UPDATE tokens SET used_at = ?2, used_rotation = ?3 WHERE id = ?1".to_owned();
    }
    let places = vec!["?"; columns.len()].join(", ");
    let replaced =
        table.other_columns().iter().map(|column| format!("{0} = excluded.{0}", column.name));
    format!(
        "INSERT INTO {name} ({}) VALUES ({places}) ON CONFLICT ({}) DO UPDATE SET {}",
        Table::list(columns),
        Table::list(table.key_columns()),
        replaced.collect::<Vec<_>>().join(", ")
    )
}

fn of_key(table: &Table) -> String {
    let columns = table.key_columns().iter().map(|column| format!("{} = ?", column.name));
    columns.collect::<Vec<_>>().join(" AND ")
}

fn read(
    statement: &mut CachedStatement<'_>,
    params: impl rusqlite::Params,
    table: &Table,
) -> Result<Vec<Row>> {
    let mut rows = statement.query(params)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let values = (0..table.columns.len()).map(|at| value(row, at));
        found.push(Row(values.collect::<Result<_>>()?));
    }
    Ok(found)
}

fn value(row: &SqlRow<'_>, at: usize) -> Result<Value> {
    Ok(match row.get_ref(at)? {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Text(_) => Value::Text(row.get(at)?),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
        ValueRef::Real(_) => {
            return Err(StoreError::Corrupt("a number with a fraction".to_owned()));
        }
    })
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
