//! The fixtures as files.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::Value;

/// An example exchange.
#[derive(Debug, Clone, Deserialize)]
pub struct Fixture {
    #[serde(skip)]
    pub number: u32,
    pub name: String,
    /// `both`, `serve` or `twin`.
    pub mode: String,
    pub request: Request,
    pub response: Response,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Request {
    pub method: String,
    /// With its query.
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: Value,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Response {
    pub status: u16,
    /// Only those that matter.
    pub headers: BTreeMap<String, String>,
    pub body: Value,
}

impl Fixture {
    /// All of them, in the order of their numbers.
    pub fn all() -> Vec<Self> {
        let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
        let mut fixtures: Vec<_> = files.filter_map(|path| Self::read(&path)).collect();
        fixtures.sort_by_key(|fixture| fixture.number);
        fixtures
    }

    pub fn number(number: u32) -> Self {
        let mut all = Self::all().into_iter();
        all.find(|fixture| fixture.number == number).unwrap()
    }

    /// `None` for a file that is no exchange: its name has no number.
    fn read(path: &Path) -> Option<Self> {
        let number = path.file_name()?.to_str()?.get(..3)?.parse().ok()?;
        let text = fs::read_to_string(path).unwrap();
        let fixture: Self = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Some(Self { number, ..fixture })
    }
}

/// The record of the page that the wire was first described on.
pub fn seed_record() -> Value {
    let text = fs::read_to_string(folder().join("seed-record.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/contract")
}
