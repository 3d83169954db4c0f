//! `tokenry restore`
//!
//! 1. The target is looked at: nobody serves it, and what it holds is replaced only by `--replace`.
//! 2. The backup is copied into the data folder, and verified there.
//! 3. What was revoked since it was taken is settled (`--since-then`), and the ids given since.
//! 4. What is replaced is kept under a name with the time, and the restored one takes its place.

mod report;
mod target;

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use tokenry_protocol::time::Timestamp;
use tokenry_server::{
    config::Config, data_folder::DataFolder, environment::Environment, telemetry,
};
use tokenry_store::copy::{self, BackupNote, Role, Side, SinceThen, Staged};

use self::{report::Restored, target::Target};
use super::{load, server_key::ServerKey};
use crate::{
    args::ConfigArgs,
    exit_code::Exit,
    failure::Failure,
    output,
    progress::Shown,
    staged_file::{StagedFile, beside},
};

/// Copied between two looks at how far it is, in bytes.
const PART: u64 = 16 << 20;
const MEGABYTE: u64 = 1_000_000;

#[derive(Args)]
#[command(after_help = "\
Stop every server first. The backup is verified before anything is touched.

WHAT WAS REVOKED SINCE the backup was taken is alive in the backup. --since-then says what becomes
of it:

  follow  What has ended in the database that is replaced stays ended: tokens, API tokens, sessions,
          clients, users; a changed password or client secret stays changed, a refresh token that
          was spent stays spent. This is what happens with --replace unless you say otherwise. It
          needs that database, so it is not possible when the disk is lost.
  end     Every token, grant, API token and sign-in session of the backup is ended: people sign in
          and consent again, programs ask for new tokens, and `tokenry user create --role admin`
          makes an administrator with an API token. Clients and users stay, with the secrets,
          passwords and roles of that time.
  keep    Everything is alive as it was, and WHATEVER WAS REVOKED SINCE WORKS AGAIN: tokens of
          thieves, deleted clients and users, old passwords and client secrets. Right when nothing
          was revoked since, as when the server was stopped before the backup was taken.

Ids that may have been given since are never given again: by --since-then end and keep the next ids
are higher by a million for each second since the backup was taken, and a day.

Examples:
  tokenry restore --data /var/lib/tokenry /backup/tokenry-2026-11-28.db --replace
  tokenry restore --data /var/lib/tokenry /backup/tokenry-2026-11-28.db --since-then end

What is replaced is kept beside, and the last lines say where. Put the server key back as well, if
it is gone too. When it was broken off, run it again.")]
pub(crate) struct RestoreArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// A file that `tokenry backup` has written
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace the database that is there
    #[arg(long)]
    replace: bool,
    /// What becomes of what was revoked since the backup was taken
    #[arg(long, value_name = "CHOICE", value_enum)]
    since_then: Option<Choice>,
    /// Print `{"taken_at", "source", "tables", "since_then", "ended", "replaced", "seconds",
    /// "server_key"}`
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Choice {
    /// What has ended in the replaced database stays ended
    Follow,
    /// Every token, API token and session is ended
    End,
    /// Everything is alive again
    Keep,
}

impl Choice {
    const fn word(self) -> &'static str {
        match self {
            Self::Follow => "follow",
            Self::End => "end",
            Self::Keep => "keep",
        }
    }
}

impl From<Choice> for SinceThen {
    fn from(choice: Choice) -> Self {
        match choice {
            Choice::Follow => Self::Follow,
            Choice::End => Self::End,
            Choice::Keep => Self::Keep,
        }
    }
}

/// Restores a backup.
pub(crate) async fn run(arguments: RestoreArgs) -> anyhow::Result<ExitCode> {
    let config = load(&arguments.config, &arguments.config.overrides())?.config;
    telemetry::start_log(&config.log).context("log.filter")?;
    let began = Instant::now();
    let file = &arguments.file;
    let named = || file.display().to_string();
    if !file.is_file() {
        let failure = Failure::new(Exit::NotFound, format!("{}: there is no such file", named()));
        return Err(failure.hint("name a file that `tokenry backup` has written").into());
    }
    let note = copy::read_note(file).with_context(named)?;
    let note = note.with_context(|| {
        format!("{}: this is no backup that `tokenry backup` has taken whole", named())
    })?;
    let folder = DataFolder::open(&config.data)?;
    // Also of a shared database: what is staged is in this folder.
    let _lock = folder.lock_exclusive()?;
    let now = Environment::system().clock.now();
    let shown = Shown::new();
    let restoring = Restoring { arguments: &arguments, config: &config, note, now, shown };
    let restored = restoring.run(&folder).await;
    restoring.shown.end();
    let restored = restored?;
    tracing::warn!(
        taken_at = %restored.note.taken_at,
        since_then = restored.choice.map(Choice::word),
        ended = ?restored.ended,
        "a backup was restored"
    );
    let time = began.elapsed();
    output::line(if arguments.json { restored.in_json(time)? } else { restored.in_words(time) });
    Ok(ExitCode::SUCCESS)
}

struct Restoring<'a> {
    arguments: &'a RestoreArgs,
    config: &'a Config,
    note: BackupNote,
    now: Timestamp,
    shown: Shown,
}

impl Restoring<'_> {
    async fn run(&self, folder: &DataFolder) -> anyhow::Result<Restored> {
        let target = Target::look_at(folder, self.config).await?;
        let path = beside(&folder.database(), ".restoring");
        if let Some(settled) = self.left_settled(&target, &path) {
            return self.put(target, settled, None, Vec::new()).await;
        }
        let choice = self.choose(&target)?;
        let staged_file = StagedFile::new(path)?;
        self.copy_file(staged_file.path()).await?;
        let mut staged = Staged::new(staged_file.path().to_owned(), self.note.clone());
        let tables = staged.verify(&self.shown.of_copy()).await?;
        // Before anything is touched: a key that does not fit shows that it is another's backup.
        self.find_key(staged_file.path()).await?;
        let replaced = target.read(self.config).await?;
        let progress = self.shown.of_copy();
        let ended = staged.settle(choice.into(), replaced.as_ref(), self.now, &progress).await;
        let ended = ended.context(
            "what was revoked since could not be settled, and nothing was changed; \
             --since-then end or keep does without the database that is replaced",
        )?;
        drop(replaced);
        let settled = (staged_file, staged);
        let mut restored = self.put(target, settled, Some(choice), tables).await?;
        restored.ended = Some(ended);
        Ok(restored)
    }

    /// What a run has left that was broken off while it put the same backup in its place.
    fn left_settled(&self, target: &Target, path: &Path) -> Option<(StagedFile, Staged)> {
        if !target.is_unfinished() || !path.is_file() {
            return None;
        }
        let left = copy::read_note(path).ok().flatten()?;
        let staged = Staged::new(path.to_owned(), left.clone());
        if !staged.is_settled() || !left.is_same_backup(&self.note) {
            return None;
        }
        Some((StagedFile::open(path.to_owned()).ok()?, staged))
    }

    /// Nobody is told later that what was revoked is alive: whoever restores says so before.
    fn choose(&self, target: &Target) -> anyhow::Result<Choice> {
        let RestoreArgs { replace, since_then, .. } = self.arguments;
        if !target.is_empty() && !replace {
            bail!(
                "{} holds a database already: --replace puts the backup in its place, and keeps \
                 it beside",
                target.shown()
            );
        }
        match (since_then, target.reason_not_to_follow()) {
            (Some(Choice::Follow) | None, Some(reason)) => bail!(
                "{reason}, so nobody knows what was revoked since the backup was taken at {}, and \
                 all of that is alive in it. Say what becomes of it:\n\
                 --since-then end   ends every token, grant, API token and sign-in session of the \
                 backup; clients and users stay\n\
                 --since-then keep  leaves everything alive, and with it whatever was revoked \
                 since",
                self.note.taken_at
            ),
            (Some(choice), _) => Ok(*choice),
            (None, None) => Ok(Choice::Follow),
        }
    }

    async fn copy_file(&self, to: &Path) -> anyhow::Result<()> {
        let (from, to, shown) = (self.arguments.file.clone(), to.to_owned(), self.shown.clone());
        let copied = tokio::task::spawn_blocking(move || -> io::Result<()> {
            let source = File::open(from)?;
            let size = source.metadata()?.len();
            let mut target = File::options().write(true).open(to)?;
            let mut done = 0;
            let told = |done: u64| {
                let (done, all) = (done / MEGABYTE, size / MEGABYTE);
                shown.with(|progress| progress.tell_in("MB", "reading", done, all));
            };
            loop {
                told(done);
                let part = io::copy(&mut (&source).take(PART), &mut target)?;
                if part == 0 {
                    return target.sync_all();
                }
                done += part;
            }
        });
        copied.await?.with_context(|| self.arguments.file.display().to_string())
    }

    async fn find_key(&self, staged: &Path) -> anyhow::Result<ServerKey> {
        let side = Side::open_sqlite(staged, Role::Source)?;
        ServerKey::find(&side, None, self.config).await
    }

    /// The last step. From here on it can be run again, and goes on.
    async fn put(
        &self,
        target: Target,
        (mut staged_file, staged): (StagedFile, Staged),
        choice: Option<Choice>,
        tables: Vec<copy::Copied>,
    ) -> anyhow::Result<Restored> {
        let key = self.find_key(staged_file.path()).await?;
        let progress = self.shown.of_copy();
        let shown = target.shown().to_owned();
        let replaced = target.keep_replaced(self.now, self.config, &progress).await?;
        let put = replaced.put(&mut staged_file, staged, &progress).await;
        if let Err(error) = put {
            return Err(error.context(match &replaced.kept {
                Some(kept) => format!("{shown}, which is kept in {}", kept.display()),
                None => shown,
            }));
        }
        replaced.finish(staged_file)?;
        let (note, kept) = (self.note.clone(), replaced.kept);
        Ok(Restored { shown, note, tables, choice, ended: None, kept, key })
    }
}
