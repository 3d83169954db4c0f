//! Clients.

use std::sync::Arc;

use tokenry_core::{
    client::{Client, ClientRole, ClientSecret, ClientStatus},
    revision::Revision,
};
use tokenry_protocol::{
    ids::{ClientId, ClientIdentifier, UserId},
    oauth::token::GrantType,
    redirect_uri::{ClientKind, RedirectUri},
    time::Seconds,
};

use super::support::{ALL, START, World, after, scope, thirty_two};
use crate::{
    ChangedRecord, ClientFilter, ClientUpdate, Deletion, Insertion, PageRequest, Store,
    TokenFilter, Tombstone, Window,
};

fn assert_same(found: Option<Client>, expected: &Client) {
    let found = found.unwrap();
    assert_eq!(format!("{found:?}"), format!("{expected:?}"));
    let hash = |client: &Client| match client.authentication {
        ClientSecret::Public => None,
        ClientSecret::Confidential { hash, .. } => Some(*hash.as_bytes()),
    };
    assert_eq!(hash(&found), hash(expected));
}

/// A client of whom every field says something.
fn full(client: Client) -> Client {
    let address = |text| RedirectUri::parse(text, ClientKind::Public).unwrap();
    Client {
        redirect_uris: vec![
            address("https://a.test/cb?x='1'&y=%22;--"),
            address("com.acme.app:/cb"),
        ],
        company: Some("Acme\n& Söhne".to_owned()),
        description: Some(String::new()),
        logo_url: Some("https://a.test/logo.svg".to_owned()),
        allowed_scope: Some(scope("write tickets:read")),
        status: ClientStatus::Disabled,
        role: ClientRole::ResourceServer,
        grant_types: Some(vec![GrantType::RefreshToken, GrantType::AuthorizationCode]),
        access_token_lifetime_max: Some(Seconds(300)),
        refresh_token_lifetime_max: Some(Seconds(604_800)),
        retry_window: Some(Seconds(0)),
        updated_at: after(2),
        ..client
    }
}

/// Every field, set and unset.
pub async fn a_client_comes_back_with_every_field(store: Arc<dyn Store>) {
    let world = World::new(store);
    let owner = world.user().await;
    let (plain, _) = world.new_client(owner.id).await;
    let (rich, _) = world.new_client(owner.id).await;
    let (public, _) = world.new_client(owner.id).await;
    let none = Client {
        authentication: ClientSecret::Public,
        redirect_uris: Vec::new(),
        grant_types: Some(Vec::new()),
        ..public
    };
    for client in [plain, full(rich), none] {
        let inserted = world.store.insert_client(client.clone()).await.unwrap();
        assert_eq!(inserted, Insertion::Done);
        assert_same(world.store.find_client(client.id).await.unwrap(), &client);
        let by_name = world.store.find_client_by_identifier(&client.identifier);
        assert_same(by_name.await.unwrap(), &client);
    }
    assert_eq!(world.last_number().await, 0);
}

/// Not an error.
pub async fn a_client_that_is_not_there_is_none(store: Arc<dyn Store>) {
    let world = World::new(store);
    let owner = world.user().await;
    let (nobody, _) = world.new_client(owner.id).await;
    assert!(world.store.find_client(nobody.id).await.unwrap().is_none());
    let by_name = world.store.find_client_by_identifier(&nobody.identifier);
    assert!(by_name.await.unwrap().is_none());
    let write = Revision::new(&nobody, nobody.clone());
    assert_eq!(world.store.update_client(write).await.unwrap(), ClientUpdate::Already);
    let deleted = world.store.delete_client(nobody.id, START).await.unwrap();
    assert_eq!(deleted, Deletion::NotFound);
    assert_eq!(world.last_number().await, 0);
}

/// Unique whatever the case, but named in its own case only.
pub async fn an_identifier_is_taken_in_every_case_and_found_in_its_own(store: Arc<dyn Store>) {
    let world = World::new(store);
    let owner = world.user().await;
    let first = world.client(owner.id).await;
    let shouted = first.client().identifier.as_str().to_uppercase();
    let shouted = ClientIdentifier::parse(&shouted).unwrap();
    let by_name = world.store.find_client_by_identifier(&shouted).await.unwrap();
    assert!(by_name.is_none());
    let (second, _) = world.new_client(owner.id).await;
    let second = Client { identifier: shouted, ..second };
    let inserted = world.store.insert_client(second).await.unwrap();
    assert_eq!(inserted, Insertion::Duplicate);
}

/// Exactly one.
pub async fn of_32_clients_with_one_identifier_one_is_there(store: Arc<dyn Store>) {
    let world = World::new(store);
    let owner = world.user().await.id;
    let inserted = thirty_two(|_| {
        let world = Arc::clone(&world);
        async move {
            let (client, _) = world.new_client(owner).await;
            let client =
                Client { identifier: ClientIdentifier::parse("the_one").unwrap(), ..client };
            world.store.insert_client(client).await.unwrap()
        }
    });
    let inserted = inserted.await;
    let done = inserted.iter().filter(|one| **one == Insertion::Done);
    assert_eq!(done.count(), 1);
    assert_eq!(world.store.count_clients(ClientFilter::default(), 99).await.unwrap(), 1);
}

/// Nobody could answer for it.
pub async fn a_client_needs_an_owner_who_is_there(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (gone, owner) = (world.user().await, world.user().await);
    world.store.delete_user(gone.id, START).await.unwrap();
    let nobody = UserId::new(99).unwrap();
    for id in [gone.id, nobody] {
        let (client, _) = world.new_client(id).await;
        let inserted = world.store.insert_client(client).await.unwrap();
        assert_eq!(inserted, Insertion::OwnerGone);
        let client = world.client(owner.id).await;
        let given_away = Client { user_id: id, ..client.client().clone() };
        let write = Revision::new(client.client(), given_away);
        assert_eq!(world.store.update_client(write).await.unwrap(), ClientUpdate::OwnerGone);
    }
}

/// Whichever comes first, no client is left without its owner.
pub async fn a_client_and_the_end_of_its_owner_never_both_succeed(store: Arc<dyn Store>) {
    let world = World::new(store);
    for _ in 0..8 {
        let owner = world.user().await;
        let (client, _) = world.new_client(owner.id).await;
        let (inserted, deleted) = tokio::join!(
            world.store.insert_client(client),
            world.store.delete_user(owner.id, START)
        );
        let is_there = inserted.unwrap() == Insertion::Done;
        let is_gone = deleted.unwrap() == crate::UserDeletion::Done;
        assert_ne!(is_there, is_gone);
    }
}

/// And nothing of another client.
pub async fn an_update_of_a_client_replaces_what_may_change_and_leaves_a_change(
    store: Arc<dyn Store>,
) {
    let world = World::new(store);
    let (owner, heir) = (world.user().await, world.user().await);
    let (client, other) = (world.client(owner.id).await, world.client(owner.id).await);
    let update = Client {
        identifier: ClientIdentifier::parse("Renamed").unwrap(),
        name: "Renamed".to_owned(),
        user_id: heir.id,
        authentication: ClientSecret::Confidential { hash: world.hash(), generation: 1 },
        ..full(client.client().clone())
    };
    let write = Revision::new(client.client(), update.clone());
    assert_eq!(world.store.update_client(write).await.unwrap(), ClientUpdate::Done);
    assert_same(world.store.find_client(update.id).await.unwrap(), &update);
    let record = ChangedRecord::Client(update.id);
    assert_eq!(world.changes().await, [(1, record)]);

    let taken = Client {
        identifier: ClientIdentifier::parse("RENAMED").unwrap(),
        ..other.client().clone()
    };
    let write = Revision::new(other.client(), taken);
    assert_eq!(world.store.update_client(write).await.unwrap(), ClientUpdate::Duplicate);
    let found = world.store.find_client(other.client().id).await.unwrap();
    assert_same(found, other.client());
    assert_eq!(world.last_number().await, 1);
}

/// A secret that was replaced in between does not return.
pub async fn an_update_decided_on_an_older_version_of_a_client_writes_nothing(
    store: Arc<dyn Store>,
) {
    let world = World::new(store);
    let owner = world.user().await;
    let before = world.client(owner.id).await.client().clone();
    let secret = ClientSecret::Confidential { hash: world.hash(), generation: 1 };
    let replaced = Client { authentication: secret, ..before.clone() };
    let write = Revision::new(&before, replaced);
    assert_eq!(world.store.update_client(write.clone()).await.unwrap(), ClientUpdate::Done);
    let late = [Revision::new(&before, full(before.clone())), write.clone()];
    for late in late {
        assert_eq!(world.store.update_client(late).await.unwrap(), ClientUpdate::Already);
    }
    assert_same(world.store.find_client(before.id).await.unwrap(), write.record());
    assert_eq!(world.last_number().await, 1);
}

/// Neither its owner nor its identifier need be what would be written if it was decided again.
pub async fn of_an_older_version_of_a_client_nothing_else_is_told(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (gone, owner) = (world.user().await, world.user().await);
    let other = world.client(owner.id).await;
    let before = world.client(gone.id).await.client().clone();
    let given_away = Client { user_id: owner.id, ..before.clone() };
    let write = Revision::new(&before, given_away);
    assert_eq!(world.store.update_client(write).await.unwrap(), ClientUpdate::Done);
    world.store.delete_user(gone.id, START).await.unwrap();
    let identifier = other.client().identifier.clone();
    let taken = Client { identifier, user_id: owner.id, ..before.clone() };
    for late in [before.clone(), taken] {
        let write = Revision::new(&before, late);
        assert_eq!(world.store.update_client(write).await.unwrap(), ClientUpdate::Already);
    }
}

/// Within one millisecond, as long as whoever came second decides again.
pub async fn of_32_concurrent_updates_of_a_client_none_is_lost(store: Arc<dyn Store>) {
    let world = World::new(store);
    let owner = world.user().await;
    let id = world.client(owner.id).await.client().id;
    let lost = thirty_two(|_| {
        let world = Arc::clone(&world);
        async move {
            let mut lost = 0;
            loop {
                let before = world.store.find_client(id).await.unwrap().unwrap();
                let company = format!("{}+", before.company.as_deref().unwrap_or_default());
                let counted = Client { company: Some(company), ..before.clone() };
                let write = Revision::new(&before, counted);
                match world.store.update_client(write).await.unwrap() {
                    ClientUpdate::Done => return lost,
                    ClientUpdate::Already => lost += 1,
                    refused => panic!("{refused:?}"),
                }
            }
        }
    });
    assert!(lost.await.into_iter().all(|lost| lost < 32), "somebody wins each time");
    let found = world.store.find_client(id).await.unwrap().unwrap();
    assert_eq!(found.company, Some("+".repeat(32)));
    assert_eq!(world.last_number().await, 32);
}

/// Until it is purged.
pub async fn of_a_deleted_client_its_name_and_its_end_are_left(store: Arc<dyn Store>) {
    let world = World::new(store);
    let client = world.parties().await.client.client().clone();
    assert_eq!(world.store.find_deleted_client(client.id).await.unwrap(), None);
    world.store.delete_client(client.id, after(7)).await.unwrap();
    let left = world.store.find_deleted_client(client.id).await.unwrap();
    assert_eq!(left, Some(Tombstone { name: client.name, deleted_at: after(7) }));
}

/// At once, and another may take the identifier.
pub async fn a_deleted_client_is_gone_with_its_tokens_and_its_identifier_is_free(
    store: Arc<dyn Store>,
) {
    let world = World::new(store);
    let parties = world.parties().await;
    let client = parties.client.client().clone();
    let (id, _) = world.grant(&parties, START).await;
    let deleted = world.store.delete_client(client.id, START).await.unwrap();
    assert_eq!(deleted, Deletion::Done);
    assert!(world.store.find_client(client.id).await.unwrap().is_none());
    let by_name = world.store.find_client_by_identifier(&client.identifier);
    assert!(by_name.await.unwrap().is_none());
    let listed = world.store.list_clients(ClientFilter::default(), ALL).await.unwrap();
    assert!(listed.items.is_empty());
    assert_eq!(world.store.count_clients(ClientFilter::default(), 9).await.unwrap(), 0);
    assert!(world.listed(TokenFilter::default(), START).await.is_empty());
    assert_eq!(world.token(id).await.client_id, client.id);
    let again = world.store.delete_client(client.id, START).await.unwrap();
    assert_eq!(again, Deletion::NotFound);
    let write = Revision::new(&client, client.clone());
    assert_eq!(world.store.update_client(write).await.unwrap(), ClientUpdate::Already);
    let record = ChangedRecord::Client(client.id);
    assert_eq!(world.changes().await, [(1, record)]);

    let (successor, _) = world.new_client(client.user_id).await;
    let successor = Client { identifier: client.identifier.clone(), ..successor };
    let inserted = world.store.insert_client(successor.clone()).await.unwrap();
    assert_eq!(inserted, Insertion::Done);
    let by_name = world.store.find_client_by_identifier(&client.identifier);
    assert_same(by_name.await.unwrap(), &successor);
}

/// In the order of id, forwards and backwards, all or of one owner.
pub async fn clients_are_listed_in_pages(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (one, two) = (world.user().await, world.user().await);
    let mut theirs = Vec::new();
    for number in 0..7 {
        let owner = if number % 2 == 0 { one.id } else { two.id };
        theirs.push((world.client(owner).await.client().id.get(), owner));
    }
    let all: Vec<u64> = theirs.iter().map(|(id, _)| *id).collect();
    let of_two: Vec<u64> =
        theirs.iter().filter(|(_, owner)| *owner == two.id).map(|(id, _)| *id).collect();
    let page = async |owner, window, limit| {
        let request = PageRequest { window, limit };
        let filter = ClientFilter { owner, ..ClientFilter::default() };
        let page = world.store.list_clients(filter, request).await.unwrap();
        let ids: Vec<u64> = page.items.iter().map(|client| client.id.get()).collect();
        (ids, page.has_more)
    };
    assert_eq!(page(None, Window::After(0), 100).await, (all.clone(), false));
    assert_eq!(page(None, Window::After(0), 7).await, (all.clone(), false));
    assert_eq!(page(None, Window::After(0), 3).await, (all[..3].to_vec(), true));
    assert_eq!(page(None, Window::After(all[2]), 3).await, (all[3..6].to_vec(), true));
    assert_eq!(page(None, Window::After(all[5]), 3).await, (all[6..].to_vec(), false));
    assert_eq!(page(None, Window::Before(all[6]), 3).await, (all[3..6].to_vec(), true));
    assert_eq!(page(None, Window::Before(all[3]), 3).await, (all[..3].to_vec(), false));
    assert_eq!(page(None, Window::Before(u64::MAX), 2).await, (all[5..].to_vec(), true));
    assert_eq!(page(None, Window::Offset(5), 5).await, (all[5..].to_vec(), false));
    assert_eq!(page(None, Window::Offset(9), 5).await, (vec![], false));
    assert_eq!(page(Some(two.id), Window::After(0), 2).await, (of_two[..2].to_vec(), true));
    assert_eq!(page(Some(two.id), Window::Offset(2), 2).await, (of_two[2..].to_vec(), false));
    assert_eq!(world.store.count_clients(ClientFilter::default(), 5).await.unwrap(), 5);
    assert_eq!(world.store.count_clients(ClientFilter::default(), 99).await.unwrap(), 7);
    let filter = ClientFilter { owner: Some(two.id), ..ClientFilter::default() };
    assert_eq!(world.store.count_clients(filter, 99).await.unwrap(), 3);
}

/// Pages are as long as they would be if the others were not there.
pub async fn clients_are_listed_without_some(store: Arc<dyn Store>) {
    let world = World::new(store);
    let (one, two) = (world.user().await, world.user().await);
    let mut ids = Vec::new();
    for owner in [one.id, two.id, one.id, two.id, one.id] {
        ids.push(world.client(owner).await.client().id);
    }
    let nobodys = ClientId::new(9_001).unwrap();
    for (owner, except, expected) in [
        (None, vec![], vec![0, 1, 2, 3, 4]),
        (None, vec![ids[0], ids[3], nobodys], vec![1, 2, 4]),
        (Some(one.id), vec![ids[2]], vec![0, 4]),
        (Some(two.id), vec![ids[2]], vec![1, 3]),
        (None, ids.clone(), vec![]),
    ] {
        let expected: Vec<ClientId> = expected.into_iter().map(|at: usize| ids[at]).collect();
        let filter = ClientFilter { owner, except };
        for (window, is_backwards) in [
            (Window::After(0), false),
            (Window::Offset(0), false),
            (Window::Before(u64::MAX), true),
        ] {
            let request = PageRequest { window, limit: 2 };
            let page = world.store.list_clients(filter.clone(), request).await.unwrap();
            let start = if is_backwards { expected.len().saturating_sub(2) } else { 0 };
            let there: Vec<ClientId> = page.items.iter().map(|client| client.id).collect();
            let part: Vec<ClientId> = expected.iter().copied().skip(start).take(2).collect();
            assert_eq!((there, page.has_more), (part, expected.len() > 2));
        }
        let count = world.store.count_clients(filter, 99).await.unwrap();
        assert_eq!(usize::try_from(count).unwrap(), expected.len());
    }
}
