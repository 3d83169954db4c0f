//! Keys, sealed.

use std::sync::Arc;

use super::support::{after, thirty_two};
use crate::{ChangePosition, ChangedRecord, Insertion, KeyPurpose, SealedKey, Store};

fn key(purpose: KeyPurpose, number: u8) -> SealedKey {
    SealedKey {
        purpose,
        number,
        sealed: Some(vec![number, 0, 255]),
        created_at: after(number.into()),
    }
}

/// In the order of purpose and number, each with a change.
pub async fn keys_come_back_as_they_were_kept(store: Arc<dyn Store>) {
    assert!(store.list_keys().await.unwrap().is_empty());
    for (purpose, number) in [
        (KeyPurpose::Token, 2),
        (KeyPurpose::Page, 1),
        (KeyPurpose::Token, 1),
        (KeyPurpose::Cursor, 1),
    ] {
        let inserted = store.insert_key(key(purpose, number)).await.unwrap();
        assert_eq!(inserted, Insertion::Done);
    }
    let mut found = store.list_keys().await.unwrap();
    found.sort_by_key(|key| (key.purpose, key.number));
    let expected = [
        key(KeyPurpose::Token, 1),
        key(KeyPurpose::Token, 2),
        key(KeyPurpose::Cursor, 1),
        key(KeyPurpose::Page, 1),
    ];
    assert_eq!(found, expected);
    let changes = store.list_changes(&ChangePosition::START).await.unwrap();
    assert_eq!(changes.len(), 4);
    assert!(changes.iter().all(|change| change.record == ChangedRecord::Keys));
}

/// Two processes that make the first key at once end with one key.
pub async fn of_32_who_insert_one_key_number_one_succeeds(store: Arc<dyn Store>) {
    let inserted = thirty_two(|number| {
        let store = Arc::clone(&store);
        let sealed = Some(number.to_le_bytes().to_vec());
        let key = SealedKey { sealed, ..key(KeyPurpose::Token, 1) };
        async move { store.insert_key(key).await.unwrap() }
    });
    let inserted = inserted.await;
    let done = inserted.iter().filter(|one| **one == Insertion::Done);
    assert_eq!(done.count(), 1);
    assert_eq!(store.list_keys().await.unwrap().len(), 1);
}

/// A lost key keeps its number, so that nobody mints under it again.
pub async fn replacing_lost_keys_keeps_their_numbers_and_forgets_them(store: Arc<dyn Store>) {
    for number in [1, 2] {
        store.insert_key(key(KeyPurpose::Token, number)).await.unwrap();
    }
    let before = store.last_change().await.unwrap();
    store.replace_lost_keys(vec![key(KeyPurpose::Token, 3)]).await.unwrap();
    let found = store.list_keys().await.unwrap();
    let lost = |number| SealedKey { sealed: None, ..key(KeyPurpose::Token, number) };
    assert_eq!(found, [lost(1), lost(2), key(KeyPurpose::Token, 3)]);
    assert!(!store.list_changes(&before).await.unwrap().is_empty());
}

/// All of it or nothing.
pub async fn replacing_lost_keys_by_a_taken_number_changes_nothing(store: Arc<dyn Store>) {
    store.insert_key(key(KeyPurpose::Token, 1)).await.unwrap();
    let replacements = vec![key(KeyPurpose::Token, 2), key(KeyPurpose::Token, 1)];
    assert!(store.replace_lost_keys(replacements).await.is_err());
    let found = store.list_keys().await.unwrap();
    assert_eq!(found, [key(KeyPurpose::Token, 1)]);
}
