//! "The file does not grow": a day of short-lived tokens in compressed time, purged as they expire.
//!
//! The clock moves a second with so many tokens, inserted as fast as the store takes them. Beside
//! every minute of them (the purge's own interval) runs one sweep of the real purge; the clock
//! waits for whichever is later. Between two minutes, at rest, single inserts and finds are
//! measured, in turns with the same on a store that holds as many tokens and is never purged.
//!
//! 1. After the first lifetime (and the first sweep that finds something) the database stays within
//!    5 % of its size, and its log within a bound of its own.
//! 2. No live grant is touched: each row stays as its client left it.
//! 3. Everything that expired is gone, and nothing else.
//! 4. Inserts and finds take as long in the last lifetime as in the first one that began full.
//! 5. A sweep takes no longer than the time until the next. The median one of the later half is
//!    judged: any may be late because the machine was kept from running.

mod grants;
mod latency;
mod load;

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use tokenry_protocol::time::{Seconds, Timestamp};
use tokenry_server::{config::Config, jobs::Purge};
use tokenry_store::TokenFilter;

pub use self::latency::{Latencies, Percentiles};
use self::{
    grants::Grants,
    latency::{Latency, check_unchanged, timed},
    load::Load,
};
use crate::{
    environment::Dice,
    progress::{Progress, grouped},
    server::Site,
};

/// The most that the log may take, in bytes: twice what it is kept at.
const LOG_MAX: u64 = 32 << 20;

/// How long, and how much.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Simulated seconds.
    pub seconds: u32,
    /// Tokens a second.
    pub rate: u32,
    /// How long each lives.
    pub lifetime: Seconds,
    /// How often the purge looks.
    pub interval: Seconds,
    /// Long-lived grants among them.
    pub grants: u32,
    /// How much more than after the first lifetime the database may take, in percent.
    pub growth_max: u64,
    /// How many times longer a fast insert or find may take in the last lifetime.
    pub latency_tolerance: f64,
    /// What decides everything.
    pub seed: u64,
}

/// How it went.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Tokens issued.
    pub issued: u64,
    /// Rows that the purge removed.
    pub purged: u64,
    /// Bytes of the database after the first lifetime.
    pub settled: u64,
    /// The most bytes that it took later.
    pub largest: u64,
    /// The most bytes that its log took.
    pub largest_log: u64,
    /// What the longest sweep took.
    pub longest_sweep: Duration,
    /// Of the first lifetime that began with as many tokens as there ever are.
    pub first: Latencies,
    /// Of the last one.
    pub last: Latencies,
}

struct Growth {
    plan: Plan,
    site: Site,
    load: Load,
    reference: Load,
    grants: Grants,
    dice: Dice,
    began_at: Timestamp,
    latency: Vec<Latency>,
    purge: Purge,
    purged: u64,
    sweeps: Vec<Duration>,
    settled: Option<u64>,
    largest: u64,
    largest_log: u64,
}

/// Runs it in this folder, which must be empty. An error is a broken rule, or a failed machine.
pub async fn run(plan: Plan, folder: &Path) -> Result<Outcome> {
    let context = || format!("seed {}: a rule is broken", plan.seed);
    let mut growth = Growth::begin(plan, folder).await?;
    let goal = u64::from(plan.seconds) * u64::from(plan.rate);
    let mut progress = Progress::new("growth", "tokens", goal);
    let mut issued = 0;
    while issued < goal {
        growth.go_on().await.with_context(context)?;
        issued += u64::from(plan.interval.0) * u64::from(plan.rate);
        progress.reached(issued);
    }
    growth.close().await.with_context(context)
}

impl Growth {
    async fn begin(plan: Plan, folder: &Path) -> Result<Self> {
        let whole = plan.seconds / plan.lifetime.0;
        ensure!(whole >= 3, "{whole} lifetimes are too few: one to begin, one to settle, one more");
        let mut config = Config::default();
        config.tokens.access_token_lifetime = Some(plan.lifetime.into());
        config.purge.interval = plan.interval.into();
        let site = Site::new(&folder.join("measured"), plan.seed, config.clone())?;
        let server = Arc::new(site.start().await?);
        let beside = Site::new(&folder.join("reference"), plan.seed, config)?;
        let mut reference = Load::new(Arc::new(beside.start().await?)).await?;
        reference.issue(plan.lifetime.0, plan.rate, &beside.clock).await?;
        Ok(Self {
            load: Load::new(Arc::clone(&server)).await?,
            reference,
            grants: Grants::new(server, plan.grants).await?,
            dice: Dice::new(plan.seed, 0),
            began_at: site.now(),
            latency: Vec::new(),
            purge: Purge::default(),
            purged: 0,
            sweeps: Vec::new(),
            settled: None,
            largest: 0,
            largest_log: 0,
            plan,
            site,
        })
    }

    /// One interval of tokens, and one sweep beside them.
    async fn go_on(&mut self) -> Result<()> {
        let Plan { interval, rate, lifetime, .. } = self.plan;
        let state = self.load.server.state.clone();
        let mut purge = std::mem::take(&mut self.purge);
        let sweep = tokio::spawn(timed(async move {
            let removed = purge.sweep(&state).await?;
            Ok((purge, removed))
        }));
        self.load.issue(interval.0, rate, &self.site.clock).await?;
        let ((purge, removed), time) = sweep.await??;
        self.purge = purge;
        self.purged += removed;
        self.sweeps.push(time);
        self.grants.live_on(&mut self.dice).await?;
        self.load.forget_expired(lifetime);
        let number = usize::try_from((self.age() - 1) / lifetime.0)?;
        if self.latency.len() <= number {
            self.tell_lifetime()?;
            self.grants.check().await?;
            self.latency.push(Latency::default());
        }
        if let Some(latency) = self.latency.last_mut() {
            latency.look(&mut self.load, &mut self.reference, &mut self.dice).await?;
        }
        self.check_sizes().await
    }

    /// Simulated seconds since the beginning.
    fn age(&self) -> u32 {
        let millis = self.site.now().millis_since(self.began_at);
        u32::try_from(millis / 1_000).unwrap_or(u32::MAX)
    }

    /// Rule 5, and what the longest sweep took.
    fn check_sweeps(&mut self) -> Result<Duration> {
        let longest = self.sweeps.iter().max().copied();
        let mut later = self.sweeps.split_off(self.sweeps.len() / 2);
        later.sort_unstable();
        let median = *later.get(later.len() / 2).context("nothing was swept")?;
        let interval = Duration::from(self.plan.interval);
        ensure!(
            median <= interval,
            "the median sweep took {median:?}, and the next is due after {interval:?}"
        );
        Ok(longest.unwrap_or(median))
    }

    async fn check_sizes(&mut self) -> Result<()> {
        let Plan { lifetime, interval, .. } = self.plan;
        let (_, log) = self.site.file_sizes()?;
        self.largest_log = self.largest_log.max(log);
        ensure!(log <= LOG_MAX, "the log takes {} bytes", grouped(log));
        // The sweep that begins when the first tokens expire removes them beside the next ones.
        if self.settled.is_none() && self.age() >= lifetime.0 + 2 * interval.0 {
            self.restart().await?;
            self.settled = Some(self.site.file_sizes()?.0);
        }
        self.check_growth()
    }

    /// A stop in order, which puts all of the log into the database, so that its size is whole.
    async fn restart(&mut self) -> Result<()> {
        self.load.server.close().await;
        let server = Arc::new(self.site.start().await?);
        self.grants.server = Arc::clone(&server);
        self.load.server = server;
        Ok(())
    }

    fn check_growth(&mut self) -> Result<()> {
        let Some(settled) = self.settled else { return Ok(()) };
        let (database, _) = self.site.file_sizes()?;
        self.largest = self.largest.max(database);
        let allowed = settled + settled * self.plan.growth_max / 100;
        ensure!(
            database <= allowed,
            "after {} s the database takes {} bytes; {} were enough after the first lifetime, and \
             {} % more are allowed",
            self.age(),
            grouped(database),
            grouped(settled),
            self.plan.growth_max
        );
        Ok(())
    }

    fn tell_lifetime(&self) -> Result<()> {
        let Some(latency) = self.latency.last() else { return Ok(()) };
        let (database, log) = self.site.file_sizes()?;
        let Latencies { insert, find } = latency.percentiles()?;
        println!(
            "growth: lifetime {}: database {} KiB, log {} KiB, insert {insert}, find {find}",
            self.latency.len(),
            grouped(database >> 10),
            grouped(log >> 10),
        );
        Ok(())
    }

    async fn close(mut self) -> Result<Outcome> {
        self.tell_lifetime()?;
        let began = Instant::now();
        self.purged += self.purge.sweep(&self.load.server.state).await?;
        println!("growth: the last sweep took {:?}", began.elapsed());
        self.grants.check().await?;
        self.check_rows().await?;
        let [_, first, .., last] = self.latency.as_slice() else {
            bail!("fewer than three lifetimes were measured");
        };
        let (first, last) = (first.percentiles()?, last.percentiles()?);
        check_unchanged(&first, &last, self.plan.latency_tolerance)?;
        self.load.server.close().await;
        self.reference.server.close().await;
        self.check_growth()?;
        let longest_sweep = self.check_sweeps()?;
        Ok(Outcome {
            issued: self.load.count.iter().map(|(_, count)| count).sum(),
            purged: self.purged,
            settled: self.settled.context("it ended before it settled")?,
            largest: self.largest,
            largest_log: self.largest_log,
            longest_sweep,
            first,
            last,
        })
    }

    /// What expired is gone, and nothing else.
    async fn check_rows(&self) -> Result<()> {
        let now = self.site.now();
        let expired = |at: Timestamp| at.plus(self.plan.lifetime) <= now;
        let of = |gone: bool| {
            let issued = self.load.count.iter().filter(move |(at, _)| expired(*at) == gone);
            issued.map(|(_, count)| count).sum::<u64>()
        };
        ensure!(self.purged == of(true), "{} purged, {} expired", self.purged, of(true));
        let store = &self.load.server.state.store;
        let rows = store.count_tokens(TokenFilter::default(), u32::MAX, now).await?;
        let expected = of(false) + self.grants.count();
        ensure!(u64::from(rows) == expected, "{rows} live records, {expected} expected");
        Ok(())
    }
}

impl std::fmt::Display for Percentiles {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { p10, p50, p99, .. } = self;
        let quotient = self.quotient();
        write!(formatter, "p10 {p10:.0?} p50 {p50:.0?} p99 {p99:.0?} ({quotient:.2} of reference)")
    }
}
