//! `/twin/journal`: every call with its outcome, as JSON for programs and as a page for people.

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use tokenry_protocol::ids::{ClientId, UserId};
use tokenry_server::respond;

use super::{
    page::{html, setting},
    wire::ControlError,
};
use crate::{
    double::Double,
    journal::{Entry, Filter, Page, Query},
    views::{JournalEntry, JournalFilter, JournalPage, ROWS_MAX},
};

/// `GET /twin/journal`: a page for whoever asks for one, as browsers do.
pub(super) async fn show(
    state: State<Arc<Double>>,
    query: RawQuery,
    headers: HeaderMap,
) -> Result<Response, ControlError> {
    if is_opened_in_a_browser(&headers) {
        return Ok(page(&state, query.0.as_deref().unwrap_or_default()));
    }
    entries(state, query).await
}

/// `GET /twin/journal.json`
pub(super) async fn entries(
    State(double): State<Arc<Double>>,
    RawQuery(query): RawQuery,
) -> Result<Response, ControlError> {
    let query = Query::parse(query.as_deref().unwrap_or_default());
    let Query { since, wait, cleared, filter } =
        query.map_err(|error| ControlError::Invalid(error.to_string()))?;
    let mut stop = double.stop.clone();
    let page = tokio::select! {
        page = double.journal.wait(since, &filter, cleared) => page,
        _ = stop.sleep(wait) => double.journal.since(since, &filter),
    };
    Ok(respond::json(StatusCode::OK, &page))
}

/// `DELETE /twin/journal`
pub(super) async fn clear(State(double): State<Arc<Double>>) -> Response {
    double.journal.clear();
    respond::no_content()
}

/// Whether a person looks: programs name `text/html` as well, among others. Browsers say so, and
/// old ones are known by what they ask a page for (Fetch Metadata §2.2).
fn is_opened_in_a_browser(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match (text("sec-fetch-mode"), text("accept")) {
        (Some(mode), _) => mode == "navigate",
        (None, Some(accept)) => {
            accept.starts_with("text/html") && accept.contains("application/xhtml+xml")
        }
        (None, None) => false,
    }
}

fn page(double: &Double, query: &str) -> Response {
    let filter = filter(query);
    let Page { entries, last, dropped, cleared } = double.journal.since(0, &Filter::default());
    let is_sought = |entry: &Entry| {
        entry.path.contains(&filter.path) && (!filter.faults_only || !entry.faults.is_empty())
    };
    let sought = entries.iter().rev().filter(|entry| is_sought(entry)).take(ROWS_MAX);
    let entries = sought.map(|entry| shown(entry)).collect();
    html(JournalPage { setting: setting(double), entries, newest: last, dropped, cleared, filter })
}

/// As the page's form sends it: `path=…&faults=only`.
fn filter(query: &str) -> JournalFilter {
    let mut filter = JournalFilter::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "path" => filter.path = value.into_owned(),
            "faults" => filter.faults_only = value == "only",
            _ => {}
        }
    }
    filter
}

fn shown(entry: &Entry) -> JournalEntry {
    let text = |body: &Value| match body {
        Value::String(text) => text.clone(),
        body => serde_json::to_string_pretty(body).unwrap_or_default(),
    };
    JournalEntry {
        number: entry.number,
        at: entry.at,
        method: entry.method.clone(),
        path: entry.path.clone(),
        route: entry.route.clone(),
        status: entry.status,
        outcome: entry.outcome.clone(),
        user_id: entry.user_id.map(UserId::get),
        client_id: entry.client_id.map(ClientId::get),
        record_id: entry.record_id,
        credential: entry.credential.clone(),
        faults: entry.faults.clone(),
        micros: entry.micros,
        request: entry.request.as_ref().map(text),
        answer: entry.answer.as_ref().map(text),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn browsers_that_open_the_address_get_a_page_and_programs_json() {
        const CHROMIUM: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,\
            image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7";
        const FIREFOX: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        for (who, mode, accept, expected) in [
            ("Chromium", Some("navigate"), Some(CHROMIUM), true),
            ("Firefox", Some("navigate"), Some(FIREFOX), true),
            ("an old Firefox", None, Some(FIREFOX), true),
            ("a script of a page", Some("cors"), Some("*/*"), false),
            ("a script that asks for anything", Some("same-origin"), Some(CHROMIUM), false),
            ("curl", None, Some("*/*"), false),
            ("Java", None, Some("text/html, image/gif, image/jpeg, */*; q=0.2"), false),
            ("Faraday", None, Some("application/json, text/html, application/xhtml+xml"), false),
            ("nothing", None, None, false),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in [("sec-fetch-mode", mode), ("accept", accept)] {
                if let Some(value) = value {
                    headers.insert(name, HeaderValue::from_static(value));
                }
            }
            assert_eq!(is_opened_in_a_browser(&headers), expected, "{who}");
        }
    }
}
