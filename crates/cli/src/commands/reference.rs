//! `tokenry reference`: what `docs/` is generated from.

mod cli;

use std::{fmt::Write as _, process::ExitCode};

use clap::Args;
use tokenry_server::{config::reference_markdown, routes};
use tokenry_twin::control::addresses;

use crate::output;

#[derive(Args)]
#[group(required = true, multiple = false)]
#[expect(clippy::struct_excessive_bools, reason = "flags of which clap takes one at most")]
pub(crate) struct ReferenceArgs {
    /// Every setting, in Markdown
    #[arg(long)]
    pub(crate) configuration: bool,
    /// Every command, in Markdown
    #[arg(long)]
    pub(crate) cli: bool,
    /// Every endpoint, in Markdown
    #[arg(long)]
    pub(crate) endpoints: bool,
    /// Every address of a twin's control, in Markdown
    #[arg(long)]
    pub(crate) twin: bool,
}

/// Prints one of the generated pages.
pub(crate) fn run(arguments: &ReferenceArgs) -> anyhow::Result<ExitCode> {
    let page = if arguments.configuration {
        reference_markdown()
    } else if arguments.cli {
        cli::page()
    } else if arguments.twin {
        addresses::reference()
    } else {
        endpoints()?
    };
    output::line(page.trim_end());
    Ok(ExitCode::SUCCESS)
}

fn endpoints() -> anyhow::Result<String> {
    let mut page = String::from(
        "# Endpoints\n\n\
         Generated from `crates/server/src/routes.rs` by `cargo xtask docs`. Every path under \
         `/api/v2` also works with `.json` at its end.\n\n\
         | method | path | what it is for | handler |\n|---|---|---|---|\n",
    );
    for routes::Documented { method, path, summary, handler } in routes::documented() {
        let (module, function) = handler.rsplit_once("::").unwrap_or((&handler, ""));
        let file = format!("crates/server/src/{}.rs", module.replace("::", "/"));
        writeln!(page, "| {method} | `{path}` | {summary} | [`{function}`](../{file}) |")?;
    }
    Ok(page)
}
