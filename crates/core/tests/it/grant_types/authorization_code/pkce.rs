//! RFC 7636 §4.6; docs: grants, row 13.

use std::sync::Arc;

use tokenry_core::{
    client_authentication::authenticate_by_verifier, event::EventKind,
    grant_types::authorization_code::Redemption,
};
use tokenry_protocol::redirect_uri::ClientKind::{self, Confidential, Public};

use crate::support::{Redeeming, VERIFIER, World, some};

/// Whether the authorization request carried a challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Challenge {
    Sent,
    Absent,
}

/// A code of this client; public ones get it without a challenge only by having been confidential.
fn redeeming(kind: ClientKind, challenge: Challenge) -> Redeeming {
    let world = World::of(Confidential);
    let mut asked = world.request("read");
    if challenge == Challenge::Absent {
        (asked.code_challenge, asked.code_challenge_method) = (None, None);
    }
    let mut request = Redeeming::after(world, &asked);
    if kind == Public {
        let mut world = World::public();
        world.client.id = request.world.client.id;
        request.world = world;
    }
    request
}

#[test]
fn the_verifier_must_answer_the_challenge() {
    use Challenge::{Absent, Sent};
    let (other, long) = ("y".repeat(43), "y".repeat(129));
    let refused = "refuse: verifier_wrong";
    for (kind, challenge, verifier, expected) in [
        (Confidential, Sent, Some(VERIFIER), "issue"),
        (Confidential, Sent, Some(other.as_str()), "wrong verifier"),
        (Confidential, Sent, Some(&VERIFIER[..42]), "wrong verifier"),
        (Confidential, Sent, Some(&long), "wrong verifier"),
        (Confidential, Sent, Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"), "wrong verifier"),
        (Confidential, Sent, Some("not a verifier"), "wrong verifier"),
        // Missing is no guess, so it is not counted.
        (Confidential, Sent, None, refused),
        (Confidential, Absent, None, "issue"),
        // A verifier without a challenge: somebody stripped it on the way (RFC 9700 §4.8.2).
        (Confidential, Absent, Some(VERIFIER), refused),
        (Public, Sent, Some(VERIFIER), "issue"),
        (Public, Sent, Some(&other), "wrong verifier"),
        (Public, Sent, None, refused),
        (Public, Absent, None, refused),
        (Public, Absent, Some(VERIFIER), refused),
    ] {
        let mut request = redeeming(kind, challenge);
        request.code_verifier = verifier.map(str::to_owned);
        assert_eq!(request.outcome(), expected, "{kind:?} {challenge:?} {verifier:?}");
    }
}

/// What proves such a client is the answer to a challenge, and nothing else.
#[test]
fn a_confidential_client_without_its_secret_is_proved_by_its_verifier_alone() {
    use Challenge::{Absent, Sent};
    let other = "y".repeat(43);
    let refused = "refuse: verifier_wrong";
    for (challenge, verifier, expected) in [
        (Sent, Some(VERIFIER), "issue"),
        (Sent, Some(other.as_str()), "wrong verifier"),
        (Sent, None, refused),
        (Absent, Some(VERIFIER), refused),
        (Absent, None, refused),
    ] {
        let mut request = redeeming(Confidential, challenge);
        let client = Arc::new(request.world.client.clone());
        request.by = Some(authenticate_by_verifier(Some(client)).unwrap());
        request.code_verifier = verifier.map(str::to_owned);
        assert_eq!(request.outcome(), expected, "{challenge:?} {verifier:?}");
    }
}

#[test]
fn a_wrong_verifier_is_counted_with_the_end_that_the_fifth_one_brings() {
    let mut request = redeeming(Public, Challenge::Sent);
    request.code_verifier = some(&"y".repeat(43));
    let Redemption::WrongVerifier(wrong) = request.decide() else {
        panic!("{}", request.outcome());
    };
    assert_eq!((wrong.id(), wrong.max()), (request.token.id, 5));
    assert_eq!(wrong.end().id(), request.token.id);
    assert_eq!(wrong.end().event().kind, EventKind::VerifiersSpent);
}

/// A guess with another fault tells nothing about the verifier.
#[test]
fn a_wrong_verifier_is_counted_only_when_all_before_it_is_right() {
    let mut request = redeeming(Public, Challenge::Sent);
    request.code_verifier = some(&"y".repeat(43));
    request.redirect_uri = None;
    assert_eq!(request.outcome(), "refuse: redirect_uri_different");
}
