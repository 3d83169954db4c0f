//! One, two and three nodes on one database, all of them on the servers' core together with it.
//!
//! More nodes cannot be faster there. What tells how they scale is the processor time of an
//! answer: where it stays level, each node with a core of its own brings what one brings. Beside
//! it, what a node costs that is asked nothing, since it looks for news all the time, and how late
//! a revocation at one node is known at another under load.

mod revocations;

use std::{thread, time::Duration};

use anyhow::{Context as _, Result};
use serde::Serialize;

pub(crate) use self::revocations::Delays;
use crate::{
    cases::Case,
    database::Folder,
    load::{Pace, Supply, Traffic},
    measure::{Edges, Party as _, Pattern, Used, loaded, median},
    process::{Process, Programs},
    subject::Subject,
};

/// The most nodes.
const NODES: usize = 3;
/// Of each node.
const CONNECTIONS: usize = 16;
/// What every node is asked at the same time.
const CASES: [Case; 3] = [Case::CurrentToken, Case::ClientCredentials, Case::Rotation];
/// What is rare takes so many times as long to count as all rounds of a load.
const LONGER: u32 = 3;
/// After this the first jobs have run.
const REST: Duration = Duration::from_secs(1);

/// So many nodes.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Nodes {
    /// Tokens in the table.
    pub(crate) tokens: u64,
    /// How many nodes.
    pub(crate) nodes: usize,
    /// What each case came to.
    pub(crate) loads: Vec<NodesLoad>,
    /// Processor time of a node that is asked nothing, in percent of a core.
    pub(crate) idle_node: f64,
    /// The same of the database, for all nodes.
    pub(crate) idle_database: f64,
    /// From one node to another, where there is another.
    pub(crate) delays: Option<Delays>,
}

/// All nodes asked at the same time: medians of the rounds.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct NodesLoad {
    /// What.
    pub(crate) case: Case,
    /// Answers a second, of all nodes.
    pub(crate) per_second: f64,
    /// The slowest node's.
    pub(crate) of_slowest: f64,
    /// Processor time for each answer in microseconds, the database's included.
    pub(crate) processor: f64,
    /// The database's.
    pub(crate) database: f64,
}

/// Measures on a table whose server runs.
pub(crate) fn measure(
    programs: &Programs,
    subject: &Subject,
    pattern: Pattern,
    tokens: u64,
) -> Result<Vec<Nodes>> {
    let started = start_others(programs, subject)?;
    let others: Vec<_> = started.iter().map(|(_, process)| process).collect();
    let nodes: Vec<_> = std::iter::once(&subject.process).chain(others).collect();
    let cluster = Cluster { programs, subject, nodes, pattern };
    let loads = cluster.loads();
    let mut all = Vec::new();
    for (count, loads) in (1..).zip(loads?) {
        let (idle_node, idle_database) = cluster.idle(count)?;
        let verified = loads.iter().find(|load| load.case == Case::CurrentToken);
        let half = verified.context("no verifications")?.per_second / 2.0;
        let delays = if count > 1 { Some(cluster.delays(count, half)?) } else { None };
        all.push(Nodes { tokens, nodes: count, loads, idle_node, idle_database, delays });
    }
    subject.resume()?;
    for (folder, process) in started {
        process.stop()?;
        // Its database is the one that others use.
        std::fs::remove_dir_all(folder.path)?;
    }
    Ok(all)
}

/// Nodes beside the one that runs, halted.
fn start_others(programs: &Programs, subject: &Subject) -> Result<Vec<(Folder, Process)>> {
    let first = &subject.data.folder;
    let key = first.path.join("server.key");
    let key = key.to_str().context("a folder whose name is no text")?;
    let mut started = Vec::new();
    for number in 2..=NODES {
        let path = first.path.with_file_name(format!("node-{number}"));
        std::fs::create_dir_all(&path)?;
        let folder = Folder { path, database: first.database.clone() };
        let process = programs.serve(&folder, &[("TOKENRY_KEY_FILE", key)])?;
        process.pause()?;
        started.push((folder, process));
    }
    Ok(started)
}

/// Nodes, of which the first ones take part in a turn and the others are halted.
struct Cluster<'a> {
    programs: &'a Programs,
    subject: &'a Subject,
    nodes: Vec<&'a Process>,
    pattern: Pattern,
}

impl Cluster<'_> {
    fn first(&self, count: usize) -> &[&Process] {
        self.nodes.get(..count).unwrap_or(&self.nodes)
    }

    fn resume(&self, count: usize) -> Result<()> {
        self.subject.resume()?;
        self.first(count).iter().try_for_each(|node| node.resume())
    }

    fn pause(&self, count: usize) -> Result<()> {
        self.first(count).iter().try_for_each(|node| node.pause())?;
        self.subject.pause()
    }

    fn used(&self, count: usize) -> Result<Used> {
        let database = self.subject.used()?.database;
        let times: Result<Vec<_>> =
            self.first(count).iter().map(|node| node.processor_time()).collect();
        Ok(Used { server: times?.into_iter().sum(), database })
    }

    /// For one node, two, and so on: every case, in turns.
    fn loads(&self) -> Result<Vec<Vec<NodesLoad>>> {
        let mut loads = vec![Vec::new(); self.nodes.len()];
        for case in CASES {
            self.resume(1)?;
            let supplies: Result<Vec<_>> = self
                .nodes
                .iter()
                .map(|_| Ok(case.prepare(self.subject, CONNECTIONS, 1)?.to_subject))
                .collect();
            let mut supplies = supplies?;
            self.pause(1)?;
            let mut rounds = vec![Vec::new(); self.nodes.len()];
            for _ in 0..self.pattern.rounds {
                for (count, rounds) in (1..).zip(&mut rounds) {
                    rounds.push(self.round(case, supplies.get_mut(..count).unwrap_or_default())?);
                }
            }
            for (loads, rounds) in loads.iter_mut().zip(&rounds) {
                loads.push(NodesLoad::median_of(case, rounds));
            }
        }
        Ok(loads)
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of a few million")]
    fn round(&self, case: Case, supplies: &mut [Box<dyn Supply>]) -> Result<NodesLoad> {
        let count = supplies.len();
        self.resume(count)?;
        for supply in &mut *supplies {
            supply.prepare(self.pattern.warm_up + self.pattern.measure)?;
        }
        let nodes = self.nodes.iter().zip(supplies);
        let mut traffic: Vec<_> = nodes
            .map(|(node, supply)| Traffic {
                address: node.address,
                supply: supply.as_mut(),
                connections: CONNECTIONS,
                pace: Pace::Closed,
            })
            .collect();
        let mut edges = Edges::default();
        let at_edge = &mut || {
            edges.note(self.used(count)?);
            Ok(())
        };
        let measured = loaded(self.programs.cores, &mut traffic, &self.pattern, at_edge)?;
        self.pause(count)?;
        let answers: u64 = measured.iter().map(|measured| measured.latencies.total()).sum();
        let (processor, database) = edges.used().for_each_of(answers as f64);
        let speeds = || measured.iter().map(crate::load::Measured::per_second);
        Ok(NodesLoad {
            case,
            per_second: speeds().sum(),
            of_slowest: speeds().fold(f64::INFINITY, f64::min),
            processor,
            database: database.context("nodes share a server")?,
        })
    }

    /// What a node, and the database for all of them, use of a core while nobody asks anything.
    fn idle(&self, count: usize) -> Result<(f64, f64)> {
        self.resume(count)?;
        thread::sleep(REST);
        let begin = self.used(count)?;
        let time = self.pattern.measure * self.pattern.rounds * LONGER;
        thread::sleep(time);
        let used = self.used(count)?.since(begin);
        self.pause(count)?;
        let percent = |used: Duration| used.as_secs_f64() / time.as_secs_f64() * 100.0;
        let nodes = u32::try_from(count)?;
        Ok((percent(used.server) / f64::from(nodes), percent(used.database.unwrap_or_default())))
    }

    /// From the first node to the last, beside so many verifications a second in all.
    fn delays(&self, count: usize, verified: f64) -> Result<Delays> {
        self.resume(count)?;
        let measure = self.pattern.measure * self.pattern.rounds * LONGER;
        let nodes: Vec<_> = self.first(count).iter().map(|node| node.address).collect();
        let delays = revocations::measure(
            self.programs.cores,
            self.subject,
            &nodes,
            &Pattern { measure, ..self.pattern },
            verified,
        );
        self.pause(count)?;
        delays
    }
}

impl NodesLoad {
    /// Of each figure by itself.
    fn median_of(case: Case, rounds: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> f64| median(rounds.iter().map(figure).collect());
        Self {
            case,
            per_second: of(|round| round.per_second),
            of_slowest: of(|round| round.of_slowest),
            processor: of(|round| round.processor),
            database: of(|round| round.database),
        }
    }
}
