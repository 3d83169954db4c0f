//! What the environment says about servers.

use tokenry_client::{Credentials, Error, Server};

/// Names a profile.
pub(crate) const PROFILE: &str = "TOKENRY_CLIENT_PROFILE";
/// Names the file of profiles.
pub(crate) const CONFIG: &str = "TOKENRY_CLIENT_CONFIG";
/// The secret of the client that introspects.
pub(crate) const CLIENT_SECRET: &str = "TOKENRY_CLIENT_SECRET";
const SERVER: &str = "TOKENRY_CLIENT_SERVER";
const ZENDESK_SERVER_URL: &str = "ZENDESK_SERVER_URL";
const ZENDESK_SUBDOMAIN: &str = "ZENDESK_SUBDOMAIN";

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

/// Who asks.
pub(super) fn credentials() -> Result<Option<Credentials>, Error> {
    Credentials::from_variables(variable)
}
