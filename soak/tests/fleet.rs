//! The fleet, for a moment. `cargo xtask soak` runs a million refreshes.

use tokenry_soak::fleet::{Plan, run};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_honest_client_is_ever_logged_out_and_every_replay_is_caught() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan { refreshes: 4_000, clients: 200, seed: 2 };
    println!("seed {}", plan.seed);
    let outcome = match run(plan, folder.path()).await {
        Ok(outcome) => outcome,
        Err(error) => panic!(
            "{error:#}\nto see it again: cargo xtask soak --only fleet --seed 2 --clients 200"
        ),
    };
    for (count, what) in outcome.tally.lines() {
        println!("{count:>8} {what}");
    }
    println!("{outcome:?}");
    // Nothing of this would be shown if it had not happened.
    assert!(outcome.tally.replays() > 0);
    assert!(outcome.crashes > 0 && outcome.stops > 0 && outcome.nights > 0);
}
