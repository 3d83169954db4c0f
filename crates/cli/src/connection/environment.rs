//! What the environment says about servers.

use tokenry_client::{Credentials, Server};

use super::args::is_zendesk;
use crate::{exit_code::Exit, failure::Failure};

/// Names a profile.
pub(crate) const PROFILE: &str = "TOKENRY_CLIENT_PROFILE";
/// Names the file of profiles.
pub(crate) const CONFIG: &str = "TOKENRY_CLIENT_CONFIG";
/// The client that introspects.
const CLIENT_ID: &str = "TOKENRY_CLIENT_ID";
/// The secret of the client that introspects.
pub(crate) const CLIENT_SECRET: &str = "TOKENRY_CLIENT_SECRET";
const SERVER: &str = "TOKENRY_CLIENT_SERVER";
const ZENDESK_SERVER_URL: &str = "ZENDESK_SERVER_URL";
const ZENDESK_SUBDOMAIN: &str = "ZENDESK_SUBDOMAIN";

const PREFIX: &str = "TOKENRY_CLIENT_";
const ZENDESK_PREFIX: &str = "ZENDESK_";
/// What is of nobody without the other.
const SECRETS: [(&str, &str); 3] = [
    ("TOKENRY_CLIENT_API_TOKEN", "TOKENRY_CLIENT_EMAIL"),
    ("TOKENRY_CLIENT_PASSWORD", "TOKENRY_CLIENT_EMAIL"),
    ("ZENDESK_PASSWORD", "ZENDESK_USERNAME"),
];
/// What says who asks.
const CREDENTIALS: [&str; 6] = [
    "TOKENRY_CLIENT_ACCESS_TOKEN",
    "TOKENRY_CLIENT_EMAIL",
    "TOKENRY_CLIENT_API_TOKEN",
    "TOKENRY_CLIENT_PASSWORD",
    "ZENDESK_USERNAME",
    "ZENDESK_PASSWORD",
];
const KNOWN: [&str; 9] = [
    PROFILE,
    CONFIG,
    SERVER,
    CLIENT_ID,
    CLIENT_SECRET,
    "TOKENRY_CLIENT_ACCESS_TOKEN",
    "TOKENRY_CLIENT_EMAIL",
    "TOKENRY_CLIENT_API_TOKEN",
    "TOKENRY_CLIENT_PASSWORD",
];

/// A variable that is set to something.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The profile that is named.
pub(super) fn profile() -> Option<String> {
    variable(PROFILE)
}

/// The server that is named.
pub(super) fn server() -> anyhow::Result<Option<Server>> {
    Named::by(variable).map(Named::server)
}

/// Variables that are set and change nothing, each with the reason.
pub(crate) fn unused() -> Vec<(String, &'static str)> {
    let is_set = |name: &str| variable(name).is_some();
    let mut unused = Vec::new();
    let mut add = |name: &str, why| {
        if is_set(name) {
            unused.push((name.to_owned(), why));
        }
    };
    let has_server =
        [SERVER, ZENDESK_SERVER_URL, ZENDESK_SUBDOMAIN].iter().any(|name| is_set(name));
    if is_set(PROFILE) {
        for name in [SERVER, ZENDESK_SERVER_URL, ZENDESK_SUBDOMAIN] {
            add(name, "TOKENRY_CLIENT_PROFILE goes before it");
        }
    } else if is_set(SERVER) {
        add(ZENDESK_SERVER_URL, "TOKENRY_CLIENT_SERVER goes before it");
        add(ZENDESK_SUBDOMAIN, "TOKENRY_CLIENT_SERVER goes before it");
    } else if is_set(ZENDESK_SERVER_URL) {
        add(ZENDESK_SUBDOMAIN, "ZENDESK_SERVER_URL goes before it");
    }
    if !has_server || is_set(PROFILE) {
        for name in CREDENTIALS {
            add(
                name,
                "no server is named beside it: set TOKENRY_CLIENT_SERVER or ZENDESK_SUBDOMAIN",
            );
        }
    }
    let names_theirs = is_set(ZENDESK_SERVER_URL) || is_set(ZENDESK_SUBDOMAIN);
    if has_server && !is_set(PROFILE) && is_set(SERVER) != names_theirs {
        let other = if names_theirs { PREFIX } else { ZENDESK_PREFIX };
        for name in CREDENTIALS.into_iter().filter(|name| name.starts_with(other)) {
            add(name, "the server is named by the other variables, and this is not sent there");
        }
    }
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let unknown = names.filter(|name| name.starts_with(PREFIX) && !KNOWN.contains(&name.as_str()));
    unused.extend(unknown.map(|name| (name, "there is no such variable")));
    unused
}

/// Who asks this server.
pub(super) fn credentials(server: &Server) -> anyhow::Result<Option<Credentials>> {
    credentials_by(variable, server)
}

/// The servers that the two families of variables name.
struct Named {
    ours: Option<Server>,
    zendesk: Option<Server>,
}

impl Named {
    fn by(variable: impl Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        let ours = variable(SERVER).as_deref().map(Server::parse).transpose()?;
        let zendesk = match variable(ZENDESK_SERVER_URL) {
            Some(address) => Some(Server::parse(&address)?),
            None => variable(ZENDESK_SUBDOMAIN).as_deref().map(Server::zendesk).transpose()?,
        };
        Ok(Self { ours, zendesk })
    }

    fn server(self) -> Option<Server> {
        self.ours.or(self.zendesk)
    }

    /// Credentials beside the address of one server are not meant for another, and those of one
    /// family not for a server that the other names.
    fn means(&self, prefix: &str, server: &Server) -> bool {
        let (own, other) = if prefix == PREFIX {
            (&self.ours, &self.zendesk)
        } else {
            (&self.zendesk, &self.ours)
        };
        match own {
            Some(named) => named == server,
            None if other.is_some() => false,
            None => prefix == PREFIX || is_zendesk(server),
        }
    }
}

fn credentials_by(
    variable: impl Fn(&str) -> Option<String>,
    server: &Server,
) -> anyhow::Result<Option<Credentials>> {
    let named = Named::by(&variable)?;
    for prefix in [PREFIX, ZENDESK_PREFIX] {
        if !named.means(prefix, server) {
            continue;
        }
        let set = |name: &str| variable(name).filter(|_| name.starts_with(prefix));
        let found = Credentials::from_variables_for(server, set)?;
        if found.is_some() {
            return Ok(found);
        }
        if let Some((secret, name)) = SECRETS.iter().find(|(secret, _)| set(secret).is_some()) {
            let text = format!("{secret} is set, but {name} not");
            let hint = format!("set {name} to the address of the user whose it is");
            return Err(Failure::new(Exit::Usage, text).hint(hint).into());
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: [(&str, &str); 1] = [("TOKENRY_CLIENT_ACCESS_TOKEN", "ours")];
    const THEIRS: [(&str, &str); 2] =
        [("ZENDESK_USERNAME", "ada@acme.test"), ("ZENDESK_PASSWORD", "theirs")];

    fn found(variables: &[&[(&str, &str)]], server: &Server) -> anyhow::Result<&'static str> {
        let variables = variables.concat();
        let variable = |name: &str| {
            let found = variables.iter().find(|(found, _)| *found == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Ok(match credentials_by(variable, server)? {
            None => "none",
            Some(Credentials::Bearer(_)) => "ours",
            Some(_) => "theirs",
        })
    }

    #[test]
    fn credentials_are_sent_to_no_server_that_they_are_not_meant_for() {
        let own = Server::parse("https://auth.example.com").unwrap();
        let (acme, other) = (Server::zendesk("acme").unwrap(), Server::zendesk("other").unwrap());
        let (ours, theirs) = (
            [("TOKENRY_CLIENT_SERVER", "https://auth.example.com")],
            [("ZENDESK_SUBDOMAIN", "acme")],
        );
        for (variables, server, expected) in [
            // No server is named but by a flag.
            (&[&OURS[..]][..], &own, "ours"),
            (&[&THEIRS], &own, "none"),
            (&[&THEIRS], &acme, "theirs"),
            (&[&THEIRS, &OURS], &own, "ours"),
            // Each beside its own server.
            (&[&ours, &OURS], &own, "ours"),
            (&[&ours, &OURS], &acme, "none"),
            (&[&theirs, &THEIRS], &acme, "theirs"),
            (&[&theirs, &THEIRS], &other, "none"),
            (&[&theirs, &THEIRS], &own, "none"),
            // Each beside the other's.
            (&[&theirs, &OURS], &acme, "none"),
            (&[&theirs, &OURS, &THEIRS], &acme, "theirs"),
            (&[&ours, &THEIRS], &own, "none"),
            (&[&ours, &THEIRS], &acme, "none"),
            // Both are named: each goes to its own.
            (&[&ours, &theirs, &OURS, &THEIRS], &own, "ours"),
            (&[&ours, &theirs, &OURS, &THEIRS], &acme, "theirs"),
        ] {
            assert_eq!(found(variables, server).unwrap(), expected, "{variables:?} {server}");
        }
    }

    #[test]
    fn a_secret_without_the_name_of_its_user_is_an_error() {
        let own = Server::parse("https://auth.example.com").unwrap();
        let acme = Server::zendesk("acme").unwrap();
        for (name, server) in [
            ("TOKENRY_CLIENT_API_TOKEN", &own),
            ("TOKENRY_CLIENT_PASSWORD", &own),
            ("ZENDESK_PASSWORD", &acme),
        ] {
            let error = found(&[&[(name, "hunter2")]], server).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{name} is set, but ")), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
