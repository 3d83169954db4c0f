//! What is shown on a page, what travels by redirect, and what goes through.

use tokenry_core::{
    authorization::{Refusal, judge},
    client::ClientStatus,
    policy::UnknownScopes,
};
use tokenry_protocol::{
    oauth::{authorization::AuthorizationRequest, token::GrantType},
    redirect_uri::ClientKind::{Confidential, Public},
};

use super::{outcome, said};
use crate::support::{CALLBACK, World, redirect_uri, scope, some};

/// Until the client and the redirect address are both right, nothing is sent anywhere.
#[test]
fn a_wrong_redirect_address_is_a_page_and_never_a_redirect() {
    let (one, two) = ([CALLBACK].as_slice(), [CALLBACK, "https://other.test/cb"].as_slice());
    for (registered, asked, expected) in [
        (one, Some("https://evil.test/callback"), "page: RedirectUriUnknown"),
        (one, Some("https://reports.acme.test/callback/"), "page: RedirectUriUnknown"),
        (one, Some(""), "page: RedirectUriUnknown"),
        (&[], Some(CALLBACK), "page: RedirectUriUnknown"),
        (&[], None, "page: RedirectUriMissing"),
        (two, None, "page: RedirectUriMissing"),
        (two, Some("https://other.test/cb"), "ok"),
        (one, None, "ok"),
    ] {
        let mut world = World::confidential();
        let mut request = world.request("read");
        world.client.redirect_uris = registered.iter().map(|uri| redirect_uri(uri)).collect();
        request.redirect_uri = asked.map(str::to_owned);
        assert_eq!(outcome(&world, &request), expected, "{asked:?} of {registered:?}");
        if expected != "ok" {
            stays_a_page(&world, request, expected);
        }
    }
}

/// Everything else that is wrong is said only after these.
fn stays_a_page(world: &World, mut request: AuthorizationRequest, page: &str) {
    (request.response_type, request.scope) = (some("token"), some("reed"));
    assert_eq!(outcome(world, &request), page);
}

#[test]
fn a_client_that_is_missing_unknown_or_disabled_is_a_page() {
    let mut world = World::confidential();
    let mut request = world.request("read");
    let refusal = judge(&request, None, &world.policy).unwrap_err();
    assert_eq!(said(&refusal), "page: ClientUnknown");

    world.client.status = ClientStatus::Disabled;
    assert_eq!(outcome(&world, &request), "page: ClientDisabled");
    stays_a_page(&world, request.clone(), "page: ClientDisabled");

    request.client_id = None;
    assert_eq!(outcome(&world, &request), "page: ClientMissing");
}

/// An authorization request in which one parameter says something else.
fn changed(world: &World, name: &str, value: Option<&str>) -> AuthorizationRequest {
    let mut request = world.request("read");
    let parameter = match name {
        "response_type" => &mut request.response_type,
        "code_challenge" => &mut request.code_challenge,
        "code_challenge_method" => &mut request.code_challenge_method,
        "prompt" => &mut request.prompt,
        "scope" => &mut request.scope,
        "state" => &mut request.state,
        other => panic!("{other}"),
    };
    *parameter = value.map(str::to_owned);
    request
}

#[test]
fn whatever_else_is_wrong_travels_by_redirect() {
    const TYPE: &str = "unsupported_response_type: Only code is offered.";
    const FORM: &str = "invalid_request: code_challenge must be 43 characters of base64url.";
    const METHOD: &str = "invalid_request: code_challenge_method must be S256.";
    const ALONE: &str = "invalid_request: code_challenge_method needs a code_challenge.";
    const PROMPT: &str = "invalid_request: prompt=none excludes other prompts.";
    const STATE: &str = "invalid_request: state has at most 2000 characters.";
    const GRAMMAR: &str = "is not a scope: use a-z 0-9 _ . - and at most one :read or :write.";
    let (long, long_in_bytes_too) = ("s".repeat(2_001), "é".repeat(2_001));
    for (name, value, expected) in [
        ("response_type", None, "invalid_request: response_type is missing."),
        ("response_type", Some("token"), TYPE),
        ("response_type", Some("code token"), TYPE),
        ("response_type", Some("CODE"), TYPE),
        ("code_challenge", Some("short"), FORM),
        ("code_challenge", None, ALONE),
        ("code_challenge_method", Some("plain"), METHOD),
        ("code_challenge_method", Some("s256"), METHOD),
        ("code_challenge_method", None, METHOD),
        ("prompt", Some("none login"), PROMPT),
        ("prompt", Some("consent none"), PROMPT),
        ("scope", Some("reed"), "invalid_scope: Unknown scope: reed"),
        ("scope", Some("auditlogs:write"), "invalid_scope: Unknown scope: auditlogs:write"),
        ("scope", Some("Read"), &format!("invalid_scope: 'Read' {GRAMMAR}")),
        ("scope", Some("\"ä\\"), &format!("invalid_scope: '?'???' {GRAMMAR}")),
        ("state", Some(&long), STATE),
        ("state", Some(&long_in_bytes_too), STATE),
    ] {
        let world = World::confidential();
        let request = changed(&world, name, value);
        assert_eq!(outcome(&world, &request), expected, "{name}={value:?}");
    }
}

#[test]
fn what_holds_goes_through() {
    // Characters, not bytes.
    let (longest, longest_in_characters) = ("s".repeat(2_000), "é".repeat(2_000));
    for (name, value) in [
        ("scope", Some("read write tickets:read impersonate unrestricted")),
        ("state", None),
        ("state", Some(longest.as_str())),
        ("state", Some(&longest_in_characters)),
        ("prompt", Some("login consent")),
        ("prompt", Some("none")),
        ("prompt", Some("select_account something")),
    ] {
        let world = World::confidential();
        let request = changed(&world, name, value);
        assert_eq!(outcome(&world, &request), "ok", "{name}={value:?}");
    }
}

/// Recommended for all, demanded of those who have no secret: RFC 7636 §4.4.1.
#[test]
fn a_public_client_must_send_a_challenge() {
    let required = "invalid_request: code_challenge is required.";
    for (kind, expected) in [(Public, required), (Confidential, "ok")] {
        let world = World::of(kind);
        let mut request = world.request("read");
        assert_eq!(outcome(&world, &request), "ok", "{kind:?}");
        (request.code_challenge, request.code_challenge_method) = (None, None);
        assert_eq!(outcome(&world, &request), expected, "{kind:?}");
    }
}

#[test]
fn a_scope_left_out_or_empty_is_read() {
    let world = World::confidential();
    for left_out in [None, some(""), some(" ")] {
        let mut request = world.request("read");
        request.scope.clone_from(&left_out);
        assert_eq!(world.judged(&request).scope(), &scope("read"), "{left_out:?}");
    }
}

#[test]
fn a_scope_stays_within_what_the_client_may_ask_for() {
    for (asked, allowed, expected) in [
        ("read", "read", "ok"),
        ("tickets:read", "read", "ok"),
        ("read write", "read", "invalid_scope: Not allowed for this client: write"),
        ("impersonate", "unrestricted", "invalid_scope: Not allowed for this client: impersonate"),
    ] {
        let mut world = World::confidential();
        world.client.allowed_scope = Some(scope(allowed));
        assert_eq!(outcome(&world, &world.request(asked)), expected, "{asked} within {allowed}");
    }
}

#[test]
fn unknown_scopes_pass_where_the_policy_accepts_them() {
    let mut world = World::confidential();
    world.policy.unknown_scopes = UnknownScopes::Accept;
    assert_eq!(outcome(&world, &world.request("read reed")), "ok");
}

#[test]
fn a_client_without_the_code_grant_is_told_by_redirect() {
    let mut world = World::confidential();
    world.client.grant_types = Some(vec![GrantType::ClientCredentials]);
    let expected = "unauthorized_client: This client may not use this grant.";
    assert_eq!(outcome(&world, &world.request("read")), expected);
}

/// RFC 8252 §7.3; any other difference is another address.
#[test]
fn a_redirect_address_is_matched_exactly_but_for_loopback_ports() {
    for (kind, registered, asked, expected) in [
        (Confidential, CALLBACK, CALLBACK, "ok"),
        (Confidential, CALLBACK, "https://Reports.acme.test/callback", "page: RedirectUriUnknown"),
        (
            Confidential,
            CALLBACK,
            "https://reports.acme.test:443/callback",
            "page: RedirectUriUnknown",
        ),
        (Public, "http://127.0.0.1/cb", "http://127.0.0.1:53123/cb", "ok"),
        (Public, "http://[::1]/cb", "http://[::1]:53123/cb", "ok"),
        (Public, "http://localhost/cb", "http://localhost:53123/cb", "page: RedirectUriUnknown"),
        (Public, "http://127.0.0.1/cb", "http://127.0.0.1:53123/other", "page: RedirectUriUnknown"),
        (Public, "com.acme.app:/cb", "com.acme.app:/cb", "ok"),
        (Public, "com.acme.app:/cb", "com.acme.app:/cb2", "page: RedirectUriUnknown"),
    ] {
        let mut world = World::of(kind);
        world.client.redirect_uris = vec![redirect_uri(registered)];
        let mut request = world.request("read");
        request.redirect_uri = some(asked);
        assert_eq!(outcome(&world, &request), expected, "{asked} for {registered}");
    }
}

/// The address that was asked for, port included; `state` unchanged, unless it is too long.
#[test]
fn an_error_is_sent_where_the_request_wants_it_with_its_state() {
    for (state, expected) in
        [(None, None), (some("a b&c=é"), some("a b&c=é")), (Some("s".repeat(2_001)), None)]
    {
        let mut world = World::public();
        world.client.redirect_uris = vec![redirect_uri("http://127.0.0.1/cb?tenant=1")];
        let mut request = world.request("read");
        request.redirect_uri = some("http://127.0.0.1:53123/cb?tenant=1");
        (request.state, request.response_type) = (state, some("token"));
        let Err(Refusal::Redirect(to, _)) = judge(&request, Some(&world.client), &world.policy)
        else {
            panic!("{}", outcome(&world, &request));
        };
        assert_eq!(to.redirect_uri, "http://127.0.0.1:53123/cb?tenant=1");
        assert_eq!(to.state, expected);
    }
}
