//! A client's life with a bad network, at random: it is never locked out, and never sees two pairs
//! for one rotation. Whoever replays a token that the client has left behind ends the grant.

use std::{collections::BTreeMap, time::Duration};

use proptest::prelude::*;
use tokenry_core::{grant_types::refresh_token::Refresh, issue::IssuedTokens};
use tokenry_protocol::{oauth::token::Wishes, redirect_uri::ClientKind, time::Seconds};

use crate::support::{Grant, Pair, World, issued, millis, refreshing_outcome, seconds};

/// What happens to a client, or what it does.
#[derive(Debug, Clone)]
enum Step {
    Wait(Duration),
    /// Calls an API. A token that was replaced is refused there, and is no use of the new one.
    UseAccessToken,
    /// Refreshes and hears the answer.
    Refresh,
    /// Refreshes; the server acts, and the answer is lost.
    LoseAnswer,
    /// Refreshes; something on the way sends the request again this much later, within the window.
    SendTwice(Duration),
    /// Refreshes; the answer is lost, and the request on its way in two more copies. The first
    /// arrives this much later, its answer is heard and used; the second arrives after another
    /// while, in thousandths of half a window.
    Straddle(Duration, u64),
    /// Refreshes from many places at once: all decide on what they load, one write holds.
    Race(usize),
    /// Somebody who knows the id makes a token up.
    Forge(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..40_000_u64).prop_map(|span| Step::Wait(millis(span))),
        (0..40_000_u64).prop_map(|span| Step::Wait(seconds(span))),
        Just(Step::UseAccessToken),
        Just(Step::UseAccessToken),
        Just(Step::Refresh),
        Just(Step::LoseAnswer),
        (0..5_000_u64).prop_map(|span| Step::SendTwice(millis(span))),
        (0..40_000_u64, 0..=1_000_u64)
            .prop_map(|(first, second)| Step::Straddle(millis(first), second)),
        (2..6_usize).prop_map(Step::Race),
        (0..4_u32).prop_map(Step::Forge),
    ]
}

/// The grant at the server, what the client holds, and every pair that was ever given out.
struct Walk {
    grant: Grant,
    held: Pair,
    given: BTreeMap<u32, (String, String)>,
}

impl Walk {
    fn new((kind, access_token_lifetime): (ClientKind, Option<Seconds>)) -> Self {
        let mut world = World::of(kind);
        world.policy.access_token_lifetime = access_token_lifetime;
        let grant = Grant::of(world, "read write");
        let held = grant.pair.clone();
        Self { grant, held, given: BTreeMap::new() }
    }

    /// The client's request arrives; the pair that the server answers with.
    fn ask(&mut self) -> Result<Pair, TestCaseError> {
        let held = self.held.refresh.clone();
        let decision = self.grant.ask(&held, &Wishes::NONE);
        self.settle(decision)
    }

    fn settle(&mut self, decision: Refresh) -> Result<Pair, TestCaseError> {
        let outcome = refreshing_outcome(&decision);
        self.grant.commit(&decision);
        let (Refresh::Rotate { answer, .. }
        | Refresh::Renew { answer, .. }
        | Refresh::Repeat(answer)) = decision
        else {
            return Err(TestCaseError::fail(format!("the client is locked out: {outcome}")));
        };
        self.check(&answer)?;
        Ok(Pair::of(&answer))
    }

    /// One pair a rotation, accepted by the record, with lifetimes that are true.
    fn check(&mut self, answer: &IssuedTokens) -> Result<(), TestCaseError> {
        let (at_rest, now) = (issued(&self.grant.token), self.grant.world.now);
        let (pair, (_, refresh_left)) = (Pair::of(answer), answer.refresh_token.as_ref().unwrap());
        let refresh = at_rest.refresh.as_ref().unwrap();
        prop_assert!(at_rest.access.hash.matches(&pair.access.hash()));
        prop_assert!(refresh.hash.matches(&pair.refresh.hash()));
        prop_assert_eq!(pair.refresh.parts().rotation, at_rest.rotation);
        prop_assert_eq!(*refresh_left, refresh.expires_at.seconds_left(now));
        let access_left = at_rest.access.expires_at().map(|end| end.seconds_left(now));
        prop_assert_eq!(answer.access_token_lifetime, access_left);
        prop_assert_ne!(access_left, Some(Seconds(0)));
        let expires = self.grant.world.policy.access_token_lifetime.is_some();
        prop_assert_eq!(access_left.is_some(), expires);

        let texts = (pair.access.reveal().to_owned(), pair.refresh.reveal().to_owned());
        let first = self.given.entry(at_rest.rotation).or_insert_with(|| texts.clone());
        prop_assert_eq!(first, &texts);
        Ok(())
    }

    fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Wait(span) => self.grant.wait(*span),
            Step::UseAccessToken => self.use_access_token(),
            Step::Refresh => self.held = self.ask()?,
            Step::LoseAnswer => {
                self.ask()?;
            }
            Step::SendTwice(span) => {
                let first = self.ask()?;
                self.grant.wait(*span);
                let second = self.ask()?;
                prop_assert_eq!(first.refresh.reveal(), second.refresh.reveal());
                self.held = second;
            }
            Step::Straddle(first, second) => self.straddle(*first, *second)?,
            Step::Race(count) => self.race(*count)?,
            Step::Forge(rotation) => {
                let (world, id) = (&self.grant.world, self.grant.token.id);
                let kind = self.held.refresh.parts().kind;
                let forged = world.forged(kind, id, *rotation);
                prop_assert_eq!(self.grant.outcome(&forged), "refuse: credential_forged");
            }
        }
        Ok(())
    }

    fn use_access_token(&mut self) {
        let access = &issued(&self.grant.token).access;
        let is_live = !access.is_expired(self.grant.world.now);
        if is_live && access.hash.matches(&self.held.access.hash()) {
            self.grant.use_access_token();
        }
    }

    fn straddle(&mut self, first: Duration, second: u64) -> Result<(), TestCaseError> {
        let sent = self.held.refresh.clone();
        self.ask()?;
        self.grant.wait(first);
        self.held = self.ask()?;
        self.use_access_token();
        let window = self.grant.world.policy.retry_window(&self.grant.world.client);
        self.grant.wait(millis(u64::from(window.0) * second / 2));
        let decision = self.grant.ask(&sent, &Wishes::NONE);
        let again = self.settle(decision)?;
        prop_assert_eq!(again.refresh.reveal(), self.held.refresh.reveal());
        Ok(())
    }

    /// All load the same record. The first write holds; the others find another rotation, or, at a
    /// renewal, write the same again; who loses looks again.
    fn race(&mut self, count: usize) -> Result<(), TestCaseError> {
        let held = self.held.refresh.clone();
        let ask = |_| self.grant.ask(&held, &Wishes::NONE);
        let decisions: Vec<Refresh> = (0..count).map(ask).collect();
        let loaded = issued(&self.grant.token).rotation;
        let mut pairs = Vec::new();
        for decision in decisions {
            let found = issued(&self.grant.token).rotation;
            let lost = matches!(decision, Refresh::Rotate { .. }) && found != loaded;
            pairs.push(if lost { self.ask()? } else { self.settle(decision)? });
        }
        for pair in &pairs {
            prop_assert_eq!(pair.refresh.reveal(), pairs[0].refresh.reveal());
        }
        self.held = pairs.swap_remove(0);
        Ok(())
    }
}

/// Whose grant it is, and how long its access tokens live.
fn settings() -> impl Strategy<Value = (ClientKind, Option<Seconds>)> {
    let kinds = prop_oneof![Just(ClientKind::Confidential), Just(ClientKind::Public)];
    (kinds, prop_oneof![3 => Just(Some(Seconds(1_800))), 1 => Just(None)])
}

/// Half a day at most lies between two steps, so 40 of them end before a refresh token does.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..40)
}

proptest! {
    #[test]
    fn an_honest_client_on_a_bad_network_keeps_its_grant_and_sees_one_pair_a_rotation(
        settings in settings(),
        steps in steps(),
    ) {
        let mut walk = Walk::new(settings);
        for step in &steps {
            walk.take(step)?;
        }
        walk.ask()?;
    }

    #[test]
    fn a_replay_ends_the_grant_wherever_the_walk_has_led(
        settings in settings(),
        steps in steps(),
        which in any::<prop::sample::Index>(),
    ) {
        let mut walk = Walk::new(settings);
        let mut left_behind = vec![walk.held.clone()];
        for step in &steps {
            walk.take(step)?;
            left_behind.push(walk.held.clone());
        }
        // The client goes on twice, and uses what it has.
        for _ in 0..2 {
            walk.held = walk.ask()?;
        }
        walk.use_access_token();
        walk.grant.wait(seconds(31));
        let present = walk.held.refresh.reveal();
        left_behind.retain(|pair| pair.refresh.reveal() != present);
        let stolen = which.get(&left_behind);
        prop_assert_eq!(walk.grant.outcome(&stolen.refresh), "replay");
    }
}
