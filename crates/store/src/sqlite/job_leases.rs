//! Leases of jobs: who does what one node does for all.
//!
//! One process serves this database, which a lock on its folder sees to, and only who serves does
//! jobs. So leases are in its memory, by the clock that nobody can set, and end with it: the next
//! process need not wait, and nothing is written for them.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{Conditional, Job, JobHolder, JobLease, JobLeaseRequest};

/// Every job that was ever taken.
#[derive(Default)]
pub(super) struct JobLeases(Mutex<HashMap<Job, Taken>>);

struct Taken {
    /// `None` once it was given back.
    holder: Option<JobHolder>,
    number: u64,
    began: Instant,
    lifetime: Duration,
}

impl JobLeases {
    /// Takes a job that is nobody's, or prolongs it.
    pub(super) fn take(&self, request: JobLeaseRequest) -> Option<JobLease> {
        let JobLeaseRequest { job, holder, lifetime } = request;
        let mut jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let began = Instant::now();
        let last = jobs.get(&job);
        let runs = last.filter(|last| began.duration_since(last.began) < last.lifetime);
        let number = match runs.and_then(|last| Some((last.holder?, last.number))) {
            Some((other, _)) if other != holder => return None,
            Some((_, number)) => number,
            None => last.map_or(1, |last| last.number + 1),
        };
        jobs.insert(job, Taken { holder: Some(holder), number, began, lifetime });
        Some(JobLease { job, holder, number })
    }

    /// Gives a job back.
    pub(super) fn give_back(&self, lease: JobLease) -> Conditional {
        let mut jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it =
            |taken: &&mut Taken| taken.holder == Some(lease.holder) && taken.number == lease.number;
        match jobs.get_mut(&lease.job).filter(is_it) {
            Some(taken) => {
                taken.holder = None;
                Conditional::Now
            }
            None => Conditional::Already,
        }
    }
}
