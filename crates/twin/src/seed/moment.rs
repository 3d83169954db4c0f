//! Points in time as a seed writes them: RFC 3339, or how long before the twin's clock.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use tokenry_protocol::time::Timestamp;

/// A point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// This one, wherever the clock stands.
    At(Timestamp),
    /// So many milliseconds before the clock at the time of planting.
    Ago(i64),
}

/// The text is neither form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no time: write \"3d 2h 30m ago\" (days, hours, minutes, seconds) or RFC 3339")]
pub struct InvalidMoment(String);

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// The units in the order in which they are written.
const UNITS: [(char, i64); 4] = [('d', DAY), ('h', HOUR), ('m', MINUTE), ('s', SECOND)];
/// A hundred years: more is a mistake, and times before it have no calendar to be shown in.
const AGO_MAX: i64 = 36_525 * DAY;

impl Moment {
    /// Reads either form.
    pub fn parse(text: &str) -> Result<Self, InvalidMoment> {
        let ago = text.trim().strip_suffix("ago").and_then(span);
        let read = ago.map(Self::Ago).or_else(|| Timestamp::parse(text.trim()).map(Self::At));
        read.ok_or_else(|| InvalidMoment(text.chars().take(60).collect()))
    }

    /// The point in time, for a clock that says `now`.
    pub const fn seen_from(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Ago(millis) => Timestamp::from_millis(now.as_millis().saturating_sub(millis)),
        }
    }
}

/// `3d 2h 30m `: each unit at most once, the largest first.
fn span(text: &str) -> Option<i64> {
    let mut left = UNITS.as_slice();
    let mut total = 0_i64;
    let mut words = text.split_whitespace().peekable();
    words.peek()?;
    for word in words {
        let unit = word.chars().next_back()?;
        let at = left.iter().position(|(letter, _)| *letter == unit)?;
        let (_, millis) = left.get(at)?;
        let digits = word.strip_suffix(unit)?;
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let count = is_number.then(|| digits.parse::<i64>().ok()).flatten()?;
        total = count.checked_mul(*millis).and_then(|more| total.checked_add(more))?;
        left = left.get(at + 1..)?;
    }
    (total <= AGO_MAX).then_some(total)
}

impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = match self {
            Self::At(at) => return at.fmt(formatter),
            Self::Ago(millis) => *millis,
        };
        for (unit, millis) in UNITS {
            let count = left / millis;
            left %= millis;
            // "0s ago" where there is nothing else to say.
            if count > 0 || (unit == 's' && left == 0 && matches!(self, Self::Ago(..SECOND))) {
                write!(formatter, "{count}{unit} ")?;
            }
        }
        formatter.write_str("ago")
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_span_is_counted_back_from_the_clock() {
        let noon = Timestamp::parse("2026-03-05T12:00:00Z").unwrap();
        for (text, expected) in [
            ("3d 2h 44m 56s ago", "2026-03-02T09:15:04Z"),
            ("0s ago", "2026-03-05T12:00:00Z"),
            ("90m ago", "2026-03-05T10:30:00Z"),
            ("2026-01-10T09:00:00Z", "2026-01-10T09:00:00Z"),
        ] {
            let moment = Moment::parse(text).unwrap();
            assert_eq!(moment.seen_from(noon).to_string(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_told_with_both_forms() {
        for text in [
            "",
            "ago",
            "3 days ago",
            "3d",
            "2h 3d ago",
            "1d 1d ago",
            "-1d ago",
            "d ago",
            "99999d ago",
            "yesterday",
            "9999999999999999999d ago",
            "1.5h ago",
        ] {
            let error = Moment::parse(text).unwrap_err().to_string();
            assert!(error.contains("3d 2h 30m ago") && error.contains("RFC 3339"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(seconds in 0..AGO_MAX / SECOND) {
            let moment = Moment::Ago(seconds * SECOND);
            prop_assert_eq!(Moment::parse(&moment.to_string()).unwrap(), moment);
        }

        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            let _ = Moment::parse(&text);
        }
    }
}
