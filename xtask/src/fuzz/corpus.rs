//! The kept corpus: as few inputs as reach what all of them reach.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};

use super::build::Fuzzer;

/// Folds what was learnt into the kept corpus. Inputs that a person named stay: seeds, and what
/// once broke a property.
pub(super) fn keep(fuzzer: &Fuzzer, name: &str) -> Result<()> {
    let learnt = fuzzer.work.join("corpus").join(name);
    let kept = fuzzer.source.join("corpus").join(name);
    let merged = fuzzer.work.join("merged").join(name);
    if merged.exists() {
        fs::remove_dir_all(&merged)?;
    }
    fs::create_dir_all(&merged)?;
    fs::create_dir_all(&learnt)?;
    // What is named comes first, so that only what it does not reach is added.
    for input in inputs(&kept)? {
        let is_named = !is_made(&input);
        if is_named {
            fs::copy(kept.join(&input), merged.join(&input))?;
        }
    }
    let mut command = fuzzer.command(name);
    // How often an edge is taken does not count here: a small corpus, and all of the code.
    command.args(["-set_cover_merge=1", "-use_counters=0", "-max_len=4096"]);
    command.args([&merged, &kept, &learnt]);
    if !command.stdout(Stdio::null()).stderr(Stdio::null()).status()?.success() {
        bail!("the corpus of {name} cannot be merged: run the target first");
    }
    for input in inputs(&kept)?.iter().filter(|input| is_made(input)) {
        fs::remove_file(kept.join(input))?;
    }
    for input in inputs(&merged)? {
        fs::copy(merged.join(&input), kept.join(&input))?;
    }
    println!("  {name}: {} inputs kept", inputs(&kept)?.len());
    Ok(())
}

fn inputs(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    names.collect()
}

/// libFuzzer names an input by its SHA-1.
fn is_made(name: &str) -> bool {
    name.len() == 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_that_a_person_named_are_told_from_made_ones() {
        assert!(is_made("adc83b19e793491b1c6ea0fd8b46cd9f32e592fc"));
        assert!(!is_made("found-a-host-with-a-semicolon"));
        assert!(!is_made("seed"));
    }
}
