//! A user's address and role.

use proptest::prelude::*;
use tokenry_core::user::{Role, fold_email};

#[test]
fn every_spelling_of_an_address_folds_to_one() {
    for spelling in
        ["ann@acme.test", "Ann@Acme.Test", "ANN@ACME.TEST", " ann@acme.test", "ann@acme.test\t\n"]
    {
        assert_eq!(fold_email(spelling), "ann@acme.test", "{spelling:?}");
    }
    assert_eq!(fold_email("ÄNN@acme.test"), "änn@acme.test");
    assert_ne!(fold_email("ann+x@acme.test"), "ann@acme.test");
}

#[test]
fn a_role_reads_back_from_its_word_only() {
    for role in Role::ALL {
        assert_eq!(Role::parse(role.as_str()), Some(role));
    }
    for word in ["", "Admin", "owner", "end_user", " agent"] {
        assert_eq!(Role::parse(word), None, "{word:?}");
    }
}

proptest! {
    #[test]
    fn folding_twice_is_folding_once(email in "\\PC{0,40}") {
        let once = fold_email(&email);
        prop_assert_eq!(fold_email(&once), once);
    }
}
