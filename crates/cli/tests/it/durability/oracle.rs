//! The oracle: whether every answer still holds, and whether every call that had none happened
//! wholly or not at all.

use std::{collections::HashSet, sync::Mutex};

use serde_json::Value;

use super::{
    dice::Dice,
    ledger::{Call, Known, Live, State},
    workers::Worker,
};
use crate::client::{App, Client, Tokens};

/// Whoever asks.
pub(crate) struct Oracle<'a> {
    pub(crate) client: Client,
    pub(crate) app: &'a App,
    pub(crate) admin: &'a Value,
}

impl Oracle<'_> {
    /// Checks what is known of one grant, finds out what was in doubt, and says what the grant is
    /// now. One in four is also tried with what was spent, which may end it.
    #[track_caller]
    pub(crate) fn check(&self, known: Known, dice: &mut Dice) -> Option<State> {
        match (known.state?, known.doubt) {
            (State::Consented { code }, None) => self.redeem(&code),
            (State::Consented { code }, Some(_)) => self.redeemed_or_not(&code),
            (State::Live(live), Some(Call::Revoke)) => Some(self.revoked_or_not(live)),
            (State::Live(live), Some(_)) => Some(State::Live(self.rotated_or_not(&live))),
            (State::Live(live), None) => {
                self.live(&live);
                Some(if dice.roll(4) == 0 { self.try_spent(live) } else { State::Live(live) })
            }
            (State::Ended(tokens), _) => {
                self.ended(&tokens);
                Some(State::Ended(tokens))
            }
        }
    }

    fn live(&self, live: &Live) {
        assert!(self.is_alive(&live.tokens.access), "an acknowledged token is lost: {live:?}");
        if let Some(spent) = &live.spent {
            assert!(!self.is_alive(&spent.access), "two live tokens of one grant: {live:?}");
        }
    }

    fn ended(&self, tokens: &Tokens) {
        assert!(!self.is_alive(&tokens.access), "an acknowledged revocation is lost: {tokens:?}");
        if let Some(refresh) = &tokens.refresh {
            self.refused(refresh);
        }
    }

    /// A code that was never presented.
    fn redeem(&self, code: &str) -> Option<State> {
        let answer = self.client.redeem(self.app, code).unwrap();
        // A call that was put off may have redeemed it, and then the next one was a replay.
        if answer.put_off > 0 && answer.status == 400 {
            assert_eq!(self.record(code), 404, "a replayed code leaves its grant alive");
            return None;
        }
        let tokens = answer.tokens();
        assert!(self.is_alive(&tokens.access));
        Some(State::Live(Live { tokens, code: Some(code.to_owned()), spent: None }))
    }

    /// The record says whether it was redeemed, and then the code must say the same.
    fn redeemed_or_not(&self, code: &str) -> Option<State> {
        match self.record(code) {
            404 => self.redeem(code),
            200 => {
                let again = self.client.redeem(self.app, code).unwrap();
                assert_eq!(again.status, 400, "a code was redeemed twice: {}", again.text);
                assert_eq!(self.record(code), 404, "a replayed code leaves its grant alive");
                None
            }
            status => panic!("{status} for the record of a code"),
        }
    }

    fn revoked_or_not(&self, live: Live) -> State {
        let is_alive = self.is_alive(&live.tokens.access);
        assert_eq!(self.record(&live.tokens.access), if is_alive { 200 } else { 404 });
        if is_alive {
            return State::Live(live);
        }
        self.ended(&live.tokens);
        State::Ended(live.tokens)
    }

    /// Rotated or not, the refresh token at hand gives a pair, and each time the same.
    fn rotated_or_not(&self, live: &Live) -> Live {
        let held = live.tokens.refresh.as_ref().unwrap();
        let tokens = self.client.refresh(self.app, held).unwrap().tokens();
        let again = self.client.refresh(self.app, held).unwrap().tokens();
        assert_eq!(tokens, again, "a second pair for one refresh token");
        let live = Live { tokens, code: None, spent: Some(live.tokens.clone()) };
        self.live(&live);
        live
    }

    /// What was spent gives nothing new: the same pair, or a refusal that ends the grant.
    fn try_spent(&self, live: Live) -> State {
        if let Some(refresh) = live.spent.as_ref().and_then(|spent| spent.refresh.as_ref()) {
            let answer = self.client.refresh(self.app, refresh).unwrap();
            if answer.status == 200 {
                let tokens = answer.tokens();
                assert_eq!(tokens, live.tokens, "a second pair for one refresh token");
                return State::Live(live);
            }
            answer.expect(400);
        } else if let Some(code) = &live.code {
            let answer = self.client.redeem(self.app, code).unwrap();
            assert_eq!(answer.status, 400, "a code was redeemed twice: {}", answer.text);
        } else {
            return State::Live(live);
        }
        self.ended(&live.tokens);
        State::Ended(live.tokens)
    }

    fn refused(&self, refresh: &str) {
        let answer = self.client.refresh(self.app, refresh).unwrap();
        assert_eq!(answer.status, 400, "an ended grant is refreshed: {}", answer.text);
    }

    fn is_alive(&self, access: &str) -> bool {
        self.client.is_alive(access).expect("the server answers")
    }

    fn record(&self, credential: &str) -> u16 {
        self.client.record(self.admin, credential).expect("the server answers").status
    }

    /// Checks every grant of every worker, all workers at once, and then the list of all tokens.
    pub(crate) fn check_all(&self, workers: &[Mutex<Worker>], seed: u64, strangers: &mut usize) {
        let births_in_doubt: usize = std::thread::scope(|scope| {
            let checks = (0..).zip(workers).map(|(part, worker)| {
                let mut dice = Dice::new(seed ^ 0x5EED, part);
                scope.spawn(move || {
                    let mut in_doubt = 0;
                    for grant in &mut worker.lock().unwrap().grants {
                        let known = grant.known();
                        in_doubt += usize::from(known.state.is_none() && known.doubt.is_some());
                        grant.settle(self.check(known, &mut dice));
                    }
                    in_doubt
                })
            });
            let checks: Vec<_> = checks.collect();
            checks.into_iter().map(|check| check.join().unwrap()).sum()
        });
        *strangers += births_in_doubt;
        let states = workers.iter().flat_map(|worker| {
            let worker = worker.lock().unwrap();
            worker.grants.iter().map(super::ledger::Grant::known).collect::<Vec<_>>()
        });
        self.check_list(&states.collect::<Vec<_>>(), *strangers);
    }

    /// The list holds every live token once, no ended one, no more strangers than calls were left
    /// without an answer; and no id was given twice.
    pub(crate) fn check_list(&self, grants: &[Known], strangers_max: usize) {
        let listed = self.client.list(self.admin);
        let mut listed_once = HashSet::new();
        for id in listed {
            assert!(listed_once.insert(id), "the list shows {id} twice");
        }
        let mut given = HashSet::new();
        for known in grants {
            let Some(id) = known.id() else { continue };
            assert!(given.insert(id), "the id {id} was given twice");
            match known.state {
                Some(State::Live(_)) if known.doubt.is_none() => {
                    assert!(listed_once.remove(&id), "a live token is not listed: {id}");
                }
                Some(State::Ended(_)) => {
                    assert!(!listed_once.contains(&id), "an ended token is listed: {id}");
                }
                _ => {
                    listed_once.remove(&id);
                }
            }
        }
        assert!(
            listed_once.len() <= strangers_max,
            "{} tokens are listed that nobody was given, and only {strangers_max} calls had no \
             answer",
            listed_once.len()
        );
    }
}
