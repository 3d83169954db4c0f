//! How late a revocation at one node is known at another, while both are asked other things.
//!
//! Two connections work hand in hand. The one to the last node asks about a token again and again.
//! Once that node has it in memory, the one to the first node revokes it; the delay is from the
//! answer to that until the first answer that says 401.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use serde::Serialize;

use crate::{
    cases::Case,
    client,
    load::{
        Answer, Histogram, Pace, Supply, Traffic,
        supply::{Expected, Repeated},
    },
    machine::Cores,
    measure::{Pattern, loaded},
    subject::Subject,
};

/// Questions about the token, a second. So a delay is known to half a millisecond.
const ASKED: f64 = 2_000.0;
/// How often the revoking connection sends something, a second.
const SENT: f64 = 500.0;
/// Tokens that are issued each second, at all nodes together.
const ISSUED: f64 = 1_000.0;
/// Connections of the load, for each node and kind.
const CONNECTIONS: usize = 16;
/// More than can be revoked in a second one after the other.
const REVOKED: f64 = 100.0;
/// The promise is one second while the database can be reached; an answer takes time of its own.
const DELAY_MAX: Duration = Duration::from_secs(2);

/// Delays in milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Delays {
    /// How many revocations.
    pub(crate) revocations: u64,
    /// The median.
    pub(crate) p50: f64,
    /// What one in a hundred exceeds.
    pub(crate) p99: f64,
    /// The longest.
    pub(crate) most: f64,
}

/// From the first of these nodes to the last, beside so many verifications a second in all.
pub(super) fn measure(
    cores: Cores,
    subject: &Subject,
    nodes: &[SocketAddr],
    pattern: &Pattern,
    verified: f64,
) -> Result<Delays> {
    let seconds = (pattern.warm_up + pattern.measure).as_secs_f64();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a thousand")]
    let tokens = subject.access_tokens((seconds * REVOKED).ceil() as usize + 1)?;
    let shared = Shared::default();
    let mut revoking = Revoking::new(&shared, subject, &tokens)?;
    let mut watching = Watching::new(&shared, &tokens);
    let issue = Repeated::new(vec![subject.client_credentials()], Expected::new(200, ""));
    let mut beside = Vec::new();
    for _ in nodes {
        beside.push(Case::CurrentToken.prepare(subject, CONNECTIONS, 1)?.to_subject);
        beside.push(Box::new(issue.clone()));
    }
    #[expect(clippy::cast_precision_loss, reason = "three")]
    let rate = |index: usize| {
        let of_all = if index.is_multiple_of(2) { verified } else { ISSUED };
        Pace::PerSecond(of_all / nodes.len() as f64)
    };
    let addresses = nodes.iter().flat_map(|address| [*address; 2]);
    let mut traffic: Vec<_> = addresses
        .zip(&mut beside)
        .enumerate()
        .map(|(index, (address, supply))| Traffic {
            address,
            supply: supply.as_mut(),
            connections: CONNECTIONS,
            pace: rate(index),
        })
        .collect();
    let (first, last) = (nodes.first().context("no node")?, nodes.last().context("no node")?);
    let (sent, asked) = (Pace::PerSecond(SENT), Pace::PerSecond(ASKED));
    traffic.push(Traffic { address: *first, supply: &mut revoking, connections: 1, pace: sent });
    traffic.push(Traffic { address: *last, supply: &mut watching, connections: 1, pace: asked });
    loaded(cores, &mut traffic, pattern, &mut || Ok(()))?;
    let state = shared.lock();
    if state.delays.total() == 0 {
        bail!("no revocation was heard of in {seconds:.1} s");
    }
    let millis = |share| state.delays.quantile(share).as_secs_f64() * 1e3;
    Ok(Delays {
        revocations: state.delays.total(),
        p50: millis(0.5),
        p99: millis(0.99),
        most: millis(1.0),
    })
}

/// What both connections know.
#[derive(Clone)]
struct Shared(Arc<Mutex<State>>);

impl Default for Shared {
    fn default() -> Self {
        let (step, delays) = (Step::Unknown, Histogram::new());
        Self(Arc::new(Mutex::new(State { token: 0, step, delays })))
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct State {
    /// The place of the token that it is about.
    token: usize,
    step: Step,
    delays: Histogram,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The last node has not been asked yet.
    Unknown,
    /// It has the token in memory.
    Known,
    /// Under way.
    Revoking,
    /// Answered.
    Revoked(Instant),
}

impl State {
    /// What the last node's answer means.
    fn hear(&mut self, status: u16, now: Instant) -> Result<()> {
        match (status, self.step) {
            (200, Step::Unknown) => self.step = Step::Known,
            (200, Step::Revoked(at)) if now.saturating_duration_since(at) > DELAY_MAX => {
                bail!("a node did not hear of a revocation within {DELAY_MAX:?}")
            }
            (200, _) => {}
            (401, Step::Revoked(at)) => self.go_on(now.saturating_duration_since(at)),
            // Before whoever revoked it was told.
            (401, Step::Revoking) => self.go_on(Duration::ZERO),
            _ => bail!("a token that nobody has revoked is answered {status}"),
        }
        Ok(())
    }

    fn go_on(&mut self, delay: Duration) {
        self.delays.record(delay);
        self.token += 1;
        self.step = Step::Unknown;
    }
}

/// The connection to the first node.
struct Revoking {
    shared: Shared,
    revocations: Vec<Vec<u8>>,
    /// What is sent while there is nothing to revoke.
    otherwise: Vec<u8>,
    is_revoking: bool,
}

impl Revoking {
    fn new(shared: &Shared, subject: &Subject, tokens: &[String]) -> Result<Self> {
        let revocations = tokens.iter().map(|token| subject.revoke(token)).collect();
        let otherwise = subject.access_tokens(1)?.pop().context("no token")?;
        let otherwise = client::current(&otherwise);
        Ok(Self { shared: shared.clone(), revocations, otherwise, is_revoking: false })
    }
}

impl Supply for Revoking {
    fn request(&mut self, _: usize, out: &mut Vec<u8>) -> bool {
        let mut state = self.shared.lock();
        self.is_revoking = state.step == Step::Known;
        if self.is_revoking {
            state.step = Step::Revoking;
            out.extend(self.revocations.get(state.token).into_iter().flatten());
        } else {
            out.extend_from_slice(&self.otherwise);
        }
        !out.is_empty()
    }

    fn answer(&mut self, _: usize, answer: &Answer<'_>) -> Result<()> {
        if answer.status != 200 {
            bail!("a revocation, or a check beside it, is answered {}", answer.status);
        }
        let mut state = self.shared.lock();
        if self.is_revoking && state.step == Step::Revoking {
            state.step = Step::Revoked(Instant::now());
        }
        Ok(())
    }
}

/// The connection to the last node.
struct Watching {
    shared: Shared,
    questions: Vec<Vec<u8>>,
}

impl Watching {
    fn new(shared: &Shared, tokens: &[String]) -> Self {
        let questions = tokens.iter().map(|token| client::current(token)).collect();
        Self { shared: shared.clone(), questions }
    }
}

impl Supply for Watching {
    fn request(&mut self, _: usize, out: &mut Vec<u8>) -> bool {
        let question = self.questions.get(self.shared.lock().token);
        out.extend(question.into_iter().flatten());
        question.is_some()
    }

    /// A short round on a busy machine may otherwise be over before there is anything to tell.
    fn is_warm(&self) -> bool {
        self.shared.lock().delays.total() > 0
    }

    fn answer(&mut self, _: usize, answer: &Answer<'_>) -> Result<()> {
        self.shared.lock().hear(answer.status, Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_counts_from_the_answer_to_the_revocation_to_the_first_refusal() {
        let shared = Shared::default();
        let begin = Instant::now();
        let mut state = shared.lock();
        state.hear(200, begin).unwrap();
        assert_eq!(state.step, Step::Known);
        state.step = Step::Revoked(begin);
        state.hear(200, begin + Duration::from_millis(10)).unwrap();
        state.hear(401, begin + Duration::from_millis(20)).unwrap();
        assert_eq!((state.token, state.step), (1, Step::Unknown));
        let told = state.delays.quantile(0.5);
        assert!(told >= Duration::from_millis(20) && told < Duration::from_millis(21), "{told:?}");
    }

    #[test]
    fn a_refusal_of_what_nobody_revoked_and_a_node_that_never_hears_are_errors() {
        let shared = Shared::default();
        let begin = Instant::now();
        let mut state = shared.lock();
        assert!(state.hear(401, begin).is_err());
        state.step = Step::Revoked(begin);
        assert!(state.hear(200, begin + DELAY_MAX * 2).is_err());
        assert!(state.hear(503, begin).is_err());
    }
}
