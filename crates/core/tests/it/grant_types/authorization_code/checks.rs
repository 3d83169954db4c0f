//! Who may redeem, when, and with what: the order of the checks.

use tokenry_protocol::secret::Kind;

use crate::support::{
    CALLBACK, Redeeming, World, millis, redeeming_outcome, redirect_uri, seconds, some, want_scope,
};

fn redeeming() -> Redeeming {
    Redeeming::of(World::confidential(), "read")
}

/// A request with every fault but the first `mended` ones.
fn faulty(mended: usize) -> Redeeming {
    let mut request = redeeming();
    let faults: [fn(&mut Redeeming); 7] = [
        |request| request.by = Some(request.world.stranger().into()),
        |request| {
            let id = request.token.id;
            request.code = request.world.forged(Kind::AuthorizationCode, id, 0);
        },
        |request| request.world.wait(seconds(120)),
        |request| request.world.suspend_user(),
        |request| request.redirect_uri = None,
        |request| request.code_verifier = some(&"y".repeat(43)),
        |request| request.wishes = want_scope("read write"),
    ];
    for fault in &faults[mended..] {
        fault(&mut request);
    }
    request
}

#[test]
fn the_first_failure_answers() {
    for (mended, expected) in [
        "refuse: foreign_client",
        "refuse: credential_forged",
        "refuse: credential_expired",
        "refuse: user_gone",
        "refuse: redirect_uri_different",
        "wrong verifier",
        "refuse: scope_wider",
        "issue",
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(faulty(mended).outcome(), expected, "{mended} faults mended");
    }
}

#[test]
fn a_code_that_names_no_record_is_refused() {
    let redemption = redeeming().decide_on(None);
    assert_eq!(redeeming_outcome(&redemption), "refuse: credential_unknown");
}

#[test]
fn a_code_is_refused_for_a_record_that_it_does_not_name() {
    let mut request = redeeming();
    request.code = request.world.keys.mint(Kind::AuthorizationCode, 1, 0, [1; 16]);
    assert_eq!(request.outcome(), "refuse: credential_unknown");
}

/// Credentials of other kinds carry our tag too, and may carry the record's number.
#[test]
fn nothing_but_a_code_is_redeemed() {
    for kind in [
        Kind::AccessToken,
        Kind::RefreshToken,
        Kind::DeviceCode,
        Kind::ApiToken,
        Kind::ClientSecret,
        Kind::SignInSession,
    ] {
        let (mut fresh, mut spent) = (redeeming(), redeeming());
        spent.spend();
        for request in [&mut fresh, &mut spent] {
            let id = request.token.id.get();
            request.code = request.world.keys.mint(kind, id, 0, [1; 16]);
            assert_eq!(request.outcome(), "refuse: credential_unknown", "{kind:?}");
        }
    }
}

/// RFC 6749 §4.1.2: bound to the client; the owner can still redeem it.
#[test]
fn a_code_in_a_strangers_hands_is_refused_and_not_spent() {
    let mut request = redeeming();
    request.by = Some(request.world.stranger().into());
    assert_eq!(request.outcome(), "refuse: foreign_client");
    request.by = None;
    assert_eq!(request.outcome(), "issue");
}

#[test]
fn a_code_lives_120_seconds_to_the_millisecond() {
    for (age, expected) in [
        (millis(0), "issue"),
        (millis(119_999), "issue"),
        (millis(120_000), "refuse: credential_expired"),
        (millis(120_001), "refuse: credential_expired"),
        (seconds(86_400), "refuse: credential_expired"),
    ] {
        let mut request = redeeming();
        request.world.wait(age);
        assert_eq!(request.outcome(), expected, "{age:?}");
    }
}

#[test]
fn a_code_of_a_user_who_is_gone_is_refused() {
    let mut request = redeeming();
    request.world.suspend_user();
    assert_eq!(request.outcome(), "refuse: user_gone", "suspended");
    request.world.user = None;
    assert_eq!(request.outcome(), "refuse: user_gone", "deleted");
}

/// RFC 6749 §4.1.3: required if it was in the authorization request, and identical.
#[test]
fn the_redirect_address_is_the_one_that_the_code_was_sent_to() {
    let different = "refuse: redirect_uri_different";
    for (named, presented, expected) in [
        (Some(CALLBACK), Some(CALLBACK), "issue"),
        (Some(CALLBACK), None, different),
        (Some(CALLBACK), Some("https://reports.acme.test/callback/"), different),
        (Some(CALLBACK), Some("https://reports.acme.test/Callback"), different),
        (Some(CALLBACK), Some("https://reports.acme.test/callback?x=1"), different),
        (Some(CALLBACK), Some(""), different),
        (None, Some(CALLBACK), "issue"),
        (None, None, "issue"),
        (None, Some("https://evil.test/callback"), different),
    ] {
        let world = World::confidential();
        let mut asked = world.request("read");
        asked.redirect_uri = named.map(str::to_owned);
        let mut request = Redeeming::after(world, &asked);
        request.redirect_uri = presented.map(str::to_owned);
        assert_eq!(request.outcome(), expected, "{named:?}, then {presented:?}");
    }
}

/// RFC 8252 §7.3: any port may be asked for, and then it is part of the address.
#[test]
fn a_loopback_port_is_kept_from_request_to_redemption() {
    let mut world = World::public();
    world.client.redirect_uris = vec![redirect_uri("http://127.0.0.1/cb")];
    let mut asked = world.request("read");
    asked.redirect_uri = some("http://127.0.0.1:53123/cb");
    let mut request = Redeeming::after(world, &asked);
    for (presented, expected) in [
        ("http://127.0.0.1:53123/cb", "issue"),
        ("http://127.0.0.1:53124/cb", "refuse: redirect_uri_different"),
        ("http://127.0.0.1/cb", "refuse: redirect_uri_different"),
    ] {
        request.redirect_uri = some(presented);
        assert_eq!(request.outcome(), expected, "{presented}");
    }
}

/// The store's condition makes it so: both decisions write for rotation 0, and one write holds.
#[test]
fn two_simultaneous_redemptions_draw_different_tokens() {
    let request = redeeming();
    let ((_, one), (_, other)) = (request.issue(), request.issue());
    assert_ne!(one.access_token.reveal(), other.access_token.reveal());
}
