//! RFC 6749 §2.3; docs: grants, "Client authentication".

use std::sync::Arc;

use proptest::prelude::*;
use tokenry_core::{
    client::{Client, ClientStatus},
    client_authentication::{Redeemer, authenticate, authenticate_by_verifier},
};
use tokenry_protocol::secret::Kind;

use crate::support::World;

/// `ok`, or the reason.
fn outcome(client: Option<&Client>, secret: Option<&str>) -> &'static str {
    match authenticate(client.cloned().map(Arc::new), secret) {
        Ok(_) => "ok",
        Err(rejection) => rejection.as_str(),
    }
}

#[test]
fn a_confidential_client_proves_itself_by_its_secret_and_nothing_near_it() {
    let world = World::confidential();
    let client = Some(&world.client);
    let mint = |kind, id| world.keys.mint(kind, id, 0, [7; 16]).reveal().to_owned();
    let right = world.secret().reveal().to_owned();
    let (wrong, api_token) = (mint(Kind::ClientSecret, 41), mint(Kind::ApiToken, 41));
    let (other_clients, next) =
        (mint(Kind::ClientSecret, 42), world.keys.mint(Kind::ClientSecret, 41, 1, [7; 16]));
    let (cut, grown) = (&right[..63], format!("{right}0"));
    for (case, secret, expected) in [
        ("right", Some(right.as_str()), "ok"),
        ("missing", None, "client_secret_wrong"),
        ("empty", Some(""), "client_secret_wrong"),
        ("wrong", Some(&wrong), "client_secret_wrong"),
        ("another client's", Some(&other_clients), "client_secret_wrong"),
        ("another generation's", Some(next.reveal()), "client_secret_wrong"),
        ("another kind", Some(&api_token), "client_secret_wrong"),
        ("cut", Some(cut), "client_secret_wrong"),
        ("grown", Some(&grown), "client_secret_wrong"),
        ("a space before", Some(&format!(" {right}")), "client_secret_wrong"),
        ("in capitals", Some(&right.to_uppercase()), "client_secret_wrong"),
        ("its public part", Some(&right[..10]), "client_secret_wrong"),
        ("words", Some("hunter2"), "client_secret_wrong"),
        ("not ASCII", Some("ä"), "client_secret_wrong"),
    ] {
        assert_eq!(outcome(client, secret), expected, "{case}");
    }
}

#[test]
fn a_public_client_is_named_and_refused_when_it_sends_a_secret() {
    let (public, secret) = (World::public().client, World::confidential());
    let client = Some(&public);
    assert_eq!(outcome(client, None), "ok");
    assert_eq!(outcome(client, Some("")), "ok", "an empty secret counts as absent");
    for secret in ["x", secret.secret().reveal()] {
        assert_eq!(outcome(client, Some(secret)), "client_secret_wrong", "{secret}");
    }
}

#[test]
fn an_unknown_client_is_refused_whatever_it_sends() {
    let world = World::confidential();
    for secret in [None, Some(""), Some("x"), Some(world.secret().reveal())] {
        assert_eq!(outcome(None, secret), "client_unknown", "{secret:?}");
    }
}

#[test]
fn a_disabled_client_is_refused_with_its_right_secret_too() {
    let (mut world, mut public) = (World::confidential(), World::public());
    world.client.status = ClientStatus::Disabled;
    public.client.status = ClientStatus::Disabled;
    let right = Some(world.secret().reveal());
    assert_eq!(outcome(Some(&world.client), right), "client_disabled");
    assert_eq!(outcome(Some(&world.client), Some("x")), "client_secret_wrong");
    assert_eq!(outcome(Some(&public.client), None), "client_disabled");
}

/// Unknown client, wrong secret, disabled client: the same answer.
#[test]
fn no_refusal_tells_which_half_was_wrong() {
    let mut world = World::confidential();
    let answer = |client: Option<&Client>, secret: Option<&str>| {
        authenticate(client.cloned().map(Arc::new), secret).unwrap_err().answer()
    };
    let unknown = answer(None, Some("x"));
    assert_eq!(answer(Some(&world.client), Some("x")), unknown);
    assert_eq!(answer(Some(&world.client), None), unknown);
    world.client.status = ClientStatus::Disabled;
    assert_eq!(answer(Some(&world.client), Some(world.secret().reveal())), unknown);
    assert_eq!(unknown.error.as_str(), "invalid_client");
}

/// Nobody but the redemption of a code may take such a client for one that has proved itself.
#[test]
fn a_client_that_its_verifier_is_to_prove_has_proved_nothing_yet() {
    let (world, public) = (World::confidential(), World::public());
    let by_verifier = |client: &Client| authenticate_by_verifier(Some(Arc::new(client.clone())));
    let confidential = by_verifier(&world.client).unwrap();
    assert_eq!(confidential.client().id, world.client.id);
    assert_eq!(confidential.authenticated().unwrap_err().as_str(), "client_secret_wrong");
    assert!(!confidential.has_shown_secret());
    assert!(Redeemer::from(world.proved()).has_shown_secret());
    let named = by_verifier(&public.client).unwrap();
    assert_eq!(named.authenticated().unwrap().client().id, public.client.id);
    assert!(!named.has_shown_secret());
    assert_eq!(authenticate_by_verifier(None).unwrap_err().as_str(), "client_unknown");
    for mut client in [world.client, public.client] {
        client.status = ClientStatus::Disabled;
        assert_eq!(by_verifier(&client).unwrap_err().as_str(), "client_disabled");
    }
}

#[test]
fn the_proof_holds_the_client_that_was_proved() {
    let world = World::confidential();
    assert_eq!(world.proved().client().id, world.client.id);
}

proptest! {
    #[test]
    fn every_change_of_one_character_of_a_secret_is_refused(
        at in 0..64_usize,
        other in "[0-9A-Za-z_]",
    ) {
        let world = World::confidential();
        let mut secret = world.secret().reveal().to_owned();
        prop_assume!(secret[at..=at] != other);
        secret.replace_range(at..=at, &other);
        prop_assert_eq!(outcome(Some(&world.client), Some(&secret)), "client_secret_wrong");
    }

    #[test]
    fn no_text_proves_a_client_or_makes_it_panic(secret in "\\PC{0,80}") {
        prop_assert_ne!(outcome(Some(&World::confidential().client), Some(&secret)), "ok");
    }
}
