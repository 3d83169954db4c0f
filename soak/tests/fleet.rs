//! The fleet, for a moment. `cargo xtask soak` runs a million refreshes.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what does not hold must stop the test")]

use tokenry_server::config::Consistency;
use tokenry_soak::fleet::{Cluster, Plan, run};
use tokenry_store::postgres::PostgresAddress;

async fn holds(plan: Plan) {
    let folder = tempfile::tempdir().unwrap();
    println!("seed {}", plan.seed);
    let again = match &plan.cluster {
        Some(cluster) => {
            let consistency = format!("{:?}", cluster.consistency).to_lowercase();
            format!("--nodes {} --consistency {consistency}", cluster.nodes)
        }
        None => String::new(),
    };
    let again = format!("--seed {} --clients {} {again}", plan.seed, plan.clients);
    let outcome = match run(plan, folder.path()).await {
        Ok(outcome) => outcome,
        Err(error) => panic!("{error:#}\nto see it again: cargo xtask soak --only fleet {again}"),
    };
    for (count, what) in outcome.tally.lines() {
        println!("{count:>8} {what}");
    }
    println!("{outcome:?}");
    // Nothing of this would be shown if it had not happened.
    assert!(outcome.tally.replays() > 0);
    assert!(outcome.crashes > 0 && outcome.stops > 0 && outcome.nights > 0);
}

fn three_nodes(consistency: Consistency) -> Plan {
    let store = PostgresAddress::parse(&tokenry_postgres_testing::schema()).unwrap();
    let cluster = Some(Cluster { nodes: 3, store, consistency });
    Plan { refreshes: 1_500, clients: 60, seed: 2, cluster }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_honest_client_is_ever_logged_out_and_every_replay_is_caught() {
    holds(Plan { refreshes: 4_000, clients: 200, seed: 2, cluster: None }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nor_is_one_whose_calls_go_to_three_nodes() {
    holds(three_nodes(Consistency::Bounded)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nor_is_one_whose_calls_go_to_three_nodes_that_ask_the_database_each_time() {
    holds(three_nodes(Consistency::Strict)).await;
}
