//! Metadata (RFC 8414) says exactly what is true.

use std::collections::BTreeSet;

use serde_json::Value;
use tokenry_server::routes;

use crate::support::{BASE, TestApp};

const PATH: &str = "/.well-known/oauth-authorization-server";
/// Served under `/oauth/` and rightly left out: the consent page's own form, and the alias of the
/// authorization page.
const NOT_ANNOUNCED: [&str; 2] = ["/oauth/authorizations", "/oauth/authorize"];

async fn document(app: &TestApp) -> Value {
    app.get(PATH).await.expect(200).json()
}

/// Every address in the document, as a path.
fn announced(document: &Value) -> BTreeSet<String> {
    let members = document.as_object().unwrap().iter();
    members
        .filter(|(name, _)| name.ends_with("_endpoint"))
        .map(|(_, address)| address.as_str().unwrap().strip_prefix(BASE).unwrap().to_owned())
        .collect()
}

fn words(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect()
}

#[tokio::test]
async fn every_address_that_is_announced_is_served() {
    let app = TestApp::new().await;
    for path in announced(&document(&app).await) {
        let answer = app.call("OPTIONS", &path).await;
        assert_eq!(answer.status, 204, "{path}");
    }
}

#[tokio::test]
async fn nothing_that_is_served_under_oauth_is_left_out() {
    let app = TestApp::new().await;
    let served: BTreeSet<String> = routes::documented()
        .into_iter()
        .map(|route| route.path.to_owned())
        .filter(|path| path.starts_with("/oauth/"))
        .filter(|path| !NOT_ANNOUNCED.contains(&path.as_str()))
        .collect();
    assert_eq!(announced(&document(&app).await), served);
}

#[tokio::test]
async fn the_grant_types_announced_are_the_grant_types_offered() {
    let app = TestApp::new().await;
    let ada = app.admin("Ada").await;
    let client = app.confidential_client("acme_reports", &ada).await;
    let document = document(&app).await;
    let announced = words(&document["grant_types_supported"]);
    for grant_type in [
        "authorization_code",
        "refresh_token",
        "client_credentials",
        "password",
        "implicit",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:grant-type:token-exchange",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
    ] {
        let call = app.post("/oauth/token").form(&[("grant_type", grant_type)]);
        let answer = call.by_client(&client).await;
        let is_offered = answer.status == 200 || answer.error() != "unsupported_grant_type";
        assert_eq!(is_offered, announced.contains(&grant_type), "{grant_type}");
    }
}

#[tokio::test]
async fn the_scopes_announced_are_the_scopes_configured() {
    let app = TestApp::with(|config| {
        config.scopes.resources =
            ["oauth", "users", "notes", "logs:read"].map(str::to_owned).into();
    })
    .await;
    let document = document(&app).await;
    assert_eq!(
        words(&document["scopes_supported"]),
        [
            "read",
            "write",
            "impersonate",
            "logs:read",
            "notes:read",
            "notes:write",
            "oauth:read",
            "oauth:write",
            "users:read",
            "users:write"
        ]
    );
    let ada = app.admin("Ada").await;
    let client = app.confidential_client("acme_reports", &ada).await;
    for scope in words(&document["scopes_supported"]) {
        let fields = [("grant_type", "client_credentials"), ("scope", scope)];
        let answer = app.post("/oauth/token").form(&fields).by_client(&client).await;
        assert_eq!(answer.expect(200).json()["scope"], scope);
    }
}

/// RFC 8414 §2, RFC 9207: the issuer is configured, and nothing in a request changes it.
#[tokio::test]
async fn the_request_changes_nothing() {
    let app = TestApp::new().await;
    let plain = app.get(PATH).await.expect(200);
    assert_eq!(plain.json()["issuer"], BASE);
    let dressed = app
        .get(PATH)
        .header("host", "evil.test")
        .header("x-forwarded-host", "evil.test")
        .header("x-forwarded-proto", "https")
        .header("forwarded", "host=evil.test;proto=https")
        .await;
    assert_eq!(dressed.body, plain.body);
}

#[tokio::test]
async fn browsers_of_every_origin_may_read_and_keep_it() {
    let app = TestApp::new().await;
    let answer = app.get(PATH).header("origin", "https://spa.test").await.expect(200);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("cache-control"), Some("max-age=300"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
}

#[tokio::test]
async fn it_needs_no_store() {
    let app = TestApp::new().await;
    app.store.go_away();
    app.get(PATH).await.expect(200);
}
