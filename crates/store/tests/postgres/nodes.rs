//! The changes of several nodes: none is missed, whoever joins, pauses, leaves or comes back.

use std::{sync::Arc, time::Duration};

use tokenry_core::grant_types::refresh_token::Refresh;
use tokenry_postgres_testing::shared;
use tokenry_store::{
    ChangePosition, ChangedRecord, Conditional, NodeNumber, PurgeRequest, PurgeSubject, Store,
    postgres::PostgresStore,
    suite::support::{START, after, thirty_two},
};

use crate::support::{execute, open, query, world};

async fn purge(store: &PostgresStore, kept: u64) -> u32 {
    let (mut removed, mut next) = (0, Some(0));
    while let Some(after) = next {
        let subject = PurgeSubject::Changes { kept };
        let request = PurgeRequest { subject, after, limit: 3, now: START };
        let step = store.purge(request).await.unwrap();
        removed += step.removed;
        next = step.next;
    }
    removed
}

#[tokio::test]
async fn each_process_numbers_its_own_changes_and_reads_all() {
    let url = shared().schema();
    let (one, two) = (open(&url).await, open(&url).await);
    let mut user = world(&one).user().await;
    let reader = open(&url).await;
    let mut seen = reader.last_change().await.unwrap();
    assert_eq!(seen, ChangePosition::START);
    for _ in 0..3 {
        for store in [&one, &two] {
            world(store).rewrite(&mut user).await;
            let changes = reader.list_changes(&seen).await.unwrap();
            assert_eq!(changes.len(), 1);
            assert_eq!(changes[0].record, ChangedRecord::User(user.id));
            seen.advance(changes[0].node, changes[0].number);
        }
    }
    let expected = [(NodeNumber(1), 3), (NodeNumber(2), 3)];
    assert_eq!(seen.iter().collect::<Vec<_>>(), expected);
    assert_eq!(reader.last_change().await.unwrap(), seen);
    // Whoever only reads is no node.
    assert_eq!(query(shared(), &url, "SELECT count(*) FROM nodes"), "2");
}

/// The access token before lives until its end in the memory of whoever does not hear of it.
#[tokio::test]
async fn a_rotation_and_a_renewal_are_told_to_the_others_and_what_came_too_late_is_not() {
    let store = open(&shared().schema()).await;
    let world = world(&store);
    let parties = world.parties().await;
    let (id, issued) = world.grant(&parties, START).await;
    let (presented, _) = issued.refresh_token.unwrap();
    let Refresh::Rotate { write, .. } = world.decide_refresh(&parties, &presented, START).await
    else {
        panic!("the present refresh token is not taken")
    };
    for expected in [Conditional::Now, Conditional::Already] {
        assert_eq!(store.rotate_refresh_token(write.clone()).await.unwrap(), expected);
        assert_eq!(world.changes().await, [(1, ChangedRecord::Token(id))]);
    }
    // The answer was lost, and is given again when the lifetimes have nearly gone by.
    let late = after(9_000);
    let Refresh::Renew { write, .. } = world.decide_refresh(&parties, &presented, late).await
    else {
        panic!("the lifetimes do not begin anew")
    };
    assert_eq!(store.renew_repeat(write).await.unwrap(), Conditional::Now);
    let changes = world.changes().await;
    assert_eq!(changes, [(1, ChangedRecord::Token(id)), (2, ChangedRecord::Token(id))]);
}

/// Each number of a node is seen once, and in its order, while 31 write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_change_of_four_nodes_is_missed() {
    let url = shared().schema();
    let mut stores = Vec::new();
    for _ in 0..4 {
        stores.push(open(&url).await);
    }
    let seen = thirty_two(|number| {
        let store = Arc::clone(&stores[usize::try_from(number % 4).unwrap()]);
        async move {
            let mut user = world(&store).user().await;
            let (mut seen, mut position) = (Vec::new(), ChangePosition::START);
            for _ in 0..20 {
                if number == 0 {
                    for change in store.list_changes(&position).await.unwrap() {
                        assert_eq!(change.number, position.of(change.node) + 1);
                        position.advance(change.node, change.number);
                        seen.push((change.node, change.number));
                    }
                } else {
                    world(&store).rewrite(&mut user).await;
                }
            }
            (number == 0).then_some((seen, position))
        }
    });
    let (mut seen, position) = seen.await.into_iter().flatten().next().unwrap();
    let rest = stores[0].list_changes(&position).await.unwrap();
    seen.extend(rest.iter().map(|change| (change.node, change.number)));
    seen.sort_unstable();
    let node = |node, count| (1..=count).map(move |number| (node, number));
    let counts: Vec<(NodeNumber, u64)> = stores[0].last_change().await.unwrap().iter().collect();
    let expected: Vec<_> =
        counts.iter().flat_map(|(number, count)| node(*number, *count)).collect();
    assert_eq!(seen, expected);
    assert_eq!(expected.len(), 31 * 20);
}

/// A node that leaves many changes does not hide another's.
#[tokio::test]
async fn nodes_take_turns_in_a_list_that_is_full() {
    let url = shared().schema();
    let (busy, other) = (open(&url).await, open(&url).await);
    let mut user = world(&busy).user().await;
    world(&busy).rewrite(&mut user).await;
    world(&other).rewrite(&mut user).await;
    let many = "INSERT INTO changes SELECT 1, n, 'keys', NULL FROM generate_series(2, 3000) AS n; \
        UPDATE nodes SET last_change = 3000 WHERE node = 1";
    execute(shared(), &url, many);
    let changes = other.list_changes(&ChangePosition::START).await.unwrap();
    assert_eq!(changes.len(), 1_000);
    assert!(changes.iter().any(|change| change.node == NodeNumber(2)));
    let of_busy = changes.iter().filter(|change| change.node == NodeNumber(1));
    assert!(of_busy.map(|change| change.number).eq(1..=999));
}

#[tokio::test]
async fn of_each_node_the_last_change_stays_while_it_is_recent() {
    let url = shared().schema();
    let (one, two) = (open(&url).await, open(&url).await);
    let mut user = world(&one).user().await;
    for _ in 0..5 {
        world(&one).rewrite(&mut user).await;
    }
    world(&two).rewrite(&mut user).await;
    assert_eq!(purge(&one, 0).await, 4);
    let left = one.list_changes(&ChangePosition::START).await.unwrap();
    let left: Vec<_> = left.iter().map(|change| (change.node, change.number)).collect();
    assert_eq!(left, [(NodeNumber(2), 1), (NodeNumber(1), 5)]);
}

/// By the database's clock at both ends, whatever those of the nodes say.
#[tokio::test]
async fn a_change_tells_how_long_ago_it_was_left() {
    let url = shared().schema();
    let (one, two) = (open(&url).await, open(&url).await);
    let mut user = world(&one).user().await;
    for _ in 0..3 {
        world(&one).rewrite(&mut user).await;
    }
    let moved = "UPDATE changes SET changed_at = now() - interval '1 hour' WHERE number = 1; \
        UPDATE changes SET changed_at = now() + interval '1 hour' WHERE number = 3";
    execute(shared(), &url, moved);
    let changes = two.list_changes(&ChangePosition::START).await.unwrap();
    let ages: Vec<_> = changes.iter().filter_map(|change| change.age).collect();
    let hour = Duration::from_secs(3_600);
    assert!(ages[0] >= hour && ages[0] < hour * 2, "{ages:?}");
    assert!(ages[1] < hour, "{ages:?}");
    assert_eq!(ages[2], Duration::ZERO);
}

/// As after a failover to a replica that was behind: the node's next numbers were read before, and
/// would be passed over.
#[tokio::test]
async fn a_database_that_is_behind_what_was_read_is_told_and_then_followed_from_where_it_is() {
    let url = shared().schema();
    let (one, two, reader) = (open(&url).await, open(&url).await, open(&url).await);
    let mut user = world(&one).user().await;
    for _ in 0..3 {
        world(&one).rewrite(&mut user).await;
    }
    world(&two).rewrite(&mut user).await;
    let mut position = reader.last_change().await.unwrap();
    assert!(reader.list_changes(&position).await.unwrap().is_empty());
    let back = "DELETE FROM changes WHERE number > 1 OR node = 2; \
        UPDATE nodes SET last_change = 2 - node";
    execute(shared(), &url, back);

    let told = reader.list_changes(&position).await.unwrap();
    let mut found: Vec<_> = told.iter().map(|one| (one.node, one.number, one.record)).collect();
    found.sort_by_key(|(node, ..)| *node);
    let everything = ChangedRecord::Everything;
    assert_eq!(found, [(NodeNumber(1), 1, everything), (NodeNumber(2), 0, everything)]);
    for change in &told {
        position.follow(change);
    }
    assert_eq!(position.iter().collect::<Vec<_>>(), [(NodeNumber(1), 1)]);
    assert!(reader.list_changes(&position).await.unwrap().is_empty());
    world(&one).rewrite(&mut user).await;
    let changes = reader.list_changes(&position).await.unwrap();
    let found: Vec<_> = changes.iter().map(|one| (one.node, one.number, one.record)).collect();
    assert_eq!(found, [(NodeNumber(1), 2, ChangedRecord::User(user.id))]);
}

/// Long gone, and there again nevertheless: under another number, so nobody takes its changes for
/// those they have seen.
#[tokio::test]
async fn a_node_that_was_purged_begins_anew() {
    let url = shared().schema();
    let (paused, other) = (open(&url).await, open(&url).await);
    let mut user = world(&paused).user().await;
    world(&paused).rewrite(&mut user).await;
    world(&other).rewrite(&mut user).await;
    let mut seen = other.last_change().await.unwrap();
    let old = "UPDATE nodes SET changed_at = now() - interval '8 days' WHERE node = 1";
    execute(shared(), &url, old);
    assert_eq!(purge(&other, 100).await, 1);
    assert_eq!(query(shared(), &url, "SELECT node FROM nodes"), "2");

    world(&paused).rewrite(&mut user).await;
    let changes = other.list_changes(&seen).await.unwrap();
    assert_eq!(changes.len(), 1);
    assert_eq!((changes[0].node, changes[0].number), (NodeNumber(3), 1));
    seen.advance(changes[0].node, changes[0].number);
    world(&paused).rewrite(&mut user).await;
    assert_eq!(other.list_changes(&seen).await.unwrap().len(), 1);
}
