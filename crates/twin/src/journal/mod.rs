//! The journal: every call with its outcome, to look at and to assert on.
//!
//! The newest entries are kept, a bounded number of them. They hold no secret ([`redaction`]), so
//! they may be copied anywhere. Readers remember the number of the last entry that they have seen
//! and ask for those behind it, or wait for them.

mod body;
mod call;
mod outcome;
mod query;
mod redaction;

use std::{
    collections::VecDeque,
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Serialize, Serializer};
use serde_json::Value;
use tokenry_protocol::{
    ids::{ClientId, UserId},
    secret::{Credential, PUBLIC_LENGTH},
    time::Timestamp,
};
use tokio::sync::Notify;

pub use self::{
    body::Body,
    call::Call,
    query::{Filter, Query, QueryError, StatusFilter, WAIT_MAX},
};

/// A call that is over.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// Counts the calls of this double from 1.
    pub number: u64,
    /// When it came, by the double's clock.
    pub at: Timestamp,
    /// `GET`, `POST`, …
    pub method: String,
    /// With its query, without secrets.
    pub path: String,
    /// The row of the table of routes.
    pub route: Option<String>,
    /// What was sent; `None`: no answer.
    pub status: Option<u16>,
    /// What became of it, in a sentence.
    pub outcome: String,
    /// Who called, or on whose behalf.
    pub user_id: Option<UserId>,
    /// Which client it was.
    pub client_id: Option<ClientId>,
    /// The record that it was about, or whose token it presented.
    pub record_id: Option<u64>,
    /// The public part of what it presented.
    pub credential: Option<String>,
    /// What went wrong on demand, as text.
    pub faults: Vec<String>,
    /// How long it took, in microseconds.
    pub micros: u64,
    /// What was asked, without secrets; a text where it was no JSON or is too long.
    pub request: Option<Value>,
    /// What was answered, likewise.
    pub answer: Option<Value>,
}

impl Entry {
    /// The entry of a call, still without its number.
    fn of(call: &Call<'_>) -> Self {
        let answer = redaction::body(&call.answer);
        let outcome = outcome::sentence(call, answer.as_ref());
        Self {
            number: 0,
            at: call.at,
            method: call.method.to_owned(),
            path: redaction::path(call.path),
            route: call.route.map(str::to_owned),
            status: call.sent,
            outcome: redaction::text(&outcome),
            user_id: call.user_id,
            client_id: call.client_id,
            record_id: outcome::subject(call, answer.as_ref()),
            credential: call.credential.map(public_part),
            faults: call.struck.iter().map(|struck| struck.fault.to_string()).collect(),
            micros: u64::try_from(call.took.as_micros()).unwrap_or(u64::MAX),
            request: redaction::body(&call.request),
            answer,
        }
    }
}

/// Of what is none of our credentials nothing is shown.
fn public_part(presented: &str) -> String {
    match Credential::parse(presented) {
        Ok(credential) => credential.public_part(),
        Err(_) if presented.len() == PUBLIC_LENGTH => presented.to_owned(),
        Err(_) => redaction::HIDDEN.to_owned(),
    }
}

/// The newest calls.
#[derive(Debug)]
pub struct Journal {
    capacity: NonZeroUsize,
    ring: Mutex<Ring>,
    news: Notify,
}

#[derive(Debug, Default)]
struct Ring {
    /// Numbered without gaps; the oldest first.
    entries: VecDeque<Arc<Entry>>,
    last: u64,
    dropped: u64,
    cleared: u64,
}

/// Entries of the journal, and where it stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Page {
    /// The oldest first.
    #[serde(serialize_with = "in_sequence")]
    pub entries: Vec<Arc<Entry>>,
    /// The number of the newest entry, whatever the filter: from where to read on.
    pub last: u64,
    /// How many entries have had to make room since the journal was cleared.
    pub dropped: u64,
    /// The number of the newest entry that was forgotten when the journal was cleared last, as it
    /// is at resets and when a snapshot is restored; 0: never.
    pub cleared: u64,
}

fn in_sequence<S: Serializer>(entries: &[Arc<Entry>], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(entries.iter().map(Arc::as_ref))
}

impl Journal {
    /// Empty, for so many entries.
    pub fn new(capacity: NonZeroUsize) -> Self {
        Self { capacity, ring: Mutex::default(), news: Notify::new() }
    }

    /// Takes down a call; its entry.
    pub fn push(&self, call: &Call<'_>) -> Arc<Entry> {
        let mut entry = Entry::of(call);
        let entry = {
            let mut ring = self.ring();
            ring.last += 1;
            entry.number = ring.last;
            if ring.entries.len() >= self.capacity.get() {
                ring.entries.pop_front();
                ring.dropped += 1;
            }
            let entry = Arc::new(entry);
            ring.entries.push_back(Arc::clone(&entry));
            entry
        };
        self.news.notify_waiters();
        entry
    }

    /// The entries behind this number that the filter lets through.
    pub fn since(&self, number: u64, filter: &Filter) -> Page {
        let ring = self.ring();
        let start = ring.entries.partition_point(|entry| entry.number <= number);
        let newer = ring.entries.range(start..);
        let entries = newer.filter(|entry| filter.lets_through(entry)).cloned().collect();
        Page { entries, last: ring.last, dropped: ring.dropped, cleared: ring.cleared }
    }

    /// The same, once there is at least one, or once the journal is cleared beyond what the reader
    /// knows. Whoever does not want to wait for ever drops it.
    pub async fn wait(&self, number: u64, filter: &Filter, known_cleared: Option<u64>) -> Page {
        loop {
            // It is told of what comes from here on, so that nothing is missed between the look
            // and the wait.
            let news = self.news.notified();
            let page = self.since(number, filter);
            let is_cleared = known_cleared.is_some_and(|known| page.cleared > known);
            if !page.entries.is_empty() || is_cleared {
                return page;
            }
            news.await;
        }
    }

    /// Forgets every entry. Numbers go on, so that no two calls have one; the last one given.
    pub fn clear(&self) -> u64 {
        let last = {
            let mut ring = self.ring();
            ring.entries.clear();
            ring.dropped = 0;
            ring.cleared = ring.last;
            ring.last
        };
        self.news.notify_waiters();
        last
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
