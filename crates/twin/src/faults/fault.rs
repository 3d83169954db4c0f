//! What can go wrong with a call.

use std::{fmt, str::FromStr, time::Duration};

use super::{
    error::FaultError,
    route::{Presented, Seen},
    words::Draft,
};
use crate::span;

/// One trouble of production. [`DOCUMENTED`](super::DOCUMENTED) says what each stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The call takes effect; the connection ends without a byte of the answer.
    LoseAnswer,
    /// The call takes effect; the connection ends in the middle of the answer's body.
    CutAnswer,
    /// The answer is held back for so long: whole milliseconds, up to [`DELAY_MAX`].
    Delay(Duration),
    /// 429 in place of an answer; the call takes no effect.
    RateLimited {
        /// Whole seconds, for `Retry-After`.
        retry_after: u32,
    },
    /// A status of servers and gateways in place of the answer.
    Status(ServerError, Effect),
    /// The token of the call expires before it: the access token, or at the token endpoint the
    /// refresh token.
    ExpireToken,
    /// The record that the token of the call belongs to is revoked before it.
    RevokeToken,
    /// Somebody else refreshes the pair of the call's token before it.
    RotateToken,
    /// `expires_in` of the token answer says so; `None`: the answer has none.
    ExpiresIn(Option<i64>),
    /// For this call the server's clock is off by so many seconds.
    ClockSkew(i64),
}

/// The longest delay: whoever waits longer has given up.
pub const DELAY_MAX: Duration = Duration::from_secs(3_600);
/// The longest `Retry-After` in seconds: a day.
pub const RETRY_AFTER_MAX: u32 = 86_400;
/// The most by which the clock is off in seconds: ten years.
pub const CLOCK_SKEW_MAX: i64 = 315_360_000;

/// A status that stands for a server's failure (RFC 9110 §15.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerError {
    /// 500
    InternalServerError,
    /// 502
    BadGateway,
    /// 503
    ServiceUnavailable,
    /// 504
    GatewayTimeout,
}

impl ServerError {
    /// Every one.
    pub const ALL: [Self; 4] = [
        Self::InternalServerError,
        Self::BadGateway,
        Self::ServiceUnavailable,
        Self::GatewayTimeout,
    ];

    /// The status code.
    pub const fn as_u16(self) -> u16 {
        match self {
            Self::InternalServerError => 500,
            Self::BadGateway => 502,
            Self::ServiceUnavailable => 503,
            Self::GatewayTimeout => 504,
        }
    }
}

/// Whether a call whose answer is replaced was carried out. Gateways fail before they have passed a
/// call on, and after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing came of the call.
    NotApplied,
    /// It took effect, and its own answer is not seen.
    Applied,
}

/// What of a call a fault decides about. No two of the same part are struck at one call: the second
/// would undo the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What is sent back.
    Answer,
    /// When it is sent.
    Delay,
    /// The token that the call comes with.
    Token,
    /// A member of the token answer.
    ExpiresIn,
    /// The server's clock.
    Clock,
}

impl Fault {
    /// What of the call it decides about.
    pub const fn part(self) -> Part {
        match self {
            Self::LoseAnswer | Self::CutAnswer | Self::RateLimited { .. } | Self::Status(..) => {
                Part::Answer
            }
            Self::Delay(_) => Part::Delay,
            Self::ExpireToken | Self::RevokeToken | Self::RotateToken => Part::Token,
            Self::ExpiresIn(_) => Part::ExpiresIn,
            Self::ClockSkew(_) => Part::Clock,
        }
    }

    /// Whether it can strike this call: a token that is not there does not expire. A rule waits for
    /// the next call that it can strike.
    pub fn concerns(self, seen: &Seen<'_>) -> bool {
        match self.part() {
            Part::Token => seen.presents != Presented::NoToken,
            Part::ExpiresIn => seen.grant_type.is_some(),
            Part::Answer | Part::Delay | Part::Clock => true,
        }
    }

    /// Whether the call is kept from the server.
    pub const fn prevents_the_call(self) -> bool {
        matches!(self, Self::RateLimited { .. } | Self::Status(_, Effect::NotApplied))
    }

    /// Reads the faults that a header names for its own call: `lose-answer, delay=2s`.
    pub fn in_header(text: &str) -> Result<Vec<Self>, FaultError> {
        let mut faults: Vec<Self> = Vec::new();
        for text in text.split(',') {
            let fault: Self = text.parse()?;
            if let Some(first) = faults.iter().find(|first| first.part() == fault.part()) {
                let (first, second) = (first.to_string(), fault.to_string());
                return Err(FaultError::Contradiction { first, second });
            }
            faults.push(fault);
        }
        Ok(faults)
    }

    /// The words that write it, each with its value.
    pub(super) fn words(self) -> Vec<(&'static str, Option<String>)> {
        match self {
            Self::LoseAnswer => vec![("lose-answer", None)],
            Self::CutAnswer => vec![("cut-answer", None)],
            Self::Delay(span) => vec![("delay", Some(span::text(span)))],
            Self::RateLimited { retry_after } => {
                vec![("rate-limited", Some(retry_after.to_string()))]
            }
            Self::Status(status, effect) => {
                let mut words = vec![("status", Some(status.as_u16().to_string()))];
                words.extend((effect == Effect::Applied).then_some(("applied", None)));
                words
            }
            Self::ExpireToken => vec![("expire-token", None)],
            Self::RevokeToken => vec![("revoke-token", None)],
            Self::RotateToken => vec![("rotate-token", None)],
            Self::ExpiresIn(seconds) => {
                let text = seconds.map_or_else(|| "missing".to_owned(), |it| it.to_string());
                vec![("expires-in", Some(text))]
            }
            Self::ClockSkew(seconds) => {
                vec![("clock-skew", Some(span::signed_seconds_text(seconds)))]
            }
        }
    }
}

/// A fault alone: when and where it strikes is said by a [`Rule`](super::Rule).
impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        Draft::read(text)?.into_fault()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::words::write(formatter, &self.words())
    }
}
