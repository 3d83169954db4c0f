//! A run: every case at every size of table, and what came of it.

use std::{fs, time::Instant};

use anyhow::{Context as _, Result};
use tokenry_server::environment::Environment;

use crate::{
    arguments::Plan,
    cases::Case,
    data::{Spread, Tables},
    footprint,
    machine::{self, Cores},
    measure::{Figures, Pattern, Series, round},
    process::{Process, Programs},
    report::{Comparison, Results, chart, page},
    start,
    subject::Subject,
    under_writes,
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
    let tables = Tables { folder: &folder, programs: &programs };
    let now = Environment::system().clock.now();
    let mut results = Results::new(machine::describe(), told, now.to_string());
    let progress = Progress::new(plan);
    for tokens in plan.tokens() {
        let begin = Instant::now();
        let data = tables.copy(tokens, spread(tokens))?;
        println!("table of {tokens} tokens ready in {:.1} s", begin.elapsed().as_secs_f64());
        let subject = Subject::start(&programs, data)?;
        let turns = Turns {
            programs: &programs,
            subject: &subject,
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
        by_itself(plan, &programs, subject, tokens, &mut results)?;
        results.save(&folder)?;
    }
    println!("\n{}", results.tables());
    if plan.write {
        page::write(&results, &plan.pattern())?;
        println!("{} and {} written", page::PATH, chart::PATH);
    }
    Ok(())
}

/// What is not measured in turns.
fn by_itself(
    plan: &Plan,
    programs: &Programs,
    mut subject: Subject,
    tokens: u64,
    results: &mut Results,
) -> Result<()> {
    let cases = plan.cases();
    if cases.contains(&Case::UnderWrites) {
        let measured = under_writes::measure(programs, subject, plan.pattern(), tokens)?;
        println!("{}", measured.0.line());
        results.under_writes.push(measured.0);
        subject = measured.1;
    }
    let (data, request) = (subject.data.path.clone(), subject.client_credentials());
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
        let starts = start::measure(programs, &data, (tokens, &request))?;
        println!("{}", starts.line());
        results.starts.push(starts);
    }
    Ok(())
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
    pattern: Pattern,
    different: usize,
    tokens: u64,
}

impl Turns<'_> {
    fn compare(&self, case: Case, connections: usize) -> Result<Comparison> {
        let subject = self.subject;
        let mut prepared = case.prepare(subject, connections, self.different)?;
        let answer = subject.sample(&prepared.request)?;
        let folder = subject.data.path.parent().context("a folder without a parent")?;
        let bare = self.programs.reference(folder, &answer, None)?;
        let durable = match case.write() {
            Some(write) => Some(self.programs.reference(folder, &answer, Some(write))?),
            None => None,
        };
        let (mut own, mut of_bare, mut of_durable) = (Vec::new(), Vec::new(), Vec::new());
        let clock = Environment::system().clock;
        for _ in 0..self.pattern.rounds {
            let cores = self.programs.cores;
            let supply = prepared.to_subject.as_mut();
            own.push(round(cores, &subject.process, supply, connections, &self.pattern)?);
            if let Some(token) = &prepared.used {
                subject.process.resume()?;
                let begin = clock.now();
                subject.sample(&prepared.request)?;
                subject.check_used_at(token, (begin, clock.now()))?;
                subject.process.pause()?;
            }
            let mut reference = |process: &Process| -> Result<Figures> {
                round(cores, process, &mut prepared.to_reference, connections, &self.pattern)
            };
            of_bare.push(reference(&bare)?);
            if let Some(durable) = &durable {
                of_durable.push(reference(durable)?);
            }
        }
        subject.process.resume()?;
        Ok(Comparison {
            case,
            tokens: self.tokens,
            connections,
            answer_bytes: answer.body.len(),
            tokenry: Series::of(own),
            bare: Series::of(of_bare),
            durable: durable.map(|_| Series::of(of_durable)),
        })
    }
}
