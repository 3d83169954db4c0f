//! The programs that the acceptance tests run, that the fuzz targets are built with, and that the
//! storage tests store in: found, or brought by apt, or asked for by name.

use std::env;
use std::process::Command;

use anyhow::{Result, bail};

use super::command::{ask, succeed};
use super::tally::Tally;
use super::{Context, Network};

struct Need {
    what: &'static str,
    /// Where it comes from on Debian and what descends from it.
    debian: &'static [&'static str],
    found: fn() -> Option<String>,
}

const NEEDS: [Need; 5] = [
    Need {
        what: "Python 3.11 or newer with its venv module",
        debian: &["python3", "python3-venv"],
        found: python,
    },
    Need { what: "Node.js 18 or newer", debian: &["nodejs"], found: node },
    Need { what: "npm", debian: &["npm"], found: npm },
    Need {
        what: "Chromium (chromium or google-chrome; CHROMIUM names another place)",
        debian: &["chromium", "fonts-liberation"],
        found: chromium,
    },
    Need { what: "a C++ compiler, as c++", debian: &["g++"], found: cpp },
];

const POSTGRESQL: [Need; 1] = [Need {
    what: "PostgreSQL 13 or newer, with initdb, pg_ctl and psql",
    debian: &["postgresql"],
    found: postgresql_found,
}];

const NGINX: [Need; 1] =
    [Need { what: "nginx, on PATH or in /usr/sbin", debian: &["nginx"], found: nginx }];

/// What the acceptance and fuzz tests need.
pub(super) fn run(context: &Context) -> Result<Tally> {
    provide(context, &NEEDS)
}

/// What the storage tests need; they start a server of their own, and leave the system's alone.
pub(super) fn postgresql(context: &Context) -> Result<Tally> {
    provide(context, &POSTGRESQL)
}

/// The proxy that tests of several nodes start for themselves.
pub(super) fn proxy(context: &Context) -> Result<Tally> {
    provide(context, &NGINX)
}

fn provide(context: &Context, needs: &[Need]) -> Result<Tally> {
    let missing = missing(needs);
    if missing.is_empty() {
        return Ok(Tally::one_passed());
    }
    let packages: Vec<&str> = missing.iter().flat_map(|need| need.debian).copied().collect();
    if context.network == Network::Forbidden {
        bail!("{}", how_to_get(&missing, "this run is offline"));
    }
    let Some(apt) = apt() else {
        bail!("{}", how_to_get(&missing, "there is no apt-get, or no right to use it"));
    };
    succeed(apt_get(apt).arg("update").arg("-qq"))?;
    let install = ["install", "-y", "-qq", "--no-install-recommends"];
    succeed(apt_get(apt).args(install).args(&packages))?;
    let missing = self::missing(needs);
    if !missing.is_empty() {
        bail!("{}", how_to_get(&missing, "what apt offers is too old or incomplete"));
    }
    Ok(Tally::one_passed())
}

/// What is not here, telling of what is.
fn missing(needs: &[Need]) -> Vec<&Need> {
    let mut missing = Vec::new();
    for need in needs {
        match (need.found)() {
            Some(version) => println!("  found {version}"),
            None => missing.push(need),
        }
    }
    missing
}

fn how_to_get(missing: &[&Need], reason: &str) -> String {
    let names: Vec<String> = missing.iter().map(|need| format!("  - {}", need.what)).collect();
    let packages: Vec<&str> = missing.iter().flat_map(|need| need.debian).copied().collect();
    format!(
        "the tests need programs that are missing, and {reason}:\n{}\n\
         On Debian or Ubuntu: sudo apt-get install {}\n\
         Elsewhere: install them by the system's own means, so that they are on PATH.\n\
         What needs none of them runs alone: cargo xtask test --list names the steps",
        names.join("\n"),
        packages.join(" ")
    )
}

#[derive(Clone, Copy)]
enum Apt {
    AsRoot,
    BySudo,
}

/// How apt can be used here without asking anybody for a password.
fn apt() -> Option<Apt> {
    ask(Command::new("apt-get").arg("--version"))?;
    if ask(Command::new("id").arg("-u")).as_deref() == Some("0") {
        return Some(Apt::AsRoot);
    }
    ask(Command::new("sudo").args(["-n", "true"])).map(|_| Apt::BySudo)
}

fn apt_get(apt: Apt) -> Command {
    let mut command = match apt {
        Apt::AsRoot => Command::new("env"),
        Apt::BySudo => Command::new("sudo"),
    };
    if matches!(apt, Apt::BySudo) {
        command.args(["-n", "env"]);
    }
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
    command
}

/// Debian's Python without `python3-venv` has the module venv, but not the pip that it installs.
fn python() -> Option<String> {
    let script = "import sys, venv, ensurepip; print('.'.join(map(str, sys.version_info[:3])))";
    let version = ask(Command::new("python3").args(["-c", script]))?;
    is_at_least(&version, [3, 11]).then(|| format!("Python {version}"))
}

fn node() -> Option<String> {
    let version = ask(Command::new("node").arg("--version"))?;
    is_at_least(version.trim_start_matches('v'), [18, 0]).then(|| format!("Node.js {version}"))
}

fn npm() -> Option<String> {
    ask(Command::new("npm").arg("--version")).map(|version| format!("npm {version}"))
}

fn chromium() -> Option<String> {
    let given = env::var("CHROMIUM").ok();
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let mut candidates = given.iter().map(String::as_str).chain(names);
    candidates.find_map(|program| ask(Command::new(program).arg("--version")))
}

fn cpp() -> Option<String> {
    let told = ask(Command::new("c++").arg("--version"))?;
    told.lines().next().map(str::to_owned)
}

/// Debian keeps the programs of a server off `PATH`, so that several versions stand side by side.
fn postgresql_found() -> Option<String> {
    let postgres = tokenry_postgres_testing::programs()?.join("postgres");
    let told = ask(Command::new(postgres).arg("--version"))?;
    let version = told.split_whitespace().find(|word| is_at_least(word, [13, 0]))?;
    Some(format!("PostgreSQL {version}"))
}

/// It tells its version on standard error, so that it answers at all is what is asked.
fn nginx() -> Option<String> {
    let mut programs = ["nginx", "/usr/sbin/nginx", "/usr/local/sbin/nginx"].into_iter();
    programs.find(|program| ask(Command::new(program).arg("-v")).is_some()).map(str::to_owned)
}

fn is_at_least(version: &str, wanted: [u32; 2]) -> bool {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    [parts.next().unwrap_or(0), parts.next().unwrap_or(0)] >= wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(is_at_least("3.11.2", [3, 11]));
        assert!(is_at_least("3.12", [3, 11]));
        assert!(!is_at_least("3.9.18", [3, 11]));
        assert!(is_at_least("20.20.2", [18, 0]));
        assert!(!is_at_least("nonsense", [18, 0]));
    }

    #[test]
    fn what_is_missing_is_named_with_the_command_that_brings_it() {
        let needs: Vec<&Need> = NEEDS.iter().collect();
        let told = how_to_get(&needs, "this run is offline");
        assert!(told.contains("  - Node.js 18 or newer\n"));
        assert!(told.contains("sudo apt-get install python3 python3-venv nodejs npm chromium"));
    }
}
