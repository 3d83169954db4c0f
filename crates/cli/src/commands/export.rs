//! `tokenry export`

use std::{
    fs::{File, OpenOptions, Permissions},
    io::{self, BufReader, BufWriter, Seek, SeekFrom, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use serde::Serialize;
use tokenry_server::{environment::Environment, telemetry};
use tokenry_store::copy::{self, Begun, Records, Start};

use super::{backup::open_snapshot, load};
use crate::{
    args::ConfigArgs,
    output,
    progress::{Shown, grouped, span},
    staged_file::folder_of,
};

/// What standard output is called.
const STDOUT: &str = "-";
const OWNER_ONLY: u32 = 0o600;

#[derive(Args)]
#[command(after_help = "\
A record a line, as JSON: a header with the number of records of each kind, then keys, users,
clients, API tokens, tokens and their last uses, and at the end a digest. Servers may go on: all of
it is of one moment. Sign-in sessions and events are not exported: a backup has them.

THE FILE IS WORTH AS MUCH AS THE DATABASE, and only its owner can read it. It holds no password and
no token, but what they are checked against: hashes of passwords, which can be guessed at, and of
tokens, which cannot. The keys in it are sealed under the server key, which is not in it. Tokens go
on working where they are imported, if that is served with the same server key.

--resume goes on after the last whole line of a file that was broken off. What it adds is of a later
moment: users and clients that were written before the break are as they were then, and records of
those that came since are left out; its line `resumed` says so.

Examples:
  tokenry export --data /var/lib/tokenry --to tokenry.jsonl
  tokenry export --to tokenry.jsonl --resume
  tokenry export --only clients --to - | jq -r 'select(.kind == \"client\") | .identifier'

`tokenry import FILE` takes it in again.")]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The file to write, or - for standard output
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Go on with a file that was broken off
    #[arg(long)]
    resume: bool,
    /// What to export; may be given several times [default: everything]
    #[arg(long, value_name = "RECORDS", value_enum, conflicts_with = "resume")]
    only: Vec<RecordsArg>,
    /// Print `{"file", "lines", "bytes", "seconds"}` (not with --to -)
    #[arg(long)]
    json: bool,
}

/// What to export or import.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum RecordsArg {
    /// Users
    Users,
    /// Clients, whose users have to be there when they are imported
    Clients,
    /// Tokens with their last uses, and the sealed keys that they need
    Tokens,
    /// API tokens, and the sealed keys that they need
    ApiTokens,
}

impl From<RecordsArg> for Records {
    fn from(records: RecordsArg) -> Self {
        match records {
            RecordsArg::Users => Self::Users,
            RecordsArg::Clients => Self::Clients,
            RecordsArg::Tokens => Self::Tokens,
            RecordsArg::ApiTokens => Self::ApiTokens,
        }
    }
}

#[derive(Serialize)]
struct Report {
    file: String,
    lines: u64,
    bytes: u64,
    seconds: f64,
}

/// Writes records as lines.
pub(crate) async fn run(arguments: ExportArgs) -> anyhow::Result<ExitCode> {
    let config = load(&arguments.config, &arguments.config.overrides())?.config;
    telemetry::start_log(&config.log).context("log.filter")?;
    let began = Instant::now();
    let now = Environment::system().clock.now();
    let (side, _) = open_snapshot(&config).await?;
    let only: Vec<Records> = arguments.only.iter().copied().map(Records::from).collect();
    let new = Start::New { only: &only, version: env!("CARGO_PKG_VERSION") };
    let shown = Shown::new();
    if arguments.to.as_os_str() == STDOUT {
        if arguments.resume {
            bail!("--resume needs a file: nobody knows what standard output was given");
        }
        let mut out = BufWriter::new(io::stdout());
        let exported = copy::export(&side, new, now, &mut out, &shown.of_copy()).await;
        shown.end();
        exported?;
        return Ok(ExitCode::SUCCESS);
    }
    let to = &arguments.to;
    let (file, start) = if arguments.resume {
        let (file, there) = open_begun(to)?;
        if there.is_whole {
            output::line(format_args!("{} is whole: there is nothing to add.", to.display()));
            return Ok(ExitCode::SUCCESS);
        }
        (file, Start::Rest(Box::new(there)))
    } else {
        (create(to)?, new)
    };
    let mut out = BufWriter::new(&file);
    let exported = copy::export(&side, start, now, &mut out, &shown.of_copy()).await;
    shown.end();
    let flushed = out.flush();
    drop(out);
    let lines = exported.context("run it again with --resume: it goes on")?;
    flushed.and_then(|()| file.sync_all()).with_context(|| to.display().to_string())?;
    let bytes = file.metadata().with_context(|| to.display().to_string())?.len();
    report(&arguments, lines, bytes, began)
}

fn report(
    arguments: &ExportArgs,
    lines: u64,
    bytes: u64,
    began: Instant,
) -> anyhow::Result<ExitCode> {
    let (file, time) = (arguments.to.display().to_string(), began.elapsed());
    if arguments.json {
        let report = Report { file, lines, bytes, seconds: time.as_secs_f64() };
        output::line(serde_json::to_string(&report)?);
    } else {
        output::line(format_args!(
            "{file}: {} lines, {} bytes, in {}.",
            grouped(lines),
            grouped(bytes),
            span(time)
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// A new file, for its owner alone.
fn create(path: &Path) -> anyhow::Result<File> {
    let mut options = OpenOptions::new();
    let created = options.write(true).create_new(true).mode(OWNER_ONLY).open(path);
    let file = match created {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => bail!(
            "{} is there already: --resume goes on with one that was broken off, and otherwise \
             choose another name",
            path.display()
        ),
        created => created.with_context(|| path.display().to_string())?,
    };
    lock(&file, path)?;
    File::open(folder_of(path))?.sync_all().with_context(|| path.display().to_string())?;
    Ok(file)
}

/// What there is of a file, without the half of a line at its end.
fn open_begun(path: &Path) -> anyhow::Result<(File, Begun)> {
    let named = || path.display().to_string();
    let mut file = OpenOptions::new().read(true).write(true).open(path).with_context(named)?;
    lock(&file, path)?;
    // Whoever moved it about may have left it to everybody.
    file.set_permissions(Permissions::from_mode(OWNER_ONLY)).with_context(named)?;
    let begun = copy::read_begun(BufReader::new(&file), |_| ()).with_context(named)?;
    if !begun.is_whole {
        file.set_len(begun.bytes).with_context(named)?;
        file.seek(SeekFrom::End(0)).with_context(named)?;
    }
    Ok((file, begun))
}

fn lock(file: &File, path: &Path) -> anyhow::Result<()> {
    let locked = file.try_lock();
    locked.with_context(|| format!("{}: another tokenry is writing it", path.display()))
}
