//! `tokenry audit`: who holds what, with what scope, last used when, and what is wrong with it.

mod args;
mod finding;
mod record;

use std::{collections::BTreeMap, process::ExitCode};

use tokenry_client::{
    Client, RefusalKind,
    models::{ApiTokenObject, Timestamp},
};

pub(crate) use self::args::AuditArgs;
use self::{
    args::{By, Unused},
    finding::Finding,
    record::{Groups, Held, HeldRecord},
};
use super::token::{
    directory::Directory,
    selection::{Reach, Selection},
};
use crate::{
    connection::{self, connect},
    exit_code::Exit,
    failure::Failure,
    output::{Format, List},
    progress::{counted, grouped},
};

/// Audits a server.
pub(crate) async fn run(arguments: AuditArgs) -> anyhow::Result<ExitCode> {
    let server = connect(&arguments.connection)?;
    let now = connection::now();
    let mut directory = Directory::new(&server);
    let mut audit = Audit::new(&arguments, now);
    let prints_meanwhile = arguments.output.format() != Format::Words && arguments.by.is_none();
    let mut tokens = Selection::all(&server, Reach::Everybody);
    if !prints_meanwhile {
        tokens = tokens.with_progress();
    }
    while let Some(page) = tokens.next(&mut directory).await? {
        directory.learn(&page).await?;
        for token in page {
            audit.take(HeldRecord::of_token(token, &directory, audit.unused_since))?;
        }
    }
    let api_tokens = api_tokens(&server).await?;
    let users = api_tokens.iter().flatten().filter_map(|token| token.assigned_user_id);
    directory.learn_users(users).await?;
    let are_listed = api_tokens.is_some();
    for token in api_tokens.into_iter().flatten() {
        audit.take(HeldRecord::of_api_token(token, &directory, audit.unused_since))?;
    }
    let summary = audit.end(&arguments, now)?;
    directory.tell_hidden();
    if !are_listed {
        anstream::eprintln!("You may not see API tokens here, so they are not looked at.");
    }
    summary.tell(&arguments.unused);
    if arguments.fail_on_findings && summary.with_findings > 0 {
        let count = counted(summary.with_findings, "token");
        let text = format!("{count} of {} with findings", grouped(summary.total()));
        return Err(Failure::new(Exit::Wrong, text).into());
    }
    Ok(ExitCode::SUCCESS)
}

/// `None`: whoever asks may not see them, or the server has none.
async fn api_tokens(server: &Client) -> anyhow::Result<Option<Vec<ApiTokenObject>>> {
    match server.api_tokens().list().await {
        Ok(answer) => Ok(Some(answer.api_tokens)),
        Err(error) => match error.kind() {
            Some(RefusalKind::Forbidden | RefusalKind::NotFound) => Ok(None),
            _ => Err(error.into()),
        },
    }
}

/// An audit under way.
struct Audit {
    /// `None` where everything is summed up.
    list: Option<List<HeldRecord>>,
    by: By,
    groups: Groups,
    wanted: Vec<Finding>,
    findings_only: bool,
    unused_since: Timestamp,
    summary: Summary,
}

/// How much there is.
#[derive(Default)]
struct Summary {
    access_tokens: u64,
    api_tokens: u64,
    with_findings: u64,
    findings: BTreeMap<(Finding, Held), u64>,
}

impl Audit {
    fn new(arguments: &AuditArgs, now: Timestamp) -> Self {
        let list = arguments.by.is_none().then(|| List::new(arguments.output, now));
        Self {
            list,
            by: arguments.by.unwrap_or(By::Client),
            groups: Groups::default(),
            wanted: arguments.finding.clone(),
            findings_only: arguments.findings_only || !arguments.finding.is_empty(),
            unused_since: now.minus(arguments.unused.span),
            summary: Summary::default(),
        }
    }

    fn take(&mut self, mut held: HeldRecord) -> anyhow::Result<()> {
        held.findings.retain(|found| self.wanted.is_empty() || self.wanted.contains(found));
        self.summary.take(&held);
        if self.findings_only && held.findings.is_empty() {
            return Ok(());
        }
        if let Some(list) = &mut self.list {
            return list.push(&held);
        }
        self.groups.take(names(self.by, &held), &held);
        Ok(())
    }

    fn end(self, arguments: &AuditArgs, now: Timestamp) -> anyhow::Result<Summary> {
        if let Some(list) = self.list {
            list.end()?;
            return Ok(self.summary);
        }
        let mut list = List::new(arguments.output, now);
        for group in self.groups.sorted() {
            list.push(&group)?;
        }
        list.end()?;
        Ok(self.summary)
    }
}

/// Under which names it is counted: an API token is of no client, and has no scopes.
fn names(by: By, held: &HeldRecord) -> Vec<String> {
    let none = || match held.kind {
        Held::AccessToken => "–".to_owned(),
        Held::ApiToken => "API tokens".to_owned(),
    };
    match by {
        By::Client => vec![held.client().unwrap_or_else(none)],
        By::User => vec![held.user().unwrap_or_else(none)],
        By::Scope => held.scopes().map_or_else(|| vec![none()], <[String]>::to_vec),
    }
}

impl Summary {
    fn take(&mut self, held: &HeldRecord) {
        match held.kind {
            Held::AccessToken => self.access_tokens += 1,
            Held::ApiToken => self.api_tokens += 1,
        }
        self.with_findings += u64::from(!held.findings.is_empty());
        for finding in &held.findings {
            *self.findings.entry((*finding, held.kind)).or_default() += 1;
        }
    }

    const fn total(&self) -> u64 {
        self.access_tokens + self.api_tokens
    }

    /// On standard error, so that data stays data.
    fn tell(&self, unused: &Unused) {
        anstream::eprintln!(
            "\n{} and {}, {} with findings.",
            counted(self.access_tokens, "access token"),
            counted(self.api_tokens, "API token"),
            grouped(self.with_findings)
        );
        for ((finding, kind), count) in &self.findings {
            anstream::eprintln!(
                "{:>7}  {}\n         {}",
                grouped(*count),
                finding.meaning(*kind, &unused.text),
                finding.remedy(*kind, &unused.text)
            );
        }
    }
}
