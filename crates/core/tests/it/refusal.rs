//! What is remembered of refused credentials.

use proptest::prelude::*;
use tokenry_core::{
    refusal::{in_words, is_remembered},
    rejection::Rejection,
};
use tokenry_protocol::{
    ids::TokenId,
    secret::{Credential, Kind},
};

use crate::support::{KeyFate, World};

/// A reason that a later version may add stands for itself.
#[test]
fn every_reason_for_which_a_credential_is_refused_has_words() {
    use Rejection as R;
    let of_requests = [
        R::ClientUnknown,
        R::ClientSecretWrong,
        R::ClientDisabled,
        R::ScopeUnknown(vec![]),
        R::ScopeNotAllowed(vec![]),
        R::ScopeWider(vec![]),
        R::CredentialUnknown,
        R::CredentialForged,
        R::ForeignClient,
        R::CredentialExpired,
        R::AlreadyRedeemed,
        R::Replayed,
        R::RedirectUriDifferent,
        R::VerifierWrong,
        R::UserGone,
        R::RepeatDiffers,
        R::RotationsSpent,
        R::RotatedAway,
    ];
    for reason in of_requests {
        assert!(in_words(reason.as_str()).contains(' '), "{reason:?}");
    }
    assert!(in_words("signature wrong").contains("JWT"));
    assert_eq!(in_words("a_word_of_later"), "a_word_of_later");
}

/// Nor is what may have been minted under a key that was lost: nothing proves it.
#[test]
fn what_the_key_does_not_know_for_ours_leaves_nothing() {
    let mut world = World::confidential();
    let ours = world.keys.mint(Kind::AccessToken, 7, 1, [1; 16]);
    assert!(is_remembered(&ours, &world.keys));
    world.replace_key(KeyFate::Retired);
    assert!(is_remembered(&ours, &world.keys));
    world.replace_key(KeyFate::Lost);
    assert!(!is_remembered(&ours, &world.keys));
}

proptest! {
    #[test]
    fn what_somebody_made_up_leaves_nothing(
        id in 1..1_000_u64,
        rotation in 0..9_u32,
        kind in prop::sample::select(Kind::ALL.to_vec()),
    ) {
        let world = World::confidential();
        let forged = world.forged(kind, TokenId::new(id).unwrap(), rotation);
        prop_assert!(!is_remembered(&forged, &world.keys));
        let secret = forged.parts().secret;
        let minted: Credential = world.keys.mint(kind, id, rotation, secret);
        prop_assert!(is_remembered(&minted, &world.keys));
    }
}
