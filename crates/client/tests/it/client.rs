//! What a client is made of, how it ends, and who looks on.

use std::{
    process::Command,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderName, HeaderValue};
use tokenry_client::{
    Attempt, BoxFuture, Client, Credentials, Error, Hook, Response, SansIo, Server, Transport,
    TransportError, TransportErrorKind,
};
use tokio::sync::Semaphore;

use crate::support::{Fault, Relay, StillEnvironment, TestServer, fetch, http};

#[tokio::test]
async fn closing_waits_for_what_is_under_way_and_refuses_what_comes_later() {
    let server = TestServer::start().await;
    let relay = Relay::before(&server.base).await;
    let client = server.builder().server(&relay.base).build().unwrap();
    let permits = Arc::new(Semaphore::new(0));
    relay.next([Fault::Hold(Arc::clone(&permits))]);
    let other = client.with_credentials(Credentials::None);
    let clone = client.clone();
    let asked = tokio::spawn(async move { clone.users().me().await });
    relay.seen(1).await;
    let mut closing = std::pin::pin!(client.close());
    assert!(closing.as_mut().now_or_never().is_none(), "an answer is awaited");
    permits.add_permits(1);
    closing.await;
    assert!(asked.await.unwrap().is_ok(), "what was under way has its answer");
    for clone in [&client, &client.clone()] {
        assert!(matches!(clone.users().me().await, Err(Error::Closed)));
        let mut pages = clone.oauth_tokens().list().pages();
        assert!(matches!(pages.next().await, Err(Error::Closed)));
    }
    assert_eq!(relay.counts(), (1, 1), "nothing was sent any more");
    other.authorization_server().metadata().await.unwrap();
    server.stop().await;
}

/// Notes what it sees, and signs requests.
#[derive(Clone, Default)]
struct Watcher(Arc<Mutex<Vec<String>>>);

impl Hook for Watcher {
    fn before(&self, attempt: Attempt, request: &mut http::Request<Bytes>) -> Result<(), Error> {
        self.note(format!("{} {} before", attempt.operation, attempt.number));
        if attempt.operation == "oauth_tokens.current" {
            return Err(Error::Stopped("not today".into()));
        }
        let signature = HeaderValue::from_static("signed");
        request.headers_mut().insert(HeaderName::from_static("x-signature"), signature);
        Ok(())
    }

    fn answered(&self, attempt: Attempt, response: &Response) {
        let status = response.status().as_u16();
        self.note(format!("{} {} answered {status}", attempt.operation, attempt.number));
    }

    fn failed(&self, attempt: Attempt, error: &TransportError) {
        let kind = error.kind();
        self.note(format!("{} {} failed {kind:?}", attempt.operation, attempt.number));
    }
}

impl Watcher {
    fn note(&self, text: String) {
        self.0.lock().unwrap().push(text);
    }
}

#[tokio::test]
async fn a_hook_sees_every_attempt_and_may_change_or_stop_it() {
    let server = TestServer::start().await;
    let relay = Relay::before(&server.base).await;
    let watcher = Watcher::default();
    let builder = server.builder().server(&relay.base).hook(watcher.clone());
    let client = builder.environment(StillEnvironment::default()).build().unwrap();
    relay.next([Fault::Answer(503, ""), Fault::ResetBefore]);
    client.users().me().await.unwrap();
    assert!(relay.heads().iter().all(|head| head.contains("x-signature: signed")));
    let stopped = client.oauth_tokens().current().await.unwrap_err();
    assert_eq!(stopped.to_string(), "the request was stopped: not today");
    assert_eq!(relay.counts().0, 3);
    assert_eq!(
        *watcher.0.lock().unwrap(),
        [
            "users.me 1 before",
            "users.me 1 answered 503",
            "users.me 2 before",
            "users.me 2 failed Lost",
            "users.me 3 before",
            "users.me 3 answered 200",
            "oauth_tokens.current 1 before",
        ]
    );
    server.stop().await;
}

#[tokio::test]
async fn headers_are_sent_along_and_never_over_who_asks() {
    let server = TestServer::start().await;
    let relay = Relay::before(&server.base).await;
    let name = HeaderName::from_static("x-tenant");
    let forged = HeaderValue::from_static("Bearer forged");
    let builder = server.builder().server(&relay.base);
    let builder = builder.header(name.clone(), HeaderValue::from_static("one"));
    let client = builder.header(http::header::AUTHORIZATION, forged.clone()).build().unwrap();
    client.users().me().header(http::header::AUTHORIZATION, forged).await.unwrap();
    client.users().me().header(name, HeaderValue::from_static("two")).await.unwrap();
    let heads = relay.heads();
    assert!(heads[0].contains("x-tenant: one") && heads[1].contains("x-tenant: two"));
    for head in heads {
        assert!(!head.contains("forged") && head.contains("authorization: Basic "), "{head}");
        assert!(head.contains("user-agent: tokenry-client/"), "{head}");
        assert!(head.contains("accept: application/json"), "{head}");
    }
    server.stop().await;
}

/// Answers by itself, and notes what it was sent.
#[derive(Clone, Default)]
struct Canned(Arc<Mutex<Vec<http::Request<Bytes>>>>);

impl Transport for Canned {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response, TransportError>> {
        self.0.lock().unwrap().push(request);
        let body = r#"{"user":{"id":7}}"#;
        Box::pin(std::future::ready(Ok(Response::new(body.into()))))
    }
}

#[tokio::test]
async fn an_account_is_reached_by_its_subdomain_over_any_transport() {
    let sent = Canned::default();
    let builder = Client::builder().subdomain("Acme").transport(sent.clone());
    let client = builder.credentials(Credentials::bearer("abc")).build().unwrap();
    let user = client.users().me().await.unwrap().user.unwrap();
    assert_eq!(user.id.unwrap().get(), 7);
    let other = Server::parse("https://auth.example.com/base").unwrap();
    client.users().show(7).server(other.clone(), Credentials::bearer("def")).await.unwrap();
    client.users().show(7).server(other, Credentials::None).await.unwrap();
    let sent = sent.0.lock().unwrap();
    let told: Vec<_> = sent
        .iter()
        .map(|request| {
            let who = request.headers().get(http::header::AUTHORIZATION);
            (request.uri().to_string(), who.map(|who| who.to_str().unwrap()))
        })
        .collect();
    let elsewhere = "https://auth.example.com/base/api/v2/users/7".to_owned();
    assert_eq!(
        told,
        [
            ("https://acme.zendesk.com/api/v2/users/me".to_owned(), Some("Bearer abc")),
            (elsewhere.clone(), Some("Bearer def")),
            // The client's own are another server's secrets.
            (elsewhere, None),
        ]
    );
}

#[tokio::test]
async fn credentials_do_not_cross_a_network_readable_unless_that_is_allowed() {
    let sent = Canned::default();
    let builder = || {
        let builder = Client::builder().server("http://auth.example.com");
        builder.transport(sent.clone()).credentials(Credentials::bearer("abc"))
    };
    let refused = builder().build().unwrap().users().me().await.unwrap_err();
    assert!(refused.to_string().contains("insecure_http"), "{refused}");
    assert!(sent.0.lock().unwrap().is_empty());
    builder().insecure_http().build().unwrap().users().me().await.unwrap();
    assert_eq!(sent.0.lock().unwrap().len(), 1);
}

#[test]
fn without_a_server_it_is_said_how_to_name_one() {
    let error = Client::builder().build().unwrap_err().to_string();
    assert!(error.contains(".server(") && error.contains("TOKENRY_CLIENT_SERVER"), "{error}");
    assert!(Client::builder().subdomain("acme.zendesk.com").build().is_err());
}

#[test]
fn credentials_of_the_environment_go_to_no_server_that_is_named_later() {
    let variables = |name: &str| match name {
        "TOKENRY_CLIENT_SERVER" => Some("https://auth.example.com".to_owned()),
        "TOKENRY_CLIENT_ACCESS_TOKEN" => Some("hunter2".to_owned()),
        _ => None,
    };
    let builder = || Client::builder().from_variables(variables).unwrap();
    assert!(builder().build().is_ok());
    assert!(builder().server("https://auth.example.com").build().is_ok());
    let error = builder().server("https://evil.test").build().unwrap_err().to_string();
    assert!(error.contains("before from_variables") && !error.contains("hunter2"), "{error}");
    let other = builder().server("https://other.test").credentials(Credentials::None);
    assert!(other.build().is_ok());
}

#[tokio::test]
async fn another_http_client_is_taken_with_its_proxy() {
    let server = TestServer::start().await;
    let proxy = Relay::before(&server.base).await;
    let through = http().proxy(reqwest::Proxy::all(&proxy.base).unwrap());
    let client = server.builder().http(through).build().unwrap();
    client.users().me().await.unwrap();
    let line = format!("GET {}/api/v2/users/me HTTP/1.1", server.base);
    assert!(proxy.heads()[0].starts_with(&line), "{:?}", proxy.heads());
    server.stop().await;
}

#[tokio::test]
async fn an_answer_that_is_longer_than_any_page_is_not_read_to_its_end() {
    let server = TestServer::start().await;
    let relay = Relay::before(&server.base).await;
    let client = server.builder().server(&relay.base).build().unwrap();
    relay.next([Fault::Flood]);
    let error = client.users().me().await.unwrap_err();
    let Error::Transport(error) = error else { panic!("{error}") };
    assert_eq!(error.kind(), TransportErrorKind::TooLarge);
    server.stop().await;
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let server = TestServer::start().await;
    let relay = Relay::before(&server.base).await;
    let builder = || server.builder().server(&relay.base);
    let follows = http().redirect(reqwest::redirect::Policy::limited(9));
    for client in [builder().build().unwrap(), builder().http(follows).build().unwrap()] {
        relay.next([Fault::Answer(302, "location: http://127.0.0.1:1/\r\n")]);
        let error = client.users().me().await.unwrap_err();
        assert!(matches!(error, Error::Unreadable(_)), "{error}");
        assert_eq!((error.status().unwrap().as_u16(), relay.counts().0), (302, 1));
    }
    server.stop().await;
}

#[tokio::test]
async fn a_request_can_be_sent_by_other_means() {
    let server = TestServer::start().await;
    let credentials = Credentials::api_token(&*server.admin.email, &*server.admin.api_token);
    let call = SansIo.users().me();
    let request = call.request(&Server::parse(&server.base).unwrap(), &credentials).unwrap();
    let response = fetch(&http().build().unwrap(), request).await.unwrap();
    let me = call.read(&response).unwrap().user.unwrap();
    assert_eq!(me.id, Some(server.admin.id));
    server.stop().await;
}

/// The variables of a child that runs this test again.
const CHILD: &str = "CLIENT_OF_THE_ENVIRONMENT";

#[tokio::test]
async fn server_and_credentials_are_read_from_the_environment() {
    if std::env::var(CHILD).is_ok() {
        let me = Client::from_env().unwrap().users().me().await.unwrap().user.unwrap();
        assert_eq!(me.email.as_deref(), Some("ada@acme.test"));
        return;
    }
    let server = TestServer::start().await;
    let (email, token) = (server.admin.email.clone(), server.admin.api_token.clone());
    let client = server.client();
    let (client_id, _) = server.register("acme_reports").await;
    let made = client.oauth_tokens().create(client_id).await.unwrap().token.unwrap();
    let bearer = made.full_token.unwrap();
    for variables in [
        vec![
            ("TOKENRY_CLIENT_SERVER", &*server.base),
            ("TOKENRY_CLIENT_EMAIL", &*email),
            ("TOKENRY_CLIENT_API_TOKEN", &*token),
        ],
        vec![
            ("ZENDESK_SERVER_URL", &*server.base),
            ("ZENDESK_USERNAME", &*format!("{email}/token")),
            ("ZENDESK_PASSWORD", &*token),
        ],
        vec![
            ("TOKENRY_CLIENT_SERVER", &*server.base),
            ("TOKENRY_CLIENT_ACCESS_TOKEN", bearer.reveal()),
        ],
    ] {
        let mut child = Command::new(std::env::current_exe().unwrap());
        let name = "client::server_and_credentials_are_read_from_the_environment";
        child.args(["--exact", name]).env_clear().env(CHILD, "1").envs(variables.clone());
        // What is sent to this machine is nobody else's to read, and nobody is there.
        child.env("http_proxy", "http://127.0.0.1:1");
        let output = tokio::task::spawn_blocking(move || child.output().unwrap()).await.unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && told.contains("1 passed"), "{variables:?}: {told}");
    }
    server.stop().await;
}
