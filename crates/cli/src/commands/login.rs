//! `tokenry login`

mod args;
mod browser;
mod place;

use std::process::ExitCode;

use tokenry_client::{Credentials, Server, StoredTokens};

pub(crate) use self::args::LoginArgs;
use super::whoami::{Identity, identify};
use crate::{
    ask,
    connection::{self, Profile, Profiles, Secrets, SignIn, name_for, parse_server},
    exit_code::Exit,
    failure::{Failure, exit as exit_of},
    output::{self, Format},
};

/// Signs in, and keeps what it takes to be signed in.
pub(crate) async fn run(arguments: LoginArgs) -> anyhow::Result<ExitCode> {
    let mut profiles = Profiles::open()?;
    let server = server(&arguments, &profiles)?;
    if arguments.keyring {
        Profiles::try_keyring(&name_for(&server))?;
    }
    let method = method(&arguments)?;
    let (credentials, tokens) = match method {
        SignIn::Browser => {
            let tokens = browser::sign_in(&arguments, &server, &profiles).await?;
            (Credentials::Bearer(tokens.access_token.clone()), Some(tokens))
        }
        SignIn::ApiToken => (api_token(&arguments)?, None),
        SignIn::AccessToken => (Credentials::bearer(ask::secret_from_stdin("access token")?), None),
    };
    let client = connection::client(&arguments.connection, &server, credentials.clone())?;
    let identity = identify(&client, &credentials, None).await;
    let mut identity = identity.map_err(|error| unknown(error, &server))?;
    identity.sign_in = method.as_str();
    let profile = Profile {
        server: server.to_string(),
        sign_in: method,
        user: named(&credentials).or_else(|| identity.email.clone()),
        client_id: tokens.as_ref().map(|tokens| tokens.client_id.clone()),
        keyring: arguments.keyring,
    };
    let name = match arguments.connection.profile() {
        Some(name) => name.to_owned(),
        None => place::find(&profiles, &server, &profile),
    };
    place::clear(&arguments.connection, &profiles, &name, &client).await;
    profiles.keep(&name, &profile, &secrets(credentials, tokens))?;
    identity.profile = Some(name);
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

/// To sign in again is no help to whom is just doing it.
fn unknown(error: anyhow::Error, server: &Server) -> anyhow::Error {
    if exit_of(&error) != Exit::NotAllowed {
        return error;
    }
    let text = format!("{server} does not know these credentials; nothing was kept");
    let hint = "check the address and the token; a server may also have switched API tokens off";
    Failure::new(Exit::NotAllowed, text).hint(hint).into()
}

/// How to do without questions.
const INSTEAD: &str = "use --browser, or name the user with --email and give their token with \
                       --api-token-stdin, or use --access-token-stdin";

fn method(arguments: &LoginArgs) -> anyhow::Result<SignIn> {
    let LoginArgs { access_token_stdin, email, browser, no_browser, .. } = arguments;
    if *access_token_stdin {
        return Ok(SignIn::AccessToken);
    }
    if email.is_some() {
        return Ok(SignIn::ApiToken);
    }
    if *browser || *no_browser {
        return Ok(SignIn::Browser);
    }
    let question = "How do you sign in: (1) with a browser, or (2) with an API token?";
    match ask::line(question, INSTEAD)?.as_str() {
        "1" => Ok(SignIn::Browser),
        "2" => Ok(SignIn::ApiToken),
        _ => Err(Failure::new(Exit::Usage, "type 1 or 2").hint(INSTEAD).into()),
    }
}

fn api_token(arguments: &LoginArgs) -> anyhow::Result<Credentials> {
    let email = match &arguments.email {
        Some(email) => email.clone(),
        None => ask::line("Your e-mail address there?", INSTEAD)?,
    };
    let token = if arguments.api_token_stdin {
        ask::secret_from_stdin("API token")?
    } else {
        ask::secret("An API token of yours (it is not shown)?", INSTEAD)?
    };
    Ok(Credentials::api_token(email, token))
}

/// The address that was given.
fn named(credentials: &Credentials) -> Option<String> {
    match credentials {
        Credentials::ApiToken { email, .. } => Some(email.clone()),
        _ => None,
    }
}

fn secrets(credentials: Credentials, tokens: Option<StoredTokens>) -> Secrets {
    match (tokens, credentials) {
        (Some(tokens), _) => Secrets { tokens: Some(tokens), ..Secrets::default() },
        (None, Credentials::ApiToken { token, .. }) => {
            Secrets { api_token: Some(token), ..Secrets::default() }
        }
        (None, Credentials::Bearer(token)) => {
            Secrets { access_token: Some(token), ..Secrets::default() }
        }
        _ => Secrets::default(),
    }
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
