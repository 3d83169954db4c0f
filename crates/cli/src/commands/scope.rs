//! `tokenry scope explain`

use std::{collections::BTreeSet, path::PathBuf, process::ExitCode};

use clap::{Args, Subcommand};
use serde::Serialize;
use tokenry_protocol::scope::{
    Access, Scope, ScopeCatalog,
    explanation::{ExplainedScope, ExplainedWord, Grant},
};
use tokenry_server::{
    api::resource_of,
    config::{Config, Mode, process_environment},
    routes::documented,
    views::describe_scope,
};

use crate::output::{self, Cell, Column};

const COLUMNS: [Column; 4] = [
    Column::new("WORD").whole(),
    Column::new("METHODS").whole(),
    Column::new("OF").whole(),
    Column::new("WHAT IT IS FOR"),
];

#[derive(Args)]
#[command(after_help = "Example:
  tokenry scope explain 'users:write read'")]
pub(crate) struct ScopeArgs {
    #[command(subcommand)]
    command: ScopeCommand,
}

#[derive(Subcommand)]
enum ScopeCommand {
    /// Say what a scope allows: each word, what it covers, and what the whole of it does
    Explain(ScopeExplainArgs),
}

#[derive(Args)]
#[command(after_help = "\
`read` covers GET and HEAD, `write` every other method; of one resource as `tickets:read`, and
`tickets` is both. Which resources there are the configuration says (`scopes.resources`).

Examples:
  tokenry scope explain 'users:write read'
  tokenry scope explain tickets:read --config /etc/tokenry.toml --json")]
pub(crate) struct ScopeExplainArgs {
    /// The words, in one argument or in several
    #[arg(value_name = "SCOPE", required = true)]
    scope: Vec<String>,
    /// The configuration file (TOML)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print `{"scope", "words", "allows", "impersonates", "addresses", "resources"}`
    #[arg(long)]
    json: bool,
}

/// Explains a scope.
pub(crate) fn run(arguments: &ScopeArgs) -> anyhow::Result<ExitCode> {
    match &arguments.command {
        ScopeCommand::Explain(arguments) => explain(arguments),
    }
}

fn explain(arguments: &ScopeExplainArgs) -> anyhow::Result<ExitCode> {
    let loaded =
        Config::load(Mode::Serve, arguments.config.as_deref(), process_environment(), &[])?;
    let catalog = loaded.config.scopes.catalog()?;
    let scope = Scope::parse(&arguments.scope.join(" "))?;
    let explained = catalog.explain(&scope);
    if arguments.json {
        output::line(serde_json::to_string(&in_json(&scope, &explained, &catalog))?);
    } else {
        output::line(in_words(&explained, &catalog));
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct Explained {
    scope: String,
    words: Vec<Word>,
    /// What the whole allows.
    allows: Vec<Allowed>,
    impersonates: bool,
    /// The addresses of this server that the whole reaches.
    addresses: Vec<String>,
    resources: Vec<String>,
}

#[derive(Serialize)]
struct Word {
    word: String,
    meaning: String,
    allows: Vec<Allowed>,
    /// Other words that allow all of it already.
    covered_by: Vec<String>,
    grants_nothing: bool,
}

#[derive(Serialize)]
struct Allowed {
    /// `None` is every resource.
    resource: Option<String>,
    methods: &'static [&'static str],
}

fn in_json(scope: &Scope, explained: &ExplainedScope<'_>, catalog: &ScopeCatalog) -> Explained {
    let word = |word: &ExplainedWord<'_>| Word {
        word: word.word.to_string(),
        meaning: meaning(word),
        allows: allowed(&word.grants),
        covered_by: word.covered_by.iter().map(ToString::to_string).collect(),
        grants_nothing: word.grants_nothing(),
    };
    Explained {
        scope: scope.to_string(),
        words: explained.words.iter().map(word).collect(),
        allows: allowed(&explained.grants),
        impersonates: explained.impersonates,
        addresses: addresses(&explained.grants),
        resources: resources(catalog),
    }
}

fn allowed(grants: &BTreeSet<Grant<'_>>) -> Vec<Allowed> {
    let allowed = grants.iter().map(|(resource, access)| Allowed {
        resource: resource.map(str::to_owned),
        methods: access.methods(),
    });
    allowed.collect()
}

/// A word of the configuration, as it is written there.
fn resources(catalog: &ScopeCatalog) -> Vec<String> {
    let names = catalog.resources().map(|(name, offered)| match offered {
        [only] => format!("{name}:{}", only.as_str()),
        _ => name.to_owned(),
    });
    names.collect()
}

fn meaning(word: &ExplainedWord<'_>) -> String {
    if word.grants_nothing() {
        return "Grants nothing: no resource of this name is configured.".to_owned();
    }
    describe_scope(word.word.as_str()).title
}

/// This server's own, as the table of routes has them.
fn addresses(grants: &BTreeSet<Grant<'_>>) -> Vec<String> {
    let reached = documented().into_iter().filter(|address| {
        let access = if address.method == "GET" { Access::Read } else { Access::Write };
        let resource = resource_of(&address.handler);
        resource.is_some_and(|resource| {
            grants.contains(&(None, access)) || grants.contains(&(Some(resource), access))
        })
    });
    reached.map(|address| format!("{} {}", address.method, address.path)).collect()
}

fn in_words(explained: &ExplainedScope<'_>, catalog: &ScopeCatalog) -> String {
    let cell = |text: &str| Cell::new(text);
    let mut rows = Vec::new();
    for word in &explained.words {
        let name = word.word.as_str();
        if word.grants.is_empty() {
            rows.push(vec![cell(name), Cell::none(), Cell::none(), cell(&meaning(word))]);
        }
        for (at, (resource, access)) in word.grants.iter().enumerate() {
            let (name, meaning) = if at == 0 { (name, meaning(word)) } else { ("", String::new()) };
            let methods = access.methods().join(", ");
            rows.push(vec![cell(name), cell(&methods), cell(of(*resource)), cell(&meaning)]);
        }
    }
    let mut parts = vec![output::table(&COLUMNS, &rows).trim_end().to_owned()];
    for word in explained.words.iter().filter(|word| !word.covered_by.is_empty()) {
        let by: Vec<_> = word.covered_by.iter().map(ToString::to_string).collect();
        parts.push(format!("`{}` adds nothing: {} covers it.", word.word, by.join(" ")));
    }
    parts.push(whole(explained));
    parts.push(format!("Resources here: {}.", resources(catalog).join(", ")));
    parts.join("\n\n")
}

const fn of(resource: Option<&str>) -> &str {
    match resource {
        Some(resource) => resource,
        None => "everything",
    }
}

fn whole(explained: &ExplainedScope<'_>) -> String {
    let mut lines = vec!["The whole allows".to_owned()];
    for (resource, access) in &explained.grants {
        lines.push(format!("  {} of {}", access.methods().join(", "), of(*resource)));
    }
    if explained.impersonates {
        lines.push("  requests in the name of end users, for an administrator".to_owned());
    }
    if lines.len() == 1 {
        lines.push("  nothing".to_owned());
    }
    let addresses = addresses(&explained.grants);
    if !addresses.is_empty() {
        lines.push("and of this server's own API".to_owned());
        lines.extend(addresses.into_iter().map(|address| format!("  {address}")));
    }
    lines.join("\n")
}
