//! Every way in which the server refuses, provoked there and read here.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderValue, Method, header::CONTENT_TYPE};
use tokenry_client::{
    Attempt, AuthorizationCode, BoxFuture, CheckedCallback, Client, ClientAuthentication,
    Credentials, Error, Hook, RefusalKind as Kind, Response, RetryPolicy, Transport,
    TransportError,
    models::{ClientRequest, ErrorBody, FieldErrorCode, Sent},
    resources::grant_type_tokens::Door,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use url::Url;

use crate::support::{Browser, REDIRECT_URI, TestServer};

/// Sends something else than was asked for.
struct Rewritten(fn(&mut http::Request<Bytes>));

impl Hook for Rewritten {
    fn before(&self, _: Attempt, request: &mut http::Request<Bytes>) -> Result<(), Error> {
        (self.0)(request);
        Ok(())
    }
}

fn rewriting(server: &TestServer, rewrite: fn(&mut http::Request<Bytes>)) -> Client {
    let builder = server.builder().retry(RetryPolicy::never()).hook(Rewritten(rewrite));
    builder.build().unwrap()
}

fn to(request: &mut http::Request<Bytes>, path: &str) {
    let old = request.uri().path_and_query().unwrap().as_str();
    let address = request.uri().to_string().replace(old, path);
    *request.uri_mut() = address.parse().unwrap();
}

/// Holds an error against status, kind, code and the beginning of what it says.
#[track_caller]
fn assert_refused(error: Error, (status, kind, code, text): (u16, Kind, &str, &str)) -> Error {
    let refusal = error.refusal().unwrap();
    assert_eq!(refusal.status().as_u16(), status, "{error}");
    assert_eq!((refusal.kind(), error.kind()), (kind, Some(kind)), "{error}");
    assert_eq!(refusal.code(), Some(code), "{error}");
    let description = refusal.description().unwrap_or_default();
    assert!(description.starts_with(text), "{error}");
    assert!(refusal.error_body().is_some());
    assert_eq!(refusal.headers()["content-type"], "application/json; charset=utf-8");
    let shown = error.to_string();
    assert!(shown.contains(&format!("{status} ")) && shown.contains(code), "{shown}");
    let body: serde_json::Value = serde_json::from_slice(refusal.body()).unwrap();
    let known = serde_json::to_value(refusal.error_body().unwrap()).unwrap();
    assert_eq!(body, known, "nothing of the body is lost");
    let debug = format!("{error:?}");
    assert!(debug.contains(code) && refusal.request_id().is_none_or(|id| debug.contains(id)));
    error
}

#[tokio::test]
async fn who_asks_is_unknown_or_may_not() {
    let server = TestServer::start().await;
    let client = server.client();
    let nobody = client.with_credentials(Credentials::None);
    let unknown = (401, Kind::Unauthenticated, "Couldn't authenticate you", "");
    let error = assert_refused(nobody.users().me().await.unwrap_err(), unknown);
    let refusal = error.refusal().unwrap();
    assert_eq!(refusal.headers()["www-authenticate"], "Bearer realm=\"tokenry\"");
    assert_eq!(refusal.request_id().unwrap().len(), 32);
    let wrong = Credentials::api_token(&*server.admin.email, "hunter2hunter2hunter2");
    let error = client.with_credentials(wrong).users().me().await.unwrap_err();
    let error = assert_refused(error, unknown);
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    let wrong = Credentials::bearer("hunter2hunter2hunter2");
    let error = client.with_credentials(wrong).oauth_tokens().current().await.unwrap_err();
    let text = "The access token is unknown, expired or revoked.";
    let error = assert_refused(error, (401, Kind::InvalidToken, "invalid_token", text));
    assert!(!format!("{error} {error:?}").contains("hunter2"));

    let ben = server.user("ben@acme.test").await;
    let error = server.client_of(&ben).oauth_clients().list().await.unwrap_err();
    let text = "Your role does not allow this.";
    assert_refused(error, (403, Kind::Forbidden, "Forbidden", text));
    let (client_id, _) = server.register("acme_reports").await;
    let token = client.oauth_tokens().create(client_id).await.unwrap().token.unwrap();
    let bearer = Credentials::bearer(token.full_token.unwrap().reveal());
    let bearer = client.with_credentials(bearer);
    let error = bearer.oauth_tokens().revoke(token.id.unwrap()).await.unwrap_err();
    let text = "You are missing the following required scopes: write";
    let error = assert_refused(error, (403, Kind::Forbidden, "Forbidden", text));
    let challenge = &error.refusal().unwrap().headers()["www-authenticate"];
    assert!(challenge.to_str().unwrap().contains("insufficient_scope"));
    server.stop().await;
}

#[tokio::test]
async fn what_is_asked_for_is_not_there() {
    let server = TestServer::start().await;
    let client = server.client();
    let gone = (404, Kind::NotFound, "RecordNotFound", "Not found");
    assert_refused(client.oauth_tokens().show(7).await.unwrap_err(), gone);
    assert_refused(client.oauth_clients().delete(7).await.unwrap_err(), gone);
    let error = rewriting(&server, |request| to(request, "/api/v2/nothing"));
    let nowhere = (404, Kind::NotFound, "InvalidEndpoint", "Not found");
    assert_refused(error.users().me().await.unwrap_err(), nowhere);
    let error = rewriting(&server, |request| *request.method_mut() = Method::PATCH);
    let error = error.oauth_tokens().show(7).await.unwrap_err();
    let other = (405, Kind::Other, "MethodNotAllowed", "Use GET, HEAD or DELETE.");
    let error = assert_refused(error, other);
    assert_eq!(error.refusal().unwrap().headers()["allow"], "GET, HEAD, DELETE, OPTIONS");
    server.stop().await;
}

#[tokio::test]
async fn a_record_that_is_not_right_is_told_by_field() {
    let server = TestServer::start().await;
    server.register("acme_reports").await;
    let client = server.client();
    let invalid = (422, Kind::Invalid, "RecordInvalid", "Record validation errors");
    let mut request = ClientRequest {
        identifier: "acme_reports".to_owned().into(),
        name: String::new().into(),
        company: "x".repeat(300).into(),
        redirect_uri: vec!["http://acme.test/callback".to_owned()].into(),
        ..ClientRequest::default()
    };
    let error = client.oauth_clients().create(request.clone()).await.unwrap_err();
    let error = assert_refused(error, invalid);
    let fields = error.refusal().unwrap().fields().unwrap();
    for (field, code) in [
        ("company", FieldErrorCode::TooLong),
        ("name", FieldErrorCode::BlankValue),
        ("redirect_uri", FieldErrorCode::InvalidValue),
    ] {
        assert_eq!(fields.of(field)[0].code(), Some(code), "{field}");
    }
    assert_eq!(fields.fields().count(), 3);
    assert!(error.to_string().contains("Name: cannot be blank"), "{error}");
    request.name = "Acme Reports".to_owned().into();
    (request.company, request.redirect_uri) = (Sent::Absent, Sent::Absent);
    let error = client.oauth_clients().create(request).await.unwrap_err();
    let error = assert_refused(error, invalid);
    let fields = error.refusal().unwrap().fields().unwrap();
    assert_eq!(fields.of("identifier")[0].code(), Some(FieldErrorCode::DuplicateValue));
    let error = client.oauth_tokens().create(7).await.unwrap_err();
    let error = assert_refused(error, invalid);
    let fields = error.refusal().unwrap().fields().unwrap();
    assert_eq!(fields.fields().collect::<Vec<_>>(), ["client_id"]);
    server.stop().await;
}

#[tokio::test]
async fn a_request_of_another_form_is_refused_in_its_own_words() {
    let server = TestServer::start().await;
    let text = "You passed an invalid value for the client_id attribute.";
    let attribute = (400, Kind::BadRequest, "Invalid attribute", text);
    let client = rewriting(&server, |request| to(request, "/api/v2/oauth/tokens?client_id=x"));
    assert_refused(client.oauth_tokens().list().await.unwrap_err(), attribute);
    let client = rewriting(&server, |request| *request.body_mut() = "{}".into());
    let missing = (400, Kind::BadRequest, "Missing parameter", "The member token is required.");
    assert_refused(client.oauth_tokens().create(1).await.unwrap_err(), missing);
    let client = rewriting(&server, |request| *request.body_mut() = "{".into());
    let unreadable = (422, Kind::Invalid, "Unprocessable Entity", "Server could not parse JSON");
    assert_refused(client.oauth_tokens().create(1).await.unwrap_err(), unreadable);
    let client = rewriting(&server, |request| {
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    });
    let media = (415, Kind::Other, "UnsupportedMediaType", "Send application/json.");
    assert_refused(client.oauth_tokens().create(1).await.unwrap_err(), media);
    let client = rewriting(&server, |request| *request.body_mut() = " ".repeat(70_000).into());
    let large = (413, Kind::Other, "PayloadTooLarge", "At most 65536 bytes.");
    assert_refused(client.oauth_tokens().create(1).await.unwrap_err(), large);

    let client = server.client();
    let page = (400, Kind::BadRequest, "InvalidPaginationParameter", "page[size] must be 1 to");
    assert_refused(client.oauth_tokens().list().page_size(0).await.unwrap_err(), page);
    let cursor = (400, Kind::BadRequest, "InvalidPaginationParameter", "page[after] is not");
    assert_refused(client.oauth_tokens().list().after("x").await.unwrap_err(), cursor);
    let deep = (400, Kind::BadRequest, "InvalidPaginationDepth", "Use cursor pagination for");
    assert_refused(client.oauth_tokens().list().page(101, 100).await.unwrap_err(), deep);
    server.stop().await;
}

#[tokio::test]
async fn too_many_failures_are_told_when_to_come_back() {
    let settings = [("limits.failed_authentications_per_account", "1")];
    let server = TestServer::with(&settings).await;
    server.register("acme_reports").await;
    let builder = server.builder().retry(RetryPolicy::never());
    let wrong = builder.build().unwrap();
    let credentials = Credentials::api_token(&*server.admin.email, "wrong");
    let wrong = wrong.with_credentials(credentials);
    assert_eq!(wrong.users().me().await.unwrap_err().kind(), Some(Kind::Unauthenticated));
    let text = "Too many requests in this minute.";
    let limited = (429, Kind::RateLimited, "APIRateLimitExceeded", text);
    let error = assert_refused(wrong.users().me().await.unwrap_err(), limited);
    let span = error.retry_after().unwrap();
    assert!((1..=60).contains(&span.as_secs()), "{span:?}");

    let app = ClientAuthentication::secret("acme_reports", "wrong");
    let ask = || wrong.grant_type_tokens().client_credentials(&app).send();
    assert_eq!(ask().await.unwrap_err().kind(), Some(Kind::Unauthenticated));
    let limited = (429, Kind::RateLimited, "temporarily_unavailable", "Too many requests.");
    let error = assert_refused(ask().await.unwrap_err(), limited);
    assert!(error.retry_after().is_some_and(|span| span <= Duration::from_secs(60)));
    server.stop().await;
}

#[tokio::test]
async fn a_server_without_its_database_asks_for_patience() {
    let server = TestServer::without_store().await;
    let client = server.builder().retry(RetryPolicy::never()).build().unwrap();
    let away = (503, Kind::Unavailable, "ServiceUnavailable", "Try again shortly.");
    let error = assert_refused(client.oauth_tokens().list().await.unwrap_err(), away);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(2)));
    let app = ClientAuthentication::secret("acme_reports", "wrong");
    let away = (503, Kind::Unavailable, "temporarily_unavailable", "Try again shortly.");
    let error = client.grant_type_tokens().client_credentials(&app).await.unwrap_err();
    let error = assert_refused(error, away);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(2)));
    server.stop().await;
}

/// A callback with the state of an authorization that has just begun, and this code.
fn with_code(client: &Client, code: &str) -> CheckedCallback {
    let request = AuthorizationCode::new("acme_reports", REDIRECT_URI);
    let pending = request.begin(client).unwrap();
    let query = format!("code={code}&state={}&iss={}", pending.state(), client.server());
    pending.check(&query).unwrap()
}

#[tokio::test]
async fn the_token_endpoint_refuses_in_the_words_of_its_standard() {
    let server = TestServer::start().await;
    let (_, secret) = server.register("acme_reports").await;
    let app = ClientAuthentication::secret("acme_reports", &*secret);
    let client = server.client();
    for door in [Door::Record, Door::Standard] {
        let grants = client.grant_type_tokens();
        let bad = |code, text| (400, Kind::BadRequest, code, text);
        let error = grants.client_credentials(&app).door(door).expires_in(299).await.unwrap_err();
        let text = "expires_in must be 300 to 172800.";
        assert_refused(error, bad("invalid_request", text));
        let error = grants.client_credentials(&app).door(door).scope("nothing").await.unwrap_err();
        assert_refused(error, bad("invalid_scope", ""));
        let wrong = ClientAuthentication::secret("acme_reports", "hunter2hunter2");
        let error = grants.client_credentials(&wrong).door(door).await.unwrap_err();
        let text = "Unknown client or wrong credentials.";
        let unknown = (401, Kind::Unauthenticated, "invalid_client", text);
        let error = assert_refused(error, unknown);
        assert!(!format!("{error} {error:?}").contains("hunter2"));
        let error =
            grants.redeem(&app, with_code(&client, "unknown")).door(door).await.unwrap_err();
        let text = "The grant is invalid, expired or used.";
        assert_refused(error, (400, Kind::InvalidGrant, "invalid_grant", text));
        let error = grants.refresh(&app, "unknown").door(door).await.unwrap_err();
        assert_refused(error, (400, Kind::InvalidGrant, "invalid_grant", ""));
        let begun = AuthorizationCode::new("acme_reports", REDIRECT_URI).begin(&client).unwrap();
        let back = Browser::default().consent(&server, begun.url(), "allow").await;
        let code = Url::parse(&back).unwrap();
        let code = code.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
        // Another authorization has another verifier.
        let error = grants.redeem(&app, with_code(&client, &code)).door(door).await.unwrap_err();
        assert_refused(error, (400, Kind::InvalidGrant, "invalid_grant", ""));
    }
    let client = rewriting(&server, |request| {
        let body = String::from_utf8(request.body().to_vec()).unwrap();
        *request.body_mut() = body.replace("client_credentials", "password").into();
    });
    let error = client.grant_type_tokens().client_credentials(&app).await.unwrap_err();
    let text = "This grant type is not offered.";
    let unsupported = (400, Kind::BadRequest, "unsupported_grant_type", text);
    assert_refused(error, unsupported);
    let phone = ClientAuthentication::public("acme_reports");
    let error = server.client().authorization_server().introspect(&phone, "x").await.unwrap_err();
    assert_eq!(error.refusal().unwrap().code(), Some("invalid_client"));
    server.stop().await;
}

/// Sends these bytes, and reads what is answered until the connection ends.
struct Raw(String, String);

impl Transport for Raw {
    fn send(&self, _: http::Request<Bytes>) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async {
            let mut connection = TcpStream::connect(&self.0).await.unwrap();
            connection.write_all(self.1.as_bytes()).await.unwrap();
            let mut answer = String::new();
            connection.read_to_string(&mut answer).await.unwrap();
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            let mut lines = head.lines();
            let status = lines.next().unwrap().split(' ').nth(1).unwrap();
            let mut response = http::Response::builder().status(status);
            for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
                response = response.header(name, value);
            }
            Ok(response.body(body.to_owned().into()).unwrap())
        })
    }
}

#[tokio::test]
async fn a_request_that_breaks_http_or_never_ends_is_refused_too() {
    let server = TestServer::with(&[("limits.request_timeout", "1s")]).await;
    let address = server.base.strip_prefix("http://").unwrap();
    let (email, token) = (&server.admin.email, &server.admin.api_token);
    let basic = STANDARD.encode(format!("{email}/token:{token}"));
    let record = "POST /api/v2/oauth/tokens HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n";
    let oauth = "POST /oauth/introspect HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n";
    let text = "The request took too long to arrive.";
    for (bytes, expected) in [
        (
            format!("{record}transfer-encoding: chunked\r\n\r\n"),
            (400, Kind::BadRequest, "BadRequest", ""),
        ),
        (
            format!(
                "{record}authorization: Basic {basic}\r\ncontent-type: application/json\r\n\r\n{{"
            ),
            (408, Kind::Other, "RequestTimeout", text),
        ),
        (
            format!("{oauth}content-type: application/x-www-form-urlencoded\r\n\r\ntoken"),
            (408, Kind::Other, "invalid_request", text),
        ),
    ] {
        let builder = server.builder().transport(Raw(address.to_owned(), bytes));
        let client = builder.retry(RetryPolicy::never()).build().unwrap();
        assert_refused(client.users().me().await.unwrap_err(), expected);
    }
    server.stop().await;
}

#[test]
fn a_fault_of_the_server_and_bodies_of_others_are_read_as_far_as_they_go() {
    use tokenry_client::SansIo;
    let read = |status: u16, body: &str| {
        let response = http::Response::builder().status(status).body(body.to_owned().into());
        SansIo.users().me().read(&response.unwrap()).unwrap_err()
    };
    let internal = serde_json::to_string(&ErrorBody::internal()).unwrap();
    let error = read(500, &internal);
    assert_eq!(error.kind(), Some(Kind::ServerError));
    assert_eq!(error.refusal().unwrap().code(), Some("InternalError"));
    for (status, body) in [
        (500, ""),
        (502, "<html>bad gateway</html>"),
        (403, "null"),
        (404, "[]"),
        (400, r#"{"error":7}"#),
        (418, r#"{"errors":"teapot"}"#),
    ] {
        let error = read(status, body);
        let refusal = error.refusal().unwrap();
        assert_eq!((refusal.status().as_u16(), refusal.code()), (status, None));
        assert_eq!(refusal.body(), body.as_bytes());
    }
    let secret = "a0000000GI_tokenry_0000lN99CAgaWtKi7Bsmlf6EN9lXWzmvSmhH8V63r27F7";
    let body = format!(r#"{{"error":"{secret}","error_description":"no {secret}"}}"#);
    let shown = format!("{:?}", read(400, &body));
    assert!(shown.contains("a0000000GI") && !shown.contains("lN99CAga"), "{shown}");
    let told = read(400, r#"{"error":"a\u001b[31m","error_description":"b\u0007","more":1}"#);
    let shown = told.to_string();
    assert!(!shown.chars().any(char::is_control), "nothing moves a terminal: {shown:?}");
}
