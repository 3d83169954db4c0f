//! Reading answers, no more of them than a load generator needs.

use anyhow::{Context as _, Result, bail};
use memchr::memmem::Finder;

/// An answer that arrived whole.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer<'a> {
    /// The status.
    pub(crate) status: u16,
    /// Status line and headers, with the empty line.
    pub(crate) head: &'a [u8],
    /// The body.
    pub(crate) body: &'a [u8],
}

/// Finds the ends of heads.
pub(crate) struct Reader(Finder<'static>);

impl Reader {
    /// One serves every connection.
    pub(crate) fn new() -> Self {
        Self(Finder::new(b"\r\n\r\n"))
    }

    /// The answer that `bytes` begin with, with its length, once it is there as a whole.
    pub(crate) fn read<'a>(&self, bytes: &'a [u8]) -> Result<Option<(Answer<'a>, usize)>> {
        let Some(end) = self.0.find(bytes) else {
            return Ok(None);
        };
        let (head, rest) = bytes.split_at_checked(end + 4).context("a head past its end")?;
        let status = status(head).context("no status line")?;
        let length = match header(head, "content-length") {
            Some(length) => length.parse().context("content-length is no number")?,
            None if status == 204 => 0_usize,
            None => bail!("an answer without content-length, with status {status}"),
        };
        let Some(body) = rest.get(..length) else {
            return Ok(None);
        };
        Ok(Some((Answer { status, head, body }, head.len() + length)))
    }
}

fn status(head: &[u8]) -> Option<u16> {
    let digits = head.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn header<'a>(head: &'a [u8], name: &str) -> Option<&'a str> {
    let mut from = 0;
    for end in memchr::memchr_iter(b'\n', head) {
        let line = head.get(from..end).unwrap_or_default();
        from = end + 1;
        let value = line
            .split_at_checked(name.len())
            .filter(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()))
            .and_then(|(_, rest)| rest.strip_prefix(b":"));
        if let Some(value) = value {
            return std::str::from_utf8(value).ok().map(str::trim);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] =
        b"HTTP/1.1 201 Created\r\nDate: x\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1";

    #[test]
    fn an_answer_is_read_once_it_is_whole() {
        let reader = Reader::new();
        for length in 0..TEXT.len() {
            let read = reader.read(&TEXT[..length]).unwrap();
            match read {
                None => assert!(length < TEXT.len() - 8, "{length}"),
                Some((answer, length)) => {
                    assert_eq!((answer.status, answer.body), (201, &b"hello"[..]));
                    assert_eq!(header(answer.head, "date"), Some("x"));
                    assert_eq!(length, TEXT.len() - 8);
                }
            }
        }
    }

    #[test]
    fn what_has_no_length_is_an_error_and_204_has_none() {
        let reader = Reader::new();
        assert!(reader.read(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert!(reader.read(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap().is_some());
        assert!(reader.read(b"nonsense\r\n\r\n").is_err());
    }
}
