//! The start page, and the page for every address that is nobody's.

use super::words;
use crate::support::{Form, TestApp};

#[tokio::test]
async fn the_start_page_knows_who_looks_at_it() {
    let app = TestApp::new().await;
    let ada = app.end_user("Ada").await;
    let browser = app.browser();
    let page = browser.get("/").await.expect(200);
    assert!(page.text().contains("href=\"/sign-in\""));
    browser.sign_in(&ada).await;
    let page = browser.get("/").await.expect(200);
    assert!(page.text().contains(&ada.email));
    browser.press(&Form::find(&page, "/sign-out"), ("", "")).await.expect(303);
    let page = browser.get("/").await.expect(200);
    assert!(!page.text().contains(&ada.email));
}

#[tokio::test]
async fn an_address_that_is_nobodys_is_a_page_that_names_the_request() {
    let app = TestApp::new().await;
    let page = app.get("/nowhere").header("x-request-id", "r-1.a").await.expect(404);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(words(&page).ends_with("Request ID r-1.a"));
    let page = app.get("/nowhere").header("x-request-id", "<b>").await.expect(404);
    let id = page.header("x-request-id").unwrap();
    assert!(words(&page).ends_with(&format!("Request ID {id}")));
    let head = app.call("HEAD", "/nowhere").await.expect(404);
    assert_eq!(head.text(), "");
}
