//! API tokens.

use std::sync::Arc;

use tokenry_core::{
    api_token::{ApiToken, ApiTokenStatus},
    revision::Revision,
};
use tokenry_protocol::ids::{ApiTokenId, UserId};

use super::support::{START, World, after, thirty_two};
use crate::{ApiTokenInsertion, ApiTokenUse, ChangedRecord, Conditional, Deletion, Store};

fn assert_same(found: Option<ApiToken>, expected: &ApiToken) {
    let found = found.unwrap();
    assert_eq!(format!("{found:?}"), format!("{expected:?}"));
    assert!(found.hash.matches(&expected.hash));
}

/// Every field; a list is in the order of id.
pub async fn an_api_token_comes_back_with_every_field(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (maker, assigned) = (world.user().await, world.user().await);
    let first = world.new_api_token(maker.id, assigned.id).await;
    let second = ApiToken {
        description: String::new(),
        status: ApiTokenStatus::Inactive,
        last_used: Some(after(5)),
        ..world.new_api_token(assigned.id, assigned.id).await
    };
    for token in [&second, &first] {
        let inserted = world.store.insert_api_token(token.clone(), 256).await;
        assert_eq!(inserted.unwrap(), ApiTokenInsertion::Done);
        let found = world.store.find_api_token(token.id).await.unwrap();
        assert_same(found, token);
    }
    let all = world.store.list_api_tokens().await.unwrap();
    let ids: Vec<_> = all.iter().map(|token| token.id).collect();
    assert_eq!(ids, [first.id, second.id]);
}

/// Not an error.
pub async fn an_api_token_that_is_not_there_is_none(store: Arc<dyn Store>) {
    let world = World::new(store);
    let user = world.user().await;
    let nothing = world.new_api_token(user.id, user.id).await;
    assert!(world.store.find_api_token(nothing.id).await.unwrap().is_none());
    let write = Revision::new(&nothing, nothing.clone());
    assert_eq!(world.store.update_api_token(write).await.unwrap(), Conditional::Already);
    let deleted = world.store.delete_api_token(nothing.id).await.unwrap();
    assert_eq!(deleted, Deletion::NotFound);
    let used = ApiTokenUse { id: nothing.id, used_at: START };
    world.store.record_api_token_uses(vec![used]).await.unwrap();
    assert_eq!(world.last_number().await, 0);
}

/// However many come at once.
pub async fn there_are_never_more_api_tokens_than_the_limit(store: Arc<dyn Store>) {
    let world = World::new(store);
    let user = world.user().await.id;
    let inserted = thirty_two(|_| {
        let world = Arc::clone(&world);
        async move {
            let token = world.new_api_token(user, user).await;
            world.store.insert_api_token(token, 5).await.unwrap()
        }
    });
    let inserted = inserted.await;
    let ended = |with| inserted.iter().filter(|one| **one == with).count();
    assert_eq!(ended(ApiTokenInsertion::Done), 5);
    assert_eq!(ended(ApiTokenInsertion::LimitReached), 27);
    let all = world.store.list_api_tokens().await.unwrap();
    assert_eq!(all.len(), 5);
    world.store.delete_api_token(all[0].id).await.unwrap();
    let token = world.new_api_token(user, user).await;
    let inserted = world.store.insert_api_token(token, 5).await.unwrap();
    assert_eq!(inserted, ApiTokenInsertion::Done);
}

/// It could never be used.
pub async fn an_api_token_needs_a_user_who_is_there(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (maker, gone) = (world.user().await, world.user().await);
    world.store.delete_user(gone.id, START).await.unwrap();
    for assigned in [gone.id, UserId::new(99).unwrap()] {
        let token = world.new_api_token(maker.id, assigned).await;
        let inserted = world.store.insert_api_token(token, 256).await.unwrap();
        assert_eq!(inserted, ApiTokenInsertion::OwnerGone);
    }
}

/// It is its maker's as far as it is anybody's.
pub async fn an_api_token_that_is_bound_to_nobody_ends_with_its_maker_alone(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (maker, gone) = (world.user().await, world.user().await);
    let bound = world.new_api_token(maker.id, maker.id).await;
    let unbound = ApiToken {
        assigned_user_id: None,
        status: ApiTokenStatus::Inactive,
        last_used: Some(after(5)),
        ..world.new_api_token(maker.id, maker.id).await
    };
    for token in [&bound, &unbound] {
        let inserted = world.store.insert_api_token(token.clone(), 256).await;
        assert_eq!(inserted.unwrap(), ApiTokenInsertion::Done);
        assert_same(world.store.find_api_token(token.id).await.unwrap(), token);
    }
    let on = ApiToken { status: ApiTokenStatus::Active, ..unbound.clone() };
    let write = Revision::new(&unbound, on);
    assert_eq!(world.store.update_api_token(write.clone()).await.unwrap(), Conditional::Now);
    world.store.delete_user(gone.id, after(9)).await.unwrap();
    assert_same(world.store.find_api_token(unbound.id).await.unwrap(), write.record());
    world.store.delete_user(maker.id, after(9)).await.unwrap();
    for token in [bound, unbound] {
        assert!(world.store.find_api_token(token.id).await.unwrap().is_none());
        let told = world.changes().await.into_iter().map(|(_, record)| record);
        assert!(told.into_iter().any(|record| record == ChangedRecord::ApiToken(token.id)));
    }

    let nobodys = world.new_api_token(gone.id, gone.id).await;
    let nobodys = ApiToken { assigned_user_id: None, ..nobodys };
    let inserted = world.store.insert_api_token(nobodys, 256).await.unwrap();
    assert_eq!(inserted, ApiTokenInsertion::OwnerGone);
}

/// Description and status; never the hash, nor whom it works for.
pub async fn an_update_of_an_api_token_replaces_description_and_status(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (user, other) = (world.user().await, world.user().await);
    let token = world.new_api_token(user.id, user.id).await;
    world.store.insert_api_token(token.clone(), 9).await.unwrap();
    let update = ApiToken {
        hash: world.hash(),
        description: "Other".to_owned(),
        status: ApiTokenStatus::Inactive,
        assigned_user_id: Some(other.id),
        updated_at: after(7),
        last_used: Some(after(8)),
        ..token.clone()
    };
    let write = Revision::new(&token, update.clone());
    assert_eq!(world.store.update_api_token(write).await.unwrap(), Conditional::Now);
    let expected = ApiToken {
        hash: token.hash,
        assigned_user_id: token.assigned_user_id,
        last_used: None,
        ..update
    };
    assert_same(world.store.find_api_token(token.id).await.unwrap(), &expected);
    let record = ChangedRecord::ApiToken(token.id);
    assert_eq!(world.changes().await, [(1, record)]);
}

/// A token that was switched off in between does not come back to life. Uses are no versions.
pub async fn an_update_decided_on_an_older_version_of_an_api_token_writes_nothing(
    store: Arc<dyn Store>,
) {
    let world = World::new(store);
    let user = world.user().await;
    let before = world.new_api_token(user.id, user.id).await;
    let id = before.id;
    world.store.insert_api_token(before.clone(), 9).await.unwrap();
    let used = ApiTokenUse { id, used_at: after(5) };
    world.store.record_api_token_uses(vec![used]).await.unwrap();
    let off = ApiToken { status: ApiTokenStatus::Inactive, ..before.clone() };
    let write = Revision::new(&before, off);
    assert_eq!(world.store.update_api_token(write.clone()).await.unwrap(), Conditional::Now);
    let described =
        ApiToken { description: "Other".to_owned(), updated_at: after(9), ..before.clone() };
    for late in [Revision::new(&before, described), write.clone()] {
        let updated = world.store.update_api_token(late).await.unwrap();
        assert_eq!(updated, Conditional::Already);
    }
    let expected = ApiToken { last_used: Some(after(5)), ..write.record().clone() };
    assert_same(world.store.find_api_token(id).await.unwrap(), &expected);
    assert_eq!(world.last_number().await, 1);
}

/// Within one millisecond, as long as whoever came second decides again.
pub async fn of_32_concurrent_updates_of_an_api_token_none_is_lost(store: Arc<dyn Store>) {
    let world = World::new(store);
    let user = world.user().await;
    let token = world.new_api_token(user.id, user.id).await;
    let token = ApiToken { description: String::new(), ..token };
    let id = token.id;
    world.store.insert_api_token(token, 9).await.unwrap();
    let lost = thirty_two(|_| {
        let world = Arc::clone(&world);
        async move {
            let mut lost = 0;
            loop {
                let before = world.store.find_api_token(id).await.unwrap().unwrap();
                let description = format!("{}+", before.description);
                let counted = ApiToken { description, ..before.clone() };
                let write = Revision::new(&before, counted);
                match world.store.update_api_token(write).await.unwrap() {
                    Conditional::Now => return lost,
                    Conditional::Already => lost += 1,
                }
            }
        }
    });
    assert!(lost.await.into_iter().all(|lost| lost < 32), "somebody wins each time");
    let found = world.store.find_api_token(id).await.unwrap().unwrap();
    assert_eq!(found.description, "+".repeat(32));
    assert_eq!(world.last_number().await, 32);
}

/// Once, with a change.
pub async fn a_deleted_api_token_is_gone(store: Arc<dyn Store>) {
    let world = World::new(store);
    let user = world.user().await;
    let token = world.new_api_token(user.id, user.id).await;
    world.store.insert_api_token(token.clone(), 9).await.unwrap();
    let deleted = world.store.delete_api_token(token.id).await.unwrap();
    assert_eq!(deleted, Deletion::Done);
    assert!(world.store.find_api_token(token.id).await.unwrap().is_none());
    let again = world.store.delete_api_token(token.id).await.unwrap();
    assert_eq!(again, Deletion::NotFound);
    let record = ChangedRecord::ApiToken(token.id);
    assert_eq!(world.changes().await, [(1, record)]);
}

/// Whatever the order in which uses arrive.
pub async fn the_last_use_of_an_api_token_never_goes_back(store: Arc<dyn Store>) {
    let world = World::new(store);
    let user = world.user().await;
    let token = world.new_api_token(user.id, user.id).await;
    let id: ApiTokenId = token.id;
    world.store.insert_api_token(token, 9).await.unwrap();
    for (used_at, expected) in [(5, 5), (9, 9), (7, 9)] {
        let used = ApiTokenUse { id, used_at: after(used_at) };
        world.store.record_api_token_uses(vec![used]).await.unwrap();
        let found = world.store.find_api_token(id).await.unwrap().unwrap();
        assert_eq!(found.last_used, Some(after(expected)));
    }
    assert_eq!(world.last_number().await, 0);
}
