//! `tokenry store copy`

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use serde::Serialize;
use tokenry_server::{
    config::{Config, Mode, process_environment},
    data_folder::{DataFolder, ExclusiveLock},
    database::postgres_options,
    telemetry,
};
use tokenry_store::{
    copy::{self, Copied, Role, Side},
    postgres::PostgresAddress,
};

use super::{no_installation, server_key::ServerKey};
use crate::{
    output,
    progress::{Shown, grouped, span},
};

#[derive(Args)]
#[command(after_help = "Example:
  tokenry store copy --from sqlite:/var/lib/tokenry --to env:TOKENRY_STORE")]
pub(crate) struct StoreArgs {
    #[command(subcommand)]
    pub(crate) command: StoreCommand,
}

#[derive(Subcommand)]
pub(crate) enum StoreCommand {
    /// Make one database the same as another, between SQLite and PostgreSQL or within one of them
    Copy(StoreCopyArgs),
}

#[derive(Args)]
#[command(after_help = "\
ADDRESS is one of
  sqlite:PATH        a data folder, or a database file that ends in .db
  postgres://…       a database that is there already
  env:NAME           the address is in that environment variable: an argument can be seen in
                     process lists, so an address with a password belongs there

Examples:
  tokenry store copy --from sqlite:/var/lib/tokenry --to postgres://tokenry@db.example.com/tokenry
  TOKENRY_STORE='postgres://tokenry:…@db.example.com/tokenry' \\
      tokenry store copy --from sqlite:/var/lib/tokenry --to env:TOKENRY_STORE
  tokenry store copy --from env:TOKENRY_STORE --to sqlite:/var/lib/tokenry-copy --json

Stop every server on both databases first. All that was issued stays valid: tokens, API tokens,
sessions, clients and users are copied with their ids and the sealed keys. The server key is not in
a database: take it along. At the end both sides are read again and compared.

It can be run again, after it was broken off or when the source has moved on, and makes the target
the same as the source again. A target that holds anything else, or that was served since it was
copied, is refused before anything is written. Until a copy is whole no server opens its target.")]
pub(crate) struct StoreCopyArgs {
    /// The configuration file (TOML)
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The database to read
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) from: String,
    /// The database to write: empty, or an earlier copy that was not served since
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) to: String,
    /// Print `{"tables": [{"table", "rows", "changed", "sha256"}], "seconds", "server_key"}`
    #[arg(long)]
    pub(crate) json: bool,
}

/// The name of the database in a data folder, which is the only one that is served.
const SERVED: &str = "tokenry.db";

/// Copies a database.
pub(crate) async fn run(arguments: StoreArgs) -> anyhow::Result<ExitCode> {
    match arguments.command {
        StoreCommand::Copy(arguments) => copy(&arguments).await,
    }
}

async fn copy(arguments: &StoreCopyArgs) -> anyhow::Result<ExitCode> {
    let loaded =
        Config::load(Mode::Serve, arguments.config.as_deref(), process_environment(), &[])?;
    let config = loaded.config;
    telemetry::start_log(&config.log).context("log.filter")?;
    let from = Address::parse(&arguments.from).context("--from")?;
    let to = Address::parse(&arguments.to).context("--to")?;
    if from.is_same(&to) {
        bail!("--from and --to name the same database");
    }
    let began = Instant::now();
    let (source, _source_lock) = from.open(Role::Source, &config).await?;
    let key = ServerKey::find(&source, from.folder(), &config).await?;
    let (target, _target_lock) = to.open(Role::Target, &config).await?;
    let shown = Shown::new();
    let copied = copy::copy(&source, &target, &shown.of_copy()).await;
    shown.end();
    let (copied, time) = (copied?, began.elapsed());
    if arguments.json {
        output::line(in_json(&copied, time, key)?);
    } else {
        output::line(in_words(&copied, time));
        output::line(match &key {
            ServerKey::In(place) => format!(
                "The server key is no part of a database. Every node that serves the copy needs \
                 the one in {place}: in its data folder, by key_file, or as TOKENRY_SERVER_KEY."
            ),
            ServerKey::NotIn(place) => format!(
                "The server key is no part of a database, and it is not here ({place}). Nodes \
                 serve the copy only with the key that the source was served with."
            ),
        });
    }
    Ok(ExitCode::SUCCESS)
}

/// Where a database is.
enum Address {
    Sqlite(PathBuf),
    Postgres(Box<PostgresAddress>),
}

impl Address {
    fn parse(text: &str) -> anyhow::Result<Self> {
        if let Some(name) = text.strip_prefix("env:") {
            let value = std::env::var(name).with_context(|| format!("env:{name}"))?;
            return Self::parse_plain(&value).with_context(|| format!("env:{name}"));
        }
        Self::parse_plain(text)
    }

    fn parse_plain(text: &str) -> anyhow::Result<Self> {
        if let Some(path) = text.strip_prefix("sqlite:").filter(|path| !path.is_empty()) {
            let path = PathBuf::from(path);
            let is_file = path.is_file() || path.extension().is_some_and(|end| end == "db");
            return Ok(Self::Sqlite(if is_file { path } else { path.join(SERVED) }));
        }
        if text.starts_with("postgres") {
            return Ok(Self::Postgres(Box::new(PostgresAddress::parse(text)?)));
        }
        // What was written is not repeated: it may hold a password.
        bail!("write sqlite:PATH, postgres://user@host:5432/database or env:NAME")
    }

    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Sqlite(one), Self::Sqlite(other)) => {
                let real = |path: &PathBuf| path.canonicalize().unwrap_or_else(|_| path.clone());
                real(one) == real(other)
            }
            (Self::Postgres(one), Self::Postgres(other)) => one == other,
            _ => false,
        }
    }

    /// As messages show it.
    fn shown(&self) -> String {
        match self {
            Self::Sqlite(path) => path.display().to_string(),
            Self::Postgres(address) => address.redacted(),
        }
    }

    /// The folder that the database is in.
    fn folder(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(path) => path.parent(),
            Self::Postgres(_) => None,
        }
    }

    /// Opens it, and keeps servers and commands out.
    async fn open(
        &self,
        role: Role,
        config: &Config,
    ) -> anyhow::Result<(Side, Option<ExclusiveLock>)> {
        let context = || self.shown();
        match self {
            Self::Sqlite(path) => {
                if role == Role::Source && !path.is_file() {
                    let folder = self.folder().unwrap_or(path);
                    return Err(no_installation(folder).hint("--from says what is copied").into());
                }
                let lock = lock(path)?;
                Ok((Side::open_sqlite(path, role).with_context(context)?, lock))
            }
            Self::Postgres(address) => {
                let options = postgres_options(config);
                let side =
                    Side::open_postgres(PostgresAddress::clone(address), role, options).await;
                Ok((side.with_context(context)?, None))
            }
        }
    }
}

/// Only the database of a data folder can be served.
fn lock(path: &Path) -> anyhow::Result<Option<ExclusiveLock>> {
    let folder = path.parent().filter(|_| path.file_name().is_some_and(|name| name == SERVED));
    let lock = folder.map(|folder| DataFolder::open(folder)?.lock_exclusive());
    Ok(lock.transpose()?)
}

#[derive(Serialize)]
struct Report {
    tables: Vec<TableReport>,
    seconds: f64,
    server_key: Option<String>,
}

#[derive(Serialize)]
struct TableReport {
    table: &'static str,
    rows: u64,
    changed: u64,
    sha256: String,
}

fn in_json(copied: &[Copied], time: Duration, key: ServerKey) -> anyhow::Result<String> {
    let tables = copied.iter().map(|copied| TableReport {
        table: copied.table,
        rows: copied.rows,
        changed: copied.changed,
        sha256: copy::hex(&copied.digest),
    });
    let report =
        Report { tables: tables.collect(), seconds: time.as_secs_f64(), server_key: key.place() };
    Ok(serde_json::to_string(&report)?)
}

fn in_words(copied: &[Copied], time: Duration) -> String {
    let mut text =
        format!("{:<18}{:>14}{:>14}  the same on both sides\n", "table", "rows", "changed");
    for Copied { table, rows, changed, digest } in copied {
        let (rows, changed) = (grouped(*rows), grouped(*changed));
        // Enough of it to compare two runs by eye.
        let digest = copy::hex(digest.get(..8).unwrap_or(digest));
        let _ = writeln!(text, "{table:<18}{rows:>14}{changed:>14}  sha256 {digest}…");
    }
    let _ = write!(text, "Copied and verified in {}.", span(time));
    text
}
