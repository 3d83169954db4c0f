//! `tokenry login`

mod args;

use std::process::ExitCode;

use tokenry_client::{Credentials, Server, models::SecretText};

pub(crate) use self::args::LoginArgs;
use super::whoami::{Identity, identify};
use crate::{
    ask,
    connection::{self, Profile, Profiles, Secrets, SignIn, name_for, parse_server},
    output::{self, Format},
};

/// Signs in, and keeps what it takes to be signed in.
pub(crate) async fn run(arguments: LoginArgs) -> anyhow::Result<ExitCode> {
    let mut profiles = Profiles::open()?;
    let server = server(&arguments, &profiles)?;
    let name = match arguments.connection.profile() {
        Some(name) => name.to_owned(),
        None => profiles.at(&server).map_or_else(|| name_for(&server), str::to_owned),
    };
    if arguments.keyring {
        Profiles::try_keyring(&name)?;
    }
    let (sign_in, credentials) = credentials(&arguments)?;
    let client = connection::client(&arguments.connection, &server, credentials.clone())?;
    let identity = identify(&client, &credentials, Some(name.clone())).await?;
    let profile = Profile {
        server: server.to_string(),
        sign_in,
        user: named(&credentials).or_else(|| identity.email.clone()),
        client_id: None,
        keyring: arguments.keyring,
    };
    profiles.keep(&name, &profile, &secrets(credentials))?;
    tell(&identity, &arguments)?;
    Ok(ExitCode::SUCCESS)
}

/// The one that was named, or the one of the profile that was named.
fn server(arguments: &LoginArgs, profiles: &Profiles) -> anyhow::Result<Server> {
    if let Some(server) = arguments.connection.server()? {
        return Ok(server);
    }
    let profile = arguments.connection.profile();
    if let Some(known) = profile.and_then(|name| profiles.get(name).ok()) {
        return Ok(parse_server(&known.server)?);
    }
    let question = "Which server (https://auth.example.com, or acme.zendesk.com)?";
    let answer = ask::line(question, "name it with --server")?;
    Ok(parse_server(&answer)?)
}

fn credentials(arguments: &LoginArgs) -> anyhow::Result<(SignIn, Credentials)> {
    if arguments.access_token_stdin {
        let token = ask::secret_from_stdin("access token")?;
        return Ok((SignIn::AccessToken, Credentials::bearer(token)));
    }
    let instead = "name the user with --email and give their token with --api-token-stdin, or \
                   use --access-token-stdin";
    let email = match &arguments.email {
        Some(email) => email.clone(),
        None => ask::line("Your e-mail address there?", instead)?,
    };
    let token = if arguments.api_token_stdin {
        ask::secret_from_stdin("API token")?
    } else {
        ask::secret("An API token of yours (it is not shown)?", instead)?
    };
    Ok((SignIn::ApiToken, Credentials::api_token(email, token)))
}

/// The address that was given.
fn named(credentials: &Credentials) -> Option<String> {
    match credentials {
        Credentials::ApiToken { email, .. } => Some(email.clone()),
        _ => None,
    }
}

fn secrets(credentials: Credentials) -> Secrets {
    let (api_token, access_token): (Option<SecretText>, Option<SecretText>) = match credentials {
        Credentials::ApiToken { token, .. } => (Some(token), None),
        Credentials::Bearer(token) => (None, Some(token)),
        _ => (None, None),
    };
    Secrets { api_token, access_token, ..Secrets::default() }
}

fn tell(identity: &Identity, arguments: &LoginArgs) -> anyhow::Result<()> {
    if arguments.output.format() != Format::Words {
        return output::show(identity, arguments.output, connection::now());
    }
    let [name, email, role] = [&identity.name, &identity.email, &identity.role]
        .map(|text| output::escaped(text.as_deref().unwrap_or("–")));
    let (server, profile) = (&identity.server, identity.profile.as_deref().unwrap_or_default());
    output::line(format_args!("Signed in at {server} as {name} ({email}, {role})."));
    output::line(format_args!("Profile {} is in use.", output::escaped(profile)));
    Ok(())
}
