//! `tokenry backup`

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use clap::Args;
use serde::Serialize;
use tokenry_protocol::time::Timestamp;
use tokenry_server::{
    config::Config, data_folder::DataFolder, database::postgres_options, environment::Environment,
    telemetry,
};
use tokenry_store::copy::{self, BackupNote, Copied, Role, Side};

use super::{load, no_installation, server_key::ServerKey};
use crate::{
    args::ConfigArgs,
    output,
    progress::{Shown, grouped, span},
    staged_file::{Existing, StagedFile, beside},
};

#[derive(Args)]
#[command(after_help = "\
It can be taken at any time: servers go on, and nobody waits. The backup is the database as it was
at one moment, in one file that only its owner can read, whatever database it is of. It is compared
with that moment, table by table, before it gets its name.

Two things are not in it: the server key, without which no backup can be served, and the
configuration. Keep both apart from the backups. The file is worth as much as the database: it holds
no password and no token, but their hashes, and addresses and names of people.

Examples:
  tokenry backup --data /var/lib/tokenry --to /backup/tokenry-$(date +%F).db
  tokenry backup --config /etc/tokenry/tokenry.toml --to /backup/tokenry.db --force --json

`tokenry restore FILE` puts it back, and says what becomes of what was revoked since.")]
pub(crate) struct BackupArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Replace the file if it is there already
    #[arg(long)]
    force: bool,
    /// Print `{"file", "bytes", "taken_at", "source", "tables": [{"table", "rows", "sha256"}],
    /// "seconds", "server_key"}`
    #[arg(long)]
    json: bool,
}

/// Takes a backup.
pub(crate) async fn run(arguments: BackupArgs) -> anyhow::Result<ExitCode> {
    let config = load(&arguments.config, &arguments.config.overrides())?.config;
    telemetry::start_log(&config.log).context("log.filter")?;
    let to = &arguments.to;
    let existing = if arguments.force { Existing::Replaced } else { Existing::Stays };
    if to.is_dir() || (to.exists() && existing == Existing::Stays) {
        bail!("{} is there already: choose another name, or say --force", to.display());
    }
    let began = Instant::now();
    // Before the snapshot, so that whatever the backup lacks was done later.
    let taken_at = Environment::system().clock.now();
    let (side, source) = open_snapshot(&config).await?;
    let key = ServerKey::find(&side, None, &config).await?;
    let staged = StagedFile::new(beside(to, ".unfinished"))?;
    let note = BackupNote::new(taken_at, source, env!("CARGO_PKG_VERSION").to_owned());
    let shown = Shown::new();
    let copied = copy::back_up(&side, staged.path(), note.clone(), &shown.of_copy()).await;
    shown.end();
    let copied = copied?;
    let bytes = staged.path().metadata().with_context(|| to.display().to_string())?.len();
    staged.put(to, existing)?;
    let taken = Taken { file: to, bytes, note, copied, time: began.elapsed() };
    output::line(if arguments.json { taken.in_json(key)? } else { taken.in_words(&key) });
    Ok(ExitCode::SUCCESS)
}

/// The database that the configuration names, at this moment, and how messages show it.
pub(super) async fn open_snapshot(config: &Config) -> anyhow::Result<(Side, String)> {
    if let Some(address) = &config.store {
        let shown = address.redacted();
        let options = postgres_options(config);
        let side = Side::open_postgres(address.clone(), Role::Snapshot, options).await;
        return Ok((side.with_context(|| shown.clone())?, shown));
    }
    let path = DataFolder::named(&config.data).database();
    let shown = path.display().to_string();
    if !path.is_file() {
        return Err(no_installation(&config.data).into());
    }
    Ok((Side::open_sqlite(&path, Role::Snapshot).with_context(|| shown.clone())?, shown))
}

struct Taken<'a> {
    file: &'a Path,
    bytes: u64,
    note: BackupNote,
    copied: Vec<Copied>,
    time: Duration,
}

#[derive(Serialize)]
struct Report {
    file: String,
    bytes: u64,
    taken_at: Timestamp,
    source: String,
    tables: Vec<TableReport>,
    seconds: f64,
    server_key: Option<String>,
}

/// What a table of a backup amounts to.
#[derive(Serialize)]
pub(super) struct TableReport {
    table: &'static str,
    rows: u64,
    sha256: String,
}

impl TableReport {
    pub(super) fn of(copied: &[Copied]) -> Vec<Self> {
        let tables = copied.iter().map(|copied| Self {
            table: copied.table,
            rows: copied.rows,
            sha256: copy::hex(&copied.digest),
        });
        tables.collect()
    }

    /// A line for each.
    pub(super) fn in_words(tables: &[Self]) -> String {
        let mut text = format!("{:<18}{:>14}  as it was\n", "table", "rows");
        for Self { table, rows, sha256 } in tables {
            // Enough of it to compare two runs by eye.
            let digest = sha256.get(..16).unwrap_or(sha256);
            let _ = writeln!(text, "{table:<18}{:>14}  sha256 {digest}…", grouped(*rows));
        }
        text
    }
}

impl Taken<'_> {
    fn in_words(&self, key: &ServerKey) -> String {
        let Self { file, bytes, note, copied, time } = self;
        let mut text = TableReport::in_words(&TableReport::of(copied));
        let (file, bytes) = (file.display(), grouped(*bytes));
        let BackupNote { taken_at, source, .. } = note;
        let _ = writeln!(text, "{file}: {bytes} bytes, {source} as of {taken_at}.");
        let _ = writeln!(text, "Backed up and verified in {}.", span(*time));
        let _ = match key {
            ServerKey::In(place) => write!(
                text,
                "The server key is not in it, and without that a backup cannot be served. Keep a \
                 copy of it, apart from the backups: it is in {place}."
            ),
            ServerKey::NotIn(place) => write!(
                text,
                "The server key is not in it, and without that a backup cannot be served. It is \
                 not here either ({place}): make sure that there is a copy of it."
            ),
        };
        text
    }

    fn in_json(self, key: ServerKey) -> anyhow::Result<String> {
        let report = Report {
            file: self.file.display().to_string(),
            bytes: self.bytes,
            taken_at: self.note.taken_at,
            source: self.note.source,
            tables: TableReport::of(&self.copied),
            seconds: self.time.as_secs_f64(),
            server_key: key.place(),
        };
        Ok(serde_json::to_string(&report)?)
    }
}
