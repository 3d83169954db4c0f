//! Issuing: what goes to the client and what goes to rest.

use tokenry_protocol::{
    api::extra::Extra,
    ids::{ClientId, TokenId, UserId},
    oauth::token::TokenResponse,
    scope::Scope,
    secret::{Credential, Kind},
    time::{Seconds, Timestamp},
};

use crate::{
    credentials::{Entropy, TokenKeys},
    grant::{AccessToken, Issued, Origin, RefreshToken, Stage, Token},
};

/// A new record to insert. Only decisions make one.
#[derive(Debug, Clone)]
pub struct NewToken(Token);

impl NewToken {
    pub(crate) const fn new(token: Token) -> Self {
        Self(token)
    }

    /// The record.
    pub const fn token(&self) -> &Token {
        &self.0
    }
}

/// What a client is given, before a door gives it its manners.
#[derive(Debug, Clone)]
pub struct IssuedTokens {
    /// The access token in full.
    pub access_token: Credential,
    /// What it may do.
    pub scope: Scope,
    /// The same at rest.
    pub access: AccessToken,
    /// Whom it acts for.
    pub user_id: UserId,
    /// How long it lives; `None` is for ever.
    pub access_token_lifetime: Option<Seconds>,
    /// The refresh token in full, with how long it lives.
    pub refresh_token: Option<(Credential, Seconds)>,
}

impl IssuedTokens {
    /// The answer with everything said (RFC 6749 §5.1).
    pub fn answer(&self) -> TokenResponse {
        let (refresh_token, refresh_token_expires_in) = match &self.refresh_token {
            Some((token, lifetime)) => (Some(token.into()), Some(*lifetime)),
            None => (None, None),
        };
        TokenResponse {
            access_token: Some((&self.access_token).into()),
            token_type: Some("bearer".to_owned()),
            scope: Some(self.scope.to_string()),
            expires_in: self.access_token_lifetime,
            refresh_token,
            refresh_token_expires_in,
            extra: Extra::default(),
        }
    }
}

/// Who and when: what every new record needs besides its scope.
pub struct Issuance<'a> {
    /// A fresh id.
    pub id: TokenId,
    /// Whose tokens.
    pub client_id: ClientId,
    /// For whom.
    pub user_id: UserId,
    /// The time.
    pub now: Timestamp,
    /// The mint.
    pub keys: &'a TokenKeys,
    /// Randomness.
    pub entropy: &'a dyn Entropy,
}

impl Issuance<'_> {
    /// A record with an access token and nothing else.
    pub(crate) fn access_token_only(
        &self,
        origin: Origin,
        scope: Scope,
        lifetime: Option<Seconds>,
    ) -> (NewToken, IssuedTokens) {
        let access_token =
            self.keys.mint(Kind::AccessToken, self.id.get(), 1, self.entropy.secret());
        let access = AccessToken { hash: access_token.hash(), issued_at: self.now, lifetime };
        let issued = Issued {
            rotation: 1,
            scope: scope.clone(),
            access,
            refresh: None::<RefreshToken>,
            used_at: None,
            used_rotation: 0,
        };
        let token = Token {
            id: self.id,
            client_id: self.client_id,
            user_id: self.user_id,
            origin,
            created_at: self.now,
            granted: scope.clone(),
            stage: Stage::Issued(issued),
        };
        let answer = IssuedTokens {
            access_token,
            access,
            user_id: self.user_id,
            scope,
            access_token_lifetime: lifetime,
            refresh_token: None,
        };
        (NewToken::new(token), answer)
    }
}
