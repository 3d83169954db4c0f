//! `extract::cookies`: what we set is found again, whatever stands around it.

use std::net::{Ipv4Addr, SocketAddr};

use http::{HeaderMap, HeaderValue, header::COOKIE};
use tokenry_protocol::time::Seconds;
use tokenry_server::{
    config::BaseUrl,
    extract::cookies::{CookieName, Kept, find, set},
};

const OURS: &str = "tokenry_session";

/// A `Cookie` header of a browser that holds cookies of others as well.
pub(super) fn run(data: &[u8]) {
    let Ok(foreign) = HeaderValue::from_bytes(data) else { return };
    let base = BaseUrl::at(SocketAddr::from((Ipv4Addr::LOCALHOST, 4_000))).unwrap();
    let mut headers = HeaderMap::new();
    headers.append(COOKIE, foreign);
    let found = find(&headers, CookieName::Session, &base);
    assert_eq!(found.map(str::as_bytes), second_reading(data), "{found:?}");

    // Another's cookie, however it is written, does not hide ours that follows it.
    if second_reading(data).is_none() && !is_named(data) {
        let written = set(CookieName::Session, "b0.-_Z", Kept::For(Seconds(60)), &base);
        let pair = written.as_bytes().split(|byte| *byte == b';').next().unwrap();
        let both = [data, b"; ", pair].concat();
        headers.insert(COOKIE, HeaderValue::from_bytes(&both).unwrap());
        assert_eq!(find(&headers, CookieName::Session, &base), Some("b0.-_Z"));
    }
}

/// The first pair of our name, if its value is text.
fn second_reading(header: &[u8]) -> Option<&[u8]> {
    let pairs = header.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let mut values =
        pairs.filter_map(|pair| pair.strip_prefix(OURS.as_bytes())?.strip_prefix(b"="));
    values.find(|value| value.is_ascii())
}

fn is_named(header: &[u8]) -> bool {
    header.windows(OURS.len()).any(|window| window == OURS.as_bytes())
}
