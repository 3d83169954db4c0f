//! Points in time in words: how long ago, how long until, and the exact date.
//!
//! Exact times are in UTC and say so: the server does not know the reader's time zone.

use tokenry_protocol::time::{Civil, Timestamp};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const MONTH: i64 = 30 * DAY;
const YEAR: i64 = 365 * DAY;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// How long before `now` something happened: "just now", "3 minutes ago", "2 years ago".
/// Spans are cut to whole units. What lies ahead (clocks differ) happened just now.
pub fn ago(then: Timestamp, now: Timestamp) -> String {
    match span(now.millis_since(then)) {
        Some(span) => format!("{span} ago"),
        None => "just now".to_owned(),
    }
}

/// How long after `now` something will happen: "in 27 days", "in less than a minute", "now".
pub fn until(then: Timestamp, now: Timestamp) -> String {
    match (then.millis_since(now), span(then.millis_since(now))) {
        (..=0, _) => "now".to_owned(),
        (_, None) => "in less than a minute".to_owned(),
        (_, Some(span)) => format!("in {span}"),
    }
}

fn span(millis: i64) -> Option<String> {
    let seconds = millis / 1_000;
    let (count, unit) = match seconds {
        ..MINUTE => return None,
        MINUTE..HOUR => (seconds / MINUTE, "minute"),
        HOUR..DAY => (seconds / HOUR, "hour"),
        DAY..MONTH => (seconds / DAY, "day"),
        MONTH..YEAR => (seconds / MONTH, "month"),
        YEAR.. => (seconds / YEAR, "year"),
    };
    let plural = if count == 1 { "" } else { "s" };
    Some(format!("{count} {unit}{plural}"))
}

/// The day: "2 March 2026".
pub(crate) fn day(time: Timestamp) -> String {
    let Civil { year, month, day, .. } = time.civil();
    let month = MONTHS.get(usize::from(month).wrapping_sub(1)).unwrap_or(&"");
    format!("{day} {month} {year}")
}

/// The minute: "2 March 2026, 09:15 UTC".
pub(crate) fn minute(time: Timestamp) -> String {
    let Civil { hour, minute, .. } = time.civil();
    format!("{}, {hour:02}:{minute:02} UTC", day(time))
}

/// The minute where there is little room: "2026-03-02 09:15Z".
pub fn short_minute(time: Timestamp) -> String {
    let Civil { year, month, day, hour, minute, .. } = time.civil();
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn a_span_is_cut_to_whole_units() {
        for (seconds, words) in [
            (-90, "just now"),
            (0, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (3 * MINUTE + 59, "3 minutes ago"),
            (HOUR - 1, "59 minutes ago"),
            (HOUR, "1 hour ago"),
            (2 * DAY - 1, "1 day ago"),
            (29 * DAY, "29 days ago"),
            (30 * DAY, "1 month ago"),
            (364 * DAY, "12 months ago"),
            (365 * DAY, "1 year ago"),
            (800 * DAY, "2 years ago"),
        ] {
            assert_eq!(ago(at(1_000_000_000), at(1_000_000_000 + seconds)), words);
        }
    }

    #[test]
    fn what_lies_ahead_is_counted_down_to_now() {
        for (seconds, words) in [
            (-5, "now"),
            (0, "now"),
            (1, "in less than a minute"),
            (30 * MINUTE, "in 30 minutes"),
            (27 * DAY + 5, "in 27 days"),
        ] {
            assert_eq!(until(at(1_000 + seconds), at(1_000)), words);
        }
    }

    #[test]
    fn exact_times_are_in_utc() {
        let time = Timestamp::parse("2026-03-02T10:15:59+01:00").unwrap();
        assert_eq!(day(time), "2 March 2026");
        assert_eq!(minute(time), "2 March 2026, 09:15 UTC");
        assert_eq!(short_minute(time), "2026-03-02 09:15Z");
        assert_eq!(day(Timestamp::from_millis(i64::MAX)), "31 December 9999");
    }
}
