//! RFC 7662; docs: grants, "Introspection".

use tokenry_core::{
    client::{ClientRole, ClientStatus},
    introspection::{Subject, describe, may_ask, may_see},
};
use tokenry_protocol::{
    api::extra::Extra,
    oauth::introspection::IntrospectionResponse,
    secret::{Credential, Kind},
    time::Seconds,
};

use crate::support::{
    Grant, NOON, Redeeming, World, client, issued, just_before, millis, seconds, user, want_scope,
};

fn look(grant: &Grant, presented: &Credential) -> IntrospectionResponse {
    let user = user();
    let subject = Subject {
        client: &grant.world.client,
        user: grant.world.user.as_ref().unwrap_or(&user),
        issuer: "https://issuer.test",
    };
    describe(&grant.token, presented, &subject, grant.world.now)
}

fn active(grant: &Grant, presented: &Credential) -> IntrospectionResponse {
    match look(grant, presented) {
        described if described.active => described,
        inactive => panic!("{inactive:?}"),
    }
}

/// A grant that was refreshed ten minutes in, for less than was approved.
fn narrowed() -> Grant {
    let mut grant = Grant::new();
    grant.wait(seconds(600));
    grant.rotate_for(&want_scope("read"));
    grant
}

#[test]
fn a_live_access_token_is_described() {
    let mut grant = narrowed();
    grant.wait(seconds(60));
    let (issued_at, expected_scope) = (NOON.plus(Seconds(600)).as_seconds(), "read".to_owned());
    assert_eq!(
        active(&grant, &grant.pair.access),
        IntrospectionResponse {
            active: true,
            scope: Some(expected_scope),
            client_id: Some("acme_reports".to_owned()),
            username: Some("ann@acme.test".to_owned()),
            sub: Some("29".to_owned()),
            token_type: Some("bearer".to_owned()),
            exp: Some(issued_at + 1_800),
            // When this token was issued, not when its record was made.
            iat: Some(issued_at),
            iss: Some("https://issuer.test".to_owned()),
            jti: Some("2001".to_owned()),
            extra: Extra::default(),
        }
    );
}

/// It can get all that was approved, whatever the present access token carries.
#[test]
fn a_live_refresh_token_is_described_without_a_token_type() {
    let grant = narrowed();
    let described = active(&grant, &grant.pair.refresh);
    assert_eq!(described.token_type, None);
    assert_eq!(described.scope.as_deref(), Some("read write"));
    assert_eq!(described.exp, Some(NOON.plus(Seconds(600 + 2_592_000)).as_seconds()));
    assert_eq!(described.iat, Some(NOON.plus(Seconds(600)).as_seconds()));
}

#[test]
fn a_token_that_does_not_expire_says_no_expiry() {
    let mut grant = Grant::new();
    let mut at_rest = issued(&grant.token).clone();
    at_rest.access.lifetime = None;
    grant.token.stage = tokenry_core::grant::Stage::Issued(at_rest);
    assert_eq!(active(&grant, &grant.pair.access).exp, None);
}

/// Not a word more than `{"active":false}`.
#[test]
fn whatever_is_not_alive_is_inactive() {
    let inactive = IntrospectionResponse::inactive();
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
        assert_eq!(look(&grant, &presented), inactive, "{case}");
    }
    grant.wait(just_before(1_800));
    assert_ne!(look(&grant, &grant.pair.access), inactive, "the last millisecond");
    grant.wait(millis(1));
    assert_eq!(look(&grant, &grant.pair.access), inactive, "expired");
    assert_ne!(look(&grant, &grant.pair.refresh), inactive, "lives on");
    grant.wait(seconds(2_592_000 - 1_800));
    assert_eq!(look(&grant, &grant.pair.refresh), inactive, "expired too");
}

/// A token is no more alive than its client and its user.
#[test]
fn the_tokens_of_a_stopped_client_or_a_suspended_user_are_inactive() {
    for stop in [
        |world: &mut World| world.suspend_user(),
        |world: &mut World| world.client.status = ClientStatus::Disabled,
    ] {
        let mut grant = Grant::new();
        stop(&mut grant.world);
        for presented in [&grant.pair.access, &grant.pair.refresh] {
            assert_eq!(look(&grant, presented), IntrospectionResponse::inactive());
        }
    }
}

#[test]
fn a_grant_whose_code_is_still_out_is_inactive() {
    let request = Redeeming::of(World::confidential(), "read");
    let (token, code) = (request.token.clone(), request.code.clone());
    let mut grant = Grant::after(request);
    grant.token = token;
    for presented in [&grant.pair.access, &grant.pair.refresh, &code] {
        assert_eq!(look(&grant, presented), IntrospectionResponse::inactive());
    }
}

/// RFC 7662 §2.1: a public client is anybody.
#[test]
fn only_confidential_clients_may_ask() {
    assert!(may_ask(&World::confidential().proved()).is_ok());
    let refusal = may_ask(&World::public().proved()).unwrap_err();
    assert_eq!(refusal.code().as_str(), "invalid_client");
}

#[test]
fn a_client_sees_its_own_tokens_and_a_resource_server_sees_all() {
    let mut world = World::confidential();
    let (own, other) = (world.client.clone(), client(43, "acme_mobile", None));
    for (role, owner, expected) in [
        (ClientRole::Ordinary, &own, true),
        (ClientRole::Ordinary, &other, false),
        (ClientRole::ResourceServer, &own, true),
        (ClientRole::ResourceServer, &other, true),
    ] {
        world.client.role = role;
        let found = may_see(&world.proved(), owner);
        assert_eq!(found, expected, "{role:?} {}", owner.identifier);
    }
}
