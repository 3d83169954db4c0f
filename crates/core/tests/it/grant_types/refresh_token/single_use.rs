//! The rule by which a refresh token is good for one refresh and nothing is given again.

use proptest::prelude::*;
use tokenry_core::policy::Rotation;
use tokenry_protocol::{oauth::token::Wishes, redirect_uri::ClientKind, secret::Kind};

use crate::support::{
    DAY, Grant, KeyFate, Pair, World, issued, millis, refreshing_outcome, seconds, want_scope,
};

const SPENT: &str = "refuse: rotated_away";

fn single_use(kind: ClientKind) -> Grant {
    let mut world = World::of(kind);
    world.policy.rotation = Rotation::SingleUse;
    Grant::of(world, "read write")
}

#[test]
fn a_refresh_token_that_was_used_is_refused_at_once_and_for_ever() {
    for kind in [ClientKind::Confidential, ClientKind::Public] {
        for after in [millis(0), seconds(3), seconds(31), DAY, DAY * 365] {
            let mut grant = single_use(kind);
            let (first, second) = (grant.rotate(), grant.rotate());
            grant.wait(after);
            for spent in [&first, &second] {
                assert_eq!(grant.outcome(&spent.refresh), SPENT, "{kind:?} {after:?}");
            }
        }
    }
}

/// Neither what became of the new pair nor what the request asks for makes a difference.
#[test]
fn whether_the_answer_was_lost_does_not_matter() {
    let mut grant = single_use(ClientKind::Confidential);
    let before = grant.rotate();
    assert_eq!(grant.outcome(&before.refresh), SPENT);
    assert_eq!(grant.outcome_for(&before.refresh, &want_scope("read")), SPENT);
    grant.use_access_token();
    assert_eq!(grant.outcome(&before.refresh), SPENT);
    grant.world.suspend_user();
    assert_eq!(grant.outcome(&before.refresh), SPENT);
}

/// A window of the client's own gives nothing again either.
#[test]
fn no_window_opens() {
    let mut grant = single_use(ClientKind::Confidential);
    grant.world.client.retry_window = Some(tokenry_protocol::time::Seconds(1_800));
    let before = grant.rotate();
    assert_eq!(grant.outcome(&before.refresh), SPENT);
}

#[test]
fn the_grant_lives_on_and_its_present_refresh_token_works() {
    let mut grant = single_use(ClientKind::Public);
    for _ in 0..5 {
        let before = grant.rotate();
        let refused = grant.ask(&before.refresh, &Wishes::NONE);
        assert_eq!(refreshing_outcome(&refused), SPENT);
        grant.commit(&refused);
        let at_rest = issued(&grant.token);
        assert!(at_rest.access.accepts(&grant.pair.access.hash(), grant.world.now));
        assert!(!at_rest.access.accepts(&before.access.hash(), grant.world.now));
        grant.wait(seconds(100));
    }
}

#[test]
fn what_was_made_up_is_told_from_what_was_used() {
    let mut grant = single_use(ClientKind::Confidential);
    let first = grant.rotate();
    grant.rotate();
    let forged = grant.world.forged(Kind::RefreshToken, grant.token.id, 1);
    assert_eq!(grant.outcome(&forged), "refuse: credential_forged");
    let future = grant.world.keys.mint(Kind::RefreshToken, grant.token.id.get(), 9, [1; 16]);
    assert_eq!(grant.outcome(&future), "refuse: credential_forged");
    let stranger = grant.ask_as(&grant.world.stranger(), &first.refresh, &Wishes::NONE);
    assert_eq!(refreshing_outcome(&stranger), "refuse: foreign_client");
    grant.world.replace_key(KeyFate::Lost);
    assert_eq!(grant.outcome(&first.refresh), "refuse: credential_forged");
}

/// The rule is that of today, whatever it was when the pair was issued.
#[test]
fn a_change_of_the_rule_holds_for_grants_that_are_there() {
    let mut grant = single_use(ClientKind::Confidential);
    let before = grant.rotate();
    grant.world.policy.rotation = Rotation::Forgiving;
    assert_eq!(grant.outcome(&before.refresh), "repeat");
    grant.rotate();
    assert_eq!(grant.outcome(&before.refresh), "replay");
    grant.world.policy.rotation = Rotation::SingleUse;
    assert_eq!(grant.outcome(&before.refresh), SPENT);
}

proptest! {
    /// Of many that decide on the same record one write holds; whoever looks again is refused.
    #[test]
    fn of_refreshes_side_by_side_one_wins_and_every_refresh_token_wins_once(
        steps in prop::collection::vec((1..6_usize, 0..40_000_u64), 1..20),
        which in any::<prop::sample::Index>(),
    ) {
        let mut grant = single_use(ClientKind::Confidential);
        let mut spent = Vec::new();
        for (count, span) in steps {
            let presented = grant.pair.clone();
            let ask = |_| grant.ask(&presented.refresh, &Wishes::NONE);
            let decisions: Vec<_> = (0..count).map(ask).collect();
            prop_assert!(decisions.iter().all(|one| refreshing_outcome(one) == "rotate"));
            let answer = grant.send(&presented.refresh, &Wishes::NONE);
            grant.pair = Pair::of(&answer);
            for _ in 1..count {
                prop_assert_eq!(grant.outcome(&presented.refresh), SPENT);
            }
            spent.push(presented);
            grant.wait(seconds(span));
        }
        prop_assert_eq!(grant.outcome(&which.get(&spent).refresh), SPENT);
        prop_assert_eq!(grant.outcome(&grant.pair.refresh), "rotate");
    }
}
