//! Access tokens that are renewed by themselves: refresh tokens with rotation (RFC 6749 §6, RFC
//! 9700 §4.14.2) and client credentials (RFC 6749 §4.4).
//!
//! ```no_run
//! # #[cfg(feature = "reqwest")]
//! # async fn example(
//! #     callback: tokenry_client::CheckedCallback,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! use tokenry_client::{Client, ClientAuthentication, FileStorage, TokenSource};
//!
//! let app = ClientAuthentication::public("acme_cli");
//! let client = Client::builder().server("https://auth.example.com").build()?;
//! let storage = FileStorage::new("tokens.json");
//! let source = TokenSource::builder(&client, app.clone(), storage).expires_in(3_600).build();
//!
//! // Once, and whenever the user has consented anew:
//! let call = client.grant_type_tokens().redeem(&app, callback).expires_in(3_600);
//! source.store(call.stored().await?).await?;
//!
//! // And from then on:
//! let client = client.with_credentials(source.credentials());
//! client.users().me().await?;
//! # Ok(()) }
//! ```
//!
//! # What it keeps
//!
//! * **One refresh, however many wait.** Whoever needs a token while one is asked for waits for
//!   that one. It runs as a task of its own: a caller that is dropped leaves it running, and no
//!   answer is lost with them. An access token that the server has refused is traded once.
//! * **No refresh token is let go before its successor is stored.** What was answered goes into the
//!   [`TokenStorage`] first; only then is it handed out. If it cannot be stored, callers are told,
//!   the old refresh token stays where it is, and the answer is stored at the next call. A process
//!   that dies before that begins again with the old refresh token, for which Tokenry gives the
//!   same pair again.
//! * **A lost answer is asked for again**, by the client's [`RetryPolicy`](crate::RetryPolicy), and
//!   after its last attempt by the next caller.
//! * **Several processes share one storage.** They refresh one after the other, and each looks
//!   first what the others have stored.
//! * **An early refresh that fails harms nobody.** The access token is used until it expires.

mod error;
mod file_storage;
mod renewal;
mod storage;
mod stored_tokens;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{FutureExt as _, future};
use tokenry_protocol::{api::secret_text::SecretText, time::Timestamp};
use tokio::{runtime::Handle, sync::oneshot};

use self::renewal::{Dead, Grant, Settings, Unsaved};
pub use self::{
    error::TokenSourceError,
    file_storage::FileStorage,
    storage::{MemoryStorage, StorageError, StorageGuard, TokenStorage},
    stored_tokens::StoredTokens,
};
use crate::{
    Authorization, Client, ClientAuthentication, CredentialSource, Credentials, Error, Server,
    credentials::BoxFuture, resources::grant_type_tokens::Door,
};

/// Time for others to finish their renewal, if nothing else was said.
const TURN_WAIT_MAX: Duration = Duration::from_secs(60);

/// A source of access tokens that renews them. Cloning it is cheap, and clones share everything.
#[derive(Clone)]
pub struct TokenSource {
    shared: Arc<Shared>,
}

/// A token source to be.
///
/// What is asked of new tokens (`scope`, `expires_in`, `refresh_token_expires_in`) should stay the
/// same from one process to the next: Tokenry gives a lost answer again only to whom asks for the
/// same again.
#[must_use = "a builder makes nothing before it is built"]
pub struct TokenSourceBuilder {
    settings: Settings,
}

struct Shared {
    settings: Settings,
    state: Mutex<State>,
    /// Held from before tokens are loaded until those that are stored are held, so that a renewal
    /// and a new sign-in do not undo each other.
    turn: tokio::sync::Mutex<()>,
}

/// What is known of tokens. The storage knows better, and is asked before the server is.
#[derive(Default)]
struct State {
    /// The newest tokens that are stored.
    held: Option<Arc<Held>>,
    /// The access token that the server has refused.
    spent: Option<SecretText>,
    /// The renewal under way.
    flight: Option<Flight>,
    /// Until then no early refresh is tried again.
    early_after: Option<Timestamp>,
    /// The refresh token that the server has refused.
    dead: Option<Dead>,
    /// What was answered and could not be stored.
    unsaved: Option<Unsaved>,
}

struct Held {
    tokens: StoredTokens,
    authorization: Authorization,
}

type Outcome = Result<Arc<Held>, Arc<TokenSourceError>>;

/// What everybody who needs a token waits for.
type Flight = future::Shared<oneshot::Receiver<Outcome>>;

impl TokenSource {
    /// Begins a source of the tokens in this storage, which this client of the server was issued.
    /// Requests go to the server of `client`; its own credentials are not used.
    pub fn builder(
        client: &Client,
        authentication: ClientAuthentication,
        storage: impl TokenStorage,
    ) -> TokenSourceBuilder {
        TokenSourceBuilder {
            settings: Settings {
                client: client.with_credentials(Credentials::None),
                authentication,
                storage: Arc::new(storage),
                grant: Grant::RefreshToken,
                door: Door::default(),
                scope: None,
                expires_in: None,
                refresh_token_expires_in: None,
                leeway: None,
                turn_wait_max: TURN_WAIT_MAX,
            },
        }
    }

    /// Credentials of a client that asks with these tokens.
    pub fn credentials(&self) -> Credentials {
        Credentials::Source(Arc::new(self.clone()))
    }

    /// An access token that is alive as far as anybody knows, for requests of your own. When a
    /// server refuses it, say so by [`CredentialSource::refused`].
    pub async fn access_token(&self) -> Result<SecretText, Error> {
        Ok(self.held().await?.tokens.access_token.clone())
    }

    /// Stores the tokens of a new sign-in in the place of whatever is there, and uses them from
    /// now on. A renewal that is under way ends first, and does not write over them. It runs as a
    /// task of its own, and goes on when its caller is dropped.
    ///
    /// # Errors
    ///
    /// [`TokenSourceError::NotOurs`]: they are of another server or client.
    /// [`TokenSourceError::Load`] and [`TokenSourceError::Save`], after which the tokens are stored
    /// nowhere: keep them, and store them again.
    pub async fn store(&self, tokens: StoredTokens) -> Result<(), Error> {
        let shared = Arc::clone(&self.shared);
        let stored = runtime()?.spawn(async move { shared.store(tokens).await }).await;
        let stored = stored.unwrap_or(Err(TokenSourceError::Interrupted));
        stored.map_err(|error| Error::TokenSource(Arc::new(error)))
    }

    async fn held(&self) -> Result<Arc<Held>, Error> {
        // The runtime that a renewal ran in may have been shut down; then it is begun anew.
        for _ in 0..2 {
            let flight = {
                let mut state = self.shared.lock();
                if let Some(held) = self.shared.usable(&state) {
                    return Ok(held);
                }
                match &state.flight {
                    Some(flight) => flight.clone(),
                    None => self.begin(&mut state)?,
                }
            };
            match flight.clone().await {
                Ok(outcome) => return outcome.map_err(Error::TokenSource),
                Err(_) => self.shared.forget(&flight),
            }
        }
        Err(Error::TokenSource(Arc::new(TokenSourceError::Interrupted)))
    }

    /// Begins the one renewal, as a task that ends whether or not anybody waits for it.
    fn begin(&self, state: &mut State) -> Result<Flight, Error> {
        let runtime = runtime()?;
        let (told, waits) = oneshot::channel();
        let flight = waits.shared();
        state.flight = Some(flight.clone());
        let shared = Arc::clone(&self.shared);
        runtime.spawn(async move {
            let outcome = shared.renew().await;
            let _ = told.send(outcome);
        });
        Ok(flight)
    }
}

fn runtime() -> Result<Handle, Error> {
    Handle::try_current().map_err(|_| {
        let text = "a token source renews its tokens in a tokio runtime: ask it inside of one";
        Error::Request(text.to_owned())
    })
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Whoever panics under it leaves it as whole as it was: nothing is changed in two steps.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What can be handed out without asking anybody.
    fn usable(&self, state: &State) -> Option<Arc<Held>> {
        let held = state.held.as_ref()?;
        let now = self.settings.now();
        let is_soon = self.settings.is_due(&held.tokens, now);
        let is_left = state.early_after.is_some_and(|after| now < after);
        let is_usable =
            !state.has_refused(held) && !held.tokens.is_expired(now) && (!is_soon || is_left);
        is_usable.then(|| Arc::clone(held))
    }

    /// A renewal that ended without telling anybody is not waited for again.
    fn forget(&self, flight: &Flight) {
        let mut state = self.lock();
        if state.flight.as_ref().is_some_and(|current| current.ptr_eq(flight)) {
            state.flight = None;
        }
    }
}

impl State {
    fn has_refused(&self, held: &Held) -> bool {
        self.spent.as_ref() == Some(&held.tokens.access_token)
    }
}

impl CredentialSource for TokenSource {
    fn authorization<'a>(
        &'a self,
        server: &'a Server,
    ) -> BoxFuture<'a, Result<Authorization, Error>> {
        Box::pin(async move {
            let own = self.shared.settings.client.server();
            if own != server {
                let text = format!("the tokens are of {own} and are not sent to {server}");
                return Err(Error::Request(text));
            }
            Ok(self.held().await?.authorization.clone())
        })
    }

    /// There is always another to try: a newer one that is held already, or one that is asked for
    /// now. If none can be had, that is the error that the request ends with.
    fn refused<'a>(&'a self, authorization: &'a Authorization) -> BoxFuture<'a, bool> {
        let mut state = self.shared.lock();
        let refused = state.held.as_ref().filter(|held| held.authorization == *authorization);
        if let Some(token) = refused.map(|held| held.tokens.access_token.clone()) {
            state.spent = Some(token);
        }
        Box::pin(future::ready(true))
    }
}

/// Without the tokens.
impl fmt::Debug for TokenSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TokenSource")
            .field("server", self.shared.settings.client.server())
            .field("client_id", &self.shared.settings.authentication.client_id())
            .finish_non_exhaustive()
    }
}

impl TokenSourceBuilder {
    /// The client asks for itself, by client credentials, and no user is needed: whatever is
    /// stored is used, and when there is nothing or it is over, another token is asked for.
    pub fn client_credentials(mut self) -> Self {
        self.settings.grant = Grant::ClientCredentials;
        self
    }

    /// Which address of the token endpoint is asked. [`Door::Record`] by default, which Zendesk has
    /// too; it says how long a token lives only to whom asks for a lifetime.
    pub fn door(mut self, door: Door) -> Self {
        self.settings.door = door;
        self
    }

    /// How long access tokens shall live: 300 to 172,800 seconds. Without it the server decides,
    /// and if it does not say, tokens are renewed when the server refuses them.
    pub fn expires_in(mut self, seconds: u32) -> Self {
        self.settings.expires_in = Some(seconds);
        self
    }

    /// How long refresh tokens shall live: 604,800 to 7,776,000 seconds. Without it the server
    /// decides.
    pub fn refresh_token_expires_in(mut self, seconds: u32) -> Self {
        self.settings.refresh_token_expires_in = Some(seconds);
        self
    }

    /// What access tokens may do, words separated by spaces. Without it all that was approved, and
    /// for a client of its own `read`.
    pub fn scope(mut self, scope: &str) -> Self {
        self.settings.scope = Some(scope.to_owned());
        self
    }

    /// How long before its end an access token is renewed: by default 30 seconds or a tenth of its
    /// life, whichever is less. It is never more than half of its life.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.settings.leeway = Some(leeway);
        self
    }

    /// How long another process is waited for that renews the same tokens: 60 seconds by default.
    /// Then that is the error, for it may have been stopped in the middle.
    pub fn turn_wait_max(mut self, wait: Duration) -> Self {
        self.settings.turn_wait_max = wait;
        self
    }

    /// The source. Nothing is loaded or asked for before it is needed.
    pub fn build(self) -> TokenSource {
        let turn = tokio::sync::Mutex::default();
        let shared = Shared { settings: self.settings, state: Mutex::default(), turn };
        TokenSource { shared: Arc::new(shared) }
    }
}
