//! `tokenry init`

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use tokenry_core::user::Role;
use tokenry_server::{
    accounts::{self, NewUser},
    node::Node,
};

use super::open;
use crate::{args::ConfigArgs, exit_code::Exit, failure::Failure, output};

/// The first administrator's address when nobody says otherwise.
pub(crate) const FIRST_EMAIL: &str = "admin@example.com";

#[derive(Args)]
#[command(after_help = "Example:
  tokenry init --data /var/lib/tokenry --admin-email ada@example.com --json")]
pub(crate) struct InitArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// The first administrator's address
    #[arg(long, value_name = "EMAIL", default_value = FIRST_EMAIL)]
    pub(crate) admin_email: String,
    /// Print `{"email", "password", "api_token"}` instead of sentences
    #[arg(long)]
    pub(crate) json: bool,
}

/// The first administrator, with secrets that are shown once.
#[derive(Serialize)]
pub(crate) struct Administrator {
    /// The address to sign in with.
    pub(crate) email: String,
    /// The password.
    pub(crate) password: String,
    /// An API token bound to them.
    pub(crate) api_token: String,
}

impl Administrator {
    /// What a person needs to know.
    pub(crate) fn in_words(&self, base: &str) -> String {
        let Self { email, password, api_token } = self;
        format!(
            "The first administrator. These secrets are shown this once.\n\n  \
             email      {email}\n  password   {password}\n  API token  {api_token}\n\n\
             Try:  curl -u '{email}/token:{api_token}' {base}/api/v2/users/me\n"
        )
    }
}

/// Makes the first administrator where there is no user yet.
pub(crate) async fn first_administrator(
    node: &Node,
    email: &str,
) -> anyhow::Result<Option<Administrator>> {
    if node.state.store.has_users().await? {
        return Ok(None);
    }
    let new = NewUser {
        email: email.to_owned(),
        name: "Administrator".to_owned(),
        role: Role::Admin,
        password: None,
    };
    let created = accounts::create(&node.state, new).await?;
    Ok(Some(Administrator {
        email: created.email,
        password: created.password.unwrap_or_default(),
        api_token: created.api_token,
    }))
}

/// Makes the folder and the first administrator.
pub(crate) async fn run(arguments: InitArgs) -> anyhow::Result<ExitCode> {
    let node = open(&arguments.config).await?;
    let base = node.state.base().as_str().to_owned();
    let created = first_administrator(&node, &arguments.admin_email).await;
    node.close().await;
    let Some(created) = created? else {
        let failure = Failure::new(Exit::Failed, "there are users already");
        let hint = "make another administrator with `tokenry user create --role admin`";
        return Err(failure.hint(hint).into());
    };
    if arguments.json {
        output::line(serde_json::to_string(&created)?);
    } else {
        output::line(created.in_words(&base));
    }
    Ok(ExitCode::SUCCESS)
}
