//! Rows of the table of bad requests: what is sent, and what the answer must be.
//!
//! A file under `requests/` holds rows of this form, with an empty line between them:
//!
//! ```text
//! The rule, as a sentence
//!     POST /oauth/token                     the request line; HTTP/1.1 unless it says otherwise
//!     Authorization: {admin}                headers; Host and Content-Length are added if missing
//!     | grant_type=password                 the body; several lines are joined without a break
//!     = 400 L unsupported_grant_type        the answer, as `answer.rs` reads it
//! ```
//!
//! - `~ ` instead of request line, headers and body: these bytes and no others.
//! - `\r`, `\n`, `\t`, `\0`, `\\` and `\xHH` stand for bytes, everywhere.
//! - `{name}` is one of the values in `given.rs`, `{name:form}` the same form-encoded, and
//!   `{text*70000}` that text so many times.
//! - A second request line begins a second request on the same connection, sent in the same packet.
//! - `= closed`: the server ends the connection and says nothing more. Unless a row says so, the
//!   connection must go on to answer an ordinary request, which shows that both sides agree where
//!   the request ended.
//! - `= either`: the connection may end or go on. HTTP/1 leaves it to the server whether it reads
//!   through a body that nobody wants, and that depends on how much of it has come.
//! - `= waits`: the answer comes when a time-out that the test has set to a second is over.

use std::collections::BTreeMap;

use crate::answer::Expected;

/// One row.
pub(crate) struct Row {
    /// Where it stands: `file:line`.
    pub(crate) place: String,
    /// What it shows.
    pub(crate) rule: String,
    /// All bytes that are sent.
    pub(crate) bytes: Vec<u8>,
    /// The method of each request, as far as answers depend on it.
    pub(crate) methods: Vec<String>,
    /// What each answer must be.
    pub(crate) answers: Vec<Expected>,
    /// What becomes of the connection.
    pub(crate) afterwards: Afterwards,
    /// Whether a time-out must pass first.
    pub(crate) waits: bool,
}

/// What becomes of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Afterwards {
    /// It answers the next request.
    Open,
    /// It ends without another word.
    Closed,
    /// One of both.
    Either,
}

/// Reads a file of rows.
pub(crate) fn read(file: &str, text: &str, given: &BTreeMap<&str, String>) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(text.lines().chain([""])) {
        if line.starts_with('#') {
            continue;
        }
        if !line.is_empty() {
            lines.push((number, line));
        } else if let Some(((first, rule), rest)) = lines.split_first() {
            let place = format!("{file}:{first}");
            assert!(!rule.starts_with(' '), "{place}: a row begins with its rule");
            rows.push(parse(place, rule, rest.iter().map(|(_, line)| line.trim_start()), given));
            lines.clear();
        }
    }
    rows
}

#[derive(Default)]
struct Request {
    line: String,
    headers: Vec<String>,
    body: Option<Vec<u8>>,
}

fn parse<'a>(
    place: String,
    rule: &str,
    lines: impl Iterator<Item = &'a str>,
    given: &BTreeMap<&str, String>,
) -> Row {
    let mut row = Row {
        place,
        rule: rule.to_owned(),
        bytes: Vec::new(),
        methods: Vec::new(),
        answers: Vec::new(),
        afterwards: Afterwards::Open,
        waits: false,
    };
    let mut request: Option<Request> = None;
    for line in lines {
        let line = fill(line, given);
        if let Some(expected) = line.strip_prefix("= ") {
            match expected {
                "closed" => row.afterwards = Afterwards::Closed,
                "either" => row.afterwards = Afterwards::Either,
                "waits" => row.waits = true,
                expected => row.answers.push(Expected::parse(expected)),
            }
        } else if let Some(raw) = line.strip_prefix("~ ") {
            if row.methods.is_empty() {
                row.methods.push(raw.split(' ').next().unwrap_or_default().to_owned());
            }
            row.bytes.extend(unescape(raw));
        } else if let Some(more) = line.strip_prefix('|') {
            let request = request.as_mut().expect("a body follows a request line");
            let more = unescape(more.strip_prefix(' ').unwrap_or(more));
            request.body.get_or_insert_default().extend(more);
        } else if is_request_line(&line) {
            if let Some(before) = request.replace(Request { line, ..Request::default() }) {
                finish(&mut row, before, given);
            }
        } else {
            let request = request.as_mut().expect("headers follow a request line");
            request.headers.push(line);
        }
    }
    if let Some(last) = request {
        finish(&mut row, last, given);
    }
    assert!(
        !row.answers.is_empty() || row.afterwards == Afterwards::Closed,
        "{}: no answer is expected",
        row.place
    );
    row
}

/// `METHOD target`: no header's name has a blank before its colon.
fn is_request_line(line: &str) -> bool {
    line.split_once(' ').is_some_and(|(method, _)| !method.contains(':'))
}

fn finish(row: &mut Row, request: Request, given: &BTreeMap<&str, String>) {
    let Request { line, headers, body } = request;
    row.methods.push(line.split(' ').next().unwrap_or_default().to_owned());
    row.bytes.extend(unescape(&line));
    if !line.contains(" HTTP/") {
        row.bytes.extend(b" HTTP/1.1");
    }
    row.bytes.extend(b"\r\n");
    let has = |name: &str| headers.iter().any(|line| line.to_ascii_lowercase().starts_with(name));
    if !has("host:") {
        row.bytes.extend(format!("Host: {}\r\n", given["host"]).bytes());
    }
    for header in &headers {
        row.bytes.extend(unescape(header));
        row.bytes.extend(b"\r\n");
    }
    let body = body.unwrap_or_default();
    let is_framed = has("content-length:") || has("transfer-encoding:");
    if !is_framed && !body.is_empty() {
        row.bytes.extend(format!("Content-Length: {}\r\n", body.len()).bytes());
    }
    row.bytes.extend(b"\r\n");
    row.bytes.extend(body);
}

/// Puts values in place of their names. Braces around anything else stay, as in JSON.
fn fill(line: &str, given: &BTreeMap<&str, String>) -> String {
    let mut filled = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let name = after.split_once('}').filter(|(name, _)| !name.contains('{'));
        let value = name.and_then(|(name, after)| {
            let value = match (name.rsplit_once('*'), name.strip_suffix(":form")) {
                (Some((text, times)), _) => text.repeat(times.parse().ok()?),
                (None, Some(name)) => {
                    form_urlencoded::byte_serialize(given.get(name)?.as_bytes()).collect()
                }
                (None, None) => given.get(name)?.clone(),
            };
            Some((value, after))
        });
        if let Some((value, after)) = value {
            filled.push_str(&value);
            rest = after;
        } else {
            filled.push('{');
            rest = after;
        }
    }
    filled + rest
}

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        bytes.extend(before.bytes());
        let (byte, length) = match after.as_bytes() {
            [b'r', ..] => (b'\r', 1),
            [b'n', ..] => (b'\n', 1),
            [b't', ..] => (b'\t', 1),
            [b'0', ..] => (0, 1),
            [b'\\', ..] => (b'\\', 1),
            [b'x', ..] => (u8::from_str_radix(&after[1..3], 16).expect("two digits"), 3),
            _ => panic!("no such escape: \\{after}"),
        };
        bytes.push(byte);
        rest = &after[length..];
    }
    bytes.extend(rest.bytes());
    bytes
}
