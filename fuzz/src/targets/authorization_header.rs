//! `extract::authorization_header` and the client's identity that `extract::client_authentication`
//! takes from it: nothing but the canonical encoding of user and password is read as Basic.

use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use tokenry_protocol::oauth::{parameters::Parameters, token::Dialect};
use tokenry_server::extract::{
    authorization_header::{Authorization, Basic, authorization},
    client_authentication,
};

pub(super) fn run(data: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(data) else { return };
    let mut headers = HeaderMap::new();
    headers.append(AUTHORIZATION, value.clone());
    let read = authorization(&headers);
    let (scheme, rest) = split(data);
    match &read {
        Authorization::None => {
            let known = [&b"basic"[..], b"bearer"].contains(&&*scheme);
            assert!(rest.is_empty() || !known, "{read:?}");
        }
        Authorization::Several => panic!("there is one header"),
        Authorization::Bearer(token) => {
            assert_eq!(scheme, b"bearer");
            assert!(!token.is_empty());
            assert_eq!(*token, str::from_utf8(rest).unwrap_or("\u{fffd}"));
        }
        Authorization::Basic(basic) => {
            assert_eq!(scheme, b"basic");
            assert!(!basic.user().contains(':'));
            assert_eq!(decoded(rest), Some(format!("{}:{}", basic.user(), basic.password())));
            check_client(&read, basic);
        }
        Authorization::MalformedBasic => {
            assert_eq!(scheme, b"basic");
            assert!(!decoded(rest).is_some_and(|text| text.contains(':')));
        }
    }
    headers.append(AUTHORIZATION, value);
    assert_eq!(authorization(&headers), Authorization::Several);
}

/// RFC 6749 §2.3.1: both halves are forms of one value.
fn check_client(read: &Authorization<'_>, basic: &Basic) {
    let parameters = Parameters::default();
    let presented = client_authentication::presented(read, &parameters, Dialect::Standard);
    let (user, password) = (form_value(basic.user()), form_value(basic.password()));
    match presented {
        Ok(presented) => {
            assert_eq!(presented.identifier, user);
            assert_eq!(presented.secret.unwrap_or_default(), password);
        }
        Err(_) => assert!(user.contains('\u{FFFD}') || password.contains('\u{FFFD}')),
    }
}

fn form_value(half: &str) -> String {
    let form = format!("x={}", half.replace('&', "%26"));
    form_urlencoded::parse(form.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap()
}

fn split(header: &[u8]) -> (Vec<u8>, &[u8]) {
    let at = header.iter().position(|byte| *byte == b' ').unwrap_or(header.len());
    // Spaces alone separate them (RFC 9110 §11.4).
    let credentials = &header[at..];
    let is_other = |byte: &u8| *byte != b' ';
    let begin = credentials.iter().position(is_other).unwrap_or(credentials.len());
    let end = credentials.iter().rposition(is_other).map_or(begin, |last| last + 1);
    (header[..at].to_ascii_lowercase(), &credentials[begin..end])
}

/// Base64 digit by digit: either alphabet and never both, no more padding than belongs there, no
/// stray bits.
fn decoded(encoded: &[u8]) -> Option<String> {
    let padding = encoded.iter().rev().take_while(|byte| **byte == b'=').count();
    let digits = &encoded[..encoded.len() - padding];
    let has = |letters: &[u8]| digits.iter().any(|byte| letters.contains(byte));
    let padded = padding <= (4 - digits.len() % 4) % 4;
    if (has(b"+/") && has(b"-_")) || !padded || digits.len() % 4 == 1 {
        return None;
    }
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0_u32);
    for digit in digits {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held).ok()?);
            bits &= (1 << held) - 1;
        }
    }
    if bits == 0 { String::from_utf8(bytes).ok() } else { None }
}
