//! Spans of time in words: `250ms`, `30s`, `5m`, `12h`, `31d`; a bare number counts seconds.

use std::time::Duration;

/// What one of each unit is in milliseconds, the largest first.
const UNITS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// How to write one, for errors.
pub const FORM: &str = "a number with ms, s, m, h or d behind it, as 500ms or 31d";

/// `None`: not written so, or longer than 64 bits of milliseconds.
pub fn parse(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = text.strip_prefix(digits)?;
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    let unit = if unit.is_empty() { "s" } else { unit };
    let (_, millis) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let number: u64 = is_number.then(|| digits.parse().ok())??;
    Some(Duration::from_millis(number.checked_mul(*millis)?))
}

/// In the largest unit that leaves no rest; what is finer than a millisecond is cut off.
pub fn text(span: Duration) -> String {
    let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let fits = |(_, unit): &&(&str, u64)| millis > 0 && millis.is_multiple_of(*unit);
    match UNITS.iter().find(fits) {
        Some((name, unit)) => format!("{}{name}", millis / unit),
        None => "0s".to_owned(),
    }
}

/// Whole seconds with or without a sign, as a clock is off: `-90s`, `5m`.
pub fn parse_signed_seconds(text: &str) -> Option<i64> {
    let (is_behind, span) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let span = parse(span).filter(|span| span.subsec_nanos() == 0)?;
    let seconds = i64::try_from(span.as_secs()).ok()?;
    Some(if is_behind { -seconds } else { seconds })
}

/// The same in words.
pub fn signed_seconds_text(seconds: i64) -> String {
    let sign = if seconds < 0 { "-" } else { "" };
    format!("{sign}{}", text(Duration::from_secs(seconds.unsigned_abs())))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_span_has_a_unit_or_counts_seconds() {
        for (text, millis) in [
            ("250ms", 250),
            ("30", 30_000),
            ("30s", 30_000),
            ("5m", 300_000),
            ("12h", 43_200_000),
            ("31d", 2_678_400_000),
            ("0", 0),
        ] {
            assert_eq!(parse(text), Some(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_no_span() {
        for text in ["", "s", "5 s", "-5s", "+5s", "1.5s", "5y", "5S", "٣s", "99999999999999d"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_clock_is_off_by_whole_seconds_either_way() {
        assert_eq!(parse_signed_seconds("-90s"), Some(-90));
        assert_eq!(parse_signed_seconds("+5m"), Some(300));
        assert_eq!(parse_signed_seconds("5m"), Some(300));
        for text in ["500ms", "--5s", "-", ""] {
            assert_eq!(parse_signed_seconds(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_span_reads_back_as_it_was_written(millis in 0..10_000_000_000_u64) {
            let span = Duration::from_millis(millis);
            prop_assert_eq!(parse(&text(span)), Some(span));
        }

        #[test]
        fn a_skew_reads_back_as_it_was_written(seconds in -10_000_000_000..10_000_000_000_i64) {
            prop_assert_eq!(parse_signed_seconds(&signed_seconds_text(seconds)), Some(seconds));
        }
    }
}
