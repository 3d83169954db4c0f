//! A client that is driven line by line (`acceptance/python/driven.py`, `node/driven.mjs`).

use std::{
    fs,
    io::{BufRead as _, BufReader, Lines, Write as _},
    process::{Child, ChildStdin, ChildStdout, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::verdict::Heard;
use crate::script::{self, Language};

/// A running client; it ends with the value.
pub(super) struct Driver {
    process: Child,
    asks: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    base: String,
    /// Its name and version, as it says.
    pub(super) driven: String,
    _folder: TempDir,
}

impl Driver {
    /// Starts a script against a server.
    pub(super) fn start(language: Language, name: &str, base: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let setup = folder.path().join("setup.json");
        fs::write(&setup, json!({ "base": base }).to_string()).unwrap();
        let mut command = script::command(language, name);
        command.arg(setup).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap_or_else(|error| {
            panic!("{command:?}: {error}\nTo install it: cargo xtask test --only acceptance")
        });
        let asks = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap()).lines();
        let (base, driven) = (base.to_owned(), String::new());
        let mut started = Self { process, asks, answers, base, driven, _folder: folder };
        started.hear()["driven"].as_str().unwrap().clone_into(&mut started.driven);
        started
    }

    pub(super) fn open(&mut self, account: &Value) {
        self.must(&json!({ "do": "open", "account": account }));
    }

    /// Time has passed for what it keeps.
    pub(super) fn later(&mut self, seconds: u64) {
        self.must(&json!({ "do": "later", "seconds": seconds }));
    }

    /// The tokens that it has kept.
    pub(super) fn held(&mut self) -> Value {
        self.must(&json!({ "do": "held" }))
    }

    /// One of its jobs.
    pub(super) fn job(&mut self, name: &str) -> Heard {
        let answer = self.ask(&json!({ "do": name }));
        match answer["error"].as_str() {
            None => Ok(()),
            Some(error) => Err(super::verdict::shown(error, &self.base)),
        }
    }

    fn must(&mut self, what: &Value) -> Value {
        let mut answer = self.ask(what);
        assert!(answer["error"].is_null(), "{}: {what}: {answer}", self.driven);
        answer["told"].take()
    }

    fn ask(&mut self, what: &Value) -> Value {
        writeln!(self.asks, "{what}").unwrap();
        self.asks.flush().unwrap();
        self.hear()
    }

    fn hear(&mut self) -> Value {
        let Some(line) = self.answers.next() else {
            panic!("the client {} ended; what it said is above", self.driven)
        };
        serde_json::from_str(&line.unwrap()).unwrap()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
