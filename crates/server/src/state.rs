//! What every handler shares.

use std::{borrow::Cow, sync::Arc, time::Duration};

use http::{Request, header::HOST};
use tokenry_core::{credentials::Key, policy::Policy};
use tokenry_protocol::time::Timestamp;
use tokenry_store::{Store, StoreError};

use crate::{
    api_token_uses::ApiTokenUses,
    config::{BaseUrl, Config, Consistency, OverTls},
    directory::Directory,
    environment::Environment,
    failure_limits::FailureLimits,
    freshness::Freshness,
    id_lease::IdLeases,
    keyring::{Keyring, KeyringError, Keys},
    passwords::{PasswordError, Passwords},
    refusals::Refusals,
    request_context,
    request_limits::RequestLimits,
    verify::Verifier,
};

/// The shared parts, cheap to clone.
#[derive(Clone)]
pub struct AppState(Arc<App>);

/// The shared parts themselves.
pub struct App {
    /// The configuration in force.
    pub config: Config,
    /// What it decides about tokens.
    pub policy: Policy,
    configured_base: BaseUrl,
    /// Time and randomness.
    pub environment: Environment,
    /// The memory.
    pub store: Arc<dyn Store>,
    /// The keys.
    pub keyring: Keyring,
    /// For how long what is in memory is vouched for.
    pub freshness: Arc<Freshness>,
    /// Clients and users.
    pub directory: Directory,
    /// The hot path.
    pub verifier: Verifier,
    /// Fresh ids.
    pub ids: IdLeases,
    /// Limits on failed authentications.
    pub failures: FailureLimits,
    /// Limits on requests.
    pub request_limits: RequestLimits,
    /// Users' passwords.
    pub passwords: Passwords,
    /// When API tokens were last used.
    pub api_token_uses: ApiTokenUses,
    /// Credentials of ours that were refused.
    pub refusals: Refusals,
    /// The root key, to open keys that other processes add.
    pub root_key: Key,
}

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A scope name in the configuration.
    #[error("scopes.resources: {0}")]
    Scopes(#[from] tokenry_protocol::scope::InvalidScope),
    /// The keys.
    #[error(transparent)]
    Keys(#[from] KeyringError),
    /// The password parameters.
    #[error(transparent)]
    Passwords(#[from] PasswordError),
}

impl StartError {
    /// Whether it may be over if one tries again.
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Keys(KeyringError::Store(StoreError::Unavailable(_))))
    }
}

/// What the shared parts are made of.
pub struct Parts {
    /// The configuration in force.
    pub config: Config,
    /// The public address.
    pub base: BaseUrl,
    /// Time and randomness.
    pub environment: Environment,
    /// The memory.
    pub store: Arc<dyn Store>,
    /// The root key.
    pub root_key: Key,
}

impl AppState {
    /// Opens the keys and puts the parts together.
    pub async fn new(parts: Parts) -> Result<Self, StartError> {
        let Parts { config, base, environment, store, root_key } = parts;
        let entropy = environment.entropy.as_ref();
        let now = environment.clock.now();
        let keyring = Keyring::open(store.as_ref(), &root_key, entropy, now).await?;
        let passwords = Passwords::new(&config.sign_in, entropy)?;
        let freshness = Arc::new(match config.consistency {
            // Nobody else serves an embedded database.
            Consistency::Bounded if config.store.is_none() => Freshness::unbounded(),
            Consistency::Bounded => Freshness::within(config.cluster.staleness_max),
            Consistency::Strict => Freshness::within(Duration::ZERO),
        });
        Ok(Self(Arc::new(App {
            policy: config.policy()?,
            directory: Directory::new(Arc::clone(&store), &config.cache, &freshness),
            verifier: Verifier::new(
                Arc::clone(&store),
                config.cache.tokens,
                Arc::clone(&freshness),
            ),
            ids: IdLeases::new(Arc::clone(&store)),
            failures: FailureLimits::new(&config.limits),
            request_limits: RequestLimits::new(&config.limits),
            api_token_uses: ApiTokenUses::default(),
            refusals: Refusals::default(),
            passwords,
            freshness,
            keyring,
            configured_base: base,
            environment,
            store,
            root_key,
            config,
        })))
    }
}

impl std::ops::Deref for AppState {
    type Target = App;

    fn deref(&self) -> &App {
        &self.0
    }
}

impl App {
    /// The time.
    pub fn now(&self) -> Timestamp {
        self.environment.clock.now()
    }

    /// The keys at this moment.
    pub fn keys(&self) -> Arc<Keys> {
        self.keyring.keys()
    }

    /// The public address: the issuer, byte for byte everywhere (RFC 8414 §2, RFC 9207), and the
    /// beginning of every link. Where the configuration lets it follow `Host`, it is that of the
    /// request that the task is answering.
    pub fn base(&self) -> Cow<'_, BaseUrl> {
        if !self.has_one_base()
            && let Some(base) = request_context::base()
        {
            return Cow::Owned(base);
        }
        Cow::Borrowed(&self.configured_base)
    }

    /// Whether the public address is the same for every request, so that an answer that holds it
    /// may be kept and given again.
    pub const fn has_one_base(&self) -> bool {
        !self.config.base_url_from_host
    }

    /// The public address as a request names it; `None` where the configuration alone decides, or
    /// where the request names none that could be ours.
    pub fn base_of<B>(&self, request: &Request<B>) -> Option<Box<BaseUrl>> {
        if self.has_one_base() {
            return None;
        }
        // The address of the request goes before Host (RFC 9112 §3.2.2); HTTP/2 has it alone.
        let host = match request.uri().authority() {
            Some(authority) => authority.as_str(),
            None => request.headers().get(HOST)?.to_str().ok()?,
        };
        let base = match request.extensions().get::<OverTls>() {
            Some(OverTls) => BaseUrl::over_tls(host),
            None => self.configured_base.with_host(host),
        };
        base.map(Box::new)
    }
}
