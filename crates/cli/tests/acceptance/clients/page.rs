//! `docs/clients.md`, from what was measured.

use std::fmt::Write as _;

use super::{
    known::{CLIENTS, Client, Kind},
    measure::{Measured, PROFILES, Run},
    verdict::LEGEND,
};

const HEAD: &str = "\
# What clients do

<!-- Written by `WRITE_CLIENTS=1 cargo xtask test --only acceptance`, which measures it. -->

How programs that were written for Zendesk's API, and ordinary OAuth clients, get through what
Zendesk does to accounts, and through what networks and servers do to everybody: each of them
against `tokenry twin`, with every profile and every [fault](faults.md). The clients are unmodified
and pinned (`acceptance/`) unless their line says *replayed*; then a small program sends what they
send. The page is measured by a test, which fails when a client does something else.

## Profiles

Without faults: every job of the client, and its main one again half an hour later and an hour
later, when access tokens have ended.
";

const FAULTS: &str = "\
## Faults

All in the profile `refreshing`, each on the one call that it names (`times=4`: on as many). The
client is asked for the same again after it, and those that refresh once more half an hour later.

| word | what it stands for |
|---|---|
";

pub(super) fn page(measured: &[Measured]) -> String {
    let mut page = HEAD.to_owned();
    profiles(&mut page, measured);
    page.push_str(FAULTS);
    for (word, meaning) in LEGEND {
        writeln!(page, "| {word} | {meaning} |").unwrap();
    }
    for kind in Kind::ALL {
        faults(&mut page, measured, kind);
    }
    page.push_str("\n## Each client\n");
    for client in CLIENTS {
        about(&mut page, measured, client);
    }
    page
}

fn profiles(page: &mut String, measured: &[Measured]) {
    write!(page, "\n| client | set up with |").unwrap();
    for profile in PROFILES {
        write!(page, " `{profile}` |").unwrap();
    }
    writeln!(page, "\n|---|---|---|---|---|---|").unwrap();
    for measured in measured {
        write!(page, "| {} | {} |", version(measured), measured.way.name).unwrap();
        for run in &measured.profiles {
            write!(page, " {} |", cell(run, measured.client.kind)).unwrap();
        }
        page.push('\n');
    }
    let counts = PROFILES.iter().enumerate().map(|(index, profile)| {
        let works = measured.iter().filter(|it| it.profiles[index].failed.is_empty()).count();
        format!("{works} of {} in `{profile}`", measured.len())
    });
    let counts = counts.collect::<Vec<_>>().join(", ");
    writeln!(page, "\nSet-ups in which every job works: {counts}.\n").unwrap();
}

/// A client's name, with the version that it says it has.
fn version(measured: &Measured) -> String {
    let name = measured.client.name;
    match measured.driven.rsplit_once(' ') {
        Some((_, version)) => format!("`{name}` {version}"),
        None => format!("`{name}`"),
    }
}

fn cell(run: &Run, kind: Kind) -> String {
    let jobs = kind.jobs();
    let failed: Vec<&str> = run.failed.iter().map(|(job, _)| *job).collect();
    let now = match run.failed.first() {
        None => "works".to_owned(),
        Some((_, error)) if failed.len() == jobs.len() => return format!("fails: `{error}`"),
        Some((_, error)) => format!("fails at {}: `{error}`", failed.join(", ")),
    };
    match run.later.word() {
        "works" => now,
        word => format!("{now}; half an hour later {word}"),
    }
}

fn faults(page: &mut String, measured: &[Measured], kind: Kind) {
    let columns: Vec<&Measured> =
        measured.iter().filter(|it| it.way.faults && it.client.kind.is_like(kind)).collect();
    let title = match kind {
        Kind::Calls(_) => "On a read",
        Kind::Refreshes => "On a refresh, and on the read after it",
        Kind::SignsIn => "On the redemption of a code",
    };
    write!(page, "\n### {title}\n\n| fault |").unwrap();
    for column in &columns {
        write!(page, " {} |", column.way.head.unwrap_or(column.client.name)).unwrap();
    }
    writeln!(page, "\n|---|{}", "---|".repeat(columns.len())).unwrap();
    for (index, row) in kind.faults().iter().enumerate() {
        write!(page, "| {} |", fault(row)).unwrap();
        for column in &columns {
            write!(page, " {} |", column.faults[index].word()).unwrap();
        }
        page.push('\n');
    }
}

fn fault(row: &str) -> String {
    match row.split_once(" (") {
        Some((rule, option)) => format!("`{rule}` with `{}`", option.trim_end_matches(')')),
        None => format!("`{row}`"),
    }
}

fn about(page: &mut String, measured: &[Measured], client: &Client) {
    write!(page, "\n### {}\n\n{}\n\n", client.name, client.about).unwrap();
    writeln!(page, "**What to do.** {}", client.advice).unwrap();
    for measured in measured.iter().filter(|it| it.client.name == client.name) {
        let mut rows: Vec<(String, Vec<String>)> = Vec::new();
        for (row, verdict) in client.kind.faults().iter().zip(&measured.faults) {
            let Some(error) = verdict.error() else { continue };
            match rows.iter_mut().find(|(told, _)| told == error) {
                Some((_, faults)) => faults.push(fault(row)),
                None => rows.push((error.to_owned(), vec![fault(row)])),
            }
        }
        if rows.is_empty() {
            continue;
        }
        let name = measured.way.head.unwrap_or(measured.way.name);
        write!(page, "\n| what the caller is told ({name}) | under |\n|---|---|\n").unwrap();
        for (error, faults) in rows {
            let all = faults.len() == client.kind.faults().len();
            let under = if all { "everything".to_owned() } else { faults.join(", ") };
            writeln!(page, "| `{error}` | {under} |").unwrap();
        }
    }
}
