//! Restoring: a backup in a file of its own, made fit to be served before it takes the place of
//! anything.
//!
//! 1. It is read and compared with the digests that it was taken with.
//! 2. What was revoked since it was taken must not come to life again: [`SinceThen`] says how that
//!    is settled.
//! 3. No id that was given since may be given again (`leap`).
//!
//! Only then is it put in its place: a file is renamed, and a shared database is made the same.

use std::path::{Path, PathBuf};

use tokenry_protocol::{ids::ID_MAX, time::Timestamp};

use super::{
    BackupNote, Copied, CopyError, Result, Role, Side,
    backup::in_background,
    count, digest,
    follow::{Followed, follow},
    mark,
    progress::{Progress, Stage},
    replace,
    tables::{LEASES, MARKS, Row, TABLES, Value},
    transfer,
};
use crate::sqlite::backup;

/// What becomes of what may have been revoked since the backup was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SinceThen {
    /// What is not alive in the database that is replaced is not alive in the restored one.
    Follow,
    /// Every token, API token and session of the backup is ended.
    End,
    /// All of it is alive as it was, and whatever was revoked since is alive again.
    Keep,
}

/// What was done so that nothing comes to life again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// What was looked up in the replaced database.
    Followed(Followed),
    /// Everything there was.
    All {
        /// Tokens.
        tokens: u64,
        /// API tokens.
        api_tokens: u64,
        /// Sign-in sessions.
        sign_in_sessions: u64,
    },
    /// Nothing.
    Nothing,
}

/// A copy of a backup, about to be restored.
#[derive(Debug)]
pub struct Staged {
    file: PathBuf,
    note: BackupNote,
}

/// More ids than a server can give in a second: the fastest one that was measured gives a tenth.
const IDS_PER_SECOND: i64 = 1_000_000;
/// By how much clocks may be wrong, together.
const CLOCKS_APART_MAX: i64 = 24 * 60 * 60 * 1_000;

impl Staged {
    /// A file that nobody else uses, and what it says of itself.
    pub const fn new(file: PathBuf, note: BackupNote) -> Self {
        Self { file, note }
    }

    /// Whether it was verified and settled before, and only has to be put in its place.
    pub const fn is_settled(&self) -> bool {
        self.note.settled_at.is_some()
    }

    /// Step 1. Tells the rows of each table.
    pub async fn verify(&self, progress: &Progress) -> Result<Vec<Copied>> {
        in_background(&self.file, backup::check).await?;
        let side = Side::open_sqlite(&self.file, Role::Target)?;
        if !side.tell(side.end.has(&MARKS).await)? {
            return Err(CopyError::NoBackup);
        }
        let marks = side.read_whole(&MARKS).await?;
        let meter = progress.stage(Stage::Verify, count(&side).await?);
        let mut found = Vec::new();
        for table in &TABLES {
            let amount = digest::of(side.clone(), table, Some(meter.clone())).await?;
            let rows = Value::Integer(i64::try_from(amount.rows).unwrap_or(i64::MAX));
            let digest = Value::Bytes(amount.digest.to_vec());
            let is_right = |mark: &Row| match mark.0.as_slice() {
                [Value::Text(name), counted, digested] if name == table.name => {
                    // Steps of the schema may have changed what a row consists of.
                    *counted == rows && (*digested == digest || !self.note.is_of_this_schema)
                }
                _ => false,
            };
            if !marks.iter().any(is_right) {
                return Err(CopyError::Damaged { table: table.name });
            }
            let (rows, digest) = (amount.rows, amount.digest);
            found.push(Copied { table: table.name, rows, changed: 0, digest });
        }
        meter.end();
        Ok(found)
    }

    /// Steps 2 and 3. The database that is replaced is not needed where it is not followed; if it
    /// can be read, ids that it has given are passed over nevertheless.
    pub async fn settle(
        &mut self,
        since_then: SinceThen,
        replaced: Option<&Side>,
        now: Timestamp,
        progress: &Progress,
    ) -> Result<Ended> {
        let ended = match since_then {
            SinceThen::Follow => {
                let side = Side::open_sqlite(&self.file, Role::Target)?;
                let replaced = replaced.ok_or(CopyError::NoKin)?;
                Ended::Followed(follow(replaced, &side, now, progress).await?)
            }
            SinceThen::End => {
                let ended = in_background(&self.file, backup::end_all).await?;
                let [tokens, api_tokens, sign_in_sessions] = ended;
                self.leap(now).await?;
                Ended::All { tokens, api_tokens, sign_in_sessions }
            }
            SinceThen::Keep => {
                self.leap(now).await?;
                Ended::Nothing
            }
        };
        if let Some(replaced) = replaced {
            let side = Side::open_sqlite(&self.file, Role::Target)?;
            transfer::raise_leases(replaced, &side).await?;
        }
        in_background(&self.file, move |file| backup::note_settled(file, now)).await?;
        self.note.settled_at = Some(now);
        Ok(ended)
    }

    /// Goes past every id that can have been given since the backup was taken. Nobody knows how
    /// many were, but no server gives more than so many a second. Ids are 53 bits: a backup of a
    /// year ago costs one of three hundred parts of them.
    async fn leap(&self, now: Timestamp) -> Result<()> {
        let taken_at = self.note.taken_at;
        let span = now.millis_since(taken_at).saturating_add(CLOCKS_APART_MAX);
        if span < 0 {
            return Err(CopyError::TakenLater { taken_at, now });
        }
        let skipped = (span / 1_000 + 1).saturating_mul(IDS_PER_SECOND);
        let side = Side::open_sqlite(&self.file, Role::Target)?;
        let mut leases = transfer::leases(&side).await?;
        leases.retain(|sequence, _| transfer::is_of_ids(sequence));
        let raised = leases.into_iter().map(|(sequence, next)| {
            let next = next.saturating_add(skipped);
            if u64::try_from(next).is_ok_and(|next| next <= ID_MAX) {
                Ok(Row(vec![Value::Text(sequence), Value::Integer(next)]))
            } else {
                Err(CopyError::TakenLater { taken_at, now })
            }
        });
        side.tell(side.end.write(&LEASES, raised.collect::<Result<_>>()?).await)
    }

    /// Makes it a database like any other, for a data folder to have.
    pub async fn into_database(self) -> Result<PathBuf> {
        in_background(&self.file, backup::unseal).await?;
        Ok(self.file)
    }

    /// Makes a shared database the same. If that is broken off no store opens it, and this can be
    /// done again.
    pub async fn replace(&self, target: &Side, progress: &Progress) -> Result<Vec<Copied>> {
        let source = Side::open_sqlite(&self.file, Role::Source)?;
        replace(&source, target, progress).await
    }
}

/// Whether a database holds anything that restoring would replace.
pub async fn is_empty(side: &Side) -> Result<bool> {
    Ok(side.read_whole(mark::keys()).await?.is_empty() && count(side).await? == 0)
}

/// Whether a copy into a database was broken off.
pub async fn is_unfinished(side: &Side) -> Result<bool> {
    if !side.tell(side.end.has(&MARKS).await)? {
        return Ok(false);
    }
    let marks = side.read_whole(&MARKS).await?;
    Ok(marks.iter().any(|mark| mark.0.contains(&Value::Null)))
}

/// Puts the log of a database that nobody uses into it, so that the file is all there is of it.
pub async fn close_log(file: &Path) -> Result<()> {
    in_background(file, backup::close_log).await
}
