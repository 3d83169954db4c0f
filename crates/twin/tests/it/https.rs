//! The proxy that leads Zendesk's own address here, and whom its clients trust.

use std::{fs, path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use serde_json::Value;
use tokenry_twin::{Options, Twin, connect::Https, journal::Filter};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::support::Played;

const ZENDESK: &str = "acme.zendesk.com";
const CURRENT: &str = "/api/v2/oauth/tokens/current.json";

async fn proxied() -> (Played, Https) {
    let played = Played::with(Options { https_port: Some(0), ..Options::default() }).await;
    let https = played.twin.connection_details().https.unwrap();
    (played, https)
}

async fn connect(https: &Https) -> TcpStream {
    TcpStream::connect(https.proxy.strip_prefix("http://").unwrap()).await.unwrap()
}

/// Writes, and reads until the other end closes or has said as much as a head.
async fn head_after(stream: &mut TcpStream, sent: &str) -> String {
    stream.write_all(sent.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

async fn tunnel(https: &Https) -> TcpStream {
    let mut stream = connect(https).await;
    let asked = format!("CONNECT {ZENDESK}:443 HTTP/1.1\r\nHost: {ZENDESK}:443\r\n\r\n");
    let told = head_after(&mut stream, &asked).await;
    assert!(told.starts_with("HTTP/1.1 200 "), "{told}");
    stream
}

/// Trusts one file and nobody else.
async fn shake(
    stream: TcpStream,
    ca_file: &str,
    name: &'static str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca_file).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(name).unwrap(), stream).await
}

/// One request on a connection, with the token of the examples.
async fn ask(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    path: &str,
    authorization: &str,
) -> (String, Value) {
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {ZENDESK}\r\nAuthorization: {authorization}\r\n\
         Connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), serde_json::from_str(body).unwrap_or_default())
}

fn bearer(played: &Played) -> String {
    format!("Bearer {}", played.seeded().access_token)
}

#[tokio::test]
async fn a_program_that_calls_zendesk_itself_is_answered_as_from_there() {
    let (played, https) = proxied().await;
    let stream = shake(tunnel(&https).await, &https.ca_file, ZENDESK).await.unwrap();
    let (head, body) = ask(stream, CURRENT, &bearer(&played)).await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert_eq!(body["token"]["url"], "https://acme.zendesk.com/api/v2/tokens/1004.json");

    let stream = shake(tunnel(&https).await, &https.ca_file, ZENDESK).await.unwrap();
    let metadata = "/.well-known/oauth-authorization-server";
    let (_, body) = ask(stream, metadata, &bearer(&played)).await;
    assert_eq!(body["issuer"], "https://acme.zendesk.com");

    let plain = played.call("GET", metadata, &[], Value::Null).await.unwrap().1;
    assert_eq!(plain["issuer"], played.twin.base_url());
    let calls = played.twin.journal().since(0, &Filter::default()).entries;
    assert_eq!(calls.iter().filter(|call| call.path == CURRENT).count(), 1);
}

/// As with a line in a file of hosts, or by this machine's own names.
#[tokio::test]
async fn it_is_reached_without_a_tunnel_as_well() {
    let (played, https) = proxied().await;
    for name in [ZENDESK, "localhost", "127.0.0.1"] {
        let stream = shake(connect(&https).await, &https.ca_file, name).await.unwrap();
        let (head, _) = ask(stream, CURRENT, &bearer(&played)).await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{name}: {head}");
    }
}

#[tokio::test]
async fn a_request_for_a_tunnel_may_come_in_pieces() {
    let (played, https) = proxied().await;
    let mut stream = connect(&https).await;
    stream.set_nodelay(true).unwrap();
    let padding = "x".repeat(3_000);
    let asked =
        format!("CONNECT ACME.Zendesk.com:443 HTTP/1.1\r\nProxy-Padding: {padding}\r\n\r\n");
    let (last, pieces) = asked.as_bytes().split_last().unwrap();
    for piece in pieces.chunks(701) {
        stream.write_all(piece).await.unwrap();
        tokio::task::yield_now().await;
    }
    let told = head_after(&mut stream, std::str::from_utf8(&[*last]).unwrap()).await;
    assert!(told.starts_with("HTTP/1.1 200 "), "{told}");
    let stream = shake(stream, &https.ca_file, ZENDESK).await.unwrap();
    let (head, _) = ask(stream, CURRENT, &bearer(&played)).await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
}

#[tokio::test]
async fn it_leads_nowhere_else_and_says_so() {
    let (played, https) = proxied().await;
    let long = format!("CONNECT {ZENDESK}:443 HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(20_000));
    let body = "x".repeat(1 << 20);
    let post = format!("POST http://{ZENDESK}/ HTTP/1.1\r\nContent-Length: 1048576\r\n\r\n{body}");
    for (asked, status, told) in [
        ("CONNECT api.example.com:443 HTTP/1.1\r\n\r\n", "403", "api.example.com:443"),
        ("CONNECT acme.zendesk.com:8443 HTTP/1.1\r\n\r\n", "403", "at port 443"),
        ("CONNECT other.zendesk.com:443 HTTP/1.1\r\n\r\n", "403", "NO_PROXY"),
        ("CONNECT you@acme.zendesk.com:443 HTTP/1.1\r\n\r\n", "400", "no host and port"),
        ("CONNECT\r\n\r\n", "400", "no host and port"),
        ("GET http://acme.zendesk.com/ HTTP/1.1\r\n\r\n", "405", "not in HTTP_PROXY"),
        ("\r\n\r\n", "405", "Allow: CONNECT\r\n"),
        (&post, "405", "HTTPS_PROXY"),
        (&long, "431", "longer than 8192 bytes"),
    ] {
        let mut stream = connect(&https).await;
        let mut answer = head_after(&mut stream, asked).await;
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{asked}: {answer}");
        assert!(answer.contains(told), "{asked}: {answer}");
    }
    assert_eq!(played.verify(&played.seeded().access_token).await, 200, "it goes on");
}

#[tokio::test]
async fn whom_to_trust_is_another_at_each_twin_and_told_in_three_ways() {
    let (played, https) = proxied().await;
    let (other, others) = proxied().await;
    let stream = tunnel(&https).await;
    assert!(shake(stream, &others.ca_file, ZENDESK).await.is_err());
    let written = fs::read_to_string(&https.ca_file).unwrap();
    let told = played.control("GET", "/twin/ca.pem", Value::Null).await;
    assert_eq!(told, written);
    let details = played.twin.connection_details();
    for name in ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"] {
        let variable = details.variables.iter().find(|variable| variable.name == name).unwrap();
        assert_eq!(variable.value, https.ca_file);
    }
    for name in ["HTTPS_PROXY", "https_proxy"] {
        let variable = details.variables.iter().find(|variable| variable.name == name).unwrap();
        assert_eq!(variable.value, https.proxy);
    }
    other.twin.stop().await;
    assert!(!Path::new(&others.ca_file).exists());
}

/// As tests in another container do.
#[tokio::test]
async fn the_proxy_is_told_under_the_name_that_one_knows_the_twin_by() {
    let (played, https) = proxied().await;
    let port = https.proxy.rsplit(':').next().unwrap();
    let headers = [("host", "zendesk:4000")];
    let told = played.call("GET", "/twin/connect", &headers, Value::Null).await.unwrap().1;
    assert_eq!(told["https"]["proxy"], format!("http://zendesk:{port}"));

    let stream = shake(tunnel(&https).await, &https.ca_file, ZENDESK).await.unwrap();
    let (_, told) = ask(stream, "/twin/connect", &bearer(&played)).await;
    assert_eq!(told["https"]["proxy"], https.proxy);
}

#[tokio::test]
async fn a_file_of_ones_own_stays() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let options = || Options { https_port: Some(0), ..Options::default() };
    let twin = Twin::start_with(Options { ca_file: Some(file.clone()), ..options() }).await;
    let twin = twin.unwrap();
    assert_eq!(twin.connection_details().https.unwrap().ca_file, file.display().to_string());
    twin.stop().await;
    assert!(fs::read_to_string(&file).unwrap().starts_with("-----BEGIN CERTIFICATE-----"));

    let nowhere = folder.path().join("missing/ca.pem");
    let refused = Twin::start_with(Options { ca_file: Some(nowhere), ..options() }).await;
    let told = refused.err().unwrap().to_string();
    assert!(told.contains("missing/ca.pem"), "{told}");
}

#[tokio::test]
async fn a_twin_without_it_says_how_to_start_it() {
    let played = Played::new().await;
    assert_eq!(played.twin.connection_details().https, None);
    let (status, told) = played.call("GET", "/twin/ca.pem", &[], Value::Null).await.unwrap();
    assert_eq!(status, 404);
    assert!(told["error_description"].as_str().unwrap().contains("--https"), "{told}");
}
