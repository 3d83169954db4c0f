//! Which server a command speaks to, and as whom.
//!
//! The first of these that names a server decides:
//!
//! 1. `--profile` or `--server`;
//! 2. `TOKENRY_CLIENT_PROFILE`;
//! 3. the environment: `TOKENRY_CLIENT_SERVER`, `ZENDESK_SERVER_URL` or `ZENDESK_SUBDOMAIN`;
//! 4. the profile that is in use.
//!
//! A server that is named without credentials takes those of the profile that is signed in there.
//! `ZENDESK_…` credentials go to the server that `ZENDESK_…` names or to an account at Zendesk that
//! a flag names, and `TOKENRY_CLIENT_…` never to a server that `ZENDESK_…` names.

mod args;
mod environment;
mod failure;
mod keyring;
mod profile;
mod profiles;
mod storage;

use std::time::Duration;

use tokenry_client::{
    Client, ClientAuthentication, ClientBuilder, Credentials, Environment as _, Server,
    SystemEnvironment, TokenSource, models::Timestamp, resources::grant_type_tokens::Door,
};

use self::storage::ProfileStorage;
pub(crate) use self::{
    args::{ConnectionArgs, is_zendesk, parse_server},
    environment::{CLIENT_SECRET, unused as unused_variables, variable},
    failure::{exit, hint},
    profile::{Profile, Secrets, SignIn},
    profiles::{Profiles, name_for},
};
use crate::{exit_code::Exit, failure::Failure};

/// A server, and who asks there.
pub(crate) struct Connection {
    /// Sends what is asked.
    pub(crate) client: Client,
    /// The profile that it is of, by name.
    pub(crate) profile: Option<String>,
    /// As whom.
    pub(crate) credentials: Credentials,
}

/// Who asks which server, before anything is sent.
pub(crate) struct Target {
    /// The server.
    pub(crate) server: Server,
    /// As whom; `None` of these is nobody.
    pub(crate) credentials: Credentials,
    /// The profile that it is of, by name.
    pub(crate) profile: Option<String>,
}

/// A client of the server that was named, as whoever is signed in there.
pub(crate) fn connect(arguments: &ConnectionArgs) -> anyhow::Result<Client> {
    Ok(open(arguments)?.client)
}

/// The same, and which profile it is of.
pub(crate) fn open(arguments: &ConnectionArgs) -> anyhow::Result<Connection> {
    let Target { server, credentials, profile } = named_target(arguments)?;
    if matches!(credentials, Credentials::None) {
        return Err(signed_out(&server).into());
    }
    let client = client(arguments, &server, credentials.clone())?;
    Ok(Connection { client, profile, credentials })
}

/// A client of the server that was named, as nobody.
pub(crate) fn connect_anonymously(arguments: &ConnectionArgs) -> anyhow::Result<Client> {
    let server = named_target(arguments)?.server;
    client(arguments, &server, Credentials::None)
}

/// Now, by this machine's clock.
pub(crate) fn now() -> Timestamp {
    SystemEnvironment.now()
}

/// A client of this server for these credentials, as the flags have it.
pub(crate) fn client(
    arguments: &ConnectionArgs,
    server: &Server,
    credentials: Credentials,
) -> anyhow::Result<Client> {
    arguments.start_debugging();
    let mut builder = with_timeout(Client::builder(), arguments.timeout());
    if arguments.insecure_http() {
        builder = builder.insecure_http();
    }
    Ok(builder.server(server.as_str()).credentials(credentials).build()?)
}

fn with_timeout(builder: ClientBuilder, timeout: Option<Duration>) -> ClientBuilder {
    match timeout {
        Some(timeout) => builder.timeout(timeout),
        None => builder,
    }
}

fn named_target(arguments: &ConnectionArgs) -> anyhow::Result<Target> {
    let profiles = Profiles::open()?;
    let target = target(arguments, &profiles)?;
    target.ok_or_else(|| nobody(&profiles).into())
}

/// Which server is meant, and who asks there; `None` when nothing names one.
pub(crate) fn target(
    arguments: &ConnectionArgs,
    profiles: &Profiles,
) -> anyhow::Result<Option<Target>> {
    let named = arguments.server()?;
    if let Some(name) = arguments.profile() {
        let target = of_profile(arguments, profiles, name)?;
        return match named {
            Some(server) if server != target.server => Err(of_another(name, &target).into()),
            _ => Ok(Some(target)),
        };
    }
    if named.is_none()
        && let Some(name) = environment::profile()
    {
        return of_profile(arguments, profiles, &name).map(Some);
    }
    let server = match named {
        Some(server) => Some(server),
        None => environment::server()?,
    };
    if let Some(server) = server {
        let credentials = environment::credentials(&server)?;
        return of_server(arguments, profiles, server, credentials).map(Some);
    }
    profiles.current().map(|name| of_profile(arguments, profiles, name)).transpose()
}

fn of_server(
    arguments: &ConnectionArgs,
    profiles: &Profiles,
    server: Server,
    credentials: Option<Credentials>,
) -> anyhow::Result<Target> {
    if let Some(credentials) = credentials {
        return Ok(Target { server, credentials, profile: None });
    }
    match profiles.at(&server) {
        Some(name) => of_profile(arguments, profiles, name),
        None => Ok(Target { server, credentials: Credentials::None, profile: None }),
    }
}

fn of_profile(
    arguments: &ConnectionArgs,
    profiles: &Profiles,
    name: &str,
) -> anyhow::Result<Target> {
    let server = Server::parse(&profiles.get(name)?.server)?;
    let credentials = credentials(arguments, profiles, name)?;
    Ok(Target { server, credentials, profile: Some(name.to_owned()) })
}

/// Who asks with a profile.
pub(crate) fn credentials(
    arguments: &ConnectionArgs,
    profiles: &Profiles,
    name: &str,
) -> anyhow::Result<Credentials> {
    let profile = profiles.get(name)?;
    let Secrets { api_token, access_token, tokens } = profiles.secrets(name)?;
    let credentials = match profile.sign_in {
        SignIn::ApiToken => api_token
            .zip(profile.user.as_ref())
            .map(|(token, email)| Credentials::ApiToken { email: email.clone(), token }),
        SignIn::AccessToken => access_token.map(Credentials::Bearer),
        SignIn::Browser => match tokens {
            Some(tokens) => Some(renewed(arguments, name, &tokens.server, &tokens.client_id)?),
            None => None,
        },
    };
    credentials.ok_or_else(|| {
        let text = format!("the profile {name} has no credentials");
        let hint = format!("sign in again: tokenry login --profile {name}");
        Failure::new(Exit::NotAllowed, text).hint(hint).into()
    })
}

/// Tokens that are renewed by themselves, and kept in their profile.
fn renewed(
    arguments: &ConnectionArgs,
    name: &str,
    server: &Server,
    client_id: &str,
) -> anyhow::Result<Credentials> {
    let client = client(arguments, server, Credentials::None)?;
    let app = ClientAuthentication::public(client_id);
    // Zendesk has no other.
    let door = if is_zendesk(server) { Door::Record } else { Door::Standard };
    let source = TokenSource::builder(&client, app, ProfileStorage::new(name)).door(door).build();
    Ok(source.credentials())
}

fn signed_out(server: &Server) -> Failure {
    let failure = Failure::new(Exit::NotAllowed, format!("nobody is signed in at {server}"));
    failure.hint(format!(
        "sign in with `tokenry login --server {server}`, or set TOKENRY_CLIENT_ACCESS_TOKEN, or \
         TOKENRY_CLIENT_EMAIL and TOKENRY_CLIENT_API_TOKEN"
    ))
}

fn of_another(name: &str, target: &Target) -> Failure {
    let text = format!("the profile {name} is of another server, {}", target.server);
    Failure::new(Exit::Usage, text).hint("leave out --profile or --server")
}

fn nobody(profiles: &Profiles) -> Failure {
    if let Some((name, _)) = profiles.all().next() {
        let failure = Failure::new(Exit::NotAllowed, "no profile is in use");
        return failure.hint(format!("`tokenry profile use {name}`, or sign in: `tokenry login`"));
    }
    Failure::new(Exit::NotAllowed, "no server is named, and nobody is signed in").hint(
        "sign in with `tokenry login`; scripts set TOKENRY_CLIENT_SERVER with \
         TOKENRY_CLIENT_ACCESS_TOKEN, or with TOKENRY_CLIENT_EMAIL and TOKENRY_CLIENT_API_TOKEN",
    )
}
