//! What a fault does to the answer of a call.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    body::{Body, Bytes, HttpBody},
    response::{IntoResponse as _, Response},
};
use http::{
    HeaderName, HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER},
};
use http_body_util::{BodyExt as _, Collected};
use hyper::body::{Frame, SizeHint};
use serde_json::Value;
use tokenry_protocol::{
    api::error::ErrorBody,
    ids::TokenId,
    oauth::{
        error::{ErrorCode, ErrorResponse},
        token::TokenResponse,
    },
    secret::Credential,
    time::Seconds,
};
use tokenry_server::{
    envelope::REQUEST_ID,
    listen::hang_up,
    request_limits::Allowance,
    respond::{self, ApiError, OAuthError},
};

use crate::{faults::ServerError, known::Pair};

/// The requests a minute of one plan of Zendesk's, told where the account has no limit of its own.
const PLAN_LIMIT: u32 = 700;
/// How long a server that is away wants to be left alone, in seconds.
const RETRY_LATER: u16 = 2;

/// An answer whose body is in memory.
#[derive(Clone)]
pub(crate) struct Answer {
    /// Its head.
    pub(crate) head: http::response::Parts,
    /// Its body.
    pub(crate) body: Bytes,
}

/// How much of an answer is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// All of it.
    Whole,
    /// Its head and the first half of its body.
    Cut,
    /// Nothing.
    Lost,
}

impl Answer {
    /// Takes an answer of the server's or of a fault's, which have their bodies in memory.
    pub(crate) async fn read(response: Response) -> Self {
        let (head, body) = response.into_parts();
        let body = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
        Self { head, body }
    }

    /// Sends it, or as much of it as is to be seen.
    pub(crate) fn send(self, fate: Fate) -> Response {
        match fate {
            Fate::Whole => Response::from_parts(self.head, Body::from(self.body)),
            Fate::Cut if !self.body.is_empty() => self.cut(),
            Fate::Cut | Fate::Lost => hang_up(),
        }
    }

    fn cut(self) -> Response {
        let length = self.body.len();
        let half = self.body.slice(..length / 2);
        let mut head = self.head;
        head.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        Response::from_parts(head, Body::new(CutBody { half: Some(half), length, is_sent: false }))
    }

    /// The header by which its call is found in the log.
    pub(crate) fn request_id(&self) -> Option<(HeaderName, HeaderValue)> {
        Some((REQUEST_ID, self.head.headers.get(REQUEST_ID)?.clone()))
    }

    /// The tokens of a token answer that has both.
    pub(crate) fn pair(&self) -> Option<Pair> {
        let told: TokenResponse = serde_json::from_slice(&self.body).ok()?;
        let access_token = told.access_token?.reveal().to_owned();
        let refresh_token = told.refresh_token?.reveal().to_owned();
        let id = TokenId::new(Credential::parse(&refresh_token).ok()?.parts().id).ok()?;
        Some(Pair { id, access_token, refresh_token })
    }

    /// With another `expires_in`, or without one; as it is if it is no token answer.
    pub(crate) fn with_expires_in(self, expires_in: Option<i64>) -> Self {
        let Ok(Value::Object(mut members)) = serde_json::from_slice(&self.body) else {
            return self;
        };
        if !members.contains_key("access_token") {
            return self;
        }
        match expires_in {
            Some(seconds) => members.insert("expires_in".to_owned(), seconds.into()),
            None => members.shift_remove("expires_in"),
        };
        let body = Bytes::from(Value::Object(members).to_string());
        let mut head = self.head;
        head.headers.remove(CONTENT_LENGTH);
        Self { head, body }
    }
}

/// 429, in the manner of the address: on the record API nothing is left of a minute's requests.
pub(crate) fn rate_limited(path: &str, retry_after: u32, limit: Option<u32>) -> Response {
    let reset = Seconds(retry_after);
    if is_oauth(path) {
        return unkept(OAuthError::RateLimited(reset).into_response());
    }
    let mut response = unkept(ApiError::RateLimited(reset).into_response());
    if path.starts_with("/api/") {
        let allowance = Allowance { limit: limit.unwrap_or(PLAN_LIMIT), remaining: 0, reset };
        respond::tell_allowance(response.headers_mut(), allowance);
    }
    response
}

/// A failure of the server, or of what stands before it: gateways have pages, and no JSON.
pub(crate) fn failed(path: &str, status: ServerError) -> Response {
    unkept(match status {
        ServerError::InternalServerError => respond::internal_error(),
        ServerError::ServiceUnavailable => unavailable(path),
        ServerError::BadGateway => gateway(StatusCode::BAD_GATEWAY, "Bad Gateway"),
        ServerError::GatewayTimeout => gateway(StatusCode::GATEWAY_TIMEOUT, "Gateway Time-out"),
    })
}

fn unavailable(path: &str) -> Response {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let response = if is_oauth(path) {
        let error = ErrorCode::TemporarilyUnavailable;
        let error_description = "Try again shortly.".to_owned();
        respond::json(status, &ErrorResponse { error, error_description })
    } else {
        respond::json(status, &ErrorBody::unavailable())
    };
    respond::with(response, RETRY_AFTER, HeaderValue::from(RETRY_LATER))
}

fn gateway(status: StatusCode, title: &str) -> Response {
    let code = status.as_u16();
    let page = format!(
        "<html>\r\n<head><title>{code} {title}</title></head>\r\n<body>\r\n<center><h1>{code} \
         {title}</h1></center>\r\n</body>\r\n</html>\r\n"
    );
    (status, [(CONTENT_TYPE, HeaderValue::from_static("text/html"))], page).into_response()
}

fn unkept(response: Response) -> Response {
    respond::with(response, CACHE_CONTROL, HeaderValue::from_static("no-store"))
}

fn is_oauth(path: &str) -> bool {
    path.starts_with("/oauth/")
}

/// A body that is announced whole and breaks off.
struct CutBody {
    half: Option<Bytes>,
    length: usize,
    /// What was given is sent when the connection finds nothing more to send, and not before.
    is_sent: bool,
}

impl HttpBody for CutBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(half) = self.half.take() {
            return Poll::Ready(Some(Ok(Frame::data(half))));
        }
        if !std::mem::replace(&mut self.is_sent, true) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(io::Error::other("cut on purpose"))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(u64::try_from(self.length).unwrap_or(u64::MAX))
    }
}
