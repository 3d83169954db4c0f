//! When credentials were refused last.

use std::sync::Arc;

use tokenry_core::refusal::Refusal;
use tokenry_protocol::secret::Kind;

use super::support::{after, thirty_two};
use crate::Store;

fn refusal(kind: Kind, id: u64, second: u32) -> Refusal {
    Refusal {
        kind,
        id,
        at: after(second),
        reason: format!("reason {second}").into(),
        place: format!("GET /{second}").into(),
    }
}

/// Of records that are long gone, or never were.
pub async fn a_refusal_comes_back_with_every_field(store: Arc<dyn Store>) {
    let mut expected = Vec::new();
    for (kind, second) in Kind::ALL.into_iter().zip(0..) {
        expected.push(refusal(kind, 7, second));
        store.record_refusals(vec![refusal(kind, 8, second)]).await.unwrap();
    }
    store.record_refusals(expected.iter().rev().cloned().collect()).await.unwrap();
    assert_eq!(store.list_refusals(7).await.unwrap(), expected);
    assert_eq!(store.list_refusals(9).await.unwrap(), []);
}

/// Of several nodes each notes its own, and the latest stands whoever comes last.
pub async fn the_last_refusal_of_a_credential_never_goes_back(store: Arc<dyn Store>) {
    let token = |second| refusal(Kind::AccessToken, 7, second);
    for (noted, expected) in
        [(vec![token(5)], 5), (vec![token(4)], 5), (vec![token(9), token(6)], 9), (vec![], 9)]
    {
        store.record_refusals(noted).await.unwrap();
        assert_eq!(store.list_refusals(7).await.unwrap(), [token(expected)]);
    }
}

/// A flush of many is written whole, those that are there already among them.
pub async fn refusals_are_noted_in_batches_of_any_size(store: Arc<dyn Store>) {
    for (count, second) in [(1_001, 1), (2_500, 2)] {
        let noted = (1..=count).map(|id| refusal(Kind::RefreshToken, id, second));
        store.record_refusals(noted.collect()).await.unwrap();
        for id in [1, 63, 64, 65, 1_000, 1_001, count] {
            let found = store.list_refusals(id).await.unwrap();
            assert_eq!(found, [refusal(Kind::RefreshToken, id, second)], "{id}");
        }
    }
}

/// So that whatever is flushed at once by all nodes ends up in one row a credential.
pub async fn of_32_who_note_the_same_refusals_all_succeed(store: Arc<dyn Store>) {
    thirty_two(|second| {
        let store = Arc::clone(&store);
        async move {
            let ids = (1..=50).map(|id| if second % 2 == 0 { id } else { 51 - id });
            let noted = ids.map(|id| refusal(Kind::AccessToken, id, second)).collect();
            store.record_refusals(noted).await.unwrap();
        }
    })
    .await;
    for id in 1..=50 {
        let expected = [refusal(Kind::AccessToken, id, 31)];
        assert_eq!(store.list_refusals(id).await.unwrap(), expected, "{id}");
    }
}
