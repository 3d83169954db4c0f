//! As written: what the file, the environment and the flags say, layer over layer, before it is
//! checked. Names that are no setting are refused here; values are read by [`Layers::take`], which
//! the sections call once per setting.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use toml::de::{DeTable, DeValue};

use super::{
    error::{ConfigError, Fault, Origin},
    kinds::{Kind, Raw, Reach},
    nearest::nearest,
    setting::{Group, PREFIX, environment_name},
};

/// A setting given on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// `tokens.access_token_lifetime`
    pub key: String,
    /// As text, in the form the environment takes.
    pub value: String,
    /// As the user typed it, for messages: `--listen`.
    pub flag: String,
}

/// The environment variable that names the file when no flag does. It is no setting.
pub const FILE_VARIABLE: &str = "TOKENRY_CONFIG";

struct Entry {
    raw: Raw,
    origin: Origin,
}

/// What is written for each setting, the strongest last, and what was found wrong so far.
pub(super) struct Layers {
    keys: Vec<&'static str>,
    entries: BTreeMap<&'static str, Vec<Entry>>,
    origins: BTreeMap<&'static str, Origin>,
    broken: BTreeSet<&'static str>,
    errors: Vec<ConfigError>,
}

impl Layers {
    pub(super) fn new(groups: &[Group]) -> Self {
        let settings = groups.iter().flat_map(|group| &group.settings);
        Self {
            keys: settings.map(|setting| setting.key).collect(),
            entries: BTreeMap::new(),
            origins: BTreeMap::new(),
            broken: BTreeSet::new(),
            errors: Vec::new(),
        }
    }

    pub(super) fn add_file(&mut self, path: &Path) {
        match fs::read_to_string(path) {
            Ok(text) => self.add_text(path, &text),
            Err(error) => self.refuse(
                None,
                Origin::File { path: path.to_owned(), line: None },
                Fault::new(
                    format!("the configuration file cannot be read: {error}"),
                    "name a file of UTF-8 text that this user may read",
                ),
            ),
        }
    }

    fn add_text(&mut self, path: &Path, text: &str) {
        let origin = |position: Option<usize>| {
            let before = position.and_then(|position| text.get(..position));
            Origin::File {
                path: path.to_owned(),
                line: before.map(|before| before.matches('\n').count() + 1),
            }
        };
        let (table, mut faults) = DeTable::parse_recoverable(text);
        faults.sort_by_key(|fault| fault.span().map(|span| span.start));
        // What was recovered from broken text would only add faults that are none.
        if faults.is_empty() {
            self.add_table("", table.get_ref(), &origin);
        }
        for fault in faults {
            self.refuse(
                None,
                origin(fault.span().map(|span| span.start)),
                Fault::new(
                    format!("this is not TOML: {}", fault.message()),
                    "mend the line; see https://toml.io",
                ),
            );
        }
    }

    fn add_table(
        &mut self,
        prefix: &str,
        table: &DeTable<'_>,
        origin: &dyn Fn(Option<usize>) -> Origin,
    ) {
        for (name, value) in table {
            let key = format!("{prefix}{}", name.get_ref());
            let origin_here = origin(Some(name.span().start));
            let section = format!("{key}.");
            let is_section = self.keys.iter().any(|known| known.starts_with(&section));
            match value.get_ref() {
                DeValue::Table(inner) if !self.keys.contains(&key.as_str()) => {
                    if inner.is_empty() && !is_section {
                        self.refuse_unknown(&key, origin_here);
                    }
                    self.add_table(&section, inner, origin);
                }
                _ if is_section => {
                    let fault = Fault::new(
                        "this is the name of a section, not of a setting",
                        format!("write [{key}] and its settings on the lines after it"),
                    );
                    self.refuse(Some(&key), origin_here, fault);
                }
                value => self.add(&key, raw(value), origin_here),
            }
        }
    }

    pub(super) fn add_environment(&mut self, environment: &[(String, String)]) {
        let names: BTreeMap<String, &'static str> =
            self.keys.iter().map(|key| (environment_name(key), *key)).collect();
        for (name, value) in environment {
            // An empty variable is how many tools say "not set".
            if !name.starts_with(PREFIX) || name == FILE_VARIABLE || value.is_empty() {
                continue;
            }
            let origin = Origin::Environment(name.clone());
            match names.get(name) {
                Some(key) => self.add(key, Raw::Plain(value.clone()), origin),
                None if is_not_ours(name) => {}
                None => {
                    let meant = nearest(name, names.keys().map(String::as_str));
                    let fault = unknown("no setting has this variable", meant);
                    self.refuse(None, origin, fault);
                }
            }
        }
    }

    pub(super) fn add_overrides(&mut self, overrides: &[Override]) {
        for given in overrides {
            let raw = Raw::Plain(given.value.clone());
            self.add(&given.key, raw, Origin::Flag(given.flag.clone()));
        }
    }

    fn add(&mut self, key: &str, raw: Raw, origin: Origin) {
        match self.keys.iter().find(|known| **known == key) {
            Some(key) => {
                let entries = self.entries.entry(key).or_default();
                entries.push(Entry { raw, origin });
            }
            None => self.refuse_unknown(key, origin),
        }
    }

    fn refuse_unknown(&mut self, key: &str, origin: Origin) {
        let meant = nearest(key, self.keys.iter().copied());
        let fault = unknown("there is no such setting", meant);
        self.refuse(Some(key), origin, fault);
    }

    fn refuse(&mut self, key: Option<&str>, origin: Origin, fault: Fault) {
        self.errors.push(ConfigError::new(key, origin, fault));
    }

    /// Reads one setting. Values that a stronger layer hides are checked all the same: they would
    /// be in force the day that layer goes.
    pub(super) fn take<K: Kind>(
        &mut self,
        key: &'static str,
        kind: &K,
        default: K::Value,
    ) -> K::Value {
        let mut chosen = default;
        for Entry { raw, origin } in self.entries.remove(key).unwrap_or_default() {
            let read = match (kind.reach(), &origin) {
                (Reach::EnvironmentOnly, Origin::File { .. } | Origin::Flag(_)) => Err(Fault::new(
                    "a secret may not be written here",
                    format!("set it by {} or name a file that holds it", environment_name(key)),
                )),
                _ => kind.parse(&raw),
            };
            match read {
                Ok(value) => {
                    chosen = value;
                    self.origins.insert(key, origin);
                }
                Err(fault) => {
                    self.broken.insert(key);
                    self.refuse(Some(key), origin, fault);
                }
            }
        }
        chosen
    }

    /// Whether all these settings could be read, so that they can be compared.
    pub(super) fn sound(&self, keys: &[&'static str]) -> bool {
        keys.iter().all(|key| !self.broken.contains(key))
    }

    /// Refuses a value for what another setting says.
    pub(super) fn refuse_value(&mut self, key: &'static str, fault: Fault) {
        let origin = self.origins.get(key).cloned().unwrap_or(Origin::Default);
        self.refuse(Some(key), origin, fault);
    }

    /// Notes that another setting decides this one.
    pub(super) fn imply(&mut self, key: &'static str, by: &'static str) {
        self.origins.insert(key, Origin::Implied(by));
    }

    /// Where each written setting came from, or everything that is wrong.
    pub(super) fn finish(self) -> Result<BTreeMap<&'static str, Origin>, Vec<ConfigError>> {
        if self.errors.is_empty() { Ok(self.origins) } else { Err(self.errors) }
    }
}

fn unknown(problem: &str, meant: Option<&str>) -> Fault {
    let remedy = match meant {
        Some(name) => format!("did you mean {name}?"),
        None => "docs/configuration.md lists every setting".to_owned(),
    };
    Fault::new(problem, remedy)
}

/// Variables that are not for the server: those of clients, and those that Kubernetes and Docker
/// set for a service called `tokenry`, in every container that may reach it.
pub(super) fn is_not_ours(name: &str) -> bool {
    let rest = name.strip_prefix(PREFIX).unwrap_or_default();
    let foreign = ["CLIENT_", "PORT_", "SERVICE_HOST", "SERVICE_PORT"];
    rest == "PORT" || foreign.iter().any(|start| rest.starts_with(start))
}

fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Raw::Other("a number beyond 64 bits"), Raw::Integer),
        DeValue::Boolean(value) => Raw::Boolean(*value),
        DeValue::Array(items) => Raw::List(items.iter().map(|item| raw(item.get_ref())).collect()),
        DeValue::Float(_) => Raw::Other("a number with a fraction"),
        DeValue::Datetime(_) => Raw::Other("a date or time"),
        DeValue::Table(_) => Raw::Other("a table"),
    }
}
