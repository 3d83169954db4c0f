//! Connections over real sockets.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, routing::get};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{Notify, oneshot},
    task::JoinHandle,
};

use super::*;
use crate::tls::{Tls, TlsFiles};

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(100);

fn limits() -> Limits {
    Limits { head_timeout: LONG, idle_timeout: LONG, stop_timeout: LONG, ..Limits::default() }
}

struct Served {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    done: JoinHandle<()>,
}

fn start(router: Router, limits: Limits) -> Served {
    start_on(bind("127.0.0.1:0".parse().unwrap()).unwrap(), router, limits)
}

fn start_on(listener: Listener, router: Router, limits: Limits) -> Served {
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let done = tokio::spawn(async move {
        let stopped = async move { drop(stopped.await) };
        serve(listener, router, &limits, stopped).await;
    });
    Served { address, stop, done }
}

fn hello() -> Router {
    Router::new().route("/", get(|| async { "hello" }).post(|| async { "hello" }))
}

async fn connect(served: &Served) -> TcpStream {
    TcpStream::connect(served.address).await.unwrap()
}

/// Sends, and reads until the server closes the connection.
async fn until_closed(mut stream: TcpStream, sent: &str) -> String {
    stream.write_all(sent.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A connection that is reset instead of closed has ended as well.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

/// RFC 9112 §6.1.
#[tokio::test]
async fn a_request_that_is_framed_twice_gets_400_and_the_connection_ends() {
    let served = start(hello(), limits());
    for heads in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    ] {
        let sent = format!("POST / HTTP/1.1\r\nHost: x\r\n{heads}\r\n0\r\n\r\n");
        let answer = until_closed(connect(&served).await, &sent).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        assert!(answer.to_ascii_lowercase().contains("connection: close"), "{answer}");
        assert!(!answer.contains("hello"), "{answer}");
    }
}

/// What a client sees whose answer was lost on the way.
#[tokio::test]
async fn of_an_answer_that_hangs_up_not_one_byte_is_sent() {
    let router = hello().route("/lost", get(|| async { hang_up() }));
    let served = start(router, limits());
    let sent = "GET /lost HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n";
    assert_eq!(until_closed(connect(&served).await, sent).await, "");
    let sent = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    assert!(until_closed(connect(&served).await, sent).await.ends_with("hello"));
}

#[tokio::test]
async fn either_framing_alone_is_served_on_one_connection() {
    let served = start(hello(), limits());
    let sent = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n\
                POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\nab";
    let answer = until_closed(connect(&served).await, sent).await;
    assert_eq!(answer.matches("HTTP/1.1 200 ").count(), 2, "{answer}");
}

#[tokio::test]
async fn a_slow_head_is_cut_off_while_idle_connections_may_wait() {
    let served = start(hello(), Limits { head_timeout: SHORT, ..limits() });
    let idle = connect(&served).await;
    let cut_off = until_closed(connect(&served).await, "GET / HTTP/1.1\r\nHost").await;
    assert_eq!(cut_off, "");
    let sent = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    assert!(until_closed(idle, sent).await.contains("hello"));
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_its_time_and_also_between_requests() {
    let served = start(hello(), Limits { idle_timeout: SHORT, ..limits() });
    assert_eq!(until_closed(connect(&served).await, "").await, "");
    let kept_alive =
        until_closed(connect(&served).await, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(kept_alive.ends_with("hello"), "{kept_alive}");
}

/// The request is there before the connection is looked at for the first time, and nothing was ever
/// waited for.
#[tokio::test]
async fn a_connection_whose_first_request_came_at_once_is_closed_after_its_time() {
    let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let mut stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let served = start_on(listener, hello(), Limits { idle_timeout: SHORT, ..limits() });
    let answer = until_closed(stream, "").await;
    assert!(answer.ends_with("hello"), "{answer}");
    drop(served);
}

#[tokio::test]
async fn a_connection_past_the_limit_waits_for_its_turn() {
    let served = start(hello(), Limits { connections_max: 1, ..limits() });
    let mut first = connect(&served).await;
    first.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut byte = [0];
    first.read_exact(&mut byte).await.unwrap();
    let sent = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let second = tokio::spawn(until_closed(connect(&served).await, sent));
    tokio::task::yield_now().await;
    assert!(!second.is_finished());
    drop(first);
    assert!(second.await.unwrap().contains("hello"));
}

#[tokio::test]
async fn an_oversized_head_gets_431() {
    let served = start(hello(), limits());
    let sent = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(20_000));
    let answer = until_closed(connect(&served).await, &sent).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

#[tokio::test]
async fn a_stop_finishes_what_is_in_flight_and_takes_nothing_new() {
    let (entered, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (handler_entered, handler_release) = (Arc::clone(&entered), Arc::clone(&release));
    let slow = move || async move {
        handler_entered.notify_one();
        handler_release.notified().await;
        "finished"
    };
    let served = start(Router::new().route("/", get(slow)), limits());
    let sent = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    let in_flight = tokio::spawn(until_closed(connect(&served).await, sent));
    entered.notified().await;
    served.stop.send(()).unwrap();
    while TcpStream::connect(served.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!in_flight.is_finished());
    release.notify_one();
    assert!(in_flight.await.unwrap().contains("finished"));
    served.done.await.unwrap();
}

#[tokio::test]
async fn a_peer_that_takes_no_answer_is_cut_off() {
    let large = "x".repeat(64 << 20);
    let router = Router::new().route("/", get(move || async move { large }));
    let served = start(router, Limits { request_timeout: SHORT, connections_max: 1, ..limits() });
    let mut greedy = connect(&served).await;
    greedy.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    // It never reads, so the one place there is becomes free only when it is cut off.
    let mut next = connect(&served).await;
    next.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut status = [0; 12];
    next.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 200");
}

#[tokio::test]
async fn a_body_that_looks_like_two_framings_ends_its_own_connection_only() {
    let served = start(hello(), limits());
    let body = "Content-Length: 1\nTransfer-Encoding: x\n";
    let head = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len());
    let mut stream = connect(&served).await;
    stream.write_all(head.as_bytes()).await.unwrap();
    let answer = until_closed(stream, body).await;
    assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
}

/// Both certificates are their own roots.
fn client(protocols: &[&[u8]]) -> tokio_rustls::TlsConnector {
    use rustls::pki_types::pem::PemObject as _;
    let mut roots = rustls::RootCertStore::empty();
    let certificate = rustls::pki_types::CertificateDer::from_pem_file(pair().certificate);
    roots.add(certificate.unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    Arc::new(config).into()
}

fn pair() -> TlsFiles {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/certificates/first");
    let path = |ending| format!("{folder}.{ending}").into();
    TlsFiles { certificate: path("crt"), key: path("key") }
}

fn start_with_tls(limits: Limits) -> Served {
    let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
    start_on(listener.with_handshake(Arc::new(Tls::load(pair()).unwrap())), hello(), limits)
}

#[tokio::test]
async fn with_a_certificate_http_is_spoken_over_tls() {
    let served = start_with_tls(limits());
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    let connector = client(&[b"http/1.1"]);
    let mut stream = connector.connect(name, connect(&served).await).await.unwrap();
    let request = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("hello"), "{answer}");
}

#[tokio::test]
async fn whoever_knows_http2_gets_it() {
    let served = start_with_tls(limits());
    for (offered, chosen) in [
        (&[&b"http/1.1"[..], b"h2"][..], Some(&b"h2"[..])),
        (&[b"http/1.1"], Some(b"http/1.1")),
        (&[], None),
    ] {
        let name = rustls::pki_types::ServerName::try_from("127.0.0.1").unwrap();
        let stream = client(offered).connect(name, connect(&served).await).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), chosen);
    }
}

#[tokio::test]
async fn with_a_certificate_nothing_is_answered_without_tls() {
    let served = start_with_tls(limits());
    let stream = connect(&served).await;
    let request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut answer = Vec::new();
    let mut stream = stream;
    stream.write_all(request.as_bytes()).await.unwrap();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(!answer.windows(4).any(|part| part == b"HTTP"), "{answer:?}");
}

#[tokio::test]
async fn a_handshake_that_does_not_go_on_is_cut_off() {
    let served = start_with_tls(Limits { head_timeout: SHORT, ..limits() });
    assert_eq!(until_closed(connect(&served).await, "\u{16}\u{3}\u{1}").await, "");
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_handshake() {
    const HOUR: Duration = Duration::from_secs(3_600);
    let served =
        start_with_tls(Limits { head_timeout: HOUR, stop_timeout: HOUR, ..Limits::default() });
    let mut silent = connect(&served).await;
    // Who came later has shaken hands, so the silent one was accepted.
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    drop(client(&[]).connect(name, connect(&served).await).await.unwrap());
    drop(served.stop);
    tokio::time::timeout(LONG, served.done).await.unwrap().unwrap();
    assert_eq!(silent.read(&mut [0]).await.unwrap_or(0), 0);
}
