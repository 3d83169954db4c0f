//! Signing in with a browser: the authorization code grant with PKCE, and a listener on this
//! machine that the browser comes back to (RFC 8252).

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::Context as _;
use tokenry_client::{
    AuthorizationCode, CallbackError, Client, ClientAuthentication, Credentials, Loopback,
    LoopbackError, Server, StoredTokens,
    models::{ClientKind, ClientRequest},
};

use super::args::LoginArgs;
use crate::{
    connection::{self, Profiles, SignIn},
    exit_code::Exit,
    failure::Failure,
    output,
};

/// How long somebody may take to sign in.
const WAIT_MAX: Duration = Duration::from_secs(300);
/// Where the browser comes back to; any port of it is taken (RFC 8252 §7.3).
const REDIRECT_URI: &str = "http://127.0.0.1/callback";
/// What opens an address in the browser of whoever sits here.
const OPENER: &str = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };

/// Sends the user to the server, and waits until they come back.
pub(super) async fn sign_in(
    arguments: &LoginArgs,
    server: &Server,
    profiles: &Profiles,
) -> anyhow::Result<StoredTokens> {
    let client = connection::client(&arguments.connection, server, Credentials::None)?;
    let app = ClientAuthentication::public(&arguments.client_id);
    if !is_registered(&client, &app).await? {
        register(arguments, server, profiles).await?;
    }
    let listener = Loopback::bind(arguments.callback_port).await;
    let listener = listener.with_context(|| {
        format!("port {} of this machine cannot be listened at", arguments.callback_port)
    })?;
    let request = AuthorizationCode::new(app.client_id(), listener.redirect_uri());
    let pending = request.scope(&arguments.scope).discover(&client).await?.begin(&client)?;
    anstream::eprintln!("Sign in at this address:\n\n  {}\n", pending.url());
    if !arguments.no_browser {
        open(pending.url());
    }
    let callback =
        listener.receive(pending, WAIT_MAX).await.map_err(|error| not_received(&error))?;
    Ok(client.grant_type_tokens().redeem(&app, callback).stored().await?)
}

/// Whether the server knows the client. The browser would tell the user of one that it does not
/// know, and nobody would come back. Of a client that is known, a refresh token of nobody is told.
async fn is_registered(client: &Client, app: &ClientAuthentication) -> anyhow::Result<bool> {
    let asked = client.grant_type_tokens().refresh(app, "none").attempts_max(1).await;
    let Err(error) = asked else {
        return Ok(true);
    };
    match error.refusal() {
        Some(refusal) => Ok(refusal.code() != Some("invalid_client")),
        None => Err(error.into()),
    }
}

/// Registers the client, if an administrator is signed in and wants it.
async fn register(
    arguments: &LoginArgs,
    server: &Server,
    profiles: &Profiles,
) -> anyhow::Result<()> {
    let identifier = &arguments.client_id;
    let by_token =
        |name: &&str| profiles.get(name).is_ok_and(|profile| profile.sign_in == SignIn::ApiToken);
    let Some(name) = profiles.at(server).filter(by_token) else {
        let text = format!("{server} knows no client {}", output::escaped(identifier));
        let hint = format!(
            "an administrator registers it, once: tokenry client create --kind public --identifier \
             {identifier} --redirect-uri {REDIRECT_URI}"
        );
        return Err(Failure::new(Exit::NotFound, text).hint(hint).into());
    };
    let user = profiles.get(name)?.user.as_deref().unwrap_or(name);
    arguments.confirm.confirm(&format!(
        "{server} knows no client {} that the browser could sign in for.\nRegister it, as {}?",
        output::escaped(identifier),
        output::escaped(user)
    ))?;
    let client = connection::client(
        &arguments.connection,
        server,
        connection::credentials(&arguments.connection, profiles, name)?,
    )?;
    let request = ClientRequest {
        identifier: identifier.clone().into(),
        name: "Tokenry command line".to_owned().into(),
        kind: ClientKind::Public.into(),
        redirect_uri: vec![REDIRECT_URI.to_owned()].into(),
        ..ClientRequest::default()
    };
    client.oauth_clients().create(request).await?;
    Ok(())
}

/// The address is on the screen for whom this fails.
fn open(address: &str) {
    let mut command = Command::new(OPENER);
    command.arg(address).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if command.spawn().is_err() {
        anstream::eprintln!("No browser could be opened here: {OPENER} is missing.");
    }
}

fn not_received(error: &LoopbackError) -> anyhow::Error {
    let (exit, hint) = match error {
        LoopbackError::Timeout(_) => (Exit::NotAllowed, "try again: tokenry login"),
        LoopbackError::Callback(CallbackError::Refused(_)) => {
            (Exit::NotAllowed, "consent to it, or ask for less with --scope")
        }
        _ => (Exit::Failed, "try again: tokenry login"),
    };
    Failure::new(exit, error.to_string()).hint(hint).into()
}
