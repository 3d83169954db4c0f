//! The record API. Docs: records, rules.

mod api_tokens;
mod body;
mod clients;
mod global_clients;
mod pagination;
mod revision;
mod tokens;
mod users;

use serde_json::{Value, json};
use tokenry_server::config::Config;

use crate::support::{Answer, TestApp, TestClient, TestUser};

const TOKENS: &str = "/api/v2/oauth/tokens";
const CLIENTS: &str = "/api/v2/oauth/clients";

/// An account: an administrator, an agent and an end user; a client of either kind.
struct World {
    app: TestApp,
    ada: TestUser,
    ben: TestUser,
    cleo: TestUser,
    reports: TestClient,
    mobile: TestClient,
}

impl World {
    async fn new() -> Self {
        Self::with(|_| ()).await
    }

    async fn with(configure: impl FnOnce(&mut Config)) -> Self {
        let app = TestApp::with(configure).await;
        let ada = app.admin("Ada").await;
        let ben = app.agent("Ben").await;
        let cleo = app.end_user("Cleo").await;
        let reports = app.confidential_client("acme_reports", &ada).await;
        let mobile = app.public_client("acme_mobile", &ada).await;
        Self { app, ada, ben, cleo, reports, mobile }
    }

    /// A bearer token of the administrator's.
    async fn bearer(&self, scope: &str) -> String {
        self.app.created_token(&self.ada, &self.reports, scope).await.access
    }
}

/// 403 by role.
#[track_caller]
fn assert_wrong_role(answer: &Answer) {
    assert_eq!(
        answer.snapshot(),
        r#"403 {"error":{"title":"Forbidden","message":"Your role does not allow this."}}"#
    );
    assert_eq!(answer.header("www-authenticate"), None);
}

/// 403 by scope: these would do, in the header and in the body.
#[track_caller]
fn assert_missing_scope(answer: &Answer, names: &str) {
    let listed = names.replace(' ', ", ");
    assert_eq!(
        answer.snapshot(),
        format!(
            "403 {{\"error\":\"Forbidden\",\"description\":\"You are missing the following \
             required scopes: {listed}\"}}"
        )
    );
    let challenge =
        format!("Bearer realm=\"tokenry\", error=\"insufficient_scope\", scope=\"{names}\"");
    assert_eq!(answer.header("www-authenticate"), Some(&*challenge));
}

/// 404: no such record, or not the caller's.
#[track_caller]
fn assert_not_found(answer: &Answer) {
    assert_eq!(answer.snapshot(), r#"404 {"error":"RecordNotFound","description":"Not found"}"#);
}

/// 401 for a bearer token.
#[track_caller]
fn assert_invalid_token(answer: &Answer) {
    assert_eq!(
        answer.snapshot(),
        "401 {\"error\":\"invalid_token\",\"error_description\":\
         \"The access token is unknown, expired or revoked.\"}"
    );
    let challenge = "Bearer realm=\"tokenry\", error=\"invalid_token\"";
    assert_eq!(answer.header("www-authenticate"), Some(challenge));
}

/// 422: this field, for this reason.
#[track_caller]
fn assert_invalid_field(answer: &Answer, field: &str, code: &str, description: &str) {
    let expected = json!({
        "error": "RecordInvalid",
        "description": "Record validation errors",
        "details": {field: [{"description": description, "error": code}]},
    });
    assert_eq!((answer.status, answer.json()), (422, expected));
}

/// 400: this query parameter.
#[track_caller]
fn assert_invalid_attribute(answer: &Answer, name: &str, must_be: &str) {
    let message = format!(
        "You passed an invalid value for the {name} attribute. Invalid parameter: {name} must be \
         {must_be}"
    );
    let expected = json!({"error": {"title": "Invalid attribute", "message": message}});
    assert_eq!((answer.status, answer.json()), (400, expected));
}

/// The ids of a list.
#[track_caller]
fn ids(body: &Value, list: &str) -> Vec<u64> {
    let records = body[list].as_array().expect("a list");
    records.iter().map(|record| record["id"].as_u64().expect("an id")).collect()
}
