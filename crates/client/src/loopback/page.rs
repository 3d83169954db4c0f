//! The pages that a user who comes back sees: small, and complete without anything else.

use crate::{CallbackError, refusal::plain};

/// An answer with a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    status: &'static str,
    title: &'static str,
    text: String,
}

const CLOSE: &str = "You can close this window and go back to the program.";

/// What the callback came to, for the user.
pub(super) fn of(error: Option<&CallbackError>) -> Page {
    match error {
        None => Page { status: "200 OK", title: "Signed in", text: CLOSE.to_owned() },
        Some(CallbackError::Refused(refusal)) if refusal.is_denied() => {
            Page { status: "200 OK", title: "Access was not granted", text: CLOSE.to_owned() }
        }
        Some(error) => Page {
            status: "400 Bad Request",
            title: "That did not work",
            text: format!("{}. {CLOSE}", plain(&error.to_string())),
        },
    }
}

pub(super) fn nothing_here() -> Page {
    let text = "There is nothing here.".to_owned();
    Page { status: "404 Not Found", title: "Not found", text }
}

pub(super) fn only_get() -> Page {
    let text = "This address is only for coming back to.".to_owned();
    Page { status: "405 Method Not Allowed", title: "Not allowed", text }
}

pub(super) fn unreadable() -> Page {
    let text = "This address is only for browsers.".to_owned();
    Page { status: "400 Bad Request", title: "That did not work", text }
}

impl Page {
    /// The whole answer. It is not kept, runs nothing and loads nothing, and nobody is told the
    /// address, in which a code stands.
    pub(super) fn to_http(&self) -> String {
        let Self { status, title, text } = self;
        let text = escaped(text);
        let body = format!(
            "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
             <style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;\
             margin:15vh auto;padding:0 1rem;color-scheme:light dark}}</style>\
             <main><h1>{title}</h1><p>{text}</p></main></html>\n"
        );
        let allow = if status.starts_with("405") { "Allow: GET\r\n" } else { "" };
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\n\
             Content-Length: {}\r\n{allow}Cache-Control: no-store\r\n\
             Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n\
             Referrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        )
    }
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_from_afar_are_text_on_the_page() {
        let expected = "https://auth.acme.test".to_owned();
        let named = "<script>alert('1')</script>\r\nx".to_owned();
        let page = of(Some(&CallbackError::OtherIssuer { expected, named })).to_http();
        let (head, body) = page.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{head}");
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{head}");
        assert!(!body.contains("<script") && body.contains("&lt;script&gt;"), "{body}");
    }
}
