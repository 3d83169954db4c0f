//! What became of a call, in a sentence.

use std::borrow::Cow;

use http::StatusCode;
use serde_json::Value;
use tokenry_core::jwt_access_token;
use tokenry_protocol::{
    api::error::{ErrorBody, PlainError},
    oauth::token::{GrantType, TokenResponse},
};
use tokenry_server::request_path::without_json;

use super::call::Call;
use crate::faults::{Fault, Struck};

/// What a call does that succeeds: its method, its row of the table of routes, and the sentence, in
/// which `{id}` is the record.
const DEEDS: [(&str, &str, &str); 37] = [
    ("GET", "/api/v2/oauth/tokens", "listed tokens"),
    ("POST", "/api/v2/oauth/tokens", "created token {id}"),
    ("GET", "/api/v2/oauth/tokens/current", "verified token {id}"),
    ("DELETE", "/api/v2/oauth/tokens/current", "revoked token {id}"),
    ("GET", "/api/v2/oauth/tokens/{id}", "showed token {id}"),
    ("DELETE", "/api/v2/oauth/tokens/{id}", "revoked token {id}"),
    ("GET", "/api/v2/tokens/{id}", "showed token {id}"),
    ("DELETE", "/api/v2/tokens/{id}", "revoked token {id}"),
    ("GET", "/api/v2/oauth/clients", "listed clients"),
    ("POST", "/api/v2/oauth/clients", "created client {id}"),
    ("GET", "/api/v2/oauth/clients/{id}", "showed client {id}"),
    ("PUT", "/api/v2/oauth/clients/{id}", "updated client {id}"),
    ("DELETE", "/api/v2/oauth/clients/{id}", "deleted client {id}"),
    ("GET", "/api/v2/clients/{id}", "showed client {id}"),
    ("PUT", "/api/v2/clients/{id}", "updated client {id}"),
    ("DELETE", "/api/v2/clients/{id}", "deleted client {id}"),
    ("PUT", "/api/v2/oauth/clients/{id}/generate_secret", "gave client {id} a new secret"),
    ("GET", "/api/v2/users/me/oauth/clients", "listed the caller's clients"),
    ("GET", "/api/v2/oauth/global_clients", "listed global clients"),
    ("GET", "/api/v2/users/me", "said who calls"),
    ("GET", "/api/v2/users/{id}", "showed user {id}"),
    ("GET", "/api/v2/api_tokens", "listed API tokens"),
    ("POST", "/api/v2/api_tokens", "created API token {id}"),
    ("GET", "/api/v2/api_tokens/{id}", "showed API token {id}"),
    ("PUT", "/api/v2/api_tokens/{id}", "updated API token {id}"),
    ("DELETE", "/api/v2/api_tokens/{id}", "deleted API token {id}"),
    ("GET", "/oauth/authorizations/new", "asked for authorization"),
    ("POST", "/oauth/authorizations/new", "asked for authorization"),
    ("GET", "/oauth/authorize", "asked for authorization"),
    ("POST", "/oauth/authorize", "asked for authorization"),
    ("POST", "/oauth/authorizations", "answered the consent page"),
    ("POST", "/oauth/tokens", "issued token {id}"),
    ("POST", "/oauth/token", "issued token {id}"),
    ("POST", "/oauth/revoke", "took a revocation"),
    ("POST", "/oauth/introspect", "introspected a token"),
    ("GET", "/.well-known/oauth-authorization-server", "showed the metadata"),
    ("POST", "/account/connections/{id}/revoke", "ended access {id}"),
];

/// The sentence for a call, whose answer is shown so.
pub(super) fn sentence(call: &Call<'_>, shown: Option<&Value>) -> String {
    let Some(decided) = call.decided else { return prevented(call) };
    let deed = match decided {
        400.. => failed(call, decided),
        _ => succeeded(call, decided, shown),
    };
    match call.sent {
        None if has_struck(call.struck, Fault::LoseAnswer) => deed + "; the answer was lost",
        None => deed + "; nobody was there to take the answer",
        Some(sent) if sent != decided => format!("{deed}; answered {sent} instead"),
        Some(_) if has_struck(call.struck, Fault::CutAnswer) => deed + "; the answer was cut",
        Some(_) => deed,
    }
}

fn has_struck(struck: &[Struck], fault: Fault) -> bool {
    struck.iter().any(|struck| struck.fault == fault)
}

/// The server never saw it.
fn prevented(call: &Call<'_>) -> String {
    let fault = call.struck.iter().find(|struck| struck.fault.prevents_the_call());
    let cause = fault.map(|struck| struck.fault.to_string());
    let cause = call.reason.map(str::to_owned).or(cause);
    cause.map_or_else(|| "not carried out".to_owned(), |cause| format!("not carried out: {cause}"))
}

fn succeeded(call: &Call<'_>, status: u16, shown: Option<&Value>) -> String {
    let deed = match call.grant_type {
        Some(GrantType::AuthorizationCode) => Some("redeemed a code: token {id}"),
        Some(GrantType::RefreshToken) => Some("refreshed token {id}"),
        Some(GrantType::ClientCredentials) => Some("issued token {id}"),
        None => deed_of(call),
    };
    let mut sentence = match (deed, subject(call, shown)) {
        (None, _) => format!("answered {status}"),
        (Some(deed), Some(id)) => deed.replace("{id}", &id.to_string()),
        (Some(deed), None) => deed.replace(" {id}", ""),
    };
    let is_active = shown.and_then(|answer| answer.get("active")?.as_bool());
    if let Some(is_active) = is_active {
        sentence.push_str(if is_active { ": active" } else { ": not active" });
    }
    match call.reason {
        Some(reason) => format!("{sentence} — {reason}"),
        None => sentence,
    }
}

fn deed_of(call: &Call<'_>) -> Option<&'static str> {
    let method = if call.method == "HEAD" { "GET" } else { call.method };
    let is_it = |(of, route, _): &&(&str, &str, &str)| *of == method && Some(*route) == call.route;
    DEEDS.iter().find(is_it).map(|(_, _, deed)| *deed)
}

/// The record that a call is about: the one in the path, the one that the answer tells of, or the
/// one whose token it presented.
pub(super) fn subject(call: &Call<'_>, shown: Option<&Value>) -> Option<u64> {
    let in_path = || {
        let (before, behind) = call.route?.split_once("{id}")?;
        let path = call.path.split('?').next()?;
        without_json(path).strip_prefix(before)?.strip_suffix(behind)?.parse().ok()
    };
    let is_about_records = call.route.is_some_and(|route| route.contains("{id}"));
    if is_about_records {
        return in_path();
    }
    let in_answer = || match call.grant_type {
        Some(_) => of_issued(call.answer.bytes),
        None => deed_of(call).filter(|deed| deed.contains("{id}")).and_then(|_| told(shown?)),
    };
    in_answer().or(call.record_id)
}

/// The record in an answer of the record API.
fn told(answer: &Value) -> Option<u64> {
    answer.as_object()?.values().find_map(|record| record.get("id")?.as_u64())
}

/// The record of an access token that was given.
fn of_issued(answer: &[u8]) -> Option<u64> {
    let given: TokenResponse = serde_json::from_slice(answer).ok()?;
    Some(jwt_access_token::named(given.access_token?.reveal())?.parts().id)
}

fn failed(call: &Call<'_>, status: u16) -> String {
    let verb = if status >= 500 { "failed" } else { "refused" };
    let (name, explanation) = problem(status, call.answer.bytes);
    let explanation = call.reason.map(Cow::Borrowed).or(explanation.map(Cow::Owned));
    match explanation {
        Some(explanation) => format!("{verb}: {name} — {explanation}"),
        None => format!("{verb}: {name}"),
    }
}

/// The word for programs, and what people are told.
fn problem(status: u16, answer: &[u8]) -> (String, Option<String>) {
    match serde_json::from_slice(answer).ok() {
        Some(ErrorBody::Titled { error }) => (error.title, Some(error.message)),
        Some(ErrorBody::List { errors }) => {
            let first = errors.into_iter().next().unwrap_or_default();
            (first.code, Some(first.detail))
        }
        Some(ErrorBody::Plain(error)) => (error.error.clone(), explanation(error)),
        None => {
            let reason = StatusCode::from_u16(status).ok().and_then(|it| it.canonical_reason());
            (reason.map_or_else(|| status.to_string(), |it| format!("{status} {it}")), None)
        }
    }
}

/// Of wrong fields each is named: one text for all of them says nothing.
fn explanation(error: PlainError) -> Option<String> {
    let PlainError { error_description, description, message, details, .. } = error;
    let details = details.unwrap_or_default();
    let of_fields: Vec<&str> = details
        .fields()
        .flat_map(|field| details.of(field))
        .map(|error| error.description.as_str())
        .collect();
    if of_fields.is_empty() {
        return error_description.or(description).or(message);
    }
    Some(of_fields.join("; "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokenry_protocol::time::Timestamp;
    use tokenry_server::routes;

    use super::super::{Body, redaction};
    use super::*;

    fn call<'a>(method: &'a str, path: &'a str, route: &'a str) -> Call<'a> {
        let call = Call::new(Timestamp::from_seconds(0), method, path);
        Call { route: Some(route), ..call }
    }

    fn told(call: Call<'_>, status: u16, answer: &Value) -> String {
        let bytes = if answer.is_null() { String::new() } else { answer.to_string() };
        let answer = Body { content_type: None, bytes: bytes.as_bytes() };
        let call = Call { decided: Some(status), sent: Some(status), answer, ..call };
        sentence(&call, redaction::body(&answer).as_ref())
    }

    fn refresh() -> Call<'static> {
        let call = call("POST", "/oauth/tokens", "/oauth/tokens");
        let record_id = Some(2_001);
        Call { grant_type: Some(GrantType::RefreshToken), record_id, ..call }
    }

    #[test]
    fn every_row_of_the_api_has_its_sentence_and_no_other_has() {
        let is_page = |path: &str| {
            path == "/"
                || ["/sign", "/assets", "/healthz", "/readyz"].iter().any(|it| path.starts_with(it))
                || path == "/account/connections"
        };
        let rows: Vec<(&str, &str)> = routes::documented()
            .into_iter()
            .map(|row| (row.method, row.path))
            .filter(|(_, path)| !is_page(path))
            .collect();
        let deeds: Vec<(&str, &str)> =
            DEEDS.iter().map(|(method, route, _)| (*method, *route)).collect();
        let missing: Vec<_> = rows.iter().filter(|row| !deeds.contains(row)).collect();
        let needless: Vec<_> = deeds.iter().filter(|row| !rows.contains(row)).collect();
        assert!(missing.is_empty() && needless.is_empty(), "{missing:?} {needless:?}");
    }

    #[test]
    fn a_deed_names_its_record() {
        let tokens = "/api/v2/oauth/tokens";
        let token = "/api/v2/oauth/tokens/{id}";
        let created = json!({"token": {"url": "…", "id": 2_002}});
        for (call, status, answer, expected) in [
            (refresh(), 201, json!({"access_token": "x"}), "refreshed token 2001"),
            (call("GET", tokens, tokens), 200, json!({"tokens": []}), "listed tokens"),
            (call("POST", tokens, tokens), 201, created, "created token 2002"),
            (call("GET", "/api/v2/oauth/tokens/7.json", token), 200, json!({}), "showed token 7"),
            (call("HEAD", "/api/v2/oauth/tokens/7", token), 200, json!(null), "showed token 7"),
            (call("DELETE", "/api/v2/oauth/tokens/7", token), 204, json!(null), "revoked token 7"),
            (call("GET", "/healthz", "/healthz"), 200, json!({}), "answered 200"),
            (
                call("POST", "/oauth/introspect", "/oauth/introspect"),
                200,
                json!({"active": false}),
                "introspected a token: not active",
            ),
        ] {
            assert_eq!(told(call, status, &answer), expected);
        }
    }

    #[test]
    fn a_refusal_says_what_the_body_says_in_every_shape_there_is() {
        let list = || call("GET", "/api/v2/oauth/tokens", "/api/v2/oauth/tokens");
        for (status, answer, expected) in [
            (401, json!({"error": "Couldn't authenticate you"}), "Couldn't authenticate you"),
            (
                401,
                json!({"error": "invalid_token", "error_description": "Expired."}),
                "invalid_token — Expired.",
            ),
            (
                403,
                json!({"error": {"title": "Forbidden", "message": "Admins only"}}),
                "Forbidden — Admins only",
            ),
            (
                404,
                json!({"error": "RecordNotFound", "description": "Not found"}),
                "RecordNotFound — Not found",
            ),
            (
                400,
                json!({"errors": [{"code": "TooDeep", "title": "t", "detail": "d"}]}),
                "TooDeep — d",
            ),
            (
                422,
                json!({"error": "RecordInvalid", "description": "Record validation errors",
                       "details": {"name": [{"description": "Name: cannot be blank",
                                             "error": "BlankValue"}]}}),
                "RecordInvalid — Name: cannot be blank",
            ),
            (
                422,
                json!({"error": "Unprocessable Entity", "message": "Server could not parse JSON"}),
                "Unprocessable Entity — Server could not parse JSON",
            ),
            (413, json!(null), "413 Payload Too Large"),
        ] {
            assert_eq!(told(list(), status, &answer), format!("refused: {expected}"));
        }
        let away = json!({"error": "ServiceUnavailable", "description": "Try again."});
        assert_eq!(told(list(), 503, &away), "failed: ServiceUnavailable — Try again.");
    }

    #[test]
    fn a_reason_goes_before_what_the_body_says() {
        let reason = Some("the refresh token was replaced by call 17");
        let answer = json!({"error": "invalid_grant", "error_description": "Invalid or expired."});
        assert_eq!(
            told(Call { reason, ..refresh() }, 400, &answer),
            "refused: invalid_grant — the refresh token was replaced by call 17"
        );
        let reason = Some("the same tokens again");
        let again = told(Call { reason, ..refresh() }, 201, &json!({}));
        assert_eq!(again, "refreshed token 2001 — the same tokens again");
    }

    #[test]
    fn what_a_fault_did_to_the_answer_is_said_behind_the_deed() {
        let strike = |text: &str, decided, sent| {
            let struck = [Struck { rule: None, fault: text.parse().unwrap() }];
            let call = Call { struck: &struck, decided, sent, ..refresh() };
            sentence(&call, None)
        };
        let lost = "refreshed token 2001; the answer was lost";
        assert_eq!(strike("lose-answer", Some(201), None), lost);
        let cut = "refreshed token 2001; the answer was cut";
        assert_eq!(strike("cut-answer", Some(201), Some(201)), cut);
        let instead = "refreshed token 2001; answered 504 instead";
        assert_eq!(strike("status=504 applied", Some(201), Some(504)), instead);
        let prevented = "not carried out: rate-limited=5";
        assert_eq!(strike("rate-limited=5", None, Some(429)), prevented);
        let gone = "refreshed token 2001; nobody was there to take the answer";
        assert_eq!(strike("delay=5s", Some(201), None), gone);
    }
}
