//! Two twins at the same time, called with the same tokens.

use serde_json::json;
use tokenry_twin::{Profile, journal::Filter};

use crate::support::Played;

const TURNS: usize = 25;

/// Refreshes again and again and looks at what comes of it: the pairs in their order.
async fn refresh_on(played: &Played) -> Vec<String> {
    let mut refresh_token = played.seeded().refresh_token.unwrap();
    let mut given = Vec::new();
    for _ in 0..TURNS {
        let (status, body) = played.refresh(&refresh_token, &[]).await.unwrap();
        assert_eq!(status, 201, "{body}");
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        assert_eq!(played.verify(&text("access_token")).await, 200);
        refresh_token = text("refresh_token");
        given.extend([text("access_token"), refresh_token.clone()]);
    }
    given
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_twins_answer_the_same_tokens_each_by_itself() {
    let (one, other) = (Played::new().await, Played::new().await);
    assert_eq!(one.seeded().access_token, other.seeded().access_token, "the same seed");
    let (of_one, of_other) = tokio::join!(refresh_on(&one), refresh_on(&other));
    for (played, own, foreign) in [(&one, &of_one, &of_other), (&other, &of_other, &of_one)] {
        assert!(own.iter().all(|token| !foreign.contains(token)), "nothing was given twice");
        let entries = played.twin.journal().since(0, &Filter::default()).entries;
        assert_eq!(entries.len(), 2 * TURNS, "the calls of the other one are not in the journal");
        let [.., access_token, refresh_token] = foreign.as_slice() else { panic!("no pair") };
        assert_eq!(played.verify(access_token).await, 401);
        assert_eq!(played.refresh(refresh_token, &[]).await.unwrap().0, 400);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_turned_at_one_twin_is_not_seen_at_another_one_that_is_called_meanwhile() {
    let (turned, left) = (Played::new().await, Played::new().await);
    let turn = async {
        for round in 0..TURNS {
            let profile = Profile::ALL[round % Profile::ALL.len()];
            turned.control("POST", "/twin/faults", json!({"text": "status=500 always"})).await;
            turned.control("POST", "/twin/clock", json!({"advance": "400d"})).await;
            turned.control("POST", "/twin/snapshots/s", json!({})).await;
            turned.control("POST", "/twin/reset", json!({"profile": profile})).await;
            turned.control("POST", "/twin/tokens/1004/revoke", json!({})).await;
        }
    };
    let ((), given) = tokio::join!(turn, refresh_on(&left));
    assert_eq!(given.len(), 2 * TURNS);
    assert!(left.twin.faults().is_empty());
    assert_eq!(left.twin.clock().read().ahead_seconds, 0);
    assert_eq!(left.twin.connection_details().profile, "legacy");
    assert_eq!(turned.verify(&turned.seeded().access_token).await, 401);
}
