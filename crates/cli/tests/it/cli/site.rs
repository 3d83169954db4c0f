//! A running server, and somebody at a shell who speaks to it.

use std::{
    io::Write as _,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

use super::{bare, redacted, typed, written};
use crate::process::{self, Process};

/// A server with Ada, who administers, and a home that knows of no server yet.
pub(super) struct Site {
    pub(super) folder: tempfile::TempDir,
    pub(super) server: Process,
    pub(super) ada: Value,
}

impl Site {
    pub(super) fn start() -> Self {
        Self::start_with(&[])
    }

    /// With settings of the server.
    pub(super) fn start_with(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ada = process::init(folder.path());
        let server = Process::start_with(folder.path(), settings);
        Self { folder, server, ada }
    }

    /// The same with Ada signed in.
    pub(super) fn signed_in() -> Self {
        let site = Self::start();
        let ada = site.ada.clone();
        let output = site.sign_in(&ada, &[]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        site
    }

    /// Signs in with an API token.
    pub(super) fn sign_in(&self, user: &Value, options: &[&str]) -> Output {
        let email = user["email"].as_str().unwrap();
        let login = ["login", "--server", &self.server.base, "--email", email, "--api-token-stdin"];
        let token = user["api_token"].as_str().unwrap();
        with_input(self.command(&[&login, options].concat()), &format!("{token}\n"))
    }

    /// A user of the server.
    pub(super) fn create_user(&self, email: &str) -> Value {
        let create = ["user", "create", "--email", email, "--json"];
        let output = super::on(self.folder.path(), &create).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Where profiles are.
    pub(super) fn profiles(&self) -> PathBuf {
        self.folder.path().join("config/tokenry/profiles.toml")
    }

    /// `tokenry` in surroundings that say nothing but where the home is.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = bare(arguments);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("TOKENRY_") || text.starts_with("ZENDESK_") {
                command.env_remove(name);
            }
        }
        command.env("HOME", self.folder.path());
        command.env("XDG_CONFIG_HOME", self.folder.path().join("config"));
        command
    }

    /// What was typed, what it printed and how it ended.
    pub(super) fn told(&self, arguments: &[&str]) -> String {
        self.told_of(self.command(arguments))
    }

    /// The same of a command of one's own.
    pub(super) fn told_of(&self, mut command: Command) -> String {
        let typed = typed(&command);
        let output = command.output().unwrap();
        self.told_output(&typed, output)
    }

    pub(super) fn told_output(&self, typed: &str, output: Output) -> String {
        let text = written(typed, output);
        let text = text.replace(&self.server.base, "[server]");
        let text = text.replace(&self.server.base["http://".len()..], "[host]");
        redacted(&text, self.folder.path())
    }

    /// What it printed as JSON.
    pub(super) fn json(&self, arguments: &[&str]) -> Value {
        let output = self.command(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// How it ended.
    pub(super) fn code(&self, arguments: &[&str]) -> Option<i32> {
        self.command(arguments).output().unwrap().status.code()
    }
}

/// Runs it, and gives it something to read.
pub(super) fn with_input(mut command: Command, input: &str) -> Output {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}
