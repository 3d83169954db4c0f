//! Whether a command survived, and if it did not, why: worked out from what it called alone.
//!
//! 1. It called nothing: then nothing was checked.
//! 2. It ended well: survived, if what was to go wrong did.
//! 3. It did not: hammering first, for that hides everything else; then whether it does not without
//!    a fault either; then what the fault that struck last asks of a client; then what the profile
//!    asks; then the last call.
//! 4. Whoever was ended, by a signal or because it took too long, has failed in any case.

mod faults;
mod profiles;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokenry_twin::Fault;

use super::evidence::{Call, Ended, Evidence, Trouble};

/// What came of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    /// All is well.
    Survived,
    /// Nobody could go on without a new sign-in, and it soon stopped trying.
    Stopped,
    /// It did not end well.
    Failed,
    /// What was to go wrong did not.
    NotReached,
}

/// What came of a case, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    /// What came of it.
    pub(super) outcome: Outcome,
    /// One line; empty where there is nothing to say.
    pub(super) why: String,
}

/// So many calls in a row that fail are no attempt at anything.
const HAMMERING: usize = 20;
/// So many attempts of a client that cannot go on are in order: one that is refused, a second to be
/// sure, and a third of somebody's library.
const PATIENCE: usize = 3;

/// Judges a case. Whoever did not end by itself has failed, whatever it did before.
pub(super) fn judge(evidence: &Evidence) -> Verdict {
    let verdict = by_calls(evidence);
    let ended = ended(evidence);
    if matches!(evidence.ended, Ended::Code(code) if signal_of(code).is_none()) {
        return verdict;
    }
    let Verdict { why, .. } = verdict;
    failed(if why.contains(&ended) { why } else { format!("{why}; {ended}") })
}

fn by_calls(evidence: &Evidence) -> Verdict {
    let is_well = evidence.ended == Ended::Code(0);
    if evidence.calls.is_empty() {
        let why = "never called the twin: does it read ZENDESK_SERVER_URL?".to_owned();
        if is_well {
            return Verdict { outcome: Outcome::NotReached, why };
        }
        return failed(format!("{why} ({})", ended(evidence)));
    }
    if is_well {
        return ended_well(evidence);
    }
    if let Some(why) = hammered(evidence) {
        return failed(why);
    }
    if evidence.without_faults == Some(Outcome::Failed) {
        let profile = evidence.profile;
        return failed(format!("failed without a fault too (case {profile}): {}", last(evidence)));
    }
    if evidence.trouble == Trouble::NotReached {
        return failed(format!("failed before anything went wrong: {}", last(evidence)));
    }
    let judged = faults::judge(evidence).or_else(|| profiles::judge(evidence));
    judged.unwrap_or_else(|| failed(last(evidence)))
}

fn ended_well(evidence: &Evidence) -> Verdict {
    if evidence.trouble == Trouble::NotReached {
        let why = "the fault never struck: the command makes no such call".to_owned();
        return Verdict { outcome: Outcome::NotReached, why };
    }
    let caution = faults::impatience(&evidence.calls).map(|told| format!("but {told}"));
    Verdict { outcome: Outcome::Survived, why: caution.unwrap_or_default() }
}

/// A run of calls of which none came to anything.
fn hammered(evidence: &Evidence) -> Option<String> {
    let runs = evidence.calls.split(Call::is_good).map(|run| {
        let began = run.first().map_or(Duration::ZERO, |call| call.came);
        let over = run.last().map_or(Duration::ZERO, |call| call.came + call.took);
        (run.len(), over.saturating_sub(began))
    });
    let (count, time) = runs.max_by_key(|(count, _)| *count)?;
    if count < HAMMERING {
        return None;
    }
    let time = seconds(time);
    Some(match evidence.ended {
        Ended::TimedOut(_) => format!("retried without limit: {count} calls in {time}"),
        _ => format!("retried {count} times in {time}, all in vain, before it gave up"),
    })
}

/// How it ended, and what it called last.
fn last(evidence: &Evidence) -> String {
    let ended = ended(evidence);
    let count = counted(evidence.calls.len(), "call");
    let Some(call) = evidence.calls.last() else { return ended };
    let said = evidence.last_words.as_ref().map(|words| format!("; it said: {words}"));
    let (call, said) = (answered(call), said.unwrap_or_default());
    format!("{ended} after {count}, the last: {call}{said}")
}

fn ended(evidence: &Evidence) -> String {
    match evidence.ended {
        Ended::Code(code) => match signal_of(code) {
            Some(signal) => format!("exit code {code}, as after signal {signal}"),
            None => format!("exit code {code}"),
        },
        Ended::Signal(signal) => format!("ended by signal {signal}"),
        Ended::TimedOut(limit) => format!("did not end within {}", seconds(limit)),
    }
}

/// Shells, and what is like them, say so of a program of theirs that a signal ended.
fn signal_of(code: i32) -> Option<i32> {
    (129..=159).contains(&code).then(|| code - 128)
}

/// `GET /api/v2/users/me answered 401`
fn answered(call: &Call) -> String {
    let target = &call.target;
    match call.status {
        _ if call.faults.contains(&Fault::CutAnswer) => format!("{target}, whose answer was cut"),
        Some(status) => format!("{target} answered {status}"),
        None => format!("{target}, whose answer was lost"),
    }
}

/// `1.2 s`; `31 days` of what is turned.
fn seconds(time: Duration) -> String {
    const DAY: u64 = 86_400;
    match (time.as_secs(), time.subsec_millis()) {
        (whole, 0) if whole > 0 && whole.is_multiple_of(DAY) => counted_days(whole / DAY),
        (whole, 0) if whole > 0 => format!("{whole} s"),
        (whole, millis) if millis < 100 && whole > 9 => format!("{whole} s"),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}

fn counted_days(days: u64) -> String {
    counted(usize::try_from(days).unwrap_or(usize::MAX), "day")
}

/// `1 call`, `3 calls`
fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

const fn failed(why: String) -> Verdict {
    Verdict { outcome: Outcome::Failed, why }
}
