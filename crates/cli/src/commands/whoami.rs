//! `tokenry whoami`

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use tokenry_client::{
    Client, Credentials,
    models::{OAuthTokenObject, Timestamp, UserId, UserObject},
};

use super::token::{is_token, own};
use crate::{
    connection::{self, Connection, ConnectionArgs, SignIn},
    exit_code::Exit,
    failure::Failure,
    output::{self, Cell, Column, OutputArgs, Record},
};

#[derive(Args)]
#[command(after_help = "Examples:
  tokenry whoami
  tokenry whoami --profile acme --json
  ZENDESK_SUBDOMAIN=acme tokenry whoami    with ZENDESK_USERNAME and ZENDESK_PASSWORD")]
pub(crate) struct WhoamiArgs {
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Shows who is signed in, where, and what they may do.
pub(crate) async fn run(arguments: WhoamiArgs) -> anyhow::Result<ExitCode> {
    let Connection { client, profile, credentials } = connection::open(&arguments.connection)?;
    let identity = identify(&client, &credentials, profile).await?;
    output::show(&identity, arguments.output, connection::now())?;
    Ok(ExitCode::SUCCESS)
}

/// Who a server says that one is.
#[derive(Serialize)]
pub(super) struct Identity {
    pub(super) server: String,
    pub(super) profile: Option<String>,
    pub(super) sign_in: &'static str,
    pub(super) id: Option<UserId>,
    pub(super) name: Option<String>,
    pub(super) email: Option<String>,
    pub(super) role: Option<String>,
    pub(super) scopes: Option<Vec<String>>,
    pub(super) expires_at: Option<Timestamp>,
}

/// Asks the server who these credentials are.
pub(super) async fn identify(
    client: &Client,
    credentials: &Credentials,
    profile: Option<String>,
) -> anyhow::Result<Identity> {
    let user = client.users().me().await?.user.unwrap_or_default();
    if user.id.is_none() {
        // Zendesk takes credentials that it does not know for those of nobody.
        let text = format!("{} does not know these credentials", client.server());
        let hint = "sign in again: tokenry login";
        return Err(Failure::new(Exit::NotAllowed, text).hint(hint).into());
    }
    let token = if is_token(credentials) { own(client).await? } else { None };
    let UserObject { id, name, email, role, .. } = user;
    let OAuthTokenObject { scopes, expires_at, .. } = token.unwrap_or_default();
    let server = client.server().to_string();
    let sign_in = sign_in(credentials);
    Ok(Identity { server, profile, sign_in, id, name, email, role, scopes, expires_at })
}

const fn sign_in(credentials: &Credentials) -> &'static str {
    match credentials {
        Credentials::ApiToken { .. } => SignIn::ApiToken.as_str(),
        Credentials::Password { .. } => "password",
        Credentials::Bearer(_) => SignIn::AccessToken.as_str(),
        Credentials::Source(_) => SignIn::Browser.as_str(),
        _ => "none",
    }
}

impl Record for Identity {
    const PLURAL: &'static str = "users";
    const FIELDS: &'static [&'static str] =
        &["server", "profile", "sign_in", "id", "name", "email", "role", "scopes", "expires_at"];
    const COLUMNS: &'static [Column] = &[
        Column::new("server"),
        Column::new("profile"),
        Column::new("signed in by").whole(),
        Column::number("id"),
        Column::new("name"),
        Column::new("email"),
        Column::new("role").whole(),
        Column::new("scopes"),
        Column::new("token ends"),
    ];

    fn id(&self) -> String {
        self.id.map(|id| id.to_string()).unwrap_or_default()
    }

    fn cells(&self, now: Timestamp) -> Vec<Cell> {
        let scopes = self.scopes.as_ref().map(|scopes| scopes.join(" "));
        let expires_at = self.expires_at.map(|time| Cell::time(time, now));
        vec![
            Cell::new(&self.server),
            self.profile.as_ref().into(),
            Cell::new(SignIn::parse(self.sign_in).map_or(self.sign_in, SignIn::words)),
            self.id.into(),
            self.name.as_ref().into(),
            self.email.as_ref().into(),
            self.role.as_ref().into(),
            scopes.into(),
            expires_at.unwrap_or_else(Cell::none),
        ]
    }
}
