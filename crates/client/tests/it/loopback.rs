//! The listener that the users of native apps come back to.

use std::time::Duration;

use tokenry_client::{
    AuthorizationCode, CallbackError, Client, ClientAuthentication, Loopback, LoopbackError,
    PendingAuthorization,
};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use crate::support::{Browser, Page, TestServer, exchange};

const LONG: Duration = Duration::from_secs(60);

fn begin(client: &Client, listener: &Loopback) -> PendingAuthorization {
    let request = AuthorizationCode::new("acme_reports", listener.redirect_uri());
    request.scope("read").begin(client).unwrap()
}

fn authority(listener: &Loopback) -> String {
    let address = listener.redirect_uri().strip_prefix("http://").unwrap();
    address.strip_suffix("/callback").unwrap().to_owned()
}

async fn get(authority: &str, target: &str) -> Page {
    Page::of(&exchange(authority, &format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n")).await)
}

#[tokio::test]
async fn a_user_comes_back_to_a_port_that_was_free_and_has_tokens() {
    let server = TestServer::start().await;
    let (_, secret) = server.register("acme_reports").await;
    let reports = ClientAuthentication::secret("acme_reports", secret);
    let client = server.client();
    let listener = Loopback::bind(0).await.unwrap();
    let pending = begin(&client, &listener);
    let url = pending.url().to_owned();
    let waiting = tokio::spawn(listener.receive(pending, LONG));
    let mut browser = Browser::default();
    let back = browser.consent(&server, &url, "allow").await;
    let page = browser.get(&back).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("You can close this window"), "{}", page.text);
    let callback = waiting.await.unwrap().unwrap();
    let tokens = client.grant_type_tokens().redeem(&reports, callback).await.unwrap();
    assert!(tokens.refresh_token.is_some());
    let authority = back.strip_prefix("http://").unwrap().split('/').next().unwrap();
    assert!(TcpStream::connect(authority).await.is_err(), "it listens no more");
    server.stop().await;
}

#[tokio::test]
async fn a_user_who_refuses_is_shown_that_and_the_program_is_told() {
    let server = TestServer::start().await;
    server.register("acme_reports").await;
    let listener = Loopback::bind(0).await.unwrap();
    let pending = begin(&server.client(), &listener);
    let url = pending.url().to_owned();
    let waiting = tokio::spawn(listener.receive(pending, LONG));
    let mut browser = Browser::default();
    let back = browser.consent(&server, &url, "deny").await;
    assert!(browser.get(&back).await.text.contains("Access was not granted"));
    let error = waiting.await.unwrap().unwrap_err();
    let LoopbackError::Callback(CallbackError::Refused(refusal)) = error else {
        panic!("the user refused: {error}");
    };
    assert!(refusal.is_denied());
    server.stop().await;
}

#[tokio::test]
async fn what_is_not_the_callback_is_answered_and_does_not_end_the_wait() {
    let server = TestServer::start().await;
    let listener = Loopback::bind(0).await.unwrap();
    let authority = authority(&listener);
    let pending = begin(&server.client(), &listener);
    let state = pending.state().to_owned();
    let waiting = tokio::spawn(listener.receive(pending, LONG));
    // A browser opens connections that it may not need.
    let silent = TcpStream::connect(&*authority).await.unwrap();
    let mut broken = TcpStream::connect(&*authority).await.unwrap();
    broken.write_all(b"GET /callback").await.unwrap();
    drop(broken);

    assert_eq!(get(&authority, "/favicon.ico").await.status, 404);
    assert_eq!(get(&authority, "/").await.status, 404);
    let stolen = get(&authority, "/callback?code=mine&state=guessed").await;
    assert_eq!(stolen.status, 400);
    assert_eq!(get(&authority, "/callback").await.status, 400);
    let post = format!("POST /callback?code=x&state={state} HTTP/1.1\r\nHost: x\r\n\r\n");
    let post = exchange(&authority, &post).await;
    assert!(post.starts_with("HTTP/1.1 405 ") && post.contains("\r\nAllow: GET\r\n"), "{post}");
    let long = format!("GET /callback?code={} HTTP/1.1\r\n", "x".repeat(30 << 10));
    let mut stream = TcpStream::connect(&*authority).await.unwrap();
    // The listener hangs up in the middle.
    let _ = stream.write_all(long.as_bytes()).await;
    drop(stream);

    let page = get(&authority, &format!("/callback?code=c&state={state}")).await;
    assert_eq!(page.status, 200);
    drop(silent);
    let callback = waiting.await.unwrap();
    assert!(callback.is_ok(), "{callback:?}");
    server.stop().await;
}

#[tokio::test]
async fn nobody_is_waited_for_forever_nor_at_another_address() {
    let server = TestServer::start().await;
    let client = server.client();
    let listener = Loopback::bind(0).await.unwrap();
    let pending = begin(&client, &listener);
    let error = listener.receive(pending, Duration::from_millis(50)).await.unwrap_err();
    assert!(matches!(error, LoopbackError::Timeout(_)), "{error}");

    let (here, there) = (Loopback::bind(0).await.unwrap(), Loopback::bind(0).await.unwrap());
    let error = here.receive(begin(&client, &there), LONG).await.unwrap_err();
    assert!(matches!(error, LoopbackError::OtherAddress { .. }), "{error}");
    let port = there.redirect_uri().split(':').nth(2).unwrap().split('/').next().unwrap();
    let taken = Loopback::bind(port.parse().unwrap()).await.unwrap_err();
    assert_eq!(taken.kind(), std::io::ErrorKind::AddrInUse);
    server.stop().await;
}
