//! The consent page and its form.

use tokenry_core::policy::UnknownScopes;
use tokenry_protocol::{
    redirect_uri::{ClientKind, RedirectUri},
    scope::Scope,
};

use super::{World, decide, encoded, parameter, request};
use crate::support::Form;

#[tokio::test]
async fn a_refusal_is_told_to_the_client_and_grants_nothing() {
    let world = World::new().await;
    let browser = world.signed_in().await;
    let page = browser.get(&request(&world.reports, &[])).await.expect(200);
    let answer = decide(&browser, &page, "deny").await.expect(303);
    assert_eq!(
        answer.location(),
        "https://acme-reports.test/callback?error=access_denied\
         &error_description=The+user+refused.&state=s1&iss=http%3A%2F%2F127.0.0.1%3A4000"
    );
    // A code would have had the next number.
    let page = browser.get(&request(&world.reports, &[])).await.expect(200);
    decide(&browser, &page, "deny").await.expect(303);
    let connections = browser.get("/account/connections").await.expect(200);
    assert!(connections.text().contains("No app is connected"));
}

#[tokio::test]
async fn a_consent_counts_only_with_the_page_token_of_this_session_and_this_request() {
    let world = World::new().await;
    let browser = world.signed_in().await;
    let address = request(&world.reports, &[]);
    let page = browser.get(&address).await.expect(200);
    let form = Form::find(&page, "/oauth/authorizations");
    let wider = request(&world.reports, &[("scope", "read write")]);
    let wider = browser.get(&wider).await.expect(200);
    let wider = Form::find(&wider, "/oauth/authorizations");
    let ben = world.app.end_user("Ben").await;
    let bens = world.app.browser();
    bens.sign_in(&ben).await;
    let bens_page = bens.get(&address).await.expect(200);
    let bens_page = Form::find(&bens_page, "/oauth/authorizations");
    let connections = browser.get("/account/connections").await.expect(200);
    let general = Form::find(&connections, "/sign-out");

    let ours = form.value("page_token").unwrap().to_owned();
    let mut damaged = ours.clone().into_bytes();
    damaged[20] ^= 1;
    for wrong in [
        "",
        "AAAA",
        &String::from_utf8(damaged).unwrap(),
        &ours[..ours.len() - 2],
        wider.value("page_token").unwrap(),
        bens_page.value("page_token").unwrap(),
        general.value("page_token").unwrap(),
    ] {
        let mut form = form.clone();
        form.fill("page_token", wrong);
        let answer = browser.press(&form, ("decision", "allow")).await.expect(403);
        assert!(answer.text().contains("reload the page and try again"));
    }
    let request_only = [("request", form.value("request").unwrap())];
    browser.post("/oauth/authorizations", &request_only).await.expect(403);
    let other = browser.press(&form, ("decision", "maybe")).await;
    other.expect(400);
    browser.press(&form, ("", "")).await.expect(400);

    world.app.clock.advance(3_600);
    browser.press(&form, ("decision", "allow")).await.expect(403);
}

#[tokio::test]
async fn a_session_that_ended_before_the_consent_is_asked_to_sign_in_again() {
    let world = World::new().await;
    let browser = world.signed_in().await;
    let address = request(&world.reports, &[]);
    let page = browser.get(&address).await.expect(200);
    let user = |user: &mut tokenry_core::user::User| user.password_epoch += 1;
    world.app.change_user(&world.ada, user).await;
    let answer = decide(&browser, &page, "allow").await.expect(303);
    let expected = format!("/sign-in?return_to={}", encoded(&address));
    assert_eq!(answer.location(), expected);
}

#[tokio::test]
async fn the_request_is_judged_again_when_the_user_answers() {
    let world = World::new().await;
    let browser = world.signed_in().await;
    let page = browser.get(&request(&world.reports, &[])).await.expect(200);
    world
        .app
        .change_client(&world.reports, |client| {
            client.allowed_scope = Some(Scope::parse("tickets:read").unwrap());
        })
        .await;
    let answer = decide(&browser, &page, "allow").await.expect(303);
    let error = parameter(answer.location(), "error");
    assert_eq!(error.as_deref(), Some("invalid_scope"));
    let elsewhere = |client: &mut tokenry_core::client::Client| {
        let moved = "https://elsewhere.test/callback";
        client.redirect_uris = vec![RedirectUri::parse(moved, ClientKind::Confidential).unwrap()];
    };
    world.app.change_client(&world.reports, elsewhere).await;
    for decision in ["allow", "deny"] {
        let answer = decide(&browser, &page, decision).await.expect(400);
        assert_eq!(answer.header("location"), None);
    }
}

#[tokio::test]
async fn the_consent_page_may_be_neither_framed_nor_kept_and_sends_forms_to_the_client_alone() {
    let world = World::new().await;
    let browser = world.signed_in().await;
    world
        .app
        .change_client(&world.reports, |client| {
            client.logo_url = Some("https://cdn.acme.test/logo.png".to_owned());
        })
        .await;
    let page = browser.get(&request(&world.reports, &[])).await.expect(200);
    for (name, value) in [
        ("content-type", Some("text/html; charset=utf-8")),
        ("cache-control", Some("no-store")),
        ("referrer-policy", Some("no-referrer")),
        (
            "content-security-policy",
            Some(
                "default-src 'none'; style-src 'self'; img-src 'self' https://cdn.acme.test; \
                 form-action 'self' https://acme-reports.test; \
                 base-uri 'none'; frame-ancestors 'none'",
            ),
        ),
        ("x-frame-options", Some("DENY")),
        ("x-content-type-options", Some("nosniff")),
        ("cross-origin-resource-policy", Some("same-origin")),
        // A client that authorizes in a pop-up must not lose it here.
        ("cross-origin-opener-policy", None),
        ("set-cookie", None),
    ] {
        assert_eq!(page.header(name), value, "{name}");
    }
    let mobile = request(&world.mobile, &[("redirect_uri", "http://127.0.0.1:53123/callback")]);
    let page = browser.get(&mobile).await.expect(200);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("form-action 'self' http://127.0.0.1:53123;"), "{policy}");
}

#[tokio::test]
async fn what_a_client_says_of_itself_is_text_and_never_markup() {
    let world = World::new().await;
    let browser = world.signed_in().await;
    let hostile = "\"><script>alert(1)</script><img src=x onerror=alert(2)>";
    world
        .app
        .change_client(&world.reports, |client| {
            client.name = hostile.to_owned();
            client.company = Some(hostile.to_owned());
            client.description = Some(hostile.to_owned());
            client.logo_url = Some(format!("javascript:{hostile}"));
        })
        .await;
    let consent = browser.get(&request(&world.reports, &[("state", hostile)])).await;
    let unknown = browser.get(&request(&world.reports, &[("client_id", hostile)])).await;
    let address = request(&world.reports, &[("redirect_uri", hostile)]);
    let address = browser.get(&address).await;
    let sign_in = world.app.get(&request(&world.reports, &[])).await.expect(303);
    let sign_in = world.app.get(sign_in.location()).await;
    for page in [consent.expect(200), unknown.expect(400), address.expect(400), sign_in] {
        let html = page.text();
        assert!(html.contains("script"), "{html}");
        for markup in ["<script", "<img src=x", "javascript:"] {
            assert!(!html.contains(markup), "{html}");
        }
    }
}

#[tokio::test]
async fn names_that_mean_nothing_are_consented_to_where_they_are_accepted() {
    let asked = [("scope", "reed tickets:read")];
    let world = World::with(|config| config.tokens.unknown_scopes = UnknownScopes::Accept).await;
    let browser = world.signed_in().await;
    let page = browser.get(&request(&world.reports, &asked)).await.expect(200);
    let answer = decide(&browser, &page, "allow").await.expect(303);
    let code = parameter(answer.location(), "code").unwrap();
    let tokens = world.redeem(&world.reports, &code).await.expect(200).json();
    assert_eq!(tokens["scope"], "reed tickets:read");

    let strict = World::new().await;
    let browser = strict.signed_in().await;
    let answer = browser.get(&request(&strict.reports, &asked)).await.expect(303);
    assert_eq!(parameter(answer.location(), "error").as_deref(), Some("invalid_scope"));
}
