//! Leases of jobs: who does what one node does for all.
//!
//! A lease lapses by the clock of the database. A statement that had to wait for the row goes by
//! the time at which it began, so it takes later and holds shorter than it might.

use std::{sync::Arc, time::Duration};

use super::{
    calls::{Call, Repeat},
    pool::Pool,
    rows,
    values::values,
};
use crate::{
    Conditional, JOB_LEASE_LIFETIME_MAX, JobLease, JobLeaseRequest, Result,
    columns::ReadColumns as _, words,
};

/// Takes a job that is nobody's, or prolongs it.
///
/// What lapses later than any lease may was written before the clock was set back, and would
/// otherwise keep the job from everybody for as long as that.
pub(super) async fn take(pool: &Arc<Pool>, request: JobLeaseRequest) -> Result<Option<JobLease>> {
    let taken = "INSERT INTO job_leases AS lease (job, holder, number, lapses_at) \
        VALUES ($1, $2, 1, now() + $3::bigint * interval '1 millisecond') \
        ON CONFLICT (job) DO UPDATE SET holder = excluded.holder, lapses_at = excluded.lapses_at, \
        number = CASE WHEN lease.holder = excluded.holder AND lease.lapses_at > now() \
        THEN lease.number ELSE lease.number + 1 END \
        WHERE lease.holder IS NULL OR lease.holder = excluded.holder \
        OR lease.lapses_at <= now() \
        OR lease.lapses_at > now() + $4::bigint * interval '1 millisecond' \
        RETURNING number";
    let JobLeaseRequest { job, holder, lifetime } = request;
    let values =
        values![words::job(job), holder.0, millis(lifetime), millis(JOB_LEASE_LIFETIME_MAX)];
    // Whoever took it and did not hear of it prolongs it.
    let found = pool.run(Call::new(Repeat::Harmless, taken, values)).await?;
    rows::first(&found, |columns| Ok(JobLease { job, holder, number: columns.number()? }))
}

/// Gives a job back.
pub(super) async fn give_back(pool: &Arc<Pool>, lease: JobLease) -> Result<Conditional> {
    let given = "WITH given AS (UPDATE job_leases SET holder = NULL, lapses_at = now() \
        WHERE job = $1 AND holder = $2 AND number = $3 RETURNING job) \
        SELECT count(*) FROM given";
    let JobLease { job, holder, number } = lease;
    let values = values![words::job(job), holder.0, number];
    rows::written(&pool.run(Call::new(Repeat::Harmless, given, values)).await?)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
