//! The command line, as people and scripts meet it: what it prints, how it ends, what it asks.

mod api_tokens;
mod browser_sign_in;
mod clients;
mod completions;
mod databases;
mod doctor;
mod errors;
mod help;
mod introspect;
mod manual;
mod profiles;
mod questions;
mod sign_in;
mod site;
mod terminal;
mod tokens;
mod twin;
mod users;

use std::{
    fmt::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use crate::process::{TOKENRY, tokenry};

/// A time for people, as [`is_of`] takes it.
const SHOWN_MINUTE: &str = "dddd-dd-dd dd:ddZ";
/// A time for scripts.
const SECOND: &str = "dddd-dd-ddTdd:dd:ddZ";

/// `tokenry` with these arguments alone, in surroundings that say nothing of terminals.
fn bare(arguments: &[&str]) -> Command {
    plain(Command::new(TOKENRY), arguments)
}

/// The same on this folder.
fn on(folder: &Path, arguments: &[&str]) -> Command {
    plain(tokenry(folder, arguments), &[])
}

fn plain(mut command: Command, arguments: &[&str]) -> Command {
    for name in ["CI", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "TERM", "COLUMNS"] {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

/// What was typed, what it printed and how it ended.
fn told(mut command: Command, folder: &Path) -> String {
    let typed = typed(&command);
    redacted(&written(&typed, command.output().unwrap()), folder)
}

/// The same of what has run already.
fn written(typed: &str, output: Output) -> String {
    let Output { stdout, stderr, status } = output;
    let mut text = format!("$ tokenry {typed}\n");
    for (name, bytes) in [("stdout", stdout), ("stderr", stderr)] {
        let printed = String::from_utf8(bytes).unwrap().replace("\r\n", "␍\n");
        if !printed.is_empty() {
            write!(text, "── {name}\n{printed}").unwrap();
        }
    }
    let code = status.code().unwrap();
    format!("{text}── exit code {code}")
}

/// The arguments but for the folder, which every command is given.
fn typed(command: &Command) -> String {
    let arguments = command.get_args().map(|argument| argument.to_str().unwrap());
    let typed: Vec<&str> = arguments.take_while(|argument| *argument != "--data").collect();
    typed.join(" ")
}

/// The same without what differs from run to run.
fn redacted(text: &str, folder: &Path) -> String {
    let text = text.replace(folder.to_str().unwrap(), "[folder]");
    let lines = text.lines().map(|line| {
        let line = without_shown_time(line);
        let mut words = String::new();
        for word in line.split_inclusive(|c: char| !c.is_ascii_alphanumeric() && !"_:-".contains(c))
        {
            let end =
                word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric() && !"_:-".contains(c));
            words.push_str(redacted_word(end));
            words.push_str(&word[end.len()..]);
        }
        words
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn redacted_word(word: &str) -> &str {
    let is_password = word.len() == 20
        && word.contains(char::is_uppercase)
        && word.chars().all(|c| c.is_ascii_alphanumeric());
    if word.contains("_tokenry_") {
        "[credential]"
    } else if is_of(word, SECOND) {
        "[time]"
    } else if is_password {
        "[password]"
    } else {
        word
    }
}

/// A time for people is the last of a line, with how long ago it is.
fn without_shown_time(line: &str) -> String {
    let begins = |at: &usize| {
        line.get(*at..at + SHOWN_MINUTE.len()).is_some_and(|part| is_of(part, SHOWN_MINUTE))
    };
    match (0..line.len()).find(begins) {
        Some(at) if line[at..].ends_with("ago") || line.ends_with("just now") => {
            format!("{}[time, how long ago]", &line[..at])
        }
        _ => line.to_owned(),
    }
}

/// Whether `text` looks like `pattern`, in which `d` is a digit.
fn is_of(text: &str, pattern: &str) -> bool {
    let fits = |(c, p): (char, char)| if p == 'd' { c.is_ascii_digit() } else { c == p };
    text.len() == pattern.len() && text.chars().zip(pattern.chars()).all(fits)
}
