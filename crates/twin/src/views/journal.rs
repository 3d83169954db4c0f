//! `/twin/journal`: every call with its outcome, the newest first. A script keeps it up to date
//! from `/twin/journal.json`, which holds its answer back until there is something new
//! ([`Query`](crate::journal::Query)).

use askama::Template;
use tokenry_protocol::time::Timestamp;

use super::{Setting, split_time};

/// Calls on the page; the others that are kept are in `/twin/journal.json`.
pub const ROWS_MAX: usize = 1_000;

/// The page.
#[derive(Debug, Clone, Template)]
#[template(path = "journal.html")]
pub struct JournalPage {
    /// What the double is set to.
    pub setting: Setting,
    /// The calls that the filter lets through, the newest first.
    pub entries: Vec<JournalEntry>,
    /// The number of the newest call there is, whatever the filter; 0 if there is none.
    pub newest: u64,
    /// How many older calls are no longer kept.
    pub dropped: u64,
    /// The newest call that was forgotten when the journal was cleared.
    pub cleared: u64,
    /// What is looked for.
    pub filter: JournalFilter,
}

/// What is looked for: `?path=…&faults=only`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JournalFilter {
    /// A part of the path; empty for all.
    pub path: String,
    /// Whether only calls that a fault struck are shown.
    pub faults_only: bool,
}

/// A call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalEntry {
    /// Its number.
    pub number: u64,
    /// When it came, by the double's clock.
    pub at: Timestamp,
    /// The method.
    pub method: String,
    /// The path and query, without secrets.
    pub path: String,
    /// The row of the table of routes.
    pub route: Option<String>,
    /// `None` if no answer was given.
    pub status: Option<u16>,
    /// What came of it, in a sentence.
    pub outcome: String,
    /// Who called.
    pub user_id: Option<u64>,
    /// Which client.
    pub client_id: Option<u64>,
    /// Which record.
    pub record_id: Option<u64>,
    /// The public part of its credential.
    pub credential: Option<String>,
    /// What went wrong on purpose.
    pub faults: Vec<String>,
    /// How long it took, in microseconds.
    pub micros: u64,
    /// The body that came, without secrets.
    pub request: Option<String>,
    /// The body that was sent, without secrets.
    pub answer: Option<String>,
}

impl JournalPage {
    /// What the script makes rows of.
    fn blank(&self) -> [JournalEntry; 1] {
        [JournalEntry {
            number: 0,
            at: self.setting.now,
            method: String::new(),
            path: String::new(),
            route: None,
            status: None,
            outcome: String::new(),
            user_id: None,
            client_id: None,
            record_id: None,
            credential: None,
            faults: Vec::new(),
            micros: 0,
            request: None,
            answer: None,
        }]
    }
}

impl JournalEntry {
    /// The class of its row.
    const fn tone(&self) -> &'static str {
        match self.status {
            Some(..300) => "done",
            Some(300..400) => "elsewhere",
            Some(400..500) => "refused",
            None | Some(500..) => "broken",
        }
    }

    fn status_text(&self) -> String {
        self.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string())
    }

    fn day(&self) -> String {
        split_time(self.at).0
    }

    fn clock(&self) -> String {
        split_time(self.at).1
    }

    fn who(&self) -> String {
        let parts =
            [("user", self.user_id), ("client", self.client_id), ("record", self.record_id)];
        let told = parts.into_iter().filter_map(|(what, id)| Some(format!("{what} {}", id?)));
        told.chain(self.credential.clone()).collect::<Vec<_>>().join(", ")
    }

    fn took(&self) -> String {
        match self.micros {
            micros @ ..1_000 => format!("{micros} µs"),
            micros => {
                // To the nearest tenth of a millisecond.
                let tenths = micros.saturating_add(50) / 100;
                format!("{}.{} ms", tenths / 10, tenths % 10)
            }
        }
    }
}
