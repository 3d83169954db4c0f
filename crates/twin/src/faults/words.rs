//! The table of words in which faults are written, and what each does to a rule that is being read.
//!
//! A header, a flag, a member of JSON and a key of TOML are all read by [`Draft::set`], so they
//! know the same words and refuse the same things. In names of members `_` may stand for `-`.

use std::{fmt, num::NonZeroU32};

use http::Method;

use super::{
    error::FaultError,
    fault::{CLOCK_SKEW_MAX, DELAY_MAX, Effect, Fault, RETRY_AFTER_MAX, ServerError},
    route::RoutePattern,
    rule::{Probability, Rule, When},
};
use crate::span;

/// A word, what stands behind its `=`, and what it means.
pub struct Word {
    /// As it is written.
    pub name: &'static str,
    /// What its value is.
    pub takes: Takes,
    /// What it does, in a few words.
    pub meaning: &'static str,
    set: fn(&mut Draft, &str) -> Result<(), Refusal>,
}

/// What a word has behind its `=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// It is written alone; as a member its value is `true`.
    Nothing,
    /// Always a value, written like this.
    Value(&'static str),
    /// A value, or what stands for it when the word is written alone.
    ValueOr(&'static str, &'static str),
}

/// Why a value does not do.
enum Refusal {
    /// It is not what the word takes.
    Value,
    Other(FaultError),
}

const ONE_OR_MORE: &str = "a whole number from 1 on";
const SECONDS: &str = "whole seconds from 1 to 86400";

/// Every word: the faults first.
pub const WORDS: &[Word] = &[
    flag("lose-answer", "the call takes effect and its answer is lost", |draft, _| {
        draft.fault("lose-answer", Fault::LoseAnswer)
    }),
    flag("cut-answer", "the answer ends in the middle of its body", |draft, _| {
        draft.fault("cut-answer", Fault::CutAnswer)
    }),
    word(
        "delay",
        "up to 1h, a number with ms, s or m behind it",
        "the answer waits",
        |draft, it| {
            let span = span::parse(it).filter(|span| *span <= DELAY_MAX).ok_or(Refusal::Value)?;
            draft.fault("delay", Fault::Delay(span))
        },
    ),
    Word {
        name: "rate-limited",
        takes: Takes::ValueOr(SECONDS, "1"),
        meaning: "429 with this Retry-After; the call takes no effect",
        set: |draft, it| {
            let retry_after = number(it).filter(|it| (1..=RETRY_AFTER_MAX).contains(it));
            let retry_after = retry_after.ok_or(Refusal::Value)?;
            draft.fault("rate-limited", Fault::RateLimited { retry_after })
        },
    },
    word("status", "500, 502, 503 or 504", "this status, without effect", |draft, it| {
        let mut all = ServerError::ALL.into_iter();
        let status = all.find(|status| status.as_u16().to_string() == it).ok_or(Refusal::Value)?;
        draft.fault("status", Fault::Status(status, Effect::NotApplied))
    }),
    flag("applied", "with status: the call took effect all the same", |draft, _| {
        once("applied", &mut draft.applied, ())
    }),
    flag("expire-token", "the token of the call expires before it", |draft, _| {
        draft.fault("expire-token", Fault::ExpireToken)
    }),
    flag("revoke-token", "the token of the call is revoked before it", |draft, _| {
        draft.fault("revoke-token", Fault::RevokeToken)
    }),
    flag("rotate-token", "somebody else refreshes its pair before the call", |draft, _| {
        draft.fault("rotate-token", Fault::RotateToken)
    }),
    word("expires-in", "missing, or a whole number", "what the token answer says", |draft, it| {
        let seconds = match it {
            "missing" => None,
            number => Some(number.parse().map_err(|_| Refusal::Value)?),
        };
        draft.fault("expires-in", Fault::ExpiresIn(seconds))
    }),
    word(
        "clock-skew",
        "up to 3650d in whole seconds, as 90s, 5m or -31d",
        "for the call the server's clock is off",
        |draft, it| {
            let is_bounded = |it: &i64| it.abs() <= CLOCK_SKEW_MAX;
            let seconds = span::parse_signed_seconds(it).filter(is_bounded);
            draft.fault("clock-skew", Fault::ClockSkew(seconds.ok_or(Refusal::Value)?))
        },
    ),
    word("route", "a path or a kind of calls", "for these calls alone", |draft, it| {
        let route = it.parse().map_err(Refusal::Other)?;
        once("route", &mut draft.route, route)
    }),
    word(
        "method",
        METHODS_FORM,
        "for this method alone; without it, for all but OPTIONS",
        |draft, it| {
            let known = |method: &Method| METHODS.contains(method);
            let method = Method::try_from(it.to_ascii_uppercase().as_str()).ok().filter(known);
            once("method", &mut draft.method, method.ok_or(Refusal::Value)?)
        },
    ),
    flag("always", "at every call, not at the next alone", |draft, _| {
        draft.when("always", When::Always)
    }),
    word("every", ONE_OR_MORE, "at every n-th call", |draft, it| {
        draft.when("every", When::Every(positive(it).ok_or(Refusal::Value)?))
    }),
    word("probability", "more than 0 and at most 1", "by chance", |draft, it| {
        let probability = it.parse().ok().and_then(Probability::new);
        draft.when("probability", When::Probability(probability.ok_or(Refusal::Value)?))
    }),
    word("after", "a whole number", "leaves out so many calls first", |draft, it| {
        once("after", &mut draft.after, number(it).ok_or(Refusal::Value)?)
    }),
    word("times", ONE_OR_MORE, "strikes so often and then no more", |draft, it| {
        once("times", &mut draft.times, positive(it).ok_or(Refusal::Value)?)
    }),
];

const METHODS: [Method; 7] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
];
const METHODS_FORM: &str = "one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

type Set = fn(&mut Draft, &str) -> Result<(), Refusal>;

const fn flag(name: &'static str, meaning: &'static str, set: Set) -> Word {
    Word { name, takes: Takes::Nothing, meaning, set }
}

const fn word(name: &'static str, form: &'static str, meaning: &'static str, set: Set) -> Word {
    Word { name, takes: Takes::Value(form), meaning, set }
}

/// Digits and nothing else: no sign, no spaces.
fn number(text: &str) -> Option<u32> {
    let is_plain = text.bytes().all(|digit| digit.is_ascii_digit());
    is_plain.then(|| text.parse().ok())?
}

fn positive(text: &str) -> Option<NonZeroU32> {
    number(text).and_then(NonZeroU32::new)
}

fn once<T>(word: &'static str, slot: &mut Option<T>, value: T) -> Result<(), Refusal> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(Refusal::Other(FaultError::Twice(word))),
    }
}

/// A rule that is being read.
#[derive(Default)]
pub(super) struct Draft {
    fault: Option<(&'static str, Fault)>,
    applied: Option<()>,
    route: Option<RoutePattern>,
    method: Option<Method>,
    when: Option<(&'static str, When)>,
    after: Option<u32>,
    times: Option<NonZeroU32>,
}

impl Draft {
    /// Reads words with spaces between them.
    pub(super) fn read(text: &str) -> Result<Self, FaultError> {
        let mut draft = Self::default();
        for word in text.split_ascii_whitespace() {
            match word.split_once('=') {
                Some((name, value)) => draft.set(name, Some(value))?,
                None => draft.set(word, None)?,
            }
        }
        Ok(draft)
    }

    /// Takes one word; `None`: it was written alone.
    pub(super) fn set(&mut self, name: &str, value: Option<&str>) -> Result<(), FaultError> {
        let is_meant = |word: &&Word| word.name == name || word.name.replace('-', "_") == name;
        let word = WORDS.iter().find(is_meant);
        let word = word.ok_or_else(|| FaultError::UnknownWord { word: name.to_owned() })?;
        let (value, right) = match (word.takes, value) {
            (Takes::Nothing, None) => ("", ""),
            (Takes::Nothing, Some(_)) => return Err(FaultError::NeedlessValue(word.name)),
            (Takes::Value(right), None) => {
                return Err(FaultError::NoValue { word: word.name, right });
            }
            (Takes::ValueOr(right, usual), None) => (usual, right),
            (Takes::Value(right) | Takes::ValueOr(right, _), Some(value)) => (value, right),
        };
        (word.set)(self, value).map_err(|refusal| match refusal {
            Refusal::Value => FaultError::value(word.name, value, right),
            Refusal::Other(error) => error,
        })
    }

    /// What the words come to as a rule. Without a word about when, it strikes the next call.
    pub(super) fn into_rule(self) -> Result<Rule, FaultError> {
        let fault = self.whole_fault()?;
        let (when, usual_times) = match self.when {
            None => (When::Always, Some(NonZeroU32::MIN)),
            Some((_, when)) => (when, None),
        };
        Ok(Rule {
            fault,
            route: self.route,
            method: self.method,
            when,
            after: self.after.unwrap_or(0),
            times: self.times.or(usual_times),
        })
    }

    /// What they come to where there is one call and no other.
    pub(super) fn into_fault(self) -> Result<Fault, FaultError> {
        let of_rules = [
            self.route.as_ref().map(|_| "route"),
            self.method.as_ref().map(|_| "method"),
            self.when.map(|(word, _)| word),
            self.after.map(|_| "after"),
            self.times.map(|_| "times"),
        ];
        match of_rules.into_iter().flatten().next() {
            Some(word) => Err(FaultError::NotInHeader(word)),
            None => self.whole_fault(),
        }
    }

    fn whole_fault(&self) -> Result<Fault, FaultError> {
        match (self.fault, self.applied) {
            (Some((_, Fault::Status(status, _))), Some(())) => {
                Ok(Fault::Status(status, Effect::Applied))
            }
            (Some(_), Some(())) => Err(FaultError::Misplaced { word: "applied" }),
            (Some((_, fault)), None) => Ok(fault),
            (None, _) => Err(FaultError::NoFault),
        }
    }

    fn fault(&mut self, word: &'static str, fault: Fault) -> Result<(), Refusal> {
        match self.fault.replace((word, fault)) {
            None => Ok(()),
            Some((first, _)) if first == word => Err(Refusal::Other(FaultError::Twice(word))),
            Some((first, _)) => Err(Refusal::Other(FaultError::TwoFaults { first, second: word })),
        }
    }

    fn when(&mut self, word: &'static str, when: When) -> Result<(), Refusal> {
        match self.when.replace((word, when)) {
            None => Ok(()),
            Some((first, _)) if first == word => Err(Refusal::Other(FaultError::Twice(word))),
            Some((first, _)) => Err(Refusal::Other(FaultError::TwoTimes { first, second: word })),
        }
    }
}

/// Writes words with spaces between them.
pub(super) fn write(
    formatter: &mut fmt::Formatter<'_>,
    words: &[(&'static str, Option<String>)],
) -> fmt::Result {
    for (at, (word, value)) in words.iter().enumerate() {
        let space = if at == 0 { "" } else { " " };
        match value {
            Some(value) => write!(formatter, "{space}{word}={value}")?,
            None => write!(formatter, "{space}{word}")?,
        }
    }
    Ok(())
}
