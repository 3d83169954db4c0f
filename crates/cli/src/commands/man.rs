//! `tokenry man`

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use clap::{Args, Command, CommandFactory as _};
use clap_mangen::Man;

use crate::{args::Cli, output};

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry man | man -l -
  tokenry man --dir /usr/local/share/man/man1")]
pub(crate) struct ManArgs {
    /// Write a page for every command into this folder, which is made if it is not there
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Prints the page of the whole, or writes all pages.
pub(crate) fn run(arguments: &ManArgs) -> anyhow::Result<ExitCode> {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    match &arguments.dir {
        Some(folder) => {
            fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
            write_pages(&command, folder)?;
            output::line(format_args!("The manual pages are in {}.", folder.display()));
        }
        None => io::stdout().write_all(&page(&command)?)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes the page of a command and those of its subcommands.
fn write_pages(command: &Command, folder: &Path) -> anyhow::Result<()> {
    let file = folder.join(Man::new(command.clone()).get_filename());
    fs::write(&file, page(command)?).with_context(|| file.display().to_string())?;
    let subcommands = command.get_subcommands().filter(|command| !command.is_hide_set());
    subcommands.into_iter().try_for_each(|command| write_pages(command, folder))
}

/// A page. What `--help` ends with keeps its lines, which the generator would fill.
fn page(command: &Command) -> anyhow::Result<Vec<u8>> {
    let man = Man::new(command.clone());
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.get_subcommands().any(|command| !command.is_hide_set()) {
        man.render_subcommands_section(&mut page)?;
    }
    if let Some(notes) = command.get_after_help() {
        page.extend(b".SH NOTES\n.nf\n");
        for line in notes.to_string().lines() {
            page.extend(in_roff(line).as_bytes());
            page.push(b'\n');
        }
        page.extend(b".fi\n");
    }
    man.render_version_section(&mut page)?;
    Ok(in_ascii(&String::from_utf8(page)?).into_bytes())
}

/// The same with characters by number where groff would need to be told the encoding.
fn in_ascii(page: &str) -> String {
    let written = page.chars().map(|character| match character {
        character if character.is_ascii() => character.to_string(),
        character => format!("\\[u{:04X}]", u32::from(character)),
    });
    written.collect()
}

/// Text as groff prints it: nothing in it is a request.
fn in_roff(line: &str) -> String {
    let line = line.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq");
    format!("\\&{line}")
}
