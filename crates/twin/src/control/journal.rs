//! `/twin/journal`: every call with its outcome, as JSON for programs and as a page for people.

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use http::{HeaderMap, StatusCode, header::ACCEPT};
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
    views::{JournalEntry, JournalFilter, JournalPage},
};

/// `GET /twin/journal`: a page for whoever asks for one, as browsers do.
pub(super) async fn show(
    state: State<Arc<Double>>,
    query: RawQuery,
    headers: HeaderMap,
) -> Result<Response, ControlError> {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("text/html")) {
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
    let Query { since, wait, filter } =
        query.map_err(|error| ControlError::Invalid(error.to_string()))?;
    let mut stop = double.stop.clone();
    let page = tokio::select! {
        page = double.journal.wait(since, &filter) => page,
        _ = stop.sleep(wait) => double.journal.since(since, &filter),
    };
    Ok(respond::json(StatusCode::OK, &page))
}

/// `DELETE /twin/journal`
pub(super) async fn clear(State(double): State<Arc<Double>>) -> Response {
    double.journal.clear();
    respond::no_content()
}

fn page(double: &Double, query: &str) -> Response {
    let filter = filter(query);
    let Page { entries, last, dropped } = double.journal.since(0, &Filter::default());
    let is_sought = |entry: &Entry| {
        entry.path.contains(&filter.path) && (!filter.faults_only || !entry.faults.is_empty())
    };
    let sought = entries.iter().rev().filter(|entry| is_sought(entry));
    let entries = sought.map(|entry| shown(entry)).collect();
    html(JournalPage { setting: setting(double), entries, newest: last, dropped, filter })
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
