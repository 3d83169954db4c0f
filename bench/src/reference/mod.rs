//! The servers that Tokenry is measured against. They do nothing but read a request and give a
//! fixed answer; the durable ones commit one row before each.
//!
//! The same `axum` with the same features, and the same kind of runtime. Beside a database that is
//! a server of its own, the durable one is `pgbench`.

pub(crate) mod pgbench;
mod rows;

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, sync::Arc};

use anyhow::{Context as _, Result};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    response::Response,
    routing::any,
    serve::ListenerExt as _,
};
use clap::{Args, ValueEnum};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

use self::{pgbench::Pgbench, rows::Rows};
use crate::{
    load::supply::Repeated,
    machine::Cores,
    measure::{Figures, Pattern, round},
    process::Process,
};

/// What programs that start a reference wait for.
pub(crate) const READY: &str = "reference on ";

/// The answer that a reference gives.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FixedAnswer {
    /// Where it is given.
    pub(crate) path: String,
    /// Its status.
    pub(crate) status: u16,
    /// Its headers, without those that the HTTP library writes itself.
    pub(crate) headers: BTreeMap<String, String>,
    /// Its body.
    pub(crate) body: String,
}

#[derive(Args)]
pub(crate) struct Arguments {
    /// A file with the answer
    #[arg(long)]
    answer: PathBuf,
    /// Commit a row in this database before each answer
    #[arg(long, requires = "write")]
    database: Option<PathBuf>,
    /// How the row comes to be
    #[arg(long)]
    write: Option<Write>,
}

/// What a durable reference does to its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Write {
    /// One new row for each answer
    Insert,
    /// One of a few rows changed in place for each answer
    Update,
}

impl Write {
    /// As the command line has it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
        }
    }
}

/// A durable reference, ready for its turns.
pub(crate) enum Durable {
    /// A server that commits to a file.
    Server(Process),
    /// The database's own tool.
    Pgbench(Pgbench),
}

impl Durable {
    /// One round.
    pub(crate) fn round(
        &self,
        cores: Cores,
        supply: &mut Repeated,
        connections: usize,
        pattern: &Pattern,
    ) -> Result<Figures> {
        match self {
            Self::Server(process) => round(cores, process, supply, connections, pattern),
            Self::Pgbench(pgbench) => pgbench.round(connections, pattern),
        }
    }
}

struct Reference {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    rows: Option<Rows>,
}

/// Serves until it is killed.
pub(crate) fn serve(arguments: &Arguments) -> Result<()> {
    let answer: FixedAnswer = serde_json::from_slice(&std::fs::read(&arguments.answer)?)?;
    let rows = match (&arguments.database, arguments.write) {
        (Some(path), Some(write)) => Some(Rows::open(path, write)?),
        _ => None,
    };
    let mut headers = HeaderMap::new();
    for (name, value) in &answer.headers {
        headers.append(name.parse::<HeaderName>()?, value.parse::<HeaderValue>()?);
    }
    let path = answer.path;
    let reference = Reference {
        status: StatusCode::from_u16(answer.status)?,
        headers,
        body: answer.body.into(),
        rows,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = tokio::net::TcpListener::bind(any_port).await?;
        let address = listener.local_addr()?;
        let app = Router::new().route(&path, any(give)).with_state(Arc::new(reference));
        let listener = listener.tap_io(|stream| {
            // A connection that cannot be set works all the same, only later.
            let _ = stream.set_nodelay(true);
        });
        announce(address)?;
        axum::serve(listener, app).await.context("the reference ended")
    })
}

fn announce(address: SocketAddr) -> Result<()> {
    use std::io::Write as _;
    println!("{READY}{address}");
    Ok(std::io::stdout().flush()?)
}

async fn give(State(reference): State<Arc<Reference>>, _read: Bytes) -> Response {
    let mut response = Response::new(Body::from(reference.body.clone()));
    response.headers_mut().clone_from(&reference.headers);
    *response.status_mut() = reference.status;
    if let Some(rows) = &reference.rows
        && rows.commit().await.is_err()
    {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    response
}
