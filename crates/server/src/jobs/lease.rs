//! Jobs that one node does for all: a node that holds the job's lease does it, the others wait.
//!
//! 1. A node takes the lease, for `cluster.job_lease_lifetime`, and does the job.
//! 2. It prolongs the lease at a third of its life. How long it may rely on it is counted by its
//!    own monotonic clock, from before the call that was answered; when the lease lapses is judged
//!    by the clock of the database. So the holder gives up before anybody else can take over, and
//!    no two clocks are compared.
//! 3. When it may no longer rely on it, because another has the job or the database is away or the
//!    process was stopped for a while, the job ends between two of its steps ([`Leave`]).
//! 4. The others look once a second, or a tenth of that life apart if that is less. A node that
//!    dies loses the job with its lease; one that stops in order gives it back.
//!
//! A step that is under way is not broken off, and a process can be stopped between looking at its
//! lease and the step: for a moment two nodes may do one job. So nothing may be such a job unless
//! its steps do no harm when they are done twice, and at once.

use std::{pin::pin, sync::Arc, time::Duration};

use tokenry_core::Entropy;
use tokenry_store::{Job, JobHolder, JobLease, JobLeaseRequest, Store};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use crate::{stop_signal::StopSignal, telemetry::log_store_error};

/// Prolonged so many times within its life.
const PROLONGED: u32 = 3;
/// Looked at so many times within its life by those who wait for it, and this often at least.
const LOOKED_AT: u32 = 10;
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What a node needs for taking leases.
#[derive(Clone)]
pub(super) struct Leases {
    store: Arc<dyn Store>,
    holder: JobHolder,
    lifetime: Duration,
}

/// A lease, and until when this node may rely on it.
#[derive(Debug, Clone, Copy)]
struct Held {
    lease: JobLease,
    until: Instant,
}

/// For as long as a job has leave to go on. It asks between its steps.
#[derive(Clone)]
pub(super) struct Leave {
    stop: StopSignal,
    until: watch::Receiver<Instant>,
}

impl Leave {
    /// Whether the next step may be done.
    pub(super) fn holds(&self) -> bool {
        self.holds_at(Instant::now())
    }

    /// What ends by itself at that time, and is never prolonged.
    #[cfg(test)]
    pub(super) fn until(until: Instant, stop: StopSignal) -> Self {
        Self { stop, until: watch::channel(until).1 }
    }

    fn holds_at(&self, now: Instant) -> bool {
        !self.stop.is_given() && now < *self.until.borrow()
    }

    /// Waits for `period`; `false` when the leave ended first.
    pub(super) async fn sleep(&mut self, period: Duration) -> bool {
        self.stop.sleep(period).await && self.holds()
    }
}

impl Leases {
    /// For one start of this process: the holder of its leases is nobody that was before.
    pub(super) fn new(store: Arc<dyn Store>, entropy: &dyn Entropy, lifetime: Duration) -> Self {
        let mut drawn = [0; 8];
        entropy.fill(&mut drawn);
        // A database's whole number, which has a sign.
        let holder = JobHolder(u64::from_le_bytes(drawn) >> 1);
        Self { store, holder, lifetime }
    }

    /// Does `work` whenever this node holds the lease of `job`, until the server stops.
    pub(super) async fn while_held<W: Future<Output = ()>>(
        self,
        job: Job,
        mut stop: StopSignal,
        work: impl Fn(Leave) -> W,
    ) {
        tell(job, Holding::Not);
        while let Some(held) = self.wait_for(job, &mut stop).await {
            tell(job, Holding::Held);
            tracing::info!(job = name(job), number = held.lease.number, "this node has the job");
            let (is_over, over) = StopSignal::new();
            let (prolonged, until) = watch::channel(held.until);
            let mut working = pin!(work(Leave { stop: over, until }));
            let end = tokio::select! {
                end = self.keep(held, &prolonged, &mut stop) => {
                    let _ = is_over.send(true);
                    // Its step is under way: that is not broken off.
                    working.await;
                    end
                }
                // It looked at the time first.
                () = &mut working => End::Lost,
            };
            tell(job, Holding::Not);
            match end {
                End::Stopped => return self.give_back(held.lease).await,
                End::Lost => tracing::warn!(
                    job = name(job),
                    "this node cannot be sure that the job is its own any more, and leaves it"
                ),
            }
        }
    }

    /// Looks until it is this node's; `None` when the server stops first.
    async fn wait_for(&self, job: Job, stop: &mut StopSignal) -> Option<Held> {
        let mut is_told = false;
        loop {
            tokio::select! {
                () = stop.given() => return None,
                taken = self.take(job) => match taken {
                    Ok(Some(held)) => return Some(held),
                    Ok(None) => is_told = false,
                    // Once for each time that the store is away.
                    Err(error) if !is_told => {
                        log_store_error(&error);
                        is_told = true;
                    }
                    Err(_) => {}
                },
            }
            if !stop.sleep((self.lifetime / LOOKED_AT).min(LOOK_AGAIN)).await {
                return None;
            }
        }
    }

    /// Prolongs it until it is lost or the server stops.
    async fn keep(
        &self,
        mut held: Held,
        prolonged: &watch::Sender<Instant>,
        stop: &mut StopSignal,
    ) -> End {
        let pause = self.lifetime / PROLONGED;
        loop {
            if !stop.sleep(pause).await {
                return End::Stopped;
            }
            // An answer that comes when the lease is over helps nobody.
            let answer = tokio::select! {
                biased;
                () = stop.given() => return End::Stopped,
                () = sleep_until(held.until) => return End::Lost,
                answer = self.take(held.lease.job) => answer,
            };
            match answer {
                Ok(Some(again)) if again.lease == held.lease => {
                    held = again;
                    let _ = prolonged.send(held.until);
                }
                Ok(_) => return End::Lost,
                // There is time for another attempt, or there is not: the clock tells.
                Err(error) => log_store_error(&error),
            }
        }
    }

    /// Takes it or prolongs it.
    async fn take(&self, job: Job) -> tokenry_store::Result<Option<Held>> {
        let Self { store, holder, lifetime } = self;
        let request = JobLeaseRequest { job, holder: *holder, lifetime: *lifetime };
        let until = Instant::now() + *lifetime;
        let taken = store.lease_job(request).await?;
        Ok(taken.map(|lease| Held { lease, until }))
    }

    async fn give_back(&self, lease: JobLease) {
        match self.store.return_job(lease).await {
            Ok(_) => tracing::info!(job = name(lease.job), "this node has given the job back"),
            // It lapses by itself.
            Err(error) => log_store_error(&error),
        }
    }
}

/// Why a node no longer has a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The server stops, and it can be given back.
    Stopped,
    /// It is another's, or may be.
    Lost,
}

#[derive(Clone, Copy)]
enum Holding {
    Held,
    Not,
}

fn tell(job: Job, holding: Holding) {
    let held = match holding {
        Holding::Held => 1.0,
        Holding::Not => 0.0,
    };
    metrics::gauge!("tokenry_job_lease_held", "job" => name(job)).set(held);
}

/// As logs and metrics call it.
const fn name(job: Job) -> &'static str {
    match job {
        Job::Purge => "purge",
    }
}

#[cfg(test)]
mod tests;
