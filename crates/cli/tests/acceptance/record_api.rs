//! Registering clients as an administrator does: through the record API, with an API token.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::server::Server;

/// Registers a client; its record, with the whole secret where it has one.
pub(crate) fn create_client(server: &Server, client: &Value) -> Value {
    let body = serde_json::json!({ "client": client }).to_string();
    let mut answer = ureq::post(format!("{}/api/v2/oauth/clients.json", server.base))
        .config()
        .http_status_as_error(false)
        .build()
        .header("Authorization", authorization(&server.admin))
        .header("Content-Type", "application/json")
        .send(body)
        .unwrap();
    let status = answer.status();
    let text = answer.body_mut().read_to_string().unwrap();
    assert_eq!(status, 201, "{text}\n{}", server.log());
    let mut answer: Value = serde_json::from_str(&text).unwrap();
    answer["client"].take()
}

/// `email/token:api_token`
fn authorization(person: &Value) -> String {
    let (email, api_token) = (&person["email"], &person["api_token"]);
    let pair = format!("{}/token:{}", email.as_str().unwrap(), api_token.as_str().unwrap());
    format!("Basic {}", STANDARD.encode(pair))
}
