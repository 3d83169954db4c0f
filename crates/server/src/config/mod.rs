//! Configuration: one TOML file, environment variables over it, flags over those.
//!
//! 1. `layers`: **as written**. Everything that was written is gathered with its origin; names that
//!    are no setting are refused with the nearest one that is.
//! 2. Sections (`tokens`, `limits`, …): each setting is declared once, by `section!`, with its
//!    type, default, bounds and meaning. From that come parsing, the reference and the report.
//! 3. `mode`: what the settings are that nobody wrote, in real use and in a double of Zendesk.
//! 4. `checks`: what settings say together.
//! 5. [`Config`]: **as checked**. Nobody else reads the environment or the file.
//! 6. `weaknesses`: where that is weaker than what is safe.
//!
//! Every fault is reported, not the first only.

mod access;
mod base_url;
mod checks;
mod error;
mod kinds;
mod layers;
mod limits;
mod mode;
mod nearest;
mod proxy;
mod reference;
mod report;
mod scopes;
mod section;
mod server_key;
mod setting;
mod storage;
mod store_url;
mod telemetry;
#[cfg(test)]
mod tests;
mod tls;
mod tokens;
mod weaknesses;

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use tokenry_core::policy::Policy;
use tokenry_protocol::{scope::InvalidScope, time::Seconds};
use tokenry_store::postgres::PostgresAddress;

pub use access::{ApiTokens, RecordApi, SignIn};
pub use base_url::{BaseUrl, OverTls};
pub use error::{ConfigError, ConfigErrors, Origin};
pub use kinds::parse_span;
pub use layers::{FILE_VARIABLE, Override};
pub use limits::Limits;
pub use mode::Mode;
pub use nearest::nearest;
pub use proxy::{AddressHeader, Proxy};
pub use reference::{example_file, reference_markdown};
pub use scopes::Scopes;
pub use server_key::ServerKey;
pub use storage::{Cache, Cluster, Consistency, Postgres, Purge, Sqlite};
pub use telemetry::{Log, LogFormat, Metrics};
pub use tls::Tls;
pub use tokens::Tokens;
pub use weaknesses::Weakness;

use base_url::Base;
use kinds::{Address, FilePath, Optional, Prose, Switch};
use layers::Layers;
use section::{Section, section};
use server_key::Key;
use storage::CONSISTENCY;

section! {
    /// The server itself. These settings stand at the top of the file, before any section.
    Config "" {
        /// The address the server listens on. Port 0 takes any free port.
        listen: SocketAddr = SocketAddr::from((Ipv4Addr::LOCALHOST, 4000)), Address;
        /// The folder that holds the database and the server's key. Made when it is not there. A
        /// relative path is relative to the folder the program was started in.
        data: PathBuf = PathBuf::from("tokenry-data"), FilePath("/var/lib/tokenry");
        /// The database, where several nodes share one: `postgres://user:password@host/database`.
        /// What leaves the machine goes over TLS, with the certificate checked, unless `?sslmode=`
        /// says otherwise. Of several servers, `…@host1,host2/database`, the one that takes writes
        /// is used, and after a failover the one that took its place. Unset, it is the embedded one
        /// in the data folder, for one node. A flag is seen in process lists: give a password by
        /// the environment.
        store: Option<PostgresAddress> = None, Optional(store_url::Postgres);
        /// The address under which clients reach the server: the issuer and the beginning of every
        /// link (RFC 8414 §2). Scheme, host and port only, with no slash at the end. Must be https,
        /// or http on a loopback host. Unset, it is the address the server listens on.
        base_url: Option<BaseUrl> = None, Optional(Base);
        /// Whether `base_url` may be plain http on a host that is not loopback. Everything then
        /// crosses the network readable, passwords included.
        insecure_http: bool = false, Switch;
        /// Whether rates are limited. Off switches every rate of `[limits]` off, for load and fault
        /// tests.
        rate_limits: bool = true, Switch;
        /// The root key that seals every other key, instead of the file in the data folder. A store
        /// that was made with one key does not open with another.
        server_key: Option<ServerKey> = None, Optional(Key);
        /// A file that holds the root key in the same form. Unset, and without `server_key`, the
        /// key is in the data folder, where the first start makes it.
        key_file: Option<PathBuf> = None, Optional(FilePath("/etc/tokenry/server.key"));
        /// What a check of a token relies on. `bounded`: on memory, which hears of what other
        /// processes and nodes change within a tenth of a second, and at worst within
        /// `cluster.staleness_max`. `strict`: on the database, each time, so that what another node
        /// has revoked is dead at once here as well.
        consistency: Consistency = Consistency::Bounded, CONSISTENCY;
        /// Whether the issuer and every link follow the `Host` of each request, with the scheme of
        /// `base_url`, for test installations that are reached by several names. Whoever can make a
        /// client or a proxy send another `Host` then decides which server the answer names. A
        /// request without a host name that could be the server's gets the configured address.
        base_url_from_host: bool = false, Switch;
        /// A sentence above every page that people see, in plain text: that this is a test
        /// installation, for example.
        notice: Option<String> = None, Optional(Prose(300));
    } with {
        tls: Tls;
        metrics: Metrics;
        log: Log;
        tokens: Tokens;
        scopes: Scopes;
        record_api: RecordApi;
        api_tokens: ApiTokens;
        sign_in: SignIn;
        limits: Limits;
        proxy: Proxy;
        cache: Cache;
        purge: Purge;
        sqlite: Sqlite;
        postgres: Postgres;
        cluster: Cluster;
    }
}

/// A checked configuration, and where each value came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What is in force.
    pub config: Config,
    origins: BTreeMap<&'static str, Origin>,
}

impl Config {
    /// Reads over the defaults of `mode` the file (`file`, or else the one that `TOKENRY_CONFIG`
    /// names), the environment over it and `overrides` over both, and checks everything.
    pub fn load(
        mode: Mode,
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
        overrides: &[Override],
    ) -> Result<Loaded, ConfigErrors> {
        let environment: Vec<_> = environment.collect();
        let named = environment
            .iter()
            .find(|(name, value)| name == FILE_VARIABLE && !value.is_empty())
            .map(|(_, value)| Path::new(value));
        let defaults = Self::defaults(mode);
        let mut layers = Layers::new(&defaults.groups());
        if let Some(path) = file.or(named) {
            layers.add_file(path);
        }
        layers.add_environment(&environment);
        layers.add_overrides(overrides);
        let mut config = Self::read(&mut layers, defaults);
        checks::check(&mut config, &mut layers);
        match layers.finish() {
            Ok(origins) => Ok(Loaded { config, origins }),
            Err(errors) => Err(ConfigErrors(errors)),
        }
    }

    /// The address that clients reach a server by which listens on `bound`.
    pub fn base_at(&self, bound: SocketAddr) -> Result<BaseUrl, url::ParseError> {
        match (&self.base_url, self.tls.files()) {
            (Some(base), _) => Ok(base.clone()),
            (None, Some(_)) => BaseUrl::with_tls_at(bound),
            (None, None) => BaseUrl::at(bound),
        }
    }

    /// What the decisions about tokens need. Cannot fail on a configuration that was loaded.
    pub fn policy(&self) -> Result<Policy, InvalidScope> {
        let tokens = &self.tokens;
        Ok(Policy {
            access_token_lifetime: tokens.access_token_lifetime.map(seconds),
            refresh_token_lifetime: seconds(tokens.refresh_token_lifetime),
            created_token_lifetime_max: tokens.created_token_lifetime_max.map(seconds),
            grant_lifetime_max: tokens.grant_lifetime_max.map(seconds),
            retry_window_confidential: seconds(tokens.retry_window_confidential),
            retry_window_public: seconds(tokens.retry_window_public),
            unknown_scopes: tokens.unknown_scopes,
            scopes: self.scopes.catalog()?,
            rotation: tokens.rotation,
            access_token_format: tokens.access_token_format,
            redemption_proof: tokens.redemption_proof(),
        })
    }
}

fn seconds(duration: Duration) -> Seconds {
    Seconds(u32::try_from(duration.as_secs()).unwrap_or(u32::MAX))
}

/// The variables of this process that concern [`Config::load`]. What is not UTF-8 is handed on with
/// replacement characters, so that it is refused and not overlooked.
pub fn process_environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .map(|(name, value)| {
            let text = |part: std::ffi::OsString| part.to_string_lossy().into_owned();
            (text(name), text(value))
        })
        .filter(|(name, _)| name.starts_with(setting::PREFIX))
}
