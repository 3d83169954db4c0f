//! Users.

use std::sync::Arc;

use tokenry_core::{
    revision::Revision,
    user::{Role, User, fold_email},
};

use super::support::{START, World, after, thirty_two};
use crate::{
    ChangedRecord, Conditional, Deletion, Insertion, PageRequest, Store, TokenFilter, Tombstone,
    UserDeletion, UserFilter, Window,
};

fn assert_same(found: Option<User>, expected: &User) {
    assert_eq!(format!("{:?}", found.unwrap()), format!("{expected:?}"));
}

/// Every field, times to the millisecond.
pub async fn a_user_comes_back_with_every_field(store: Arc<dyn Store>) {
    let world = World::new(store);
    for role in Role::ALL {
        let plain = world.new_user().await;
        let user = User {
            role,
            password_hash: (role == Role::Admin).then(|| "$argon2id$x".to_owned()),
            verified: role != Role::Agent,
            suspended: role == Role::Agent,
            name: "Žofie 'O''Neil'\u{0}\u{1F600}".to_owned(),
            ..plain
        };
        let inserted = world.store.insert_user(user.clone()).await.unwrap();
        assert_eq!(inserted, Insertion::Done);
        assert_same(world.store.find_user(user.id).await.unwrap(), &user);
        let folded = fold_email(&user.email);
        let by_email = world.store.find_user_by_email(&folded).await.unwrap();
        assert_same(by_email, &user);
    }
}

/// Not an error.
pub async fn a_user_who_is_not_there_is_none(store: Arc<dyn Store>) {
    let world = World::new(store);
    let nobody = world.new_user().await;
    assert!(world.store.find_user(nobody.id).await.unwrap().is_none());
    let by_email = world.store.find_user_by_email("nobody@example.test").await;
    assert!(by_email.unwrap().is_none());
    let write = Revision::new(&nobody, nobody.clone());
    assert_eq!(world.store.update_user(write).await.unwrap(), Conditional::Already);
    let deleted = world.store.delete_user(nobody.id, START).await.unwrap();
    assert_eq!(deleted, UserDeletion::NotFound);
    assert_eq!(world.last_number().await, 0);
}

/// From the first user to the end of the last one.
pub async fn there_are_users_while_one_is_not_deleted(store: Arc<dyn Store>) {
    let world = World::new(store);
    assert!(!world.store.has_users().await.unwrap());
    let user = world.user().await;
    assert!(world.store.has_users().await.unwrap());
    world.store.delete_user(user.id, START).await.unwrap();
    assert!(!world.store.has_users().await.unwrap());
}

/// In any spelling that folds to the same.
pub async fn an_address_is_taken_once_in_every_spelling(store: Arc<dyn Store>) {
    let world = World::new(store);
    let first = world.user().await;
    for email in [first.email.to_uppercase(), format!(" {} ", first.email)] {
        let second = User { email, ..world.new_user().await };
        let inserted = world.store.insert_user(second.clone()).await.unwrap();
        assert_eq!(inserted, Insertion::Duplicate);
        assert!(world.store.find_user(second.id).await.unwrap().is_none());
    }
}

/// Exactly one, and the others are told.
pub async fn of_32_who_take_one_address_one_gets_it(store: Arc<dyn Store>) {
    let world = World::new(store);
    let inserted = thirty_two(|number| {
        let world = Arc::clone(&world);
        async move {
            let user = User {
                email: if number % 2 == 0 { "A@b.test" } else { "a@B.TEST" }.to_owned(),
                ..world.new_user().await
            };
            world.store.insert_user(user).await.unwrap()
        }
    });
    let inserted = inserted.await;
    let done = inserted.iter().filter(|one| **one == Insertion::Done);
    assert_eq!(done.count(), 1);
    assert!(inserted.iter().all(|one| *one != Insertion::OwnerGone));
}

/// In the order of id, without those who are deleted.
pub async fn users_are_listed_in_pages_by_role_and_status(store: Arc<dyn Store>) {
    let world = World::new(store);
    let mut all = Vec::new();
    for number in 0..9 {
        let role = Role::ALL[number % 3];
        let user = User { role, suspended: number >= 6, ..world.new_user().await };
        assert_eq!(world.store.insert_user(user.clone()).await.unwrap(), Insertion::Done);
        all.push(user.id.get());
    }
    let gone = world.user().await;
    world.store.delete_user(gone.id, START).await.unwrap();
    let page = async |filter, window, limit| {
        let request = PageRequest { window, limit };
        let page = world.store.list_users(filter, request).await.unwrap();
        let ids: Vec<u64> = page.items.iter().map(|user| user.id.get()).collect();
        (ids, page.has_more)
    };
    let every = UserFilter::default();
    assert_eq!(page(every, Window::After(0), 100).await, (all.clone(), false));
    assert_eq!(page(every, Window::After(0), 4).await, (all[..4].to_vec(), true));
    assert_eq!(page(every, Window::After(all[3]), 5).await, (all[4..].to_vec(), false));
    assert_eq!(page(every, Window::Before(all[3]), 2).await, (all[1..3].to_vec(), true));
    for (place, role) in Role::ALL.into_iter().enumerate() {
        let of_role = UserFilter { role: Some(role), ..every };
        let expected = vec![all[place], all[place + 3], all[place + 6]];
        assert_eq!(page(of_role, Window::After(0), 3).await, (expected.clone(), false));
        let active = UserFilter { suspended: Some(false), ..of_role };
        assert_eq!(page(active, Window::After(0), 9).await, (expected[..2].to_vec(), false));
        let suspended = UserFilter { suspended: Some(true), ..of_role };
        assert_eq!(page(suspended, Window::After(0), 9).await, (expected[2..].to_vec(), false));
    }
    let found = world.store.list_users(every, PageRequest { window: Window::After(0), limit: 1 });
    let found = found.await.unwrap().items.pop();
    let same = world.store.find_user(found.as_ref().unwrap().id).await.unwrap().unwrap();
    assert_same(found, &same);
}

/// Everything but the id, the address and when the account was made.
pub async fn an_update_of_a_user_replaces_what_may_change_and_leaves_a_change(
    store: Arc<dyn Store>,
) {
    let world = World::new(store);
    let before = world.user().await;
    let update = User {
        name: "Other".to_owned(),
        role: Role::Admin,
        password_hash: None,
        verified: false,
        suspended: true,
        password_epoch: 4,
        updated_at: after(9),
        ..before.clone()
    };
    let write = Revision::new(&before, update.clone());
    assert_eq!(world.store.update_user(write).await.unwrap(), Conditional::Now);
    assert_same(world.store.find_user(before.id).await.unwrap(), &update);
    let record = ChangedRecord::User(before.id);
    assert_eq!(world.changes().await, [(1, record)]);
}

/// Nor is a change left for it.
pub async fn an_update_decided_on_an_older_version_of_a_user_writes_nothing(store: Arc<dyn Store>) {
    let world = World::new(store);
    let before = world.user().await;
    let suspended = User { suspended: true, ..before.clone() };
    let write = Revision::new(&before, suspended);
    assert_eq!(world.store.update_user(write.clone()).await.unwrap(), Conditional::Now);
    let renamed = User { name: "Other".to_owned(), updated_at: after(9), ..before.clone() };
    for late in [Revision::new(&before, renamed), write.clone()] {
        assert_eq!(world.store.update_user(late).await.unwrap(), Conditional::Already);
    }
    assert_same(world.store.find_user(before.id).await.unwrap(), write.record());
    assert_eq!(world.last_number().await, 1);
}

/// Within one millisecond, as long as whoever came second decides again.
pub async fn of_32_concurrent_updates_of_a_user_none_is_lost(store: Arc<dyn Store>) {
    let world = World::new(store);
    let id = world.user().await.id;
    let lost = thirty_two(|_| {
        let world = Arc::clone(&world);
        async move {
            let mut lost = 0;
            loop {
                let before = world.store.find_user(id).await.unwrap().unwrap();
                let password_epoch = before.password_epoch + 1;
                let counted = User { password_epoch, ..before.clone() };
                let write = Revision::new(&before, counted);
                match world.store.update_user(write).await.unwrap() {
                    Conditional::Now => return lost,
                    Conditional::Already => lost += 1,
                }
            }
        }
    });
    assert!(lost.await.into_iter().all(|lost| lost < 32), "somebody wins each time");
    let found = world.store.find_user(id).await.unwrap().unwrap();
    assert_eq!(found.password_epoch, 3 + 32);
    assert_eq!(world.last_number().await, 32);
}

/// A deleted user's name is nobody's business any more.
pub async fn of_a_deleted_user_the_end_is_left_and_no_name(store: Arc<dyn Store>) {
    let world = World::new(store);
    let user = world.user().await;
    assert_eq!(world.store.find_deleted_user(user.id).await.unwrap(), None);
    world.store.delete_user(user.id, after(7)).await.unwrap();
    let left = world.store.find_deleted_user(user.id).await.unwrap();
    assert_eq!(left, Some(Tombstone { name: String::new(), deleted_at: after(7) }));
}

/// For everybody who asks from then on, and another may take the address.
pub async fn a_deleted_user_is_gone_and_the_address_is_free(store: Arc<dyn Store>) {
    let world = World::new(store);
    let user = world.user().await;
    let deleted = world.store.delete_user(user.id, START).await.unwrap();
    assert_eq!(deleted, UserDeletion::Done);
    assert!(world.store.find_user(user.id).await.unwrap().is_none());
    let folded = fold_email(&user.email);
    let by_email = world.store.find_user_by_email(&folded).await.unwrap();
    assert!(by_email.is_none());
    let again = world.store.delete_user(user.id, START).await.unwrap();
    assert_eq!(again, UserDeletion::NotFound);
    let write = Revision::new(&user, user.clone());
    assert_eq!(world.store.update_user(write).await.unwrap(), Conditional::Already);

    let successor = User { email: user.email.clone(), ..world.new_user().await };
    let inserted = world.store.insert_user(successor.clone()).await.unwrap();
    assert_eq!(inserted, Insertion::Done);
    let by_email = world.store.find_user_by_email(&folded).await.unwrap();
    assert_same(by_email, &successor);
    let record = ChangedRecord::User(user.id);
    assert_eq!(world.changes().await, [(1, record)]);
}

/// Until the clients are deleted.
pub async fn a_user_who_owns_clients_stays(store: Arc<dyn Store>) {
    let world = World::new(store);
    let owner = world.user().await;
    let client = world.client(owner.id).await;
    let refused = world.store.delete_user(owner.id, START).await.unwrap();
    assert_eq!(refused, UserDeletion::OwnsClients);
    assert!(world.store.find_user(owner.id).await.unwrap().is_some());
    assert_eq!(world.last_number().await, 0);

    let id = client.client().id;
    let deleted = world.store.delete_client(id, START).await.unwrap();
    assert_eq!(deleted, Deletion::Done);
    let deleted = world.store.delete_user(owner.id, START).await.unwrap();
    assert_eq!(deleted, UserDeletion::Done);
}

/// At once: what is refused is refused by the user's own state.
pub async fn deleting_a_user_ends_what_was_theirs_and_nothing_else(store: Arc<dyn Store>) {
    let world = World::new(store);
    let parties = world.parties().await;
    let (user, other) = (parties.user.clone(), world.user().await);
    let theirs = world.new_api_token(other.id, user.id).await;
    let others = world.new_api_token(user.id, other.id).await;
    for token in [&theirs, &others] {
        world.store.insert_api_token(token.clone(), 9).await.unwrap();
    }
    let session = world.session(&user).await;
    let others_session = world.session(&other).await;
    let (id, _) = world.grant(&parties, START).await;
    let before = world.store.last_change().await.unwrap();

    world.store.delete_user(user.id, after(1)).await.unwrap();

    let left = world.store.list_api_tokens().await.unwrap();
    let left: Vec<_> = left.iter().map(|token| token.id).collect();
    assert_eq!(left, [others.id]);
    let found = world.store.find_sign_in_session(session.id).await.unwrap();
    assert!(found.is_none());
    let found = world.store.find_sign_in_session(others_session.id).await;
    assert!(found.unwrap().is_some());
    assert!(world.listed(TokenFilter::default(), after(1)).await.is_empty());
    assert_eq!(world.token(id).await.user_id, user.id);

    let changes = world.store.list_changes(&before).await.unwrap();
    let changed: Vec<_> = changes.iter().map(|change| change.record).collect();
    assert!(changed.contains(&ChangedRecord::User(user.id)));
    assert!(changed.contains(&ChangedRecord::ApiToken(theirs.id)));
    assert_eq!(changed.len(), 2);
}
