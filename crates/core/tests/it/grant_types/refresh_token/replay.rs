//! Refresh tokens that were rotated away and may not be answered: RFC 9700 §4.14.2.

use proptest::prelude::*;
use tokenry_core::{
    event::{Actor, Event, EventKind},
    grant::Stage,
    grant_types::refresh_token::Refresh,
};
use tokenry_protocol::{oauth::token::Wishes, secret::Kind};

use crate::support::{
    DAY, Grant, KeyFate, World, issued, millis, refreshing_outcome, seconds, want_scope,
};

#[test]
fn a_replay_ends_the_grant_and_leaves_an_event() {
    let mut grant = Grant::new();
    let before = grant.rotate();
    grant.use_access_token();
    grant.wait(seconds(31));
    let Refresh::Replay(end) = grant.ask(&before.refresh, &Wishes::NONE) else {
        panic!("{}", grant.outcome(&before.refresh));
    };
    assert_eq!(end.id(), grant.token.id);
    let expected = Event {
        at: grant.world.now,
        kind: EventKind::RefreshTokenReplayed,
        token_id: grant.token.id,
        client_id: grant.world.client.id,
        user_id: grant.token.user_id,
        actor: Actor::Client(grant.world.client.id),
    };
    assert_eq!(end.event(), &expected);
}

/// Once the new refresh token was used, no window protects the one before it.
#[test]
fn an_older_refresh_token_is_a_replay_window_or_not_used_or_not() {
    for after in [millis(0), seconds(3), seconds(31), DAY] {
        let mut grant = Grant::new();
        let first = grant.rotate();
        grant.rotate();
        grant.wait(after);
        assert_eq!(grant.outcome(&first.refresh), "replay", "{after:?}");
    }
}

#[test]
fn every_refresh_token_but_the_last_two_is_a_replay_for_ever() {
    let mut grant = Grant::new();
    let mut generations = vec![grant.pair.clone()];
    for _ in 0..10 {
        grant.wait(seconds(100));
        grant.rotate();
        generations.push(grant.pair.clone());
    }
    let (last_two, older) = (generations.split_off(9), generations);
    assert_eq!((last_two.len(), older.len()), (2, 9));
    for span in [seconds(0), DAY * 29, DAY * 365] {
        grant.wait(span);
        for pair in &older {
            assert_eq!(grant.outcome(&pair.refresh), "replay", "{:?} {span:?}", pair.refresh);
        }
    }
}

#[test]
fn a_replay_needs_neither_a_user_nor_a_scope_that_holds() {
    let mut grant = Grant::new();
    let first = grant.rotate();
    grant.rotate();
    grant.world.suspend_user();
    assert_eq!(grant.outcome_for(&first.refresh, &want_scope("impersonate")), "replay");
}

#[test]
fn an_old_refresh_token_in_a_strangers_hands_harms_nobody() {
    let mut grant = Grant::new();
    let first = grant.rotate();
    grant.rotate();
    let decision = grant.ask_as(&grant.world.stranger(), &first.refresh, &Wishes::NONE);
    assert_eq!(refreshing_outcome(&decision), "refuse: foreign_client");
}

#[test]
fn a_retired_key_still_tells_an_old_refresh_token() {
    let mut grant = Grant::new();
    let first = grant.rotate();
    grant.rotate();
    grant.world.replace_key(KeyFate::Retired);
    assert_eq!(grant.outcome(&first.refresh), "replay");
}

/// Without its key an old refresh token proves nothing, so it revokes nothing.
#[test]
fn an_old_refresh_token_whose_key_was_lost_is_refused_and_harms_nobody() {
    let mut grant = Grant::new();
    let first = grant.rotate();
    grant.rotate();
    grant.world.replace_key(KeyFate::Lost);
    assert_eq!(grant.outcome(&first.refresh), "refuse: credential_forged");
    assert_eq!(grant.outcome(&grant.pair.refresh), "rotate");
}

/// The pair of a rotation that lost its race was never given to anybody.
#[test]
fn a_token_of_ours_that_was_never_given_out_harms_nobody() {
    let mut grant = Grant::new();
    let lost = match grant.ask(&grant.pair.refresh, &Wishes::NONE) {
        Refresh::Rotate { answer, .. } => answer.refresh_token.unwrap().0,
        other => panic!("{other:?}"),
    };
    grant.rotate();
    assert_eq!(grant.outcome(&lost), "refuse: credential_forged");
    let future = grant.world.keys.mint(Kind::RefreshToken, grant.token.id.get(), 9, [1; 16]);
    assert_eq!(grant.outcome(&future), "refuse: credential_forged");
}

/// The thief refreshes first, the client later, or the other way round: the chain has two holders,
/// and the one who is behind gives it away.
#[test]
fn whoever_refreshes_behind_the_other_ends_the_grant_for_both() {
    let mut grant = Grant::of(World::public(), "read");
    let stolen = grant.pair.clone();
    grant.wait(seconds(60));
    grant.rotate();
    grant.use_access_token();
    grant.wait(seconds(60));
    assert_eq!(grant.outcome(&stolen.refresh), "replay", "the client came first");
    grant.rotate();
    assert_eq!(grant.outcome(&stolen.refresh), "replay", "and a rotation later too");
}

proptest! {
    #[test]
    fn no_made_up_refresh_token_does_anything(
        rotations in 0..4_usize,
        claimed in 0..6_u32,
        draws in 0..50_usize,
        days in 0..40_u32,
    ) {
        let mut grant = Grant::new();
        for _ in 0..rotations {
            grant.rotate();
        }
        grant.wait(DAY * days);
        for _ in 0..draws {
            grant.world.forged(Kind::RefreshToken, grant.token.id, claimed);
        }
        let forged = grant.world.forged(Kind::RefreshToken, grant.token.id, claimed);
        prop_assert_eq!(grant.outcome(&forged), "refuse: credential_forged");
    }

    /// Any rotation, any distance: what lies two rotations back or more ends the grant.
    #[test]
    fn a_generation_two_back_or_more_is_a_replay(start in 1..(1_u32 << 23), steps in 2..6_u32) {
        let mut grant = Grant::new();
        let mut at_rest = issued(&grant.token).clone();
        at_rest.rotation = start;
        grant.token.stage = Stage::Issued(at_rest);
        let mut first = None;
        for _ in 0..steps {
            let before = grant.rotate();
            first.get_or_insert(before);
        }
        // The first pair was minted at rotation 1, whatever the record then said.
        prop_assert_eq!(grant.outcome(&first.unwrap().refresh), "replay");
    }
}
