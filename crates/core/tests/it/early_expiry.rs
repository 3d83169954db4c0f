//! An access token that is over before its time.

use tokenry_core::{
    early_expiry::{expire_access_token, expire_pair},
    grant::Stage,
};
use tokenry_protocol::time::Seconds;

use crate::support::{Grant, issued, seconds};

#[test]
fn an_access_token_that_is_ended_early_is_over_at_that_moment_and_keeps_its_lifetime() {
    let mut grant = Grant::new();
    grant.wait(seconds(90));
    let now = grant.world.now;
    let before = issued(&grant.token).access;
    let expiry = expire_access_token(&grant.token, now).unwrap();
    assert_eq!((expiry.id(), expiry.rotation()), (grant.token.id, 1));
    assert_eq!(expiry.access().expires_at(), Some(now));
    assert_eq!(expiry.access().lifetime, before.lifetime);
    assert!(expiry.access().hash.matches(&before.hash));
}

#[test]
fn an_access_token_without_expiry_is_given_one_to_be_over() {
    let mut grant = Grant::new();
    let mut without_expiry = issued(&grant.token).clone();
    without_expiry.access.lifetime = None;
    grant.token.stage = Stage::Issued(without_expiry);
    let expiry = expire_access_token(&grant.token, grant.world.now).unwrap();
    assert_eq!(expiry.access().expires_at(), Some(grant.world.now));
    assert_eq!(expiry.access().issued_at, grant.world.now);
    assert_eq!(expiry.access().lifetime, Some(Seconds(0)));
}

#[test]
fn a_pair_that_is_ended_early_is_over_and_its_access_token_alone_leaves_the_refresh_token() {
    let grant = Grant::new();
    let now = grant.world.now;
    let refresh_expires_at = issued(&grant.token).refresh.as_ref().unwrap().expires_at;
    let access_alone = expire_access_token(&grant.token, now).unwrap();
    assert_eq!(access_alone.refresh_expires_at(), Some(refresh_expires_at));
    let pair = expire_pair(&grant.token, now).unwrap();
    assert_eq!(pair.refresh_expires_at(), Some(now));
    assert_eq!(pair.access().expires_at(), Some(now));
}

#[test]
fn of_a_pair_whose_access_token_is_over_the_refresh_token_can_still_be_ended() {
    let grant = Grant::new();
    let later = issued(&grant.token).access.expires_at().unwrap();
    let pair = expire_pair(&grant.token, later).unwrap();
    assert_eq!(pair.access().expires_at(), Some(later));
    assert_eq!(pair.refresh_expires_at(), Some(later));
    let over = issued(&grant.token).refresh.as_ref().unwrap().expires_at;
    assert!(expire_pair(&grant.token, over).is_none());
}

#[test]
fn what_is_over_already_is_not_ended_again() {
    let grant = Grant::new();
    let expires_at = issued(&grant.token).access.expires_at().unwrap();
    assert!(expire_access_token(&grant.token, expires_at).is_none());
}
