//! Beginning again from what a store held at one moment.

use std::sync::Arc;

use tokenry_store::{
    Conditional, StoreError, TokenFilter,
    sqlite::{SqliteStore, StoreOptions},
    suite::support::{START, assert_same},
};

use crate::support::{Folder, world};

fn memory() -> Arc<SqliteStore> {
    Arc::new(SqliteStore::in_memory().unwrap())
}

/// As often as one likes, and no copy sees what the others do.
#[tokio::test]
async fn a_store_begins_as_another_was_at_the_moment_of_the_image() {
    let store = memory();
    let origin = world(&store);
    let parties = origin.parties().await;
    let (id, _) = origin.grant(&parties, START).await;
    let token = origin.token(id).await;
    let image = store.image().await.unwrap();
    assert_eq!(origin.revoke(&token, START).await, Conditional::Now);

    for _ in 0..3 {
        let again = Arc::new(SqliteStore::in_memory_from(&image).unwrap());
        let copy = world(&again);
        assert_same(&copy.token(id).await, &token);
        assert_eq!(copy.listed(TokenFilter::default(), START).await, [id]);
        assert_eq!(copy.revoke(&token, START).await, Conditional::Now);
    }
    assert!(origin.listed(TokenFilter::default(), START).await.is_empty());
}

/// Those who ask at once get what was acknowledged before they asked, each.
#[tokio::test]
async fn of_32_images_asked_for_at_once_each_holds_what_was_acknowledged() {
    let store = memory();
    let origin = world(&store);
    let parties = origin.parties().await;
    let (id, _) = origin.grant(&parties, START).await;
    let asked: Vec<_> = (0..32)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.image().await })
        })
        .collect();
    for image in asked {
        let image = image.await.unwrap().unwrap();
        let copy = world(&Arc::new(SqliteStore::in_memory_from(&image).unwrap()));
        assert_eq!(copy.listed(TokenFilter::default(), START).await, [id]);
    }
}

#[tokio::test]
async fn an_image_is_written_over_a_file_and_taken_of_one() {
    let store = memory();
    let origin = world(&store);
    let parties = origin.parties().await;
    let (id, _) = origin.grant(&parties, START).await;
    let image = store.image().await.unwrap();

    let folder = Folder::new();
    for _ in 0..2 {
        image.write(&folder.database()).unwrap();
        let file = folder.open();
        let on_disk = world(&file);
        assert_eq!(on_disk.listed(TokenFilter::default(), START).await, [id]);
        let (second, _) = on_disk.grant(&parties, START).await;
        let of_file = file.image().await.unwrap();
        file.close().await;
        let options = StoreOptions::default();
        assert!(folder.open_with(options).image().await.is_ok());
        let copy = world(&Arc::new(SqliteStore::in_memory_from(&of_file).unwrap()));
        assert_eq!(copy.listed(TokenFilter::default(), START).await, [id, second]);
    }
}

#[tokio::test]
async fn a_closed_store_gives_no_image() {
    let store = memory();
    store.close().await;
    assert!(matches!(store.image().await, Err(StoreError::Unavailable(_))));
}
