//! Verification at half load, while tokens are issued and others are purged.

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use crate::{
    cases::Case,
    load::{
        Pace, Traffic,
        supply::{Expected, Repeated},
    },
    measure::{Party as _, Pattern, loaded, round},
    process::Programs,
    subject::Subject,
};

/// Tokens that are issued each second.
const ISSUED: f64 = 1_000.0;
/// Connections of the load, and of the issuing beside it.
const CONNECTIONS: usize = 16;
/// One record in so many has expired.
const EXPIRED_ONE_IN: u64 = 10;

/// What came of it.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct UnderWrites {
    /// Tokens in the table.
    pub(crate) tokens: u64,
    /// Verifications a second.
    pub(crate) per_second: f64,
    /// Of a verification, in milliseconds from the time it was due.
    pub(crate) p50: f64,
    /// The same.
    pub(crate) p99: f64,
    /// Tokens issued a second.
    pub(crate) issued: f64,
    /// Of an issued token, in milliseconds.
    pub(crate) issued_p99: f64,
    /// Expired records that were purged meanwhile.
    pub(crate) purged: u64,
}

/// Stops the server, has records expire all over its table, and starts it for the measurement, at
/// whose beginning the first sweep begins.
pub(crate) fn measure(
    programs: &Programs,
    subject: Subject,
    pattern: Pattern,
    tokens: u64,
) -> Result<(UnderWrites, Subject)> {
    let (folder, issue) = (subject.data.folder.clone(), subject.client_credentials());
    let mut current = Case::CurrentToken.prepare(&subject, CONNECTIONS, 1)?.to_subject;
    let before_load = 2 * pattern.warm_up + pattern.measure;
    let interval = format!("{}s", before_load.as_secs() + 1);
    let settings = [("TOKENRY_PURGE_INTERVAL", interval.as_str())];
    let (subject, expired) =
        subject.between(programs, &settings, || folder.expire(tokens, EXPIRED_ONE_IN))?;
    let full = round(programs.cores, &subject, current.as_mut(), CONNECTIONS, &pattern)?;
    subject.resume()?;
    let mut issuing = Repeated::new(vec![issue], Expected::new(200, "\"access_token\":\"a"));
    current.prepare(pattern.measure)?;
    let before = folder.left_of(expired)?;
    let half = full.per_second / 2.0;
    let pace = Pace::PerSecond(half);
    let (address, connections) = (subject.process.address, CONNECTIONS);
    let issued = Pace::PerSecond(ISSUED);
    let mut traffic = [
        Traffic { address, supply: current.as_mut(), connections, pace },
        Traffic { address, supply: &mut issuing, connections, pace: issued },
    ];
    let measure = pattern.measure * pattern.rounds;
    let pattern = Pattern { measure, ..pattern };
    let measured = loaded(programs.cores, &mut traffic, &pattern, &mut || Ok(()))?;
    let purged = before.saturating_sub(folder.left_of(expired)?);
    let [verified, issued] = measured.as_slice() else {
        anyhow::bail!("nothing was measured");
    };
    let millis = |latency: Duration| latency.as_secs_f64() * 1e3;
    let figures = UnderWrites {
        tokens,
        per_second: verified.per_second(),
        p50: millis(verified.latencies.quantile(0.5)),
        p99: millis(verified.latencies.quantile(0.99)),
        issued: issued.per_second(),
        issued_p99: millis(issued.latencies.quantile(0.99)),
        purged,
    };
    Ok((figures, subject))
}
