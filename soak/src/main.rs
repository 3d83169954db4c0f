//! `cargo xtask soak`: the long simulations, with a summary at the end.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context as _, Result};
use clap::{Parser, ValueEnum};
use tokenry_core::Entropy as _;
use tokenry_protocol::time::Seconds;
use tokenry_server::{config::Consistency, environment::SystemEntropy};
use tokenry_soak::{
    fleet, growth,
    progress::{grouped, span},
};
use tokenry_store::postgres::PostgresAddress;

/// How much more than after the first lifetime the database may take, in percent.
const GROWTH_MAX: u64 = 5;
/// How many times longer a fast insert or find may take in the last lifetime.
const LATENCY_TOLERANCE: f64 = 1.25;

const EXAMPLES: &str = "\
Examples:
  cargo xtask soak                                    both, at full length: hours
  cargo xtask soak --only fleet                       1,000,000 refreshes: some minutes
  cargo xtask soak --only fleet --refreshes 50000 --seed 7
  cargo xtask soak --only fleet --nodes 3             on three nodes and one PostgreSQL
  cargo xtask soak --only fleet --nodes 3 --consistency strict
  cargo xtask soak --only growth --hours 2            two simulated hours

It ends with 0 if every rule held, and names the rule and the seed if not.";

/// Simulates a fleet of clients, and a day of tokens, against the real server in this process.
#[derive(Parser)]
#[command(name = "cargo xtask soak", version, about, after_help = EXAMPLES)]
struct Arguments {
    /// Run one of the two
    #[arg(long, value_enum, value_name = "WHICH")]
    only: Option<Which>,
    /// What decides everything that happens; drawn and printed if it is not given
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// A folder for the databases, on the disk that is to be tested; it is emptied at the end
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Fleet: refreshes to be done
    #[arg(long, value_name = "COUNT", default_value_t = 1_000_000)]
    refreshes: u64,
    /// Fleet: clients at the same time
    #[arg(long, value_name = "COUNT", default_value_t = 2_000)]
    clients: u64,
    /// Fleet: servers; several are nodes on one PostgreSQL, which is started for them
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = 1,
        value_parser = clap::value_parser!(u8).range(1..=16),
    )]
    nodes: u8,
    /// Fleet: a PostgreSQL with an empty schema, instead of one that is started
    #[arg(long, value_name = "ADDRESS")]
    store: Option<String>,
    /// Fleet: whether nodes rely on memory or ask the database each time
    #[arg(long, value_enum, value_name = "HOW", default_value = "bounded")]
    consistency: Consistent,
    /// Growth: simulated hours, 2 at least
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = 24,
        value_parser = clap::value_parser!(u32).range(2..),
    )]
    hours: u32,
    /// Growth: tokens a second
    #[arg(long, value_name = "COUNT", default_value_t = 1_000)]
    rate: u32,
    /// Growth: how long a token lives, in seconds
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 1_800,
        value_parser = clap::value_parser!(u32).range(300..=2_400),
    )]
    lifetime: u32,
    /// Growth: how often the purge looks, in simulated seconds; more is faster to simulate
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    interval: u32,
    /// Growth: grants that live on among them
    #[arg(long, value_name = "COUNT", default_value_t = 1_000)]
    grants: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Consistent {
    /// On memory, with news of the other nodes
    Bounded,
    /// On the database
    Strict,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    /// No honest client is ever logged out
    Fleet,
    /// The file does not grow, and no live grant is purged
    Growth,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 4)]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<()> {
    let mut drawn = [0; 8];
    SystemEntropy::default().fill(&mut drawn);
    let seed = arguments.seed.unwrap_or(u64::from_be_bytes(drawn));
    println!("seed {seed}");
    if arguments.only.is_none_or(|only| only == Which::Fleet) {
        run_fleet(arguments, seed).await?;
    }
    if arguments.only.is_none_or(|only| only == Which::Growth) {
        run_growth(arguments, seed).await?;
    }
    Ok(())
}

fn folder(arguments: &Arguments) -> Result<tempfile::TempDir> {
    let made = match &arguments.data {
        Some(parent) => tempfile::tempdir_in(parent),
        None => tempfile::tempdir(),
    };
    made.context("no folder for the database")
}

/// One server has a database of its own, unless an address is given.
fn cluster(arguments: &Arguments) -> Result<Option<fleet::Cluster>> {
    let nodes = usize::from(arguments.nodes);
    let store = match &arguments.store {
        Some(address) => address.clone(),
        None if nodes > 1 => tokenry_postgres_testing::schema(),
        None => return Ok(None),
    };
    let consistency = match arguments.consistency {
        Consistent::Bounded => Consistency::Bounded,
        Consistent::Strict => Consistency::Strict,
    };
    let store = PostgresAddress::parse(&store).context("--store")?;
    Ok(Some(fleet::Cluster { nodes, store, consistency }))
}

async fn run_fleet(arguments: &Arguments, seed: u64) -> Result<()> {
    let folder = folder(arguments)?;
    let began = std::time::Instant::now();
    let Arguments { refreshes, clients, .. } = *arguments;
    let plan = fleet::Plan { refreshes, clients, seed, cluster: cluster(arguments)? };
    let outcome = fleet::run(plan, folder.path()).await?;
    println!("\nfleet: every rule held");
    for (count, what) in outcome.tally.lines() {
        println!("{:>13}  {what}", grouped(count));
    }
    let fleet::Outcome { ticks, stops, crashes, nights, audit, .. } = outcome;
    let rows = [
        (outcome.tally.replays(), "true replays in all, of which 0 were missed"),
        (0, "forced sign-ins of honest clients"),
        (ticks, "ticks of the clock"),
        (nights, "days that everybody slept through"),
        (stops, "stops of the server in order"),
        (crashes, "crashes of the server"),
        (audit.alive, "live grants that the oracle and the database agree on"),
        (audit.ended, "ended grants and their events that they agree on"),
    ];
    for (count, what) in rows {
        println!("{:>13}  {what}", grouped(count));
    }
    println!("fleet: {}", span(began.elapsed()));
    Ok(())
}

async fn run_growth(arguments: &Arguments, seed: u64) -> Result<()> {
    let folder = folder(arguments)?;
    let began = std::time::Instant::now();
    let Arguments { hours, rate, lifetime, interval, grants, .. } = *arguments;
    let plan = growth::Plan {
        seconds: hours * 3_600,
        rate,
        lifetime: Seconds(lifetime),
        interval: Seconds(interval),
        grants,
        growth_max: GROWTH_MAX,
        latency_tolerance: LATENCY_TOLERANCE,
        seed,
    };
    let outcome = growth::run(plan, folder.path()).await?;
    println!("\ngrowth: every rule held");
    let growth::Outcome { issued, purged, settled, largest, largest_log, .. } = outcome;
    let rate = u128::from(issued) * 1_000 / began.elapsed().as_millis().max(1);
    let rows = [
        (issued, "tokens issued"),
        (u64::try_from(rate)?, "tokens a second of real time, purge included"),
        (purged, "tokens purged: all that expired, and no other"),
        (u64::from(grants), "grants that lived on among them, none of them touched"),
        (settled, "bytes of the database after the first lifetime"),
        (largest, "bytes at most from then on"),
        (largest_log, "bytes of its log at most"),
    ];
    for (count, what) in rows {
        println!("{:>13}  {what}", grouped(count));
    }
    println!("longest sweep: {:.1?} of {interval} s", outcome.longest_sweep);
    for (name, latencies) in [("first full", outcome.first), ("last", outcome.last)] {
        println!("{name} lifetime: insert {}", latencies.insert);
        println!("{name} lifetime: find   {}", latencies.find);
    }
    println!("growth: {}", span(began.elapsed()));
    Ok(())
}
