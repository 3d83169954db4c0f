//! Rules that the text fields of several records share.

use tokenry_protocol::api::error::{FieldErrorCode, FieldErrors};

/// What is wrong with a field: for programs and for people.
pub(crate) type Flaw = (FieldErrorCode, String);

/// A field that must have a value.
pub(crate) fn blank() -> Flaw {
    (FieldErrorCode::BlankValue, "cannot be blank".to_owned())
}

/// A field whose value is not one that it can have.
pub(crate) fn invalid(text: impl Into<String>) -> Flaw {
    (FieldErrorCode::InvalidValue, text.into())
}

/// Keeps a good value; notes what is wrong with a bad one.
pub(crate) fn noted<T>(errors: &mut FieldErrors, field: &str, read: Result<T, Flaw>) -> Option<T> {
    read.map_err(|(code, text)| errors.add(field, code, &text)).ok()
}

/// One line: trimmed, at most `max` characters, nothing that writes over its surroundings.
pub(crate) fn line(text: &str, max: usize) -> Result<String, Flaw> {
    let text = text.trim();
    if text.chars().any(|c| c.is_control() || is_layout(c)) {
        return Err(invalid("has characters that cannot be shown"));
    }
    bounded(text, max)
}

/// Text of several lines, as it was written.
pub(crate) fn prose(text: &str, max: usize) -> Result<String, Flaw> {
    let is_break = |c| matches!(c, '\n' | '\r' | '\t');
    if text.chars().any(|c| c.is_control() && !is_break(c)) {
        return Err(invalid("has characters that cannot be shown"));
    }
    bounded(text, max)
}

fn bounded(text: &str, max: usize) -> Result<String, Flaw> {
    if text.chars().count() > max {
        let told = format!("has at most {max} characters");
        return Err((FieldErrorCode::TooLong, told));
    }
    Ok(text.to_owned())
}

/// Line separators and directional overrides: with those, a name on the consent page could rewrite
/// the sentence around it.
const fn is_layout(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_trimmed_bounded_in_characters_and_shows_as_it_is() {
        assert_eq!(line("  Äcme  ", 4).unwrap(), "Äcme");
        assert_eq!(line("Äcme!", 4).unwrap_err().0, FieldErrorCode::TooLong);
        for bad in ["a\nb", "a\u{0}b", "a\u{7f}b", "a\u{202E}b", "a\u{2028}b"] {
            assert_eq!(line(bad, 10).unwrap_err().0, FieldErrorCode::InvalidValue, "{bad:?}");
        }
    }

    #[test]
    fn prose_keeps_its_lines() {
        assert_eq!(prose(" a\n\tb ", 10).unwrap(), " a\n\tb ");
        assert!(prose("a\u{0}", 10).is_err());
        assert!(prose("abc", 2).is_err());
    }
}
