//! Memory that the server holds, and bytes that a token takes on disk.

use std::{fs, time::Duration};

use anyhow::Result;
use serde::Serialize;

use crate::{process::Programs, subject::Subject};

/// Tokens that are issued at a time.
const PART: u64 = 100_000;
/// After this the first jobs have run.
const REST: Duration = Duration::from_secs(2);

/// What the server takes.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Footprint {
    /// Tokens in the table at first.
    pub(crate) tokens: u64,
    /// Bytes of memory after a start.
    pub(crate) idle: u64,
    /// Tokens that were then issued.
    pub(crate) issued: u64,
    /// Bytes of memory after that.
    pub(crate) after: u64,
    /// Bytes on disk for each of them.
    pub(crate) bytes_a_token: f64,
    /// Bytes on disk for each token of the whole table at first.
    pub(crate) bytes_a_kept_token: f64,
    /// Bytes of the binary.
    pub(crate) binary: u64,
}

/// Measures a server that has just been started, and ends it.
#[expect(clippy::cast_precision_loss, reason = "sizes of a few gigabytes")]
pub(crate) fn measure(
    programs: &Programs,
    subject: Subject,
    (tokens, issued): (u64, u64),
) -> Result<Footprint> {
    let data = subject.data.clone();
    let at_first = data.size()?;
    std::thread::sleep(REST);
    let idle = subject.process.resident()?;
    let mut left = issued;
    while left > 0 {
        let part = left.min(PART);
        subject.access_tokens(usize::try_from(part)?)?;
        left -= part;
    }
    std::thread::sleep(REST);
    let after = subject.process.resident()?;
    subject.process.stop()?;
    Ok(Footprint {
        tokens,
        idle,
        issued,
        after,
        bytes_a_token: data.size()?.saturating_sub(at_first) as f64 / issued.max(1) as f64,
        bytes_a_kept_token: at_first as f64 / tokens.max(1) as f64,
        binary: fs::metadata(&programs.tokenry)?.len(),
    })
}
