//! `tokenry user …`
//!
//! All of them open the database beside a running server, which follows what they change within a
//! tenth of a second.

mod args;
mod record;

use std::process::ExitCode;

use tokenry_core::user::{User, UserChange};
use tokenry_protocol::{
    ids::{ApiTokenId, UserId},
    time::Timestamp,
};
use tokenry_server::{
    accounts::{self, Administrators, EndedCredentials, Named, NewUser},
    node::Node,
};
use tokenry_store::{PageRequest, TokenFilter, UserFilter, Window};

pub(crate) use self::args::UserArgs;
use self::{
    args::{
        ChangeArgs, CreateArgs, DeleteArgs, DisableArgs, EnableArgs, ListArgs, SetPasswordArgs,
        SetRoleArgs, ShowArgs, UserCommand,
    },
    record::{CreatedRecord, PasswordRecord, UserRecord},
};
use super::open_existing;
use crate::{
    args::ConfigArgs,
    ask,
    output::{self, Format, List, OutputArgs, Record},
    progress::{Progress, counted},
};

/// Enough to tell how far it is.
const COUNT_MAX: u32 = 1_000_000;
/// Users that are read at once.
const PAGE: u32 = 100;

/// Lists, shows, makes, changes or ends users.
pub(crate) async fn run(arguments: UserArgs) -> anyhow::Result<ExitCode> {
    match arguments.command {
        UserCommand::List(arguments) => list(arguments).await?,
        UserCommand::Show(arguments) => show(arguments).await?,
        UserCommand::Create(arguments) => create(arguments).await?,
        UserCommand::Disable(arguments) => disable(arguments).await?,
        UserCommand::Enable(arguments) => enable(arguments).await?,
        UserCommand::SetRole(arguments) => set_role(arguments).await?,
        UserCommand::SetPassword(arguments) => set_password(arguments).await?,
        UserCommand::Delete(arguments) => delete(arguments).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(arguments: ListArgs) -> anyhow::Result<()> {
    let node = open_existing(&arguments.config).await?;
    let filter = UserFilter {
        role: arguments.role.map(Into::into),
        suspended: arguments.status.map(args::StatusArg::is_suspended),
    };
    let listed = print_list(&node, filter, arguments.output).await;
    node.close().await;
    listed
}

async fn print_list(node: &Node, filter: UserFilter, output: OutputArgs) -> anyhow::Result<()> {
    let mut list = List::new(output, node.state.now());
    let (mut after, mut has_more) = (0, true);
    while has_more {
        let request = PageRequest { window: Window::After(after), limit: PAGE };
        let page = node.state.store.list_users(filter, request).await?;
        has_more = page.has_more;
        for user in page.items {
            after = user.id.get();
            list.push(&UserRecord::from(user))?;
        }
    }
    list.end()
}

async fn show(arguments: ShowArgs) -> anyhow::Result<()> {
    let node = open_existing(&arguments.config).await?;
    let (found, now) = (accounts::find(&node.state, &arguments.user).await, node.state.now());
    node.close().await;
    output::show(&UserRecord::from(found?), arguments.output, now)
}

async fn create(arguments: CreateArgs) -> anyhow::Result<()> {
    let password = if arguments.password_stdin { Some(ask::password_from_stdin()?) } else { None };
    let node = open_existing(&arguments.config).await?;
    let name = arguments.name.unwrap_or_else(|| arguments.email.clone());
    let new = NewUser { email: arguments.email, name, role: arguments.role.into(), password };
    let (created, now) = (accounts::create(&node.state, new).await, node.state.now());
    node.close().await;
    let created = created?;
    let made = CreatedRecord {
        id: created.id,
        email: created.email,
        api_token: created.api_token,
        password: created.password,
    };
    let password = made.password.as_deref().map(|password| ("password", password));
    let secrets: Vec<_> = password.into_iter().chain([("API token", &*made.api_token)]).collect();
    if arguments.output.format() != Format::Words {
        return show_made(&made, &secrets, arguments.output, now);
    }
    output::line(format_args!("Made user {} ({}).", made.id, output::escaped(&made.email)));
    print_secrets(&secrets);
    Ok(())
}

async fn disable(arguments: DisableArgs) -> anyhow::Result<()> {
    let administrators = arguments.change.administrators();
    let ChangeArgs { config, user, output, .. } = arguments.change;
    let (changed, now) = change(&config, &user, &UserChange::Suspend, administrators).await?;
    let id = changed.id;
    tell(changed, "is disabled: refused everywhere, at once", output, now)?;
    let made = find(&config, &Named::Id(id)).await?.account_wide;
    if !made.is_empty() {
        anstream::eprintln!("{} go on working: {}.", account_wide(&made), listed(&made));
        anstream::eprintln!(
            "  hint: end each with `tokenry api-token delete ID`, or all with \
             `tokenry user set-password {id} --generate --revoke-tokens`"
        );
    }
    Ok(())
}

/// What works with everybody's address, whatever becomes of who made it.
fn account_wide(made: &[ApiTokenId]) -> String {
    let count = u64::try_from(made.len()).unwrap_or(u64::MAX);
    format!("{} that they made for everybody", counted(count, "API token"))
}

fn listed(made: &[ApiTokenId]) -> String {
    made.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// For a question: whoever uses such a token loses it.
fn with_account_wide(made: &[ApiTokenId]) -> String {
    if made.is_empty() {
        return String::new();
    }
    format!(", and {} ({})", account_wide(made), listed(made))
}

async fn enable(arguments: EnableArgs) -> anyhow::Result<()> {
    let EnableArgs { config, user, output } = arguments;
    let keep = Administrators::KeepOne;
    let (changed, now) = change(&config, &user, &UserChange::Resume, keep).await?;
    tell(changed, "is active", output, now)
}

async fn set_role(arguments: SetRoleArgs) -> anyhow::Result<()> {
    let administrators = arguments.change.administrators();
    let ChangeArgs { config, user, output, .. } = arguments.change;
    let role = UserChange::Role(arguments.role.into());
    let (changed, now) = change(&config, &user, &role, administrators).await?;
    let role = changed.role.as_str();
    tell(changed, &format!("has the role {role}"), output, now)
}

async fn set_password(arguments: SetPasswordArgs) -> anyhow::Result<()> {
    // First: nobody types a password for somebody who is not there.
    let Found { user, account_wide } = find(&arguments.config, &arguments.user).await?;
    if arguments.revoke_tokens {
        arguments.confirm.confirm(&format!(
            "Replace the password of user {} ({}) and revoke every token and API token of \
             theirs{}, for good?",
            user.id,
            output::escaped(&user.email),
            with_account_wide(&account_wide)
        ))?;
    }
    let user = user.id;
    let given = match (arguments.password_stdin, arguments.generate) {
        (true, _) => Some(ask::password_from_stdin()?),
        (false, true) => None,
        (false, false) => Some(ask::new_password("use --password-stdin or --generate")?),
    };
    let node = open_existing(&arguments.config).await?;
    let ends = arguments.revoke_tokens;
    let set = replace_password(&node, user, given).await;
    let set = match set {
        Ok(set) if ends => Ok(set.ending(&node).await),
        set => set,
    };
    let now = node.state.now();
    node.close().await;
    let PasswordSet { user, made, ended } = set?;
    // A password that was made is told in any case: it is the user's, and nobody else has it.
    let (ended, failed) = match ended.transpose() {
        Ok(ended) => (ended, None),
        Err(error) => (None, Some(error)),
    };
    let set = PasswordRecord {
        id: user.id,
        email: user.email,
        password: made,
        tokens_revoked: ended.map(|ended| ended.tokens),
        api_tokens_revoked: ended.map(|ended| ended.api_tokens),
    };
    if arguments.output.format() == Format::Words {
        tell_password(&set);
    } else {
        output::show(&set, arguments.output, now)?;
    }
    match failed {
        Some(error) => Err(error.context("not every token is revoked; run it again")),
        None => Ok(()),
    }
}

fn tell_password(set: &PasswordRecord) {
    let email = output::escaped(&set.email);
    output::line(format_args!("User {} ({email}) has a new password.", set.id));
    output::line("Their sign-in sessions are over.");
    if let (Some(tokens), Some(api_tokens)) = (set.tokens_revoked, set.api_tokens_revoked) {
        let (tokens, api_tokens) = (counted(tokens, "token"), counted(api_tokens, "API token"));
        output::line(format_args!("Revoked {tokens} and {api_tokens} of theirs."));
    }
    if let Some(password) = &set.password {
        print_secrets(&[("password", password)]);
    }
}

struct PasswordSet {
    user: User,
    made: Option<String>,
    /// If they were to be ended.
    ended: Option<anyhow::Result<EndedCredentials>>,
}

impl PasswordSet {
    async fn ending(self, node: &Node) -> Self {
        let ended = Some(end_credentials(node, self.user.id).await);
        Self { ended, ..self }
    }
}

async fn replace_password(
    node: &Node,
    user: UserId,
    given: Option<String>,
) -> anyhow::Result<PasswordSet> {
    let (state, named) = (&node.state, Named::Id(user));
    let (hash, made) = accounts::new_password(state, given)?;
    let change = UserChange::PasswordHash(hash);
    let user = accounts::change(state, &named, &change, Administrators::KeepOne).await?;
    Ok(PasswordSet { user, made, ended: None })
}

async fn end_credentials(node: &Node, user: UserId) -> anyhow::Result<EndedCredentials> {
    let filter = TokenFilter { user: Some(user), ..TokenFilter::default() };
    let total = node.state.store.count_tokens(filter, COUNT_MAX, node.state.now()).await?;
    let mut shown = Progress::new();
    let ended = accounts::end_credentials(&node.state, user, |ended| {
        shown.tell("revoking", ended.tokens, total.into());
    });
    let ended = ended.await;
    shown.end();
    Ok(ended?)
}

async fn delete(arguments: DeleteArgs) -> anyhow::Result<()> {
    let administrators = arguments.change.administrators();
    let ChangeArgs { config, user, output, .. } = arguments.change;
    let Found { user, account_wide } = find(&config, &user).await?;
    let with_account_wide = with_account_wide(&account_wide);
    arguments.confirm.confirm(&format!(
        "Delete user {} ({}) with every token, API token and session of \
         theirs{with_account_wide}, for good?",
        user.id,
        output::escaped(&user.email)
    ))?;
    let node = open_existing(&config).await?;
    let deleted = accounts::delete(&node.state, &Named::Id(user.id), administrators).await;
    let now = node.state.now();
    node.close().await;
    let ended = format!("is deleted, with every token of theirs{with_account_wide}");
    tell(deleted?, &ended, output, now)
}

/// Somebody about whom a question is asked: nobody has to wait for the answer.
struct Found {
    user: User,
    /// The API tokens that they made and that work with everybody's address.
    account_wide: Vec<ApiTokenId>,
}

async fn find(config: &ConfigArgs, named: &Named) -> anyhow::Result<Found> {
    let node = open_existing(config).await?;
    let found = find_at(&node, named).await;
    node.close().await;
    found
}

async fn find_at(node: &Node, named: &Named) -> anyhow::Result<Found> {
    let user = accounts::find(&node.state, named).await?;
    let account_wide = accounts::list_account_wide(&node.state, user.id).await?;
    Ok(Found { user, account_wide })
}

async fn change(
    config: &ConfigArgs,
    named: &Named,
    change: &UserChange,
    administrators: Administrators,
) -> anyhow::Result<(User, Timestamp)> {
    let node = open_existing(config).await?;
    let changed = accounts::change(&node.state, named, change, administrators).await;
    let now = node.state.now();
    node.close().await;
    Ok((changed?, now))
}

/// What has become of a user.
fn tell(user: User, state: &str, output: OutputArgs, now: Timestamp) -> anyhow::Result<()> {
    if output.format() != Format::Words {
        return output::show(&UserRecord::from(user), output, now);
    }
    output::line(format_args!("User {} ({}) {state}.", user.id, output::escaped(&user.email)));
    Ok(())
}

/// What was made, for scripts: with `-q` its secrets alone, which nobody can ask for again.
pub(super) fn show_made<R: Record>(
    made: &R,
    secrets: &[(&str, &str)],
    output: OutputArgs,
    now: Timestamp,
) -> anyhow::Result<()> {
    if output.format() != Format::Ids || secrets.is_empty() {
        return output::show(made, output, now);
    }
    for (_, secret) in secrets {
        output::line(secret);
    }
    Ok(())
}

pub(super) fn print_secrets(secrets: &[(&str, &str)]) {
    for (name, secret) in secrets {
        output::line(format_args!("  {name:<9}  {secret}"));
    }
    output::line(match secrets {
        [_] => "It is shown this once.",
        _ => "These secrets are shown this once.",
    });
}
