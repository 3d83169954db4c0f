//! One renewal, from what is stored to what is stored next.
//!
//! 1. Nobody else renews: the storage gives the turn.
//! 2. What is stored is loaded. An answer that could not be stored before is stored now.
//! 3. Tokens that another process has stored in the meantime are taken as they are.
//! 4. The server is asked; lost answers are asked for again by the client's policy.
//! 5. `invalid_grant`: step 2 again, for somebody may have stored others; else the user must
//!    authorize again.
//! 6. The answer is stored, and only then held.

use std::{sync::Arc, time::Duration};

use tokenry_protocol::{
    api::secret_text::SecretText,
    time::{Seconds, Timestamp},
};

use super::{
    Held, Outcome, Shared, State, StorageError, StorageGuard, StoredTokens, TokenSourceError,
    TokenStorage,
};
use crate::{
    Authorization, Client, ClientAuthentication, Error, Refusal, RefusalKind,
    resources::grant_type_tokens::Door,
};

/// How often tokens that turn out to be dead are loaded again.
const ROUNDS_MAX: u32 = 3;
/// The most time before its end that a token is renewed at, if nothing else was said.
const LEEWAY_MAX: Duration = Duration::from_secs(30);
/// After an early refresh that failed, the next one is not tried before.
const EARLY_WAIT: Seconds = Seconds(5);

/// How tokens are come by.
pub(super) enum Grant {
    RefreshToken,
    ClientCredentials,
}

/// What a source is told when it is built.
pub(super) struct Settings {
    pub(super) client: Client,
    pub(super) authentication: ClientAuthentication,
    pub(super) storage: Arc<dyn TokenStorage>,
    pub(super) grant: Grant,
    pub(super) door: Door,
    pub(super) scope: Option<String>,
    pub(super) expires_in: Option<u32>,
    pub(super) refresh_token_expires_in: Option<u32>,
    pub(super) leeway: Option<Duration>,
    pub(super) turn_wait_max: Duration,
}

/// A refresh token that the server has refused, and what it said.
pub(super) struct Dead {
    refresh_token: SecretText,
    refusal: Arc<Refusal>,
}

/// What was answered for a refresh token and could not be stored.
pub(super) struct Unsaved {
    /// What is stored still has this one.
    refresh_token: Option<SecretText>,
    tokens: StoredTokens,
}

impl Settings {
    pub(super) fn now(&self) -> Timestamp {
        self.client.shared.environment.now()
    }

    /// Whether the access token is to be renewed at this time. When nobody knows its end, the
    /// server will refuse it.
    pub(super) fn is_due(&self, tokens: &StoredTokens, now: Timestamp) -> bool {
        let Some(end) = tokens.expires_at else {
            return false;
        };
        let life = end.millis_since(tokens.obtained_at).max(0);
        let millis = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        let leeway = match self.leeway {
            Some(leeway) => millis(leeway).min(life / 2),
            None => millis(LEEWAY_MAX).min(life / 10),
        };
        end.millis_since(now) <= leeway
    }

    /// Step 1.
    async fn turn(&self) -> Result<StorageGuard, TokenSourceError> {
        let waited = tokio::time::timeout(self.turn_wait_max, self.storage.exclusive()).await;
        let turn = waited.unwrap_or_else(|_| {
            let seconds = self.turn_wait_max.as_secs_f32();
            let text = format!("another process has been renewing them for {seconds} seconds");
            Err(StorageError::new(text))
        });
        turn.map_err(TokenSourceError::Load)
    }

    /// Tokens are shown to nobody but who issued them, by nobody but whom they were issued to.
    fn check_ours(&self, tokens: &StoredTokens) -> Result<(), TokenSourceError> {
        let (server, client_id) = (self.client.server(), self.authentication.client_id());
        if tokens.server != *server {
            let text = format!("of {}, and not of {server}", tokens.server);
            return Err(TokenSourceError::NotOurs(text));
        }
        if tokens.client_id != client_id {
            let text = format!("the client {}'s, and not {client_id}'s", tokens.client_id);
            return Err(TokenSourceError::NotOurs(text));
        }
        Ok(())
    }

    /// Step 4.
    async fn ask(&self, refresh_token: Option<&SecretText>) -> Result<StoredTokens, Error> {
        let tokens = self.client.grant_type_tokens();
        let call = match refresh_token {
            Some(token) => tokens.refresh(&self.authentication, token.reveal()),
            None => tokens.client_credentials(&self.authentication),
        };
        let mut call = call.door(self.door);
        if let Some(scope) = &self.scope {
            call = call.scope(scope);
        }
        if let Some(seconds) = self.expires_in {
            call = call.expires_in(seconds);
        }
        if let Some(seconds) = self.refresh_token_expires_in {
            call = call.refresh_token_expires_in(seconds);
        }
        call.stored().await
    }
}

impl Held {
    fn new(tokens: StoredTokens) -> Result<Arc<Self>, TokenSourceError> {
        let authorization = Authorization::bearer(tokens.access_token.reveal());
        let authorization = authorization.map_err(TokenSourceError::Refresh)?;
        Ok(Arc::new(Self { tokens, authorization }))
    }
}

impl Shared {
    /// Stores tokens that are nobody's successors. What is known of those before them is forgotten.
    pub(super) async fn store(&self, tokens: StoredTokens) -> Result<(), TokenSourceError> {
        self.settings.check_ours(&tokens)?;
        let held = Held::new(tokens)?;
        let _turn = self.turn.lock().await;
        let _alone = self.settings.turn().await?;
        self.settings.storage.save(&held.tokens).await.map_err(TokenSourceError::Save)?;
        let mut state = self.lock();
        let flight = state.flight.take();
        *state = State { held: Some(held), flight, ..State::default() };
        Ok(())
    }

    /// The one renewal under way. It ends with what everybody who waits is told.
    pub(super) async fn renew(&self) -> Outcome {
        let _turn = self.turn.lock().await;
        let renewed = self.renewed().await.and_then(Held::new);
        let mut state = self.lock();
        state.flight = None;
        match renewed {
            Ok(held) => {
                state.early_after = None;
                state.held = Some(Arc::clone(&held));
                Ok(held)
            }
            // What was answered replaced the tokens that are held, and is not stored.
            Err(error @ TokenSourceError::Save(_)) => Err(Arc::new(error)),
            Err(error) => {
                let now = self.settings.now();
                let alive = state.held.as_ref();
                let alive = alive.filter(|held| !held.tokens.is_expired(now));
                match alive.filter(|held| !state.has_refused(held)).cloned() {
                    Some(held) => {
                        state.early_after = Some(now.plus(EARLY_WAIT));
                        Ok(held)
                    }
                    None => Err(Arc::new(error)),
                }
            }
        }
    }

    /// All steps, up to the tokens that are stored at the end.
    async fn renewed(&self) -> Result<StoredTokens, TokenSourceError> {
        let _turn = self.settings.turn().await?;
        let spent = self.lock().spent.clone();
        let mut last = None;
        for _ in 0..ROUNDS_MAX {
            let stored = self.load().await?;
            if let Some(tokens) = &stored {
                self.settings.check_ours(tokens)?;
                let is_alive = Some(&tokens.access_token) != spent.as_ref();
                if is_alive && !self.settings.is_due(tokens, self.settings.now()) {
                    return Ok(tokens.clone());
                }
            }
            let refresh_token = match self.settings.grant {
                Grant::RefreshToken => Some(self.refresh_token(stored.as_ref())?),
                Grant::ClientCredentials => None,
            };
            match self.settings.ask(refresh_token.as_ref()).await {
                Ok(answered) => {
                    let tokens = answered.succeeding(stored);
                    self.save(Unsaved { refresh_token, tokens: tokens.clone() }).await?;
                    return Ok(tokens);
                }
                Err(error) => last = Some(self.refused(refresh_token, error)?),
            }
        }
        Err(TokenSourceError::AuthorizeAgain(last))
    }

    /// The stored refresh token, unless the server has refused it before.
    fn refresh_token(&self, stored: Option<&StoredTokens>) -> Result<SecretText, TokenSourceError> {
        let token = stored.and_then(|tokens| tokens.refresh_token.clone());
        let token = token.ok_or(TokenSourceError::AuthorizeAgain(None))?;
        match &self.lock().dead {
            Some(dead) if dead.refresh_token == token => {
                Err(TokenSourceError::AuthorizeAgain(Some(Arc::clone(&dead.refusal))))
            }
            _ => Ok(token),
        }
    }

    /// Step 5: remembers a refusal that nothing but another refresh token can mend.
    fn refused(
        &self,
        refresh_token: Option<SecretText>,
        error: Error,
    ) -> Result<Arc<Refusal>, TokenSourceError> {
        match (error, refresh_token) {
            (Error::Refused(refusal), Some(refresh_token))
                if refusal.kind() == RefusalKind::InvalidGrant =>
            {
                let refusal = Arc::from(refusal);
                self.lock().dead = Some(Dead { refresh_token, refusal: Arc::clone(&refusal) });
                Ok(refusal)
            }
            (error, _) => Err(TokenSourceError::Refresh(error)),
        }
    }

    /// Step 2. What could not be stored is stored now, unless somebody else has stored other tokens
    /// over those that it was to replace.
    async fn load(&self) -> Result<Option<StoredTokens>, TokenSourceError> {
        let stored = self.settings.storage.load().await.map_err(TokenSourceError::Load)?;
        let unsaved = self.lock().unsaved.take();
        let refresh_token = stored.as_ref().and_then(|tokens| tokens.refresh_token.as_ref());
        match unsaved.filter(|unsaved| unsaved.refresh_token.as_ref() == refresh_token) {
            Some(unsaved) => {
                let tokens = unsaved.tokens.clone();
                self.save(unsaved).await?;
                Ok(Some(tokens))
            }
            None => Ok(stored),
        }
    }

    /// Step 6.
    async fn save(&self, unsaved: Unsaved) -> Result<(), TokenSourceError> {
        let saved = self.settings.storage.save(&unsaved.tokens).await;
        saved.map_err(|error| {
            self.lock().unsaved = Some(unsaved);
            TokenSourceError::Save(error)
        })
    }
}
