//! Leases of jobs between nodes, by the clock of the database.

use std::time::Duration;

use tokenry_store::{JOB_LEASE_LIFETIME_MAX, Job, JobHolder, JobLeaseRequest, Store};

use crate::support::{execute, open};

const LONG: Duration = Duration::from_secs(300);

fn request(holder: u64) -> JobLeaseRequest {
    JobLeaseRequest { job: Job::Purge, holder: JobHolder(holder), lifetime: LONG }
}

/// Both start with nothing in memory: what there is, is in the database.
#[tokio::test]
async fn what_one_node_has_taken_every_other_is_refused() {
    let url = tokenry_postgres_testing::schema();
    let (first, second) = (open(&url).await, open(&url).await);
    let taken = first.lease_job(request(1)).await.unwrap().unwrap();
    assert_eq!(second.lease_job(request(2)).await.unwrap(), None);
    first.close().await;
    drop(first);
    assert_eq!(second.lease_job(request(2)).await.unwrap(), None);
    // Who holds it is told by its number, whatever connection it comes by.
    second.return_job(taken).await.unwrap();
    assert!(second.lease_job(request(2)).await.unwrap().is_some());
}

/// Or a job would be nobody's for as long as the clock was wrong.
#[tokio::test]
async fn a_lease_from_before_the_clock_was_set_back_keeps_nobody_from_the_job() {
    let server = tokenry_postgres_testing::shared();
    let url = server.schema();
    let store = open(&url).await;
    let longest = JobLeaseRequest { lifetime: JOB_LEASE_LIFETIME_MAX, ..request(1) };
    let first = store.lease_job(longest).await.unwrap().unwrap();
    assert_eq!(store.lease_job(request(2)).await.unwrap(), None);
    let later = "UPDATE job_leases SET lapses_at = lapses_at + interval '1 minute'";
    execute(server, &url, later);
    let second = store.lease_job(request(2)).await.unwrap().unwrap();
    assert!(second.number > first.number);
    assert_eq!(store.lease_job(request(1)).await.unwrap(), None);
}
