//! The previous refresh token again: the same tokens, if that harms nobody.

use std::time::Duration;

use tokenry_core::grant_types::refresh_token::Refresh;
use tokenry_protocol::{
    oauth::token::Wishes,
    redirect_uri::ClientKind::{self, Confidential, Public},
    time::Seconds,
};

use crate::support::{
    DAY, Grant, KeyFate, Pair, World, issued, just_before, millis, same_text, seconds,
    want_access_lifetime,
};

/// Whether the new access token has been used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AccessToken {
    Used,
    Unused,
}

/// A grant that was rotated a moment ago, and the pair before.
fn rotated(kind: ClientKind, window: Option<u32>, access_token: AccessToken) -> (Grant, Pair) {
    let mut grant = Grant::of(World::of(kind), "read write");
    grant.world.client.retry_window = window.map(Seconds);
    let before = grant.rotate();
    if access_token == AccessToken::Used {
        grant.use_access_token();
    }
    (grant, before)
}

/// The last millisecond of the window belongs to it, and that of its first half to that half; a
/// window of 0 s has none.
#[test]
fn a_parallel_repeat_is_answered_within_the_window_and_a_lost_one_whenever_nothing_was_used() {
    use AccessToken::{Unused, Used};
    for (kind, window, access_token, after, expected) in [
        (Confidential, None, Used, millis(0), "repeat"),
        (Confidential, None, Used, millis(30_000), "repeat"),
        (Confidential, None, Used, millis(30_001), "replay"),
        (Confidential, None, Used, millis(15_001), "repeat"),
        (Confidential, None, Unused, millis(0), "repeat"),
        (Confidential, None, Unused, millis(15_000), "repeat"),
        (Confidential, None, Unused, millis(15_001), "renew"),
        (Confidential, None, Unused, millis(30_000), "renew"),
        (Confidential, None, Unused, millis(30_001), "renew"),
        (Confidential, None, Unused, DAY * 29, "renew"),
        (Public, None, Used, millis(5_000), "repeat"),
        (Public, None, Used, millis(5_001), "replay"),
        (Public, None, Unused, millis(2_500), "repeat"),
        (Public, None, Unused, millis(2_501), "renew"),
        (Public, None, Unused, millis(5_001), "renew"),
        (Confidential, Some(0), Used, millis(0), "replay"),
        (Confidential, Some(0), Used, millis(1), "replay"),
        (Confidential, Some(0), Unused, millis(0), "renew"),
        (Confidential, Some(0), Unused, DAY, "renew"),
        (Confidential, Some(1_800), Used, seconds(1_800), "repeat"),
        (Confidential, Some(1_800), Used, millis(1_800_001), "replay"),
        (Confidential, Some(1_800), Unused, millis(900_000), "repeat"),
        (Confidential, Some(1_800), Unused, millis(900_001), "renew"),
        (Confidential, Some(1_800), Unused, millis(1_800_001), "renew"),
        (Public, Some(1_800), Used, seconds(1_800), "repeat"),
    ] {
        let (mut grant, before) = rotated(kind, window, access_token);
        grant.wait(after);
        let case = format!("{kind:?} {window:?} {access_token:?} {after:?}");
        assert_eq!(grant.outcome(&before.refresh), expected, "{case}");
    }
}

/// Another node's clock, or ours after it was set, may be behind that of the rotation.
#[test]
fn a_clock_that_goes_backwards_makes_no_replay() {
    for access_token in [AccessToken::Used, AccessToken::Unused] {
        let (mut grant, before) = rotated(Confidential, None, access_token);
        grant.world.rewind(seconds(3));
        assert_eq!(grant.outcome(&before.refresh), "repeat", "{access_token:?}");
    }
}

#[test]
fn a_parallel_repeat_gives_the_same_tokens_and_says_what_is_left_of_them() {
    let (mut grant, before) = rotated(Confidential, None, AccessToken::Used);
    grant.wait(millis(10_500));
    for _ in 0..3 {
        let Refresh::Repeat(answer) = grant.ask(&before.refresh, &Wishes::NONE) else {
            panic!("{}", grant.outcome(&before.refresh));
        };
        let again = Pair::of(&answer);
        assert!(same_text(&again.access, &grant.pair.access));
        assert!(same_text(&again.refresh, &grant.pair.refresh));
        assert_eq!(answer.scope, issued(&grant.token).scope);
        assert_eq!(answer.access_token_lifetime, Some(Seconds(1_790)));
        assert_eq!(answer.refresh_token.unwrap().1, Seconds(2_591_990));
    }
    grant.rotate();
}

#[test]
fn a_lost_answer_is_given_again_with_lifetimes_and_window_anew() {
    let (mut grant, before) = rotated(Confidential, None, AccessToken::Unused);
    grant.wait(DAY);
    let Refresh::Renew { write, answer } = grant.ask(&before.refresh, &Wishes::NONE) else {
        panic!("{}", grant.outcome(&before.refresh));
    };
    let again = Pair::of(&answer);
    assert!(same_text(&again.access, &grant.pair.access));
    assert!(same_text(&again.refresh, &grant.pair.refresh));
    assert_eq!(answer.access_token_lifetime, Some(Seconds(1_800)));
    assert_eq!(answer.refresh_token.as_ref().unwrap().1, Seconds(2_592_000));

    let (now, at_rest, renewed) = (grant.world.now, issued(&grant.token), write.issued());
    assert_eq!(write.id(), grant.token.id);
    assert_eq!(
        (renewed.rotation, renewed.used_rotation),
        (at_rest.rotation, at_rest.used_rotation),
        "what the store's condition compares"
    );
    assert!(renewed.access.hash.matches(&at_rest.access.hash));
    assert_eq!(renewed.access.expires_at(), Some(now.plus(Seconds(1_800))));
    let refresh = renewed.refresh.as_ref().unwrap();
    assert!(refresh.hash.matches(&at_rest.refresh.as_ref().unwrap().hash));
    assert_eq!(refresh.expires_at, now.plus(Seconds(2_592_000)));
    let (old, new) =
        (at_rest.refresh.as_ref().unwrap().previous.unwrap(), refresh.previous.unwrap());
    assert_eq!(new.rotated_at, now);
    assert!(new.hash.matches(&old.hash));
    assert_eq!((new.salt, new.key_number), (old.salt, old.key_number));
}

#[test]
fn a_renewal_starts_the_lifetimes_that_the_pair_was_issued_with() {
    let mut grant = Grant::new();
    let wishes =
        Wishes { refresh_token_lifetime: Some(Seconds(604_800)), ..want_access_lifetime(300) };
    let (before, _) = grant.rotate_for(&wishes);
    grant.wait(DAY);
    let answer = grant.send(&before.refresh, &Wishes::NONE);
    assert_eq!(answer.access_token_lifetime, Some(Seconds(300)));
    assert_eq!(answer.refresh_token.unwrap().1, Seconds(604_800));
}

/// A laptop wakes with two tabs, and both ask.
#[test]
fn after_a_lost_answer_was_given_again_its_new_window_holds_for_parallel_repeats() {
    let (mut grant, before) = rotated(Confidential, None, AccessToken::Unused);
    grant.wait(DAY);
    grant.send(&before.refresh, &Wishes::NONE);
    grant.use_access_token();
    grant.wait(seconds(30));
    assert_eq!(grant.outcome(&before.refresh), "repeat");
    grant.wait(millis(1));
    assert_eq!(grant.outcome(&before.refresh), "replay");
}

/// The request went twice, its first copy was answered late, and the client went on with that.
#[test]
fn a_copy_that_comes_half_a_window_after_another_was_answered_is_no_replay() {
    for (kind, half) in [(Confidential, 15_000), (Public, 2_500)] {
        for first_copy in [0, 1, half - 1, half, half + 1, 2 * half - 1, 2 * half, 2 * half + 1] {
            let (mut grant, before) = rotated(kind, None, AccessToken::Unused);
            grant.wait(millis(first_copy));
            grant.send(&before.refresh, &Wishes::NONE);
            grant.use_access_token();
            grant.wait(millis(half));
            assert_eq!(grant.outcome(&before.refresh), "repeat", "{kind:?} {first_copy}");
        }
    }
}

/// What was used is somebody's: repeats keep nothing open that the rotation did not.
#[test]
fn a_window_in_which_the_access_token_was_used_ends_whatever_is_repeated() {
    for (kind, window) in [(Confidential, 30_000), (Public, 5_000)] {
        let (mut grant, before) = rotated(kind, None, AccessToken::Used);
        for _ in 0..10 {
            grant.wait(millis(window / 10));
            let Refresh::Repeat(_) = grant.ask(&before.refresh, &Wishes::NONE) else {
                panic!("{}", grant.outcome(&before.refresh));
            };
        }
        grant.wait(millis(1));
        assert_eq!(grant.outcome(&before.refresh), "replay", "{kind:?}");
    }
}

#[test]
fn an_answer_may_be_lost_any_number_of_times() {
    let (mut grant, before) = rotated(Public, None, AccessToken::Unused);
    for round in 0..20 {
        grant.wait(DAY * 29);
        let again = Pair::of(&grant.send(&before.refresh, &Wishes::NONE));
        assert!(same_text(&again.refresh, &grant.pair.refresh), "round {round}");
    }
    grant.rotate();
}

/// Two answers lost in a row: the client still holds the token before the one that is present.
#[test]
fn the_use_of_an_older_access_token_is_no_use_of_the_new_one() {
    let mut grant = Grant::new();
    grant.use_access_token();
    let before = grant.rotate();
    grant.wait(DAY);
    assert_eq!(issued(&grant.token).used_rotation, 1);
    assert_eq!(grant.outcome(&before.refresh), "renew");
}

#[test]
fn a_repeat_ends_with_the_refresh_token_that_it_would_give() {
    let (mut grant, before) = rotated(Confidential, None, AccessToken::Unused);
    grant.wait(just_before(2_592_000));
    assert_eq!(grant.outcome(&before.refresh), "renew");
    grant.wait(millis(1));
    assert_eq!(grant.outcome(&before.refresh), "refuse: credential_expired");
}

/// A pair can be derived again only under the key of its rotation.
#[test]
fn a_repeat_whose_key_was_lost_is_refused_and_harms_nobody() {
    for (access_token, after) in [
        (AccessToken::Unused, Duration::ZERO),
        (AccessToken::Unused, DAY),
        (AccessToken::Used, Duration::ZERO),
        (AccessToken::Used, DAY),
    ] {
        let (mut grant, before) = rotated(Confidential, None, access_token);
        grant.wait(after);
        grant.world.replace_key(KeyFate::Lost);
        let case = format!("{access_token:?} {after:?}");
        assert_eq!(grant.outcome(&before.refresh), "refuse: credential_unknown", "{case}");
        assert_eq!(grant.outcome(&grant.pair.refresh), "rotate", "{case}");
    }
}

#[test]
fn a_repeat_under_a_retired_key_gives_the_same_tokens() {
    let (mut grant, before) = rotated(Confidential, None, AccessToken::Unused);
    grant.world.replace_key(KeyFate::Retired);
    let again = Pair::of(&grant.send(&before.refresh, &Wishes::NONE));
    assert!(same_text(&again.access, &grant.pair.access));
    assert!(same_text(&again.refresh, &grant.pair.refresh));
}

#[test]
fn a_renewal_gives_no_more_than_the_client_and_the_grant_may_have_today() {
    let (mut grant, before) = rotated(Confidential, None, AccessToken::Unused);
    grant.wait(seconds(3_600));
    grant.world.client.access_token_lifetime_max = Some(Seconds(600));
    grant.world.client.refresh_token_lifetime_max = Some(Seconds(700_000));
    let answer = grant.send(&before.refresh, &Wishes::NONE);
    assert_eq!(answer.access_token_lifetime, Some(Seconds(600)));
    assert_eq!(answer.refresh_token.unwrap().1, Seconds(700_000));

    grant.wait(seconds(60));
    grant.world.policy.grant_lifetime_max = Some(Seconds(4_000));
    let answer = grant.send(&before.refresh, &Wishes::NONE);
    assert_eq!(answer.access_token_lifetime, Some(Seconds(340)));
    assert_eq!(answer.refresh_token.unwrap().1, Seconds(340));
    assert_eq!(issued(&grant.token).access.lifetime, Some(Seconds(340)));
}
