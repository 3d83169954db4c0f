//! Watches HTTP/1 heads for requests that are framed twice (RFC 9112 §6.1, §11.2).
//!
//! The HTTP library keeps Transfer-Encoding and drops Content-Length before anybody can see both,
//! so the bytes are watched on their way to it: line by line, forgetting at each empty line. A body
//! is watched as well. One that looks like such a head ends only its own sender's connection.

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Nothing to object to.
    Plain,
    /// One head had both.
    Ambiguous,
}

impl FramingWatch {
    /// Takes the next bytes of the connection.
    pub fn watch(&mut self, bytes: &[u8]) -> Framing {
        let mut framing = Framing::Plain;
        for (at, piece) in bytes.split(|byte| *byte == b'\n').enumerate() {
            // Every piece but the first comes after a line's end.
            if at > 0 {
                self.end_line();
            }
            self.extend(piece);
            if self.has_transfer_encoding && self.has_content_length {
                framing = Framing::Ambiguous;
            }
        }
        framing
    }

    fn extend(&mut self, piece: &[u8]) {
        let first = self.prefix.first().or(piece.first());
        // Most lines are told from both by their first byte, which is kept: the line is not empty.
        let kept = if first.is_some_and(|byte| b"tTcC".contains(byte)) { PREFIX_MAX } else { 2 };
        let room = kept.saturating_sub(self.prefix.len());
        if room == 0 {
            return;
        }
        self.prefix.extend(piece.iter().take(room).map(u8::to_ascii_lowercase));
        if self.is_named(TRANSFER_ENCODING) {
            self.has_transfer_encoding = true;
        } else if self.is_named(CONTENT_LENGTH) {
            self.has_content_length = true;
        }
    }

    fn is_named(&self, name: &[u8]) -> bool {
        self.prefix.strip_prefix(name).is_some_and(|rest| rest.trim_ascii_start().starts_with(b":"))
    }

    fn end_line(&mut self) {
        if self.prefix.is_empty() || self.prefix == b"\r" {
            self.has_transfer_encoding = false;
            self.has_content_length = false;
        }
        self.prefix.clear();
    }
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
