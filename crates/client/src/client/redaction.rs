//! Bodies for the log, without what is secret in them.

use http::{HeaderMap, header::CONTENT_TYPE};
use serde_json::Value;
use tokenry_protocol::secret::redacted;

/// Members whose values are credentials, in requests and answers.
const SECRET: [&str; 12] = [
    "access_token",
    "client_secret",
    "code",
    "code_verifier",
    "full_token",
    "id_token",
    "password",
    "refresh_token",
    "secret",
    "subject_token",
    "token",
    "visible_token",
];

/// The body, if it can be shown without its secrets; else how long it is.
pub(super) fn body(headers: &HeaderMap, body: &[u8]) -> String {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with("application/x-www-form-urlencoded") {
        let shown = form_urlencoded::parse(body).map(|(name, value)| {
            let value = if is_secret(&name) { "...".into() } else { value };
            format!("{name}={}", redacted(&value))
        });
        return shown.collect::<Vec<_>>().join("&");
    }
    match serde_json::from_slice(body) {
        Ok(mut value) => {
            hide(&mut value);
            redacted(&value.to_string()).into_owned()
        }
        Err(_) => format!("{} bytes", body.len()),
    }
}

fn is_secret(name: &str) -> bool {
    SECRET.contains(&name)
}

fn hide(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    // An object is no credential: records are wrapped in members of such names.
                    Value::String(_) | Value::Number(_) | Value::Array(_) if is_secret(name) => {
                        *member = "...".into();
                    }
                    _ => hide(member),
                }
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(hide),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_body_is_shown_without_its_secrets() {
        let mut form = HeaderMap::new();
        form.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let json = HeaderMap::new();
        for (headers, text, expected) in [
            (
                &json,
                r#"{"token":{"id":1,"token":"hunter2","scopes":["read"]}}"#,
                r#"{"token":{"id":1,"token":"...","scopes":["read"]}}"#,
            ),
            (
                &json,
                r#"{"tokens":[{"refresh_token":"hunter2"}]}"#,
                r#"{"tokens":[{"refresh_token":"..."}]}"#,
            ),
            (
                &form,
                "grant_type=refresh_token&refresh_token=hunter2&client_secret=hunter2",
                "grant_type=refresh_token&refresh_token=...&client_secret=...",
            ),
            (
                &json,
                r#"{"password":12345,"code":["hunter2",{"a":"hunter2"}],"count":7}"#,
                r#"{"password":"...","code":"...","count":7}"#,
            ),
            (&json, "<html>hunter2</html>", "20 bytes"),
        ] {
            assert_eq!(body(headers, text.as_bytes()), expected);
        }
    }
}
