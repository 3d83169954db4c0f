//! What is known of one case when its command has ended: how it ended, what it called, and what
//! was done to those calls.

use std::time::Duration;

use tokenry_protocol::oauth::token::GrantType;
use tokenry_twin::{
    Fault, Profile, Rotation,
    faults::{ClockStep, InForce},
    journal::Entry,
};

use super::{
    case::{Case, ReachedBy},
    verdict::Outcome,
};

/// Everything about one run of the command.
#[derive(Debug, Clone)]
pub(super) struct Evidence {
    /// The state of the account.
    pub(super) profile: Profile,
    /// What becomes of a refresh token that was used.
    pub(super) rotation: Rotation,
    /// What came of the same without anything going wrong, if that was tried.
    pub(super) without_faults: Option<Outcome>,
    /// Whether something was to go wrong.
    pub(super) trouble: Trouble,
    /// How the command ended.
    pub(super) ended: Ended,
    /// The last line that it wrote.
    pub(super) last_words: Option<String>,
    /// What it called, the oldest first.
    pub(super) calls: Vec<Call>,
}

/// Whether something was to go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Nothing: the profile alone is tried.
    None,
    /// Something was, and no call was one that it is for.
    NotReached,
    /// Something did: a fault struck.
    Struck,
    /// So much time passed at once, after so many calls.
    TimePassed(Duration, usize),
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// With this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// It was ended after so long.
    TimedOut(Duration),
}

/// A call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    /// How long after the first one it came.
    pub(super) came: Duration,
    /// How long its answer took.
    pub(super) took: Duration,
    /// `GET /api/v2/users/me`
    pub(super) target: String,
    /// What a token request asked for.
    pub(super) grant_type: Option<GrantType>,
    /// The kind of what it presented, as the first letter of credentials says it.
    pub(super) presented: Option<char>,
    /// `None`: no answer was sent.
    pub(super) status: Option<u16>,
    /// What was done to it.
    pub(super) faults: Vec<Fault>,
}

impl Call {
    /// Whether its client can take it for done.
    pub(super) fn is_good(&self) -> bool {
        self.status.is_some_and(|status| status < 400) && !self.faults.contains(&Fault::CutAnswer)
    }

    /// Whether it asked for tokens.
    pub(super) const fn is_token_request(&self) -> bool {
        self.grant_type.is_some()
    }

    /// Whether it refreshed, or was to.
    pub(super) fn is_refresh(&self) -> bool {
        self.grant_type == Some(GrantType::RefreshToken)
    }

    /// Whether credentials were refused, of a token request or of any other call.
    pub(super) fn is_refused(&self) -> bool {
        match self.status {
            Some(401) => true,
            Some(400) => self.is_token_request(),
            _ => false,
        }
    }
}

impl Trouble {
    /// What came of a case, by the rules that were in force and how much was called.
    pub(super) fn of(case: &Case, rules: &[InForce], calls: usize) -> Self {
        let Case { scenario, reached_by, .. } = case;
        if case.is_plain() {
            return Self::None;
        }
        let mut struck = rules.iter().map(|rule| rule.struck > 0);
        let is_struck = match reached_by {
            ReachedBy::FirstRule => struck.next() == Some(true),
            ReachedBy::AnyRule => struck.any(|is_struck| is_struck),
        };
        if is_struck {
            return Self::Struck;
        }
        let is_reached = |step: &&ClockStep| after(step) < calls;
        match scenario.clock.iter().find(is_reached) {
            Some(step) => Self::TimePassed(step.advance, after(step)),
            None => Self::NotReached,
        }
    }
}

/// The calls of the journal, without what browsers ask before them (CORS preflights). Their times
/// are by the twin's clock, of which its turns are taken off.
pub(super) fn calls<'a>(
    entries: impl IntoIterator<Item = &'a Entry>,
    turns: &[ClockStep],
) -> Vec<Call> {
    let mut first = None;
    let is_call = |entry: &&Entry| entry.method != "OPTIONS";
    let entries = entries.into_iter().filter(is_call).enumerate();
    let read = entries.map(|(at, entry)| {
        let millis = entry.at.millis_since(*first.get_or_insert(entry.at));
        let came = Duration::from_millis(u64::try_from(millis).unwrap_or(0));
        let passed = turns.iter().filter(|turn| (1..=at).contains(&after(turn)));
        let turned: Duration = passed.map(|turn| turn.advance).sum();
        call(entry, came.saturating_sub(turned))
    });
    read.collect()
}

fn call(entry: &Entry, came: Duration) -> Call {
    let (path, query) = entry.path.split_once('?').unwrap_or((&entry.path, ""));
    let in_body = entry.request.as_ref().and_then(|request| request.get("grant_type")?.as_str());
    // Old integrations send it in the address.
    let in_query = || {
        let mut members = form_urlencoded::parse(query.as_bytes());
        let found = members.find(|(name, _)| name == "grant_type" && path.starts_with("/oauth/"));
        found.map(|(_, value)| value.into_owned())
    };
    let asked = in_body.map(str::to_owned).or_else(in_query);
    let asked = asked.as_deref().and_then(GrantType::parse);
    Call {
        came,
        took: Duration::from_micros(entry.micros),
        target: format!("{} {path}", entry.method),
        grant_type: asked,
        presented: entry.credential.as_ref().and_then(|credential| credential.chars().next()),
        status: entry.status,
        faults: entry.faults.iter().filter_map(|fault| fault.parse().ok()).collect(),
    }
}

fn after(step: &ClockStep) -> usize {
    usize::try_from(step.after_calls).unwrap_or(usize::MAX)
}
