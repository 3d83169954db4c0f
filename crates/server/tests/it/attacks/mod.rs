//! Attacks, each tried as an attacker would: whole sequences, not single rules.
//! `docs/attacks.md` lists them with those that the other folders try.

mod browser;
mod client_takeover;
mod code_theft;
mod disclosure;
mod guessing;
mod host;
mod redirect_uri;
mod token_misuse;

use serde_json::Value;

use crate::support::{Answer, Browser, Form, TestApp, TestClient, TestUser};

const TOKENS: &str = "/api/v2/oauth/tokens";
const CLIENTS: &str = "/api/v2/oauth/clients";
const API_TOKENS: &str = "/api/v2/api_tokens";

/// An administrator with a client of either kind, a victim, and somebody who wants to be them.
struct World {
    app: TestApp,
    ada: TestUser,
    victim: TestUser,
    mallory: TestUser,
    reports: TestClient,
    mobile: TestClient,
    /// Mallory's own, honestly registered.
    evil: TestClient,
}

impl World {
    async fn new() -> Self {
        Self::of(TestApp::new().await).await
    }

    async fn of(app: TestApp) -> Self {
        let ada = app.admin("Ada").await;
        let victim = app.end_user("Vic").await;
        let mallory = app.end_user("Mallory").await;
        let reports = app.confidential_client("acme_reports", &ada).await;
        let mobile = app.public_client("acme_mobile", &ada).await;
        let evil = app.confidential_client("evil", &ada).await;
        Self { app, ada, victim, mallory, reports, mobile, evil }
    }

    /// A bearer token of the administrator's.
    async fn bearer(&self, scope: &str) -> String {
        self.app.created_token(&self.ada, &self.reports, scope).await.access
    }

    async fn signed_in(&self, user: &TestUser) -> Browser<'_> {
        let browser = self.app.browser();
        browser.sign_in(user).await;
        browser
    }

    /// The error of a client-credentials request, or the scope it was given.
    async fn client_credentials(&self, identifier: &str, secret: &str, scope: &str) -> String {
        let form = [("grant_type", "client_credentials"), ("scope", scope)];
        let answer = self.app.post("/oauth/token").basic(identifier, secret).form(&form).await;
        let body: Value = answer.json();
        body["error"].as_str().or(body["scope"].as_str()).unwrap().to_owned()
    }
}

/// Presses a button of the consent page, if there is one: the answer is where the browser is sent.
async fn consent(browser: &Browser<'_>, address: &str) -> Answer {
    let page = browser.get(address).await;
    if page.status == 303 {
        return page;
    }
    let form = Form::find(&page, "/oauth/authorizations");
    browser.press(&form, ("decision", "allow")).await.expect(303)
}
