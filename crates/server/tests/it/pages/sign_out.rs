//! Signing out.

use crate::support::{Browser, Form, PASSWORD, TestApp, TestUser};

const CONNECTIONS: &str = "/account/connections";

async fn signed_in<'a>(app: &'a TestApp, user: &TestUser) -> Browser<'a> {
    let browser = app.browser();
    browser.sign_in(user).await;
    browser
}

#[tokio::test]
async fn the_session_ends_in_the_store_so_a_copied_cookie_ends_with_it() {
    let app = TestApp::new().await;
    let ada = app.end_user("Ada").await;
    let browser = signed_in(&app, &ada).await;
    let copy = browser.cookie("tokenry_session");
    let page = browser.get(CONNECTIONS).await.expect(200);
    let answer = browser.press(&Form::find(&page, "/sign-out"), ("", "")).await;
    assert_eq!(answer.expect(303).location(), "/signed-out");
    assert_eq!(browser.cookie("tokenry_session"), None);
    let page = browser.get("/signed-out").await.expect(200);
    assert!(page.text().contains("You are signed out"));
    let thief = app.browser();
    thief.set_cookie("tokenry_session", copy.as_deref());
    thief.get(CONNECTIONS).await.expect(303);
}

#[tokio::test]
async fn nobody_is_signed_out_by_a_form_from_elsewhere() {
    let app = TestApp::new().await;
    let (ada, ben) = (app.end_user("Ada").await, app.end_user("Ben").await);
    let browser = signed_in(&app, &ada).await;
    let bens = signed_in(&app, &ben).await;
    let bens_page = bens.get(CONNECTIONS).await.expect(200);
    let foreign = Form::find(&bens_page, "/sign-out");
    let foreign = foreign.value("page_token").unwrap();
    for fields in [&[][..], &[("page_token", "")], &[("page_token", foreign)]] {
        let answer = browser.post("/sign-out", fields).await.expect(403);
        assert!(answer.text().contains("Nothing was changed"));
        browser.get(CONNECTIONS).await.expect(200);
    }
}

#[tokio::test]
async fn signing_out_twice_is_no_mistake() {
    let app = TestApp::new().await;
    let answer = app.post("/sign-out").form(&[]).await.expect(303);
    assert_eq!(answer.location(), "/signed-out");
}

#[tokio::test]
async fn another_user_may_take_over_at_the_consent_page_and_comes_back_to_it() {
    let app = TestApp::new().await;
    let (ada, ben) = (app.end_user("Ada").await, app.end_user("Ben").await);
    app.confidential_client("acme_reports", &ada).await;
    let browser = signed_in(&app, &ada).await;
    let request = "/oauth/authorizations/new?response_type=code&client_id=acme_reports";
    let page = browser.get(request).await.expect(200);
    let form = Form::find(&page, "/sign-out");
    let mut elsewhere = form.clone();
    elsewhere.fill("return_to", "/oauth/authorizations/new?client_id=other");
    browser.press(&elsewhere, ("", "")).await.expect(403);

    let answer = browser.press(&form, ("", "")).await.expect(303);
    let page = browser.get(answer.location()).await.expect(200);
    let mut form = Form::find(&page, "/sign-in");
    form.fill("email", &ben.email);
    form.fill("password", PASSWORD);
    let back = browser.press(&form, ("", "")).await.expect(303);
    let page = browser.get(back.location()).await.expect(200);
    assert!(page.text().contains(&ben.email) && !page.text().contains(&ada.email));
}

#[tokio::test]
async fn a_store_that_is_away_signs_nobody_out() {
    let app = TestApp::new().await;
    let ada = app.end_user("Ada").await;
    let browser = signed_in(&app, &ada).await;
    let page = browser.get(CONNECTIONS).await.expect(200);
    app.store.go_away();
    browser.press(&Form::find(&page, "/sign-out"), ("", "")).await.expect(503);
    app.store.come_back();
    browser.get(CONNECTIONS).await.expect(200);
}
