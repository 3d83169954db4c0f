//! What one worker knows: of every grant each call, when it was sent, when it was answered, and
//! what the answer said.
//!
//! "When" is the number of operations on the store's files at that moment, so that a ledger can say
//! what was known at any earlier point of the run. Where nobody counts, it is 0 before and after.

use crate::client::{self, Tokens};

/// A call that changes a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Issue,
    Consent,
    Redeem,
    Rotate,
    Revoke,
}

/// What a grant is after a call that was answered.
#[derive(Debug, Clone)]
pub(crate) enum State {
    /// Consented: there is a code.
    Consented { code: String },
    /// There are tokens.
    Live(Live),
    /// Revoked, or ended by a replay.
    Ended(Tokens),
}

#[derive(Debug, Clone)]
pub(crate) struct Live {
    pub(crate) tokens: Tokens,
    /// The code that gave the first of them, until the first refresh.
    pub(crate) code: Option<String>,
    /// The pair before.
    pub(crate) spent: Option<Tokens>,
}

#[derive(Debug, Clone)]
struct Step {
    call: Call,
    sent: u64,
    /// When, and what the answer left. `None`: it never came, or it was "try again later".
    answered: Option<(u64, State)>,
}

/// The history of one grant.
#[derive(Debug, Clone, Default)]
pub(crate) struct Grant {
    steps: Vec<Step>,
}

/// What is known of a grant at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    /// After the last answered call; `None` when not even its birth was answered.
    pub(crate) state: Option<State>,
    /// A call that was sent and not answered: it happened, or it did not.
    pub(crate) doubt: Option<Call>,
}

impl Grant {
    pub(crate) fn send(&mut self, call: Call, now: u64) {
        self.steps.push(Step { call, sent: now, answered: None });
    }

    /// The call that was sent last was answered.
    pub(crate) fn answer(&mut self, now: u64, state: State) {
        self.steps.last_mut().unwrap().answered = Some((now, state));
    }

    /// What is known now.
    pub(crate) fn known(&self) -> Known {
        self.known_at(u64::MAX)
    }

    /// What was known when `moment` operations were done and no more.
    pub(crate) fn known_at(&self, moment: u64) -> Known {
        let mut known = Known { state: None, doubt: None };
        for step in &self.steps {
            match &step.answered {
                Some((at, state)) if *at <= moment => known.state = Some(state.clone()),
                // A call is in doubt as soon as something was done after it was sent.
                _ if step.sent < moment => known.doubt = Some(step.call),
                _ => {}
            }
        }
        known
    }

    /// The oracle has found out; from here on this is the grant.
    pub(crate) fn settle(&mut self, state: Option<State>) {
        let settled = |state| Step { call: Call::Issue, sent: 0, answered: Some((0, state)) };
        self.steps = state.map(settled).into_iter().collect();
    }

    /// Takes every answer after a moment for none. Of a grant that had several of them nothing is
    /// known any more; whether that is so.
    pub(crate) fn distrust_after(&mut self, moment: u64) -> bool {
        let is_late =
            |step: &Step| step.answered.as_ref().map_or(step.sent, |(at, _)| *at) > moment;
        let first_late = self.steps.iter().position(is_late).unwrap_or(self.steps.len());
        if first_late + 1 < self.steps.len() {
            self.steps.clear();
            return true;
        }
        if let Some(step) = self.steps.get_mut(first_late) {
            step.answered = None;
        }
        false
    }

    /// When something was last sent or answered, up to a moment.
    pub(crate) fn touched_before(&self, moment: u64) -> Option<u64> {
        let moments = self.steps.iter().flat_map(|step| {
            let answered = step.answered.as_ref().map(|(at, _)| *at);
            [Some(step.sent), answered].into_iter().flatten()
        });
        moments.filter(|at| *at <= moment).max()
    }

    /// When each of its answered calls was sent and answered.
    pub(crate) fn answered(&self) -> impl Iterator<Item = (u64, u64)> {
        self.steps.iter().filter_map(|step| Some((step.sent, step.answered.as_ref()?.0)))
    }
}

impl Known {
    /// Its id, once any answer has told it.
    pub(crate) fn id(&self) -> Option<u64> {
        self.state.as_ref().map(|state| match state {
            State::Consented { code } => client::id(code),
            State::Live(live) => client::id(&live.tokens.access),
            State::Ended(tokens) => client::id(&tokens.access),
        })
    }

    /// What may be used next: nothing while a call is in doubt.
    pub(crate) fn certain(self) -> Option<State> {
        if self.doubt.is_some() { None } else { self.state }
    }
}
