//! Building the targets: stable Rust, with the instrumentation that libFuzzer reads.
//!
//! The compiler pass is the one that `cargo fuzz` switches on. No sanitizer comes with it: the
//! code has no `unsafe`, and sanitizers need a nightly compiler.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::workspace::Workspace;

/// Counters for each edge, a table to tell them apart, and the operands of comparisons.
const INSTRUMENTATION: &str = "-Cpasses=sancov-module \
     -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
     -Cllvm-args=-sanitizer-coverage-pc-table \
     -Cllvm-args=-sanitizer-coverage-trace-compares \
     --cfg fuzzing";

/// The program that holds every target, and where its inputs are.
pub(super) struct Fuzzer {
    program: PathBuf,
    /// `fuzz/` of the repository.
    pub(super) source: PathBuf,
    /// `fuzz/` of the target folder.
    pub(super) work: PathBuf,
}

impl Fuzzer {
    /// The program, told which target to run.
    pub(super) fn command(&self, target: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.env("TOKENRY_FUZZ_TARGET", target);
        command
    }

    /// The names of the targets.
    pub(super) fn targets(&self) -> Result<Vec<String>> {
        let output = Command::new(&self.program).env_remove("TOKENRY_FUZZ_TARGET").output()?;
        let names: Vec<String> =
            String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
        if !output.status.success() || names.is_empty() {
            bail!("{} names no targets", self.program.display());
        }
        Ok(names)
    }
}

/// `cargo` runs at the root of the repository.
pub(super) fn build(workspace: &Workspace, mut cargo: Command) -> Result<Fuzzer> {
    let source = workspace.root.join("fuzz");
    let work = workspace.target.join("fuzz");
    let host = host()?;
    cargo.env("RUSTFLAGS", INSTRUMENTATION).env_remove("CARGO_ENCODED_RUSTFLAGS");
    // Naming the target keeps the flags away from build scripts, which are programs of the host.
    cargo.args(["build", "--release", "--locked", "--target", &host]);
    cargo.arg("--manifest-path").arg(source.join("Cargo.toml"));
    let status = cargo.arg("--target-dir").arg(&work).status()?;
    if !status.success() {
        bail!("the fuzz targets do not build; they need a C++ compiler beside Rust");
    }
    let program = work.join(host).join("release/tokenry-fuzz");
    Ok(Fuzzer { program, source, work })
}

fn host() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").output().context("rustc could not be started")?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc -vV names no host")?.to_owned())
}
