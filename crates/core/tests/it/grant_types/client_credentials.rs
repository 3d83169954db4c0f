//! RFC 6749 §4.4; docs: grants, "Token request".

use tokenry_core::{
    grant::{Origin, Token},
    grant_types::client_credentials,
    issue::IssuedTokens,
    policy::UnknownScopes,
    rejection::Rejection,
};
use tokenry_protocol::{oauth::token::Wishes, secret::Kind, time::Seconds};

use crate::support::{
    World, issued, scope, want_access_lifetime, want_refresh_lifetime, want_scope,
};

fn issue(world: &World, wishes: &Wishes) -> Result<(Token, IssuedTokens), Rejection> {
    let (client, user) = (world.proved(), world.user.as_ref());
    let result = client_credentials::issue(&client, user, wishes, &world.policy, &world.issuance());
    result.map(|(new, answer)| (new.token().clone(), answer))
}

fn reason(world: &World, wishes: &Wishes) -> &'static str {
    issue(world, wishes).map_or_else(|rejection| rejection.as_str(), |_| "issue")
}

#[test]
fn a_client_gets_an_access_token_of_its_own_and_no_refresh_token() {
    let world = World::confidential();
    let (token, answer) = issue(&world, &Wishes::NONE).unwrap();
    let at_rest = issued(&token);
    assert_eq!(token.origin, Origin::ClientCredentials);
    assert_eq!((token.id.get(), token.created_at), (2001, world.now));
    assert_eq!((token.client_id, token.user_id), (world.client.id, world.client.user_id));
    assert_eq!((&token.granted, &at_rest.scope), (&scope("read"), &scope("read")));
    assert_eq!((at_rest.rotation, at_rest.used_rotation, at_rest.used_at), (1, 0, None));
    assert!(at_rest.refresh.is_none() && answer.refresh_token.is_none());
    assert!(at_rest.access.hash.matches(&answer.access_token.hash()));
    assert_eq!(answer.access_token.parts().kind, Kind::AccessToken);
    assert_eq!(answer.access_token_lifetime, Some(Seconds(1_800)));
    assert_eq!(answer.answer().refresh_token_expires_in, None);
}

/// Every asked scope is known, and allowed to the client; asked for none is `read`.
#[test]
fn the_scope_is_known_and_within_what_the_client_may_have() {
    use UnknownScopes::{Accept, Refuse};
    let (unknown, not_allowed) = ("scope_unknown", "scope_not_allowed");
    for (asked, allowed, unknown_scopes, expected) in [
        (None, None, Refuse, "read"),
        (Some("read write"), None, Refuse, "read write"),
        (Some("write read write"), None, Refuse, "write read"),
        (Some("impersonate unrestricted"), None, Refuse, "impersonate unrestricted"),
        (Some("tickets users:read"), None, Refuse, "tickets users:read"),
        (Some("auditlogs"), None, Refuse, "auditlogs"),
        (Some("auditlogs:write"), None, Refuse, unknown),
        (Some("read reed"), None, Refuse, unknown),
        (Some("read reed"), None, Accept, "read reed"),
        (Some("read"), Some("read"), Refuse, "read"),
        (Some("tickets:read"), Some("read"), Refuse, "tickets:read"),
        (Some("read"), Some("tickets:read"), Refuse, not_allowed),
        (Some("read write"), Some("read"), Refuse, not_allowed),
        (Some("impersonate"), Some("unrestricted"), Refuse, not_allowed),
        (Some("read write"), Some("unrestricted"), Refuse, "read write"),
        (None, Some("write"), Refuse, not_allowed),
        (Some("reed"), Some("reed"), Accept, "reed"),
        (Some("reed"), Some("read"), Accept, not_allowed),
        // What stands for a list allows nothing, so no ceiling is too low for it.
        (Some("not-a-string"), Some("read"), Accept, "not-a-string"),
        (Some("not-a-string write"), Some("read"), Accept, not_allowed),
        (Some("not-a-string"), Some("read"), Refuse, unknown),
        // Unknown comes first: it is the likelier mistake.
        (Some("reed write"), Some("read"), Refuse, unknown),
    ] {
        let mut world = World::confidential();
        world.client.allowed_scope = allowed.map(scope);
        world.policy.unknown_scopes = unknown_scopes;
        let wishes = asked.map_or(Wishes::NONE, want_scope);
        let found = match issue(&world, &wishes) {
            Ok((token, answer)) => {
                assert_eq!(issued(&token).scope, answer.scope);
                answer.scope.to_string()
            }
            Err(rejection) => rejection.as_str().to_owned(),
        };
        assert_eq!(found, expected, "{asked:?} within {allowed:?}, {unknown_scopes:?}");
    }
}

#[test]
fn the_lifetime_is_asked_for_or_the_default_and_the_client_may_lower_it() {
    for (wishes, client_max, expected) in [
        (Wishes::NONE, None, 1_800),
        (want_access_lifetime(172_800), None, 172_800),
        (want_access_lifetime(7_200), Some(600), 600),
        (want_refresh_lifetime(604_800), None, 1_800),
    ] {
        let mut world = World::confidential();
        world.client.access_token_lifetime_max = client_max.map(Seconds);
        let (token, answer) = issue(&world, &wishes).unwrap();
        assert_eq!(answer.access_token_lifetime, Some(Seconds(expected)), "{wishes:?}");
        assert_eq!(issued(&token).access.lifetime, Some(Seconds(expected)), "{wishes:?}");
    }
}

#[test]
fn without_a_default_lifetime_it_does_not_expire_unless_that_is_asked_for() {
    let mut world = World::confidential();
    world.policy.access_token_lifetime = None;
    // There is no consent from which the limit of a grant could be counted.
    world.policy.grant_lifetime_max = Some(Seconds(3_600));
    for (wishes, expected) in [(Wishes::NONE, None), (want_access_lifetime(300), Some(300))] {
        let (token, answer) = issue(&world, &wishes).unwrap();
        assert_eq!(answer.access_token_lifetime, expected.map(Seconds));
        assert_eq!(issued(&token).access.lifetime, expected.map(Seconds));
    }
}

/// The token would act as the user who answers for the client.
#[test]
fn a_client_whose_user_is_gone_gets_nothing() {
    let mut world = World::confidential();
    world.suspend_user();
    assert_eq!(reason(&world, &Wishes::NONE), "user_gone", "suspended");
    assert_eq!(reason(&world, &want_scope("reed")), "user_gone", "before the scope is looked at");
    world.user = None;
    assert_eq!(reason(&world, &Wishes::NONE), "user_gone", "deleted");
}
