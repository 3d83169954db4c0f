//! The authorization endpoint, as a browser sees it.

mod consent;
mod refusal;

use tokenry_protocol::{
    pkce::CodeVerifier,
    redirect_uri::{ClientKind, RedirectUri},
};
use tokenry_server::config::Config;

use crate::support::{
    AUTHORIZATION as REQUEST, Answer, Browser, Form, PASSWORD, TestApp, TestClient, TestUser,
    VERIFIER, authorization_request as request, parameter,
};

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

struct World {
    app: TestApp,
    ada: TestUser,
    reports: TestClient,
    mobile: TestClient,
}

impl World {
    async fn new() -> Self {
        Self::with(|_| ()).await
    }

    async fn with(configure: impl FnOnce(&mut Config)) -> Self {
        let app = TestApp::with(configure).await;
        let ada = app.end_user("Ada Lovelace").await;
        let reports = app.confidential_client("acme_reports", &ada).await;
        let mobile = app.public_client("acme_mobile", &ada).await;
        Self { app, ada, reports, mobile }
    }

    async fn signed_in(&self) -> Browser<'_> {
        let browser = self.app.browser();
        browser.sign_in(&self.ada).await;
        browser
    }

    async fn redeem(&self, client: &TestClient, code: &str) -> Answer {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &client.redirect_uri),
        ];
        let call = self.app.post("/oauth/token");
        let call = if client.is_public() {
            form.push(("client_id", &client.identifier));
            form.push(("code_verifier", VERIFIER));
            call
        } else {
            call.by_client(client)
        };
        call.form(&form).await
    }
}

/// Presses a button of the consent page.
async fn decide(browser: &Browser<'_>, page: &Answer, decision: &str) -> Answer {
    let form = Form::find(page, "/oauth/authorizations");
    browser.press(&form, ("decision", decision)).await
}

#[tokio::test]
async fn who_is_not_signed_in_goes_to_the_sign_in_page_with_the_way_back() {
    let world = World::new().await;
    let address = request(&world.reports, &[("unknown", "1 2")]);
    let answer = world.app.get(&address).await.expect(303);
    let expected = format!("/sign-in?return_to={}", encoded(&address));
    assert_eq!(answer.location(), expected);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
}

#[tokio::test]
async fn a_user_signs_in_and_consents_and_the_client_redeems_the_code() {
    let world = World::new().await;
    let browser = world.app.browser();
    for client in [&world.reports, &world.mobile] {
        let alias = request(client, &[]).replace(REQUEST, "/oauth/authorize");
        browser.set_cookie("tokenry_session", None);
        let sign_in = browser.get(&alias).await.expect(303);
        let sign_in = browser.get(sign_in.location()).await.expect(200);
        assert!(sign_in.text().contains(&client.identifier));
        let mut form = Form::find(&sign_in, "/sign-in");
        form.fill("email", &world.ada.email);
        form.fill("password", PASSWORD);
        let back = browser.press(&form, ("", "")).await.expect(303);
        assert_eq!(back.location(), alias);

        let page = browser.get(back.location()).await.expect(200);
        for shown in [&client.identifier, &world.ada.email, &world.ada.name] {
            assert!(page.text().contains(shown), "{shown}");
        }
        let answer = decide(&browser, &page, "allow").await.expect(303);
        assert!(answer.location().starts_with(&format!("{}?code=c", client.redirect_uri)));
        assert_eq!(parameter(answer.location(), "state").unwrap(), "s1");
        assert_eq!(parameter(answer.location(), "iss").unwrap(), "http://127.0.0.1:4000");
        let code = parameter(answer.location(), "code").unwrap();
        let tokens = world.redeem(client, &code).await.expect(200).json();
        assert_eq!(tokens["scope"], "read");
    }
}

#[tokio::test]
async fn a_live_grant_that_covers_the_request_is_consent_enough_for_a_confidential_client() {
    let world = World::new().await;
    let browser = world.signed_in().await;
    let (ada, reports) = (&world.ada, &world.reports);
    let grant = world.app.grant(ada, reports, "tickets:read users").await;
    let ask = |scope| request(reports, &[("scope", scope)]);
    for covered in ["tickets:read", "users:read tickets:read", "users"] {
        let answer = browser.get(&ask(covered)).await.expect(303);
        let code = parameter(answer.location(), "code").unwrap();
        let tokens = world.redeem(reports, &code).await.expect(200).json();
        assert_eq!(tokens["scope"], covered);
    }
    let silent = request(reports, &[("scope", "users"), ("prompt", "none")]);
    let silent = browser.get(&silent).await.expect(303);
    assert!(parameter(silent.location(), "code").is_some());

    browser.get(&ask("tickets")).await.expect(200);
    browser.get(&ask("read")).await.expect(200);
    let again = request(reports, &[("scope", "users"), ("prompt", "consent")]);
    browser.get(&again).await.expect(200);

    let foreign = world.app.confidential_client("other", ada).await;
    let foreign = request(&foreign, &[("scope", "users")]);
    browser.get(&foreign).await.expect(200);
    let ben = world.app.end_user("Ben").await;
    let bens = world.app.browser();
    bens.sign_in(&ben).await;
    bens.get(&ask("users")).await.expect(200);
    assert!(world.app.is_alive(&grant.access).await);
}

#[tokio::test]
async fn a_public_client_asks_every_time() {
    let world = World::new().await;
    let browser = world.signed_in().await;
    world.app.grant(&world.ada, &world.mobile, "read").await;
    let page = browser.get(&request(&world.mobile, &[])).await.expect(200);
    assert!(page.text().contains("cannot prove who it is"));
    let silent = request(&world.mobile, &[("prompt", "none")]);
    let answer = browser.get(&silent).await.expect(303);
    let error = parameter(answer.location(), "error");
    assert_eq!(error.as_deref(), Some("consent_required"));
}

/// Its code could be redeemed by whoever sent the challenge.
#[tokio::test]
async fn where_a_verifier_stands_for_the_secret_a_challenge_is_asked_about_every_time() {
    let world = World::with(|config| config.tokens.pkce_without_secret = true).await;
    let browser = world.signed_in().await;
    world.app.grant(&world.ada, &world.reports, "read").await;
    let own = CodeVerifier::parse(VERIFIER).unwrap().challenge();
    let challenge = [("code_challenge", own.as_str()), ("code_challenge_method", "S256")];
    browser.get(&request(&world.reports, &challenge)).await.expect(200);
    let silent = [&challenge[..], &[("prompt", "none")]].concat();
    let answer = browser.get(&request(&world.reports, &silent)).await.expect(303);
    let error = parameter(answer.location(), "error");
    assert_eq!(error.as_deref(), Some("consent_required"));
    // Without a challenge the code takes the secret.
    let answer = browser.get(&request(&world.reports, &[])).await.expect(303);
    assert!(parameter(answer.location(), "code").is_some());
}

#[tokio::test]
async fn prompt_login_asks_for_one_new_sign_in_and_then_goes_on() {
    let world = World::new().await;
    let address = request(&world.reports, &[("prompt", "login")]);
    for browser in [world.signed_in().await, world.app.browser()] {
        let answer = browser.get(&address).await.expect(303);
        let return_to = parameter(answer.location(), "return_to").unwrap();
        assert_eq!(return_to, request(&world.reports, &[]));
        let page = browser.get(answer.location()).await.expect(200);
        let mut form = Form::find(&page, "/sign-in");
        form.fill("email", &world.ada.email);
        form.fill("password", PASSWORD);
        let back = browser.press(&form, ("", "")).await.expect(303);
        browser.get(back.location()).await.expect(200);
    }
    let both = request(&world.reports, &[("prompt", "login consent")]);
    let answer = world.app.get(&both).await.expect(303);
    let return_to = parameter(answer.location(), "return_to").unwrap();
    assert_eq!(parameter(&return_to, "prompt").unwrap(), "consent");
}

#[tokio::test]
async fn the_query_of_the_registered_address_is_kept() {
    let world = World::new().await;
    let browser = world.signed_in().await;
    let address = "https://acme-reports.test/callback?tenant=7";
    world
        .app
        .change_client(&world.reports, |client| {
            client.redirect_uris =
                vec![RedirectUri::parse(address, ClientKind::Confidential).unwrap()];
        })
        .await;
    for sent in [address, ""] {
        let request = request(&world.reports, &[("redirect_uri", sent), ("state", "")]);
        let page = browser.get(&request).await.expect(200);
        let answer = decide(&browser, &page, "allow").await.expect(303);
        assert!(answer.location().starts_with(&format!("{address}&code=c")));
        assert_eq!(parameter(answer.location(), "state"), None);
    }
}

#[tokio::test]
async fn a_way_back_that_is_too_long_for_an_address_stays_in_the_form() {
    let world = World::new().await;
    let browser = world.app.browser();
    let state = "é".repeat(1_000);
    let address = request(&world.reports, &[("state", &state)]);
    let page = browser.get(&address).await.expect(200);
    let mut form = Form::find(&page, "/sign-in");
    form.fill("email", &world.ada.email);
    form.fill("password", PASSWORD);
    let back = browser.press(&form, ("", "")).await.expect(303);
    assert_eq!(back.location(), address);
    let page = browser.get(&address).await.expect(200);
    let answer = decide(&browser, &page, "allow").await.expect(303);
    assert_eq!(parameter(answer.location(), "state").unwrap(), state);
}
