//! What a double's pages look like and what they say, in the look of the server's: one struct of
//! plain data per page, rendered by the template of the same name in `templates/`.
//!
//! * Whoever serves them fills the structs; nothing here knows a request or a clock.
//! * Scripts and styles are files ([`assets()`]), so that [`CONTENT_SECURITY_POLICY`] fits every
//!   page. Without scripts all is there, but for the buttons, and the journal loads itself anew.
//! * Text from outside is escaped by the template engine, and by the script set as text.

mod assets;
mod home;
mod journal;

#[cfg(test)]
mod tests;

use std::ops::Range;

use tokenry_protocol::time::Timestamp;

pub use self::{
    assets::assets,
    home::{FaultInForce, HomePage},
    journal::{JournalEntry, JournalFilter, JournalPage, ROWS_MAX},
};

/// What the pages may do.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; \
    connect-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// What a double is set to, which stands on top of every page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The subdomain that it answers for.
    pub subdomain: String,
    /// The name of its profile.
    pub profile: String,
    /// Where its clock stands.
    pub now: Timestamp,
    /// Whether its clock runs.
    pub pace: Pace,
}

/// Whether a clock runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As time does.
    Running,
    /// It stands still until it is turned.
    Frozen,
}

impl Setting {
    fn is_frozen(&self) -> bool {
        self.pace == Pace::Frozen
    }
}

/// A time for people: `2026-03-05 12:00:00 UTC`.
fn shown_time(at: Timestamp) -> String {
    let (day, clock) = split_time(at);
    format!("{day} {clock} UTC")
}

/// Day and time of day.
fn split_time(at: Timestamp) -> (String, String) {
    let text = at.to_string();
    let part = |range: Range<usize>| text.get(range).unwrap_or_default().to_owned();
    (part(0..10), part(11..19))
}
