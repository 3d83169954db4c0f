//! `Authorization` headers (RFC 9110 §11.6.2, RFC 7617, RFC 6750 §2.1).

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};

/// What an `Authorization` header holds.
#[derive(Debug, PartialEq, Eq)]
pub enum Authorization<'a> {
    /// Nothing usable: no header, an unknown scheme, or a scheme without a value.
    None,
    /// Two headers.
    Several,
    /// A bearer token, unjudged.
    Bearer(&'a str),
    /// User and password, unjudged.
    Basic(Basic),
    /// Basic that cannot be decoded, or without a colon.
    MalformedBasic,
}

/// User and password of a Basic header.
#[derive(PartialEq, Eq)]
pub struct Basic {
    text: String,
    /// Where the first colon is.
    colon: usize,
}

impl Basic {
    /// Before the first colon.
    pub fn user(&self) -> &str {
        self.text.get(..self.colon).unwrap_or_default()
    }

    /// After it.
    pub fn password(&self) -> &str {
        self.text.get(self.colon + 1..).unwrap_or_default()
    }
}

impl std::fmt::Debug for Basic {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Basic(…)")
    }
}

/// Reads the header.
pub fn authorization(headers: &HeaderMap) -> Authorization<'_> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (None, _) => Authorization::None,
        (Some(_), Some(_)) => Authorization::Several,
        (Some(value), None) => parse(value),
    }
}

fn parse(value: &HeaderValue) -> Authorization<'_> {
    let Some((scheme, rest)) = value.as_bytes().split_once_space() else {
        return Authorization::None;
    };
    let rest = without_spaces(rest);
    if rest.is_empty() {
        Authorization::None
    } else if scheme.eq_ignore_ascii_case(b"bearer") {
        // What is not UTF-8 is no credential of ours, and is refused as such.
        Authorization::Bearer(str::from_utf8(rest).unwrap_or("\u{fffd}"))
    } else if scheme.eq_ignore_ascii_case(b"basic") {
        decode(rest).map_or(Authorization::MalformedBasic, Authorization::Basic)
    } else {
        Authorization::None
    }
}

/// Spaces alone separate scheme and credentials (RFC 9110 §11.4): what else could be taken for one
/// is part of what was sent.
fn without_spaces(mut text: &[u8]) -> &[u8] {
    while let [b' ', rest @ ..] | [rest @ .., b' '] = text {
        text = rest;
    }
    text
}

trait SplitOnceSpace {
    fn split_once_space(&self) -> Option<(&[u8], &[u8])>;
}

impl SplitOnceSpace for [u8] {
    fn split_once_space(&self) -> Option<(&[u8], &[u8])> {
        let at = self.iter().position(|byte| *byte == b' ')?;
        self.split_at_checked(at)
    }
}

/// Standard and URL-safe, padded or not: some clients send one, some the other.
fn decode(encoded: &[u8]) -> Option<Basic> {
    const CONFIG: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CONFIG);
    const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, CONFIG);
    let is_url_safe = memchr::memchr2(b'-', b'_', encoded).is_some();
    let decoded = if is_url_safe { URL_SAFE.decode(encoded) } else { STANDARD.decode(encoded) };
    let text = String::from_utf8(decoded.ok()?).ok()?;
    let colon = memchr::memchr(b':', text.as_bytes())?;
    Some(Basic { text, colon })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Tests may leave a header behind.
    fn read(header: &[u8]) -> Authorization<'static> {
        parse(Box::leak(Box::new(HeaderValue::from_bytes(header).unwrap())))
    }

    #[test]
    fn schemes_are_read_in_any_case_and_with_any_number_of_spaces() {
        for header in [&b"Bearer abc"[..], b"bearer abc", b"BEARER    abc", b"Bearer abc  "] {
            assert_eq!(read(header), Authorization::Bearer("abc"));
        }
        for header in [&b"Bearer"[..], b"Bearer ", b"Basic", b"Digest abc", b"", b" Bearer abc"] {
            assert_eq!(read(header), Authorization::None, "{header:?}");
        }
        assert_eq!(read(b"Bearer\tabc"), Authorization::None);
        assert_eq!(read(b"Bearer \tabc"), Authorization::Bearer("\tabc"));
    }

    #[test]
    fn basic_is_read_in_both_alphabets_and_split_at_the_first_colon() {
        let basic = |user: &str, password: &str| {
            Authorization::Basic(Basic { text: format!("{user}:{password}"), colon: user.len() })
        };
        assert_eq!(read(b"Basic YTpiOmM="), basic("a", "b:c"));
        assert_eq!(read(b"Basic YTpiOmM"), basic("a", "b:c"));
        assert_eq!(read(b"Basic w6Q6w78_"), basic("ä", "ÿ?"));
        assert_eq!(read(b"Basic w6Q6w78/"), basic("ä", "ÿ?"));
        for malformed in [&b"Basic !!!"[..], b"Basic YWJj", b"Basic /w=="] {
            assert_eq!(read(malformed), Authorization::MalformedBasic, "{malformed:?}");
        }
    }

    #[test]
    fn two_headers_are_told_apart_from_one() {
        let mut headers = HeaderMap::new();
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer a"));
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer a"));
        assert_eq!(authorization(&headers), Authorization::Several);
    }

    proptest! {
        #[test]
        fn no_header_makes_the_parser_panic(text in "[ -~]{0,80}") {
            let _ = read(text.as_bytes());
        }
    }
}
