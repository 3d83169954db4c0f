//! docs: grants, "Error table of the token endpoint".

use proptest::prelude::*;
use tokenry_core::rejection::Rejection;
use tokenry_protocol::{oauth::parameters::InvalidRequest, scope::ScopeToken};

fn names(names: &[&str]) -> Vec<ScopeToken> {
    names.iter().map(|name| ScopeToken::parse(name).unwrap()).collect()
}

/// Reason, code, and the rows of the table that it answers.
#[test]
fn every_reason_has_the_code_of_its_row() {
    use Rejection as R;
    for (reason, code, rows) in [
        (R::Invalid(InvalidRequest::new("x")), "invalid_request", "1, 2, 9, 18, 19"),
        (R::Invalid(InvalidRequest::scope("x")), "invalid_scope", "16"),
        (R::GrantTypeUnknown, "unsupported_grant_type", "3"),
        (R::ClientMissing, "invalid_client", "4"),
        (R::ClientUnknown, "invalid_client", "5"),
        (R::ClientSecretWrong, "invalid_client", "5"),
        (R::ClientDisabled, "invalid_client", "5"),
        (R::TwoMethods, "invalid_request", "6"),
        (R::GrantTypeNotAllowed, "unauthorized_client", "7, 8"),
        (R::CredentialUnknown, "invalid_grant", "10, 14"),
        (R::CredentialForged, "invalid_grant", "10, 14"),
        (R::CredentialExpired, "invalid_grant", "10, 14"),
        (R::ForeignClient, "invalid_grant", "10, 14"),
        (R::AlreadyRedeemed, "invalid_grant", "11"),
        (R::Replayed, "invalid_grant", "11, 15"),
        (R::RedirectUriDifferent, "invalid_grant", "12"),
        (R::VerifierWrong, "invalid_grant", "13"),
        (R::ScopeUnknown(vec![]), "invalid_scope", "16"),
        (R::ScopeWider(vec![]), "invalid_scope", "16"),
        (R::ScopeNotAllowed(vec![]), "invalid_scope", "17"),
        (R::UserGone, "invalid_grant", "20"),
        (R::RepeatDiffers, "invalid_grant", "the same answer again"),
        (R::RotationsSpent, "invalid_grant", "the last rotation"),
        (R::RotatedAway, "invalid_grant", "14, single use"),
    ] {
        assert_eq!(reason.code().as_str(), code, "rows {rows}");
        assert_eq!(reason.answer().error, reason.code(), "rows {rows}");
        assert!(!reason.answer().error_description.is_empty(), "rows {rows}");
    }
}

#[test]
fn every_sentence_says_what_its_reader_may_know() {
    use Rejection as R;
    for (reason, sentence) in [
        (R::Invalid(InvalidRequest::new("x is missing.")), "x is missing."),
        (R::TwoMethods, "Use one method of client authentication."),
        (R::GrantTypeUnknown, "This grant type is not offered."),
        (R::GrantTypeNotAllowed, "This client may not use this grant."),
        (R::ClientUnknown, "Unknown client or wrong credentials."),
        (R::CredentialUnknown, "The grant is invalid, expired or used."),
        (R::RepeatDiffers, "A repeated refresh must ask for the same scope and lifetimes."),
    ] {
        assert_eq!(reason.answer().error_description, sentence, "{reason:?}");
    }
}

/// Whether a code was unknown, spent, expired or somebody else's is not for the one who tries.
#[test]
fn one_sentence_answers_all_that_a_thief_could_learn_from() {
    use Rejection as R;
    let grant = R::CredentialUnknown.answer();
    for reason in [
        R::CredentialForged,
        R::ForeignClient,
        R::CredentialExpired,
        R::AlreadyRedeemed,
        R::Replayed,
        R::RedirectUriDifferent,
        R::VerifierWrong,
        R::UserGone,
        R::RotationsSpent,
        R::RotatedAway,
    ] {
        assert_eq!(reason.answer(), grant, "{reason:?}");
    }
    let client = R::ClientUnknown.answer();
    for reason in [R::ClientMissing, R::ClientSecretWrong, R::ClientDisabled] {
        assert_eq!(reason.answer(), client, "{reason:?}");
    }
}

#[test]
fn a_scope_that_is_refused_is_named() {
    use Rejection as R;
    for (reason, description) in [
        (R::ScopeUnknown(names(&["reed", "rite"])), "Unknown scope: reed rite"),
        (R::ScopeNotAllowed(names(&["write"])), "Not allowed for this client: write"),
        (R::ScopeWider(names(&["write"])), "Wider than the grant: write"),
    ] {
        assert_eq!(reason.answer().error_description, description);
    }
}

#[test]
fn every_reason_has_a_word_of_its_own_for_the_log() {
    use Rejection as R;
    let reasons = [
        R::Invalid(InvalidRequest::new("x")),
        R::ClientMissing,
        R::ClientUnknown,
        R::ClientSecretWrong,
        R::ClientDisabled,
        R::TwoMethods,
        R::GrantTypeUnknown,
        R::GrantTypeNotAllowed,
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
    let mut words: Vec<_> = reasons.iter().map(Rejection::as_str).collect();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), reasons.len());
}

proptest! {
    /// RFC 6749 §5.2: `%x20-21 / %x23-5B / %x5D-7E`.
    #[test]
    fn a_description_keeps_to_the_characters_of_the_standard(said in "(\\PC|[\"\\\\\n\t]){0,80}") {
        let answer = Rejection::Invalid(InvalidRequest::new(said.clone())).answer();
        let allowed = |c| matches!(c, ' '..='!' | '#'..='[' | ']'..='~');
        prop_assert!(answer.error_description.chars().all(allowed));
        prop_assert_eq!(answer.error_description.chars().count(), said.chars().count());
    }
}
