//! Sign-in sessions.

use std::sync::Arc;

use tokenry_protocol::ids::SignInSessionId;

use super::support::World;
use crate::{Deletion, Store};

/// Every field.
pub async fn a_session_comes_back_with_every_field(store: Arc<dyn Store>) {
    let world = World::new(store);
    let user = world.user().await;
    let session = world.session(&user).await;
    let found = world.store.find_sign_in_session(session.id).await;
    let found = found.unwrap().unwrap();
    assert_eq!(format!("{found:?}"), format!("{session:?}"));
    assert!(found.hash.matches(&session.hash));
}

/// Not an error.
pub async fn a_session_that_is_not_there_is_none(store: Arc<dyn Store>) {
    let nothing = SignInSessionId::new(9).unwrap();
    assert!(store.find_sign_in_session(nothing).await.unwrap().is_none());
    let deleted = store.delete_sign_in_session(nothing).await.unwrap();
    assert_eq!(deleted, Deletion::NotFound);
}

/// And no other.
pub async fn a_deleted_session_is_gone(store: Arc<dyn Store>) {
    let world = World::new(store);
    let user = world.user().await;
    let (session, other) = (world.session(&user).await, world.session(&user).await);
    let deleted = world.store.delete_sign_in_session(session.id).await;
    assert_eq!(deleted.unwrap(), Deletion::Done);
    let found = world.store.find_sign_in_session(session.id).await.unwrap();
    assert!(found.is_none());
    let found = world.store.find_sign_in_session(other.id).await.unwrap();
    assert!(found.is_some());
}
