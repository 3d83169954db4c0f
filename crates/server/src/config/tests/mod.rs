//! Rules of configuration, each by loading one.

mod bounds;
mod errors;
mod layers;
mod reference;
mod weaknesses;

use std::io::Write as _;

use tempfile::NamedTempFile;

use super::{Config, ConfigErrors, Loaded, Mode, Override};

/// Loads a file of this text, variables and flags.
fn load(
    file: &str,
    environment: &[(&str, &str)],
    flags: &[(&str, &str)],
) -> Result<Loaded, ConfigErrors> {
    let mut written = NamedTempFile::new().unwrap();
    written.write_all(file.as_bytes()).unwrap();
    let overrides: Vec<_> = flags
        .iter()
        .map(|(key, value)| Override {
            key: (*key).to_owned(),
            value: (*value).to_owned(),
            flag: format!("--{}", key.replace('_', "-")),
        })
        .collect();
    Config::load(Mode::Serve, Some(written.path()), pairs(environment), &overrides)
}

fn pairs(environment: &[(&str, &str)]) -> std::vec::IntoIter<(String, String)> {
    let owned: Vec<_> =
        environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    owned.into_iter()
}

/// The messages of a configuration that is refused, without the temporary file's folder and name.
fn refusals(file: &str, environment: &[(&str, &str)], flags: &[(&str, &str)]) -> Vec<String> {
    let errors = load(file, environment, flags).expect_err("this is refused");
    let shown = errors.iter().map(|error| {
        let mut error = error.clone();
        if let super::Origin::File { path, .. } = &mut error.origin {
            *path = "tokenry.toml".into();
        }
        error.to_string()
    });
    shown.collect()
}

/// The one message of a configuration that is refused for one thing.
fn refusal(file: &str, environment: &[(&str, &str)], flags: &[(&str, &str)]) -> String {
    let refusals = refusals(file, environment, flags);
    assert_eq!(refusals.len(), 1, "{refusals:#?}");
    refusals.into_iter().next().unwrap()
}
