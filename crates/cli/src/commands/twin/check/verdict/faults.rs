//! What each fault asks of a client, and what it did instead.

use std::time::Duration;

use tokenry_twin::{
    Fault, Rotation,
    faults::{Effect, Part},
};

use super::{Outcome, PATIENCE, Verdict, counted, failed, last, seconds};
use crate::commands::twin::check::evidence::{Call, Evidence, Trouble};

/// What is allowed to be early of a wait: clocks and schedulers round.
const ROUNDING: Duration = Duration::from_millis(50);

/// Why a command failed at which something went wrong on demand.
pub(super) fn judge(evidence: &Evidence) -> Option<Verdict> {
    let calls = &evidence.calls;
    if let Trouble::TimePassed(time, after) = evidence.trouble {
        let since = calls.get(after..).unwrap_or_default();
        return Some(time_passed(evidence, since, time));
    }
    let (at, fault) = cause(calls)?;
    let call = calls.get(at)?;
    let since = calls.get(at..).unwrap_or_default();
    let behind = calls.get(at + 1..).unwrap_or_default();
    let verdict = match fault {
        Fault::LoseAnswer | Fault::CutAnswer | Fault::Status(..) => {
            let took_effect = !matches!(fault, Fault::Status(_, Effect::NotApplied));
            if call.is_refresh() && took_effect {
                refresh_lost(evidence, fault, behind)
            } else {
                unanswered(evidence, fault, call, behind)
            }
        }
        Fault::RateLimited { retry_after } => rate_limited(evidence, retry_after, behind),
        Fault::Delay(delay) => delayed(evidence, delay, behind),
        Fault::ExpireToken if call.is_refresh() => {
            over(evidence, "the refresh token expired", "somebody must sign in again", since)
        }
        Fault::ExpireToken => expired(evidence, "the access token expired", since),
        Fault::RevokeToken => {
            over(evidence, "the token was revoked", "somebody must sign in again", since)
        }
        Fault::RotateToken => over(
            evidence,
            "another worker refreshed first",
            "read the pair again from where both keep it, or ask the user to sign in again",
            since,
        ),
        Fault::ExpiresIn(said) => expires_in(evidence, said, behind),
        Fault::ClockSkew(off) => {
            expired(evidence, &format!("the server's clock is {off} s off"), since)
        }
    };
    Some(verdict)
}

/// The fault that is to blame, and the call that it struck: one that misleads from the first on, or
/// else the last.
fn cause(calls: &[Call]) -> Option<(usize, Fault)> {
    let struck = |(at, call): (usize, &Call)| {
        call.faults.first().map(|_| at).zip(call.faults.first().copied())
    };
    let misleads = |call: &&Call| call.faults.iter().any(|it| it.part() == Part::ExpiresIn);
    if let Some(at) = calls.iter().position(|call| misleads(&call)) {
        let faults = &calls.get(at)?.faults;
        let fault = faults.iter().find(|fault| fault.part() == Part::ExpiresIn)?;
        return Some((at, *fault));
    }
    calls.iter().enumerate().filter_map(struck).next_back()
}

/// The pair that the client has is spent, and it has never seen the new one.
fn refresh_lost(evidence: &Evidence, fault: Fault, behind: &[Call]) -> Verdict {
    let what = match fault {
        Fault::CutAnswer => "refresh answer cut".to_owned(),
        Fault::Status(status, _) => format!("refresh answered {}", status.as_u16()),
        _ => "refresh answer lost".to_owned(),
    };
    let again = behind.iter().filter(|call| call.is_refresh()).count();
    let has_pair = behind.iter().any(|call| call.is_refresh() && call.is_good());
    match (evidence.rotation, again) {
        _ if has_pair => failed(format!(
            "{what}: repeating the refresh gave the pair again, and it failed after that: {}",
            last(evidence)
        )),
        (Rotation::Forgiving, 0) => {
            failed(format!("{what}: the client gave up; the previous token would have worked"))
        }
        (Rotation::Forgiving, _) => failed(format!(
            "{what}: the client tried again and failed; the previous token would have worked: {}",
            last(evidence)
        )),
        (Rotation::SingleUse, 0) => stopped(format!(
            "{what}: the client gave up; the previous token is spent, so ask the user again"
        )),
        (Rotation::SingleUse, 1..=PATIENCE) => stopped(format!(
            "{what}: the client sent the old refresh token again, which single-use rotation \
             refuses, and stopped; ask the user again"
        )),
        (Rotation::SingleUse, again) => failed(format!(
            "{what}: the client sent the old refresh token {again} times again, which single-use \
             rotation refuses: ask the user again after the first refusal"
        )),
    }
}

/// A call without a usable answer, which can be made again.
fn unanswered(evidence: &Evidence, fault: Fault, call: &Call, behind: &[Call]) -> Verdict {
    let target = &call.target;
    let what = match fault {
        Fault::CutAnswer => format!("answer of {target} cut"),
        Fault::Status(status, _) => format!("{target} answered {}", status.as_u16()),
        _ => format!("answer of {target} lost"),
    };
    let again = behind.iter().filter(|later| later.target == *target).count();
    if again > 0 || behind.iter().any(Call::is_good) {
        return failed(format!("{what}: the client went on and failed: {}", last(evidence)));
    }
    failed(format!("{what}: the client gave up and did not try again"))
}

fn rate_limited(evidence: &Evidence, retry_after: u32, behind: &[Call]) -> Verdict {
    if let Some(told) = impatience(&evidence.calls) {
        return failed(told);
    }
    if behind.is_empty() {
        return failed(format!(
            "429 with Retry-After {retry_after}: the client gave up in place of waiting"
        ));
    }
    failed(format!("429 was waited for, and it failed after that: {}", last(evidence)))
}

/// The first 429 whose `Retry-After` was not waited for.
pub(super) fn impatience(calls: &[Call]) -> Option<String> {
    calls.iter().zip(calls.get(1..)?).find_map(|(limited, next)| {
        let retry_after = limited.faults.iter().find_map(|fault| match fault {
            Fault::RateLimited { retry_after } => Some(*retry_after),
            _ => None,
        })?;
        let gap = next.came.saturating_sub(limited.came + limited.took);
        let is_early = gap + ROUNDING < Duration::from_secs(retry_after.into());
        is_early.then(|| {
            let gap = seconds(gap);
            format!("429 with Retry-After {retry_after} was not waited for (next call after {gap})")
        })
    })
}

fn delayed(evidence: &Evidence, delay: Duration, behind: &[Call]) -> Verdict {
    let delay = seconds(delay);
    if behind.is_empty() {
        let ended = super::ended(evidence);
        return failed(format!("an answer took {delay}: the client did not wait for it ({ended})"));
    }
    failed(format!("answers took {delay}: {}", last(evidence)))
}

/// An access token is over, and its refresh token is not.
pub(super) fn expired(evidence: &Evidence, what: &str, since: &[Call]) -> Verdict {
    let Some(at) = since.iter().position(Call::is_refused) else {
        return failed(format!("{what}: {}", last(evidence)));
    };
    let since = since.get(at..).unwrap_or_default();
    let refused = since.iter().filter(|call| call.is_refused() && !call.is_token_request()).count();
    let mut asked = since.iter().filter(|call| call.is_token_request()).peekable();
    if asked.peek().is_none() && refused < 2 {
        return failed(format!("{what}: the client gave up at the first 401, without a refresh"));
    }
    if asked.peek().is_none() {
        let refused = counted(refused, "call");
        return failed(format!(
            "{what}: went on with the expired token: {refused} answered 401, no refresh"
        ));
    }
    let is_renewed = asked.any(Call::is_good);
    let then = if is_renewed { "got a new one and failed" } else { "got no new one" };
    failed(format!("{what}: {then}: {}", last(evidence)))
}

/// Nobody can go on: the question is whether the client notices.
fn over(evidence: &Evidence, what: &str, remedy: &str, since: &[Call]) -> Verdict {
    let refused = since.iter().filter(|call| call.is_refused()).count();
    let told = counted(refused, "refused call");
    match refused {
        0 => failed(format!("{what}: {}", last(evidence))),
        1..=PATIENCE => stopped(format!("{what}: stopped after {told}; {remedy}")),
        _ => failed(format!("{what}: went on all the same, with {told}; {remedy}")),
    }
}

fn time_passed(evidence: &Evidence, since: &[Call], time: Duration) -> Verdict {
    let what = format!("{} passed", seconds(time));
    if since.iter().any(|call| call.is_refresh() && call.is_refused()) {
        return over(evidence, &what, "somebody must sign in again", since);
    }
    expired(evidence, &what, since)
}

fn expires_in(evidence: &Evidence, said: Option<i64>, behind: &[Call]) -> Verdict {
    let what = match said {
        None => "expires_in was missing".to_owned(),
        Some(seconds) => format!("expires_in said {seconds}"),
    };
    if behind.is_empty() {
        return failed(format!("{what}: the client failed without another call"));
    }
    let refused = behind.iter().filter(|call| call.is_refused()).count();
    let renewed = behind.iter().any(Call::is_token_request);
    if refused > 0 && !renewed {
        let refused = counted(refused, "call");
        return failed(format!(
            "{what} and the client took the token for one that never ends: {refused} answered \
             401, no refresh"
        ));
    }
    failed(format!("{what}: {}", last(evidence)))
}

const fn stopped(why: String) -> Verdict {
    Verdict { outcome: Outcome::Stopped, why }
}
