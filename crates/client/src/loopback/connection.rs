//! One connection of a browser: a request's first line, and a page (RFC 9112 §3, §6).

use std::{io, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{PATH, page::Page};

/// Time for a request, and again for its answer.
pub(super) const CONNECTION_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest head of a request, in bytes: browsers send a tenth of it and a callback a third.
const HEAD_MAX: usize = 24 << 10;

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// The callback, with what stands behind its question mark.
    Callback(String),
    /// The browser's icon, or something that somebody guesses.
    OtherPath,
    /// A form, or a script that looks around.
    OtherMethod,
    /// No request of HTTP/1, or one that is too long.
    Unreadable,
}

pub(super) struct Connection {
    stream: TcpStream,
}

impl Connection {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream }
    }

    /// Reads the head of a request, to its end: an answer to less may be lost with the connection.
    pub(super) async fn asked(&mut self) -> io::Result<Asked> {
        let mut head = Vec::with_capacity(2 << 10);
        while !head.windows(4).any(|end| end == b"\r\n\r\n") {
            let mut chunk = [0; 2 << 10];
            let read = self.stream.read(&mut chunk).await?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            head.extend_from_slice(chunk.get(..read).unwrap_or_default());
            if head.len() > HEAD_MAX {
                return Ok(Asked::Unreadable);
            }
        }
        Ok(read(&head))
    }

    /// Sends a page and closes.
    pub(super) async fn answer(&mut self, page: &Page) -> io::Result<()> {
        self.stream.write_all(page.to_http().as_bytes()).await?;
        self.stream.shutdown().await
    }
}

fn read(head: &[u8]) -> Asked {
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let Ok(line) = str::from_utf8(line) else {
        return Asked::Unreadable;
    };
    let mut words = line.split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Asked::Unreadable;
    };
    if !version.starts_with("HTTP/1.") {
        return Asked::Unreadable;
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    match (path == PATH, method == "GET") {
        (true, true) => Asked::Callback(query.to_owned()),
        (true, false) => Asked::OtherMethod,
        (false, _) => Asked::OtherPath,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_a_get_of_the_callback_is_one() {
        let callback = |query: &str| Asked::Callback(query.to_owned());
        for (line, expected) in [
            ("GET /callback?code=1&state=2 HTTP/1.1", callback("code=1&state=2")),
            ("GET /callback HTTP/1.0", callback("")),
            ("POST /callback?code=1 HTTP/1.1", Asked::OtherMethod),
            ("HEAD /callback?code=1 HTTP/1.1", Asked::OtherMethod),
            ("GET /favicon.ico HTTP/1.1", Asked::OtherPath),
            ("GET /callback/?code=1 HTTP/1.1", Asked::OtherPath),
            ("GET http://127.0.0.1/callback?code=1 HTTP/1.1", Asked::OtherPath),
            ("GET /callback?code=1", Asked::Unreadable),
            ("GET /callback?code=1 2 HTTP/1.1", Asked::Unreadable),
            ("PRI * HTTP/2.0", Asked::Unreadable),
            ("", Asked::Unreadable),
        ] {
            let head = format!("{line}\r\nHost: 127.0.0.1\r\n\r\n");
            assert_eq!(read(head.as_bytes()), expected, "{line}");
        }
        assert_eq!(read(b"GET /\xff HTTP/1.1\r\n\r\n"), Asked::Unreadable);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(head in proptest::collection::vec(any::<u8>(), 0..300)) {
            read(&head);
        }
    }
}
