//! Points in time: milliseconds inside, whole seconds in UTC on the wire.

use std::{fmt, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A point in time, in milliseconds since 1970-01-01T00:00:00Z.
///
/// On the wire it is `YYYY-MM-DDTHH:MM:SSZ`, cut to the second: clients parse only that form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A span in whole seconds, as lifetimes are written on the wire (RFC 6749 §4.2.2 `expires_in`).
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

    /// Reads any RFC 3339 time.
    pub fn parse(text: &str) -> Option<Self> {
        let time: jiff::Timestamp = text.parse().ok()?;
        Some(Self(time.as_millisecond()))
    }
}

impl Timestamp {
    /// As it is written on the wire. Years that RFC 3339 cannot write become the nearest it can.
    ///
    /// Every record has four of these: digit by digit, because through format strings they would
    /// cost more than the rest of it.
    pub fn written(self) -> [u8; 20] {
        let mut text = *b"0000-01-01T00:00:00Z";
        let time =
            jiff::Timestamp::from_second(self.as_seconds()).unwrap_or(if self.0.is_negative() {
                jiff::Timestamp::MIN
            } else {
                jiff::Timestamp::MAX
            });
        let civil = jiff::tz::Offset::UTC.to_datetime(time);
        let Ok(year) = u16::try_from(civil.year()) else { return text };
        let parts = [civil.month(), civil.day(), civil.hour(), civil.minute(), civil.second()];
        let numbers = std::iter::once(year).chain(parts.map(|part| u16::from(part.unsigned_abs())));
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

#[cfg(test)]
mod tests {
    use super::*;

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
            [(i64::MIN, "0000-01-01T00:00:00Z"), (i64::MAX, "9999-12-30T22:00:00Z")]
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
