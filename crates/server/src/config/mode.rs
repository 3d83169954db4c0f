//! What a server is run for. A mode says nothing but what settings are that nobody wrote: each of
//! them can be written in either mode, and nothing else asks which mode it is.

use tokenry_core::policy::UnknownScopes;

use super::Config;

/// What the settings are for that nobody wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Real use: what is safe.
    Serve,
    /// A local double of Zendesk: what Zendesk does.
    Twin,
}

impl Config {
    /// What is in force where nothing is written.
    pub fn defaults(mode: Mode) -> Self {
        match mode {
            Mode::Serve => Self::default(),
            Mode::Twin => twin(),
        }
    }
}

/// Every setting in which a double of Zendesk is not what is safe.
fn twin() -> Config {
    let mut config = Config { base_url_from_host: true, ..Config::default() };
    config.tokens.access_token_lifetime = None;
    config.record_api.password_access = true;
    config.record_api.token_in_query = true;
    config.record_api.anonymous_me = true;
    config.api_tokens.account_wide = true;
    config.tokens.unknown_scopes = UnknownScopes::Accept;
    config.tokens.parameters_in_query = true;
    config.tokens.pkce_without_secret = true;
    config
}
