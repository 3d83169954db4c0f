//! `tokenry token revoke`.
//!
//! 1. Which tokens: those that are named and are there, or all that the rules mean.
//! 2. The token that one is signed in with is left out, or comes last.
//! 3. `--dry-run` prints them and ends.
//! 4. What is about to be done is shown, and confirmed.
//! 5. They are revoked, a few at once. Where somebody may have used one meanwhile, it is looked at
//!    again first.
//! 6. What was done is told, and what failed.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::ExitCode,
    sync::Arc,
};

use tokenry_client::{
    Client, Error,
    models::{OAuthTokenObject, Timestamp, TokenId},
};
use tokio::signal::unix::{SignalKind, signal};

use super::{
    args::RevokeArgs,
    directory::Directory,
    filter::Filter,
    is_gone, is_token,
    named::Name,
    outcome::{Ended, Outcome},
    own,
    preview::{Preview, wide},
    record::TokenRecord,
    selection::Selection,
};
use crate::{
    connection::{self, Connection},
    exit_code::Exit,
    failure::Failure,
    output::{self, Format, List},
    progress::{Progress, counted},
    workers::Workers,
};

/// Requests for one token, the first included: a server that is busy is given time.
const ATTEMPTS_MAX: u32 = 8;

/// Revokes tokens.
pub(super) async fn run(arguments: RevokeArgs) -> anyhow::Result<ExitCode> {
    check(&arguments)?;
    let connection = connection::open(&arguments.connection)?;
    let now = connection::now();
    let mut plan = plan(&connection, &arguments, now).await?;
    plan.settle_own(&connection, &arguments).await?;
    let (format, total) = (arguments.output.format(), plan.tokens.len());
    let mut outcome = Outcome::of(total, plan.gone);
    if arguments.dry_run || total == 0 {
        return print(&plan, &arguments, now);
    }
    confirm(&plan.tokens, &arguments, now)?;
    let mut list = (format != Format::Words).then(|| List::new(arguments.output, now));
    carry_out(&connection.client, plan, &mut outcome, &mut list).await?;
    match list {
        Some(list) => list.end()?,
        None => output::line(outcome.summary()),
    }
    outcome.check()?;
    Ok(ExitCode::SUCCESS)
}

/// Nothing is revoked by accident.
fn check(arguments: &RevokeArgs) -> anyhow::Result<()> {
    let has_rules = arguments.filter.is_given();
    let is_named = !arguments.tokens.is_empty();
    let wrong = |text: &str, hint: &str| Err(Failure::new(Exit::Usage, text).hint(hint).into());
    if is_named && (has_rules || arguments.filter.mine) {
        return wrong("tokens are named, and rules are given too", "leave out one or the other");
    }
    if arguments.everything && has_rules {
        return wrong("--everything leaves no room for other rules", "leave out one or the other");
    }
    if !is_named && !has_rules && !arguments.everything {
        let hint = "name tokens, or give rules such as --client, --user, --unused or --older; \
                    --everything revokes all";
        return wrong("nothing says which tokens to revoke", hint);
    }
    let reads_token = |tokens: &[String]| tokens.iter().filter(|token| *token == "-").count();
    if reads_token(&arguments.tokens) > 1 {
        return wrong("standard input holds one token", "name `-` once");
    }
    if arguments.dry_run { Ok(()) } else { arguments.confirm.check() }
}

/// What is to be revoked.
struct Plan {
    tokens: Vec<TokenRecord>,
    /// What a token must still meet when its turn comes.
    condition: Option<Arc<Filter>>,
    /// How many of those that are named were gone before.
    gone: u64,
}

async fn plan(
    connection: &Connection,
    arguments: &RevokeArgs,
    now: Timestamp,
) -> anyhow::Result<Plan> {
    let server = &connection.client;
    let mut directory = Directory::new(server);
    let mut gone = 0;
    let (tokens, condition) = if arguments.tokens.is_empty() {
        let filter = arguments.filter.filter(server, now).await?;
        let condition = filter.may_change().then(|| Arc::new(filter.clone()));
        let selection = Selection::of(server, arguments.filter.reach(), filter).with_progress();
        (selection.collect(&mut directory).await?, condition)
    } else {
        let found = look_up(server, &arguments.tokens).await?;
        gone = found.gone;
        (found.tokens, None)
    };
    directory.learn(&tokens).await?;
    let tokens = tokens.into_iter().map(|token| TokenRecord::new(token, &directory)).collect();
    directory.tell_hidden();
    Ok(Plan { tokens, condition, gone })
}

/// Tokens that were named.
struct NamedTokens {
    /// In the order of their names, and each once.
    tokens: Vec<OAuthTokenObject>,
    /// How many are not there any more.
    gone: u64,
}

/// Every name is understood before the first is looked up.
async fn look_up(server: &Client, arguments: &[String]) -> anyhow::Result<NamedTokens> {
    let names: anyhow::Result<Vec<Name>> =
        arguments.iter().map(|argument| Name::read(argument)).collect();
    let mut waiting = names?.into_iter().enumerate();
    let (mut workers, mut found, mut gone) = (Workers::new(), BTreeMap::new(), 0);
    loop {
        while workers.have_room()
            && let Some((place, name)) = waiting.next()
        {
            let server = server.clone();
            workers.begin(async move { (place, name.find(&server).await) });
        }
        let Some((place, looked_up)) = workers.next().await else { break };
        match looked_up? {
            Ok(token) => drop(found.insert(place, token)),
            Err(_) => gone += 1,
        }
    }
    let mut ids = BTreeSet::new();
    let mut tokens: Vec<_> = found.into_values().collect();
    tokens.retain(|token| token.id.is_none_or(|id| ids.insert(id)));
    Ok(NamedTokens { tokens, gone })
}

impl Plan {
    /// Whoever revokes the token that they are signed in with revokes nothing after it.
    async fn settle_own(
        &mut self,
        connection: &Connection,
        arguments: &RevokeArgs,
    ) -> anyhow::Result<()> {
        if self.tokens.is_empty() || !is_token(&connection.credentials) {
            return Ok(());
        }
        let Some(own) = own(&connection.client).await?.and_then(|token| token.id) else {
            if arguments.including_mine {
                return Ok(());
            }
            let text = "the server does not say which token you are signed in with";
            let hint = "sign in with an API token, or add --including-mine if it may be revoked";
            return Err(Failure::new(Exit::NotAllowed, text).hint(hint).into());
        };
        let Some(at) = self.tokens.iter().position(|token| token.token.id == Some(own)) else {
            return Ok(());
        };
        let mine = self.tokens.remove(at);
        if arguments.including_mine {
            self.tokens.push(mine);
            return Ok(());
        }
        if !arguments.tokens.is_empty() {
            let text = format!("you are signed in with token {own}");
            let hint = "add --including-mine to revoke it too, or sign out: tokenry logout";
            return Err(Failure::new(Exit::Usage, text).hint(hint).into());
        }
        anstream::eprintln!(
            "Token {own} is left out: you are signed in with it (--including-mine takes it too)."
        );
        Ok(())
    }
}

fn print(plan: &Plan, arguments: &RevokeArgs, now: Timestamp) -> anyhow::Result<ExitCode> {
    let Plan { tokens, gone, .. } = plan;
    if *gone > 0 {
        anstream::eprintln!("{} gone already.", counted(*gone, "token"));
    }
    if tokens.is_empty() && *gone > 0 && arguments.output.format() == Format::Words {
        return Ok(ExitCode::SUCCESS);
    }
    let mut list = List::new(arguments.output, now);
    for token in tokens {
        list.push(token)?;
    }
    list.end()?;
    if arguments.dry_run && !tokens.is_empty() {
        let count = counted(wide(tokens.len()), "token");
        anstream::eprintln!("{count} would be revoked. Nothing was changed.");
    }
    Ok(ExitCode::SUCCESS)
}

fn confirm(tokens: &[TokenRecord], arguments: &RevokeArgs, now: Timestamp) -> anyhow::Result<()> {
    anstream::eprint!("{}", Preview::new(tokens, now));
    let count = wide(tokens.len());
    let what = counted(count, "token");
    let question = format!("Revoke {what}, for good? Whoever uses one is refused at once.");
    if arguments.tokens.is_empty() {
        arguments.confirm.confirm_count(&question, count)
    } else {
        arguments.confirm.confirm(&question)
    }
}

/// The last one is revoked when all others are: it may be the one that revokes them.
async fn carry_out(
    server: &Client,
    plan: Plan,
    outcome: &mut Outcome,
    list: &mut Option<List<TokenRecord>>,
) -> anyhow::Result<()> {
    let mut interrupts = signal(SignalKind::interrupt())?;
    let mut progress = Progress::new();
    let mut workers = Workers::new();
    let total = wide(plan.tokens.len()) + plan.gone;
    let mut waiting = plan.tokens.into_iter();
    loop {
        while !outcome.is_over() && workers.have_room() {
            let is_last = waiting.len() == 1;
            if is_last && workers.len() > 0 {
                break;
            }
            let Some(token) = waiting.next() else { break };
            workers.begin(end(server.clone(), token, plan.condition.clone()));
        }
        if workers.len() == 0 {
            break;
        }
        tokio::select! {
            ended = workers.next() => {
                let Some((token, ended)) = ended else { continue };
                let is_done = matches!(ended, Ok(Ended::Revoked | Ended::Gone));
                outcome.note(&token, ended);
                progress.tell_in("tokens", "revoking", outcome.done(), total);
                // Whoever reads no more has not said that the rest may stay.
                if is_done && list.as_mut().is_some_and(|list| list.push(&token).is_err()) {
                    *list = None;
                }
            }
            _ = interrupts.recv() => {
                if outcome.is_interrupted() {
                    break;
                }
                outcome.interrupt();
                progress.end();
                anstream::eprintln!(
                    "Waiting for {} under way; Ctrl-C again leaves them.",
                    counted(wide(workers.len()), "request")
                );
            }
        }
    }
    progress.end();
    Ok(())
}

async fn end(
    server: Client,
    token: TokenRecord,
    condition: Option<Arc<Filter>>,
) -> (TokenRecord, Result<Ended, Error>) {
    let ended = match token.token.id {
        Some(id) => revoke(&server, id, condition.as_deref()).await,
        None => Err(Error::Request("its record has no id".to_owned())),
    };
    (token, ended)
}

async fn revoke(server: &Client, id: TokenId, condition: Option<&Filter>) -> Result<Ended, Error> {
    let done = async {
        if let Some(condition) = condition {
            let shown = server.oauth_tokens().show(id).attempts_max(ATTEMPTS_MAX).await?;
            if !shown.token.is_some_and(|token| condition.matches(&token)) {
                return Ok(Ended::Spared);
            }
        }
        server.oauth_tokens().revoke(id).attempts_max(ATTEMPTS_MAX).await?;
        Ok(Ended::Revoked)
    };
    match done.await {
        Err(error) if is_gone(&error) => Ok(Ended::Gone),
        done => done,
    }
}
