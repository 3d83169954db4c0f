//! Requests that go no further, and how requests are written.

use tokenry_core::client::ClientStatus;
use tokenry_protocol::{
    redirect_uri::{ClientKind, RedirectUri},
    scope::Scope,
};

use super::{REQUEST, World, decide, parameter, request};

#[tokio::test]
async fn until_client_and_address_are_right_a_problem_is_a_page_and_no_redirect() {
    let world = World::new().await;
    let (app, reports) = (&world.app, &world.reports);
    let two = app.confidential_client("two_doors", &world.ada).await;
    app.change_client(&two, |client| {
        let kind = ClientKind::Confidential;
        let second = RedirectUri::parse("https://two-doors.test/second", kind).unwrap();
        client.redirect_uris.push(second);
    })
    .await;
    let stopped = app.confidential_client("stopped", &world.ada).await;
    app.change_client(&stopped, |client| client.status = ClientStatus::Disabled).await;
    let id = reports.id.to_string();
    let slash = format!("{}/", reports.redirect_uri);
    let other_port = reports.redirect_uri.replace(".test", ".test:8443");
    let twice = request(reports, &[]) + "&state=s2";
    for (address, title) in [
        (request(reports, &[("client_id", "")]), "not known here"),
        (request(reports, &[("client_id", "nobody")]), "not known here"),
        (request(reports, &[("client_id", &id)]), "not known here"),
        (request(reports, &[("client_id", "a b")]), "not known here"),
        (request(reports, &[("client_id", "ACME_REPORTS")]), "not known here"),
        (request(&stopped, &[]), "switched off"),
        (request(reports, &[("redirect_uri", &slash)]), "wrong return address"),
        (request(reports, &[("redirect_uri", &other_port)]), "wrong return address"),
        (request(&two, &[("redirect_uri", "")]), "no return address"),
        (twice, "state is sent twice."),
        (format!("{REQUEST}?state=%ff"), "must be UTF-8"),
        (REQUEST.to_owned(), "not known here"),
    ] {
        for browser in [world.signed_in().await, app.browser()] {
            let page = browser.get(&address).await.expect(400);
            assert!(page.text().contains(title), "{address}: {}", page.text());
            assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
            assert_eq!(page.header("location"), None);
        }
    }
}

#[tokio::test]
async fn after_that_every_problem_travels_by_redirect() {
    let world = World::new().await;
    let (app, reports, mobile) = (&world.app, &world.reports, &world.mobile);
    let bounded = app.confidential_client("bounded", &world.ada).await;
    app.change_client(&bounded, |client| {
        client.allowed_scope = Some(Scope::parse("tickets:read").unwrap());
    })
    .await;
    let machine = app.confidential_client("machine", &world.ada).await;
    app.change_client(&machine, |client| client.grant_types = Some(Vec::new())).await;
    let long = "x".repeat(2_001);
    let plain = [("code_challenge_method", "plain")];
    for (address, error) in [
        (request(reports, &[("response_type", "token")]), "unsupported_response_type"),
        (request(reports, &[("response_type", "code token")]), "unsupported_response_type"),
        (request(reports, &[("response_type", "")]), "invalid_request"),
        (request(reports, &[("scope", "reed")]), "invalid_scope"),
        (request(reports, &[("scope", "read \"x\"")]), "invalid_scope"),
        (request(&bounded, &[("scope", "tickets:write")]), "invalid_scope"),
        (request(&bounded, &[("scope", "read")]), "invalid_scope"),
        (request(&machine, &[]), "unauthorized_client"),
        (request(mobile, &[("code_challenge", ""), plain[0]]), "invalid_request"),
        (
            request(mobile, &[("code_challenge", ""), ("code_challenge_method", "")]),
            "invalid_request",
        ),
        (request(mobile, &plain), "invalid_request"),
        (request(mobile, &[("code_challenge_method", "")]), "invalid_request"),
        (request(mobile, &[("code_challenge", "short")]), "invalid_request"),
        (request(reports, &[("state", &long)]), "invalid_request"),
        (request(reports, &[("prompt", "none login")]), "invalid_request"),
        (request(reports, &[("prompt", "none")]), "consent_required"),
    ] {
        let browser = world.signed_in().await;
        let answer = browser.get(&address).await.expect(303);
        let location = answer.location();
        assert_eq!(parameter(location, "error").unwrap(), error, "{address}");
        assert!(parameter(location, "error_description").is_some());
        let iss = parameter(location, "iss");
        assert_eq!(iss.as_deref(), Some("http://127.0.0.1:4000"));
        let state = parameter(location, "state");
        let sent = parameter(&address, "state").filter(|state| state.len() <= 2_000);
        assert_eq!(state, sent);
    }
    let nobody = app.get(&request(reports, &[("prompt", "none")])).await;
    let error = parameter(nobody.expect(303).location(), "error");
    assert_eq!(error.as_deref(), Some("login_required"));
}

#[tokio::test]
async fn a_request_may_be_posted_as_a_form() {
    let world = World::new().await;
    let address = request(&world.reports, &[]);
    let (_, query) = address.split_once('?').unwrap();
    let form = "application/x-www-form-urlencoded";
    let post = |body: &str| world.app.post(REQUEST).body(form, body.to_owned());

    let answer = post(query).await.expect(303);
    let return_to = parameter(answer.location(), "return_to").unwrap();
    assert_eq!(return_to, address);
    let browser = world.signed_in().await;
    let page = browser.send(post(query)).await.expect(200);
    decide(&browser, &page, "allow").await.expect(303);

    post(&format!("{query}&scope=write")).await.expect(400);
    world.app.post(&address).await.expect(415);
    post(&"x".repeat(70_000)).await.expect(413);
    let json = world.app.post(REQUEST);
    json.json(&serde_json::json!({})).await.expect(415);
}

#[tokio::test]
async fn a_store_that_is_away_is_a_page_that_says_when_to_come_back() {
    let world = World::new().await;
    let browser = world.signed_in().await;
    let page = browser.get(&request(&world.reports, &[])).await.expect(200);
    world.app.store.go_away();
    for answer in [
        browser.get(&request(&world.reports, &[])).await,
        browser.get(&request(&world.reports, &[("client_id", "nobody")])).await,
        decide(&browser, &page, "allow").await,
    ] {
        let answer = answer.expect(503);
        assert_eq!(answer.header("retry-after"), Some("2"));
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    }
    world.app.store.come_back();
    decide(&browser, &page, "allow").await.expect(303);
}

#[tokio::test]
async fn head_is_answered_as_get_is() {
    let world = World::new().await;
    let browser = world.signed_in().await;
    let address = request(&world.reports, &[]);
    let head = browser.send(world.app.call("HEAD", &address)).await.expect(200);
    assert_eq!(head.text(), "");
    assert_eq!(head.header("content-type"), Some("text/html; charset=utf-8"));
    let unknown = request(&world.reports, &[("client_id", "nobody")]);
    world.app.call("HEAD", &unknown).await.expect(400);
}
