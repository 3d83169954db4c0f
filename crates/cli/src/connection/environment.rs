//! What the environment says about servers.

use tokenry_client::{Credentials, Error, Server};

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
pub(super) fn server() -> Result<Option<Server>, Error> {
    if let Some(address) = variable(SERVER).or_else(|| variable(ZENDESK_SERVER_URL)) {
        return Server::parse(&address).map(Some);
    }
    variable(ZENDESK_SUBDOMAIN).as_deref().map(Server::zendesk).transpose()
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
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let unknown = names.filter(|name| name.starts_with(PREFIX) && !KNOWN.contains(&name.as_str()));
    unused.extend(unknown.map(|name| (name, "there is no such variable")));
    unused
}

/// Who asks.
pub(super) fn credentials() -> Result<Option<Credentials>, Error> {
    Credentials::from_variables(variable)
}
