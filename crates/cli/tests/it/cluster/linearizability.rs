//! Whether the calls on one grant, made by many at once, can be put into one order that explains
//! every answer: whoever was answered before somebody else asked comes first, and each answer is
//! what one grant alone would have said at that place (*linearizability*, Herlihy and Wing 1990).
//!
//! The search is Wing and Gong's (1993), which tries every call that may come next, with Lowe's
//! addition (2017): what was seen once, a set of calls that have come and the grant that they left,
//! is not tried again. Grants know nothing of each other, so each has a search of its own.
//!
//! A call without an answer may have come at any time after it was sent, or never.
//!
//! What a node has in memory may be older than the grant by a bound, unless it reads through: a
//! token may be said to live that lived within the bound before the question. Nothing else may be
//! old: neither what is given nor what is refused.

use std::{collections::HashSet, time::Duration};

/// The tokens of one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Pair {
    /// What the credentials say of themselves.
    pub(super) rotation: u32,
    /// Different for different credentials.
    pub(super) number: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Redeem,
    Refresh(Pair),
    /// By its access token.
    Revoke(Pair),
    /// Of its access token.
    Check(Pair),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Given(Pair),
    Refused,
    Revoked,
    Alive,
    Dead,
    /// None came, or "try again later".
    Lost,
}

/// A call with its answer, and when each was, by one clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Event {
    pub(super) call: Call,
    pub(super) answer: Answer,
    pub(super) sent: Duration,
    pub(super) answered: Duration,
}

impl Event {
    /// The earliest moment at which it may have come.
    fn earliest(&self, staleness: Duration) -> Duration {
        if self.answer == Answer::Alive { self.sent.saturating_sub(staleness) } else { self.sent }
    }

    /// The latest one; `None` if it need not have come at all.
    fn latest(&self) -> Option<Duration> {
        (self.answer != Answer::Lost).then_some(self.answered)
    }
}

/// A pair that the grant holds. Of one that was given in an answer that was lost, the number is
/// not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Held {
    rotation: u32,
    number: Option<usize>,
}

impl Held {
    fn is(self, pair: Pair) -> bool {
        self.rotation == pair.rotation && self.number.is_none_or(|number| number == pair.number)
    }
}

impl From<Pair> for Held {
    fn from(Pair { rotation, number }: Pair) -> Self {
        Self { rotation, number: Some(number) }
    }
}

/// One grant, asked by one caller after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Grant {
    Consented,
    Live { current: Held, previous: Option<Held> },
    Ended,
}

impl Grant {
    /// What it is after this call, if it would have answered so.
    fn after(self, call: Call, answer: Answer) -> Option<Self> {
        match (call, answer) {
            (_, Answer::Lost) => self.after_lost(call),
            (Call::Redeem, Answer::Given(pair)) => {
                let is_first = self == Self::Consented && pair.rotation == 1;
                is_first.then(|| Self::Live { current: pair.into(), previous: None })
            }
            // A copy of a code that was redeemed ends what it gave. See `after_meeting`.
            (Call::Redeem, Answer::Refused) => (self != Self::Consented).then_some(Self::Ended),
            (Call::Refresh(held), Answer::Given(pair)) => self.after_rotation(held, pair),
            (Call::Refresh(held), Answer::Refused) => match self {
                Self::Ended => Some(self),
                // One from before the pair before: somebody else has had it.
                Self::Live { current, .. } if held.rotation + 1 < current.rotation => {
                    Some(Self::Ended)
                }
                _ => None,
            },
            (Call::Revoke(pair), Answer::Revoked) => {
                Some(if self.lives(pair) { Self::Ended } else { self })
            }
            (Call::Check(pair), Answer::Alive) => self.lives(pair).then_some(self),
            (Call::Check(pair), Answer::Dead) => (!self.lives(pair)).then_some(self),
            _ => None,
        }
    }

    /// A rotation, or the same pair again.
    fn after_rotation(self, held: Pair, given: Pair) -> Option<Self> {
        let Self::Live { current, previous } = self else { return None };
        if current.is(held) && given.rotation == held.rotation + 1 {
            return Some(Self::Live { current: given.into(), previous: Some(held.into()) });
        }
        let is_repeat = previous.is_some_and(|previous| previous.is(held)) && current.is(given);
        is_repeat.then(|| Self::Live { current: given.into(), previous: Some(held.into()) })
    }

    /// What it does when nobody hears what it says; `None` if that changes nothing.
    fn after_lost(self, call: Call) -> Option<Self> {
        let after = match (self, call) {
            (Self::Consented, Call::Redeem) => {
                Self::Live { current: Held { rotation: 1, number: None }, previous: None }
            }
            (Self::Live { .. }, Call::Redeem) => Self::Ended,
            (Self::Live { current, .. }, Call::Refresh(held)) if current.is(held) => {
                let next = Held { rotation: held.rotation + 1, number: None };
                Self::Live { current: next, previous: Some(held.into()) }
            }
            (Self::Live { current, .. }, Call::Refresh(held))
                if held.rotation + 1 < current.rotation =>
            {
                Self::Ended
            }
            (Self::Live { current, .. }, Call::Revoke(pair)) if current.is(pair) => Self::Ended,
            _ => return None,
        };
        Some(after)
    }

    /// What else it may be after a call that met another in the middle of its write, so that each
    /// was decided on the grant before the other:
    ///
    /// * A copy of a code that is refused without having ended anything.
    /// * A revocation of a pair that was rotated away at that moment: it ends the grant as well.
    ///
    /// Neither can be once the other call was answered.
    fn after_meeting(self, event: &Event, history: &[Event]) -> Option<Self> {
        let Self::Live { .. } = self else { return None };
        let (other, after) = match (event.call, event.answer) {
            (Call::Redeem, Answer::Refused) => (Call::Redeem, self),
            (Call::Revoke(pair), Answer::Revoked | Answer::Lost) => {
                (Call::Refresh(pair), Self::Ended)
            }
            _ => return None,
        };
        let is_before = |one: &Event| {
            one.call == other && matches!(one.answer, Answer::Given(_)) && one.answered < event.sent
        };
        (!history.iter().any(is_before)).then_some(after)
    }

    fn lives(self, pair: Pair) -> bool {
        matches!(self, Self::Live { current, .. } if current.is(pair))
    }
}

/// As many calls as a history may have.
pub(super) const CALLS_MAX: usize = 128;

/// Whether some order explains the history of one grant, which begins with a code.
pub(super) fn is_explained(history: &[Event], staleness: Duration) -> bool {
    assert!(history.len() <= CALLS_MAX, "a set of calls is a number of that many bits");
    Search { history, staleness, seen: HashSet::new() }.goes_on(0, Grant::Consented)
}

struct Search<'a> {
    history: &'a [Event],
    staleness: Duration,
    /// Which calls have come, and what they left.
    seen: HashSet<(u128, Grant)>,
}

impl Search<'_> {
    fn goes_on(&mut self, come: u128, grant: Grant) -> bool {
        if !self.seen.insert((come, grant)) {
            return false;
        }
        let (history, staleness) = (self.history, self.staleness);
        let rest = || history.iter().enumerate().filter(|(place, _)| come & (1 << place) == 0);
        // Whoever was sent after this moment comes after the call that was answered then.
        let Some(horizon) = rest().filter_map(|(_, event)| event.latest()).min() else {
            return true;
        };
        let next = || rest().filter(|(_, event)| event.earliest(staleness) <= horizon);
        let after = |event: &Event| grant.after(event.call, event.answer);
        // What changes nothing, now or at any other time at which it may be answered so, may as
        // well come now: whatever order has it later holds without it.
        let is_idle = |event: &Event| {
            after(event) == Some(grant)
                && (grant == Grant::Ended || !matches!(event.call, Call::Revoke(_)))
        };
        if let Some((place, _)) = next().find(|(_, event)| is_idle(event)) {
            return self.goes_on(come | (1 << place), grant);
        }
        next().any(|(place, event)| {
            let come = come | (1 << place);
            let other = || grant.after_meeting(event, history);
            after(event).is_some_and(|after| self.goes_on(come, after))
                || other().is_some_and(|after| self.goes_on(come, after))
        })
    }
}

#[cfg(test)]
mod tests;
