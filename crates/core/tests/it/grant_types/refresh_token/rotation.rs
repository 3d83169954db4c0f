//! The present refresh token: both tokens are replaced in place.

use tokenry_core::{grant::Stage, grant_types::refresh_token::Refresh, policy::UnknownScopes};
use tokenry_protocol::{
    oauth::token::Wishes,
    secret::{Kind, ROTATION_MAX},
    time::Seconds,
};

use crate::support::{
    Grant, KEY_NUMBER, KeyFate, NOON, Redeeming, World, issued, same_text, scope, seconds,
    want_access_lifetime, want_refresh_lifetime, want_scope,
};

#[test]
fn a_refresh_keeps_the_record_and_replaces_both_tokens() {
    let mut grant = Grant::new();
    grant.use_access_token();
    grant.wait(seconds(100));
    let before = grant.token.clone();
    let Refresh::Rotate { write, answer } = grant.ask(&grant.pair.refresh, &Wishes::NONE) else {
        panic!("{}", grant.outcome(&grant.pair.refresh));
    };
    let (old, new) = (issued(&before), write.issued());
    let (refresh_token, left) = answer.refresh_token.as_ref().unwrap();
    let refresh = new.refresh.as_ref().unwrap();

    assert_eq!((write.id(), write.from_rotation(), new.rotation), (before.id, 1, 2));
    assert_eq!((new.used_at, new.used_rotation), (old.used_at, 1), "a refresh is no use");
    assert!(new.access.hash.matches(&answer.access_token.hash()));
    assert!(refresh.hash.matches(&refresh_token.hash()));
    assert!(!new.access.hash.matches(&grant.pair.access.hash()), "the old one is dead");
    let previous = refresh.previous.unwrap();
    assert!(previous.hash.matches(&grant.pair.refresh.hash()));
    assert_eq!((previous.rotated_at, previous.key_number), (grant.world.now, 1));
    assert_eq!(new.access.issued_at, grant.world.now);
    assert_eq!(*left, Seconds(2_592_000), "a new refresh token starts its own period");
    for (token, kind) in
        [(&answer.access_token, Kind::AccessToken), (refresh_token, Kind::RefreshToken)]
    {
        let parts = token.parts();
        assert_eq!((parts.kind, parts.id, parts.rotation), (kind, 2001, 2));
    }
}

/// Who knows the record before knows it afterwards, without asking the store.
#[test]
fn a_rotation_changes_a_records_tokens_and_nothing_else_of_it() {
    let grant = Grant::new();
    let Refresh::Rotate { write, .. } = grant.ask(&grant.pair.refresh, &Wishes::NONE) else {
        panic!("{}", grant.outcome(&grant.pair.refresh));
    };
    let (before, after) = (&grant.token, write.after(&grant.token));
    assert_eq!((after.id, after.client_id), (before.id, before.client_id));
    assert_eq!((after.user_id, after.origin), (before.user_id, before.origin));
    assert_eq!((after.created_at, &after.granted), (before.created_at, &before.granted));
    assert_eq!(format!("{:?}", issued(&after)), format!("{:?}", write.issued()));
}

/// The store writes only onto the rotation that was decided on.
#[test]
fn every_rotation_is_written_onto_the_one_before_it() {
    let mut grant = Grant::new();
    for from in 1..5 {
        let decision = grant.ask(&grant.pair.refresh, &Wishes::NONE);
        let Refresh::Rotate { write, .. } = decision else {
            panic!("{decision:?}");
        };
        assert_eq!((write.from_rotation(), write.issued().rotation), (from, from + 1));
        grant.rotate();
    }
}

/// A repeat is derived under the key of its rotation, so the record must remember which one it was.
#[test]
fn a_rotation_is_derived_under_the_key_that_mints_now_and_remembers_it() {
    for fate in [KeyFate::Lost, KeyFate::Retired] {
        let mut grant = Grant::new();
        grant.world.replace_key(fate);
        let before = grant.rotate();
        let previous = issued(&grant.token).refresh.as_ref().unwrap().previous.unwrap();
        assert_eq!(previous.key_number, KEY_NUMBER + 1, "{fate:?}");
        assert_eq!(grant.pair.refresh.parts().key_number, KEY_NUMBER + 1, "{fate:?}");
        assert_eq!(grant.outcome(&before.refresh), "repeat", "{fate:?}");
    }
}

/// A thief of the database has no token key and no old secret; a thief of the key has no salt.
#[test]
fn a_successor_is_salted_so_two_rotations_of_one_token_would_differ() {
    let grant = Grant::new();
    let pairs = [(); 2].map(|()| match grant.ask(&grant.pair.refresh, &Wishes::NONE) {
        Refresh::Rotate { answer, .. } => answer,
        other => panic!("{other:?}"),
    });
    assert!(!same_text(&pairs[0].access_token, &pairs[1].access_token));
    assert_ne!(
        pairs[0].access_token.parts().secret,
        pairs[0].refresh_token.as_ref().unwrap().0.parts().secret
    );
}

/// Many at once: one rotation, and all get the same answer.
#[test]
fn the_loser_of_a_race_looks_again_and_gets_what_the_winner_got() {
    let mut grant = Grant::new();
    let presented = grant.pair.refresh.clone();
    let lost: Vec<_> = (0..31).map(|_| grant.ask(&presented, &Wishes::NONE)).collect();
    let won = grant.send(&presented, &Wishes::NONE);
    for attempt in lost {
        let Refresh::Rotate { write, .. } = attempt else {
            panic!("{attempt:?}");
        };
        let found = issued(&grant.token).rotation;
        assert_ne!(write.from_rotation(), found, "the store's condition does not hold");
        let again = grant.send(&presented, &Wishes::NONE);
        assert!(same_text(&again.access_token, &won.access_token));
        assert_eq!(issued(&grant.token).rotation, 2);
    }
}

#[test]
fn the_last_rotation_there_is_can_be_repeated_but_not_followed() {
    let mut grant = Grant::new();
    let mut stage = issued(&grant.token).clone();
    stage.rotation = ROTATION_MAX - 1;
    grant.token.stage = Stage::Issued(stage);
    let old = grant.rotate();
    assert_eq!(issued(&grant.token).rotation, ROTATION_MAX);
    assert_eq!(grant.outcome(&grant.pair.refresh), "refuse: rotations_spent");
    assert_eq!(grant.outcome(&old.refresh), "repeat");
}

/// The new access token may carry less; the grant keeps what was approved.
#[test]
fn a_scope_may_narrow_and_later_be_asked_for_in_full_again() {
    let mut grant = Grant::new();
    for (asked, expected) in [
        (Some("read"), "read"),
        (None, "read write"),
        (Some("tickets:read"), "tickets:read"),
        (Some("write read"), "write read"),
        (Some("write"), "write"),
        (None, "read write"),
    ] {
        let wishes = asked.map_or(Wishes::NONE, want_scope);
        let (_, answer) = grant.rotate_for(&wishes);
        assert_eq!(answer.scope, scope(expected), "{asked:?}");
        assert_eq!(issued(&grant.token).scope, scope(expected), "{asked:?}");
        assert_eq!(grant.token.granted, scope("read write"), "{asked:?}");
    }
}

#[test]
fn a_scope_never_widens() {
    let grant = Grant::of(World::confidential(), "tickets:read");
    for (asked, expected) in [
        ("tickets:read", "rotate"),
        ("tickets", "refuse: scope_wider"),
        ("read", "refuse: scope_wider"),
        ("tickets:read write", "refuse: scope_wider"),
        ("reed", "refuse: scope_unknown"),
    ] {
        let outcome = grant.outcome_for(&grant.pair.refresh, &want_scope(asked));
        assert_eq!(outcome, expected, "{asked}");
    }
}

#[test]
fn names_that_mean_nothing_pass_where_the_policy_accepts_them_and_no_others_with_them() {
    let mut grant = Grant::of(World::confidential(), "tickets:read");
    grant.world.policy.unknown_scopes = UnknownScopes::Accept;
    for (asked, expected) in
        [("reed", "rotate"), ("tickets:read reed", "rotate"), ("reed write", "refuse: scope_wider")]
    {
        let outcome = grant.outcome_for(&grant.pair.refresh, &want_scope(asked));
        assert_eq!(outcome, expected, "{asked}");
    }
}

/// It would become a right with the resource that somebody adds.
#[test]
fn a_name_that_means_nothing_is_carried_only_if_it_was_approved() {
    let mut grant = Grant::of(World::confidential(), "tickets:read");
    grant.world.policy.unknown_scopes = UnknownScopes::Accept;
    for (approved, asked, carried) in [
        ("tickets:read", "tickets:read reed", "tickets:read"),
        ("tickets:read", "reed rite:write", "not-approved"),
        ("tickets:read", "not-approved", "not-approved"),
        ("tickets:read reed", "reed", "reed"),
        ("tickets:read reed", "rite reed", "reed"),
    ] {
        grant.token.granted = scope(approved);
        let (before, answer) = grant.rotate_for(&want_scope(asked));
        assert_eq!(answer.scope, scope(carried), "{asked}");
        assert_eq!(issued(&grant.token).scope, scope(carried), "{asked}");
        // What was lost on the way may be asked for in the same words, or in those of the answer.
        for again in [asked, carried] {
            let again = grant.outcome_for(&before.refresh, &want_scope(again));
            assert_eq!(again, "repeat", "{asked}");
        }
    }
}

/// Without `scope`: what was approved, cut to the client's `allowed_scopes` of today.
#[test]
fn the_clients_ceiling_of_today_cuts_what_was_approved_and_refuses_what_is_asked_for() {
    let mut grant = Grant::new();
    grant.world.client.allowed_scope = Some(scope("read"));
    let asked = grant.outcome_for(&grant.pair.refresh, &want_scope("write"));
    assert_eq!(asked, "refuse: scope_not_allowed");
    assert_eq!(grant.rotate_for(&Wishes::NONE).1.scope, scope("read"));
    grant.world.client.allowed_scope = Some(scope("users:read"));
    assert_eq!(grant.outcome(&grant.pair.refresh), "refuse: scope_not_allowed");
    grant.world.client.allowed_scope = None;
    assert_eq!(grant.rotate_for(&Wishes::NONE).1.scope, scope("read write"));
}

/// Leaving `expires_in` out must never make a short token long-lived.
#[test]
fn an_access_token_inherits_its_lifetime_unless_another_is_asked_for() {
    let mut grant = Grant::new();
    for (asked, expected) in [
        (None, 1_800),
        (Some(300), 300),
        (None, 300),
        (None, 300),
        (Some(172_800), 172_800),
        (None, 172_800),
    ] {
        let wishes = asked.map_or(Wishes::NONE, want_access_lifetime);
        let (_, answer) = grant.rotate_for(&wishes);
        assert_eq!(answer.access_token_lifetime, Some(Seconds(expected)), "{asked:?}");
        assert_eq!(issued(&grant.token).access.lifetime, Some(Seconds(expected)), "{asked:?}");
    }
}

#[test]
fn a_refresh_token_gets_the_default_lifetime_unless_another_is_asked_for() {
    let mut grant = Grant::new();
    for (asked, expected) in [(Some(604_800), 604_800), (None, 2_592_000)] {
        let wishes = asked.map_or(Wishes::NONE, want_refresh_lifetime);
        let (_, answer) = grant.rotate_for(&wishes);
        assert_eq!(answer.refresh_token.unwrap().1, Seconds(expected), "{asked:?}");
    }
}

#[test]
fn the_client_may_lower_every_lifetime_and_the_answer_says_so() {
    let mut grant = Grant::new();
    grant.world.client.access_token_lifetime_max = Some(Seconds(600));
    grant.world.client.refresh_token_lifetime_max = Some(Seconds(700_000));
    let wishes =
        Wishes { refresh_token_lifetime: Some(Seconds(7_776_000)), ..want_access_lifetime(7_200) };
    for wishes in [Wishes::NONE, wishes] {
        let (_, answer) = grant.rotate_for(&wishes);
        assert_eq!(answer.access_token_lifetime, Some(Seconds(600)));
        assert_eq!(answer.refresh_token.unwrap().1, Seconds(700_000));
    }
}

/// The limit is counted from the consent, and the last tokens end with it.
#[test]
fn no_token_outlives_the_limit_of_its_grant_however_often_it_is_refreshed() {
    let mut world = World::confidential();
    world.policy.grant_lifetime_max = Some(Seconds(7_200));
    let mut grant = Grant::after(Redeeming::of(world, "read"));
    let end = NOON.plus(Seconds(7_200));
    for (wait, access_left, refresh_left) in
        [(1_000, 1_800, 6_200), (5_000, 1_200, 1_200), (1_199, 1, 1)]
    {
        grant.wait(seconds(wait));
        let (_, answer) = grant.rotate_for(&Wishes::NONE);
        assert_eq!(answer.access_token_lifetime, Some(Seconds(access_left)), "{wait}");
        assert_eq!(answer.refresh_token.unwrap().1, Seconds(refresh_left), "{wait}");
        let at_rest = issued(&grant.token);
        assert_eq!(at_rest.refresh.as_ref().unwrap().expires_at, end, "{wait}");
        assert!(at_rest.access.expires_at() <= Some(end), "{wait}");
    }
    grant.wait(seconds(1));
    assert_eq!(grant.outcome(&grant.pair.refresh), "refuse: credential_expired");
}
