//! What is copied is the same, on either engine and back.

use tokenry_core::refusal::Refusal;
use tokenry_protocol::{
    ids::{ClientId, TokenId, UserId},
    secret::Kind,
};
use tokenry_store::{
    IdSequence, Page, PageRequest, Store, TokenFilter, Window,
    suite::support::{START, assert_same},
};

use crate::support::{Installation, Place, amounts};

/// Installations, and steps of each.
const ROUNDS: u64 = 8;
const STEPS: u32 = 120;

/// So many that blocks of listings are full.
const MANY: u32 = 20_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_installation_comes_back_from_the_other_engine_as_it_was() {
    for seed in 0..ROUNDS {
        let (first, second, third) = (Place::sqlite(), Place::postgres(), Place::sqlite());
        let mut installation = Installation::new(&first, seed).await;
        installation.go_on(&first, STEPS).await;
        let there = first.copy(&second).await;
        let back = second.copy(&third).await;
        assert_eq!(amounts(&there), amounts(&back), "seed {seed}");
        assert_eq!(first.dump(), third.dump(), "seed {seed}");
        // Within one engine as well.
        let (other, fourth) = (Place::postgres(), Place::sqlite());
        assert_eq!(amounts(&second.copy(&other).await), amounts(&there), "seed {seed}");
        assert_eq!(amounts(&third.copy(&fourth).await), amounts(&there), "seed {seed}");
    }
}

/// As the server sees it, which knows nothing of copies.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_finds_in_a_copy_what_it_finds_in_the_source() {
    let (first, second) = (Place::sqlite(), Place::postgres());
    Installation::new(&first, 77).await.go_on(&first, 300).await;
    first.copy(&second).await;
    let (one, other) = (first.open().await, second.open().await);
    assert_alike(&*one.store(), &*other.store()).await;
}

async fn assert_alike(one: &dyn Store, other: &dyn Store) {
    assert_eq!(one.list_keys().await.unwrap(), other.list_keys().await.unwrap());
    let (mut found, mut refused) = (0, 0);
    for id in 1..400 {
        let token = TokenId::new(id).unwrap();
        let tokens = (one.find_token(token).await.unwrap(), other.find_token(token).await.unwrap());
        match &tokens {
            (Some(one), Some(other)) => assert_same(one, other),
            (None, None) => {}
            _ => panic!("{id} is there once"),
        }
        found += u32::from(tokens.0.is_some());
        let events = one.list_events(token).await.unwrap();
        assert_eq!(format!("{events:?}"), format!("{:?}", other.list_events(token).await.unwrap()));
        let refusals = one.list_refusals(id).await.unwrap();
        assert_eq!(refusals, other.list_refusals(id).await.unwrap());
        refused += refusals.len();
        let user = UserId::new(id).unwrap();
        let users = (one.find_user(user).await.unwrap(), other.find_user(user).await.unwrap());
        assert_eq!(format!("{:?}", users.0), format!("{:?}", users.1));
        let client = ClientId::new(id).unwrap();
        let ours = one.find_client(client).await.unwrap();
        let theirs = other.find_client(client).await.unwrap();
        assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
    }
    assert!(found > 50 && refused > 10, "{found} {refused}");
    let api_tokens = (one.list_api_tokens().await.unwrap(), other.list_api_tokens().await.unwrap());
    assert_eq!(format!("{:?}", api_tokens.0), format!("{:?}", api_tokens.1));
}

/// The longest page that a server asks for.
async fn listed(store: &dyn Store, user: u64, after: u64) -> Page<tokenry_core::grant::Token> {
    let filter = TokenFilter { user: UserId::new(user).ok(), ..TokenFilter::default() };
    let page = PageRequest { window: Window::After(after), limit: 100 };
    store.list_tokens(filter, page, START).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_into_a_file_lists_every_token() {
    let (first, second, third) = (Place::sqlite(), Place::postgres(), Place::sqlite());
    Installation::new(&first, 3).await.go_on(&first, 20).await;
    // With gaps, and of two users in turns.
    first.execute(&format!(
        "WITH RECURSIVE number (id) AS \
         (SELECT 1 UNION ALL SELECT id + 1 FROM number WHERE id < {MANY}) \
         INSERT INTO tokens (id, client_id, user_id, origin, rotation, created_at, granted, hash, \
         issued_at) SELECT 1000 + id * 3, 1, 1 + id % 2, 2, 1, 0, 'read', zeroblob(32), 0 \
         FROM number"
    ));
    first.copy(&second).await;
    for _ in 0..2 {
        second.copy(&third).await;
        let opened = third.open().await;
        let mut after = 1_000;
        let mut count = 0;
        loop {
            let page = listed(&*opened.store(), 2, after).await;
            count += page.items.len();
            match page.items.last() {
                Some(last) => after = last.id.get(),
                None => break,
            }
        }
        opened.close().await;
        assert_eq!(count, 10_000);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_gives_no_id_that_the_source_has_given() {
    for (first, second) in
        [(Place::sqlite(), Place::postgres()), (Place::postgres(), Place::sqlite())]
    {
        Installation::new(&first, 5).await.go_on(&first, 60).await;
        let opened = first.open().await;
        let mut next = Vec::new();
        for sequence in SEQUENCES {
            next.push(*opened.store().lease_ids(sequence, 500).await.unwrap().end());
        }
        opened.close().await;
        first.copy(&second).await;
        let opened = second.open().await;
        for (sequence, last) in SEQUENCES.into_iter().zip(next) {
            let leased = opened.store().lease_ids(sequence, 1).await.unwrap();
            assert_eq!(*leased.start(), last + 1, "{sequence:?}");
        }
        // Events have ids as well, which would be in the way of those that were copied.
        let world = tokenry_store::suite::support::World::new(opened.store());
        let parties = world.parties().await;
        for _ in 0..100 {
            let token = world.created(&parties, "read", START).await;
            world.revoke(&token, START).await;
            assert_eq!(world.store.list_events(token.id).await.unwrap().len(), 1);
            // And so have refusals.
            let refusal = Refusal {
                kind: Kind::RefreshToken,
                id: token.id.get(),
                at: START,
                reason: "expired".into(),
                place: "GET /".into(),
            };
            world.store.record_refusals(vec![refusal.clone()]).await.unwrap();
            assert_eq!(world.store.list_refusals(refusal.id).await.unwrap(), [refusal]);
        }
    }
}

const SEQUENCES: [IdSequence; 5] = [
    IdSequence::Tokens,
    IdSequence::Clients,
    IdSequence::Users,
    IdSequence::ApiTokens,
    IdSequence::SignInSessions,
];
