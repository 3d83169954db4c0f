//! Who may refresh, when, and with what: the order of the checks.

use tokenry_core::{
    grant::{Origin, Stage},
    grant_types::refresh_token::refresh,
};
use tokenry_protocol::{oauth::token::Wishes, secret::Kind, time::Seconds};

use crate::support::{
    Grant, KeyFate, Redeeming, World, issued, just_before, millis, refreshing_outcome, seconds,
    want_scope,
};

/// A month in seconds: the default life of a refresh token.
const LIFE: u64 = 2_592_000;

#[test]
fn the_first_failure_answers() {
    let mut grant = Grant::new();
    let (wide, right) = (want_scope("impersonate"), grant.pair.refresh.clone());
    let forged = grant.world.forged(Kind::RefreshToken, grant.token.id, 1);
    let stranger = grant.world.stranger();

    let asked = refreshing_outcome(&grant.ask_as(&stranger, &forged, &wide));
    assert_eq!(asked, "refuse: foreign_client");
    grant.wait(seconds(LIFE));
    grant.world.suspend_user();
    assert_eq!(grant.outcome_for(&forged, &wide), "refuse: credential_forged");
    assert_eq!(grant.outcome_for(&right, &wide), "refuse: credential_expired");
    grant.world.rewind(millis(1));
    assert_eq!(grant.outcome_for(&right, &wide), "refuse: user_gone");
    grant.world.user.as_mut().unwrap().suspended = false;
    assert_eq!(grant.outcome_for(&right, &wide), "refuse: scope_wider");
    assert_eq!(grant.outcome(&right), "rotate");
}

#[test]
fn a_refresh_token_that_names_no_record_is_refused() {
    let grant = Grant::new();
    let (world, asked) = (&grant.world, (&grant.pair.refresh, &Wishes::NONE));
    let user = world.user.as_ref();
    let decision = refresh(&world.proved(), None, user, asked, &world.circumstances());
    assert_eq!(refreshing_outcome(&decision), "refuse: credential_unknown");
}

#[test]
fn a_refresh_token_is_refused_for_a_record_that_it_does_not_name() {
    let grant = Grant::new();
    let other = grant.world.keys.mint(Kind::RefreshToken, 1, 1, [1; 16]);
    assert_eq!(grant.outcome(&other), "refuse: credential_unknown");
}

/// Old credentials of other kinds carry our tag too: they are no replay.
#[test]
fn nothing_but_a_refresh_token_refreshes_or_ends_a_grant() {
    let mut grant = Grant::new();
    let old_access_token = grant.rotate().access;
    grant.rotate();
    let id = grant.token.id.get();
    let mint = |kind| grant.world.keys.mint(kind, id, 0, [1; 16]);
    for other in [
        old_access_token,
        grant.pair.access.clone(),
        mint(Kind::AuthorizationCode),
        mint(Kind::ClientSecret),
        mint(Kind::ApiToken),
        mint(Kind::SignInSession),
        mint(Kind::DeviceCode),
    ] {
        assert_eq!(grant.outcome(&other), "refuse: credential_unknown", "{other:?}");
    }
}

#[test]
fn a_refresh_token_in_a_strangers_hands_is_refused_and_still_its_owners() {
    let mut grant = Grant::new();
    let stranger = grant.world.stranger();
    let old = grant.rotate().refresh;
    for presented in [&old, &grant.pair.refresh] {
        let decision = grant.ask_as(&stranger, presented, &Wishes::NONE);
        assert_eq!(refreshing_outcome(&decision), "refuse: foreign_client");
    }
    grant.rotate();
}

#[test]
fn a_refresh_token_lives_to_the_millisecond() {
    for (age, expected) in [
        (seconds(0), "rotate"),
        (just_before(LIFE), "rotate"),
        (seconds(LIFE), "refuse: credential_expired"),
        (seconds(LIFE * 10), "refuse: credential_expired"),
    ] {
        let mut grant = Grant::new();
        grant.wait(age);
        assert_eq!(grant.outcome(&grant.pair.refresh), expected, "{age:?}");
    }
}

#[test]
fn a_user_who_is_gone_refreshes_nothing() {
    let mut grant = Grant::new();
    let old = grant.rotate().refresh;
    grant.world.suspend_user();
    for presented in [&old, &grant.pair.refresh] {
        assert_eq!(grant.outcome(presented), "refuse: user_gone", "suspended");
    }
    grant.world.user = None;
    assert_eq!(grant.outcome(&grant.pair.refresh), "refuse: user_gone", "deleted");
}

/// Only hashes are at rest, and the id is public: the rest must be right as well.
#[test]
fn a_forged_refresh_token_with_a_known_id_harms_nobody() {
    let mut grant = Grant::new();
    grant.rotate();
    grant.rotate();
    for rotation in [0, 1, 2, 3, 4, 1 << 23] {
        let forged = grant.world.forged(Kind::RefreshToken, grant.token.id, rotation);
        assert_eq!(grant.outcome(&forged), "refuse: credential_forged", "{rotation}");
    }
    assert_eq!(grant.outcome(&grant.pair.refresh), "rotate");
}

#[test]
fn a_record_without_a_refresh_token_has_none_to_refresh() {
    let mut grant = Grant::new();
    let mut stage = issued(&grant.token).clone();
    stage.refresh = None;
    grant.token.stage = Stage::Issued(stage);
    grant.token.origin = Origin::ClientCredentials;
    assert_eq!(grant.outcome(&grant.pair.refresh), "refuse: credential_forged");
}

#[test]
fn a_grant_whose_code_is_still_out_has_no_refresh_token_yet() {
    let request = Redeeming::of(World::confidential(), "read");
    let unredeemed = request.token.clone();
    let mut grant = Grant::after(request);
    grant.token = unredeemed;
    assert_eq!(grant.outcome(&grant.pair.refresh), "refuse: credential_forged");
}

/// The hash decides about the present token; its successor is derived under the present key.
#[test]
fn a_refresh_token_is_rotated_under_a_new_key_whether_the_old_one_was_kept_or_lost() {
    for fate in [KeyFate::Lost, KeyFate::Retired] {
        let mut grant = Grant::new();
        grant.world.replace_key(fate);
        grant.rotate();
        let current = grant.world.keys.current_number();
        assert_eq!(grant.pair.refresh.parts().key_number, current, "{fate:?}");
        grant.rotate();
    }
}

/// The limit of a grant may be lowered while it lives.
#[test]
fn a_grant_past_its_limit_is_refreshed_no_more() {
    let mut grant = Grant::new();
    grant.wait(seconds(7_200));
    let old = grant.rotate().refresh;
    grant.world.policy.grant_lifetime_max = Some(Seconds(7_200));
    assert_eq!(grant.outcome(&grant.pair.refresh), "refuse: credential_expired");
    assert_eq!(grant.outcome(&old), "repeat", "nothing new is issued by a repeat");
    grant.wait(seconds(31));
    assert_eq!(grant.outcome(&old), "refuse: credential_expired");
}
