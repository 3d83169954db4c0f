//! The pages that the binary itself can tell: `tokenry reference` prints each of them.

use anyhow::{Result, bail};

use super::Page;
use crate::workspace::Workspace;

/// Each page, and the option of `tokenry reference` that prints it.
const PAGES: [(&str, &str); 4] = [
    ("docs/endpoints.md", "--endpoints"),
    ("docs/configuration.md", "--configuration"),
    ("docs/cli.md", "--cli"),
    ("docs/twin/control.md", "--twin"),
];

pub(super) fn pages(workspace: &Workspace) -> impl Iterator<Item = Result<Page>> {
    PAGES.into_iter().map(|(path, option)| {
        Ok(Page { path: path.to_owned(), text: reference(workspace, option)? })
    })
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
