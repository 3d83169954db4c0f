//! `tokenry twin check`, as it is typed.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use clap::Args;
use tokenry_twin::{Profile, Rule};

use super::case;
use crate::{
    commands::twin::{RotationFlag, profiles},
    output::OutputArgs,
};

#[derive(Args)]
#[command(after_help = after_help())]
pub(crate) struct CheckArgs {
    /// A profile to try, in place of all; may be given several times
    #[arg(long, value_name = "NAME", value_parser = profiles())]
    pub(super) profile: Vec<Profile>,
    /// Try this case, and none but what it is compared with; may be given several times
    #[arg(long, value_name = "CASE", value_delimiter = ',')]
    pub(super) only: Vec<String>,
    /// Leave this case out; may be given several times
    #[arg(long, value_name = "CASE", value_delimiter = ',')]
    pub(super) skip: Vec<String>,
    /// Another fault to try, such as 'status=502 every=2'; may be given several times
    #[arg(long = "fault", value_name = "RULE")]
    pub(super) faults: Vec<Rule>,
    /// A scenario to try: one that comes with the twin, `all` of those, or a file
    #[arg(long, value_name = "NAME|FILE")]
    pub(super) scenario: Vec<String>,
    /// What becomes of a refresh token that was used
    #[arg(long, value_name = "HOW", value_enum, default_value = "single-use")]
    pub(super) rotation: RotationFlag,
    /// Who and what is in the account, as TOML or JSON [default: the cast of the documentation]
    #[arg(long, value_name = "FILE")]
    pub(super) seed: Option<PathBuf>,
    /// The port of the twin on 127.0.0.1; 0 takes any free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(super) port: u16,
    /// Be `https://acme.zendesk.com` as well, for a command that calls no other address: by a proxy
    /// and a certificate that its environment names
    #[arg(long)]
    pub(super) https: bool,
    /// How long one run of the command may take
    #[arg(long, value_name = "TIME", value_parser = time_out, default_value = "60s")]
    pub(super) timeout: Duration,
    /// Show what the command writes
    #[arg(long, short)]
    pub(super) verbose: bool,
    /// Compare with this report of an earlier run (`--json`): only what got worse counts
    #[arg(long, value_name = "FILE")]
    pub(super) baseline: Option<PathBuf>,
    /// Keep what the command writes and what it called in this folder
    #[arg(long = "output", value_name = "DIR")]
    pub(super) keep: Option<PathBuf>,
    /// Print a table in Markdown
    #[arg(long, conflicts_with = "output", help_heading = "Output")]
    pub(super) markdown: bool,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    /// The command, with its arguments; it ends with 0 when all is well
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(super) command: Vec<OsString>,
}

fn after_help() -> String {
    format!("{EXAMPLES}\n\n{}\n\n{ABOUT}", case::help())
}

const EXAMPLES: &str = "\
Examples:
  tokenry twin check -- pytest tests/test_zendesk.py
  tokenry twin check --only expire-token,rate-limited -- ./nightly-export
  tokenry twin check --only after-2027-04-30 -- npm test
  tokenry twin check --scenario all --timeout 2m -- cargo test --test zendesk
  tokenry twin check --rotation forgiving --only lose-answer --verbose -- ./sync.py
  tokenry twin check --https -- pytest            for code that knows ACME.zendesk.com alone
  tokenry twin check --output ./check --markdown -- npm test > check.md
  tokenry twin check --json -- npm test > baseline.json
  tokenry twin check --baseline baseline.json -- npm test";

const ABOUT: &str = "\
The command finds the twin by ZENDESK_SERVER_URL and the other variables that `tokenry twin` prints,
and the case in TWIN_CASE. Variables of your own that begin with ZENDESK_ or TOKENRY_CLIENT_ are not
passed on, and no proxy stands before the twin; with --https the twin's own stands before everything
that your NO_PROXY does not name, and in any case before Zendesk. Each run begins with the account
as it was at first, and ends with all that it has started. Its result is one of:
  survived     it ended with 0
  stopped      nobody could go on without a new sign-in, and it soon stopped trying
  failed       it did not end with 0, or not in time, or by a signal
  not reached  it ended with 0, and no call was one that the fault is for
A profile is tried without a fault before it is with one, unless that is left out by --skip: what
fails then is no fault's doing. --json is a list of {case, profile, result, why, calls, millis}, in
which results are survived, stopped, failed and not_reached.

The status is 0 when all survived or stopped, and 6 otherwise; with --baseline 0 when nothing got
worse, and 6 otherwise, from best to worst: survived, stopped, not reached, failed. It is 2 when
the command cannot be started or the baseline cannot be read, before anything is tried, and 130
after Ctrl-C, SIGTERM, SIGHUP or SIGQUIT.";

fn time_out(text: &str) -> Result<Duration, String> {
    let units = [("ms", 1), ("s", 1_000), ("m", 60_000)];
    let millis = units.into_iter().find_map(|(unit, millis)| {
        let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
        number.checked_mul(millis).filter(|millis| (1..=86_400_000).contains(millis))
    });
    let right = || "write a number with ms, s or m behind it, such as 60s".to_owned();
    millis.map(Duration::from_millis).ok_or_else(right)
}
