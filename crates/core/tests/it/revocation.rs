//! RFC 7009; docs: grants, "Revocation".

use tokenry_core::{
    client_authentication::AuthenticatedClient,
    event::{Actor, EventKind},
    revocation::{presented_by_foreign_client, revoke, revoke_presented},
};
use tokenry_protocol::{
    ids::UserId,
    secret::{Credential, Kind},
};

use crate::support::{Grant, KeyFate, Redeeming, World, just_before, millis};

#[test]
fn either_token_of_a_pair_ends_both() {
    let grant = Grant::new();
    for presented in [&grant.pair.access, &grant.pair.refresh] {
        let (client, token) = (grant.world.proved(), Some(&grant.token));
        let end = revoke_presented(&client, token, presented, grant.world.now).unwrap();
        assert_eq!(end.id(), grant.token.id);
        assert_eq!(end.event().kind, EventKind::Revoked);
        assert_eq!(end.event().actor, Actor::Client(grant.world.client.id));
    }
}

/// RFC 7009 §2.2: the answer is the same, and nothing happens.
#[test]
fn nothing_else_ends_anything() {
    let mut grant = Grant::new();
    let old = grant.rotate();
    let id = grant.token.id;
    for (case, presented) in [
        ("an access token that was replaced", old.access),
        ("a refresh token that was replaced", old.refresh),
        ("a forged access token", grant.world.forged(Kind::AccessToken, id, 2)),
        ("a forged refresh token", grant.world.forged(Kind::RefreshToken, id, 2)),
        ("a code", grant.world.keys.mint(Kind::AuthorizationCode, id.get(), 0, [1; 16])),
        ("a client secret", grant.world.secret().clone()),
    ] {
        let (client, token) = (grant.world.proved(), Some(&grant.token));
        let end = revoke_presented(&client, token, &presented, grant.world.now);
        assert!(end.is_none(), "{case}");
    }
    let none = revoke_presented(&grant.world.proved(), None, &grant.pair.access, grant.world.now);
    assert!(none.is_none(), "a record that is gone");
}

#[test]
fn a_strangers_revocation_ends_nothing() {
    let grant = Grant::new();
    let stranger = grant.world.stranger();
    for presented in [&grant.pair.access, &grant.pair.refresh] {
        let end = revoke_presented(&stranger, Some(&grant.token), presented, grant.world.now);
        assert!(end.is_none());
    }
}

#[test]
fn an_expired_token_ends_nothing_and_a_live_one_beside_it_does() {
    let mut grant = Grant::new();
    let ends = |grant: &Grant, presented: &Credential| {
        let (client, token) = (grant.world.proved(), Some(&grant.token));
        revoke_presented(&client, token, presented, grant.world.now).is_some()
    };
    grant.wait(just_before(1_800));
    assert!(ends(&grant, &grant.pair.access));
    grant.wait(millis(1));
    assert!(!ends(&grant, &grant.pair.access));
    grant.wait(just_before(2_592_000 - 1_800));
    assert!(ends(&grant, &grant.pair.refresh));
    grant.wait(millis(1));
    assert!(!ends(&grant, &grant.pair.refresh));
}

#[test]
fn a_code_cannot_be_revoked() {
    let request = Redeeming::of(World::confidential(), "read");
    let (client, token) = (request.world.proved(), Some(&request.token));
    assert!(revoke_presented(&client, token, &request.code, request.world.now).is_none());
}

#[test]
fn a_user_ends_a_record_and_the_event_names_the_user() {
    let grant = Grant::new();
    let actor = Actor::User(UserId::new(7).unwrap());
    let end = revoke(&grant.token, actor, grant.world.now);
    let event = end.event();
    assert_eq!((end.id(), event.token_id), (grant.token.id, grant.token.id));
    assert_eq!((event.kind, event.actor), (EventKind::Revoked, actor));
    assert_eq!((event.client_id, event.user_id), (grant.token.client_id, grant.token.user_id));
}

/// Somebody has leaked or stolen it; its owner is unharmed.
#[test]
fn a_credential_of_ours_in_a_strangers_hands_is_remembered() {
    let mut grant = Grant::new();
    let (owner, stranger) = (grant.world.proved(), grant.world.stranger());
    let old = grant.rotate();
    let (id, now) = (grant.token.id, grant.world.now);
    let code = grant.world.keys.mint(Kind::AuthorizationCode, id.get(), 0, [1; 16]);
    let noted = |client: &AuthenticatedClient, presented| {
        let client = client.client();
        presented_by_foreign_client(client, &grant.token, presented, &grant.world.keys, now)
    };
    for presented in [&grant.pair.access, &grant.pair.refresh, &old.refresh, &code] {
        let event = noted(&stranger, presented).unwrap();
        assert_eq!(event.kind, EventKind::PresentedByForeignClient);
        assert_eq!((event.token_id, event.client_id), (id, grant.world.client.id));
        assert_eq!(event.actor, Actor::Client(stranger.client().id));
        assert!(noted(&owner, presented).is_none(), "its owner's own");
    }
    let forged = grant.world.forged(Kind::RefreshToken, id, 1);
    assert!(noted(&stranger, &forged).is_none(), "anybody can make one up");
    let elsewhere = grant.world.keys.mint(Kind::ClientSecret, id.get(), 0, [1; 16]);
    assert!(noted(&stranger, &elsewhere).is_none(), "a secret with the same number by chance");
}

#[test]
fn nothing_is_remembered_of_a_credential_whose_key_was_lost() {
    let mut grant = Grant::new();
    let stranger = grant.world.stranger();
    grant.world.replace_key(KeyFate::Lost);
    let (presented, keys) = (&grant.pair.refresh, &grant.world.keys);
    let now = grant.world.now;
    assert!(
        presented_by_foreign_client(stranger.client(), &grant.token, presented, keys, now)
            .is_none()
    );
}
