//! A revision is a later version than the one before it, whatever the clock says.

use tokenry_core::{
    api_token::UnboundApiTokens,
    api_token_creation::approve,
    minting::Minting,
    revision::{Revision, Versioned},
    user::User,
};
use tokenry_protocol::{
    api::{api_tokens::ApiTokenRequest, request::Sent},
    ids::ApiTokenId,
    time::Timestamp,
};

use crate::support::{NOON, World, client, user};

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

/// Told by a clock that stands still.
fn version_after<T: Versioned + Clone>(record: T) -> Timestamp {
    let before = record.updated(NOON);
    Revision::new(&before, before.clone()).record().updated_at()
}

#[test]
fn every_kind_of_record_that_can_be_revised_has_its_version_raised() {
    let world = World::confidential();
    let minting = Minting { now: world.now, keys: &world.keys, entropy: &world.entropy };
    let description = Sent::Value("backup".to_owned());
    let request = ApiTokenRequest { description, ..ApiTokenRequest::default() };
    let approved = approve(request, &user(), None, UnboundApiTokens::Refused).unwrap();
    let (api_token, _) = approved.issue(ApiTokenId::new(8).unwrap(), &minting);
    assert_eq!(version_after(api_token), later(1));
    assert_eq!(version_after(client(41, "acme", None)), later(1));
    assert_eq!(version_after(user()), later(1));
}
