//! Consent makes the grant, with the code as its rotation 0.

use tokenry_core::{
    authorization::consent,
    grant::{Consented, Origin, SentTo, Stage, Token},
};
use tokenry_protocol::{
    oauth::authorization::AuthorizationRequest,
    secret::{Credential, Kind},
    time::Seconds,
};

use crate::support::{CALLBACK, World, scope};

fn consented(world: &World, request: &AuthorizationRequest) -> (Token, Consented, Credential) {
    let (new, code) = consent(&world.judged(request), &world.issuance());
    let token = new.token().clone();
    match token.stage.clone() {
        Stage::Consented(consented) => (token, consented, code),
        Stage::Issued(issued) => panic!("{issued:?}"),
    }
}

#[test]
fn a_code_is_bound_to_client_user_scope_address_and_challenge() {
    let world = World::confidential();
    let request = world.request("write read");
    let (token, consented, code) = consented(&world, &request);
    assert_eq!((token.client_id, token.user_id), (world.client.id, world.issuance().user_id));
    assert_eq!((token.origin, token.created_at), (Origin::Consent, world.now));
    assert_eq!(token.granted, scope("write read"));
    assert_eq!(consented.redirect_uri, SentTo::Named(CALLBACK.to_owned()));
    let challenge = consented.challenge.unwrap();
    assert_eq!(Some(challenge.as_str()), request.code_challenge.as_deref());
    assert_eq!(consented.expires_at, world.now.plus(Seconds(120)));
    assert_eq!(consented.wrong_verifiers, 0);
    let parts = code.parts();
    assert_eq!((parts.kind, parts.id, parts.rotation), (Kind::AuthorizationCode, 2001, 0));
    assert!(consented.code_hash.matches(&code.hash()));
    assert!(token.issued().is_none(), "no record until it is redeemed");
}

#[test]
fn an_address_that_was_not_named_is_the_clients_only_one() {
    let world = World::confidential();
    let mut request = world.request("read");
    request.redirect_uri = None;
    (request.code_challenge, request.code_challenge_method) = (None, None);
    let (_, consented, _) = consented(&world, &request);
    assert_eq!(consented.redirect_uri, SentTo::Only(CALLBACK.to_owned()));
    assert_eq!(consented.redirect_uri.address(), CALLBACK);
    assert_eq!(consented.challenge, None);
}

#[test]
fn every_consent_draws_another_code() {
    let world = World::confidential();
    let request = world.request("read");
    let (one, other) = (consented(&world, &request).2, consented(&world, &request).2);
    assert_ne!(one.reveal(), other.reveal());
}
