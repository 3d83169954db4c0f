//! HTTP/1.1 as bytes: requests that no client library would send.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

/// A request in the making.
#[derive(Clone)]
pub(crate) struct Request {
    head: Vec<u8>,
    body: Vec<u8>,
}

/// A request without a body. `target` is percent-encoded.
pub(crate) fn request(method: &str, target: &str) -> Request {
    let head = format!("{method} {target} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n");
    Request { head: head.into_bytes(), body: Vec::new() }
}

/// A form.
pub(crate) fn form(target: &str, fields: &[(&str, &str)]) -> Request {
    let mut encoded = form_urlencoded::Serializer::new(String::new());
    encoded.extend_pairs(fields);
    let request = request("POST", target).header("content-type", FORM);
    request.body(encoded.finish().as_bytes())
}

/// JSON, well formed or not.
pub(crate) fn json(method: &str, target: &str, body: &str) -> Request {
    request(method, target).header("content-type", "application/json").body(body.as_bytes())
}

pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// As a part of a path or a query.
pub(crate) fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

impl Request {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.head.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        self
    }

    pub(crate) fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self.header("content-length", &body.len().to_string())
    }

    fn bytes(&self) -> Vec<u8> {
        [&self.head[..], b"\r\n", &self.body].concat()
    }
}

/// Head and body of the answer, as they came; nothing when there was none.
pub(crate) fn send(address: &str, request: &Request) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut answer = Vec::new();
    // A request that is refused before its end was read closes the connection under the writer.
    let _ = stream.write_all(&request.bytes());
    let _ = stream.read_to_end(&mut answer);
    answer
}

/// The status of an answer.
pub(crate) fn status(answer: &[u8]) -> u16 {
    let line = answer.get(9..12).unwrap_or_default();
    std::str::from_utf8(line).ok().and_then(|status| status.parse().ok()).unwrap_or(0)
}

/// The body of an answer that is not cut in chunks.
pub(crate) fn body(answer: &[u8]) -> String {
    let text = String::from_utf8_lossy(answer).into_owned();
    text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
}

/// The values of a header of an answer.
pub(crate) fn headers(answer: &[u8], name: &str) -> Vec<String> {
    let text = String::from_utf8_lossy(answer).into_owned();
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    let pairs = head.lines().filter_map(|line| line.split_once(": "));
    let named = pairs.filter(|(found, _)| found.eq_ignore_ascii_case(name));
    named.map(|(_, value)| value.to_owned()).collect()
}
