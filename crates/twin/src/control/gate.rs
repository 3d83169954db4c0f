//! Who may turn a twin from a browser. It has no passwords, so what keeps other sites' pages away
//! is what browsers say by themselves.
//!
//! 1. The name that the request was sent to is one that only names machines of one's own. Another
//!    site's name may be pointed at this machine (DNS rebinding), and then its pages count as ours.
//! 2. What changes something comes from a page of ours, where a browser sends it.

use std::{net::Ipv4Addr, sync::Arc};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{
    HeaderValue, Method, StatusCode,
    header::{HOST, ORIGIN},
    uri::Authority,
};
use tokenry_server::respond;

use super::wire;
use crate::{double::Double, options::Options};

/// Lets through what comes from a program or from a page of ours.
pub(super) async fn own_pages_only(
    State(double): State<Arc<Double>>,
    request: Request,
    next: Next,
) -> Response {
    let asked = asked(&request);
    if let Some(asked) = asked
        && !is_ours(asked, &double.options)
    {
        return forbidden(&format!(
            "{} is no name that this twin goes by: a site could have pointed it here. If it is \
             yours, start the twin with `--host NAME`, or call it by its IP address.",
            String::from_utf8_lossy(asked)
        ));
    }
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let origin = request.headers().get(ORIGIN).map(HeaderValue::as_bytes);
    if is_safe || origin.is_none_or(|origin| authority_of(origin) == asked) {
        return next.run(request).await;
    }
    forbidden("Another site's page may not turn this twin.")
}

fn forbidden(told: &str) -> Response {
    respond::json(StatusCode::FORBIDDEN, &wire::error("forbidden", told))
}

/// The host and port that the request was sent to. That of its address goes before `Host`
/// (RFC 9112 §3.2.2); HTTP/2 has it alone.
fn asked(request: &Request) -> Option<&[u8]> {
    match request.uri().authority() {
        Some(authority) => Some(authority.as_str().as_bytes()),
        None => request.headers().get(HOST).map(HeaderValue::as_bytes),
    }
}

/// What is behind the scheme of an origin; `None` of `null`.
fn authority_of(origin: &[u8]) -> Option<&[u8]> {
    let at = origin.windows(3).position(|bytes| bytes == b"://")?;
    origin.get(at + 3..)
}

/// Whether a host, with or without a port, can be no other site's.
fn is_ours(asked: &[u8], options: &Options) -> bool {
    let Ok(authority) = Authority::try_from(asked) else { return false };
    let host = authority.host().to_ascii_lowercase();
    let is_address = host.starts_with('[') || host.parse::<Ipv4Addr>().is_ok();
    // The network's own names, as Docker gives them to services.
    let is_single_label = !host.contains('.');
    // Reserved for this machine and for tests (RFC 6761 §6.2 and §6.3).
    let is_reserved = ["localhost", "test"].contains(&host.rsplit('.').next().unwrap_or_default());
    is_address
        || is_single_label
        || is_reserved
        || host == options.zendesk_host()
        || options.hosts.iter().any(|name| name.eq_ignore_ascii_case(&host))
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::body::Body;
    use http::Version;
    use tokenry_server::{config::BaseUrl, stop_signal::StopSignal};

    use super::*;
    use crate::control;

    const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 50_000);

    async fn status(double: &Arc<Double>, request: http::request::Builder) -> u16 {
        let request = request.body(Body::empty()).unwrap();
        let router = control::router(Arc::clone(double));
        control::answer(router, request, PEER).await.status().as_u16()
    }

    #[tokio::test]
    async fn a_site_whose_name_was_pointed_here_reads_and_turns_nothing() {
        let base = BaseUrl::at(SocketAddr::from(([127, 0, 0, 1], 4000))).unwrap();
        let (_twin, stop) = StopSignal::new();
        let double = Arc::new(Double::open(Options::default(), base, stop).await.unwrap());
        for (host, expected) in [("evil.example:4000", 403), ("localhost:4000", 200)] {
            for path in ["/", "/twin/state", "/twin/journal"] {
                let request = Request::get(path).header(HOST, host);
                assert_eq!(status(&double, request).await, expected, "{host} {path}");
            }
            let own = format!("http://{host}");
            let request = Request::post("/twin/reset").header(HOST, host).header(ORIGIN, own);
            let expected = if expected == 200 { 204 } else { expected };
            assert_eq!(status(&double, request).await, expected, "{host}");
        }
    }

    /// As hyper hands over a request of HTTP/2: `:authority` is in the address.
    #[tokio::test]
    async fn over_http_2_the_address_of_the_request_names_the_page_as_well() {
        let base = BaseUrl::at(SocketAddr::from(([127, 0, 0, 1], 4000))).unwrap();
        let (_twin, stop) = StopSignal::new();
        let double = Arc::new(Double::open(Options::default(), base, stop).await.unwrap());
        for (authority, origin, expected) in [
            ("127.0.0.1:4000", "http://127.0.0.1:4000", 204),
            ("127.0.0.1:4000", "http://127.0.0.1:4001", 403),
            ("127.0.0.1:4000", "null", 403),
            ("evil.example", "http://evil.example", 403),
        ] {
            let request = Request::post(format!("http://{authority}/twin/reset"))
                .version(Version::HTTP_2)
                .header(ORIGIN, origin);
            assert_eq!(status(&double, request).await, expected, "{authority} {origin}");
        }
    }

    #[test]
    fn only_names_that_no_other_site_can_have_are_ours() {
        let options = Options { hosts: vec!["Twin.Example.com".to_owned()], ..Options::default() };
        for (asked, expected) in [
            ("127.0.0.1:4000", true),
            ("192.168.7.4", true),
            ("[::1]:4000", true),
            ("localhost:4000", true),
            ("LOCALHOST", true),
            ("acme.localhost", true),
            ("twin:4000", true),
            ("acme.zendesk.com", true),
            ("acme.zendesk.test:4000", true),
            ("twin.example.com:4000", true),
            ("evil.example:4000", false),
            ("other.zendesk.com", false),
            ("acme.zendesk.com.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("localhost.", false),
            ("twin@evil.example", false),
            ("evil example", false),
            ("", false),
        ] {
            assert_eq!(is_ours(asked.as_bytes(), &options), expected, "{asked}");
        }
    }
}
