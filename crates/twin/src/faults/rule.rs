//! A fault with what says when and where it strikes.

use std::{fmt, num::NonZeroU32, str::FromStr};

use http::Method;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, DeserializeSeed, MapAccess, Visitor},
    ser::SerializeMap as _,
};

use super::{
    error::FaultError,
    fault::Fault,
    route::{self, RoutePattern, Seen},
    words::{self, Draft},
};

/// A fault, which calls it is for and which of them it strikes.
///
/// As text: `status=503 route=/oauth/* every=3`. As JSON or TOML the same words are members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What goes wrong.
    pub fault: Fault,
    /// `None`: all calls under `/api/v2/` and `/oauth/`.
    pub route: Option<RoutePattern>,
    /// `None`: all methods but OPTIONS.
    pub method: Option<Method>,
    /// Which of those calls.
    pub when: When,
    /// So many of them are left alone first.
    pub after: u32,
    /// How often it strikes; `None`: without end.
    pub times: Option<NonZeroU32>,
}

/// Which of the calls that a rule is for are struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Each.
    Always,
    /// The n-th, the 2n-th and so on.
    Every(NonZeroU32),
    /// Each with this probability, by the seed of all faults.
    Probability(Probability),
}

/// More than 0 and at most 1, in millionths: readers of JSON differ about the last digits of a
/// number, and the same rule must throw the same everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probability(u32);

const MILLION: f64 = 1_000_000.0;

impl Probability {
    /// Rounds to millionths; `None`: then it is not within the bounds.
    pub fn new(probability: f64) -> Option<Self> {
        let rounded = (probability * MILLION).round();
        // The bounds are those of the cast.
        let is_bounded = (1.0..=MILLION).contains(&rounded);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number between the bounds"
        )]
        is_bounded.then_some(Self(rounded as u32))
    }

    /// The number.
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / MILLION
    }
}

impl Rule {
    /// The next call of the API, once.
    pub const fn once(fault: Fault) -> Self {
        let times = Some(NonZeroU32::MIN);
        Self { fault, route: None, method: None, when: When::Always, after: 0, times }
    }

    pub(super) fn is_for(&self, seen: &Seen<'_>) -> bool {
        self.fault.concerns(seen)
            && self.method.as_ref().map_or(!seen.is_preflight(), |method| method == seen.method)
            && route::is_for(self.route.as_ref(), seen)
    }

    /// The words that write it, each with its value.
    fn words(&self) -> Vec<(&'static str, Option<String>)> {
        let mut words = self.fault.words();
        let mut push = |word, value: Option<String>| {
            words.extend(value.map(|value| (word, Some(value))));
        };
        push("route", self.route.as_ref().map(ToString::to_string));
        push("method", self.method.as_ref().map(ToString::to_string));
        push("after", (self.after > 0).then(|| self.after.to_string()));
        match self.when {
            When::Always if self.times.is_none() => words.push(("always", None)),
            When::Always => {}
            When::Every(count) => words.push(("every", Some(count.to_string()))),
            When::Probability(it) => words.push(("probability", Some(it.as_f64().to_string()))),
        }
        let is_usual = self.when == When::Always && self.times == Some(NonZeroU32::MIN);
        let times = self.times.filter(|_| !is_usual);
        words.extend(times.map(|times| ("times", Some(times.to_string()))));
        words
    }
}

impl FromStr for Rule {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        Draft::read(text)?.into_rule()
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        words::write(formatter, &self.words())
    }
}

/// A map of the same words, `_` for `-`: numbers as numbers, and `true` for words without a value.
impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let words = self.words();
        let mut map = serializer.serialize_map(Some(words.len()))?;
        for (word, value) in words {
            let name = word.replace('-', "_");
            match value {
                None => map.serialize_entry(&name, &true)?,
                Some(text) => match (text.parse::<i64>(), text.parse::<f64>()) {
                    (Ok(number), _) => map.serialize_entry(&name, &number)?,
                    (_, Ok(number)) => map.serialize_entry(&name, &number)?,
                    _ => map.serialize_entry(&name, &text)?,
                },
            }
        }
        map.end()
    }
}

/// The map, or the text of a rule as a string.
impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RuleVisitor)
    }
}

struct RuleVisitor;

impl<'de> Visitor<'de> for RuleVisitor {
    type Value = Rule;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .write_str("a fault: a text such as \"status=503 every=3\", or its words as members")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Rule, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Rule, A::Error> {
        let mut draft = Draft::default();
        while let Some(name) = members.next_key::<String>()? {
            members.next_value_seed(Member { name: &name, draft: &mut draft })?;
        }
        draft.into_rule().map_err(de::Error::custom)
    }
}

/// A word whose value is read. It is judged where it stands, so that an error has its line.
struct Member<'a> {
    name: &'a str,
    draft: &'a mut Draft,
}

impl Member<'_> {
    fn set<E: de::Error>(self, value: Option<&str>) -> Result<(), E> {
        self.draft.set(self.name, value).map_err(E::custom)
    }
}

impl<'de> DeserializeSeed<'de> for Member<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Member<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a number, a text or true for {}", self.name)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        if value { self.set(None) } else { Err(E::custom("write true, or leave the word out")) }
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        self.set(Some(&value.to_string()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        self.set(Some(&value.to_string()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        self.set(Some(&value.to_string()))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<(), E> {
        self.set(Some(value))
    }
}
