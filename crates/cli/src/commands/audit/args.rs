//! `tokenry audit`, as it is typed.

use clap::{Args, ValueEnum};
use tokenry_client::models::Seconds;

use super::finding::Finding;
use crate::{commands::token::filter::span, connection::ConnectionArgs, output::OutputArgs};

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry audit
  tokenry audit --findings-only --csv > findings.csv
  tokenry audit --by client
  tokenry audit --finding api_token --profile acme     what Zendesk ends on 30 April 2027
  tokenry audit --finding user_suspended --fail-on-findings -q

It shows every token and every API token of the server that one is signed in at, and is for
administrators. Findings and the commands that mend them are summed up on standard error. With -q
it prints `access_token:ID` and `api_token:ID`. An access token acts for its user within its scopes,
an API token may do all that its user may.")]
pub(crate) struct AuditArgs {
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
    /// A line for each client, user or scope, with how much it stands for; a token counts under
    /// each of its scopes
    #[arg(long, value_enum)]
    pub(super) by: Option<By>,
    /// Look for this finding alone, and print what has it; may be given more than once
    #[arg(long, value_enum, value_name = "FINDING")]
    pub(super) finding: Vec<Finding>,
    /// Leave out what nothing is found against
    #[arg(long)]
    pub(super) findings_only: bool,
    /// End with status 6 when something is found
    #[arg(long)]
    pub(super) fail_on_findings: bool,
    /// Find unused what nobody has used for so long
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "90d")]
    pub(super) unused: Unused,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// By what an audit is summed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum By {
    Client,
    User,
    Scope,
}

/// How long nobody has used a token, and how that was typed.
#[derive(Debug, Clone)]
pub(super) struct Unused {
    pub(super) span: Seconds,
    pub(super) text: String,
}

fn duration(text: &str) -> Result<Unused, String> {
    Ok(Unused { span: span(text)?, text: text.trim().to_owned() })
}
