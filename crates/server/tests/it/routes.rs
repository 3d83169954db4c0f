//! Addresses and methods: what is there, what is not, and how both are told.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use tokenry_server::{api, routes};

use crate::support::{TestApp, TestUser};

/// Every path with the methods that it offers, as they stand in `Allow`.
fn offered() -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut offered: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for route in routes::documented() {
        let methods = offered.entry(route.path).or_default();
        methods.push(route.method);
        if route.method == "GET" {
            methods.push("HEAD");
        }
    }
    offered
}

/// A path of the table as a request has it.
fn concrete(path: &str) -> String {
    path.replace("{id}", "1").replace("{name}", "x").replace("{file}", "x")
}

async fn app() -> (TestApp, TestUser) {
    let app = TestApp::new().await;
    let ada = app.admin("Ada").await;
    (app, ada)
}

#[tokio::test]
async fn every_path_tells_its_methods() {
    let (app, _) = app().await;
    for (path, methods) in offered() {
        let allow = format!("{}, OPTIONS", methods.join(", "));
        let answer = app.call("OPTIONS", &concrete(path)).await.expect(204);
        assert_eq!(answer.header("allow"), Some(allow.as_str()), "{path}");
        assert!(answer.body.is_empty());
        assert_eq!(answer.header("content-type"), None);
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"] {
            if methods.contains(&method) {
                continue;
            }
            let answer = app.call(method, &concrete(path)).await;
            assert_eq!(answer.status, 405, "{method} {path}");
            assert_eq!(answer.header("allow"), Some(allow.as_str()), "{method} {path}");
        }
    }
}

/// Only what scripts of other origins have to call, and never with credentials (Fetch §3.2).
#[tokio::test]
async fn scripts_of_other_origins_reach_the_token_revocation_and_metadata_addresses_only() {
    let (app, _) = app().await;
    let open = [
        "/oauth/tokens",
        "/oauth/token",
        "/oauth/revoke",
        "/.well-known/oauth-authorization-server",
    ];
    for path in offered().into_keys() {
        for method in ["OPTIONS", "GET", "POST"] {
            let call = app.call(method, &concrete(path)).header("origin", "https://spa.test");
            let answer = call.header("access-control-request-method", "POST").await;
            let allowed = answer.header("access-control-allow-origin");
            assert_eq!(allowed, open.contains(&path).then_some("*"), "{method} {path}");
            assert_eq!(answer.header("access-control-allow-credentials"), None);
        }
    }
}

/// RFC 9110 §9.3.2
#[tokio::test]
async fn head_is_get_without_the_body() {
    let (app, ada) = app().await;
    for (path, methods) in offered() {
        if !methods.contains(&"GET") {
            continue;
        }
        let id = [("x-request-id", "same")];
        let call = |method: &str| {
            let call = app.call(method, &concrete(path)).by(&ada);
            call.header(id[0].0, id[0].1)
        };
        let (get, head) = (call("GET").await, call("HEAD").await);
        assert_eq!(head.status, get.status, "{path}");
        assert!(head.body.is_empty(), "{path}");
        for name in ["content-type", "cache-control", "location", "www-authenticate"] {
            assert_eq!(head.header(name), get.header(name), "{name} of {path}");
        }
    }
}

#[tokio::test]
async fn every_record_path_works_with_and_without_json_and_no_other_does() {
    let (app, ada) = app().await;
    for (path, methods) in offered() {
        if path.starts_with("/assets/") {
            continue;
        }
        let with_suffix = format!("{}.json", concrete(path));
        let answer = app.call("OPTIONS", &with_suffix).await;
        let expected = if path.starts_with("/api/v2/") { 204 } else { 404 };
        assert_eq!(answer.status, expected, "{with_suffix}");
        if path.starts_with("/api/v2/") && methods.contains(&"GET") {
            let plain = app.get(&concrete(path)).by(&ada).await;
            let suffixed = app.get(&with_suffix).by(&ada).await;
            assert_eq!(suffixed.status, plain.status, "{with_suffix}");
        }
    }
    app.get("/api/v2/users/me.json?x=.json").by(&ada).await.expect(200);
}

#[tokio::test]
async fn a_path_has_one_spelling() {
    let (app, ada) = app().await;
    for path in [
        "/api/v2/users/me/",
        "/api/v2/users//me",
        "/api/v2//users/me",
        "//api/v2/users/me",
        "/api//v2/users/me",
        "/api/v2/users%2Fme",
        "/api/v2/users%2fme.json",
        "/api/v2/oauth/tokens%2Fcurrent",
        "/api/v2/users/me.json/",
        "/api/v2/users/me.json.json",
        "/api/v2/users/me.JSON",
        "/api/v2/users/me.xml",
        "/api/v2/users/.json",
        "/api/v2/.json",
        "/api/v2/users/./me",
        "/api/v2/users/../users/me",
        "/api/v2/users/me;x=1",
        "/API/v2/users/me",
        "/api/v2/uSers/me",
        "/api/v1/users/me",
        "/oauth/token/",
        "/oauth//token",
        "/oauth/tokens/1",
        "/oauth%2Ftoken",
    ] {
        let answer = app.get(path).by(&ada).await;
        assert_eq!(answer.status, 404, "{path}");
        if path.starts_with("/api/") {
            let expected = matches!(answer.error().as_str(), "InvalidEndpoint" | "RecordNotFound");
            assert!(expected, "{path}: {}", answer.text());
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_told_in_the_manners_of_its_place() {
    let (app, ada) = app().await;
    let api = app.get("/api/v2/oauth/tokenz").by(&ada).await;
    assert_snapshot!(
        api.snapshot(),
        @r#"404 {"error":"InvalidEndpoint","description":"Not found"}"#
    );
    // The path comes before the credentials.
    let anonymous = app.get("/api/v2/oauth/tokenz").await;
    assert_eq!(anonymous.snapshot(), api.snapshot());
    for path in ["/nothing", "/oauth/nothing", "/oauth/token.json", "/api", "/.well-known/x"] {
        let page = app.get(path).await.expect(404);
        let content_type = page.header("content-type").unwrap_or_default();
        assert!(!content_type.starts_with("application/json"), "{path}: {content_type}");
    }
}

#[tokio::test]
async fn an_id_is_canonical_digits_or_nobodys() {
    let (app, ada) = app().await;
    for id in ["0", "01", "-1", "+1", "1.0", "1e3", "%31", "first", "9007199254740992", "١"] {
        for base in ["/api/v2/oauth/tokens", "/api/v2/oauth/clients", "/api/v2/users"] {
            let id: String = if id == "١" { "%D9%A1".to_owned() } else { id.to_owned() };
            let answer = app.get(&format!("{base}/{id}")).by(&ada).await;
            let is_one = id == "%31" && base == "/api/v2/users";
            if !is_one {
                assert_eq!(answer.status, 404, "{base}/{id}");
            }
        }
    }
    // The credentials come before the record.
    app.get("/api/v2/oauth/tokens/first").await.expect(401);
}

#[tokio::test]
async fn every_endpoint_of_the_record_api_wants_credentials_first() {
    let (app, _) = app().await;
    for route in routes::documented() {
        if !route.path.starts_with("/api/") {
            continue;
        }
        let call = app.call(route.method, &concrete(route.path));
        let answer = call.body("text/plain", "not what it wants").await;
        assert_eq!(answer.status, 401, "{} {}", route.method, route.path);
    }
}

/// So that what is said of a scope is what it does.
#[tokio::test]
async fn every_address_of_the_record_api_asks_for_the_scope_of_its_resource() {
    let (app, ada) = app().await;
    let client = app.confidential_client("acme_reports", &ada).await;
    for route in routes::documented().iter().filter(|route| route.handler.starts_with("api::")) {
        let ask = async |scope| {
            let token = app.grant(&ada, &client, scope).await.access;
            // Of nothing that is there.
            let path = route.path.replace("{id}", "999");
            let answer = app.call(route.method, &path).bearer(&token).await;
            let challenge = answer.header("www-authenticate").unwrap_or_default();
            challenge.contains("insufficient_scope")
        };
        let (mut asked, mut others) = ("impersonate", None);
        match api::resource_of(&route.handler) {
            Some("oauth") => (asked, others) = ("oauth", Some("users tickets impersonate")),
            Some("users") => (asked, others) = ("users", Some("oauth tickets impersonate")),
            other => assert_eq!(other, None, "{}", route.handler),
        }
        if let Some(others) = others {
            assert!(ask(others).await, "{} {} is open to {others}", route.method, route.path);
        }
        // What takes every right, as a new API token does, names those rights.
        let takes_all = route.handler.starts_with("api::api_tokens") && route.method != "GET";
        assert!(takes_all || !ask(asked).await, "{} {}", route.method, route.path);
    }
}
