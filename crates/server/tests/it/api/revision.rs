//! Records that are changed whole, through two servers on one file: no change undoes another.

use std::pin::pin;

use futures_util::future::{Either, join, select};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokenry_protocol::secret::Credential;

use super::CLIENTS;
use crate::support::{Answer, Call, TestApp, TestClient, TestUser};

/// Two servers whose clocks stand still at the same millisecond.
struct Pair {
    here: TestApp,
    there: TestApp,
    ada: TestUser,
    reports: TestClient,
    _folder: TempDir,
}

impl Pair {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let here = TestApp::on_disk(folder.path()).await;
        let there = TestApp::on_disk(folder.path()).await;
        let ada = here.admin("Ada").await;
        let reports = here.confidential_client("acme_reports", &ada).await;
        Self { here, there, ada, reports, _folder: folder }
    }

    fn client(&self) -> String {
        format!("{CLIENTS}/{}", self.reports.id)
    }

    fn change_here(&self, path: &str, body: &Value) -> Call<'_> {
        self.here.put(path).by(&self.ada).json(body)
    }

    fn change_there(&self, path: &str, body: &Value) -> Call<'_> {
        self.there.put(path).by(&self.ada).json(body)
    }

    async fn shown(&self, path: &str) -> Value {
        self.there.get(path).by(&self.ada).await.expect(200).json()
    }
}

/// The answer to `change`, and in the moment before it is written `meanwhile` happens.
async fn overtaken(app: &TestApp, change: Call<'_>, meanwhile: Call<'_>) -> Answer {
    let stop = app.store.stop_write();
    let (answer, ()) = join(change.into_future(), async {
        stop.reached().await;
        meanwhile.await.expect(200);
        stop.release();
    })
    .await;
    answer
}

#[tokio::test]
async fn two_changes_of_a_client_at_once_both_take_effect() {
    let pair = Pair::new().await;
    let path = pair.client();
    let off = pair.change_here(&path, &json!({"client": {"disabled": true}}));
    let renamed = pair.change_there(&path, &json!({"client": {"name": "Old"}}));
    let answer = overtaken(&pair.here, off, renamed).await.expect(200).json();
    assert_eq!(answer["client"]["disabled"], true);
    assert_eq!(answer["client"]["name"], "Old");
    assert_eq!(pair.shown(&path).await, answer);
}

#[tokio::test]
async fn a_replaced_secret_does_not_return_by_a_change_at_once() {
    let pair = Pair::new().await;
    let path = pair.client();
    let renamed = pair.change_here(&path, &json!({"client": {"name": "Old"}}));
    let replaced = async {
        let call = pair.change_there(&format!("{path}/generate_secret"), &json!({}));
        call.await.expect(200).json()["client"]["secret"].as_str().unwrap().to_owned()
    };
    let stop = pair.here.store.stop_write();
    let (answer, secret) = join(renamed.into_future(), async {
        stop.reached().await;
        let secret = replaced.await;
        stop.release();
        secret
    })
    .await;
    assert_eq!(answer.expect(200).json()["client"]["name"], "Old");
    let form = [("grant_type", "client_credentials")];
    for (secret, status) in [(&*secret, 200), (pair.reports.secret(), 401)] {
        for app in [&pair.here, &pair.there] {
            let call = app.post("/oauth/token").basic("acme_reports", secret).form(&form);
            call.await.expect(status);
        }
    }
}

#[tokio::test]
async fn a_change_and_a_new_secret_at_once_both_take_effect() {
    let pair = Pair::new().await;
    let path = pair.client();
    let replaced = pair.change_here(&format!("{path}/generate_secret"), &json!({}));
    let renamed = pair.change_there(&path, &json!({"client": {"name": "Old"}}));
    let answer = overtaken(&pair.here, replaced, renamed).await.expect(200).json();
    assert_eq!(answer["client"]["name"], "Old");
    let secret = answer["client"]["secret"].as_str().unwrap();
    let form = [("grant_type", "client_credentials")];
    let call = pair.here.post("/oauth/token").basic("acme_reports", secret).form(&form);
    call.await.expect(200);
}

#[tokio::test]
async fn two_changes_of_an_api_token_at_once_both_take_effect() {
    let pair = Pair::new().await;
    let ben = pair.here.agent("Ben").await;
    let id = Credential::parse(&ben.api_token).unwrap().parts().id;
    let path = format!("/api/v2/api_tokens/{id}");
    let renamed = pair.change_here(&path, &json!({"api_token": {"description": "old"}}));
    let off = pair.change_there(&path, &json!({"api_token": {"active": false}}));
    let answer = overtaken(&pair.here, renamed, off).await.expect(200).json();
    assert_eq!(answer["api_token"]["active"], false);
    assert_eq!(answer["api_token"]["description"], "old");
    assert_eq!(pair.shown(&path).await, answer);
    pair.here.get("/api/v2/users/me").by(&ben).await.expect(401);
}

#[tokio::test]
async fn a_change_of_what_is_deleted_meanwhile_finds_nothing() {
    let pair = Pair::new().await;
    let path = pair.client();
    let stop = pair.here.store.stop_write();
    let renamed = pair.change_here(&path, &json!({"client": {"name": "Old"}}));
    let (answer, ()) = join(renamed.into_future(), async {
        stop.reached().await;
        pair.there.delete(&path).by(&pair.ada).await.expect(204);
        stop.release();
    })
    .await;
    answer.expect(404);
}

/// What was decided of the record as it was may be forbidden of the record as it is.
#[tokio::test]
async fn whoever_comes_second_is_judged_by_what_the_first_has_left() {
    let pair = Pair::new().await;
    let path = pair.client();
    let replaced = pair.change_here(&format!("{path}/generate_secret"), &json!({}));
    let public = pair.change_there(&path, &json!({"client": {"kind": "public"}}));
    let answer = overtaken(&pair.here, replaced, public).await.expect(422);
    assert_eq!(answer.json()["details"]["kind"][0]["error"], "InvalidValue");
    assert_eq!(pair.shown(&path).await["client"]["kind"], "public");
}

#[tokio::test]
async fn whoever_is_overtaken_all_the_time_is_told_to_come_back() {
    let pair = Pair::new().await;
    let path = pair.client();
    let first = pair.here.store.stop_write();
    let off = pair.change_here(&path, &json!({"client": {"disabled": true}}));
    let others = pin!(async {
        let mut stop = first;
        for number in 0.. {
            stop.reached().await;
            let next = pair.here.store.stop_write();
            let name = json!({"client": {"name": format!("Name {number}")}});
            pair.change_there(&path, &name).await.expect(200);
            stop.release();
            stop = next;
        }
    });
    let Either::Left((answer, _)) = select(off.into_future(), others).await else {
        panic!("the others never end");
    };
    assert_eq!(answer.expect(503).header("retry-after"), Some("2"));
    assert_eq!(pair.shown(&path).await["client"].get("disabled"), None);
}

/// Its write goes on without it, and comes too late.
#[tokio::test]
async fn a_change_whose_caller_hung_up_undoes_nothing() {
    let pair = Pair::new().await;
    let path = pair.client();
    let stop = pair.here.store.stop_write();
    let renamed = pair.change_here(&path, &json!({"client": {"name": "Dropped"}}));
    let reached = pin!(stop.reached());
    let first = select(renamed.into_future(), reached).await;
    assert!(matches!(first, Either::Right(_)));
    drop(first);
    let off = json!({"client": {"disabled": true}});
    let answer = pair.change_there(&path, &off).await.expect(200).json();
    let written = pair.here.store.hold_write();
    stop.release();
    written.reached().await;
    written.release();
    assert_eq!(pair.shown(&path).await, answer);
}
