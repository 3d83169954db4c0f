//! What is wrong with a configuration: every fault at once, each with its key, where it was
//! written, what is wrong, and how to mend it.

use std::{error::Error, fmt, path::PathBuf};

/// Where the value of a setting came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody wrote it.
    Default,
    /// The configuration file.
    File {
        /// As it was named to the program.
        path: PathBuf,
        /// Counted from 1; `None` where the fault is the file itself.
        line: Option<usize>,
    },
    /// An environment variable, by its name.
    Environment(String),
    /// A command-line flag, as the user types it: `--listen`.
    Flag(String),
    /// Another setting decides it.
    Implied(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => formatter.write_str("default"),
            Self::File { path, line: Some(line) } => write!(formatter, "{}:{line}", path.display()),
            Self::File { path, line: None } => write!(formatter, "{}", path.display()),
            Self::Environment(name) | Self::Flag(name) => formatter.write_str(name),
            Self::Implied(by) => write!(formatter, "because of {by}"),
        }
    }
}

/// What is wrong with a value and how to mend it, before it is known where the value was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) problem: String,
    pub(super) remedy: String,
}

impl Fault {
    pub(super) fn new(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { problem: problem.into(), remedy: remedy.into() }
    }
}

/// One fault of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The setting (`tokens.access_token_lifetime`), or `None` where the file itself is at fault.
    pub key: Option<String>,
    /// Where the value is written.
    pub origin: Origin,
    /// What is wrong. Never holds a secret.
    pub problem: String,
    /// What to write instead.
    pub remedy: String,
}

impl ConfigError {
    pub(super) fn new(key: Option<&str>, origin: Origin, fault: Fault) -> Self {
        Self { key: key.map(str::to_owned), origin, problem: fault.problem, remedy: fault.remedy }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(formatter, "{key} ({})", self.origin)?,
            None => write!(formatter, "{}", self.origin)?,
        }
        write!(formatter, ": {}; {}", self.problem, self.remedy)
    }
}

/// Every fault of a configuration, in the order file, environment, flags, then what does not go
/// together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(pub(super) Vec<ConfigError>);

impl ConfigErrors {
    /// The faults; never empty.
    pub fn iter(&self) -> impl Iterator<Item = &ConfigError> {
        self.0.iter()
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => formatter.write_str("the configuration has 1 error:")?,
            count => write!(formatter, "the configuration has {count} errors:")?,
        }
        for error in &self.0 {
            write!(formatter, "\n  {error}")?;
        }
        Ok(())
    }
}

impl Error for ConfigErrors {}
