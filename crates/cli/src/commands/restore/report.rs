//! What a restore has done, in words and for programs.

use std::{fmt::Write as _, path::PathBuf, time::Duration};

use serde::Serialize;
use tokenry_protocol::time::Timestamp;
use tokenry_store::copy::{BackupNote, Copied, Ended, Followed};

use super::Choice;
use crate::{
    commands::{backup::TableReport, server_key::ServerKey},
    progress::{grouped, span},
};

/// A backup in its place.
pub(super) struct Restored {
    pub(super) shown: String,
    pub(super) note: BackupNote,
    pub(super) tables: Vec<Copied>,
    /// `None` when a run went on that had been broken off: that one was told.
    pub(super) choice: Option<Choice>,
    pub(super) ended: Option<Ended>,
    /// Where the database is kept that was replaced.
    pub(super) kept: Option<PathBuf>,
    pub(super) key: ServerKey,
}

#[derive(Serialize)]
struct Report {
    taken_at: Timestamp,
    source: String,
    tables: Vec<TableReport>,
    since_then: Option<&'static str>,
    ended: Option<EndedReport>,
    replaced: Option<String>,
    seconds: f64,
    server_key: Option<String>,
}

#[derive(Default, Serialize)]
struct EndedReport {
    tokens: u64,
    tokens_taken_over: u64,
    api_tokens: u64,
    sign_in_sessions: u64,
    clients: u64,
    clients_changed: u64,
    users: u64,
    users_changed: u64,
}

impl From<&Ended> for EndedReport {
    fn from(ended: &Ended) -> Self {
        match *ended {
            Ended::Nothing => Self::default(),
            Ended::All { tokens, api_tokens, sign_in_sessions } => {
                Self { tokens, api_tokens, sign_in_sessions, ..Self::default() }
            }
            Ended::Followed(Followed {
                tokens_ended,
                tokens_taken_over,
                api_tokens_ended,
                sign_in_sessions_ended,
                clients_ended,
                clients_changed,
                users_ended,
                users_changed,
            }) => Self {
                tokens: tokens_ended,
                tokens_taken_over,
                api_tokens: api_tokens_ended,
                sign_in_sessions: sign_in_sessions_ended,
                clients: clients_ended,
                clients_changed,
                users: users_ended,
                users_changed,
            },
        }
    }
}

impl Restored {
    pub(super) fn in_words(&self, time: Duration) -> String {
        let mut text = TableReport::in_words(&TableReport::of(&self.tables));
        let BackupNote { taken_at, source, .. } = &self.note;
        let _ = writeln!(text, "{} is what {source} was at {taken_at}.", self.shown);
        let _ = writeln!(text, "Restored and verified in {}.", span(time));
        let _ = writeln!(text, "{}", self.since_then_in_words());
        if let Some(kept) = &self.kept {
            let _ = writeln!(
                text,
                "What was there is kept in {}. Delete it when you are content: credentials that \
                 are revoked from now on are alive in it.",
                kept.display()
            );
        }
        let _ = match &self.key {
            ServerKey::In(place) => write!(text, "The server key in {place} fits."),
            ServerKey::NotIn(place) => write!(
                text,
                "The server key is not here ({place}). Put it back before you start a server."
            ),
        };
        text
    }

    fn since_then_in_words(&self) -> String {
        let Some(ended) = &self.ended else {
            return "A run that was broken off has been finished; what was revoked since was \
                    settled by it."
                .to_owned();
        };
        let counts = EndedReport::from(ended);
        let number = grouped;
        match ended {
            Ended::Nothing => "Everything is alive as it was then. Whatever was revoked since \
                               works again: revoke it anew."
                .to_owned(),
            Ended::All { .. } => format!(
                "Ended: {} tokens, {} API tokens, {} sign-in sessions. Passwords, client secrets \
                 and roles are those of then: change what was changed since.",
                number(counts.tokens),
                number(counts.api_tokens),
                number(counts.sign_in_sessions)
            ),
            Ended::Followed(_) => format!(
                "Stays ended: {} tokens, {} API tokens, {} sign-in sessions, {} clients, {} \
                 users. As it was last: {} tokens that were refreshed or redeemed, {} clients, {} \
                 users.",
                number(counts.tokens),
                number(counts.api_tokens),
                number(counts.sign_in_sessions),
                number(counts.clients),
                number(counts.users),
                number(counts.tokens_taken_over),
                number(counts.clients_changed),
                number(counts.users_changed)
            ),
        }
    }

    pub(super) fn in_json(self, time: Duration) -> anyhow::Result<String> {
        let report = Report {
            taken_at: self.note.taken_at,
            tables: TableReport::of(&self.tables),
            since_then: self.choice.map(Choice::word),
            ended: self.ended.as_ref().map(EndedReport::from),
            replaced: self.kept.map(|kept| kept.display().to_string()),
            source: self.note.source,
            seconds: time.as_secs_f64(),
            server_key: self.key.place(),
        };
        Ok(serde_json::to_string(&report)?)
    }
}
