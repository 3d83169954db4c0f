//! Limits on failed authentications, per account and per address.
//!
//! An attempt is counted before it is judged and given back if it succeeds, so that many at once
//! cannot slip through while the first are still being judged. What is judged without waiting is
//! counted only if it fails, before anybody is told: then right secrets cost no count. Over the
//! limit the right secret is refused too, until the minute is over.

use std::{
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokenry_protocol::time::{Seconds, Timestamp};

use crate::config;

const MINUTE: Seconds = Seconds(60);
/// Past this many subjects new ones share one count of their kind: nobody goes uncounted.
const KEYS_MAX: usize = 200_000;
const SWEEP: Seconds = Seconds(5);
/// More of an account's name tells nobody apart, and would only take room.
const NAME_MAX: usize = 320;

/// What attempts are counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A user's address, folded, from any browser that is not known to this account.
    Account(String),
    /// The same from one browser that signed in to this account before.
    KnownBrowser(String),
    /// A client's identifier, folded.
    Client(String),
    /// Where the request came from; an IPv6 network of 64 bits counts as one.
    Address(IpAddr),
    /// The same for bearer tokens, which have a limit of their own or none: the expired tokens of
    /// all users of a gateway come from one address.
    BearerAddress(IpAddr),
}

impl Subject {
    /// The address as it is counted.
    pub fn address(address: IpAddr) -> Self {
        Self::Address(network(address))
    }

    /// A user's address as it is counted, folded by the caller.
    pub fn account(folded_email: &str) -> Self {
        Self::Account(folded_email.chars().take(NAME_MAX).collect())
    }

    /// A client's identifier as it is counted.
    pub fn client(identifier: &str) -> Self {
        Self::Client(identifier.chars().take(NAME_MAX).collect::<String>().to_ascii_lowercase())
    }

    /// What stands for all subjects of this kind that there is no room for.
    fn overflow(&self) -> Self {
        let unspecified = IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED);
        match self {
            Self::Account(_) => Self::Account(String::new()),
            Self::KnownBrowser(_) => Self::KnownBrowser(String::new()),
            Self::Client(_) => Self::Client(String::new()),
            Self::Address(_) => Self::Address(unspecified),
            Self::BearerAddress(_) => Self::BearerAddress(unspecified),
        }
    }

    /// The address as bearer tokens from it are counted.
    pub fn bearer_address(address: IpAddr) -> Self {
        Self::BearerAddress(network(address))
    }
}

/// An address as it is counted: of IPv6 a network of 64 bits, which one subscriber has.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            std::net::Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

/// Over the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyFailures {
    /// When the minute is over.
    pub retry_after: Seconds,
}

/// Counted attempts of the current minute of each subject.
pub struct FailureLimits {
    per_account: Option<u32>,
    per_address: Option<u32>,
    bearers_per_address: Option<u32>,
    table: Mutex<Table>,
    /// Whether nobody is counted, so that nobody can be over a limit.
    is_quiet: AtomicBool,
}

#[derive(Default)]
struct Table {
    counts: HashMap<Subject, Minute>,
    swept_at: Option<Timestamp>,
}

impl Table {
    /// Forgets minutes that are over, at most every few seconds: it looks at every subject.
    fn sweep(&mut self, now: Timestamp) {
        let elapsed = self.swept_at.map(|swept_at| now.millis_since(swept_at));
        if elapsed.is_none_or(|elapsed| elapsed >= SWEEP.as_millis() || elapsed < 0) {
            self.counts.retain(|_, minute| !minute.is_over(now));
            self.swept_at = Some(now);
        }
    }
}

#[derive(Clone, Copy)]
struct Minute {
    began_at: Timestamp,
    failures: u32,
}

/// An attempt that was counted. It stays a failure unless it is given back.
#[must_use]
pub struct Attempt(Vec<Counted>);

/// By whom an attempt was counted, and when that minute of theirs began: by the time that it is
/// given back, another may have begun, which never counted it.
struct Counted {
    subject: Subject,
    began_at: Timestamp,
}

impl FailureLimits {
    /// Takes the most failures a minute.
    pub fn new(limits: &config::Limits) -> Self {
        Self {
            per_account: limits.failed_authentications_per_account,
            per_address: limits.failed_authentications_per_address,
            bearers_per_address: limits.failed_bearers_per_address,
            table: Mutex::new(Table::default()),
            is_quiet: AtomicBool::new(true),
        }
    }

    /// Judges an attempt on the spot, and counts it by all of `subjects` if it fails.
    pub fn judge<T, E: From<TooManyFailures>>(
        &self,
        subjects: impl Fn() -> Vec<Subject>,
        now: Timestamp,
        judge: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        if !self.is_quiet.load(Ordering::Acquire) {
            let mut table = self.lock();
            table.sweep(now);
            self.check(&mut table, &mut self.limited(subjects()), now)?;
            self.is_quiet.store(table.counts.is_empty(), Ordering::Release);
        }
        judge().or_else(|failure| {
            let _ = self.begin(subjects(), now)?;
            Err(failure)
        })
    }

    /// Counts an attempt by all of `subjects`, or none if one of them is over its limit.
    pub fn begin(
        &self,
        subjects: Vec<Subject>,
        now: Timestamp,
    ) -> Result<Attempt, TooManyFailures> {
        let mut subjects = self.limited(subjects);
        if subjects.is_empty() {
            return Ok(Attempt(Vec::new()));
        }
        let mut table = self.lock();
        table.sweep(now);
        self.check(&mut table, &mut subjects, now)?;
        self.is_quiet.store(false, Ordering::Release);
        let mut counted = Vec::with_capacity(subjects.len());
        for subject in subjects {
            let fresh = Minute { began_at: now, failures: 0 };
            let minute = table.counts.entry(subject.clone()).or_insert(fresh);
            if minute.is_over(now) {
                *minute = fresh;
            }
            minute.failures = minute.failures.saturating_add(1);
            counted.push(Counted { subject, began_at: minute.began_at });
        }
        Ok(Attempt(counted))
    }

    /// Counts an attempt with a bearer token, if there is a limit for those.
    pub fn begin_bearer(
        &self,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<Attempt, TooManyFailures> {
        let subject = self.bearers_per_address.map(|_| Subject::bearer_address(address));
        self.begin(subject.into_iter().collect(), now)
    }

    /// Those of `subjects` that there is a limit for.
    fn limited(&self, mut subjects: Vec<Subject>) -> Vec<Subject> {
        subjects.retain(|subject| self.limit(subject).is_some());
        subjects
    }

    /// Refuses if one of `subjects` is over its limit. Those that there is no room for become what
    /// stands for them.
    fn check(
        &self,
        table: &mut Table,
        subjects: &mut [Subject],
        now: Timestamp,
    ) -> Result<(), TooManyFailures> {
        let counts = &table.counts;
        let is_full = counts.len() >= KEYS_MAX;
        for subject in subjects {
            if is_full && !counts.contains_key(subject) {
                *subject = subject.overflow();
            }
            let limit = self.limit(subject).unwrap_or(u32::MAX);
            let minute = counts.get(subject).filter(|minute| !minute.is_over(now));
            if let Some(minute) = minute.filter(|minute| minute.failures >= limit) {
                let retry_after =
                    minute.began_at.plus(MINUTE).seconds_left(now).clamp(Seconds(1), MINUTE);
                return Err(TooManyFailures { retry_after });
            }
        }
        Ok(())
    }

    /// The attempt succeeded, or was never judged: it does not count.
    pub fn forgive(&self, attempt: Attempt) {
        if attempt.0.is_empty() {
            return;
        }
        let counts = &mut self.lock().counts;
        for Counted { subject, began_at } in attempt.0 {
            if let Some(minute) = counts.get_mut(&subject)
                && minute.began_at == began_at
            {
                minute.failures = minute.failures.saturating_sub(1);
                if minute.failures == 0 {
                    counts.remove(&subject);
                }
            }
        }
    }

    fn limit(&self, subject: &Subject) -> Option<u32> {
        match subject {
            Subject::Address(_) => self.per_address,
            Subject::BearerAddress(_) => self.bearers_per_address,
            _ => self.per_account,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // A panic elsewhere cannot leave the counts half-changed.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Minute {
    fn is_over(&self, now: Timestamp) -> bool {
        let elapsed = now.millis_since(self.began_at);
        // Requests that came side by side are not counted in the order in which they looked at the
        // clock: a little earlier is the same minute. A clock that was set back by more must not
        // lock anybody out for longer.
        elapsed.unsigned_abs() >= MINUTE.as_millis().unsigned_abs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

    fn limits(per_account: Option<u32>, per_address: Option<u32>) -> FailureLimits {
        FailureLimits::new(&config::Limits {
            failed_authentications_per_account: per_account,
            failed_authentications_per_address: per_address,
            ..config::Limits::default()
        })
    }

    fn account(name: &str) -> Vec<Subject> {
        vec![Subject::Account(name.to_owned())]
    }

    #[test]
    fn the_limit_holds_until_the_minute_is_over() {
        let limits = limits(Some(3), Some(60));
        for _ in 0..3 {
            let _ = limits.begin(account("ada"), NOW).unwrap();
        }
        let later = NOW.plus(Seconds(51));
        let refused = limits.begin(account("ada"), later).err();
        assert_eq!(refused, Some(TooManyFailures { retry_after: Seconds(9) }));
        assert!(limits.begin(account("ben"), later).is_ok());
        assert!(limits.begin(account("ada"), NOW.plus(Seconds(60))).is_ok());
    }

    #[test]
    fn an_attempt_that_looked_at_the_clock_before_the_first_one_counts_with_it() {
        let limits = limits(Some(3), Some(60));
        for _ in 0..3 {
            let _ = limits.begin(account("ada"), NOW).unwrap();
        }
        for earlier in [1, 30, 59] {
            let earlier = Timestamp::from_seconds(1_000_000 - earlier);
            let refused = limits.begin(account("ada"), earlier).err();
            assert_eq!(refused, Some(TooManyFailures { retry_after: Seconds(60) }));
        }
        assert!(limits.begin(account("ada"), NOW).is_err(), "nothing was forgotten");
        let set_back = Timestamp::from_seconds(1_000_000 - 3_600);
        assert!(limits.begin(account("ada"), set_back).is_ok());
    }

    #[test]
    fn successes_do_not_count() {
        let limits = limits(Some(3), None);
        for _ in 0..100 {
            let attempt = limits.begin(account("ada"), NOW).unwrap();
            limits.forgive(attempt);
        }
    }

    #[test]
    fn what_is_judged_on_the_spot_counts_only_if_it_fails() {
        let limits = limits(Some(3), None);
        let ada = || account("ada");
        let failure = || Err::<(), _>(TooManyFailures { retry_after: Seconds(0) });
        for _ in 0..100 {
            limits.judge(ada, NOW, || Ok::<_, TooManyFailures>(())).unwrap();
        }
        for _ in 0..3 {
            let refused = limits.judge(ada, NOW, failure).err();
            assert_eq!(refused, Some(TooManyFailures { retry_after: Seconds(0) }));
        }
        let refused = limits.judge(ada, NOW, || Ok(())).err();
        assert_eq!(refused, Some(TooManyFailures { retry_after: Seconds(60) }));
        assert!(limits.judge(|| account("ben"), NOW, || Ok::<_, TooManyFailures>(())).is_ok());
        let later = NOW.plus(Seconds(60));
        assert!(limits.judge(ada, later, || Ok::<_, TooManyFailures>(())).is_ok());
    }

    #[test]
    fn attempts_that_are_still_being_judged_count() {
        let limits = limits(Some(3), None);
        let open: Vec<_> = (0..3).map(|_| limits.begin(account("ada"), NOW).unwrap()).collect();
        assert!(limits.begin(account("ada"), NOW).is_err());
        for attempt in open {
            limits.forgive(attempt);
        }
        assert!(limits.begin(account("ada"), NOW).is_ok());
    }

    /// A slow judgement may end in the minute after the one in which it began.
    #[test]
    fn an_attempt_is_given_back_to_the_minute_that_counted_it() {
        for (seconds, is_given_back) in [(0, true), (59, true), (60, false), (119, false)] {
            let limits = limits(Some(3), None);
            let slow = limits.begin(account("ada"), NOW).unwrap();
            let later = NOW.plus(Seconds(seconds));
            while let Ok(failed) = limits.begin(account("ada"), later) {
                drop(failed);
            }
            limits.forgive(slow);
            let has_room = limits.begin(account("ada"), later).is_ok();
            assert_eq!(has_room, is_given_back, "{seconds}");
        }
    }

    #[test]
    fn an_attempt_that_nobody_counts_any_more_is_given_back_to_nobody() {
        let limits = limits(Some(3), None);
        let slow = limits.begin(account("ada"), NOW).unwrap();
        let later = NOW.plus(Seconds(60));
        let fresh = limits.begin(account("ada"), later).unwrap();
        limits.forgive(slow);
        assert_eq!(limits.lock().counts[&account("ada")[0]].failures, 1);
        limits.forgive(fresh);
        assert!(limits.lock().counts.is_empty());
        let swept = limits.begin(account("ada"), later).unwrap();
        let _ = limits.begin(account("ben"), later.plus(Seconds(60))).unwrap();
        limits.forgive(swept);
        assert_eq!(limits.lock().counts.len(), 1);
    }

    #[test]
    fn an_ipv6_network_is_one_address_and_a_mapped_ipv4_is_that_ipv4() {
        let address = |text: &str| Subject::address(text.parse().unwrap());
        assert_eq!(address("2001:db8::1"), address("2001:db8::ffff:1"));
        assert_ne!(address("2001:db8::1"), address("2001:db8:0:1::1"));
        assert_eq!(address("::ffff:192.0.2.1"), address("192.0.2.1"));
    }

    #[test]
    fn a_full_table_still_counts_everybody_and_empties_itself() {
        let limits = limits(Some(3), None);
        for name in 0..KEYS_MAX {
            let _ = limits.begin(account(&name.to_string()), NOW).unwrap();
        }
        for late in ["x", "y", "z"] {
            let _ = limits.begin(account(late), NOW).unwrap();
        }
        assert!(limits.begin(account("another"), NOW).is_err());
        assert!(limits.begin(account("1"), NOW).is_ok());
        let later = NOW.plus(Seconds(61));
        assert!(limits.begin(account("another"), later).is_ok());
        assert_eq!(limits.lock().counts.len(), 1);
    }

    #[test]
    fn no_limit_counts_nothing() {
        let limits = limits(None, None);
        for _ in 0..1_000 {
            let _ = limits.begin(account("ada"), NOW).unwrap();
        }
        assert!(limits.lock().counts.is_empty());
    }
}
