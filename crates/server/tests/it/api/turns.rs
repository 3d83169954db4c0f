//! Records that are changed whole: one change at a time, whoever still waits for it.

use std::pin::pin;

use futures_util::future::{Either, join, select};
use serde_json::{Value, json};
use tokenry_protocol::secret::Credential;

use super::{CLIENTS, World};

/// The record after a change whose caller hung up in the middle of the write, and another that was
/// asked for before that write was done.
async fn after_both(world: &World, path: &str, dropped: &Value, next: &Value) -> Value {
    let stop = world.app.store.stop_write();
    let call = world.app.put(path).by(&world.ada).json(dropped);
    let reached = pin!(stop.reached());
    let first = select(call.into_future(), reached).await;
    assert!(matches!(first, Either::Right(_)), "{path}");
    drop(first);
    let call = world.app.put(path).by(&world.ada).json(next);
    let (answer, ()) = join(call.into_future(), async {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        stop.release();
    })
    .await;
    answer.expect(200);
    world.app.get(path).by(&world.ada).await.expect(200).json()
}

#[tokio::test]
async fn an_api_token_that_was_switched_off_stays_so_when_nobody_waits_for_it() {
    let world = World::new().await;
    let id = Credential::parse(&world.ben.api_token).unwrap().parts().id;
    let off = json!({"api_token": {"active": false}});
    let renamed = json!({"api_token": {"description": "old"}});
    let path = format!("/api/v2/api_tokens/{id}");
    let shown = after_both(&world, &path, &off, &renamed).await;
    assert_eq!(shown["api_token"]["active"], false);
    assert_eq!(shown["api_token"]["description"], "old");
    world.app.get("/api/v2/users/me").by(&world.ben).await.expect(401);
}

#[tokio::test]
async fn a_client_that_was_disabled_stays_so_when_nobody_waits_for_it() {
    let world = World::new().await;
    let off = json!({"client": {"disabled": true}});
    let renamed = json!({"client": {"name": "Old"}});
    let path = format!("{CLIENTS}/{}", world.reports.id.get());
    let shown = after_both(&world, &path, &off, &renamed).await;
    assert_eq!(shown["client"]["disabled"], true);
    assert_eq!(shown["client"]["name"], "Old");
}
