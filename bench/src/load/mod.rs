//! The load: one thread, non-blocking sockets, requests that are ready before they are needed.
//!
//! A closed loop: each connection sends its next request when it has its answer. Or at a pace:
//! requests become due at fixed times, and latency counts from the time a request was due, so that
//! a server that stalls is not asked less for it.

mod answer;
mod connection;
mod histogram;
pub(crate) mod supply;
pub(crate) mod walk;

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use mio::{Events, Poll};

use self::connection::Connection;
pub(crate) use self::{
    answer::{Answer, Reader},
    histogram::Histogram,
    supply::Supply,
};

/// How long answers may take to come in after the last request.
const DRAIN: Duration = Duration::from_secs(10);

/// No warming up takes so long.
const WARM_UP_MAX: Duration = Duration::from_secs(60);
/// How long it goes on before it is looked at again.
const STEP: Duration = Duration::from_millis(20);

/// Requests of one kind.
pub(crate) struct Traffic<'a> {
    /// The server that is asked.
    pub(crate) address: SocketAddr,
    /// What they are.
    pub(crate) supply: &'a mut dyn Supply,
    /// How many connections they share.
    pub(crate) connections: usize,
    /// When they are sent.
    pub(crate) pace: Pace,
}

/// When requests are sent.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// As soon as the answer before is there.
    Closed,
    /// So many a second, spread evenly.
    PerSecond(f64),
}

/// What came of it.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    /// Of the answers that came within the time.
    pub(crate) latencies: Histogram,
    /// The time.
    pub(crate) time: Duration,
}

/// How long to warm up and then to measure, and what to call when measuring begins and ends.
pub(crate) struct Course<'a> {
    /// Answers that are not counted.
    pub(crate) warm_up: Duration,
    /// Answers that are counted.
    pub(crate) measure: Duration,
    /// Called twice.
    pub(crate) at_edge: &'a mut dyn FnMut() -> Result<()>,
}

impl Measured {
    /// Answers a second.
    #[expect(clippy::cast_precision_loss, reason = "counts of a few million")]
    pub(crate) fn per_second(&self) -> f64 {
        self.latencies.total() as f64 / self.time.as_secs_f64()
    }
}

/// All the traffic at the same time.
pub(crate) fn run(traffic: &mut [Traffic<'_>], course: &mut Course<'_>) -> Result<Vec<Measured>> {
    let mut engine = Engine::connect(traffic)?;
    engine.warm_up(traffic, course.warm_up)?;
    engine.forget();
    (course.at_edge)()?;
    let begin = Instant::now();
    engine.go_on_for(traffic, course.measure)?;
    let time = begin.elapsed();
    (course.at_edge)()?;
    let measured = engine.lanes.iter().map(|lane| lane.latencies.clone());
    let measured = measured.map(|latencies| Measured { latencies, time }).collect();
    engine.drain(traffic)?;
    Ok(measured)
}

/// The state of one traffic.
struct Lane {
    latencies: Histogram,
    /// Connections without a request, when requests are paced.
    idle: Vec<usize>,
    /// When the next paced request is due, and the time between two.
    due: Option<(Instant, Duration)>,
    ended: bool,
}

struct Engine {
    poll: Poll,
    events: Events,
    reader: Reader,
    connections: Vec<Connection>,
    lanes: Vec<Lane>,
    waiting: usize,
    stopping: bool,
}

impl Engine {
    fn connect(traffic: &[Traffic<'_>]) -> Result<Self> {
        let poll = Poll::new()?;
        let (mut connections, mut lanes) = (Vec::new(), Vec::new());
        for (lane, one) in traffic.iter().enumerate() {
            let first = connections.len();
            for place in 0..one.connections {
                let token = connections.len();
                let registry = poll.registry();
                let connection = Connection::open(one.address, registry, token, (lane, place))?;
                connections.push(connection);
            }
            let due = match one.pace {
                Pace::Closed => None,
                Pace::PerSecond(rate) => {
                    Some((Instant::now(), Duration::from_secs_f64(1.0 / rate)))
                }
            };
            let idle = (first..connections.len()).collect();
            lanes.push(Lane { latencies: Histogram::new(), idle, due, ended: false });
        }
        let (events, reader) = (Events::with_capacity(1_024), Reader::new());
        Ok(Self { poll, events, reader, connections, lanes, waiting: 0, stopping: false })
    }

    /// What was measured while warming up does not count.
    fn forget(&mut self) {
        for lane in &mut self.lanes {
            lane.latencies = Histogram::new();
        }
    }

    /// For this long, and until everything was asked that has to be.
    fn warm_up(&mut self, traffic: &mut [Traffic<'_>], time: Duration) -> Result<()> {
        let begin = Instant::now();
        self.go_on_for(traffic, time)?;
        while !traffic.iter().all(|one| one.supply.is_warm()) {
            if begin.elapsed() > WARM_UP_MAX {
                bail!("a server is not warm after {WARM_UP_MAX:?}");
            }
            self.go_on_for(traffic, STEP)?;
        }
        Ok(())
    }

    fn go_on_for(&mut self, traffic: &mut [Traffic<'_>], time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        loop {
            let now = Instant::now();
            if now >= end {
                return Ok(());
            }
            self.send_due(traffic, now)?;
            if self.waiting == 0 && self.lanes.iter().all(|lane| lane.ended) {
                return Ok(());
            }
            let is_paced = self.lanes.iter().any(|lane| lane.due.is_some());
            // Times that are due come many in a millisecond, which is the shortest the system
            // waits: the core of the load is its own, so it looks again and again.
            let wait = if is_paced { Duration::ZERO } else { end - now };
            self.turn(traffic, Some(wait))?;
        }
    }

    fn drain(&mut self, traffic: &mut [Traffic<'_>]) -> Result<()> {
        self.stopping = true;
        let end = Instant::now() + DRAIN;
        while self.waiting > 0 {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                bail!("{} requests got no answer within {DRAIN:?}", self.waiting);
            }
            self.turn(traffic, Some(left))?;
        }
        Ok(())
    }

    /// First requests of closed loops, and paced ones whose time has come.
    fn send_due(&mut self, traffic: &mut [Traffic<'_>], now: Instant) -> Result<()> {
        for (index, one) in traffic.iter_mut().enumerate() {
            while let Some(lane) = self.lanes.get_mut(index) {
                let due = match lane.due {
                    None => now,
                    Some((due, _)) => due,
                };
                if due > now || lane.ended {
                    break;
                }
                let Some(connection) = lane.idle.pop() else { break };
                let Some(connection) = self.connections.get_mut(connection) else { break };
                if connection.send(one.supply, due)? {
                    self.waiting += 1;
                } else {
                    lane.ended = true;
                }
                if let Some((next, step)) = &mut lane.due {
                    *next += *step;
                }
            }
        }
        Ok(())
    }

    fn turn(&mut self, traffic: &mut [Traffic<'_>], wait: Option<Duration>) -> Result<()> {
        if let Err(error) = self.poll.poll(&mut self.events, wait) {
            if error.kind() == std::io::ErrorKind::Interrupted {
                return Ok(());
            }
            return Err(error.into());
        }
        for event in &self.events {
            let token = event.token().0;
            let Some(connection) = self.connections.get_mut(token) else { continue };
            let (index, place) = connection.belongs_to;
            let (Some(lane), Some(one)) = (self.lanes.get_mut(index), traffic.get_mut(index))
            else {
                continue;
            };
            if !connection.progress(&self.reader)? {
                continue;
            }
            let Some(answer) = connection.answer() else { continue };
            let now = Instant::now();
            lane.latencies.record(now.saturating_duration_since(connection.since));
            one.supply.answer(place, &answer)?;
            connection.consume();
            self.waiting -= 1;
            if self.stopping {
                continue;
            }
            if lane.due.is_some() {
                lane.idle.push(token);
            } else if connection.send(one.supply, now)? {
                self.waiting += 1;
            } else {
                lane.ended = true;
            }
        }
        Ok(())
    }
}
