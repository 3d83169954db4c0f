//! Docs: records, "`OAuthTokenObject`"; rules, "Roles".

use tokenry_core::{
    record_access::{EXPIRED_GRANTS_LISTED, sees},
    user::{Role, User},
};
use tokenry_protocol::{
    ids::UserId,
    time::{Seconds, Timestamp},
};

use crate::support::{Grant, Redeeming, World, user};

fn viewer(id: u64, role: Role) -> User {
    User { id: UserId::new(id).unwrap(), role, ..user() }
}

#[test]
fn a_record_is_seen_by_its_own_user_and_by_administrators() {
    let grant = Grant::new();
    let whole = (Some(&grant.world.client), grant.world.user.as_ref());
    let own = grant.token.user_id.get();
    for (id, role, expected) in [
        (own, Role::EndUser, true),
        (own, Role::Agent, true),
        (own + 1, Role::EndUser, false),
        (own + 1, Role::Agent, false),
        (own + 1, Role::Admin, true),
    ] {
        let caller = viewer(id, role);
        let seen = sees(&caller, &grant.token, whole, grant.world.now);
        assert_eq!(seen, expected, "{id} {role:?}");
    }
}

#[test]
fn a_record_is_there_from_its_first_token_until_both_have_expired() {
    let grant = Grant::new();
    let whole = (Some(&grant.world.client), grant.world.user.as_ref());
    let admin = viewer(1, Role::Admin);
    let refresh = grant.token.issued().unwrap().refresh.as_ref().unwrap();
    let last = Timestamp::from_millis(refresh.expires_at.as_millis() - 1);
    assert!(sees(&admin, &grant.token, whole, last));
    assert!(!sees(&admin, &grant.token, whole, refresh.expires_at));

    let consented = Redeeming::of(World::confidential(), "read");
    let now = consented.world.now;
    assert!(!sees(&admin, &consented.token, whole, now), "a code is out");
}

#[test]
fn a_record_goes_with_its_client_and_its_user() {
    let grant = Grant::new();
    let (client, user) = (Some(&grant.world.client), grant.world.user.as_ref());
    let admin = viewer(1, Role::Admin);
    for owners in [(None, user), (client, None), (None, None)] {
        assert!(!sees(&admin, &grant.token, owners, grant.world.now));
    }
}

#[test]
fn an_expired_grant_is_listed_for_thirty_days_to_those_who_ask() {
    assert_eq!(EXPIRED_GRANTS_LISTED, Seconds(2_592_000));
}
