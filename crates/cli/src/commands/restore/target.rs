//! The database that is replaced, if there is one: what it holds, and how it is kept.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use tokenry_protocol::time::Timestamp;
use tokenry_server::{config::Config, data_folder::DataFolder, database::postgres_options};
use tokenry_store::copy::{self, BackupNote, Progress, Role, Side, Staged};

use crate::{
    commands::backup::open_snapshot,
    staged_file::{BESIDE, Existing, StagedFile, beside, folder_of, remove},
};

/// Where a backup is to be restored.
pub(super) struct Target {
    /// Of the data folder, whichever database is the target.
    file: PathBuf,
    shown: String,
    place: Place,
    state: State,
}

enum Place {
    /// The file.
    Embedded,
    /// A shared database.
    Shared(Side),
}

enum State {
    /// There is nothing.
    Empty,
    /// It can be asked what has ended in it.
    Readable,
    /// It cannot.
    Unreadable(String),
    /// A copy into it was broken off.
    Unfinished,
}

/// A target of which what it held is kept.
pub(super) struct Replaced {
    file: PathBuf,
    place: Place,
    /// Where it is kept.
    pub(super) kept: Option<PathBuf>,
}

impl Target {
    /// Refuses one that is served.
    pub(super) async fn look_at(folder: &DataFolder, config: &Config) -> anyhow::Result<Self> {
        let file = folder.database();
        if let Some(address) = &config.store {
            let shown = address.redacted();
            let options = postgres_options(config);
            let side = Side::open_postgres(address.clone(), Role::Target, options).await;
            let side = side.with_context(|| shown.clone())?;
            let state = if copy::is_unfinished(&side).await? {
                State::Unfinished
            } else if copy::is_empty(&side).await? {
                State::Empty
            } else {
                State::Readable
            };
            return Ok(Self { file, shown, place: Place::Shared(side), state });
        }
        let shown = file.display().to_string();
        let state = look_at_file(&file).await;
        Ok(Self { file, shown, place: Place::Embedded, state })
    }

    /// As messages show it.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    pub(super) const fn is_empty(&self) -> bool {
        matches!(self.state, State::Empty)
    }

    pub(super) const fn is_unfinished(&self) -> bool {
        matches!(self.state, State::Unfinished)
    }

    /// Why it cannot tell what was revoked since.
    pub(super) fn reason_not_to_follow(&self) -> Option<String> {
        match &self.state {
            State::Empty => Some(format!("{} holds nothing", self.shown)),
            State::Readable => None,
            State::Unreadable(error) => Some(format!("{} cannot be read ({error})", self.shown)),
            State::Unfinished => Some(format!("{} is half of a copy", self.shown)),
        }
    }

    /// What it holds, if that can be read.
    pub(super) async fn read(&self, config: &Config) -> anyhow::Result<Option<Side>> {
        Ok(match (&self.state, &self.place) {
            (State::Readable, Place::Embedded) => {
                Some(Side::open_sqlite(&self.file, Role::Source)?)
            }
            (State::Readable, Place::Shared(_)) => Some(open_snapshot(config).await?.0),
            (State::Empty | State::Unreadable(_) | State::Unfinished, _) => None,
        })
    }

    /// Keeps what it holds. A file stays where it is as well until it is replaced; of a shared
    /// database a backup is taken.
    pub(super) async fn keep_replaced(
        self,
        now: Timestamp,
        config: &Config,
        progress: &Progress,
    ) -> anyhow::Result<Replaced> {
        let Self { file, place, state, .. } = self;
        let time: String = now.to_string().chars().filter(|c| !"-:".contains(*c)).collect();
        let name = free_name(&file, &format!(".replaced-{time}"));
        let kept = match (&place, state) {
            (Place::Embedded, State::Readable) => {
                copy::close_log(&file).await?;
                link(&file, &name)?;
                Some(name)
            }
            (Place::Embedded, State::Unreadable(_) | State::Unfinished) => {
                for end in ["", "-wal"] {
                    link(&beside(&file, end), &beside(&name, end))?;
                }
                Some(name)
            }
            (Place::Shared(_), State::Readable) => {
                let staged = StagedFile::new(beside(&name, ".unfinished"))?;
                let (side, source) = open_snapshot(config).await?;
                let version = env!("CARGO_PKG_VERSION").to_owned();
                let note = BackupNote::new(now, source, version);
                copy::back_up(&side, staged.path(), note, progress).await?;
                staged.put(&name, Existing::Stays)?;
                Some(name)
            }
            (_, State::Empty) | (Place::Shared(_), _) => None,
        };
        Ok(Replaced { file, place, kept })
    }
}

/// A name beside the file that nothing has: two may be replaced in one second.
fn free_name(file: &Path, end: &str) -> PathBuf {
    let first = beside(file, end);
    let others = (2_u32..).map(|number| beside(file, &format!("{end}-{number}")));
    let is_free = |name: &PathBuf| fs::symlink_metadata(name).is_err();
    std::iter::once(first.clone()).chain(others).find(is_free).unwrap_or(first)
}

impl Replaced {
    /// Puts a settled backup in its place.
    pub(super) async fn put(
        &self,
        staged_file: &mut StagedFile,
        staged: Staged,
        progress: &Progress,
    ) -> anyhow::Result<()> {
        match &self.place {
            Place::Embedded => {
                staged.into_database().await?;
                Ok(())
            }
            Place::Shared(side) => {
                // From here on the database is half of two, and this file is what makes it whole.
                staged_file.keep();
                staged.replace(side, progress).await.context("run the same again: it goes on")?;
                Ok(())
            }
        }
    }

    /// Gives the file its name, or removes what was staged.
    pub(super) fn finish(&self, staged_file: StagedFile) -> anyhow::Result<()> {
        let path = staged_file.path().to_owned();
        if matches!(self.place, Place::Shared(_)) {
            for end in BESIDE {
                remove(&beside(&path, end))?;
            }
            return remove(&path);
        }
        // A log would be taken for that of the file which comes in its place.
        for end in BESIDE {
            remove(&beside(&self.file, end))?;
            remove(&beside(&path, end))?;
        }
        staged_file.put(&self.file, Existing::Replaced)
    }
}

async fn look_at_file(file: &Path) -> State {
    if !file.exists() {
        return State::Empty;
    }
    let is_empty = async { copy::is_empty(&Side::open_sqlite(file, Role::Source)?).await };
    match is_empty.await {
        Ok(true) => State::Empty,
        Ok(false) => State::Readable,
        Err(error) => State::Unreadable(error.to_string()),
    }
}

/// Gives a file a second name, if it is there.
fn link(file: &Path, name: &Path) -> anyhow::Result<()> {
    if !file.exists() {
        return Ok(());
    }
    if name.exists() {
        bail!("{} is in the way", name.display());
    }
    fs::hard_link(file, name).with_context(|| name.display().to_string())?;
    fs::File::open(folder_of(name))?.sync_all().with_context(|| name.display().to_string())
}
