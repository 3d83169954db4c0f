//! What another site can do with a user's browser.

use http::HeaderMap;
use serde_json::json;

use super::{CLIENTS, TOKENS, World, consent};
use crate::support::{Answer, Browser, Form, PASSWORD, TestUser, authorization_request, parameter};

/// Every page there is, with the name it goes by here.
async fn pages(world: &World) -> Vec<(&'static str, Answer)> {
    let (signed_in, nobody) = (world.signed_in(&world.victim).await, world.app.browser());
    world.app.grant(&world.victim, &world.mobile, "read").await;
    let consent = authorization_request(&world.mobile, &[]);
    let refused = authorization_request(&world.reports, &[("redirect_uri", "https://evil.test/")]);
    let failed = [("email", "a"), ("password", "b"), ("page_token", "c")];
    vec![
        ("home", nobody.get("/").await.expect(200)),
        ("home, signed in", signed_in.get("/").await.expect(200)),
        ("sign-in", nobody.get("/sign-in").await.expect(200)),
        ("sign-in, failed", nobody.post("/sign-in", &failed).await.expect(403)),
        ("consent", signed_in.get(&consent).await.expect(200)),
        ("refused", signed_in.get(&refused).await.expect(400)),
        ("connections", signed_in.get("/account/connections").await.expect(200)),
        ("signed out", nobody.get("/signed-out").await.expect(200)),
        ("nothing there", nobody.get("/nothing").await.expect(404)),
    ]
}

fn has_directive(headers: &HeaderMap, directive: &str) -> bool {
    let policy = headers["content-security-policy"].to_str().unwrap();
    policy.split("; ").any(|found| found == directive)
}

/// RFC 9700 §4.16, RFC 6819 §4.4.1.9.
#[tokio::test]
async fn no_page_can_be_framed_scripted_sniffed_or_kept() {
    let world = World::new().await;
    for (name, page) in pages(&world).await {
        let headers = &page.headers;
        assert_eq!(page.header("x-frame-options"), Some("DENY"), "{name}");
        for directive in ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"] {
            assert!(has_directive(headers, directive), "{name}: {headers:?}");
        }
        let policy = page.header("content-security-policy").unwrap();
        assert!(!policy.contains("script-src") && !policy.contains("unsafe"), "{name}: {policy}");
        assert!(!page.text().contains("<script"), "{name}");
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"), "{name}");
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"), "{name}");
        assert_eq!(page.header("cache-control"), Some("no-store"), "{name}");
        assert_eq!(page.header("referrer-policy"), Some("no-referrer"), "{name}");
    }
}

/// RFC 9700 §4.2: what a page loads or links to would learn its address, and codes are in some.
#[tokio::test]
async fn no_page_loads_or_leads_to_anything_of_somebody_elses() {
    let world = World::new().await;
    for (name, page) in pages(&world).await {
        for attribute in ["src=\"", "href=\"", "action=\""] {
            let values = page.text().split(attribute).skip(1);
            for value in values.map(|rest| rest.split('"').next().unwrap()) {
                let own = value.starts_with('/') && !value.starts_with("//");
                assert!(own || value.starts_with('#'), "{name}: {value}");
            }
        }
    }
}

/// Links, pictures and prefetching only ever GET.
#[tokio::test]
async fn a_link_changes_nothing() {
    let world = World::new().await;
    let grant = world.app.grant(&world.victim, &world.reports, "read").await;
    let browser = world.signed_in(&world.victim).await;
    let revoke = format!("/account/connections/{}/revoke", grant.id);
    for path in ["/oauth/authorizations?decision=allow", "/sign-out", &revoke] {
        for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH"] {
            browser.send(world.app.call(method, path)).await.expect(405);
        }
    }
    for header in ["x-http-method-override", "x-method-override", "x-http-method"] {
        browser.send(world.app.get(&revoke).header(header, "POST")).await.expect(405);
        let path = format!("{TOKENS}/{}", grant.id);
        let call = world.app.get(&path).by(&world.ada).header(header, "DELETE");
        call.await.expect(200);
    }
    browser.get("/account/connections").await.expect(200);
    assert!(world.app.is_alive(&grant.access).await);
}

/// RFC 9700 §4.7: the victim's browser posts what the attacker's page holds, with the victim's
/// cookies and without a page token that this session was given.
#[tokio::test]
async fn a_form_of_another_site_neither_consents_nor_revokes_nor_signs_out() {
    let world = World::new().await;
    let grant = world.app.grant(&world.victim, &world.reports, "read").await;
    let victim = world.signed_in(&world.victim).await;
    let mallory = world.signed_in(&world.mallory).await;
    let address = authorization_request(&world.mobile, &[]);
    let page = mallory.get(&address).await.expect(200);
    let form = Form::find(&page, "/oauth/authorizations");
    let request = form.value("request").unwrap().to_owned();
    let revoke = format!("/account/connections/{}/revoke", grant.id);
    let own = world.app.grant(&world.mallory, &world.reports, "read").await;
    let connections = mallory.get("/account/connections").await.expect(200);
    let own = format!("/account/connections/{}/revoke", own.id);
    let token_of = |page: &Answer, action: &str| {
        let form = Form::find(page, action);
        form.value("page_token").unwrap().to_owned()
    };
    for token in [
        String::new(),
        form.value("page_token").unwrap().to_owned(),
        token_of(&connections, "/sign-out"),
        token_of(&connections, &own),
    ] {
        let consents = [("request", &*request), ("decision", "allow"), ("page_token", &*token)];
        let answer = victim.post("/oauth/authorizations", &consents).await.expect(403);
        assert_eq!(answer.header("location"), None);
        victim.post(&revoke, &[("page_token", &*token)]).await.expect(403);
        victim.post("/sign-out", &[("page_token", &*token)]).await.expect(403);
    }
    // As JSON, or as the plain text that needs no preflight.
    for content_type in ["application/json", "text/plain"] {
        let body = format!("request={request}&decision=allow");
        let call = world.app.post("/oauth/authorizations").body(content_type, body);
        victim.send(call).await.expect(415);
    }
    victim.get("/account/connections").await.expect(200);
    assert!(world.app.is_alive(&grant.access).await);
}

/// Nor does the record API listen to cookies, so no site can call it with a user's browser.
#[tokio::test]
async fn a_session_cookie_opens_pages_and_nothing_else() {
    let world = World::new().await;
    let browser = world.signed_in(&world.ada).await;
    let body = json!({"token": {"client_id": world.reports.id}});
    for call in [
        world.app.get("/api/v2/users/me"),
        world.app.get(CLIENTS),
        world.app.post(TOKENS).json(&body),
        world.app.delete(&format!("{CLIENTS}/{}", world.reports.id)),
        world.app.get("/api/v2/oauth/tokens/current"),
    ] {
        browser.send(call).await.expect(401);
    }
    let cookie = browser.cookie("tokenry_session").unwrap();
    world.app.get("/api/v2/users/me").bearer(&cookie).await.expect(401);
    let form = [("token", &*cookie)];
    let answer = world.app.post("/oauth/introspect").by_client(&world.reports).form(&form).await;
    assert_eq!(answer.expect(200).json(), json!({"active": false}));
}

/// RFC 9700 §4.12: after 307 or 308 a browser would send the password along to the client.
#[tokio::test]
async fn every_redirect_is_303_and_takes_no_form_along() {
    let world = World::new().await;
    let browser = world.app.browser();
    let address = authorization_request(&world.reports, &[]);
    let mut answers = vec![browser.get(&address).await];
    let page = browser.get(answers[0].location()).await.expect(200);
    let mut form = Form::find(&page, "/sign-in");
    form.fill("email", &world.victim.email);
    form.fill("password", PASSWORD);
    answers.push(browser.press(&form, ("", "")).await);
    answers.push(consent(&browser, &address).await);
    let refused = authorization_request(&world.reports, &[("scope", "nonsense")]);
    answers.push(browser.get(&refused).await);
    world.app.grant(&world.victim, &world.reports, "read").await;
    let (_, query) = address.split_once('?').unwrap();
    let form = "application/x-www-form-urlencoded";
    let posted = world.app.post("/oauth/authorize").body(form, query.to_owned());
    answers.push(browser.send(posted).await);
    let connections = browser.get("/account/connections").await.expect(200);
    answers.push(browser.press(&Form::find(&connections, "/account/"), ("", "")).await);
    answers.push(browser.press(&Form::find(&connections, "/sign-out"), ("", "")).await);
    for answer in answers {
        assert_eq!(answer.status, 303, "{}", answer.snapshot());
        assert!(answer.body.is_empty());
        for secret in [PASSWORD, "password"] {
            assert!(!answer.location().contains(secret), "{}", answer.location());
        }
    }
}

/// RFC 6819 §4.4.1.6, session fixation: cookies that the attacker planted before.
#[tokio::test]
async fn nothing_that_was_planted_in_a_browser_outlives_the_sign_in() {
    let world = World::new().await;
    let mallory = world.signed_in(&world.mallory).await;
    let planted = mallory.cookie("tokenry_session").unwrap();
    let forms_cookie = mallory.cookie("tokenry_browser");
    let browser = world.app.browser();
    browser.set_cookie("tokenry_session", Some(&planted));
    browser.set_cookie("tokenry_browser", forms_cookie.as_deref());
    sign_in_again(&browser, &world.victim).await;
    let fresh = browser.cookie("tokenry_session").unwrap();
    assert_ne!(fresh, planted);
    let connections = browser.get("/account/connections").await.expect(200);
    assert!(connections.text().contains(&world.victim.email));
    // What the attacker kept is dead or the attacker's own, never the victim's.
    let kept = world.app.browser();
    kept.set_cookie("tokenry_session", Some(&planted));
    kept.get("/account/connections").await.expect(303);
}

async fn sign_in_again(browser: &Browser<'_>, user: &TestUser) {
    let page = browser.get("/sign-in?again=1").await.expect(200);
    let mut form = Form::find(&page, "/sign-in");
    form.fill("email", &user.email);
    form.fill("password", PASSWORD);
    browser.press(&form, ("", "")).await.expect(303);
}

/// RFC 6819 §4.4.1.10: pages of the attacker click nothing for the user, also when it is only
/// silence that is asked for.
#[tokio::test]
async fn a_silent_request_gets_no_more_than_was_approved_before() {
    let world = World::new().await;
    world.app.grant(&world.victim, &world.reports, "tickets:read").await;
    let browser = world.signed_in(&world.victim).await;
    for (client, scope, expected) in [
        (&world.reports, "tickets:read", None),
        (&world.reports, "tickets", Some("consent_required")),
        (&world.reports, "read", Some("consent_required")),
        (&world.reports, "impersonate", Some("consent_required")),
        (&world.evil, "tickets:read", Some("consent_required")),
        (&world.mobile, "tickets:read", Some("consent_required")),
    ] {
        let address = authorization_request(client, &[("scope", scope), ("prompt", "none")]);
        let answer = browser.get(&address).await.expect(303);
        assert_eq!(parameter(answer.location(), "error").as_deref(), expected, "{scope}");
        assert_eq!(parameter(answer.location(), "code").is_none(), expected.is_some());
    }
}
