//! Where things are: the repository's root, its target folder, and the programs that work on both.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// The repository that this program was built from, as `cargo metadata` describes it.
pub(crate) struct Workspace {
    /// The folder that holds the workspace's `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Cargo's target folder: everything that a run downloads or makes goes below it.
    pub(crate) target: PathBuf,
    /// The members only, without the packages they depend on.
    pub(crate) metadata: Value,
}

impl Workspace {
    /// Asks cargo; works in every folder of the repository.
    pub(crate) fn find() -> Result<Self> {
        let output = cargo()
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .output()
            .context("cargo could not be started")?;
        if !output.status.success() {
            bail!("cargo metadata failed:\n{}", String::from_utf8_lossy(&output.stderr));
        }
        let metadata: Value = serde_json::from_slice(&output.stdout)?;
        let folder = |name: &str| -> Result<PathBuf> {
            let folder = metadata.get(name).and_then(Value::as_str);
            Ok(folder.with_context(|| format!("cargo metadata has no {name}"))?.into())
        };
        Ok(Self { root: folder("workspace_root")?, target: folder("target_directory")?, metadata })
    }

    /// A cargo command that runs at the root.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = cargo();
        command.current_dir(&self.root);
        command
    }

    /// Copies these files into a folder that holds nothing else then.
    pub(crate) fn copy_to(&self, tree: &Path) -> Result<()> {
        if tree.exists() {
            fs::remove_dir_all(tree).with_context(|| tree.display().to_string())?;
        }
        for file in self.files()? {
            let (from, to) = (self.root.join(&file), tree.join(&file));
            if let Some(folder) = to.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::copy(&from, &to).with_context(|| from.display().to_string())?;
        }
        Ok(())
    }

    /// Every file of the repository that a person wrote, relative to the root, in a stable order.
    pub(crate) fn files(&self) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        collect(&self.root, Path::new(""), &mut files)?;
        files.sort();
        Ok(files)
    }
}

/// The cargo that started this program, so that both use one toolchain.
fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Walks the tree itself rather than asking git, so that an unpacked archive is checked as well.
fn collect(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let absolute = root.join(folder);
    let entries = fs::read_dir(&absolute).with_context(|| absolute.display().to_string())?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let path = folder.join(&name);
        let kind = entry.file_type()?;
        if kind.is_dir() {
            if name != "target" && name != ".git" && name != "node_modules" {
                collect(root, &path, files)?;
            }
        } else if kind.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copy_has_every_file_of_the_repository_and_none_of_an_earlier_copy() {
        let folder = tempfile::tempdir().unwrap();
        let (root, tree) = (folder.path().join("root"), folder.path().join("tree"));
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::create_dir_all(root.join("target")).unwrap();
        fs::write(root.join("a/b/c.rs"), "c").unwrap();
        fs::write(root.join("target/d"), "d").unwrap();
        fs::create_dir_all(&tree).unwrap();
        fs::write(tree.join("gone.rs"), "").unwrap();
        let target = root.join("target");
        let workspace = Workspace { root, target, metadata: Value::Null };
        workspace.copy_to(&tree).unwrap();
        let copied = Workspace { root: tree.clone(), target: tree, metadata: Value::Null };
        assert_eq!(copied.files().unwrap(), [PathBuf::from("a/b/c.rs")]);
    }
}
