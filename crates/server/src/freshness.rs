//! For how long what is in memory is vouched for without news of what other nodes have changed.
//!
//! Who follows the changes confirms, once they are applied, the moment at which it began to look:
//! whatever was changed before that is known. When that moment is too long ago, because the
//! database is away or because this process was stopped for a while, caches answer nothing and
//! everything is read through.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// How old the news may be, and how old it is.
#[derive(Debug)]
pub struct Freshness {
    /// `None` where nobody else changes anything for long.
    bound: Option<Duration>,
    began: Instant,
    /// Microseconds after `began` up to which all is known, and one; 0 before the first look.
    known: AtomicU64,
}

impl Freshness {
    /// What is in memory holds until this process itself changes it, or hears of a change.
    pub fn unbounded() -> Self {
        Self::new(None)
    }

    /// What is in memory holds if the news is younger than `bound`. With 0 it never does.
    pub fn within(bound: Duration) -> Self {
        Self::new(Some(bound))
    }

    fn new(bound: Option<Duration>) -> Self {
        Self { bound, began: Instant::now(), known: AtomicU64::new(0) }
    }

    /// Whether what is in memory may be vouched for at this moment.
    pub fn holds(&self) -> bool {
        // Most servers have no bound, and need not ask for the time.
        self.bound.is_none() || self.holds_at(Instant::now())
    }

    /// Whether there was no news for longer than anybody vouches for: changes are not kept for
    /// ever, and some may have gone before they were heard of.
    pub fn has_lapsed(&self) -> bool {
        self.bound.is_some_and(|bound| !bound.is_zero()) && !self.holds()
    }

    fn holds_at(&self, now: Instant) -> bool {
        self.bound.is_none_or(|bound| self.age_at(now).is_some_and(|age| age < bound))
    }

    /// Tells the metrics how old the news is.
    pub fn sample(&self) {
        if let Some(age) = self.age_at(Instant::now()) {
            metrics::gauge!("tokenry_news_age_seconds").set(age.as_secs_f64());
        }
    }

    /// How old the news is; `None` before the first.
    fn age_at(&self, now: Instant) -> Option<Duration> {
        let known = self.known.load(Ordering::Acquire).checked_sub(1)?;
        let elapsed = now.saturating_duration_since(self.began);
        Some(elapsed.saturating_sub(Duration::from_micros(known)))
    }

    /// Everything that was changed before `looked_at` is known and applied.
    pub fn confirm(&self, looked_at: Instant) {
        let known = looked_at.saturating_duration_since(self.began).as_micros();
        let known = u64::try_from(known).unwrap_or(u64::MAX - 1) + 1;
        self.known.fetch_max(known, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUND: Duration = Duration::from_millis(500);

    #[test]
    fn what_is_in_memory_holds_for_the_bound_after_the_last_look_began() {
        let freshness = Freshness::within(BOUND);
        let looked_at = Instant::now();
        assert!(!freshness.holds_at(looked_at), "nobody has looked yet");
        assert!(freshness.has_lapsed());
        freshness.confirm(looked_at);
        let just_before = BOUND.saturating_sub(Duration::from_millis(1));
        assert!(freshness.holds_at(looked_at + just_before));
        assert!(!freshness.holds_at(looked_at + BOUND + Duration::from_millis(1)));
        freshness.confirm(looked_at + BOUND);
        assert!(freshness.holds_at(looked_at + BOUND + just_before));
    }

    #[test]
    fn a_look_that_ended_late_does_not_take_back_what_a_later_one_confirmed() {
        let freshness = Freshness::within(BOUND);
        let early = Instant::now();
        freshness.confirm(early + BOUND);
        freshness.confirm(early);
        assert!(freshness.holds_at(early + BOUND));
    }

    #[test]
    fn without_a_bound_it_always_holds_and_with_none_left_never() {
        let (always, never) = (Freshness::unbounded(), Freshness::within(Duration::ZERO));
        never.confirm(Instant::now());
        assert!(!never.holds());
        assert!(!never.has_lapsed() && !always.has_lapsed(), "nothing is relied on that could");
        assert!(always.holds());
        assert!(always.holds_at(Instant::now() + Duration::from_secs(86_400)));
    }
}
