//! Limits on requests, per caller and sliding minute; off unless configured.
//!
//! A minute slides by whole seconds: what was taken in one second is given back when that second is
//! sixty seconds ago. Requests are counted once it is proved who calls, so nobody can spend what is
//! another's, and only then: failures have [limits of their own](crate::failure_limits). A request
//! that is refused here does not count.
//!
//! Each process counts by itself.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokenry_core::client_authentication::Redeemer;
use tokenry_protocol::{
    ids::{ClientId, UserId},
    time::{Seconds, Timestamp},
};

use crate::{config, failure_limits::network};

const MINUTE: i64 = 60;
const SWEEP: i64 = 5;
/// Past this many callers in one minute new ones go uncounted until others have gone: a limit for
/// fairness must not make honest callers pay for a crowd.
const CALLERS_MAX: usize = 200_000;

/// Whose requests are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Caller {
    /// Who calls the record API, by whatever credentials.
    User(UserId),
    /// A client that has shown its secret at the token endpoint.
    Client(ClientId),
    /// A client that was only named there, from one address (of IPv6, one network): whoever knows
    /// its identifier can name it, and must not spend what is others'.
    NamedClient(ClientId, IpAddr),
}

impl Caller {
    /// The client as it is counted.
    pub fn client(redeemer: &Redeemer, address: IpAddr) -> Self {
        let id = redeemer.client().id;
        if redeemer.has_shown_secret() {
            Self::Client(id)
        } else {
            Self::NamedClient(id, network(address))
        }
    }
}

/// What a caller has left after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// The most requests in a minute.
    pub limit: u32,
    /// How many more there may be now.
    pub remaining: u32,
    /// When the oldest of those that count is a minute ago, and there may be more.
    pub reset: Seconds,
}

/// Counted requests of the last minute of each caller.
pub struct RequestLimits {
    per_caller: Option<u32>,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    windows: HashMap<Caller, Window>,
    swept_at: i64,
}

/// The seconds of one caller's last minute in which there were requests, the oldest first.
#[derive(Default)]
struct Window {
    seconds: VecDeque<(i64, u32)>,
    taken: u32,
}

impl RequestLimits {
    /// Takes the most requests a minute.
    pub fn new(limits: &config::Limits) -> Self {
        Self { per_caller: limits.requests_per_caller, table: Mutex::new(Table::default()) }
    }

    /// Whether there is a limit.
    pub const fn is_on(&self) -> bool {
        self.per_caller.is_some()
    }

    /// Counts a request, or refuses it and says when to come back. `Ok(None)` counts nothing.
    pub fn take(&self, caller: Caller, now: Timestamp) -> Result<Option<Allowance>, Allowance> {
        let Some(limit) = self.per_caller else {
            return Ok(None);
        };
        let now = now.as_seconds();
        let mut table = self.lock();
        table.sweep(now);
        let is_full = table.windows.len() >= CALLERS_MAX;
        if is_full && !table.windows.contains_key(&caller) {
            return Ok(None);
        }
        let window = table.windows.entry(caller).or_default();
        window.take(limit, now).map(Some)
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // A panic elsewhere cannot leave the counts half-changed.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Forgets callers whose minute is over, at most every few seconds: it looks at every one.
    fn sweep(&mut self, now: i64) {
        if now.abs_diff(self.swept_at) >= SWEEP.unsigned_abs() {
            self.windows.retain(|_, window| {
                window.slide(now);
                window.taken > 0
            });
            self.swept_at = now;
        }
    }
}

impl Window {
    fn take(&mut self, limit: u32, now: i64) -> Result<Allowance, Allowance> {
        let now = self.slide(now);
        let is_over = self.taken >= limit;
        if !is_over {
            self.taken += 1;
            match self.seconds.back_mut().filter(|(second, _)| *second == now) {
                Some((_, count)) => *count += 1,
                None => self.seconds.push_back((now, 1)),
            }
        }
        let oldest = self.seconds.front().map_or(now, |(second, _)| *second);
        let reset = u32::try_from(oldest + MINUTE - now).unwrap_or(1);
        let remaining = limit - self.taken;
        let allowance = Allowance { limit, remaining, reset: Seconds(reset) };
        if is_over { Err(allowance) } else { Ok(allowance) }
    }

    /// Gives back what is a minute ago, and says which second it is here: a request that looked at
    /// the clock a little earlier than the one before it counts with that one. After a clock that
    /// was set back by more nothing of before counts.
    fn slide(&mut self, now: i64) -> i64 {
        let newest = self.seconds.back().map_or(now, |(second, _)| *second);
        if newest - now >= MINUTE {
            *self = Self::default();
            return now;
        }
        let now = now.max(newest);
        while let Some((second, count)) = self.seconds.front()
            && now - second >= MINUTE
        {
            self.taken = self.taken.saturating_sub(*count);
            self.seconds.pop_front();
        }
        now
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_000_000;

    fn limits(per_caller: Option<u32>) -> RequestLimits {
        let limits =
            config::Limits { requests_per_caller: per_caller, ..config::Limits::default() };
        RequestLimits::new(&limits)
    }

    fn user(id: u64) -> Caller {
        Caller::User(UserId::new(id).unwrap())
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_seconds(second)
    }

    fn left(limits: &RequestLimits, second: i64) -> Result<(u32, u32), (u32, u32)> {
        let seen = |allowance: Allowance| (allowance.remaining, allowance.reset.0);
        let taken = limits.take(user(1), at(second));
        taken.map(|allowance| seen(allowance.unwrap())).map_err(seen)
    }

    #[test]
    fn what_was_taken_in_a_second_is_given_back_a_minute_later() {
        let limits = limits(Some(3));
        assert_eq!(left(&limits, NOW), Ok((2, 60)));
        assert_eq!(left(&limits, NOW + 20), Ok((1, 40)));
        assert_eq!(left(&limits, NOW + 20), Ok((0, 40)));
        assert_eq!(left(&limits, NOW + 43), Err((0, 17)));
        assert_eq!(left(&limits, NOW + 59), Err((0, 1)));
        assert_eq!(left(&limits, NOW + 60), Ok((0, 20)), "one came back");
        assert_eq!(left(&limits, NOW + 60), Err((0, 20)));
        assert_eq!(left(&limits, NOW + 80), Ok((1, 40)), "two came back");
        assert_eq!(left(&limits, NOW + 1_000), Ok((2, 60)));
    }

    #[test]
    fn a_refused_request_does_not_count() {
        let limits = limits(Some(1));
        assert!(left(&limits, NOW).is_ok());
        for second in 1..60 {
            assert!(left(&limits, NOW + second).is_err());
        }
        assert!(left(&limits, NOW + 60).is_ok());
    }

    #[test]
    fn each_caller_has_requests_of_their_own() {
        let limits = limits(Some(1));
        let client = ClientId::new(1).unwrap();
        let address = |text: &str| network(text.parse().unwrap());
        let callers = [
            user(1),
            user(2),
            Caller::Client(client),
            Caller::NamedClient(client, address("192.0.2.1")),
            Caller::NamedClient(client, address("192.0.2.2")),
            Caller::NamedClient(client, address("2001:db8::1")),
        ];
        for caller in callers {
            assert!(limits.take(caller, at(NOW)).is_ok(), "{caller:?}");
            assert!(limits.take(caller, at(NOW)).is_err(), "{caller:?}");
        }
        let neighbour = Caller::NamedClient(client, address("2001:db8::2"));
        assert!(limits.take(neighbour, at(NOW)).is_err());
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let limits = limits(Some(1));
        assert_eq!(left(&limits, NOW), Ok((0, 60)));
        assert_eq!(left(&limits, NOW - 59), Err((0, 60)), "a little earlier is the same second");
        assert_eq!(left(&limits, NOW - 60), Ok((0, 60)));
        assert_eq!(left(&limits, NOW), Ok((0, 60)));
    }

    #[test]
    fn without_a_limit_nothing_is_counted() {
        let limits = limits(None);
        assert!(!limits.is_on());
        for _ in 0..1_000 {
            assert_eq!(limits.take(user(1), at(NOW)), Ok(None));
        }
        assert!(limits.lock().windows.is_empty());
    }

    #[test]
    fn a_full_table_counts_whom_it_knows_and_empties_itself() {
        let limits = limits(Some(1));
        for id in 1..=u64::try_from(CALLERS_MAX).unwrap() {
            assert!(limits.take(user(id), at(NOW)).is_ok());
        }
        let late = user(9_000_000);
        for _ in 0..3 {
            assert_eq!(limits.take(late, at(NOW)), Ok(None));
        }
        assert!(limits.take(user(7), at(NOW)).is_err());
        assert_eq!(limits.lock().windows.len(), CALLERS_MAX);
        assert!(limits.take(late, at(NOW + 60)).unwrap().is_some());
        assert_eq!(limits.lock().windows.len(), 1);
    }

    proptest! {
        /// Held against a list of every request that was let through.
        #[test]
        fn no_minute_holds_more_than_the_limit(
            limit in 1..5_u32,
            steps in prop::collection::vec(0..25_i64, 1..200),
        ) {
            let limits = limits(Some(limit));
            let (mut now, mut let_through): (i64, Vec<i64>) = (NOW, Vec::new());
            for step in steps {
                now += step;
                let of_minute = let_through.iter().filter(|second| now - **second < MINUTE);
                let before: Vec<i64> = of_minute.copied().collect();
                let count = u32::try_from(before.len()).unwrap();
                match left(&limits, now) {
                    Ok((remaining, _)) => {
                        prop_assert_eq!(remaining, limit - count - 1);
                        let_through.push(now);
                    }
                    Err((remaining, wait)) => {
                        prop_assert_eq!((remaining, count), (0, limit));
                        prop_assert_eq!(i64::from(wait), before[0] + MINUTE - now);
                    }
                }
            }
        }

        #[test]
        fn a_caller_takes_no_more_room_than_a_minute_has_seconds(
            steps in prop::collection::vec(0..3_i64, 1..500),
        ) {
            let limits = limits(Some(1_000));
            let mut now = NOW;
            for step in steps {
                now += step;
                let _ = left(&limits, now);
                let table = limits.lock();
                prop_assert!(table.windows[&user(1)].seconds.len() <= 60);
            }
        }
    }
}
