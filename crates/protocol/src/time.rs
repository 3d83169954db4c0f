//! Points in time: milliseconds inside, whole seconds in UTC on the wire.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A point in time, in milliseconds since 1970-01-01T00:00:00Z.
///
/// On the wire it is `YYYY-MM-DDTHH:MM:SSZ`, cut to the second: clients parse only that form. Every
/// time of RFC 3339 is read.
///
/// Example: `"2026-03-02T10:00:00Z"`
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A point in time as a calendar and a clock in UTC show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Civil {
    /// 0 to 9999.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
}

/// A span in whole seconds, as lifetimes are written on the wire (RFC 6749 §4.2.2 `expires_in`).
///
/// Example: `1800`
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Seconds(pub u32);

impl Seconds {
    /// The span in milliseconds.
    pub const fn as_millis(self) -> i64 {
        self.0 as i64 * 1_000
    }
}

impl From<Seconds> for Duration {
    fn from(seconds: Seconds) -> Self {
        Self::from_secs(u64::from(seconds.0))
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

impl Timestamp {
    /// Takes milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Takes whole seconds since the epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000))
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, as `exp` and `iat` are written (RFC 7519 §2).
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// This point and a span later.
    #[must_use]
    pub const fn plus(self, span: Seconds) -> Self {
        Self(self.0.saturating_add(span.as_millis()))
    }

    /// This point and a span earlier.
    #[must_use]
    pub const fn minus(self, span: Seconds) -> Self {
        Self(self.0.saturating_sub(span.as_millis()))
    }

    /// The span since `earlier` in milliseconds; negative when `earlier` is later.
    pub const fn millis_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Whole seconds from `now` until this point, rounded up, at least 0: what `expires_in` says.
    pub fn seconds_left(self, now: Self) -> Seconds {
        let millis = self.millis_since(now).max(0);
        Seconds(u32::try_from((millis + 999) / 1_000).unwrap_or(u32::MAX))
    }

    /// Reads any RFC 3339 time (§5.6); what is finer than a millisecond is cut off.
    pub fn parse(text: &str) -> Option<Self> {
        let (date, rest) = text.split_at_checked(10)?;
        let (separator, rest) = rest.split_at_checked(1)?;
        let (time, rest) = rest.split_at_checked(8)?;
        let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
        let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
        let is_time = hour <= 23 && minute <= 59 && second <= 60;
        if !matches!(separator, "T" | "t" | " ") || !is_time {
            return None;
        }
        let days = days_from_civil(year, month, day)?;
        let (millis, rest) = fraction(rest)?;
        // A leap second is the last one of its minute that other clocks have.
        let seconds = days * DAY + hour * 3_600 + minute * 60 + second.min(59) - offset(rest)?;
        Some(Self(seconds * 1_000 + millis))
    }

    /// As a calendar and a clock in UTC show it. What lies outside the years 0 to 9999, which RFC
    /// 3339 cannot write, becomes their first or last second.
    pub fn civil(self) -> Civil {
        let seconds = self.as_seconds().clamp(FIRST_SECOND, LAST_SECOND);
        let (year, month, day) = civil_from_days(seconds.div_euclid(DAY));
        let second = seconds.rem_euclid(DAY);
        let small = |number: i64| u8::try_from(number).unwrap_or_default();
        Civil {
            year: u16::try_from(year).unwrap_or_default(),
            month: small(month),
            day: small(day),
            hour: small(second / 3_600),
            minute: small(second / 60 % 60),
            second: small(second % 60),
        }
    }

    /// As it is written on the wire. Years that RFC 3339 cannot write become the nearest it can.
    ///
    /// Every record has four of these: digit by digit, because through format strings they would
    /// cost more than the rest of it.
    pub fn written(self) -> [u8; 20] {
        let mut text = *b"0000-01-01T00:00:00Z";
        let Civil { year, month, day, hour, minute, second } = self.civil();
        let parts = [month, day, hour, minute, second];
        let numbers = std::iter::once(year).chain(parts.map(u16::from));
        let slots = text.split_mut(|byte| !byte.is_ascii_digit());
        for (slot, mut number) in slots.zip(numbers) {
            for digit in slot.iter_mut().rev() {
                *digit = b'0'.saturating_add(u8::try_from(number % 10).unwrap_or(0));
                number /= 10;
            }
        }
        text
    }
}

impl From<Timestamp> for SystemTime {
    fn from(time: Timestamp) -> Self {
        let span = Duration::from_millis(time.0.unsigned_abs());
        let point = if time.0 < 0 {
            Self::UNIX_EPOCH.checked_sub(span)
        } else {
            Self::UNIX_EPOCH.checked_add(span)
        };
        point.unwrap_or(Self::UNIX_EPOCH)
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let millis = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => Self(millis(after)),
            Err(before) => Self(millis(before.duration()).saturating_neg()),
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(str::from_utf8(&self.written()).unwrap_or_default())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(str::from_utf8(&self.written()).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("a time must be written as RFC 3339"))
    }
}

const DAY: i64 = 86_400;
/// 0000-01-01T00:00:00Z
const FIRST_SECOND: i64 = -62_167_219_200;
/// 9999-12-31T23:59:59Z
const LAST_SECOND: i64 = 253_402_300_799;

/// Three numbers of exactly so many digits.
fn numbers(text: &str, between: char, lengths: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(between);
    let mut number = |length| {
        let digits = parts.next()?;
        let is_number = digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { digits.parse().ok() } else { None }
    };
    let [first, second, third] = lengths;
    let found = [number(first)?, number(second)?, number(third)?];
    parts.next().is_none().then_some(found)
}

/// The milliseconds of a fraction, if there is one, and what follows it.
fn fraction(text: &str) -> Option<(i64, &str)> {
    let Some(rest) = text.strip_prefix('.') else {
        return Some((0, text));
    };
    let end = rest.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, rest) = rest.split_at_checked(end)?;
    let shown = digits.bytes().chain(*b"000").take(3);
    let millis = shown.fold(0, |millis, digit| millis * 10 + i64::from(digit - b'0'));
    (!digits.is_empty()).then_some((millis, rest))
}

/// Seconds east of UTC.
fn offset(text: &str) -> Option<i64> {
    if matches!(text, "Z" | "z") {
        return Some(0);
    }
    let (sign, rest) = text.split_at_checked(1)?;
    let (hours, minutes) = rest.split_once(':')?;
    let [hours, minutes, _] = numbers(&format!("{hours}:{minutes}:00"), ':', [2, 2, 2])?;
    let seconds = hours * 3_600 + minutes * 60;
    match sign {
        _ if hours > 23 || minutes > 59 => None,
        "+" => Some(seconds),
        "-" => Some(-seconds),
        _ => None,
    }
}

// Days and dates of the Gregorian calendar, carried on before its beginning (ISO 8601). Years begin
// in March here, so that a leap day is the last of its year, and are counted by eras of 400 years,
// which all have the same number of days.

const ERA_DAYS: i64 = 146_097;
/// From 0000-03-01 to 1970-01-01.
const EPOCH_DAYS: i64 = 719_468;

/// Days from 1970-01-01 to a date; `None` when the calendar has no such date.
fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let march_year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (march_year.div_euclid(400), march_year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * ERA_DAYS + day_of_era - EPOCH_DAYS;
    // The 31st of February is a day of March, and is told by that.
    (civil_from_days(days) == (year, month, day)).then_some(days)
}

/// Year, month and day, so many days after 1970-01-01.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + EPOCH_DAYS;
    let (era, day_of_era) = (days.div_euclid(ERA_DAYS), days.rem_euclid(ERA_DAYS));
    let leaps = day_of_era / 1_460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leaps) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A well-kept library says the same of every second and of every date.
        #[test]
        fn every_second_is_written_as_the_calendar_has_it(
            second in FIRST_SECOND..=LAST_SECOND - DAY,
            millis in 0..1_000_i64,
        ) {
            let time = Timestamp(second * 1_000 + millis);
            let known = jiff::Timestamp::from_second(second).unwrap();
            prop_assert_eq!(time.to_string(), known.to_string());
            prop_assert_eq!(Timestamp::parse(&known.to_string()), Some(Timestamp(second * 1_000)));
            let fine = jiff::Timestamp::from_millisecond(time.0).unwrap().to_string();
            prop_assert_eq!(Timestamp::parse(&fine), Some(time));
        }

        #[test]
        fn a_date_is_read_exactly_when_the_calendar_has_it(
            year in 0..=9_999_i16,
            month in 0..=13_i8,
            day in 0..=32_i8,
            offset in -1_439..=1_439_i32,
        ) {
            let sign = if offset < 0 { '-' } else { '+' };
            let (hours, minutes) = (offset.abs() / 60, offset.abs() % 60);
            let text =
                format!("{year:04}-{month:02}-{day:02}T12:30:59{sign}{hours:02}:{minutes:02}");
            let known = jiff::civil::Date::new(year, month, day).ok().map(|date| {
                let time = jiff::tz::Offset::UTC.to_timestamp(date.at(12, 30, 59, 0)).unwrap();
                Timestamp::from_seconds(time.as_second() - i64::from(offset) * 60)
            });
            prop_assert_eq!(Timestamp::parse(&text), known, "{}", text);
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC{0,40}|[0-9T:.+Z-]{0,40}") {
            let _ = Timestamp::parse(&text);
        }
    }

    #[test]
    fn times_of_other_servers_are_read_in_every_form_of_the_standard() {
        let expected = Timestamp::from_millis(1_772_712_000_250);
        for text in [
            "2026-03-05T12:00:00.25Z",
            "2026-03-05t12:00:00.250999z",
            "2026-03-05 13:00:00.250+01:00",
            "2026-03-05T06:30:00.250-05:30",
        ] {
            assert_eq!(Timestamp::parse(text), Some(expected), "{text}");
        }
        let leap = Timestamp::parse("2016-12-31T23:59:60Z");
        assert_eq!(leap, Timestamp::parse("2016-12-31T23:59:59Z"));
        for text in [
            "",
            "2026-03-05",
            "2026-03-05T12:00:00",
            "2026-03-05T12:00Z",
            "2026-03-05T24:00:00Z",
            "2026-03-05T12:60:00Z",
            "2026-03-05T12:00:61Z",
            "2026-3-05T12:00:000Z",
            "2026-03-05T12:00:00.Z",
            "2026-03-05T12:00:00+0100",
            "2026-03-05T12:00:00+24:00",
            "2026-03-05T12:00:00Zz",
            "2026-02-29T12:00:00Z",
            "+026-03-05T12:00:00Z",
            "2026-03-05_12:00:00Z",
            "tomorrow",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_clock_of_the_system_and_ours_say_the_same() {
        for millis in [0, 1_772_712_000_250, -1] {
            let time = Timestamp::from_millis(millis);
            assert_eq!(Timestamp::from(SystemTime::from(time)), time);
        }
    }

    #[test]
    fn a_time_is_written_in_whole_seconds_with_a_z() {
        let time = Timestamp::from_millis(1_772_712_000_999);
        assert_eq!(time.to_string(), "2026-03-05T12:00:00Z");
        assert_eq!(Timestamp::from_millis(-1).to_string(), "1969-12-31T23:59:59Z");
        assert_eq!(Timestamp::from_seconds(951_782_399).to_string(), "2000-02-28T23:59:59Z");
        assert_eq!(Timestamp::from_seconds(-62_167_219_201).to_string(), "0000-01-01T00:00:00Z");
        assert_eq!(serde_json::to_string(&time).unwrap(), "\"2026-03-05T12:00:00Z\"");
        assert_eq!(Timestamp::parse("2026-03-05T12:00:00Z").unwrap().as_seconds(), 1_772_712_000);
    }

    #[test]
    fn a_time_beyond_the_calendar_is_written_as_its_first_or_last_second() {
        for (millis, expected) in
            [(i64::MIN, "0000-01-01T00:00:00Z"), (i64::MAX, "9999-12-31T23:59:59Z")]
        {
            assert_eq!(Timestamp::from_millis(millis).to_string(), expected);
        }
    }

    #[test]
    fn spans_are_added_and_taken_away_to_the_millisecond() {
        let time = Timestamp::from_millis(10_500);
        assert_eq!(time.plus(Seconds(2)).as_millis(), 12_500);
        assert_eq!(time.minus(Seconds(2)).as_millis(), 8_500);
        assert_eq!(time.millis_since(Timestamp::from_millis(10_000)), 500);
        assert_eq!(Timestamp::from_seconds(10).as_millis(), 10_000);
        let (least, most) = (Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX));
        assert_eq!(most.plus(Seconds(1)), most, "the end of time is not passed");
        assert_eq!(least.minus(Seconds(1)), least);
    }

    #[test]
    fn a_span_is_a_number_of_seconds_wherever_it_goes() {
        let span = Seconds(1_800);
        assert_eq!(span.as_millis(), 1_800_000);
        assert_eq!(Duration::from(span), Duration::from_secs(1_800));
        assert_eq!(span.to_string(), "1800");
        assert_eq!(serde_json::to_string(&span).unwrap(), "1800");
    }

    #[test]
    fn what_is_left_is_rounded_up_and_never_negative() {
        let now = Timestamp::from_millis(10_500);
        assert_eq!(Timestamp::from_millis(11_000).seconds_left(now), Seconds(1));
        assert_eq!(Timestamp::from_millis(10_500).seconds_left(now), Seconds(0));
        assert_eq!(Timestamp::from_millis(0).seconds_left(now), Seconds(0));
        assert_eq!(now.plus(Seconds(1_800)).seconds_left(now), Seconds(1_800));
    }
}
