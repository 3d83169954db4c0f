//! Whether and when a request is sent again.

use std::time::Duration;

use http::StatusCode;

use crate::{Repeat, TransportErrorKind};

/// How often and how soon requests are sent again. What was sent is only repeated where that is
/// safe: an operation that makes a record is repeated when the server cannot have begun with it
/// (no connection, 429), all others also after lost answers and 502, 503 and 504.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Requests at most, the first included; 1 repeats none. 4 by default.
    pub attempts_max: u32,
    /// The longest wait before the second request; it doubles with each. 200 ms by default. The
    /// wait is drawn anew each time from the upper half of it, so that clients do not come back
    /// together.
    pub wait_first: Duration,
    /// No wait of ours is longer; 10 s by default.
    pub wait_max: Duration,
    /// A server that asks for more (`Retry-After`) is not waited for: the error says when it may
    /// be asked again. 60 s by default.
    pub retry_after_max: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts_max: 4,
            wait_first: Duration::from_millis(200),
            wait_max: Duration::from_secs(10),
            retry_after_max: Duration::from_secs(60),
        }
    }
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Answered { status: StatusCode, retry_after: Option<Duration> },
    Failed(TransportErrorKind),
}

impl Outcome {
    /// Whether the server may have done what was asked although nobody was told. One that says 503
    /// has not begun; what stands before a server says 502 and 504 of answers that it has not got.
    pub(crate) const fn may_be_done(self) -> bool {
        match self {
            Self::Failed(kind) => {
                matches!(kind, TransportErrorKind::Lost | TransportErrorKind::Timeout)
            }
            Self::Answered { status, .. } => {
                matches!(status, StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT)
            }
        }
    }

    fn is_worth_repeating(self, repeat: Repeat) -> bool {
        match self {
            Self::Answered { status: StatusCode::TOO_MANY_REQUESTS, .. }
            | Self::Failed(TransportErrorKind::Connect) => true,
            // Somebody else than the server may say it, so nothing is made twice for it.
            Self::Answered { status: StatusCode::SERVICE_UNAVAILABLE, .. } => {
                repeat == Repeat::Always
            }
            other => other.may_be_done() && repeat == Repeat::Always,
        }
    }
}

impl RetryPolicy {
    /// Repeats nothing.
    pub fn never() -> Self {
        Self { attempts_max: 1, ..Self::default() }
    }

    /// How long to wait before the next request; `None` when there is none. `draw` gives a random
    /// number.
    pub(crate) fn wait(
        &self,
        attempt: u32,
        outcome: Outcome,
        repeat: Repeat,
        draw: impl FnOnce() -> u16,
    ) -> Option<Duration> {
        if attempt >= self.attempts_max || !outcome.is_worth_repeating(repeat) {
            return None;
        }
        let doubled = self.wait_first.saturating_mul(1 << attempt.saturating_sub(1).min(20));
        let longest = doubled.min(self.wait_max);
        let half = longest / 2;
        let drawn = half + half.mul_f64(f64::from(draw()) / f64::from(u16::MAX));
        match outcome {
            Outcome::Answered { retry_after: Some(asked), .. } if asked > self.retry_after_max => {
                None
            }
            Outcome::Answered { retry_after: Some(asked), .. } => Some(asked.saturating_add(drawn)),
            _ => Some(drawn),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOST: Outcome = Outcome::Failed(TransportErrorKind::Lost);
    const REFUSED: Outcome = Outcome::Failed(TransportErrorKind::Connect);

    fn answered(status: u16) -> Outcome {
        Outcome::Answered { status: StatusCode::from_u16(status).unwrap(), retry_after: None }
    }

    #[test]
    fn a_request_is_repeated_only_where_that_is_safe() {
        let policy = RetryPolicy::default();
        for (outcome, always, if_untaken) in [
            (answered(200), false, false),
            (answered(400), false, false),
            (answered(401), false, false),
            (answered(404), false, false),
            (answered(429), true, true),
            (answered(500), false, false),
            (answered(502), true, false),
            (answered(503), true, false),
            (answered(504), true, false),
            (LOST, true, false),
            (Outcome::Failed(TransportErrorKind::Timeout), true, false),
            (REFUSED, true, true),
            (Outcome::Failed(TransportErrorKind::TooLarge), false, false),
            (Outcome::Failed(TransportErrorKind::Unsendable), false, false),
        ] {
            let is_repeated = |repeat| policy.wait(1, outcome, repeat, || 0).is_some();
            assert_eq!(is_repeated(Repeat::Always), always, "{outcome:?}");
            assert_eq!(is_repeated(Repeat::IfUntaken), if_untaken, "{outcome:?}");
        }
    }

    #[test]
    fn waits_double_up_to_a_bound_and_are_drawn_from_their_upper_half() {
        let policy = RetryPolicy { attempts_max: 99, ..RetryPolicy::default() };
        let wait = |attempt, draw| policy.wait(attempt, LOST, Repeat::Always, || draw).unwrap();
        for (attempt, longest) in [(1, 200), (2, 400), (3, 800), (6, 6_400), (7, 10_000)] {
            assert_eq!(wait(attempt, 0), Duration::from_millis(longest / 2));
            assert_eq!(wait(attempt, u16::MAX), Duration::from_millis(longest));
        }
        assert_eq!(wait(98, u16::MAX), policy.wait_max);
    }

    #[test]
    fn a_server_is_given_the_time_it_asks_for_unless_it_asks_for_too_much() {
        let policy = RetryPolicy::default();
        let asked = |seconds| Outcome::Answered {
            status: StatusCode::TOO_MANY_REQUESTS,
            retry_after: Some(Duration::from_secs(seconds)),
        };
        let wait = |seconds| policy.wait(1, asked(seconds), Repeat::IfUntaken, || 0);
        assert_eq!(wait(7), Some(Duration::from_millis(7_100)));
        assert_eq!(wait(60), Some(Duration::from_millis(60_100)));
        assert_eq!(wait(61), None);
        let patient = RetryPolicy { retry_after_max: Duration::MAX, ..policy };
        let wait = patient.wait(1, asked(u64::MAX), Repeat::IfUntaken, || u16::MAX);
        assert!(wait >= Some(Duration::from_secs(u64::MAX)));
    }

    #[test]
    fn a_refusal_to_begin_is_not_taken_for_a_lost_answer() {
        for (outcome, expected) in [
            (LOST, true),
            (Outcome::Failed(TransportErrorKind::Timeout), true),
            (answered(502), true),
            (answered(504), true),
            (answered(503), false),
            (answered(429), false),
            (REFUSED, false),
        ] {
            assert_eq!(outcome.may_be_done(), expected, "{outcome:?}");
        }
    }

    #[test]
    fn there_is_an_end_to_attempts() {
        let policy = RetryPolicy::default();
        assert!(policy.wait(3, LOST, Repeat::Always, || 0).is_some());
        assert_eq!(policy.wait(4, LOST, Repeat::Always, || 0), None);
        assert_eq!(RetryPolicy::never().wait(1, LOST, Repeat::Always, || 0), None);
    }
}
