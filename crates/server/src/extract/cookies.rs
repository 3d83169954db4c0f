//! Cookies (RFC 6265): the ones there are, how they are read, and how they are set.
//!
//! On https every name has the `__Host-` prefix (RFC 6265bis §4.1.3.2): no other host can plant
//! such a cookie, so nobody is signed in or known by a cookie that somebody else wrote.

use http::{HeaderMap, HeaderValue, header::COOKIE};
use tokenry_protocol::time::Seconds;

use crate::config::BaseUrl;

/// The cookies there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CookieName {
    /// The sign-in session.
    Session,
    /// A browser in which nobody is signed in yet, for the form of the sign-in page.
    Browser,
    /// The accounts that this browser has signed in to.
    KnownBrowser,
    /// What the next page says about the last click.
    Notice,
}

impl CookieName {
    const fn on(self, scheme: Scheme) -> &'static str {
        match (self, scheme) {
            (Self::Session, Scheme::Https) => "__Host-tokenry_session",
            (Self::Session, Scheme::Http) => "tokenry_session",
            (Self::Browser, Scheme::Https) => "__Host-tokenry_browser",
            (Self::Browser, Scheme::Http) => "tokenry_browser",
            (Self::KnownBrowser, Scheme::Https) => "__Host-tokenry_known",
            (Self::KnownBrowser, Scheme::Http) => "tokenry_known",
            (Self::Notice, Scheme::Https) => "__Host-tokenry_notice",
            (Self::Notice, Scheme::Http) => "tokenry_notice",
        }
    }
}

#[derive(Clone, Copy)]
enum Scheme {
    Http,
    Https,
}

impl Scheme {
    fn of(base: &BaseUrl) -> Self {
        if base.is_https() { Self::Https } else { Self::Http }
    }
}

/// How long a browser keeps a cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Until the browser is closed.
    UntilClosed,
    /// This long.
    For(Seconds),
    /// No longer.
    Over,
}

/// The value of a cookie that came with a request.
pub fn find<'a>(headers: &'a HeaderMap, name: CookieName, base: &BaseUrl) -> Option<&'a str> {
    let name = name.on(Scheme::of(base));
    headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|pair| pair.trim_ascii().strip_prefix(name.as_bytes())?.strip_prefix(b"="))
        // Other programs on the same host may write their cookies in any encoding.
        .find_map(|value| std::str::from_utf8(value).ok().filter(|value| value.is_ascii()))
}

/// A `Set-Cookie` value. `value` is letters, digits and `-._`, as everything we write is.
pub fn set(name: CookieName, value: &str, kept: Kept, base: &BaseUrl) -> HeaderValue {
    let scheme = Scheme::of(base);
    let age = match kept {
        Kept::UntilClosed => String::new(),
        Kept::For(Seconds(seconds)) => format!("; Max-Age={seconds}"),
        Kept::Over => "; Max-Age=0".to_owned(),
    };
    let secure = match scheme {
        Scheme::Https => "; Secure",
        Scheme::Http => "",
    };
    let name = name.on(scheme);
    // `Lax`: somebody who comes from a client's page by a link is still signed in.
    let text = format!("{name}={value}; Path=/{age}; HttpOnly; SameSite=Lax{secure}");
    // An empty header, which browsers ignore, is never seen: the value is ours.
    let mut header = HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""));
    header.set_sensitive(true);
    header
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Mode, Override};

    fn base(text: &str) -> BaseUrl {
        let overrides = [Override {
            key: "base_url".to_owned(),
            value: text.to_owned(),
            flag: "--base-url".to_owned(),
        }];
        let loaded = Config::load(Mode::Serve, None, std::iter::empty(), &overrides).unwrap();
        loaded.config.base_url.unwrap()
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let http = base("http://127.0.0.1:4000");
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("x=1; atokenry_session=2"));
        headers.append(COOKIE, HeaderValue::from_static("tokenry_session=3;y"));
        assert_eq!(find(&headers, CookieName::Session, &http), Some("3"));
        let https = base("https://auth.example.com");
        assert_eq!(find(&headers, CookieName::Session, &https), None);
    }

    #[test]
    fn a_cookie_of_another_program_hides_nothing_however_it_is_written() {
        let mut headers = HeaderMap::new();
        let written =
            HeaderValue::from_bytes(b"theme=\xc3\xa4; tokenry_session=3; q=\xff").unwrap();
        headers.append(COOKIE, written);
        let http = base("http://127.0.0.1:4000");
        assert_eq!(find(&headers, CookieName::Session, &http), Some("3"));
    }

    #[test]
    fn on_https_cookies_are_bound_to_the_host() {
        let https = base("https://auth.example.com");
        let cookie = set(CookieName::Session, "v", Kept::For(Seconds(60)), &https);
        assert_eq!(
            cookie,
            "__Host-tokenry_session=v; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure"
        );
        let http = base("http://localhost:4000");
        let cookie = set(CookieName::Browser, "v", Kept::UntilClosed, &http);
        assert_eq!(cookie, "tokenry_browser=v; Path=/; HttpOnly; SameSite=Lax");
    }
}
