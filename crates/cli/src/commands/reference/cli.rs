//! `docs/cli.md`: the same as every `--help`, on one page.

use std::fmt::Write as _;

use clap::{Arg, ArgAction, Command, CommandFactory as _};

use crate::{args::Cli, exit_code::Exit};

const INTRODUCTION: &str = "# The command line

Generated from the commands themselves by `cargo xtask docs`. `tokenry help COMMAND` shows the same,
`tokenry man --dir DIR` writes manual pages, and `tokenry completions SHELL` completes it all in
bash, zsh and fish.

## What commands print

Data goes to standard output, everything else to standard error. What a command prints for people
may change with any version; what scripts read does not lose a member.

| option | what is printed |
|---|---|
| | a table as wide as the terminal, in which long cells are cut; in full where it is no terminal |
| `--json` | an object, or of a list an array of objects, an object a line |
| `--yaml` | the same as YAML |
| `--csv` | a header and a record a line (RFC 4180); text that a spreadsheet would take for a \
formula begins with an apostrophe |
| `-q`, `--quiet` | ids, one a line |

Lists of any length are written as they are read. Times are shown in UTC with how long ago they are,
and to scripts as RFC 3339. Control characters in names are shown as `\\u{1b}` and are never obeyed.
There is colour on a terminal, unless `NO_COLOR` or `TERM=dumb` is set or `CLICOLOR` is 0;
`CLICOLOR_FORCE=1` colours everything. `COLUMNS` is the width of a terminal, where it is set.

What cannot be undone is confirmed at the terminal, or by `--yes`. An error is a line
`tokenry: what is wrong`, and where it is known a line `hint: how to mend it`.

## Exit codes

| code | meaning |
|---|---|
";

/// The page.
pub(super) fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    for exit in Exit::ALL {
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(page, "| {} | {} |", exit.code(), exit.meaning());
    }
    let mut cli = Cli::command().disable_help_subcommand(true).term_width(100);
    cli.build();
    for command in visible(&cli) {
        section(&mut page, command, "tokenry");
    }
    page
}

fn visible(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|command| !command.is_hide_set())
}

fn section(page: &mut String, command: &Command, before: &str) {
    let name = format!("{before} {}", command.get_name());
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let _ = writeln!(page, "\n## `{name}`\n\n{about}.");
    if visible(command).next().is_none() {
        let usage = command.clone().render_usage().to_string();
        let _ = writeln!(page, "\n```text\n{}\n```", usage.trim_start_matches("Usage: "));
    }
    let arguments: Vec<&Arg> =
        command.get_arguments().filter(|argument| is_shown(argument)).collect();
    if !arguments.is_empty() {
        page.push_str("\n| argument | meaning |\n|---|---|\n");
    }
    for argument in arguments {
        let (written, meaning) = (in_cell(&written(argument)), in_cell(&meaning(argument)));
        let _ = writeln!(page, "| `{written}` | {meaning} |");
    }
    if let Some(notes) = command.get_after_help() {
        let _ = writeln!(page, "\n```text\n{notes}\n```");
    }
    for command in visible(command) {
        section(page, command, &name);
    }
}

/// Every command has those that are not.
fn is_shown(argument: &Arg) -> bool {
    let is_everywhere = matches!(
        argument.get_action(),
        ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong | ArgAction::Version
    );
    !is_everywhere && !argument.is_hide_set()
}

fn written(argument: &Arg) -> String {
    match argument.get_short() {
        Some(short) => format!("-{short}, {argument}"),
        None => argument.to_string(),
    }
}

fn meaning(argument: &Arg) -> String {
    let mut text = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let values: Vec<String> = argument
        .get_possible_values()
        .iter()
        .filter(|_| argument.get_action().takes_values())
        .map(|value| match value.get_help() {
            Some(help) => format!("`{}` ({help})", value.get_name()),
            None => format!("`{}`", value.get_name()),
        })
        .collect();
    if !values.is_empty() {
        let _ = write!(text, ": {}", values.join(", "));
    }
    if let [default] = argument.get_default_values()
        && argument.get_action().takes_values()
    {
        let _ = write!(text, " [default: {}]", default.display());
    }
    text
}

/// A bar would end the cell.
fn in_cell(text: &str) -> String {
    text.replace('|', "\\|")
}
