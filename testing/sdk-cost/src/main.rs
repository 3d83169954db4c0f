//! What the client library costs: requests a second and allocations a request, against bare
//! `reqwest` and `serde_json` that ask the same server for the same record.
//!
//! Both are measured in turns within one run, so that what else the machine does hits both.
//! `docs/sdk/cost.md` has what came of it.

mod allocations;
mod server;

use std::{future::Future, sync::Arc, time::Instant};

use anyhow::{Context as _, Result, ensure};
use clap::{Parser, Subcommand};
use tokenry_client::{Client, Credentials, models::OAuthTokenResponse};

use crate::server::Server;

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

const EXAMPLES: &str = "\
Examples:
  cargo run --release -p tokenry-sdk-cost
  cargo run --release -p tokenry-sdk-cost -- --requests 1000 --rounds 3";

/// Measures the client library against bare reqwest
#[derive(Parser)]
#[command(after_help = EXAMPLES)]
struct Arguments {
    /// Requests of each measurement
    #[arg(long, default_value_t = 8_000, value_parser = clap::value_parser!(u64).range(16..))]
    requests: u64,
    /// Measurements of each way, in turns; the median is told
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u64).range(1..))]
    rounds: u64,
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Subcommand)]
enum Part {
    /// Be the server that is asked
    #[command(hide = true)]
    Serve,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    match arguments.part {
        Some(Part::Serve) => server::serve().await,
        None => measure(arguments.requests, arguments.rounds).await,
    }
}

/// Who asks, and for what.
struct Asker {
    bare: reqwest::Client,
    client: Client,
    bearer: String,
    current: String,
    show: String,
    id: u64,
}

async fn measure(requests: u64, rounds: u64) -> Result<()> {
    let server = Server::start()?;
    let bare = http()?.build()?;
    let client = Client::builder().server(&server.base).http(http()?);
    let client = client.credentials(Credentials::bearer(&*server.bearer)).build()?;
    let asker = Arc::new(Asker {
        bare,
        client,
        bearer: format!("Bearer {}", server.bearer),
        current: format!("{}/api/v2/oauth/tokens/current", server.base),
        show: format!("{}/api/v2/oauth/tokens/{}", server.base, server.id),
        id: server.id,
    });
    println!("| asked for | tasks | way | requests/s | allocations a request | bytes a request |");
    println!("|---|--:|---|--:|--:|--:|");
    for tasks in [1, 16] {
        let (bare, ours): (Way, Way) = (by_bare_current, by_client_current);
        compare("`current()`", &asker, (tasks, requests, rounds), (bare, ours)).await?;
        let (bare, ours): (Way, Way) = (by_bare_show, by_client_show);
        compare("`show(id)`", &asker, (tasks, requests, rounds), (bare, ours)).await?;
    }
    Ok(())
}

/// The same `reqwest` for both ways.
fn http() -> Result<reqwest::ClientBuilder> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let redirects = reqwest::redirect::Policy::none();
    Ok(reqwest::Client::builder().tls_backend_preconfigured(tls).redirect(redirects))
}

type Asking = std::pin::Pin<Box<dyn Future<Output = Result<OAuthTokenResponse>> + Send>>;
type Way = fn(Arc<Asker>) -> Asking;

async fn bare_get(asker: &Asker, address: &str) -> Result<OAuthTokenResponse> {
    let request = asker.bare.get(address).header("authorization", &asker.bearer);
    let answer = request.send().await?.error_for_status()?.bytes().await?;
    Ok(serde_json::from_slice(&answer)?)
}

fn by_bare_current(asker: Arc<Asker>) -> Asking {
    Box::pin(async move { bare_get(&asker, &asker.current).await })
}

fn by_bare_show(asker: Arc<Asker>) -> Asking {
    Box::pin(async move { bare_get(&asker, &asker.show).await })
}

fn by_client_current(asker: Arc<Asker>) -> Asking {
    Box::pin(async move { Ok(asker.client.oauth_tokens().current().send().await?) })
}

fn by_client_show(asker: Arc<Asker>) -> Asking {
    Box::pin(async move { Ok(asker.client.oauth_tokens().show(asker.id).send().await?) })
}

/// What one measurement came to, a request.
struct Cost {
    per_second: f64,
    allocations: f64,
    bytes: f64,
}

async fn compare(
    what: &str,
    asker: &Arc<Asker>,
    (tasks, requests, rounds): (u64, u64, u64),
    (bare, ours): (Way, Way),
) -> Result<()> {
    let (mut of_bare, mut of_ours) = (Vec::new(), Vec::new());
    // The first of each opens connections and is not counted.
    for way in [bare, ours] {
        run(asker, tasks, requests / 8, way).await?;
    }
    for _ in 0..rounds {
        of_bare.push(run(asker, tasks, requests, bare).await?);
        of_ours.push(run(asker, tasks, requests, ours).await?);
    }
    for (way, costs) in [("bare reqwest", of_bare), ("tokenry-client", of_ours)] {
        let per_second = median(&costs, |cost| cost.per_second)?;
        let allocations = median(&costs, |cost| cost.allocations)?;
        let bytes = median(&costs, |cost| cost.bytes)?;
        println!("| {what} | {tasks} | {way} | {per_second:.0} | {allocations:.1} | {bytes:.0} |");
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "it measures time")]
async fn run(asker: &Arc<Asker>, tasks: u64, requests: u64, way: Way) -> Result<Cost> {
    let (count, bytes) = allocations::so_far();
    let began = Instant::now();
    let workers: Vec<_> = (0..tasks)
        .map(|_| {
            let asker = Arc::clone(asker);
            tokio::spawn(async move {
                for _ in 0..requests / tasks {
                    let answer = way(Arc::clone(&asker)).await?;
                    let id = answer.token.and_then(|token| token.id);
                    ensure!(id.is_some_and(|id| id.get() == asker.id), "another record came");
                }
                Ok(())
            })
        })
        .collect();
    for worker in workers {
        worker.await??;
    }
    let seconds = began.elapsed().as_secs_f64();
    let (count_after, bytes_after) = allocations::so_far();
    let done = (requests / tasks * tasks) as f64;
    Ok(Cost {
        per_second: done / seconds,
        allocations: (count_after - count) as f64 / done,
        bytes: (bytes_after - bytes) as f64 / done,
    })
}

fn median(costs: &[Cost], of: fn(&Cost) -> f64) -> Result<f64> {
    let mut values: Vec<f64> = costs.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().context("nothing was measured")
}
