//! Watches HTTP/1 heads for requests that are framed twice (RFC 9112 §6.1, §11.2).
//!
//! The HTTP library keeps Transfer-Encoding and drops Content-Length before anybody can see both,
//! so the bytes are watched on their way to it: line by line, forgetting at each empty line. A body
//! is watched as well. One that looks like such a head ends only its own sender's connection.

use memchr::memchr;

const TRANSFER_ENCODING: &[u8] = b"transfer-encoding";
const CONTENT_LENGTH: &[u8] = b"content-length";
/// Long enough for both names, with the colon.
const PREFIX_MAX: usize = 24;

/// What was seen of the head that is passing by.
#[derive(Debug, Default)]
pub struct FramingWatch {
    prefix: Vec<u8>,
    has_transfer_encoding: bool,
    has_content_length: bool,
}

/// What some bytes amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Framing {
    /// Nothing to object to.
    Plain,
    /// One head had both.
    Ambiguous,
}

impl FramingWatch {
    /// Takes the next bytes of the connection.
    pub fn watch(&mut self, mut bytes: &[u8]) -> Framing {
        let mut framing = Framing::Plain;
        while let Some((line, rest)) =
            memchr(b'\n', bytes).and_then(|end| bytes.split_at_checked(end))
        {
            // Nearly every line comes whole, and is looked at where it lies.
            if self.prefix.is_empty() {
                self.note(line);
            } else {
                self.extend(line);
            }
            framing = framing.max(self.framing());
            self.end_line(line);
            bytes = rest.split_first().map_or(&[], |(_, rest)| rest);
        }
        if !bytes.is_empty() {
            self.extend(bytes);
        }
        framing.max(self.framing())
    }

    const fn framing(&self) -> Framing {
        if self.has_transfer_encoding && self.has_content_length {
            Framing::Ambiguous
        } else {
            Framing::Plain
        }
    }

    /// Keeps as much of a line that goes on in the next packet as it takes to know it.
    fn extend(&mut self, piece: &[u8]) {
        let room = PREFIX_MAX.saturating_sub(self.prefix.len());
        self.prefix.extend(piece.iter().take(room));
        let prefix = std::mem::take(&mut self.prefix);
        self.note(&prefix);
        self.prefix = prefix;
    }

    /// However a line is cut, no more of it is looked at than is kept: the HTTP library takes no
    /// space before the colon, so nothing that it takes is longer.
    fn note(&mut self, line: &[u8]) {
        let line = line.get(..PREFIX_MAX).unwrap_or(line);
        self.has_transfer_encoding |= is_named(line, TRANSFER_ENCODING);
        self.has_content_length |= is_named(line, CONTENT_LENGTH);
    }

    /// An empty line ends a head.
    fn end_line(&mut self, end: &[u8]) {
        let line = if self.prefix.is_empty() { end } else { &self.prefix };
        if matches!(line, b"" | b"\r") {
            self.has_transfer_encoding = false;
            self.has_content_length = false;
        }
        self.prefix.clear();
    }
}

fn is_named(line: &[u8], name: &[u8]) -> bool {
    line.split_at_checked(name.len()).is_some_and(|(begin, rest)| {
        begin.eq_ignore_ascii_case(name) && rest.trim_ascii_start().starts_with(b":")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(pieces: &[&str]) -> Framing {
        let mut watch = FramingWatch::default();
        let seen: Vec<_> = pieces.iter().map(|piece| watch.watch(piece.as_bytes())).collect();
        if seen.contains(&Framing::Ambiguous) { Framing::Ambiguous } else { Framing::Plain }
    }

    #[test]
    fn both_headers_in_one_head_are_ambiguous_in_any_order_case_and_packets() {
        for pieces in [
            &["POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"][..],
            &["POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\nCONTENT-LENGTH: 1\r\n\r\n"],
            &["POST / HTTP/1.1\r\nContent-Len", "gth: 1\r\nTransfer-Enc", "oding: x\r\n\r\n"],
            &["POST / HTTP/1.1\nContent-Length: 1\nTransfer-Encoding : chunked\n\n"],
        ] {
            assert_eq!(watch(pieces), Framing::Ambiguous, "{pieces:?}");
        }
    }

    #[test]
    fn a_line_that_is_cut_comes_to_the_same_as_a_whole_one() {
        let spaces = " ".repeat(40);
        let head = format!("POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding{spaces}: x");
        let pieces: Vec<&str> = head.split_inclusive(' ').collect();
        assert_eq!(watch(&pieces), watch(&[&head]));
        assert_eq!(watch(&pieces), watch(&[&format!("{head}\r\n\r\n")]));
    }

    #[test]
    fn one_header_a_head_is_plain() {
        for pieces in [
            &["POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\n"][..],
            &["POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
            &[
                "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
            ],
            &[
                "GET / HTTP/1.1\r\nX-Content-Length: 1\r\n",
                "X: Transfer-Encoding: x\r\nContent-Length-X: 1\r\n\r\n",
            ],
        ] {
            assert_eq!(watch(pieces), Framing::Plain, "{pieces:?}");
        }
    }
}
