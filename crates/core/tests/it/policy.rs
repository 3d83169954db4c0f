//! Lifetimes and windows; docs: grants, "Token request".

use tokenry_core::policy::{AUTHORIZATION_CODE_LIFETIME, Policy, WRONG_VERIFIERS_MAX};
use tokenry_protocol::{redirect_uri::ClientKind, time::Seconds};

use crate::support::{NOON, World, policy};

#[test]
fn a_code_lives_120_seconds_and_survives_four_wrong_verifiers() {
    assert_eq!(AUTHORIZATION_CODE_LIFETIME, Seconds(120));
    assert_eq!(WRONG_VERIFIERS_MAX, 5);
}

/// What is asked for, else what the pair before had, else the policy; the client may lower it.
#[test]
fn an_access_tokens_lifetime_is_asked_for_or_inherited_or_the_default() {
    for (asked, before, client_max, expected, without_default) in [
        (None, None, None, 1_800, None),
        (Some(300), None, None, 300, Some(300)),
        (Some(172_800), None, None, 172_800, Some(172_800)),
        (None, Some(300), None, 300, Some(300)),
        (Some(7_200), Some(300), None, 7_200, Some(7_200)),
        (None, None, Some(600), 600, Some(600)),
        (None, None, Some(86_400), 1_800, Some(86_400)),
        (Some(7_200), None, Some(600), 600, Some(600)),
        (Some(300), None, Some(600), 300, Some(300)),
        (None, Some(7_200), Some(600), 600, Some(600)),
    ] {
        let mut client = World::confidential().client;
        client.access_token_lifetime_max = client_max.map(Seconds);
        let for_ever = Policy { access_token_lifetime: None, ..policy() };
        for (policy, expected) in [(policy(), Some(expected)), (for_ever, without_default)] {
            let before = before.map(Seconds);
            let lifetime = policy.access_lifetime(&client, asked.map(Seconds), before);
            assert_eq!(lifetime, expected.map(Seconds), "{asked:?} {before:?} {client_max:?}");
        }
    }
}

#[test]
fn a_refresh_tokens_lifetime_is_asked_for_or_the_default() {
    for (asked, client_max, expected) in [
        (None, None, 2_592_000),
        (Some(604_800), None, 604_800),
        (Some(7_776_000), None, 7_776_000),
        (None, Some(1_000_000), 1_000_000),
        (Some(7_776_000), Some(1_000_000), 1_000_000),
        (Some(604_800), Some(1_000_000), 604_800),
    ] {
        let mut client = World::confidential().client;
        client.refresh_token_lifetime_max = client_max.map(Seconds);
        let lifetime = policy().refresh_lifetime(&client, asked.map(Seconds));
        assert_eq!(lifetime, Seconds(expected), "{asked:?} {client_max:?}");
    }
}

#[test]
fn the_window_is_the_clients_own_or_that_of_its_kind() {
    use ClientKind::{Confidential, Public};
    for (kind, own, expected) in [
        (Confidential, None, 30),
        (Public, None, 5),
        (Confidential, Some(0), 0),
        (Public, Some(1_800), 1_800),
    ] {
        let mut client = World::of(kind).client;
        client.retry_window = own.map(Seconds);
        assert_eq!(policy().retry_window(&client), Seconds(expected), "{kind:?} {own:?}");
    }
}

#[test]
fn no_refresh_token_outlives_the_limit_of_its_grant() {
    for (limit, lifetime, expected) in
        [(None, 1_000, 1_000), (Some(500), 1_000, 500), (Some(5_000), 1_000, 1_000)]
    {
        let policy = Policy { grant_lifetime_max: limit.map(Seconds), ..policy() };
        let expiry = policy.refresh_expiry(NOON, Seconds(lifetime), NOON);
        assert_eq!(expiry, NOON.plus(Seconds(expected)), "{limit:?}");
    }
}
