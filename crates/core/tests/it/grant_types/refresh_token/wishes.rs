//! The parameters of a repeat: one left out matches, one sent must come to what the record has.

use tokenry_protocol::{oauth::token::Wishes, time::Seconds};

use crate::support::{
    DAY, Grant, Pair, Redeeming, World, same_text, scope, seconds, want_access_lifetime,
    want_refresh_lifetime, want_scope,
};

fn wishes(scope_text: &str, access: u32, refresh: u32) -> Wishes {
    Wishes {
        scope: Some(scope(scope_text)),
        access_token_lifetime: Some(Seconds(access)),
        refresh_token_lifetime: Some(Seconds(refresh)),
    }
}

/// A grant that was rotated for `first`, and the pair before.
fn rotated_for(first: &Wishes) -> (Grant, Pair) {
    let mut grant = Grant::new();
    let (before, _) = grant.rotate_for(first);
    (grant, before)
}

#[test]
fn a_repeat_asks_for_the_same_or_for_nothing() {
    let differs = "refuse: repeat_differs";
    let full = || wishes("read", 300, 604_800);
    for (first, again, expected) in [
        (Wishes::NONE, Wishes::NONE, "repeat"),
        // What was left out came to something, and that may be named.
        (Wishes::NONE, wishes("read write", 1_800, 2_592_000), "repeat"),
        (Wishes::NONE, want_scope("read write"), "repeat"),
        (Wishes::NONE, want_scope("write read"), "repeat"),
        (Wishes::NONE, want_scope("read"), differs),
        (Wishes::NONE, want_scope("unrestricted"), differs),
        (Wishes::NONE, want_scope("read impersonate"), differs),
        (Wishes::NONE, want_access_lifetime(300), differs),
        (Wishes::NONE, want_refresh_lifetime(604_800), differs),
        (full(), full(), "repeat"),
        (full(), Wishes::NONE, "repeat"),
        (full(), want_scope("read"), "repeat"),
        (full(), want_access_lifetime(300), "repeat"),
        (full(), want_refresh_lifetime(604_800), "repeat"),
        (full(), wishes("read write", 300, 604_800), differs),
        (full(), wishes("read", 301, 604_800), differs),
        (full(), wishes("read", 300, 604_801), differs),
    ] {
        let (mut grant, before) = rotated_for(&first);
        let case = format!("{first:?}, then {again:?}");
        assert_eq!(grant.outcome_for(&before.refresh, &again), expected, "{case}");
        grant.wait(DAY);
        let late = expected.replace("repeat", "renew").replace("renew_differs", "repeat_differs");
        assert_eq!(grant.outcome_for(&before.refresh, &again), late, "a day later: {case}");
    }
}

#[test]
fn a_repeat_that_differs_harms_nobody() {
    let (grant, before) = rotated_for(&Wishes::NONE);
    let differs = grant.outcome_for(&before.refresh, &want_scope("read"));
    assert_eq!(differs, "refuse: repeat_differs");
    assert_eq!(grant.outcome(&before.refresh), "repeat");
    assert_eq!(grant.outcome(&grant.pair.refresh), "rotate");
}

/// Only what could be answered at all can differ from its answer.
#[test]
fn a_replay_that_differs_is_a_replay() {
    let (mut grant, before) = rotated_for(&Wishes::NONE);
    grant.use_access_token();
    grant.wait(seconds(31));
    assert_eq!(grant.outcome_for(&before.refresh, &want_scope("read")), "replay");
}

#[test]
fn a_wish_that_the_clients_policy_lowered_matches_again() {
    let mut world = World::confidential();
    world.client.access_token_lifetime_max = Some(Seconds(600));
    world.client.refresh_token_lifetime_max = Some(Seconds(700_000));
    let mut grant = Grant::of(world, "read");
    let first = wishes("read", 7_200, 7_776_000);
    let (before, _) = grant.rotate_for(&first);
    for (again, expected) in [
        (first, "repeat"),
        (wishes("read", 600, 700_000), "repeat"),
        (wishes("read", 601, 700_001), "repeat"),
        (wishes("read", 599, 700_000), "refuse: repeat_differs"),
        (wishes("read", 600, 699_999), "refuse: repeat_differs"),
    ] {
        assert_eq!(grant.outcome_for(&before.refresh, &again), expected, "{again:?}");
    }
}

#[test]
fn a_wish_that_the_end_of_the_grant_cut_short_matches_again() {
    let mut world = World::confidential();
    world.policy.grant_lifetime_max = Some(Seconds(3_600));
    let mut grant = Grant::after(Redeeming::of(world, "read"));
    grant.wait(seconds(600));
    let first = want_access_lifetime(172_800);
    let (before, answer) = grant.rotate_for(&first);
    assert_eq!(answer.access_token_lifetime, Some(Seconds(3_000)));
    for after in [seconds(10), seconds(10), seconds(400)] {
        grant.wait(after);
        let again = grant.send(&before.refresh, &first);
        assert!(same_text(&again.access_token, &answer.access_token), "{after:?}");
    }
}

#[test]
fn a_scope_that_was_cut_for_the_client_is_what_a_repeat_may_name() {
    let mut world = World::confidential();
    world.client.allowed_scope = Some(scope("read write"));
    let mut grant = Grant::of(world, "read write");
    grant.world.client.allowed_scope = Some(scope("read"));
    let (before, _) = grant.rotate_for(&Wishes::NONE);
    for (again, expected) in [
        (Wishes::NONE, "repeat"),
        (want_scope("read"), "repeat"),
        (want_scope("read write"), "refuse: repeat_differs"),
    ] {
        assert_eq!(grant.outcome_for(&before.refresh, &again), expected, "{again:?}");
    }
}
