//! A code comes a second time: RFC 6749 §4.1.2; docs: grants, row 11.

use std::sync::Arc;

use proptest::prelude::*;
use tokenry_core::{
    client_authentication::authenticate_by_verifier,
    event::{Actor, Event, EventKind},
    grant_types::authorization_code::Redemption,
};
use tokenry_protocol::{oauth::token::Wishes, secret::Kind};

use crate::support::{DAY, Grant, KeyFate, Redeeming, VERIFIER, World, some, want_scope};

/// A grant whose code was spent a moment ago.
fn spent() -> Redeeming {
    let mut request = Redeeming::of(World::confidential(), "read");
    request.spend();
    request
}

#[test]
fn a_code_redeemed_twice_by_its_client_ends_the_grant_and_leaves_an_event() {
    let request = spent();
    let Redemption::Replay(end) = request.decide() else {
        panic!("{}", request.outcome());
    };
    assert_eq!(end.id(), request.token.id);
    let expected = Event {
        at: request.world.now,
        kind: EventKind::CodeReplayed,
        token_id: request.token.id,
        client_id: request.world.client.id,
        user_id: request.token.user_id,
        actor: Actor::Client(request.world.client.id),
    };
    assert_eq!(end.event(), &expected);
}

/// Whoever has the code at all has it from the client's redirect.
#[test]
fn a_replay_needs_neither_redirect_address_nor_verifier_nor_scope() {
    let mut request = spent();
    (request.redirect_uri, request.code_verifier) = (None, some("x"));
    request.wishes = want_scope("write");
    request.world.suspend_user();
    assert_eq!(request.outcome(), "replay");
}

#[test]
fn a_code_is_known_as_spent_however_late_and_however_often_the_grant_was_refreshed() {
    let mut request = spent();
    request.world.wait(DAY * 20);
    assert_eq!(request.outcome(), "replay");

    let mut request = Redeeming::of(World::confidential(), "read");
    let code = request.code.clone();
    request.wishes = Wishes::NONE;
    let mut grant = Grant::after(request);
    grant.rotate();
    grant.rotate();
    let mut again = Redeeming::of(World::confidential(), "read");
    (again.code, again.token) = (code, grant.token);
    assert_eq!(again.outcome(), "replay");
}

#[test]
fn a_spent_code_in_a_strangers_hands_harms_nobody() {
    let mut request = spent();
    request.by = Some(request.world.stranger().into());
    assert_eq!(request.outcome(), "refuse: foreign_client");
}

/// The challenge went with the redemption, so that a verifier proves nothing any more.
#[test]
fn a_spent_code_is_refused_and_ends_nothing_where_a_verifier_alone_is_to_prove_its_client() {
    let mut request = spent();
    let client = Arc::new(request.world.client.clone());
    request.by = Some(authenticate_by_verifier(Some(client)).unwrap());
    for verifier in [some(VERIFIER), some("x")] {
        request.code_verifier = verifier;
        assert_eq!(request.outcome(), "refuse: already_redeemed");
    }
    let id = request.token.id;
    request.code = request.world.forged(Kind::AuthorizationCode, id, 0);
    assert_eq!(request.outcome(), "refuse: credential_forged");
}

/// Nobody can end a grant by its number, which is public.
#[test]
fn a_forged_code_with_a_known_id_harms_nobody() {
    for rotation in [0, 1, 2] {
        let mut request = spent();
        let id = request.token.id;
        request.code = request.world.forged(Kind::AuthorizationCode, id, rotation);
        assert_eq!(request.outcome(), "refuse: credential_forged", "{rotation}");
    }
}

/// A code is rotation 0 of its grant; one that says otherwise was never given out.
#[test]
fn a_code_of_another_rotation_harms_nobody() {
    let mut request = spent();
    let (keys, id) = (&request.world.keys, request.token.id.get());
    request.code = keys.mint(Kind::AuthorizationCode, id, 1, [1; 16]);
    assert_eq!(request.outcome(), "refuse: credential_forged");
}

#[test]
fn a_retired_key_still_tells_a_spent_code() {
    let mut request = spent();
    request.world.replace_key(KeyFate::Retired);
    assert_eq!(request.outcome(), "replay");
}

/// Without its key a spent code proves nothing, so it revokes nothing.
#[test]
fn a_spent_code_whose_key_was_lost_is_refused_and_harms_nobody() {
    let mut request = spent();
    request.world.replace_key(KeyFate::Lost);
    assert_eq!(request.outcome(), "refuse: credential_forged");
}

/// The hash decides; the tag is asked only about what no hash knows.
#[test]
fn a_code_whose_key_was_lost_can_still_be_redeemed() {
    for fate in [KeyFate::Lost, KeyFate::Retired] {
        let mut request = Redeeming::of(World::confidential(), "read");
        request.world.replace_key(fate);
        assert_eq!(request.outcome(), "issue", "{fate:?}");
    }
}

proptest! {
    #[test]
    fn no_made_up_code_redeems_or_ends_a_grant(
        rotation in 0..4_u32,
        draws in 0..50_usize,
        is_spent in any::<bool>(),
    ) {
        let mut request = Redeeming::of(World::confidential(), "read");
        if is_spent {
            request.spend();
        }
        let id = request.token.id;
        for _ in 0..=draws {
            request.code = request.world.forged(Kind::AuthorizationCode, id, rotation);
        }
        prop_assert_eq!(request.outcome(), "refuse: credential_forged");
    }
}
