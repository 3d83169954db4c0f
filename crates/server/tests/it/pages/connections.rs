//! Connected apps.

use tokenry_store::Store as _;

use super::words;
use crate::support::{Answer, Browser, Form, TestApp, TestClient, TestUser};

const PATH: &str = "/account/connections";

struct World {
    app: TestApp,
    ada: TestUser,
    ben: TestUser,
    reports: TestClient,
}

impl World {
    async fn new() -> Self {
        let app = TestApp::new().await;
        let ada = app.end_user("Ada").await;
        let ben = app.end_user("Ben").await;
        let reports = app.confidential_client("acme_reports", &ada).await;
        Self { app, ada, ben, reports }
    }

    async fn adas_browser(&self) -> Browser<'_> {
        let browser = self.app.browser();
        browser.sign_in(&self.ada).await;
        browser
    }
}

/// The forms that end something.
fn ends(page: &Answer) -> Vec<Form> {
    let forms = Form::all(page).into_iter();
    forms.filter(|form| form.action.ends_with("/revoke")).collect()
}

#[tokio::test]
async fn who_is_not_signed_in_signs_in_first() {
    let app = TestApp::new().await;
    let answer = app.get("/account/connections?after=7").await.expect(303);
    assert_eq!(answer.location(), "/sign-in?return_to=%2Faccount%2Fconnections%3Fafter%3D7");
    let answer = app.post("/account/connections/7/revoke").form(&[]).await.expect(303);
    assert_eq!(answer.location(), "/sign-in?return_to=%2Faccount%2Fconnections");
}

#[tokio::test]
async fn a_user_sees_every_grant_of_theirs_and_no_other() {
    let world = World::new().await;
    let app = &world.app;
    let mobile = app.public_client("acme_mobile", &world.ben).await;
    app.grant(&world.ada, &world.reports, "tickets:read").await;
    app.grant(&world.ada, &mobile, "read").await;
    app.created_token(&world.ada, &world.reports, "users").await;
    app.grant(&world.ben, &world.reports, "hc").await;
    // A code that was not redeemed is no access yet.
    app.code(&world.ada, &world.reports, "webhooks").await;
    let page = world.adas_browser().await.get(PATH).await.expect(200);
    assert_eq!(ends(&page).len(), 3);
    assert!(page.text().contains("acme_reports") && page.text().contains("acme_mobile"));
    assert!(page.text().contains("View tickets"));
    assert!(!page.text().contains("webhooks"));
}

/// Its refresh token has expired, and its access token works all the same.
#[tokio::test]
async fn a_grant_whose_access_token_does_not_expire_never_ends_by_itself() {
    let app = TestApp::with(|config| config.tokens.access_token_lifetime = None).await;
    let ada = app.end_user("Ada").await;
    let reports = app.confidential_client("acme_reports", &ada).await;
    app.grant(&ada, &reports, "read").await;
    for days in [0, 31] {
        app.clock.advance(days * 86_400);
        let browser = app.browser();
        browser.sign_in(&ada).await;
        let page = browser.get(PATH).await.expect(200);
        assert_eq!(ends(&page).len(), 1, "{days}");
        assert!(page.text().contains("Ends by itself</dt><dd>never</dd>"), "{}", page.text());
    }
}

#[tokio::test]
async fn the_last_use_is_shown_before_it_has_reached_the_store() {
    let world = World::new().await;
    let browser = world.adas_browser().await;
    let grant = world.app.grant(&world.ada, &world.reports, "read").await;
    let page = browser.get(PATH).await.expect(200);
    assert!(page.text().contains("never"));
    world.app.clock.advance(90);
    assert!(world.app.is_alive(&grant.access).await);
    world.app.clock.advance(180);
    let page = browser.get(PATH).await.expect(200);
    assert!(page.text().contains("2026-03-05T12:01:30Z"), "{}", page.text());
    assert!(page.text().contains("3 minutes ago"));
}

#[tokio::test]
async fn ending_access_works_before_the_answer_and_is_told_once() {
    let world = World::new().await;
    let browser = world.adas_browser().await;
    let (kept, ended) = (
        world.app.grant(&world.ada, &world.reports, "read").await,
        world.app.grant(&world.ada, &world.reports, "write").await,
    );
    assert!(world.app.is_alive(&ended.access).await);
    let page = browser.get(PATH).await.expect(200);
    let forms = ends(&page);
    let form = forms.iter().find(|form| form.action.contains(&format!("/{}/", ended.id)));
    let form = form.unwrap();
    let answer = browser.press(form, ("", "")).await.expect(303);
    assert_eq!(answer.location(), PATH);
    assert!(!world.app.is_alive(&ended.access).await);
    assert!(world.app.is_alive(&kept.access).await);
    assert!(!world.app.is_refreshable(&world.reports, &ended.refresh).await);
    assert_eq!(world.app.store.list_events(ended.id).await.unwrap().len(), 1);

    let page = browser.get(PATH).await.expect(200);
    assert!(words(&page).contains("Access ended for acme_reports"));
    assert_eq!(ends(&page).len(), 1);
    let page = browser.get(PATH).await.expect(200);
    assert!(!page.text().contains("Access ended"));

    // The button of a page that was open in another window.
    browser.press(form, ("", "")).await.expect(303);
    let page = browser.get(PATH).await.expect(200);
    assert!(page.text().contains("had already ended"));
}

#[tokio::test]
async fn somebody_elses_grant_answers_as_one_that_does_not_exist() {
    let world = World::new().await;
    let browser = world.adas_browser().await;
    let bens = world.app.grant(&world.ben, &world.reports, "read").await;
    let unredeemed = world.app.code(&world.ada, &world.reports, "read").await;
    let unredeemed = tokenry_protocol::secret::Credential::parse(&unredeemed).unwrap();
    let page = browser.get("/").await.expect(200);
    let token = Form::find(&page, "/sign-out");
    let token = token.value("page_token").unwrap();
    let mut pages = Vec::new();
    for id in [
        bens.id.to_string(),
        unredeemed.parts().id.to_string(),
        "987654321".to_owned(),
        "01".to_owned(),
        "x".to_owned(),
    ] {
        let path = format!("{PATH}/{id}/revoke");
        let answer = browser.post(&path, &[("page_token", token)]).await.expect(303);
        assert_eq!(answer.location(), PATH);
        let page = browser.get(PATH).await.expect(200);
        pages.push(page.text().replace(Form::find(&page, "/").value("page_token").unwrap(), "…"));
    }
    assert!(pages[0].contains("had already ended"));
    for page in &pages {
        assert_eq!(page, &pages[0]);
    }
    assert!(world.app.is_alive(&bens.access).await);
}

#[tokio::test]
async fn nothing_ends_by_a_form_from_elsewhere() {
    let world = World::new().await;
    let browser = world.adas_browser().await;
    let grant = world.app.grant(&world.ada, &world.reports, "read").await;
    let bens = world.app.browser();
    bens.sign_in(&world.ben).await;
    let bens_page = bens.get(PATH).await.expect(200);
    let foreign = Form::find(&bens_page, "/sign-out");
    let path = format!("{PATH}/{}/revoke", grant.id);
    let foreign = foreign.value("page_token").unwrap();
    for fields in [&[][..], &[("page_token", "x")], &[("page_token", foreign)]] {
        let answer = browser.post(&path, fields).await.expect(403);
        assert!(answer.text().contains("Nothing was changed"));
        assert!(world.app.is_alive(&grant.access).await);
    }
    let page = browser.get(PATH).await.expect(200);
    world.app.clock.advance(3_600);
    browser.press(&ends(&page)[0], ("", "")).await.expect(403);
    world.app.get(&path).await.expect(405);
}

#[tokio::test]
async fn a_notice_cannot_be_made_up() {
    let world = World::new().await;
    let browser = world.adas_browser().await;
    world.app.grant(&world.ada, &world.reports, "read").await;
    let page = browser.get(PATH).await.expect(200);
    browser.press(&ends(&page)[0], ("", "")).await.expect(303);
    let notice = browser.cookie("tokenry_notice").unwrap();
    let bens = world.app.browser();
    bens.sign_in(&world.ben).await;
    for notice in [notice.as_str(), "1.x", "1", "."] {
        bens.set_cookie("tokenry_notice", Some(notice));
        let page = bens.get(PATH).await.expect(200);
        assert!(!page.text().contains("role=\"status\""), "{notice}");
        assert_eq!(bens.cookie("tokenry_notice"), None);
    }
}

#[tokio::test]
async fn a_long_list_goes_on_at_the_next_page() {
    let world = World::new().await;
    let browser = world.adas_browser().await;
    for _ in 0..51 {
        world.app.created_token(&world.ada, &world.reports, "read").await;
    }
    let first = browser.get(PATH).await.expect(200);
    assert_eq!(ends(&first).len(), 50);
    let href = first.text().split("href=\"").find_map(|rest| {
        let href = rest.split('"').next()?;
        href.starts_with("/account/connections?after=").then_some(href)
    });
    let second = browser.get(href.unwrap()).await.expect(200);
    assert_eq!(ends(&second).len(), 1);
    for odd in ["?after=x", "?after=01", "?after=", "?after=1&after=2"] {
        let page = browser.get(&format!("{PATH}{odd}")).await.expect(200);
        assert_eq!(ends(&page).len(), 50, "{odd}");
    }
}

#[tokio::test]
async fn a_store_that_is_away_ends_nothing_and_says_so() {
    let world = World::new().await;
    let browser = world.adas_browser().await;
    let grant = world.app.grant(&world.ada, &world.reports, "read").await;
    assert!(world.app.is_alive(&grant.access).await);
    let page = browser.get(PATH).await.expect(200);
    world.app.store.go_away();
    browser.press(&ends(&page)[0], ("", "")).await.expect(503);
    world.app.store.come_back();
    assert!(world.app.is_alive(&grant.access).await);
}

#[tokio::test]
async fn names_of_clients_are_text_and_pictures_come_from_where_they_are_registered() {
    let world = World::new().await;
    let browser = world.adas_browser().await;
    world.app.grant(&world.ada, &world.reports, "read").await;
    world
        .app
        .change_client(&world.reports, |client| {
            client.name = "</h2><script>alert(1)</script>".to_owned();
            client.logo_url = Some("https://cdn.acme.test/logo.png".to_owned());
        })
        .await;
    let page = browser.get(PATH).await.expect(200);
    assert!(!page.text().contains("<script"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("img-src 'self' https://cdn.acme.test;"), "{policy}");
    assert!(policy.contains("form-action 'self';"), "{policy}");
    assert_eq!(page.header("cross-origin-opener-policy"), Some("same-origin"));
}
