//! Access tokens that do not expire: `tokens.access_token_lifetime = "none"`.

use tokenry_core::{early_expiry::expire_access_token, grant::Stage};
use tokenry_protocol::{
    oauth::token::Wishes,
    time::{Seconds, Timestamp},
};

use crate::support::{
    DAY, Grant, NOON, World, issued, millis, same_text, seconds, want_access_lifetime,
    want_refresh_lifetime,
};

fn world() -> World {
    let mut world = World::confidential();
    world.policy.access_token_lifetime = None;
    world
}

fn grant() -> Grant {
    Grant::of(world(), "read")
}

/// Asked for, else inherited, else the policy's.
#[test]
fn a_lifetime_that_was_asked_for_is_inherited_and_none_is_too() {
    let mut grant = grant();
    assert_eq!(issued(&grant.token).access.lifetime, None);
    for (asked, expected) in [
        (None, None),
        (None, None),
        (Some(300), Some(300)),
        (None, Some(300)),
        (Some(172_800), Some(172_800)),
        (None, Some(172_800)),
    ] {
        let wishes = asked.map_or(Wishes::NONE, want_access_lifetime);
        let (_, answer) = grant.rotate_for(&wishes);
        assert_eq!(answer.access_token_lifetime, expected.map(Seconds), "{asked:?}");
        assert_eq!(issued(&grant.token).access.lifetime, expected.map(Seconds), "{asked:?}");
    }
}

/// Of today: neither a pair nor a client keeps what the policy once allowed.
#[test]
fn a_pair_without_expiry_is_followed_by_what_the_policy_says_today() {
    let mut grant = grant();
    grant.world.client.access_token_lifetime_max = Some(Seconds(600));
    assert_eq!(grant.rotate_for(&Wishes::NONE).1.access_token_lifetime, Some(Seconds(600)));
    let mut grant = self::grant();
    grant.world.policy.access_token_lifetime = Some(Seconds(1_800));
    assert_eq!(grant.rotate_for(&Wishes::NONE).1.access_token_lifetime, Some(Seconds(1_800)));
}

/// It needs no refresh. The record is not over as long as it works.
#[test]
fn an_access_token_without_expiry_outlives_its_refresh_token() {
    let mut grant = grant();
    let before = grant.rotate();
    grant.wait(DAY * 365);
    assert_eq!(grant.outcome(&grant.pair.refresh), "refuse: credential_expired");
    let at_rest = issued(&grant.token);
    assert!(at_rest.access.accepts(&grant.pair.access.hash(), grant.world.now));
    assert!(!at_rest.access.accepts(&before.access.hash(), grant.world.now));
    assert!(!at_rest.is_expired(grant.world.now));
}

/// Only one that expires is cut to the refresh token's life.
#[test]
fn one_that_was_asked_for_ends_with_its_refresh_token() {
    let mut grant = grant();
    grant.world.policy.grant_lifetime_max = Some(Seconds(900));
    let (_, answer) = grant.rotate_for(&want_access_lifetime(86_400));
    assert_eq!(answer.access_token_lifetime, Some(Seconds(900)));
}

#[test]
fn the_end_of_a_grant_ends_it_too() {
    let mut world = world();
    world.policy.grant_lifetime_max = Some(Seconds(7_200));
    let mut grant = Grant::of(world, "read");
    let end: Timestamp = NOON.plus(Seconds(7_200));
    for (wait, left) in [(0, 7_200), (1_000, 6_200), (6_199, 1)] {
        grant.wait(seconds(wait));
        let wishes = want_refresh_lifetime(604_800);
        let (_, answer) = grant.rotate_for(&wishes);
        assert_eq!(answer.access_token_lifetime, Some(Seconds(left)), "{wait}");
        assert_eq!(issued(&grant.token).access.expires_at(), Some(end), "{wait}");
    }
}

/// Nobody asked for an end, so the refresh token's is none of its business.
#[test]
fn one_that_ends_with_its_grant_is_not_shortened_by_a_refresh() {
    let mut world = world();
    let life = Seconds(180 * 86_400);
    world.policy.grant_lifetime_max = Some(life);
    let mut grant = Grant::of(world, "read");
    let end = NOON.plus(life);
    assert_eq!(issued(&grant.token).access.expires_at(), Some(end));
    let mut before = grant.pair.clone();
    for wait in [0, 1_000, 10 * 86_400] {
        grant.wait(seconds(wait));
        before = grant.rotate();
        assert_eq!(issued(&grant.token).access.expires_at(), Some(end), "{wait}");
    }
    grant.wait(DAY);
    assert_eq!(grant.outcome(&before.refresh), "renew");
    grant.send(&before.refresh, &Wishes::NONE);
    assert_eq!(issued(&grant.token).access.expires_at(), Some(end), "renewed");
    // One that was asked for is inherited, as ever.
    grant.rotate_for(&want_access_lifetime(86_400));
    let (_, answer) = grant.rotate_for(&Wishes::NONE);
    assert_eq!(answer.access_token_lifetime, Some(Seconds(86_400)));
}

/// A moment of the grant is seldom a whole second, and a lifetime always is.
#[test]
fn the_end_of_a_grant_is_known_again_whatever_the_fraction_of_its_second() {
    let mut world = world();
    world.now = Timestamp::from_millis(NOON.as_millis() + 250);
    world.policy.grant_lifetime_max = Some(Seconds(180 * 86_400));
    let mut grant = Grant::of(world, "read");
    for wait in [700, 1_300, 9_999] {
        grant.wait(millis(wait));
        let (_, answer) = grant.rotate_for(&Wishes::NONE);
        assert!(answer.access_token_lifetime > Some(Seconds(179 * 86_400)), "{wait}");
    }
}

/// The next one knows nothing of that end.
#[test]
fn one_that_was_ended_early_is_followed_by_one_without_expiry() {
    let mut grant = grant();
    let early = expire_access_token(&grant.token, grant.world.now).unwrap();
    let mut ended = issued(&grant.token).clone();
    ended.access = *early.access();
    grant.token.stage = Stage::Issued(ended);
    assert!(issued(&grant.token).access.is_expired(grant.world.now));
    let (before, answer) = grant.rotate_for(&Wishes::NONE);
    assert_eq!(answer.access_token_lifetime, None);
    assert_eq!(issued(&grant.token).access.lifetime, None);

    let early = expire_access_token(&grant.token, grant.world.now).unwrap();
    let mut ended = issued(&grant.token).clone();
    ended.access = *early.access();
    grant.token.stage = Stage::Issued(ended);
    grant.wait(DAY);
    assert_eq!(grant.outcome(&before.refresh), "renew");
    assert_eq!(grant.send(&before.refresh, &Wishes::NONE).access_token_lifetime, None);
}

#[test]
fn a_lost_answer_is_given_again_without_an_expiry() {
    let mut grant = grant();
    let (before, first) = grant.rotate_for(&Wishes::NONE);
    for (after, expected) in [(1, "repeat"), (86_400, "renew")] {
        grant.wait(seconds(after));
        let differs = grant.outcome_for(&before.refresh, &want_access_lifetime(300));
        assert_eq!(differs, "refuse: repeat_differs", "{after}");
        assert_eq!(grant.outcome(&before.refresh), expected, "{after}");
        let again = grant.send(&before.refresh, &Wishes::NONE);
        assert!(same_text(&again.access_token, &first.access_token), "{after}");
        assert_eq!(again.access_token_lifetime, None, "{after}");
        assert_eq!(issued(&grant.token).access.lifetime, None, "{after}");
    }
}
