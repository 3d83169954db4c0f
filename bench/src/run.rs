//! A run: every case at every size of table, and what came of it.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context as _, Result, bail};
use tokenry_server::environment::Environment;

use crate::{
    arguments::Plan,
    cases::Case,
    data::{Spread, Tables},
    database::{Cluster, Databases, Engine},
    footprint,
    machine::{self, Cores},
    measure::{Party as _, Pattern, Series, round},
    nodes,
    process::Programs,
    reference::{Durable, FixedAnswer, Write, pgbench::Pgbench},
    report::{Comparison, Results, Surroundings, chart, growth, page},
    start,
    subject::Subject,
    twin, under_writes,
};

/// Tokens that are introspected one after the other.
const DIFFERENT: usize = 10_000;
/// Tokens after which memory and disk are looked at again.
const ISSUED: u64 = 1_000_000;

/// A client has a thousand tokens in the small tables and more in the largest one.
fn spread(tokens: u64) -> Spread {
    let clients = u32::try_from(tokens / 1_000).unwrap_or(u32::MAX).clamp(4, 1_000);
    Spread { clients, users: clients * 10 }
}

/// Does what the plan says.
pub(crate) fn run(plan: &Plan) -> Result<()> {
    let (cores, told) = Cores::choose();
    println!("{}\n{told}", machine::describe());
    fs::create_dir_all(&plan.folder)?;
    let folder = fs::canonicalize(&plan.folder)?;
    let tokenry = fs::canonicalize(&plan.tokenry)
        .with_context(|| format!("no {}: cargo xtask bench builds it", plan.tokenry.display()))?;
    let programs = Programs { tokenry, cores };
    let (folder, databases) = databases(plan, folder, cores)?;
    let tables = Tables { folder: &folder, programs: &programs, databases: &databases };
    let now = Environment::system().clock.now();
    let mut results = Results::new(Surroundings {
        machine: machine::describe(),
        cores: told,
        database: databases.describe(),
        began_at: now.to_string(),
        engine: plan.store,
    });
    let progress = Progress::new(plan);
    for tokens in plan.tokens() {
        let begin = Instant::now();
        let data = tables.copy(tokens, spread(tokens))?;
        println!("table of {tokens} tokens ready in {:.1} s", begin.elapsed().as_secs_f64());
        let subject = Subject::start(&programs, data)?;
        let turns = Turns {
            programs: &programs,
            subject: &subject,
            databases: &databases,
            pattern: plan.pattern(),
            different: if plan.quick { 100 } else { DIFFERENT },
            tokens,
        };
        for case in plan.cases() {
            for connections in connections(plan, case) {
                let comparison = turns.compare(case, connections)?;
                println!("{}  ({})", comparison.line(), progress.left(&results));
                results.comparisons.push(comparison);
                results.save(&folder)?;
            }
        }
        let alone = Alone { plan, programs: &programs, databases: &databases, tokens };
        alone.measure(subject, &mut results)?;
        results.save(&folder)?;
    }
    println!("\n{}", results.tables());
    if plan.write {
        write(plan, &results)?;
    }
    Ok(())
}

/// The pages of what was measured. What takes no comparison has a place of its own, and the rest
/// stays as it was.
fn write(plan: &Plan, results: &Results) -> Result<()> {
    let pattern = plan.pattern();
    if results.twin.is_some() {
        page::write_twin(results, &pattern)?;
        println!("{} has the twin", page::path(plan.store));
    }
    if !results.comparisons.is_empty() {
        page::write(results, &pattern)?;
        let (page, chart) = (page::path(plan.store), chart::path(plan.store));
        println!("{page}, {chart} and {} written", growth::PATH);
    }
    Ok(())
}

/// Where tables are kept, and what they are in. A PostgreSQL server is started for that, and ends
/// with the last value that knows of it.
fn databases(plan: &Plan, folder: PathBuf, cores: Cores) -> Result<(PathBuf, Databases)> {
    if let Some(case) = plan.case.iter().find(|case| !case.is_of(plan.store)) {
        bail!("{} is not of this engine: choose another one with --store", case.title());
    }
    match plan.store {
        Engine::Sqlite => Ok((folder, Databases::Sqlite)),
        Engine::Postgres => {
            let folder = folder.join("postgres");
            let cluster = Cluster::start(&folder.join("cluster"), cores)?;
            Ok((folder, Databases::Postgres(cluster)))
        }
    }
}

/// What is not measured in turns, on one table.
struct Alone<'a> {
    plan: &'a Plan,
    programs: &'a Programs,
    databases: &'a Databases,
    tokens: u64,
}

impl Alone<'_> {
    fn measure(&self, mut subject: Subject, results: &mut Results) -> Result<()> {
        let (plan, programs, tokens) = (self.plan, self.programs, self.tokens);
        let cases = plan.cases();
        // It has a table of its own, so that of the others does not matter.
        if cases.contains(&Case::Twin) && plan.tokens().first() == Some(&tokens) {
            let folder = subject.data.folder.path.parent().context("no folder")?.to_owned();
            let measured = twin::measure(programs, &subject, &folder, &plan.pattern())?;
            println!("{}", measured.lines());
            results.twin = Some(measured);
        }
        if cases.contains(&Case::Nodes) {
            for nodes in nodes::measure(programs, &subject, plan.pattern(), tokens)? {
                println!("{}", nodes.lines());
                results.nodes.push(nodes);
            }
        }
        if cases.contains(&Case::UnderWrites) {
            let measured = under_writes::measure(programs, subject, plan.pattern(), tokens)?;
            println!("{}", measured.0.line());
            results.under_writes.push(measured.0);
            subject = measured.1;
        }
        let (folder, request) = (subject.data.folder.clone(), subject.client_credentials());
        if cases.contains(&Case::Footprint) {
            let issued = if plan.quick { 1_000 } else { ISSUED };
            let (restarted, ()) = subject.between(programs, &[], || Ok(()))?;
            let footprint = footprint::measure(programs, restarted, (tokens, issued))?;
            println!("{}", footprint.line());
            results.footprints.push(footprint);
        } else {
            subject.process.stop()?;
        }
        if cases.contains(&Case::Start) {
            let new = self.databases.folder(folder.path.with_extension("new"))?;
            let starts = start::measure(programs, (&folder, &new), (tokens, &request))?;
            println!("{}", starts.line());
            results.starts.push(starts);
        }
        Ok(())
    }
}

fn connections(plan: &Plan, case: Case) -> Vec<usize> {
    match (plan.connections.as_slice(), plan.quick) {
        (_, _) if case.connections().is_empty() => Vec::new(),
        ([], true) => vec![16],
        ([], false) => case.connections().to_vec(),
        (asked, _) => asked.to_vec(),
    }
}

/// How far the run has come.
struct Progress {
    begin: Instant,
    steps: usize,
}

impl Progress {
    fn new(plan: &Plan) -> Self {
        let of_table: usize =
            plan.cases().into_iter().map(|case| connections(plan, case).len()).sum();
        Self { begin: Instant::now(), steps: of_table * plan.tokens().len() }
    }

    #[expect(clippy::cast_precision_loss, reason = "a few hundred steps")]
    fn left(&self, results: &Results) -> String {
        let done = results.comparisons.len() + 1;
        let each = self.begin.elapsed().as_secs_f64() / done as f64;
        let seconds = each * self.steps.saturating_sub(done) as f64;
        format!("{done} of {}, about {:.0} min left", self.steps, (seconds / 60.0).ceil())
    }
}

/// Rounds in turns on one table.
struct Turns<'a> {
    programs: &'a Programs,
    subject: &'a Subject,
    databases: &'a Databases,
    pattern: Pattern,
    different: usize,
    tokens: u64,
}

impl Turns<'_> {
    fn compare(&self, case: Case, connections: usize) -> Result<Comparison> {
        let subject = self.subject;
        let mut prepared = case.prepare(subject, connections, self.different)?;
        let answer = subject.sample(&prepared.request)?;
        let folder = subject.data.folder.path.parent().context("a folder without a parent")?;
        let bare = self.programs.reference(folder, &answer, None)?;
        let durable = case.write().map(|write| self.durable(folder, &answer, write)).transpose()?;
        let (mut own, mut of_bare, mut of_durable) = (Vec::new(), Vec::new(), Vec::new());
        let clock = Environment::system().clock;
        for _ in 0..self.pattern.rounds {
            let cores = self.programs.cores;
            let supply = prepared.to_subject.as_mut();
            own.push(round(cores, subject, supply, connections, &self.pattern)?);
            if let Some(token) = &prepared.used {
                subject.resume()?;
                let begin = clock.now();
                subject.sample(&prepared.request)?;
                subject.check_used_at(token, (begin, clock.now()))?;
                subject.pause()?;
            }
            let supply = &mut prepared.to_reference;
            of_bare.push(round(cores, &bare, supply, connections, &self.pattern)?);
            if let Some(durable) = &durable {
                of_durable.push(durable.round(cores, supply, connections, &self.pattern)?);
            }
        }
        subject.resume()?;
        Ok(Comparison {
            case,
            tokens: self.tokens,
            connections,
            answer_bytes: answer.body.len(),
            tokenry: Series::of(own),
            bare: Series::of(of_bare),
            durable: durable.map(|_| Series::of(of_durable)),
            durable_name: self.databases.engine().durable(),
        })
    }

    /// The durable reference: a server that commits to a file as SQLite does, or `pgbench` beside
    /// the tables.
    fn durable(&self, folder: &Path, answer: &FixedAnswer, write: Write) -> Result<Durable> {
        let own = self.databases.folder(folder.join("reference"))?;
        Ok(match own.server() {
            None => Durable::Server(self.programs.reference(folder, answer, Some(write))?),
            Some(database) => {
                Durable::Pgbench(Pgbench::start(database.clone(), self.programs.cores, write)?)
            }
        })
    }
}
