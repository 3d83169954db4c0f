//! What every command takes that speaks to a server.

use std::{
    io::{self, IsTerminal as _},
    time::Duration,
};

use clap::Args;
use tokenry_client::{Error, Server};
use tracing_subscriber::EnvFilter;

/// Where `--help` shows which server is spoken to.
const HEADING: &str = "Connection";
/// Every request and answer of the client, which leaves out what is secret in them.
const DEBUG: &str = "tokenry_client=trace";
/// What an account's address at Zendesk ends with.
const ZENDESK: &str = ".zendesk.com";

/// Which server, and how it is spoken to.
#[derive(Args, Clone, Default)]
pub(crate) struct ConnectionArgs {
    /// Speak to the server of this profile [default: the one in use, see `tokenry profile list`]
    #[arg(long, value_name = "NAME", help_heading = HEADING)]
    profile: Option<String>,
    /// Speak to this server
    #[arg(long, value_name = "URL|SUBDOMAIN.zendesk.com", help_heading = HEADING)]
    server: Option<String>,
    /// Send credentials over plain http to another machine, where everybody on the way reads them
    #[arg(long, help_heading = HEADING)]
    insecure_http: bool,
    /// Wait so long for each answer [default: 30]
    #[arg(long, value_name = "SECONDS", help_heading = HEADING)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: Option<u64>,
    /// Show every request and answer on standard error, without what is secret in them
    #[arg(long, help_heading = HEADING)]
    debug: bool,
}

impl ConnectionArgs {
    /// The profile that was named.
    pub(crate) fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    /// The server that was named.
    pub(crate) fn server(&self) -> Result<Option<Server>, Error> {
        self.server.as_deref().map(parse_server).transpose()
    }

    /// Whether everybody on the way may read the credentials.
    pub(crate) const fn insecure_http(&self) -> bool {
        self.insecure_http
    }

    pub(super) fn timeout(&self) -> Option<Duration> {
        self.timeout.map(Duration::from_secs)
    }

    pub(super) fn start_debugging(&self) {
        if self.debug {
            let log = tracing_subscriber::fmt().with_env_filter(EnvFilter::new(DEBUG));
            let log = log.with_ansi(io::stderr().is_terminal());
            // A log that is there already shows what it was told to.
            let _ = log.with_writer(io::stderr).log_internal_errors(false).try_init();
        }
    }
}

/// Whether it is an account at Zendesk.
pub(crate) fn is_zendesk(server: &Server) -> bool {
    server.as_str().ends_with(ZENDESK)
}

/// The address of a server, or the name of an account at Zendesk.
pub(crate) fn parse_server(text: &str) -> Result<Server, Error> {
    match text.trim().strip_suffix(ZENDESK) {
        Some(subdomain) if !subdomain.contains("://") => Server::zendesk(subdomain),
        _ => Server::parse(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_named_as_people_name_it_and_any_other_server_by_its_address() {
        for (text, expected) in [
            ("acme.zendesk.com", Some("https://acme.zendesk.com")),
            ("https://acme.zendesk.com", Some("https://acme.zendesk.com")),
            ("https://auth.example.com/", Some("https://auth.example.com")),
            ("auth.example.com", None),
            ("a/b.zendesk.com", None),
        ] {
            let server = parse_server(text).ok();
            assert_eq!(server.as_ref().map(Server::as_str), expected, "{text}");
        }
    }
}
