//! A user's address and role.

use proptest::prelude::*;
use tokenry_core::user::{Role, User, UserChange, fold_email};
use tokenry_protocol::{ids::UserId, time::Timestamp};

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

#[test]
fn a_change_that_changes_nothing_is_none() {
    let user = ben();
    assert!(user.changed(&UserChange::Resume, time(9)).is_none());
    assert!(user.changed(&UserChange::Role(Role::Agent), time(9)).is_none());
    let suspended = user.changed(&UserChange::Suspend, time(9)).unwrap();
    assert!(suspended.changed(&UserChange::Suspend, time(10)).is_none());
}

#[test]
fn a_change_touches_what_it_names_and_the_time() {
    let user = ben();
    let suspended = user.changed(&UserChange::Suspend, time(9)).unwrap();
    assert!(suspended.suspended);
    assert_eq!((suspended.role, suspended.updated_at), (Role::Agent, time(9)));
    let resumed = suspended.changed(&UserChange::Resume, time(10)).unwrap();
    assert!(!resumed.suspended);
    let admin = user.changed(&UserChange::Role(Role::Admin), time(9)).unwrap();
    assert_eq!((admin.role, admin.suspended, admin.password_epoch), (Role::Admin, false, 3));
}

#[test]
fn a_password_is_always_a_change_and_ends_sign_in_sessions() {
    let user = ben();
    let same = UserChange::PasswordHash("$argon2id$old".to_owned());
    let changed = user.changed(&same, time(9)).unwrap();
    assert_eq!(
        (changed.password_hash.as_deref(), changed.password_epoch),
        (Some("$argon2id$old"), 4)
    );
    let last = User { password_epoch: u32::MAX, ..user };
    assert_eq!(last.changed(&same, time(9)).unwrap().password_epoch, 0);
}

#[test]
fn an_administrator_who_is_suspended_cannot_act() {
    for role in Role::ALL {
        for suspended in [false, true] {
            let user = User { role, suspended, ..ben() };
            assert_eq!(user.is_active_administrator(), role == Role::Admin && !suspended);
        }
    }
}

fn time(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn ben() -> User {
    User {
        id: UserId::new(7).unwrap(),
        email: "ben@acme.test".to_owned(),
        name: "Ben".to_owned(),
        role: Role::Agent,
        password_hash: Some("$argon2id$old".to_owned()),
        verified: true,
        suspended: false,
        password_epoch: 3,
        created_at: time(1),
        updated_at: time(2),
    }
}

proptest! {
    #[test]
    fn folding_twice_is_folding_once(email in "\\PC{0,40}") {
        let once = fold_email(&email);
        prop_assert_eq!(fold_email(&once), once);
    }
}
