//! The crates that other programs are built of, as these get them: with one feature at a time, with
//! no more than they say, for other targets, and out of a package.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::Context;
use super::command::{ask, succeed};
use super::tally::Tally;

const PROTOCOL: &str = "tokenry-protocol";
const CLIENT: &str = "tokenry-client";

/// A library, and the features of it that go together.
const FEATURE_SETS: &[(&str, &str)] = &[
    (PROTOCOL, ""),
    (PROTOCOL, "credentials"),
    (PROTOCOL, "requests"),
    (CLIENT, ""),
    (CLIENT, "sans-io"),
    (CLIENT, "client"),
    (CLIENT, "reqwest"),
    (CLIENT, "loopback"),
    (CLIENT, "blocking"),
    (CLIENT, "reqwest,blocking"),
];

/// What a library needs without any feature, itself left out.
const NEEDS: &[(&str, &[&str])] = &[(PROTOCOL, &["serde", "serde_json"]), (CLIENT, &[PROTOCOL])];

/// A target without an operating system, and what is built for it.
const WASM: &str = "wasm32-unknown-unknown";
const FOR_WASM: &[(&str, &str)] = &[(PROTOCOL, "requests"), (CLIENT, "sans-io")];

/// Lints and not a mere build: what only some feature needs is unused without it.
pub(super) fn features(context: &Context) -> Result<Tally> {
    let mut tally = Tally::default();
    for (library, features) in FEATURE_SETS {
        let mut clippy = context.cargo();
        choose(clippy.args(["clippy", "--locked", "--lib"]), library, features);
        succeed(clippy.args(["--", "-D", "warnings"]))?;
        tally.add(&Tally::one_passed());
    }
    for (library, expected) in NEEDS {
        let mut tree = context.cargo();
        tree.args(["tree", "--locked", "--depth", "1", "--edges", "normal"]);
        tree.args(["--prefix", "none", "--format", "{p}", "--package", library]);
        let told = ask(tree.arg("--no-default-features"));
        let told = told.with_context(|| format!("what {library} needs cannot be told"))?;
        check_needs(library, &told, expected)?;
        tally.add(&Tally::one_passed());
    }
    tally.add(&wasm(context)?);
    Ok(tally)
}

/// The library with these features and no others.
fn choose(command: &mut Command, library: &str, features: &str) {
    command.args(["--package", library, "--no-default-features", "--features", features]);
}

/// Holds the lines of `cargo tree` against what is expected below the first of them.
fn check_needs(library: &str, told: &str, expected: &[&str]) -> Result<()> {
    let names = told.lines().skip(1).filter_map(|line| line.split(' ').next());
    let needs: BTreeSet<&str> = names.collect();
    let expected: BTreeSet<&str> = expected.iter().copied().collect();
    if needs != expected {
        bail!("without features {library} needs {needs:?}, and should need {expected:?}");
    }
    Ok(())
}

/// Nothing is installed for it: a closed network has no targets.
fn wasm(context: &Context) -> Result<Tally> {
    let mut rustup = Command::new("rustup");
    rustup.current_dir(&context.workspace.root).args(["target", "list", "--installed"]);
    let installed = ask(&mut rustup).is_some_and(|list| list.lines().any(|line| line == WASM));
    if !installed {
        println!("  {WASM}: skipped, not installed (rustup target add {WASM})");
        return Ok(Tally::one_skipped());
    }
    for (library, features) in FOR_WASM {
        let mut check = context.cargo();
        choose(check.args(["check", "--locked", "--lib", "--target", WASM]), library, features);
        succeed(&mut check)?;
    }
    Ok(Tally::one_passed())
}

/// Packs and builds them as if they were published, which the workspace forbids: so from a copy of
/// it that does not.
pub(super) fn package(context: &Context) -> Result<Tally> {
    let copy = context.workspace.target.join("package-workspace");
    context.workspace.copy_to(&copy)?;
    let manifest = copy.join("Cargo.toml");
    let text = fs::read_to_string(&manifest)?;
    if !text.contains(FORBIDDEN) {
        bail!("Cargo.toml no longer says {FORBIDDEN:?}: package from the workspace itself");
    }
    fs::write(&manifest, text.replace(FORBIDDEN, ALLOWED))?;
    let mut cargo = context.cargo();
    cargo.current_dir(&copy).args(["package", "--locked", "--allow-dirty"]);
    cargo
        .args(["--package", PROTOCOL, "--package", CLIENT, "--target-dir"])
        .arg(&context.workspace.target);
    succeed(&mut cargo)?;
    fs::remove_dir_all(&copy)?;
    Ok(Tally { passed: 2, ..Tally::default() })
}

const FORBIDDEN: &str = "\npublish = false\n";
const ALLOWED: &str = "\npublish = true\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_needs_more_or_less_than_it_should_is_told() {
        let told = "tokenry-protocol v0.1.0 (/x)\nserde v1.0.228\nserde_json v1.0.145";
        let (serde, json) = ("serde", "serde_json");
        assert!(check_needs(PROTOCOL, told, &[serde, json]).is_ok());
        for expected in [&[serde][..], &[serde, json, "url"]] {
            let error = check_needs(PROTOCOL, told, expected).unwrap_err().to_string();
            assert!(error.contains("tokenry-protocol needs"), "{error}");
        }
    }

    /// The features of a library as its manifest has them.
    fn declared(manifest: &str) -> BTreeSet<&str> {
        let section = manifest.split("[features]\n").nth(1).unwrap();
        let section = section.split("\n[").next().unwrap();
        let lines = section.lines().filter_map(|line| line.split_once(" = "));
        lines.map(|(name, _)| name).filter(|name| *name != "default").collect()
    }

    #[test]
    fn every_feature_is_built_by_itself() {
        for (library, manifest) in [
            (PROTOCOL, include_str!("../../../crates/protocol/Cargo.toml")),
            (CLIENT, include_str!("../../../crates/client/Cargo.toml")),
        ] {
            for feature in declared(manifest) {
                assert!(FEATURE_SETS.contains(&(library, feature)), "{library}: {feature}");
            }
            assert!(FEATURE_SETS.contains(&(library, "")));
        }
    }
}
