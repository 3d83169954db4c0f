//! A clock to turn: set, moved on, stopped, let go; and for one call alone, wrong.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde::Serialize;
use tokenry_protocol::time::Timestamp;
use tokenry_server::environment::{Clock, SystemClock};

tokio::task_local! {
    /// By how many milliseconds the clock is off for the call that this task answers.
    static SKEW: i64;
}

/// The twin's clock. It runs beside the system's, as far from it as it was set.
#[derive(Clone)]
pub struct TwinClock(Arc<Inner>);

struct Inner {
    system: Box<dyn Clock>,
    setting: Mutex<Setting>,
}

/// How a clock stands to the system's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setting {
    /// So many milliseconds ahead.
    Running(i64),
    /// It stands still.
    Frozen(Timestamp),
}

/// What a clock shows, as the control API tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ClockReading {
    /// The time.
    pub now: Timestamp,
    /// Whether it stands still.
    pub frozen: bool,
    /// How far it is ahead of the system's clock, in seconds.
    pub ahead_seconds: i64,
}

impl Default for TwinClock {
    fn default() -> Self {
        Self::beside(Box::new(SystemClock))
    }
}

impl TwinClock {
    /// A clock that shows what `system` shows until it is turned.
    pub fn beside(system: Box<dyn Clock>) -> Self {
        let setting = Mutex::new(Setting::Running(0));
        Self(Arc::new(Inner { system, setting }))
    }

    /// Puts it to a time, from which it goes on if it was running.
    pub fn set(&self, time: Timestamp) {
        self.turn(|clock, setting| match setting {
            Setting::Running(_) => Setting::Running(time.millis_since(clock.system.now())),
            Setting::Frozen(_) => Setting::Frozen(time),
        });
    }

    /// Moves it on by so many milliseconds, or back.
    pub fn advance_millis(&self, millis: i64) {
        self.turn(|_, setting| match setting {
            Setting::Running(ahead) => Setting::Running(ahead.saturating_add(millis)),
            Setting::Frozen(time) => Setting::Frozen(moved(time, millis)),
        });
    }

    /// Moves it on.
    pub fn advance(&self, span: Duration) {
        self.advance_millis(i64::try_from(span.as_millis()).unwrap_or(i64::MAX));
    }

    /// Stops it where it is.
    pub fn freeze(&self) {
        self.turn(|clock, setting| Setting::Frozen(clock.reading(setting)));
    }

    /// Lets it run on from where it is.
    pub fn unfreeze(&self) {
        self.turn(|clock, setting| {
            Setting::Running(clock.reading(setting).millis_since(clock.system.now()))
        });
    }

    /// What it shows to everybody.
    pub fn read(&self) -> ClockReading {
        let setting = self.setting();
        let now = self.0.reading(setting);
        ClockReading {
            now,
            frozen: matches!(setting, Setting::Frozen(_)),
            ahead_seconds: now.millis_since(self.0.system.now()) / 1_000,
        }
    }

    /// What it would show by another setting.
    pub(crate) fn shown_by(&self, setting: Setting) -> Timestamp {
        self.0.reading(setting)
    }

    /// The setting by which it shows a time now, and runs on from there.
    pub(crate) fn running_from(&self, time: Timestamp) -> Setting {
        Setting::Running(time.millis_since(self.0.system.now()))
    }

    pub(crate) fn setting(&self) -> Setting {
        *self.0.setting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn restore(&self, earlier: Setting) {
        self.turn(|_, _| earlier);
    }

    fn turn(&self, change: impl FnOnce(&Inner, Setting) -> Setting) {
        let mut setting = self.0.setting.lock().unwrap_or_else(PoisonError::into_inner);
        *setting = change(&self.0, *setting);
    }
}

impl Inner {
    fn reading(&self, setting: Setting) -> Timestamp {
        match setting {
            Setting::Running(ahead) => moved(self.system.now(), ahead),
            Setting::Frozen(time) => time,
        }
    }
}

impl Clock for TwinClock {
    fn now(&self) -> Timestamp {
        let skew = SKEW.try_with(|skew| *skew).unwrap_or(0);
        moved(self.0.reading(self.setting()), skew)
    }
}

/// Answers a call by a clock that is off by so many milliseconds.
pub(crate) async fn skewed<F: Future>(millis: i64, call: F) -> F::Output {
    SKEW.scope(millis, call).await
}

fn moved(time: Timestamp, millis: i64) -> Timestamp {
    Timestamp::from_millis(time.as_millis().saturating_add(millis))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    #[derive(Clone, Default)]
    struct ByHand(Arc<AtomicI64>);

    impl Clock for ByHand {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(self.0.load(Ordering::SeqCst))
        }
    }

    fn clock() -> (ByHand, TwinClock) {
        let system = ByHand::default();
        (system.clone(), TwinClock::beside(Box::new(system)))
    }

    #[test]
    fn it_runs_on_from_where_it_was_set_or_moved_to() {
        let (system, clock) = clock();
        clock.set(Timestamp::from_millis(1_000_000));
        system.0.fetch_add(5_000, Ordering::SeqCst);
        assert_eq!(clock.now(), Timestamp::from_millis(1_005_000));
        clock.advance_millis(-2_000);
        assert_eq!(clock.now(), Timestamp::from_millis(1_003_000));
        assert_eq!(clock.read().ahead_seconds, 998);
    }

    #[test]
    fn it_stands_while_it_is_frozen_and_can_be_moved_then() {
        let (system, clock) = clock();
        clock.advance_millis(7_000);
        clock.freeze();
        system.0.fetch_add(60_000, Ordering::SeqCst);
        assert_eq!(clock.now(), Timestamp::from_millis(7_000));
        clock.advance_millis(1_000);
        assert!(clock.read().frozen);
        clock.unfreeze();
        system.0.fetch_add(500, Ordering::SeqCst);
        assert_eq!(clock.now(), Timestamp::from_millis(8_500));
        clock.freeze();
        clock.set(Timestamp::from_millis(3));
        assert_eq!(clock.now(), Timestamp::from_millis(3));
    }

    #[tokio::test]
    async fn for_one_call_it_is_off_and_for_no_other() {
        let (_, clock) = clock();
        let inside = skewed(-9_000, async { clock.now() }).await;
        assert_eq!(inside, Timestamp::from_millis(-9_000));
        assert_eq!(clock.now(), Timestamp::from_millis(0));
    }

    #[test]
    fn no_turn_makes_it_panic() {
        let (_, clock) = clock();
        for millis in [i64::MAX, i64::MAX, i64::MIN, i64::MIN] {
            clock.advance_millis(millis);
            clock.freeze();
            clock.read();
            clock.unfreeze();
        }
    }
}
