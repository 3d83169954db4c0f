//! Heads of HTTP/1 that the HTTP library takes and that two readers could take differently
//! (RFC 9112 §3.2, §6.1).

use std::net::Ipv6Addr;

use http::{
    HeaderMap, HeaderValue, Request, Version,
    header::{HOST, TRANSFER_ENCODING},
};

/// Told of heads with both lengths, which are found before the library drops one.
pub(super) const FRAMED_TWICE: &str = "Send Content-Length or Transfer-Encoding, not both.";
const CODING: &str = "The only Transfer-Encoding is chunked, once.";
const HOSTS: &str = "Send one Host header, with a host and maybe a port.";

/// What is wrong with a head, as its sender is told.
pub(super) fn fault<B>(request: &Request<B>) -> Option<&'static str> {
    let headers = request.headers();
    if !is_framed_once(headers) {
        Some(CODING)
    } else if !names_one_host(headers, request.version()) {
        Some(HOSTS)
    } else {
        None
    }
}

/// Another coding below or above chunked is one that only some readers see or undo.
fn is_framed_once(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => true,
        (Some(coding), None) => coding.as_bytes().eq_ignore_ascii_case(b"chunked"),
        (Some(_), Some(_)) => false,
    }
}

/// One Host, which HTTP/1.0 may leave out.
fn names_one_host(headers: &HeaderMap, version: Version) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => version < Version::HTTP_11,
        (Some(host), None) => is_host(host),
        (Some(_), Some(_)) => false,
    }
}

/// RFC 9110 §7.2. An http address without a host is none (§4.2.1).
fn is_host(value: &HeaderValue) -> bool {
    let Ok(text) = value.to_str() else {
        return false;
    };
    if let Some(literal) = text.strip_prefix('[') {
        let parts = literal.split_once(']');
        return parts.is_some_and(|(address, port)| {
            let port = port.strip_prefix(':').unwrap_or(port);
            address.parse::<Ipv6Addr>().is_ok() && is_port(port)
        });
    }
    let (name, port) = text.split_once(':').unwrap_or((text, ""));
    !name.is_empty() && name.bytes().all(may_be_in_a_name) && is_port(port)
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `reg-name` of RFC 3986 §3.2.2.
fn may_be_in_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(version: Version, headers: &[(&str, &str)]) -> Request<()> {
        let request = Request::builder().version(version);
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.body(()).unwrap()
    }

    #[test]
    fn one_host_is_named() {
        for host in ["a", "a.test", "a.test:80", "a.test:", "127.0.0.1:4000", "[::1]", "[::1]:4000"]
        {
            let request = request(Version::HTTP_11, &[("host", host)]);
            assert_eq!(fault(&request), None, "{host}");
        }
        for host in
            ["", ":80", "a b", "a/b", "ada@a", "a:1:2", "a:x", "[::1", "[x]", "[::1]x", "a\\b"]
        {
            let request = request(Version::HTTP_11, &[("host", host)]);
            assert_eq!(fault(&request), Some(HOSTS), "{host}");
        }
        let twice = request(Version::HTTP_11, &[("host", "a"), ("host", "a")]);
        assert_eq!(fault(&twice), Some(HOSTS));
        assert_eq!(fault(&request(Version::HTTP_11, &[])), Some(HOSTS));
        assert_eq!(fault(&request(Version::HTTP_10, &[])), None);
    }

    #[test]
    fn chunked_is_the_only_coding() {
        let with = |values: &[&'static str]| {
            let host = std::iter::once(("host", "a"));
            let codings = values.iter().map(|value| ("transfer-encoding", *value));
            let headers: Vec<_> = host.chain(codings).collect();
            fault(&request(Version::HTTP_11, &headers))
        };
        for fine in [&[][..], &["chunked"], &["Chunked"]] {
            assert_eq!(with(fine), None, "{fine:?}");
        }
        for not in [
            &["chunked, chunked"][..],
            &["gzip, chunked"],
            &["chunked", "chunked"],
            &["cow", "chunked"],
            &["identity"],
            &[""],
        ] {
            assert_eq!(with(not), Some(CODING), "{not:?}");
        }
    }
}
