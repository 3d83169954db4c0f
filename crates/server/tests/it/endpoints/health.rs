//! Whether the process is up, and whether it can do its work.

use insta::assert_snapshot;

use crate::support::TestApp;

#[tokio::test]
async fn a_healthy_server_says_so() {
    let app = TestApp::new().await;
    assert_snapshot!(app.get("/healthz").await.snapshot(), @r#"200 {"status":"ok"}"#);
    assert_snapshot!(app.get("/readyz").await.snapshot(), @r#"200 {"status":"ok"}"#);
}

#[tokio::test]
async fn without_its_store_the_process_is_up_and_not_ready() {
    let app = TestApp::new().await;
    app.store.go_away();
    app.get("/healthz").await.expect(200);
    let answer = app.get("/readyz").await;
    assert_snapshot!(
        answer.snapshot(),
        @r#"503 {"error":"ServiceUnavailable","description":"Try again shortly."}"#
    );
    assert_eq!(answer.header("retry-after"), Some("2"));
    app.store.come_back();
    app.get("/readyz").await.expect(200);
}
