//! `tokenry completions`, through the shells themselves.

use std::process::Command;

use super::{bare, terminal::Terminal};

/// A script, in a folder of its own.
fn script(shell: &str) -> (tempfile::TempDir, String) {
    let output = bare(&["completions", shell]).output().unwrap();
    assert!(output.status.success());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("script");
    std::fs::write(&path, output.stdout).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

#[test]
fn every_shell_that_is_here_can_read_its_script() {
    for shell in ["bash", "zsh", "fish"] {
        let (_folder, script) = script(shell);
        match Command::new(shell).args(["-n", &script]).output() {
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success() && said.is_empty(), "{shell}: {said}");
            }
            Err(_) => assert_ne!(shell, "bash", "bash is here on every machine that runs tests"),
        }
    }
}

#[test]
fn bash_completes_commands_and_options() {
    let (_folder, script) = script("bash");
    let mut bash = Command::new("bash");
    bash.args(["--norc", "--noprofile", "-i"]).env("PS1", "> ").env("TERM", "dumb");
    // No file may be completed instead.
    bash.env("INPUTRC", "/dev/null").env_remove("PROMPT_COMMAND");
    let mut terminal = Terminal::start(&bash, 200);
    terminal.wait_for("> ");
    terminal.enter(&format!("source {script}; echo rea''dy\n"));
    terminal.wait_for("ready");
    for (typed, completed) in [
        ("tokenry us\t", "tokenry user "),
        ("tokenry user set-p\t", "tokenry user set-password "),
        ("tokenry user list --ro\t", "tokenry user list --role "),
        ("tokenry user list --role adm\t", "tokenry user list --role admin "),
    ] {
        terminal.enter(typed);
        terminal.wait_for(completed);
        // Ctrl-U: the line is given up.
        terminal.enter("\u{15}");
    }
    terminal.enter("exit\n");
    terminal.end();
}
