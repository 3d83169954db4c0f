//! Global clients. Docs: records §4.

use insta::assert_snapshot;

use super::{World, assert_missing_scope, assert_wrong_role};

const PATH: &str = "/api/v2/oauth/global_clients";

#[tokio::test]
async fn none_are_declared_and_that_is_an_empty_list() {
    let world = World::new().await;
    let answer = world.app.get(&format!("{PATH}.json")).by(&world.ada).await;
    assert_snapshot!(answer.snapshot(), @r#"200 {"global_clients":[],"count":0,"next_page":null,"previous_page":null}"#);
    let answer = world.app.get(&format!("{PATH}?page[size]=100")).by(&world.ada).await;
    assert_snapshot!(answer.snapshot(), @r#"200 {"global_clients":[],"meta":{"has_more":false,"after_cursor":null,"before_cursor":null},"links":{"next":null,"prev":null}}"#);
}

#[tokio::test]
async fn administrators_may_look() {
    let world = World::new().await;
    for user in [&world.ben, &world.cleo] {
        assert_wrong_role(&world.app.get(PATH).by(user).await);
    }
    let bearer = world.bearer("write").await;
    assert_missing_scope(&world.app.get(PATH).bearer(&bearer).await, "read");
    let bearer = world.bearer("oauth:read").await;
    world.app.get(PATH).bearer(&bearer).await.expect(200);
}

#[tokio::test]
async fn pages_are_asked_for_as_everywhere() {
    let world = World::new().await;
    for query in ["page=101", "page[size]=0", "page[after]=x", "page=1&page[size]=1", "page=0"] {
        world.app.get(&format!("{PATH}?{query}")).by(&world.ada).await.expect(400);
    }
}
