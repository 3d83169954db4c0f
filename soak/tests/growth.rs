//! A few lifetimes of tokens. `cargo xtask soak` runs a day at 1,000 a second.

use tokenry_protocol::time::Seconds;
use tokenry_soak::growth::{Plan, run};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_file_does_not_grow_while_tokens_come_and_expire() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan {
        seconds: 720,
        rate: 80,
        lifetime: Seconds(240),
        interval: Seconds(4),
        grants: 40,
        // 500 pages: each that an event or one more interval's tokens need is seen, and of three
        // blocks of listings up to one and a half wait to be cleared. A leak would add 100 each
        // lifetime.
        growth_max: 25,
        // A busy machine is measured here: only an insert or a find that grows with time is found.
        latency_tolerance: 3.0,
        seed: 1,
    };
    match run(plan, folder.path()).await {
        Ok(outcome) => println!("{outcome:#?}"),
        Err(error) => panic!("{error:#}"),
    }
}
