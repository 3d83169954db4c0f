//! `pages::local_path`: where a browser goes after signing in is on this server.

use http::HeaderValue;
use tokenry_server::pages::local_path::LocalPath;
use url::Url;

pub(super) fn run(data: &[u8]) {
    let Some(text) = super::text(data) else { return };
    let Some(path) = LocalPath::parse(text) else {
        let is_plain = |b: u8| b.is_ascii_graphic() && b != b'\\';
        let is_path = text.starts_with('/') && !text.starts_with("//");
        assert!(!is_path || !text.bytes().all(is_plain), "a path of ours was refused");
        return;
    };
    assert_eq!(path.as_str(), text);
    assert!(HeaderValue::from_str(text).is_ok());
    let here = Url::parse("https://auth.test/sign-in?back=x").unwrap();
    let there = here.join(text).unwrap();
    assert_eq!(there.origin(), here.origin());
    assert!(there.username().is_empty() && there.password().is_none());
    let (before, after) = path.split();
    assert!(text.starts_with(before) && text.ends_with(after));
}
