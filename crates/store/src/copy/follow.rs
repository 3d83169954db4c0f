//! What is not alive in a database that is replaced is not alive in the backup that takes its
//! place: an older state is restored, and nothing comes to life again.
//!
//! | in the backup | in the replaced database | in the restored one |
//! |---|---|---|
//! | a token | gone | gone |
//! | | rotated, redeemed or renewed | as it is there: a refresh token before it stays spent |
//! | | used | used: whether an answer may be given again depends on it |
//! | an API token | gone; inactive | gone; inactive |
//! | a session | gone | gone |
//! | a user | gone or deleted | deleted |
//! | | another password; suspended; a lesser role | the same |
//! | a client | gone or deleted | deleted |
//! | | another secret; disabled; no resource server | the same |
//! | keys | more of them, or lost | as they are there |
//! | events | more of them | all of them |
//!
//! Everything else is as the backup has it: names, addresses, redirect addresses, scopes, limits.
//! What only the replaced database has is not in the restored one.

use std::collections::HashSet;

use tokenry_core::user::Role;
use tokenry_protocol::time::Timestamp;

use super::{
    CopyError, Result, Side, count, mark,
    merge::{BATCH, Finding, Merge, Rows},
    progress::{Meter, Progress, Stage},
    tables::{Row, TABLES, Table, Value},
};

/// How many records were ended or changed, because they were in the replaced database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Followed {
    /// Tokens that are gone there.
    pub tokens_ended: u64,
    /// Tokens that were rotated, redeemed or renewed there.
    pub tokens_taken_over: u64,
    /// API tokens that are gone or inactive there.
    pub api_tokens_ended: u64,
    /// Sign-in sessions that are gone there.
    pub sign_in_sessions_ended: u64,
    /// Clients that are gone there.
    pub clients_ended: u64,
    /// Clients with another secret, or that were disabled, there.
    pub clients_changed: u64,
    /// Users who are gone there.
    pub users_ended: u64,
    /// Users with another password, or who may do less, there.
    pub users_changed: u64,
}

/// What to do with a row of the backup.
enum Verdict {
    Leave,
    Write(Row),
    Remove,
}

/// Looks everything up that the backup has.
pub(super) async fn follow(
    replaced: &Side,
    restored: &Side,
    now: Timestamp,
    progress: &Progress,
) -> Result<Followed> {
    if !mark::are_kin(replaced, restored).await? {
        return Err(CopyError::NoKin);
    }
    let meter = progress.stage(Stage::Follow, count(restored).await?);
    let mut judge = Judge { now, alive: HashSet::new(), followed: Followed::default() };
    for table in &TABLES {
        apply(replaced, restored, table, &meter, &mut judge).await?;
        if table.name == "users" {
            judge.alive = list_alive(restored, table).await?;
        }
    }
    meter.end();
    Ok(judge.followed)
}

async fn apply(
    replaced: &Side,
    restored: &Side,
    table: &'static Table,
    meter: &Meter,
    judge: &mut Judge,
) -> Result<()> {
    let end = &restored.end;
    let mut merge = Merge::of(replaced, restored, table);
    let (mut rows, mut keys) = (Vec::new(), Vec::new());
    while let Some(finding) = merge.next().await? {
        if !matches!(finding, Finding::Missing(_)) {
            meter.count();
        }
        let key = match &finding {
            Finding::Extra(row) => Some(row.clone().into_key(table)),
            _ => None,
        };
        match judge.judge(table, finding) {
            Verdict::Leave => {}
            Verdict::Write(row) => rows.push(row),
            Verdict::Remove => keys.extend(key),
        }
        if rows.len() == BATCH {
            restored.tell(end.write(table, std::mem::take(&mut rows)).await)?;
        }
        if keys.len() == BATCH {
            restored.tell(end.remove(table, std::mem::take(&mut keys)).await)?;
        }
    }
    restored.tell(end.write(table, rows).await)?;
    restored.tell(end.remove(table, keys).await)
}

/// Decides row by row.
struct Judge {
    now: Timestamp,
    /// Users of the restored database who are not deleted, once they are settled.
    alive: HashSet<i64>,
    followed: Followed,
}

impl Judge {
    fn judge(&mut self, table: &Table, finding: Finding) -> Verdict {
        let followed = &mut self.followed;
        match (table.name, finding) {
            // Of a token that is not here a use says nothing.
            ("keys" | "events" | "token_uses", Finding::Missing(row)) => Verdict::Write(row),
            (_, Finding::Same | Finding::Missing(_)) => Verdict::Leave,
            ("users", finding) => self.user(table, finding),
            ("clients", finding) => self.client(table, finding),
            ("api_tokens", finding) => self.api_token(table, finding),
            ("tokens", Finding::Extra(_)) => counted(&mut followed.tokens_ended, Verdict::Remove),
            ("tokens", Finding::Differs { source, .. }) => {
                counted(&mut followed.tokens_taken_over, Verdict::Write(source))
            }
            ("sign_in_sessions", Finding::Extra(_)) => {
                counted(&mut followed.sign_in_sessions_ended, Verdict::Remove)
            }
            ("keys" | "sign_in_sessions" | "token_uses", Finding::Differs { source, .. }) => {
                Verdict::Write(source)
            }
            // An event is remembered as it was first written. A use needs no end of its own.
            (_, Finding::Extra(_) | Finding::Differs { .. }) => Verdict::Leave,
        }
    }

    fn user(&mut self, table: &Table, finding: Finding) -> Verdict {
        let (row, is_ended) = match finding {
            Finding::Extra(row) => end(table, row, None, self.now),
            Finding::Differs { source, mut target } => {
                let before = target.clone();
                take_over(table, &mut target, &source, &["password_hash", "password_epoch"]);
                take_if(table, &mut target, &source, "suspended", |there, _| *there != no());
                take_if(table, &mut target, &source, "role", |there, here| {
                    rank(there) < rank(here)
                });
                self.followed.users_changed += u64::from(target != before);
                end(table, target, Some(&source), self.now)
            }
            Finding::Same | Finding::Missing(_) => return Verdict::Leave,
        };
        self.followed.users_ended += u64::from(is_ended);
        Verdict::Write(row)
    }

    fn client(&mut self, table: &Table, finding: Finding) -> Verdict {
        let (row, is_ended) = match finding {
            Finding::Extra(row) => end(table, row, None, self.now),
            Finding::Differs { source, mut target } => {
                let before = target.clone();
                let is_public = |row: &Row| column(table, row, "secret_hash") == Some(&Value::Null);
                if is_public(&source) != is_public(&target) {
                    // A client of the other kind may do other things.
                    take_over(table, &mut target, &source, &["grant_types", "redirect_uris"]);
                }
                take_over(table, &mut target, &source, &["secret_hash", "secret_generation"]);
                take_if(table, &mut target, &source, "status", |it, _| *it != word("enabled"));
                take_if(table, &mut target, &source, "role", |it, _| *it == word("ordinary"));
                let is_owned = self.is_alive(column(table, &source, "user_id"));
                if is_owned {
                    take_over(table, &mut target, &source, &["user_id"]);
                }
                self.followed.clients_changed += u64::from(is_owned && target != before);
                // Whoever answers for it there came later and is in no backup: nobody does here.
                end(table, target, Some(&source).filter(|_| is_owned), self.now)
            }
            Finding::Same | Finding::Missing(_) => return Verdict::Leave,
        };
        self.followed.clients_ended += u64::from(is_ended);
        Verdict::Write(row)
    }

    fn is_alive(&self, user: Option<&Value>) -> bool {
        matches!(user, Some(Value::Integer(id)) if self.alive.contains(id))
    }

    fn api_token(&mut self, table: &Table, finding: Finding) -> Verdict {
        let ended = &mut self.followed.api_tokens_ended;
        match finding {
            Finding::Extra(_) => counted(ended, Verdict::Remove),
            Finding::Differs { source, mut target } => {
                let before = target.clone();
                take_over(table, &mut target, &source, &["hash"]);
                take_if(table, &mut target, &source, "status", |it, _| *it != word("active"));
                *ended += u64::from(target != before);
                take_over(table, &mut target, &source, &["last_used"]);
                take_if(table, &mut target, &source, "updated_at", |there, here| there > here);
                Verdict::Write(target)
            }
            Finding::Same | Finding::Missing(_) => Verdict::Leave,
        }
    }
}

fn counted(count: &mut u64, verdict: Verdict) -> Verdict {
    *count += 1;
    verdict
}

/// Marks a row as deleted if the replaced database has it deleted or not at all, and its version as
/// that of the later of both. Whether it was not deleted before.
fn end(table: &Table, mut row: Row, replaced: Option<&Row>, now: Timestamp) -> (Row, bool) {
    let now = Value::Integer(now.as_millis());
    let there = replaced.map_or(Some(&now), |row| column(table, row, "deleted_at"));
    let deleted_at = there.cloned().unwrap_or_default();
    let is_ended =
        deleted_at != Value::Null && column(table, &row, "deleted_at") == Some(&Value::Null);
    if is_ended {
        set(table, &mut row, "deleted_at", deleted_at);
    }
    if let Some(replaced) = replaced {
        take_if(table, &mut row, replaced, "updated_at", |there, here| there > here);
    }
    (row, is_ended)
}

/// Who may answer for clients.
async fn list_alive(side: &Side, users: &'static Table) -> Result<HashSet<i64>> {
    let mut alive = HashSet::new();
    let mut rows = Rows::of(side, users);
    while let Some(row) = rows.next().await? {
        alive.extend(row.id().filter(|_| column(users, &row, "deleted_at") == Some(&Value::Null)));
    }
    Ok(alive)
}

fn column<'a>(table: &Table, row: &'a Row, name: &str) -> Option<&'a Value> {
    let columns = table.columns.iter().zip(&row.0);
    columns.into_iter().find(|(column, _)| column.name == name).map(|(_, value)| value)
}

fn set(table: &Table, row: &mut Row, name: &str, value: Value) {
    let mut columns = table.columns.iter().zip(&mut row.0);
    if let Some((_, place)) = columns.find(|(column, _)| column.name == name) {
        *place = value;
    }
}

fn take_over(table: &Table, row: &mut Row, replaced: &Row, names: &[&str]) {
    for name in names {
        if let Some(value) = column(table, replaced, name) {
            set(table, row, name, value.clone());
        }
    }
}

/// Takes a value over if it says less than the one that is there.
fn take_if(
    table: &Table,
    row: &mut Row,
    replaced: &Row,
    name: &str,
    is_less: impl Fn(&Value, &Value) -> bool,
) {
    let (there, here) = (column(table, replaced, name), column(table, row, name));
    if there.zip(here).is_some_and(|(there, here)| is_less(there, here)) {
        take_over(table, row, replaced, &[name]);
    }
}

/// The least role first; what is no role is the least of all.
fn rank(role: &Value) -> Option<usize> {
    let Value::Text(role) = role else {
        return None;
    };
    Role::ALL.iter().position(|known| known.as_str() == role)
}

fn word(word: &str) -> Value {
    Value::Text(word.to_owned())
}

const fn no() -> Value {
    Value::Integer(0)
}
