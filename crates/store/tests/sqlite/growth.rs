//! The files do not grow for ever.

use std::sync::Arc;

use tokenry_protocol::time::Seconds;
use tokenry_store::{
    PurgeRequest, PurgeSubject, Store,
    suite::support::{World, after, thirty_two},
};

use crate::support::{Folder, world};

/// In these the file becomes as large as it has to be.
const FIRST_ROUNDS: u32 = 8;
const LATER_ROUNDS: u32 = 28;

async fn sweep(store: &dyn Store, subject: PurgeSubject, round: u32) {
    let mut next = Some(0);
    while let Some(position) = next {
        let request =
            PurgeRequest { subject, after: position, limit: 100, now: after(round * 3_600) };
        next = store.purge(request).await.unwrap().next;
    }
}

/// Every hour as many tokens are issued, used for an hour, revoked or forgotten.
async fn hour(world: &Arc<World>, round: u32) {
    let parties = world.parties().await;
    let now = after(round * 3_600);
    thirty_two(|number| {
        let (world, parties) = (Arc::clone(world), parties.clone());
        async move {
            for _ in 0..4 {
                world.code(&parties, now).await;
                world.client_credentials(&parties.client, now).await;
                let (id, answer) = world.grant(&parties, now).await;
                let (presented, _) = answer.refresh_token.unwrap();
                world.rotate(&parties, &presented, now).await;
                if number % 2 == 0 {
                    let token = world.token(id).await;
                    world.revoke(&token, now).await;
                }
            }
        }
    })
    .await;
    let client = parties.client.client();
    world.store.delete_client(client.id, now).await.unwrap();
    world.store.delete_user(client.user_id, now).await.unwrap();
    world.store.delete_user(parties.user.id, now).await.unwrap();
    for subject in [
        PurgeSubject::Tokens { grants_kept: Seconds(0) },
        PurgeSubject::Events { kept: 100 },
        PurgeSubject::Changes { kept: 100 },
        PurgeSubject::Clients,
        PurgeSubject::Users,
    ] {
        sweep(&*world.store, subject, round).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_does_not_grow_while_as_much_is_purged_as_is_issued() {
    let folder = Folder::new();
    let world = world(&folder.open());
    let mut pages = Vec::new();
    for round in 0..FIRST_ROUNDS + LATER_ROUNDS {
        hour(&world, round).await;
        let count: u64 =
            folder.connect().pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        pages.push(count);
    }
    let rows = "SELECT (SELECT count(*) FROM tokens) + (SELECT count(*) FROM clients) \
        + (SELECT count(*) FROM users)";
    let rows: u64 = folder.connect().query_row(rows, [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 0);
    let (settled, last) = (pages[FIRST_ROUNDS as usize - 1], pages.last().unwrap());
    // Who writes before whom decides where pages are split, so a later round may need some more
    // than all before it, once. What is never purged adds to every round: of changes, the smallest
    // rows, that is more than a page in four.
    assert!(*last < settled + u64::from(LATER_ROUNDS / 5), "{pages:?}");
}
