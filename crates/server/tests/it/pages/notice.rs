//! The notice of the installation, above every page that a person can come to.

use super::words;
use crate::support::{Form, TestApp, authorization_request};

const NOTICE: &str = "A test <b>installation</b>: nothing is real.";

async fn app(notice: Option<&str>) -> TestApp {
    TestApp::with(|config| config.notice = notice.map(str::to_owned)).await
}

#[tokio::test]
async fn every_page_has_it_as_text_and_so_have_the_pages_of_errors() {
    let app = app(Some(NOTICE)).await;
    let ada = app.admin("Ada").await;
    let client = app.confidential_client("acme_reports", &ada).await;
    let asked = authorization_request(&client, &[]);
    let mut pages = Vec::new();
    for path in ["/", "/sign-in", "/signed-out"] {
        pages.push(app.get(path).await.expect(200));
    }
    let browser = app.browser();
    browser.sign_in(&ada).await;
    for path in ["/", "/account/connections", &asked] {
        pages.push(browser.get(path).await.expect(200));
    }
    pages.push(app.post("/sign-in").form(&[]).await.expect(403));
    let other = app.browser();
    let mut form = Form::find(&other.get("/sign-in").await, "/sign-in");
    form.fill("email", &ada.email);
    form.fill("password", "wrong");
    pages.push(other.press(&form, ("", "")).await.expect(422));
    pages.push(app.get("/nowhere").await.expect(404));
    pages.push(app.get("/oauth/authorizations/new").await.expect(400));
    pages.push(app.get("/oauth/authorizations/new?client_id=nobody").await.expect(400));
    pages.push(app.post("/sign-in").json(&serde_json::json!({})).await.expect(415));
    app.store.go_away();
    pages.push(browser.get("/account/connections").await.expect(503));
    for page in pages {
        let text = page.text();
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        assert!(!text.contains("<b>"), "{text}");
        let shown = text.split("<aside class=\"site-notice").nth(1).expect("a notice");
        let shown = shown.split("</aside>").next().unwrap();
        assert!(
            shown.ends_with("A test &#60;b&#62;installation&#60;/b&#62;: nothing is real.</p>"),
            "{shown}"
        );
    }
}

#[tokio::test]
async fn without_one_no_page_mentions_it_and_no_answer_of_a_program_ever_does() {
    let without = app(None).await;
    for (path, status) in [("/", 200), ("/sign-in", 200), ("/nowhere", 404)] {
        let page = without.get(path).await.expect(status);
        assert!(!page.text().contains("site-notice"), "{path}");
        assert!(!words(&page).contains("test installation"), "{path}");
    }
    let with = app(Some(NOTICE)).await;
    for path in ["/api/v2/users/me", "/api/v2/nowhere", "/oauth/token", "/healthz"] {
        assert!(!with.get(path).await.text().contains("installation"), "{path}");
    }
}
