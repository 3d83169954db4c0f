//! The pages under `docs/` that the binary itself can tell: its endpoints, its settings and its
//! commands.
//!
//! `tokenry reference` prints each page; this module writes it, or says where it differs from what
//! the repository holds.

use std::fs;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::workspace::Workspace;

/// Each page, and the option of `tokenry reference` that prints it.
const PAGES: [(&str, &str); 3] = [
    ("docs/endpoints.md", "--endpoints"),
    ("docs/configuration.md", "--configuration"),
    ("docs/cli.md", "--cli"),
];

#[derive(Args)]
pub(crate) struct Arguments {
    /// Change nothing; fail when a page is not what the binary says
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let mut stale = Vec::new();
    for (path, option) in PAGES {
        let page = reference(workspace, option)?;
        let absolute = workspace.root.join(path);
        let written = fs::read_to_string(&absolute).unwrap_or_default();
        if written == page {
            println!("  {path} is up to date");
        } else if arguments.check {
            println!("  {path} differs{}", first_difference(&written, &page));
            stale.push(path);
        } else {
            fs::write(&absolute, page).with_context(|| path.to_owned())?;
            println!("  {path} written");
        }
    }
    if !stale.is_empty() {
        bail!("{} no longer match the binary. To mend: cargo xtask docs", stale.join(", "));
    }
    Ok(())
}

fn reference(workspace: &Workspace, option: &str) -> Result<String> {
    let output = workspace
        .cargo()
        .args(["run", "--quiet", "--package", "tokenry-cli", "--", "reference", option])
        .output()?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        bail!("tokenry reference {option} failed:\n{reason}");
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Enough to recognise what changed, without printing a whole page.
fn first_difference(written: &str, page: &str) -> String {
    let mut pairs = written.lines().zip(page.lines()).enumerate();
    match pairs.find(|(_, (old, new))| old != new) {
        Some((index, (old, new))) => {
            format!(" from line {}:\n  - {old}\n  + {new}", index + 1)
        }
        None => " in its length".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::first_difference;

    #[test]
    fn the_first_line_that_differs_is_named() {
        let told = first_difference("a\nb\nc\n", "a\nB\nc\n");
        assert_eq!(told, " from line 2:\n  - b\n  + B");
    }

    #[test]
    fn a_page_that_only_grew_differs_in_its_length() {
        assert_eq!(first_difference("a\n", "a\nb\n"), " in its length");
    }
}
