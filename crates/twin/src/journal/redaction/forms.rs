//! Secrets that are known by their form.

use std::borrow::Cow;

use tokenry_protocol::secret;

use super::HIDDEN;

/// The least that the header of a JSON Web Token takes, which names an algorithm.
const JWT_HEADER_MIN: usize = 16;

/// Text without our credentials and without JSON Web Tokens.
pub(super) fn without_credentials(text: &str) -> Cow<'_, str> {
    match secret::redacted(text) {
        Cow::Borrowed(text) => without_json_web_tokens(text),
        Cow::Owned(text) => Cow::Owned(without_json_web_tokens(&text).into_owned()),
    }
}

fn without_json_web_tokens(text: &str) -> Cow<'_, str> {
    if text.bytes().filter(|byte| *byte == b'.').nth(1).is_none() {
        return Cow::Borrowed(text);
    }
    let is_of_one =
        |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    let mut shown = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(is_of_one) {
        let Some((before, from)) = rest.split_at_checked(start) else { break };
        let end = from.find(|letter| !is_of_one(letter)).unwrap_or(from.len());
        let Some((run, behind)) = from.split_at_checked(end) else { break };
        shown.push_str(before);
        shown.push_str(if holds_json_web_token(run) { HIDDEN } else { run });
        rest = behind;
    }
    shown.push_str(rest);
    if shown == text { Cow::Borrowed(text) } else { Cow::Owned(shown) }
}

/// Three parts with dots between them, of which the first is an object of JSON in base64url: `{"`
/// is `eyJ`, and with spaces between the two it is `ey` or `ew` and something. Letters may stand
/// before it that do not belong to it. The last part is empty where there is no signature (RFC 7519
/// §6).
fn holds_json_web_token(run: &str) -> bool {
    let is_header = |part: &str| {
        let mut starts = part.match_indices("ey").chain(part.match_indices("ew"));
        starts.any(|(at, _)| part.len() - at >= JWT_HEADER_MIN)
    };
    let parts: Vec<&str> = run.split('.').collect();
    parts.windows(3).any(|parts| match parts {
        [header, claims, _] => is_header(header) && !claims.is_empty(),
        _ => false,
    })
}
