//! Docs: rules, "Acting for somebody else".

use std::sync::Arc;

use tokenry_core::{
    impersonation::{ImpersonationRefused as Refused, Impersonator, Named},
    refusal::in_words,
    user::{Role, User},
};
use tokenry_protocol::ids::UserId;

use crate::support::{scope, user};

fn admin() -> User {
    User { role: Role::Admin, ..user() }
}

#[test]
fn only_a_bearer_token_of_an_administrator_with_impersonate_acts_for_others() {
    for (role, words, expected) in [
        (Role::Admin, Some("impersonate"), None),
        (Role::Admin, Some("read impersonate write"), None),
        (Role::Admin, None, Some(Refused::NoBearer)),
        (Role::Admin, Some("read write"), Some(Refused::ScopeLacking)),
        (Role::Admin, Some("unrestricted"), Some(Refused::ScopeLacking)),
        (Role::Admin, Some("impersonates"), Some(Refused::ScopeLacking)),
        (Role::Agent, Some("impersonate"), Some(Refused::NoAdministrator)),
        (Role::EndUser, Some("impersonate"), Some(Refused::NoAdministrator)),
        (Role::EndUser, Some("read"), Some(Refused::ScopeLacking)),
    ] {
        let caller = User { role, ..admin() };
        let held = words.map(scope);
        let judged = Impersonator::judge(&caller, held.as_ref());
        assert_eq!(judged.err(), expected, "{role:?} {words:?}");
    }
}

#[test]
fn only_verified_end_users_who_are_not_suspended_are_acted_for() {
    for (role, verified, suspended, expected) in [
        (Role::EndUser, true, false, None),
        (Role::EndUser, false, false, Some(Refused::NotEligible)),
        (Role::EndUser, true, true, Some(Refused::NotEligible)),
        (Role::EndUser, false, true, Some(Refused::NotEligible)),
        (Role::Agent, true, false, Some(Refused::NotEligible)),
        (Role::Admin, true, false, Some(Refused::NotEligible)),
    ] {
        let impersonator = Impersonator::judge(&admin(), Some(&scope("impersonate"))).unwrap();
        let named = Arc::new(User { role, verified, suspended, ..user() });
        let acted = impersonator.act_for(Some(Arc::clone(&named)));
        match expected {
            None => assert!(Arc::ptr_eq(&acted.unwrap(), &named)),
            expected => assert_eq!(acted.err(), expected, "{role:?} {verified} {suspended}"),
        }
    }
}

#[test]
fn nobody_is_acted_for_who_is_not_there() {
    let impersonator = Impersonator::judge(&admin(), Some(&scope("impersonate"))).unwrap();
    assert_eq!(impersonator.act_for(None).err(), Some(Refused::Unknown));
}

#[test]
fn users_are_named_by_id_or_by_address_in_any_case() {
    let id = |number| Some(Named::Id(UserId::new(number).unwrap()));
    let email = |text: &str| Some(Named::Email(text.to_owned()));
    for (text, expected) in [
        ("37", id(37)),
        ("9007199254740991", id(9_007_199_254_740_991)),
        ("Cleo@Acme.test", email("cleo@acme.test")),
        ("37@acme.test", email("37@acme.test")),
        ("0", None),
        ("037", None),
        ("-1", None),
        ("+37", None),
        ("3 7", None),
        ("9007199254740992", None),
        ("nobody", None),
        ("", None),
    ] {
        assert_eq!(Named::parse(text), expected, "{text:?}");
    }
}

/// A call without a bearer token has no credential to remember it of.
#[test]
fn every_reason_that_is_remembered_of_a_token_has_words() {
    for reason in Refused::ALL {
        let has_words = in_words(reason.as_str()) != reason.as_str();
        assert_eq!(has_words, reason != Refused::NoBearer, "{reason}");
    }
}
