//! From the start of the process to its first answers.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use serde::Serialize;

use crate::{
    client::{self, Body, Client},
    database::Folder,
    measure::median,
    process::Programs,
};

/// How often a start is timed.
const STARTS: u32 = 5;
/// Between two attempts to connect.
const PATIENCE: Duration = Duration::from_micros(50);
/// No start takes so long.
const LIMIT: Duration = Duration::from_secs(60);

/// Milliseconds from `exec` on: medians of five starts.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Starts {
    /// Tokens in the table.
    pub(crate) tokens: u64,
    /// To the first answer of all, in a folder that is not there yet, or a database without
    /// tables.
    pub(crate) first_to_answer: f64,
    /// To the first answer.
    pub(crate) to_answer: f64,
    /// To the first token issued.
    pub(crate) to_token: f64,
}

/// Times starts on a table whose server has just been stopped, and on a `new` one.
pub(crate) fn measure(
    programs: &Programs,
    (folder, new): (&Folder, &Folder),
    (tokens, token_request): (u64, &[u8]),
) -> Result<Starts> {
    let alive = client::request("GET", "/healthz", &[], Body::Empty);
    let first = times(|| {
        new.renew()?;
        timed(programs, new, &alive)
    })?;
    new.remove()?;
    let to_answer = times(|| timed(programs, folder, &alive))?;
    let to_token = times(|| timed(programs, folder, token_request))?;
    Ok(Starts { tokens, first_to_answer: first, to_answer, to_token })
}

fn times(mut start: impl FnMut() -> Result<Duration>) -> Result<f64> {
    let mut millis = Vec::new();
    for _ in 0..STARTS {
        millis.push(start()?.as_secs_f64() * 1e3);
    }
    Ok(median(millis))
}

/// One start, until this request is answered 200.
fn timed(programs: &Programs, folder: &Folder, request: &[u8]) -> Result<Duration> {
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let begin = Instant::now();
    let process = programs.spawn(folder, address)?;
    let answer = programs.cores.on_core_of_load(|| ask(address, request, begin))??;
    let time = begin.elapsed();
    if answer != 200 {
        bail!("the first answer of a server has status {answer}");
    }
    process.stop()?;
    Ok(time)
}

fn ask(address: SocketAddr, request: &[u8], begin: Instant) -> Result<u16> {
    loop {
        if let Ok(stream) = TcpStream::connect(address) {
            return Ok(Client::on(stream)?.exchange(request)?.status);
        }
        if begin.elapsed() > LIMIT {
            bail!("the server did not start within {LIMIT:?}");
        }
        std::thread::sleep(PATIENCE);
    }
}
