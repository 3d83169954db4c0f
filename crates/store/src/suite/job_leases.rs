//! Leases of jobs.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::support::thirty_two;
use crate::{Conditional, Job, JobHolder, JobLease, JobLeaseRequest, Store};

const ADA: JobHolder = JobHolder(7);
const BEN: JobHolder = JobHolder(9_007_199_254_740_991);
/// Longer than a test.
const LONG: Duration = Duration::from_secs(300);
/// A while, so that its end is worth waiting for.
const SHORT: Duration = Duration::from_millis(300);

async fn lease(store: &Arc<dyn Store>, holder: JobHolder, lifetime: Duration) -> Option<JobLease> {
    let request = JobLeaseRequest { job: Job::Purge, holder, lifetime };
    store.lease_job(request).await.unwrap()
}

/// Asks until it is given.
async fn wait_for_lease(store: &Arc<dyn Store>, holder: JobHolder) -> JobLease {
    let began = Instant::now();
    loop {
        if let Some(taken) = lease(store, holder, LONG).await {
            return taken;
        }
        assert!(began.elapsed() < LONG, "a lease does not end");
    }
}

/// And stays so, however often a rival asks.
pub async fn a_job_is_the_first_ones_who_takes_it(store: Arc<dyn Store>) {
    let taken = lease(&store, ADA, LONG).await;
    assert_eq!(taken, Some(JobLease { job: Job::Purge, holder: ADA, number: 1 }));
    for _ in 0..3 {
        assert_eq!(lease(&store, BEN, LONG).await, None);
    }
}

/// The number tells whose time it is; whoever prolongs keeps it.
pub async fn a_holder_prolongs_its_own_lease_under_the_same_number(store: Arc<dyn Store>) {
    loop {
        let asked = Instant::now();
        let taken = lease(&store, ADA, SHORT).await.unwrap();
        let prolonged = lease(&store, ADA, LONG).await.unwrap();
        // On a machine that stood still meanwhile there was nothing left to prolong.
        if asked.elapsed() < SHORT {
            assert_eq!(prolonged, taken);
            break;
        }
        store.return_job(prolonged).await.unwrap();
    }
    // Nor does the rival's wait count from the first time.
    tokio::time::sleep(2 * SHORT).await;
    assert_eq!(lease(&store, BEN, LONG).await, None);
}

/// Not before, and under a higher number.
pub async fn a_rival_is_refused_until_the_lease_has_lapsed(store: Arc<dyn Store>) {
    let asked = Instant::now();
    let first = lease(&store, ADA, SHORT).await.unwrap();
    let second = wait_for_lease(&store, BEN).await;
    assert!(asked.elapsed() >= SHORT, "taken after {:?}", asked.elapsed());
    assert!(second.number > first.number, "{first:?}, {second:?}");
    assert_eq!(lease(&store, ADA, LONG).await, None);
}

/// Somebody else may have had it meanwhile, as far as the holder can tell.
pub async fn whoever_takes_a_lapsed_lease_of_their_own_takes_it_anew(store: Arc<dyn Store>) {
    let first = lease(&store, ADA, SHORT).await.unwrap();
    tokio::time::sleep(2 * SHORT).await;
    let second = lease(&store, ADA, LONG).await.unwrap();
    assert_eq!(second.number, first.number + 1);
}

/// Long before its time.
pub async fn a_job_that_was_given_back_is_anybodys_at_once(store: Arc<dyn Store>) {
    let first = lease(&store, ADA, LONG).await.unwrap();
    assert_eq!(store.return_job(first).await.unwrap(), Conditional::Now);
    assert_eq!(store.return_job(first).await.unwrap(), Conditional::Already);
    let second = lease(&store, BEN, LONG).await.unwrap();
    assert_eq!(second.number, first.number + 1);
}

/// Neither another's nor the next of one's own.
pub async fn only_the_lease_that_one_has_is_given_back(store: Arc<dyn Store>) {
    let first = lease(&store, ADA, LONG).await.unwrap();
    for other in [
        JobLease { holder: BEN, ..first },
        JobLease { number: first.number + 1, ..first },
        JobLease { number: first.number - 1, ..first },
    ] {
        assert_eq!(store.return_job(other).await.unwrap(), Conditional::Already, "{other:?}");
    }
    assert_eq!(lease(&store, BEN, LONG).await, None);
    store.return_job(first).await.unwrap();
    let second = lease(&store, ADA, LONG).await.unwrap();
    assert_eq!(store.return_job(first).await.unwrap(), Conditional::Already);
    assert_eq!(lease(&store, ADA, LONG).await, Some(second));
}

/// When it is nobody's yet, and when it was given back.
pub async fn of_32_who_take_a_job_at_once_one_gets_it(store: Arc<dyn Store>) {
    for number in 1..=3 {
        let taken = thirty_two(|node| {
            let store = Arc::clone(&store);
            async move { lease(&store, JobHolder(node.into()), LONG).await }
        });
        let taken: Vec<_> = taken.await.into_iter().flatten().collect();
        assert_eq!(taken.len(), 1, "{taken:?}");
        assert_eq!(taken[0].number, number);
        assert_eq!(store.return_job(taken[0]).await.unwrap(), Conditional::Now);
    }
}
