//! A revision is a later version than the one before it, whatever the clock says.

use tokenry_core::{revision::Revision, user::User};
use tokenry_protocol::time::Timestamp;

use crate::support::{NOON, user};

/// By so many milliseconds.
fn later(millis: i64) -> Timestamp {
    Timestamp::from_millis(NOON.as_millis() + millis)
}

#[test]
fn a_revision_raises_the_version_by_a_millisecond_at_least() {
    let before = User { updated_at: NOON, ..user() };
    for (decided_at, version) in [
        (later(5), later(5)),
        (later(1), later(1)),
        (NOON, later(1)),
        // The clock of this node is behind that of the one before.
        (later(-60_000), later(1)),
    ] {
        let record = User { name: "Other".to_owned(), updated_at: decided_at, ..before.clone() };
        let revision = Revision::new(&before, record);
        assert_eq!(revision.before(), NOON);
        assert_eq!(revision.record().updated_at, version);
        assert_eq!(revision.record().name, "Other");
    }
}

#[test]
fn revisions_in_one_millisecond_are_versions_of_their_own() {
    let mut record = User { updated_at: NOON, ..user() };
    for number in 1..=3 {
        let again = User { updated_at: NOON, ..record.clone() };
        record = Revision::new(&record, again).record().clone();
        assert_eq!(record.updated_at, later(number));
    }
}
