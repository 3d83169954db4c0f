//! `/` and what belongs to it: pages for people, and what one needs to connect.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, Request, State},
    response::{IntoResponse as _, Redirect, Response},
};
use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
};
use tokenry_server::{config::BaseUrl, respond};

use super::wire::ControlError;
use crate::{
    clock::ClockReading,
    connect::ConnectionDetails,
    double::Double,
    faults::{DOCUMENTED, InForce},
    views::{self, FaultInForce, HomePage, Pace, Setting},
};

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
/// RFC 8555 §9.1.
const PEM: HeaderValue = HeaderValue::from_static("application/pem-certificate-chain");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// `GET /`
pub(super) async fn home(State(double): State<Arc<Double>>, request: Request) -> Response {
    let faults = double.script().faults.list().to_vec();
    html(HomePage {
        setting: setting(&double),
        details: details(&double, &request),
        account: double.account(),
        faults: faults.iter().map(shown).collect(),
    })
}

/// `GET /twin`
pub(super) async fn to_home() -> Redirect {
    Redirect::to("/")
}

/// `GET /twin/connect`: the same as JSON.
pub(super) async fn connect(State(double): State<Arc<Double>>, request: Request) -> Response {
    respond::json(StatusCode::OK, &details(&double, &request))
}

/// `GET /twin/connect.env`: the same as lines for a shell.
pub(super) async fn exports(State(double): State<Arc<Double>>, request: Request) -> Response {
    ([(CONTENT_TYPE, TEXT)], details(&double, &request).exports()).into_response()
}

/// `GET /twin/ca.pem`
pub(super) async fn authority(State(double): State<Arc<Double>>) -> Result<Response, ControlError> {
    let https = double.https.as_ref().ok_or_else(|| {
        let told = "This twin has no proxy for Zendesk's own address: start it with --https.";
        ControlError::Missing(told.to_owned())
    })?;
    Ok(([(CONTENT_TYPE, PEM)], https.authority.clone()).into_response())
}

/// `GET /twin/assets/{file}`
pub(super) async fn asset(Path(file): Path<String>) -> Result<Response, ControlError> {
    let mut all = views::assets().iter();
    let asset = all.find(|asset| asset.path.strip_prefix("/twin/assets/") == Some(&file));
    let asset = asset.ok_or(ControlError::NotFound)?;
    let mut response = Response::new(Body::from(asset.bytes));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}

/// What stands on top of every page.
pub(super) fn setting(double: &Double) -> Setting {
    let ClockReading { now, frozen, .. } = double.clock.read();
    Setting {
        subdomain: double.options.subdomain.clone(),
        profile: double.world().profile.as_str().to_owned(),
        now,
        pace: if frozen { Pace::Frozen } else { Pace::Running },
    }
}

fn details(double: &Double, request: &Request) -> ConnectionDetails {
    double.connection_details(base_of(double, request).as_str())
}

/// The address under which whoever asks has found the twin.
pub(super) fn base_of(double: &Double, request: &Request) -> BaseUrl {
    let base = double.world().state.base_of(request);
    base.map_or_else(|| double.base.clone(), |base| *base)
}

fn shown(rule: &InForce) -> FaultInForce {
    let text = rule.rule.to_string();
    let word = text.split(['=', ' ']).next().unwrap_or_default();
    let about = DOCUMENTED.iter().find(|documented| documented.word == word);
    FaultInForce {
        about: about.map_or_else(String::new, |documented| documented.stands_for.to_owned()),
        matched: rule.matched,
        struck: rule.struck,
        text,
    }
}

/// A page.
pub(super) fn html(page: impl askama::Template) -> Response {
    let Ok(text) = page.render() else { return respond::internal_error() };
    let policy = HeaderValue::from_static(views::CONTENT_SECURITY_POLICY);
    let nosniff = HeaderValue::from_static("nosniff");
    let headers = [
        (CONTENT_TYPE, HTML),
        (CONTENT_SECURITY_POLICY, policy),
        (X_CONTENT_TYPE_OPTIONS, nosniff),
    ];
    (headers, text).into_response()
}
