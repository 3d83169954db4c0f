//! `tokenry import`

use std::{
    fmt::Write as _,
    fs::File,
    io::{BufReader, Seek},
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use clap::Args;
use serde::Serialize;
use tokenry_server::{
    config::Config,
    data_folder::{DataFolder, ExclusiveLock},
    database::postgres_options,
    telemetry,
};
use tokenry_store::copy::{self, Gone, Imported, Records, Role, Side, Taken};

use super::{export::RecordsArg, load, server_key::ServerKey};
use crate::{
    args::ConfigArgs,
    exit_code::Exit,
    failure::Failure,
    output,
    progress::{Shown, grouped, span},
};

const MEGABYTE: u64 = 1_000_000;

#[derive(Args)]
#[command(after_help = "\
Stop every server first. FILE is what `tokenry export` has written, whole: its digest is looked at
before anything is written.

Records get the ids and hashes that they had, so tokens, API tokens, passwords and client secrets go
on working, if the database is served with the same server key. A record that is there already and
the same is passed over; one that differs stops the import, with the number of its line, and nothing
is overwritten. So it can be run again after it was broken off. A database that was begun with
`tokenry init` or `serve` has keys and a user of its own, which differ: import into an empty one.

WHAT WAS REVOKED in the database since the file was written is not in the database, but in the file.
A record whose id was given in the database before, and that is not there any more, stops the import
as well. --revive writes it: every token, API token, client and user of the file that was revoked or
deleted in the database since WORKS AGAIN.

Examples:
  tokenry import --data /var/lib/tokenry tokenry.jsonl
  tokenry import --store postgres://tokenry@db.example.com/tokenry tokenry.jsonl --json")]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// A file that `tokenry export` has written
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What to import of it; may be given several times [default: everything]
    #[arg(long, value_name = "RECORDS", value_enum)]
    only: Vec<RecordsArg>,
    /// Write what was revoked or deleted in the database since as well: it works again
    #[arg(long)]
    revive: bool,
    /// Print `{"records": [{"kind", "written", "same"}], "seconds", "server_key"}`
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    records: Vec<ImportedReport>,
    seconds: f64,
    server_key: Option<String>,
}

#[derive(Serialize)]
struct ImportedReport {
    kind: &'static str,
    written: u64,
    same: u64,
}

/// Takes records in.
pub(crate) async fn run(arguments: ImportArgs) -> anyhow::Result<ExitCode> {
    let config = load(&arguments.config, &arguments.config.overrides())?.config;
    telemetry::start_log(&config.log).context("log.filter")?;
    let began = Instant::now();
    let named = || arguments.file.display().to_string();
    if !arguments.file.exists() {
        let failure = Failure::new(Exit::NotFound, format!("{}: there is no such file", named()));
        return Err(failure.hint("name a file that `tokenry export` has written").into());
    }
    let mut file = File::open(&arguments.file).with_context(named)?;
    let length = file.metadata().with_context(named)?.len();
    let shown = Shown::new();
    let there = copy::read_begun(BufReader::new(&file), |done| {
        let (done, all) = (done / MEGABYTE, length / MEGABYTE);
        shown.with(|progress| progress.tell_in("MB", "checking the file", done, all));
    });
    let there = there.with_context(named)?;
    if !there.is_whole {
        bail!("{}: it was broken off; `tokenry export --resume` goes on with it", named());
    }
    file.rewind().with_context(named)?;
    let (side, _lock) = open_target(&config).await?;
    let only: Vec<Records> = arguments.only.iter().copied().map(Records::from).collect();
    let lines = BufReader::new(file);
    let gone = if arguments.revive { Gone::Revives } else { Gone::Stays };
    let taken = Taken { only: &only, gone };
    let imported = copy::import(&side, taken, &there, lines, &shown.of_copy()).await;
    shown.end();
    let imported = imported.with_context(|| {
        format!("{}: what comes before is written, and passed over by the next run", named())
    })?;
    let key = ServerKey::find(&side, None, &config).await?;
    let time = began.elapsed();
    output::line(if arguments.json {
        in_json(imported, time, key)?
    } else {
        in_words(&imported, time, &key)
    });
    Ok(ExitCode::SUCCESS)
}

/// Opens the database that the configuration names, and keeps servers and commands out.
async fn open_target(config: &Config) -> anyhow::Result<(Side, Option<ExclusiveLock>)> {
    if let Some(address) = &config.store {
        let options = postgres_options(config);
        let side = Side::open_postgres(address.clone(), Role::Target, options).await;
        return Ok((side.with_context(|| address.redacted())?, None));
    }
    let folder = DataFolder::open(&config.data)?;
    let lock = folder.lock_exclusive()?;
    let path = folder.database();
    let side = Side::open_sqlite(&path, Role::Target);
    Ok((side.with_context(|| path.display().to_string())?, Some(lock)))
}

fn in_words(imported: &[Imported], time: Duration, key: &ServerKey) -> String {
    let mut text = format!("{:<18}{:>14}{:>14}\n", "records", "written", "the same");
    for Imported { kind, written, same } in imported {
        let _ = writeln!(text, "{kind:<18}{:>14}{:>14}", grouped(*written), grouped(*same));
    }
    let _ = writeln!(text, "Imported in {}.", span(time));
    let _ = match key {
        ServerKey::In(place) => write!(text, "The server key in {place} fits."),
        ServerKey::NotIn(place) => write!(
            text,
            "The server key is not here ({place}). What was issued works only with the one of the \
             database that was exported."
        ),
    };
    text
}

fn in_json(imported: Vec<Imported>, time: Duration, key: ServerKey) -> anyhow::Result<String> {
    let records = imported.into_iter().map(|imported| {
        let Imported { kind, written, same } = imported;
        ImportedReport { kind, written, same }
    });
    let (records, seconds) = (records.collect(), time.as_secs_f64());
    Ok(serde_json::to_string(&Report { records, seconds, server_key: key.place() })?)
}
