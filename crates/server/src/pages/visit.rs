//! A browser's request, and what every page needs of it.

use std::{convert::Infallible, net::IpAddr};

use axum::{body::Body, extract::FromRequestParts, http::request::Parts};
use http::{HeaderMap, Uri, header::CONTENT_TYPE};
use tokenry_protocol::{oauth::parameters::Parameters, time::Timestamp};

use super::error::PageError;
use crate::{
    extract::{
        body,
        client_ip::client_ip,
        page_token::{self, Binding},
        sign_in_session::{self, SignedIn},
    },
    request_context,
    state::AppState,
};

/// A browser's request without its body.
pub struct Visit {
    /// What every handler shares.
    pub state: AppState,
    /// When it came.
    pub now: Timestamp,
    /// Its headers.
    pub headers: HeaderMap,
    /// Where it came from.
    pub ip: IpAddr,
    uri: Uri,
}

impl FromRequestParts<AppState> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        let (headers, uri) = (parts.headers.clone(), parts.uri.clone());
        let ip = client_ip(&headers, &state.config.proxy);
        Ok(Self { state: state.clone(), now: state.now(), headers, ip, uri })
    }
}

impl Visit {
    /// Path and query, exactly as they were sent.
    pub fn target(&self) -> &str {
        self.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str)
    }

    /// The parameters in the query.
    pub fn query(&self) -> Result<Parameters, PageError> {
        let query = self.uri.query().unwrap_or_default();
        Ok(Parameters::from_form(query.as_bytes())?)
    }

    /// The parameters in the body, which must be a form.
    pub async fn form(&self, body: Body) -> Result<Parameters, PageError> {
        let content_type = self.headers.get(CONTENT_TYPE);
        let essence = content_type
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .unwrap_or_default()
            .trim();
        if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(PageError::UnsupportedMediaType);
        }
        let body = body::read(body, self.state.config.limits.body_max).await?;
        Ok(Parameters::from_form(&body)?)
    }

    /// Who is signed in.
    pub async fn signed_in(&self) -> Result<Option<SignedIn>, PageError> {
        let found = sign_in_session::find(&self.headers, &self.state).await?;
        if let Some(signed_in) = &found {
            request_context::note_user(signed_in.user.id);
        }
        Ok(found)
    }

    /// A page token for a form of the page that answers this request.
    pub fn page_token(&self, binding: Binding<'_>) -> String {
        page_token::mint(&self.state.keys().page, binding, self.now)
    }

    /// Whether the form came from a page of ours.
    pub fn page_token_holds(&self, binding: Binding<'_>, form: &Parameters) -> bool {
        let presented = form.text("page_token").ok().flatten().unwrap_or_default();
        page_token::holds(&self.state.keys().page, binding, presented, self.now)
    }
}
