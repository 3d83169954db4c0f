//! What is not copied, and what is not overwritten.

use std::sync::Arc;

use tokenry_protocol::ids::UserId;
use tokenry_store::{
    copy::{CopyError, Progress, Role, Stage},
    suite::support::World,
};

use crate::support::{Installation, Place, changed};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_installation_of_its_own_is_not_overwritten() {
    for target in [Place::sqlite(), Place::postgres()] {
        let source = Place::sqlite();
        Installation::new(&source, 21).await.go_on(&source, 30).await;
        Installation::new(&target, 22).await.go_on(&target, 30).await;
        let witness = Place::sqlite();
        target.copy(&witness).await;
        let before = witness.dump();
        assert!(matches!(source.try_copy(&target).await, Err(CopyError::Foreign)));
        assert_eq!(changed(&target.copy(&witness).await), 0);
        assert_eq!(witness.dump(), before);
        // Nor is one that a copy of another installation has made.
        assert!(matches!(source.try_copy(&witness).await, Err(CopyError::Foreign)));
        target.open().await.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_was_served_is_not_overwritten() {
    for target in [Place::sqlite(), Place::postgres()] {
        let source = Place::sqlite();
        let mut installation = Installation::new(&source, 23).await;
        installation.go_on(&source, 30).await;
        source.copy(&target).await;
        // To look is not to serve.
        target.open().await.close().await;
        assert_eq!(changed(&source.copy(&target).await), 0);
        let opened = target.open().await;
        let world = World::new(opened.store());
        let user = world.user().await;
        opened.close().await;
        installation.go_on(&source, 30).await;
        let refused = source.try_copy(&target).await;
        assert!(matches!(refused, Err(CopyError::Changed { table: "users" })), "{refused:?}");
        let opened = target.open().await;
        let id = UserId::new(user.id.get()).unwrap();
        assert!(opened.store().find_user(id).await.unwrap().is_some());
        opened.close().await;
        // Nor is the source by what has become of its copy.
        assert!(matches!(target.try_copy(&source).await, Err(CopyError::Foreign)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_the_source_has_lost_since_does_not_make_the_target_foreign() {
    let (source, target) = (Place::sqlite(), Place::postgres());
    Installation::new(&source, 24).await.go_on(&source, 10).await;
    source.copy(&target).await;
    source.execute("UPDATE keys SET sealed = NULL; INSERT INTO keys VALUES ('token', 3, x'01', 7)");
    assert!(changed(&source.copy(&target).await) >= 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_holds_no_installation_is_not_copied() {
    let (empty, target) = (Place::sqlite(), Place::postgres());
    let missing = empty.side(Role::Source).await.unwrap_err().to_string();
    assert!(missing.contains("there is no such file"), "{missing}");
    assert!(!empty.file().exists());
    let missing = target.side(Role::Source).await.unwrap_err().to_string();
    assert!(missing.contains("there is no installation in it"), "{missing}");
    empty.open().await.close().await;
    assert!(matches!(empty.try_copy(&target).await, Err(CopyError::NoInstallation)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_with_nodes_on_it_is_neither_read_nor_written() {
    let (source, target) = (Place::sqlite(), Place::postgres());
    Installation::new(&source, 25).await.go_on(&source, 10).await;
    source.copy(&target).await;
    let node = target.open().await;
    // A node has a connection open, always.
    node.store().check().await.unwrap();
    for role in [Role::Source, Role::Target] {
        let refused = target.side(role).await.unwrap_err();
        let is_served =
            matches!(refused, CopyError::Served { side, connections: 1.., .. } if side == role);
        assert!(is_served, "{refused}");
    }
    node.close().await;
    target.side(Role::Source).await.unwrap();
}

/// The last look would be worth nothing if it could not say no.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_is_not_as_it_should_be_is_found_at_the_end() {
    for (target, change, table, first) in [
        (
            Place::sqlite(),
            "UPDATE tokens SET hash = x'00' WHERE id = (SELECT max(id) FROM tokens)",
            "tokens",
            None,
        ),
        (Place::sqlite(), "DELETE FROM users WHERE id = 1", "users", Some("1")),
        (
            Place::postgres(),
            "INSERT INTO keys VALUES ('cursor', 9, 'x', 1)",
            "keys",
            Some("cursor 9"),
        ),
        (
            Place::postgres(),
            "UPDATE token_uses SET used_rotation = used_rotation + 1",
            "token_uses",
            None,
        ),
    ] {
        let source = Place::sqlite();
        Installation::new(&source, 26).await.go_on(&source, 60).await;
        let (side, other) =
            (source.side(Role::Source).await.unwrap(), target.side(Role::Target).await.unwrap());
        let target = Arc::new(target);
        let meddled = Arc::clone(&target);
        let progress = Progress::new(move |moment| {
            if moment.stage == Stage::Verify && moment.done == 0 {
                meddled.execute(&format!("{}{change}", unchecked(&meddled)));
            }
        });
        let told = tokenry_store::copy::copy(&side, &other, &progress).await;
        drop((side, other));
        match told {
            Err(CopyError::Differs { table: found, first: at }) => {
                assert_eq!(found, table);
                assert!(first.is_none_or(|first| first == at), "{at}");
            }
            other => panic!("{other:?}"),
        }
        assert!(target.try_open().await.is_err());
        let again = source.try_copy(&target).await;
        if table == "keys" {
            // A key that the source never had: that is no copy of it any more.
            assert!(matches!(again, Err(CopyError::Foreign)), "{again:?}");
        } else {
            assert!(changed(&again.unwrap()) >= 1);
            target.open().await.close().await;
        }
    }
}

fn unchecked(place: &Place) -> &'static str {
    match place {
        Place::Sqlite(_) => "PRAGMA foreign_keys = off; ",
        Place::Postgres(_) => "",
    }
}
