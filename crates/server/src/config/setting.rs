//! Settings as the reference, the report and the layers see them, whatever type they have.

use super::kinds::{Kind, Reach, Shown};

/// One setting as the reference and the report see it.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    /// `tokens.access_token_lifetime`
    pub(super) key: &'static str,
    /// What it means, one paragraph.
    pub(super) meaning: String,
    pub(super) kind: String,
    pub(super) bounds: Option<String>,
    pub(super) reach: Reach,
    pub(super) value: Shown,
    pub(super) example: Option<String>,
}

impl Setting {
    pub(super) fn new<K: Kind>(
        key: &'static str,
        lines: &[&str],
        kind: &K,
        value: &K::Value,
    ) -> Self {
        Self {
            key,
            meaning: paragraph(lines),
            kind: kind.name(),
            bounds: kind.bounds(),
            reach: kind.reach(),
            value: kind.show(value),
            example: kind.example(),
        }
    }

    /// The key within its section.
    pub(super) fn name(&self) -> &'static str {
        self.key.rsplit_once('.').map_or(self.key, |(_, name)| name)
    }
}

/// The name of a setting's environment variable: `TOKENRY_`, then the key in capitals, its dots as
/// underscores.
pub(super) fn environment_name(key: &str) -> String {
    format!("{PREFIX}{}", key.to_ascii_uppercase().replace('.', "_"))
}

/// What every environment variable of ours begins with.
pub(super) const PREFIX: &str = "TOKENRY_";

/// The settings of one section, with the values they have.
#[derive(Debug, Clone)]
pub(super) struct Group {
    /// The TOML table, empty for the settings at the top.
    pub(super) section: &'static str,
    pub(super) about: String,
    pub(super) settings: Vec<Setting>,
}

pub(super) fn paragraph(lines: &[&str]) -> String {
    let words: Vec<_> = lines.iter().map(|line| line.trim()).collect();
    words.join(" ").trim().to_owned()
}
