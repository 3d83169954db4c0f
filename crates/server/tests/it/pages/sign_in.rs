//! Signing in.

use tokenry_core::user::User;
use tokenry_protocol::secret::{Credential, Kind};
use tokenry_server::config::{BaseUrl, Config, Mode};
use tokenry_store::Store as _;

use crate::support::{Answer, Browser, Form, PASSWORD, TestApp, TestUser};

const SESSION: &str = "tokenry_session";
const CONNECTIONS: &str = "/account/connections";

/// Fills in the sign-in page and sends it.
async fn attempt(browser: &Browser<'_>, email: &str, password: &str) -> Answer {
    attempt_at("/sign-in", browser, email, password).await
}

async fn attempt_at(page: &str, browser: &Browser<'_>, email: &str, password: &str) -> Answer {
    let page = browser.get(page).await.expect(200);
    let mut form = Form::find(&page, "/sign-in");
    form.fill("email", email);
    form.fill("password", password);
    browser.press(&form, ("", "")).await
}

async fn is_signed_in(browser: &Browser<'_>) -> bool {
    match browser.get(CONNECTIONS).await.status {
        200 => true,
        303 => false,
        status => panic!("{status}"),
    }
}

fn cookies(answer: &Answer) -> Vec<&str> {
    let all = answer.headers.get_all("set-cookie").iter();
    all.map(|value| value.to_str().unwrap()).collect()
}

/// A page without what is drawn for it: its token and its request id.
fn without_what_is_drawn(page: &Answer) -> String {
    let token = Form::find(page, "/sign-in");
    let token = token.value("page_token").unwrap();
    page.text().replace(token, "…")
}

fn on_https(config: &mut Config) {
    let base = ("TOKENRY_BASE_URL".to_owned(), "https://auth.acme.test".to_owned());
    let loaded = Config::load(Mode::Serve, None, std::iter::once(base), &[]).unwrap();
    config.base_url = loaded.config.base_url.filter(BaseUrl::is_https);
}

async fn app_with_ada() -> (TestApp, TestUser) {
    let app = TestApp::new().await;
    let ada = app.end_user("Ada Lovelace").await;
    (app, ada)
}

#[tokio::test]
async fn the_session_cookie_is_out_of_reach_of_scripts_and_of_other_sites() {
    let (app, ada) = app_with_ada().await;
    let answer = attempt(&app.browser(), &ada.email, PASSWORD).await.expect(303);
    let (name, rest) = cookies(&answer)[0].split_once('=').unwrap();
    let (value, attributes) = rest.split_once(';').unwrap();
    assert_eq!(name, "tokenry_session");
    assert_eq!(attributes, " Path=/; Max-Age=43200; HttpOnly; SameSite=Lax");
    let credential = Credential::parse(value).unwrap();
    assert_eq!(credential.parts().kind, Kind::SignInSession);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn on_https_every_cookie_is_secure_and_bound_to_the_host() {
    let app = TestApp::with(on_https).await;
    let ada = app.end_user("Ada").await;
    let browser = app.browser();
    let page = browser.get("/sign-in").await.expect(200);
    let answer = attempt(&browser, &ada.email, PASSWORD).await.expect(303);
    let all = [cookies(&page), cookies(&answer)].concat();
    assert_eq!(all.len(), 3);
    for cookie in all {
        assert!(cookie.starts_with("__Host-tokenry_"), "{cookie}");
        assert!(cookie.contains("; Path=/;") && cookie.ends_with("; SameSite=Lax; Secure"));
        assert!(cookie.contains("; HttpOnly") && !cookie.contains("Domain"));
    }
    assert!(is_signed_in(&browser).await);
}

#[tokio::test]
async fn only_the_hash_of_a_session_is_at_rest() {
    let (app, ada) = app_with_ada().await;
    let browser = app.browser();
    browser.sign_in(&ada).await;
    let cookie = browser.cookie(SESSION).unwrap();
    let credential = Credential::parse(&cookie).unwrap();
    let id = credential.parts().id.try_into().unwrap();
    let session = app.store.find_sign_in_session(id).await.unwrap().unwrap();
    assert!(session.hash.matches(&credential.hash()));

    // The id alone, with another secret under the same key, opens nothing.
    let forged = app.mint(Kind::SignInSession, id.get(), 0);
    let thief = app.browser();
    thief.set_cookie(SESSION, Some(forged.reveal()));
    assert!(!is_signed_in(&thief).await);
    thief.set_cookie(SESSION, Some("garbage"));
    assert!(!is_signed_in(&thief).await);
    thief.set_cookie(SESSION, Some(&cookie));
    assert!(is_signed_in(&thief).await);
}

#[tokio::test]
async fn every_sign_in_begins_a_new_session_and_ends_the_one_before() {
    let (app, ada) = app_with_ada().await;
    let mallory = app.end_user("Mallory").await;
    let browser = app.browser();
    browser.sign_in(&mallory).await;
    let planted = browser.cookie(SESSION).unwrap();
    attempt_at("/sign-in?again=1", &browser, &ada.email, PASSWORD).await.expect(303);
    assert_ne!(browser.cookie(SESSION).unwrap(), planted);
    let connections = browser.get(CONNECTIONS).await.expect(200);
    assert!(connections.text().contains(&ada.email));
    let other = app.browser();
    other.set_cookie(SESSION, Some(&planted));
    assert!(!is_signed_in(&other).await);
}

#[tokio::test]
async fn an_unknown_user_a_wrong_password_and_a_suspended_user_are_one_case() {
    let (app, ada) = app_with_ada().await;
    let ben = app.end_user("Ben").await;
    app.change_user(&ben, |user| user.suspended = true).await;
    let cleo = app.end_user("Cleo").await;
    app.change_user(&cleo, |user| user.password_hash = None).await;
    let mut answers = Vec::new();
    for (email, password) in [
        ("nobody@acme.test", PASSWORD),
        (&ada.email, "wrong"),
        (&ada.email, ""),
        (&ada.email, " correct horse battery staple"),
        (&ben.email, PASSWORD),
        (&cleo.email, PASSWORD),
        ("", ""),
    ] {
        let answer = attempt(&app.browser(), email, password).await.expect(422);
        assert!(cookies(&answer).is_empty());
        let value = format!("value=\"{email}\"");
        let page = without_what_is_drawn(&answer).replace(&value, "value=\"\"");
        answers.push(page.replace(" autofocus", ""));
    }
    for answer in &answers {
        assert_eq!(answer, &answers[0]);
    }
    assert!(answers[0].contains("Email or password is wrong"));
}

#[tokio::test]
async fn the_address_may_be_spelled_in_any_case() {
    let (app, ada) = app_with_ada().await;
    let email = format!(" {} ", ada.email.to_uppercase());
    attempt(&app.browser(), &email, PASSWORD).await.expect(303);
}

#[tokio::test]
async fn after_signing_in_the_way_leads_to_this_server_alone() {
    let (app, ada) = app_with_ada().await;
    for (wish, location) in [
        ("", CONNECTIONS),
        ("/account/connections?after=7", "/account/connections?after=7"),
        ("https://evil.test/", CONNECTIONS),
        ("//evil.test/", CONNECTIONS),
        ("///evil.test/", CONNECTIONS),
        ("/\\evil.test/", CONNECTIONS),
        ("\\\\evil.test/", CONNECTIONS),
        ("/\t/evil.test/", CONNECTIONS),
        ("/\r\nSet-Cookie: a=b", CONNECTIONS),
        ("javascript:alert(1)", CONNECTIONS),
        ("evil.test", CONNECTIONS),
        ("/é", CONNECTIONS),
    ] {
        let browser = app.browser();
        let encoded: String = form_urlencoded::byte_serialize(wish.as_bytes()).collect();
        let address = format!("/sign-in?return_to={encoded}");
        let answer = attempt_at(&address, &browser, &ada.email, PASSWORD).await;
        assert_eq!(answer.expect(303).location(), location, "{wish:?}");
        // Neither the form nor a browser that is signed in already is led elsewhere.
        let again = browser.get(&address).await.expect(303);
        assert_eq!(again.location(), location, "{wish:?}");
        let page = app.browser();
        let mut form = Form::find(&page.get("/sign-in").await, "/sign-in");
        form.fill("email", &ada.email);
        form.fill("password", PASSWORD);
        form.fill("return_to", wish);
        let answer = page.press(&form, ("", "")).await.expect(303);
        assert_eq!(answer.location(), location, "{wish:?}");
    }
}

#[tokio::test]
async fn a_form_that_this_browser_was_not_given_signs_nobody_in() {
    let (app, ada) = app_with_ada().await;
    let browser = app.browser();
    let page = browser.get("/sign-in").await.expect(200);
    let mut form = Form::find(&page, "/sign-in");
    form.fill("email", &ada.email);
    form.fill("password", PASSWORD);
    let other = app.browser();
    other.get("/sign-in").await.expect(200);
    for wrong in [&app.browser(), &other] {
        let answer = wrong.press(&form, ("", "")).await.expect(403);
        assert!(answer.text().contains("This page was open too long"));
        assert!(!cookies(&answer).iter().any(|cookie| cookie.starts_with(SESSION)));
    }
    let mut without = form.clone();
    without.fill("page_token", "");
    browser.press(&without, ("", "")).await.expect(403);
    app.clock.advance(3_600);
    let late = browser.press(&form, ("", "")).await.expect(403);
    // The page that says so works.
    let mut form = Form::find(&late, "/sign-in");
    assert_eq!(form.value("email").unwrap(), ada.email);
    form.fill("password", PASSWORD);
    browser.press(&form, ("", "")).await.expect(303);
}

#[tokio::test]
async fn a_session_ends_with_its_time_its_password_and_its_user() {
    let (app, ada) = app_with_ada().await;
    let browser = app.browser();
    browser.sign_in(&ada).await;
    app.clock.advance(43_199);
    assert!(is_signed_in(&browser).await);
    app.clock.advance(1);
    assert!(!is_signed_in(&browser).await);

    browser.sign_in(&ada).await;
    app.change_user(&ada, |user| user.password_epoch += 1).await;
    assert!(!is_signed_in(&browser).await);

    browser.sign_in(&ada).await;
    app.change_user(&ada, |user| user.suspended = true).await;
    assert!(!is_signed_in(&browser).await);
    app.change_user(&ada, |user| user.suspended = false).await;

    browser.set_cookie(SESSION, None);
    browser.sign_in(&ada).await;
    app.store.delete_user(ada.id, app.now()).await.unwrap();
    app.state.directory.evict_user(ada.id);
    assert!(!is_signed_in(&browser).await);
    attempt(&browser, &ada.email, PASSWORD).await.expect(422);
}

#[tokio::test]
async fn over_twenty_failures_a_minute_even_the_right_password_is_refused() {
    let (app, ada) = app_with_ada().await;
    let shouted = ada.email.to_uppercase();
    for number in 0..20 {
        let email = if number % 2 == 0 { &ada.email } else { &shouted };
        attempt(&app.browser(), email, "wrong").await.expect(422);
    }
    app.clock.advance(18);
    let refused = attempt(&app.browser(), &ada.email, PASSWORD).await.expect(429);
    assert_eq!(refused.header("retry-after"), Some("42"));
    assert!(refused.text().contains("Try again in 42 seconds"));
    assert_eq!(Form::find(&refused, "/sign-in").value("email").unwrap(), ada.email);
    let ben = app.end_user("Ben").await;
    attempt(&app.browser(), &ben.email, PASSWORD).await.expect(303);
    app.clock.advance(42);
    attempt(&app.browser(), &ada.email, PASSWORD).await.expect(303);
}

#[tokio::test]
async fn successes_do_not_count() {
    let (app, ada) = app_with_ada().await;
    let browser = app.browser();
    for _ in 0..25 {
        attempt_at("/sign-in?again=1", &browser, &ada.email, PASSWORD).await.expect(303);
    }
    attempt(&app.browser(), &ada.email, PASSWORD).await.expect(303);
}

#[tokio::test]
async fn a_browser_that_signed_in_before_keeps_a_way_in_of_its_own() {
    let (app, ada) = app_with_ada().await;
    let ben = app.end_user("Ben").await;
    let (adas, bens) = (app.browser(), app.browser());
    adas.sign_in(&ada).await;
    bens.sign_in(&ben).await;
    for browser in [&adas, &bens] {
        browser.set_cookie(SESSION, None);
    }
    for _ in 0..20 {
        attempt(&app.browser(), &ada.email, "wrong").await.expect(422);
    }
    // Knowing another account is no way into this one; nor is a cookie that was tampered with.
    attempt(&bens, &ada.email, PASSWORD).await.expect(429);
    let mut tampered = adas.cookie("tokenry_known").unwrap().into_bytes();
    tampered[12] = if tampered[12] == b'A' { b'B' } else { b'A' };
    let thief = app.browser();
    thief.set_cookie("tokenry_known", Some(&String::from_utf8(tampered).unwrap()));
    attempt(&thief, &ada.email, PASSWORD).await.expect(429);

    attempt(&adas, &ada.email, "wrong").await.expect(422);
    attempt(&adas, &ada.email, PASSWORD).await.expect(303);
    // Two people at one browser both stay known.
    attempt_at("/sign-in?again=1", &adas, &ben.email, PASSWORD).await.expect(303);
    attempt_at("/sign-in?again=1", &adas, &ada.email, PASSWORD).await.expect(303);

    // That way has a limit of its own.
    adas.set_cookie(SESSION, None);
    app.clock.advance(60);
    for _ in 0..20 {
        attempt(&adas, &ada.email, "wrong").await.expect(422);
    }
    attempt(&adas, &ada.email, PASSWORD).await.expect(429);
    attempt(&app.browser(), &ada.email, PASSWORD).await.expect(303);
}

#[tokio::test]
async fn a_browser_is_known_as_long_as_the_password_is_the_one_it_knew() {
    let (app, ada) = app_with_ada().await;
    let browser = app.browser();
    browser.sign_in(&ada).await;
    app.change_user(&ada, |user: &mut User| user.password_epoch += 1).await;
    for _ in 0..20 {
        attempt(&app.browser(), &ada.email, "wrong").await.expect(422);
    }
    attempt(&browser, &ada.email, PASSWORD).await.expect(429);
}

#[tokio::test]
async fn over_sixty_failures_a_minute_an_address_is_refused_whatever_the_account() {
    let (app, ada) = app_with_ada().await;
    for number in 0..60 {
        let email = format!("user{number}@acme.test");
        attempt(&app.browser(), &email, "wrong").await.expect(422);
    }
    attempt(&app.browser(), &ada.email, PASSWORD).await.expect(429);
}

#[tokio::test]
async fn without_limits_nobody_is_refused() {
    let app = TestApp::with(|config| {
        config.limits.failed_authentications_per_account = None;
        config.limits.failed_authentications_per_address = None;
    })
    .await;
    let ada = app.end_user("Ada").await;
    for _ in 0..25 {
        attempt(&app.browser(), &ada.email, "wrong").await.expect(422);
    }
    attempt(&app.browser(), &ada.email, PASSWORD).await.expect(303);
}

#[tokio::test]
async fn the_page_names_the_client_and_lets_the_form_end_there() {
    let (app, ada) = app_with_ada().await;
    let reports = app.confidential_client("acme_reports", &ada).await;
    let request = "/oauth/authorizations/new?response_type=code&client_id=acme_reports";
    let grant = app.grant(&ada, &reports, "read").await;
    let browser = app.browser();
    let sent = browser.get(request).await.expect(303);
    let page = browser.get(sent.location()).await.expect(200);
    assert!(page.text().contains("to go on to"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("form-action 'self' https://acme-reports.test;"), "{policy}");
    assert_eq!(page.header("cross-origin-opener-policy"), None);

    // Nothing is left to ask, so the answer to the form redirects straight to the client.
    let back = attempt_at(sent.location(), &browser, &ada.email, PASSWORD).await;
    let answer = browser.get(back.expect(303).location()).await.expect(303);
    assert!(answer.location().starts_with("https://acme-reports.test/callback?code="));
    assert!(app.is_alive(&grant.access).await);

    let plain = app.get("/sign-in").await.expect(200);
    let policy = plain.header("content-security-policy").unwrap();
    assert!(policy.contains("form-action 'self';"), "{policy}");
    assert_eq!(plain.header("cross-origin-opener-policy"), Some("same-origin"));
    assert_eq!(plain.header("x-frame-options"), Some("DENY"));
}

#[tokio::test]
async fn a_browser_that_is_signed_in_goes_on_at_once() {
    let (app, ada) = app_with_ada().await;
    let browser = app.browser();
    browser.sign_in(&ada).await;
    let answer = browser.get("/sign-in?return_to=%2Faccount%2Fconnections%3Fafter%3D1").await;
    assert_eq!(answer.expect(303).location(), "/account/connections?after=1");
    let again = browser.get("/sign-in?again=1").await.expect(200);
    assert!(again.text().contains("Please sign in once more"));
}

#[tokio::test]
async fn a_store_that_is_away_is_no_failed_attempt() {
    let (app, ada) = app_with_ada().await;
    let browser = app.browser();
    let page = browser.get("/sign-in").await.expect(200);
    let mut form = Form::find(&page, "/sign-in");
    form.fill("email", &ada.email);
    form.fill("password", PASSWORD);
    app.store.go_away();
    for _ in 0..25 {
        let answer = browser.press(&form, ("", "")).await.expect(503);
        assert_eq!(answer.header("retry-after"), Some("2"));
    }
    app.store.come_back();
    browser.press(&form, ("", "")).await.expect(303);
}
