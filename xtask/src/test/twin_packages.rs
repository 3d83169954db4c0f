//! The packages of `twin/`, by which test suites in other languages start and turn a twin: built as
//! they are installed, and their own tests run with them against the binary.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::Context;
use super::clients;
use super::command::{ask, count, succeed};
use super::tally::Tally;

pub(super) fn run(context: &Context) -> Result<Tally> {
    succeed(context.cargo().args(["build", "--package", "tokenry-cli", "--locked"]))?;
    let mut tally = python(context)?;
    tally.add(&node(context)?);
    Ok(tally)
}

/// Takes a test's command to the binary that was just built, and leaves nothing in the sources.
fn with_binary(context: &Context, mut command: Command) -> Command {
    let target = &context.workspace.target;
    command
        .env("TOKENRY_BIN", target.join("debug").join("tokenry"))
        .env("CARGO_TARGET_DIR", target);
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn python(context: &Context) -> Result<Tally> {
    let source = context.workspace.root.join("twin/python");
    let environment = context.workspace.target.join("twin/python");
    let lock = source.join("requirements.txt");
    clients::install_python(context, (&lock, None), &environment)?;
    let interpreter = environment.join("bin/python");
    let mut install = Command::new(&interpreter);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    // What it is built with is installed already, from the lock file.
    install.args(["--no-index", "--no-build-isolation", "--no-deps", "--force-reinstall"]);
    succeed(install.arg(&source))?;
    let mut pytest = with_binary(context, Command::new(&interpreter));
    pytest.args(["-m", "pytest", "--quiet", "-p", "no:cacheprovider"]);
    count(pytest.current_dir(&source))
}

fn node(context: &Context) -> Result<Tally> {
    let source = context.workspace.root.join("twin/node");
    let folder = context.workspace.target.join("twin/node");
    clients::install_npm(context, &source.join("tests"), &folder)?;
    install_package(&source, &folder)?;
    let tests = copy_tests(&source.join("tests"), &folder)?;
    let mut node = with_binary(context, Command::new("node"));
    node.args(["--test", "--test-reporter=tap"]).args(tests);
    count(node.current_dir(&folder))
}

/// Out of the archive that would be published, so that a file that this lacks is missed.
fn install_package(source: &Path, folder: &Path) -> Result<()> {
    let mut pack = Command::new("npm");
    pack.args(["pack", "--silent", "--pack-destination"]).arg(folder).current_dir(source);
    let archive = ask(&mut pack).context("npm pack failed in twin/node")?;
    let package = folder.join("node_modules/tokenry-twin");
    if package.exists() {
        fs::remove_dir_all(&package).with_context(|| package.display().to_string())?;
    }
    fs::create_dir_all(&package).with_context(|| package.display().to_string())?;
    let mut unpack = Command::new("tar");
    unpack.arg("-xzf").arg(folder.join(archive)).arg("-C").arg(&package);
    succeed(unpack.arg("--strip-components=1"))
}

/// Node.js looks for packages above a script, so the tests go where the packages are.
fn copy_tests(source: &Path, folder: &Path) -> Result<Vec<PathBuf>> {
    let mut tests = Vec::new();
    for entry in fs::read_dir(source).with_context(|| source.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default();
        let is_source = path.extension().is_some_and(|kind| kind == "js" || kind == "ts");
        if is_source {
            fs::copy(&path, folder.join(name)).with_context(|| path.display().to_string())?;
        }
        if is_source && name.to_string_lossy().ends_with(".test.js") {
            tests.push(PathBuf::from(name));
        }
    }
    tests.sort();
    Ok(tests)
}
