//! What a redeemed code gives: docs: grants, "Token request".

use tokenry_core::{
    grant::{Issued, Stage},
    grant_types::authorization_code::Redemption,
    issue::IssuedTokens,
    policy::UnknownScopes,
};
use tokenry_protocol::{
    oauth::token::Wishes,
    secret::{Credential, Kind},
    time::Seconds,
};

use crate::support::{
    NOON, Redeeming, World, scope, seconds, want_access_lifetime, want_refresh_lifetime, want_scope,
};

fn lifetimes(issued: &Issued) -> (u32, u32) {
    let refresh = issued.refresh.as_ref().unwrap();
    (issued.access.lifetime.unwrap().0, refresh.lifetime.0)
}

fn refresh_token(answer: &IssuedTokens) -> &Credential {
    &answer.refresh_token.as_ref().unwrap().0
}

#[test]
fn a_code_gives_a_pair_of_the_same_record_and_the_record_keeps_its_hashes() {
    let mut request = Redeeming::of(World::confidential(), "read write");
    request.world.wait(seconds(10));
    let (issued, answer) = request.issue();
    let now = request.world.now;
    assert_eq!((issued.rotation, issued.used_rotation, issued.used_at), (1, 0, None));
    assert_eq!(issued.access.issued_at, now);
    for (token, kind) in
        [(&answer.access_token, Kind::AccessToken), (refresh_token(&answer), Kind::RefreshToken)]
    {
        let parts = token.parts();
        assert_eq!((parts.kind, parts.id, parts.rotation), (kind, 2001, 1));
    }
    let refresh = issued.refresh.as_ref().unwrap();
    assert!(issued.access.hash.matches(&answer.access_token.hash()));
    assert!(refresh.hash.matches(&refresh_token(&answer).hash()));
    assert!(refresh.previous.is_none());
    assert_eq!(refresh.expires_at, now.plus(Seconds(2_592_000)));
    assert_eq!(request.token.created_at, NOON, "the record is as old as the consent");
}

#[test]
fn the_answer_says_everything() {
    let (_, tokens) = Redeeming::of(World::confidential(), "read write").issue();
    let answer = tokens.answer();
    assert_eq!(answer.access_token, Some((&tokens.access_token).into()));
    assert_eq!(answer.token_type.as_deref(), Some("bearer"));
    assert_eq!(answer.scope.as_deref(), Some("read write"));
    assert_eq!(answer.expires_in, Some(Seconds(1_800)));
    assert_eq!(answer.refresh_token, Some(refresh_token(&tokens).into()));
    assert_eq!(answer.refresh_token_expires_in, Some(Seconds(2_592_000)));
}

/// RFC 6749 §3.3 and §4.1.3: as approved, or narrower; never wider.
#[test]
fn the_scope_is_what_was_approved_or_a_part_of_it() {
    for (approved, asked, expected) in [
        ("read write", None, "read write"),
        ("read write", Some("read"), "read"),
        ("read write", Some("write read"), "write read"),
        ("read", Some("tickets:read"), "tickets:read"),
        ("tickets", Some("tickets:write"), "tickets:write"),
        ("read", Some("read write"), "Wider than the grant: write"),
        ("tickets:read", Some("read"), "Wider than the grant: read"),
        ("read write", Some("impersonate"), "Wider than the grant: impersonate"),
        ("read write", Some("reed"), "Unknown scope: reed"),
    ] {
        let mut request = Redeeming::of(World::confidential(), approved);
        request.wishes = asked.map_or(Wishes::NONE, want_scope);
        assert_eq!(scope_of(&request), expected, "{approved}, {asked:?}");
    }
}

/// What grants nothing widens nothing.
#[test]
fn names_that_mean_nothing_pass_where_the_policy_accepts_them_and_no_others_with_them() {
    for (asked, expected) in [
        ("reed", "not-approved"),
        ("read reed", "read"),
        ("read reed write", "Wider than the grant: write"),
    ] {
        let mut request = Redeeming::of(World::confidential(), "read");
        request.world.policy.unknown_scopes = UnknownScopes::Accept;
        request.wishes = want_scope(asked);
        assert_eq!(scope_of(&request), expected, "{asked}");
    }
}

/// The client's ceiling is that of today, for every way to get a token.
#[test]
fn the_scope_is_cut_to_what_the_client_may_have_today() {
    for (approved, allowed, asked, expected) in [
        ("read write", "read", None, "read"),
        ("read write", "read", Some("read"), "read"),
        ("read write", "read", Some("write"), "Not allowed for this client: write"),
        ("tickets:read write", "read", None, "tickets:read"),
        ("read", "read write", None, "read"),
        ("write", "read", None, "Not allowed for this client: write"),
    ] {
        let mut request = Redeeming::of(World::confidential(), approved);
        request.world.client.allowed_scope = Some(scope(allowed));
        request.wishes = asked.map_or(Wishes::NONE, want_scope);
        assert_eq!(scope_of(&request), expected, "{approved} within {allowed}, {asked:?}");
    }
}

/// The scope that was issued, the same at rest and in the answer, or the sentence of the refusal.
fn scope_of(request: &Redeeming) -> String {
    match request.decide() {
        Redemption::Issue { write, answer } => {
            assert_eq!(write.issued().scope, answer.scope);
            answer.scope.to_string()
        }
        Redemption::Refuse(rejection) => rejection.answer().error_description,
        other => panic!("{other:?}"),
    }
}

#[test]
fn lifetimes_are_asked_for_or_the_defaults_and_the_client_may_lower_them() {
    for (wishes, client_max, expected) in [
        (Wishes::NONE, (None, None), (1_800, 2_592_000)),
        (want_access_lifetime(300), (None, None), (300, 2_592_000)),
        (want_access_lifetime(172_800), (None, None), (172_800, 2_592_000)),
        (want_refresh_lifetime(604_800), (None, None), (1_800, 604_800)),
        (want_refresh_lifetime(7_776_000), (None, None), (1_800, 7_776_000)),
        (Wishes::NONE, (Some(600), Some(700_000)), (600, 700_000)),
        (want_access_lifetime(7_200), (Some(600), None), (600, 2_592_000)),
        (want_refresh_lifetime(7_776_000), (None, Some(700_000)), (1_800, 700_000)),
        (want_access_lifetime(300), (Some(600), Some(700_000)), (300, 700_000)),
    ] {
        let mut request = Redeeming::of(World::confidential(), "read");
        let client = &mut request.world.client;
        client.access_token_lifetime_max = client_max.0.map(Seconds);
        client.refresh_token_lifetime_max = client_max.1.map(Seconds);
        request.wishes = wishes;
        let (issued, answer) = request.issue();
        assert_eq!(lifetimes(&issued), expected, "{:?} {client_max:?}", request.wishes);
        let said = (answer.access_token_lifetime, answer.refresh_token.map(|(_, left)| left));
        assert_eq!(said, (Some(Seconds(expected.0)), Some(Seconds(expected.1))));
    }
}

/// `expires_in` is never more than the refresh token's life, so a grant's end ends both tokens.
#[test]
fn an_access_token_never_outlives_the_refresh_token_beside_it() {
    let mut request = Redeeming::of(World::confidential(), "read");
    request.world.policy.grant_lifetime_max = Some(Seconds(3_600));
    request.world.wait(seconds(60));
    request.wishes = want_access_lifetime(172_800);
    let (issued, answer) = request.issue();
    let refresh = issued.refresh.as_ref().unwrap();
    assert_eq!(refresh.expires_at, NOON.plus(Seconds(3_600)), "counted from the consent");
    assert_eq!(issued.access.expires_at(), Some(refresh.expires_at));
    assert_eq!(answer.access_token_lifetime, Some(Seconds(3_540)));
    assert_eq!(answer.refresh_token.unwrap().1, Seconds(3_540));

    let mut request = Redeeming::of(World::confidential(), "read");
    request.world.client.refresh_token_lifetime_max = Some(Seconds(600));
    assert_eq!(lifetimes(&request.issue().0), (600, 600));
}

#[test]
fn a_refusal_over_the_scope_does_not_spend_the_code() {
    let mut request = Redeeming::of(World::confidential(), "read");
    request.wishes = want_scope("write");
    assert_eq!(scope_of(&request), "Wider than the grant: write");
    assert!(matches!(request.token.stage, Stage::Consented(_)));
    request.wishes = Wishes::NONE;
    assert_eq!(request.outcome(), "issue");
}
