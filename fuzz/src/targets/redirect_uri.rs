//! `redirect_uri::RedirectUri`: what is registered is what a browser understands by it, and only
//! the port of a loopback address may differ at use.

use tokenry_protocol::redirect_uri::{ClientKind, LENGTH_MAX, RedirectUri};
use tokenry_server::views::form_action_source;
use url::{Host, Url};

/// The first line is registered, the second is asked for.
pub(super) fn run(data: &[u8]) {
    let Some(text) = super::text(data) else { return };
    let (registered, asked) = text.split_once('\n').unwrap_or((text, text));
    let confidential = RedirectUri::parse(registered, ClientKind::Confidential);
    let Ok(uri) = RedirectUri::parse(registered, ClientKind::Public) else {
        assert!(confidential.is_err(), "more than a public client may register");
        return;
    };
    assert_eq!(uri.as_str(), registered);
    let url = Url::parse(registered).unwrap();
    check_form(registered, &url);
    assert_eq!(confidential.is_ok(), matches!(url.scheme(), "https" | "http"));
    check_policy(registered);

    assert!(uri.matches(registered));
    if asked != registered && uri.matches(asked) {
        let asked_url = Url::parse(asked).unwrap();
        assert_eq!(without_port(&asked_url), without_port(&url), "{asked:?}");
        assert_eq!(url.scheme(), "http");
        assert!(matches!(url.host_str(), Some("127.0.0.1" | "[::1]")));
        check_form(asked, &asked_url);
    }
}

fn check_form(text: &str, url: &Url) {
    assert!(text.len() <= LENGTH_MAX);
    assert!(text.bytes().all(|byte| byte.is_ascii_graphic()));
    assert!(!text.contains(['*', '#', '\\', '"', '<', '>']) || is_in_query(text));
    let authority = text.split_once("://").map_or("", |(_, rest)| rest.trim_start_matches('/'));
    assert!(!authority.split(['/', '?']).next().unwrap_or_default().contains('@'), "{text:?}");
    assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
    assert!(!text.contains("/../") || is_in_query(text));
    match url.scheme() {
        "https" => {}
        "http" => {
            assert!(matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")));
        }
        scheme => assert!(scheme.contains('.')),
    }
    // A host is what a browser's policies can name.
    if let Some(Host::Domain(host)) = url.host() {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        assert!(host.bytes().all(is_plain), "{host:?}");
    }
}

fn is_in_query(text: &str) -> bool {
    let path = text.split('?').next().unwrap_or_default();
    !path.contains(['*', '#', '\\', '"', '<', '>']) && !path.contains("/../")
}

/// The source that the consent page's policy names is one source (CSP Level 3 §2.3.1).
fn check_policy(registered: &str) {
    let source = form_action_source(registered);
    let is_plain = |b: u8| b.is_ascii_graphic() && !b";,'\"".contains(&b);
    assert!(!source.is_empty() && source.bytes().all(is_plain), "{source:?}");
}

fn without_port(url: &Url) -> Url {
    let mut url = url.clone();
    url.set_port(None).unwrap();
    url
}
