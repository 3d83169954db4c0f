//! The token endpoint: codes, refresh tokens and client credentials (RFC 6749 §3.2).

use serde::{Deserialize, Serialize};
use tokenry_protocol::{
    oauth::token::{TokenRequest, TokenResponse, Wishes},
    scope::Scope,
    time::Seconds,
};

use crate::{
    Call, CheckedCallback, ClientAuthentication, Error, Operation, Repeat, Response, Server,
    operation::read_json, request::Outline,
};

/// Tokens by grant type.
pub struct GrantTypeTokens<'c, C> {
    pub(super) client: &'c C,
}

/// Which of the two addresses of the token endpoint is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Door {
    /// `POST /oauth/tokens`, which Zendesk has and Tokenry too: JSON, answered with 201. It says
    /// how long an access token lives only to whom asked for a lifetime.
    #[default]
    Record,
    /// `POST /oauth/token`, the standard's, which Tokenry's metadata names: a form, answered with
    /// 200.
    Standard,
}

impl<'c, C> GrantTypeTokens<'c, C> {
    /// Redeems the authorization code of a callback that was checked, see
    /// [`PendingAuthorization`](crate::PendingAuthorization). The request goes to the server that
    /// the authorization was begun at, and to no other.
    ///
    /// A code works once, and twice ends what it gave: so a redemption whose answer is lost is not
    /// repeated. Ask the user again.
    ///
    /// # Errors
    ///
    /// [`InvalidGrant`](crate::RefusalKind::InvalidGrant): the code is unknown, expired, used or
    /// another client's, or was asked for with another address or challenge.
    /// [`Unauthenticated`](crate::RefusalKind::Unauthenticated): the client did not prove itself.
    /// [`BadRequest`](crate::RefusalKind::BadRequest): a parameter that is wrong.
    pub fn redeem(
        &self,
        client: &ClientAuthentication,
        callback: CheckedCallback,
    ) -> Call<'c, C, RequestTokens> {
        let (request, server, door) = callback.into_request(client);
        let client = client.clone();
        Call::new(self.client, RequestTokens { client, request, door, only_at: Some(server) })
    }

    /// Trades a refresh token for a new pair. Tokenry gives the same pair again after a lost
    /// answer, so the request is repeated; store the new refresh token before you let the old one
    /// go. `TokenSource` (feature `client`) does all that.
    ///
    /// # Errors
    ///
    /// [`InvalidGrant`](crate::RefusalKind::InvalidGrant): the refresh token is unknown, expired,
    /// revoked, used or another client's: the user must consent again.
    /// [`Unauthenticated`](crate::RefusalKind::Unauthenticated): the client did not prove itself.
    /// [`BadRequest`](crate::RefusalKind::BadRequest): more scope than was approved.
    pub fn refresh(
        &self,
        client: &ClientAuthentication,
        refresh_token: impl Into<String>,
    ) -> Call<'c, C, RequestTokens> {
        let (refresh_token, wishes) = (refresh_token.into(), Wishes::NONE);
        self.request(client, TokenRequest::RefreshToken { refresh_token, wishes })
    }

    /// Gets an access token for the client itself, which acts as the user who answers for it.
    /// There is no refresh token: ask again.
    ///
    /// # Errors
    ///
    /// [`Unauthenticated`](crate::RefusalKind::Unauthenticated): the client did not prove itself.
    /// [`BadRequest`](crate::RefusalKind::BadRequest): a public client, or more scope than it may
    /// have.
    pub fn client_credentials(&self, client: &ClientAuthentication) -> Call<'c, C, RequestTokens> {
        self.request(client, TokenRequest::ClientCredentials { wishes: Wishes::NONE })
    }

    fn request(
        &self,
        client: &ClientAuthentication,
        request: TokenRequest,
    ) -> Call<'c, C, RequestTokens> {
        let (client, request) = (client.clone(), Ok(request));
        let operation = RequestTokens { client, request, door: Door::Record, only_at: None };
        Call::new(self.client, operation)
    }
}

/// [`GrantTypeTokens::redeem`], [`GrantTypeTokens::refresh`],
/// [`GrantTypeTokens::client_credentials`]
#[derive(Debug, Clone)]
pub struct RequestTokens {
    client: ClientAuthentication,
    request: Result<TokenRequest, String>,
    door: Door,
    only_at: Option<Server>,
}

impl RequestTokens {
    /// The identifier of the client that asks.
    #[cfg(feature = "client")]
    pub(crate) fn client_id(&self) -> &str {
        self.client.client_id()
    }
}

impl<C> Call<'_, C, RequestTokens> {
    /// Which address is asked.
    pub fn door(mut self, door: Door) -> Self {
        self.operation.door = door;
        self
    }

    /// What the access token may do, words separated by spaces. Less than was approved narrows
    /// it; without it, it may do what was approved, and a client of its own `read`.
    pub fn scope(mut self, scope: &str) -> Self {
        match Scope::parse(scope) {
            Ok(scope) => self.wish(|wishes| wishes.scope = Some(scope)),
            Err(error) => self.operation.request = Err(error.to_string()),
        }
        self
    }

    /// How long the access token shall live: 300 to 172,800 seconds.
    pub fn expires_in(mut self, seconds: u32) -> Self {
        self.wish(|wishes| wishes.access_token_lifetime = Some(Seconds(seconds)));
        self
    }

    /// How long the refresh token shall live: 604,800 to 7,776,000 seconds.
    pub fn refresh_token_expires_in(mut self, seconds: u32) -> Self {
        self.wish(|wishes| wishes.refresh_token_lifetime = Some(Seconds(seconds)));
        self
    }

    fn wish(&mut self, wish: impl FnOnce(&mut Wishes)) {
        if let Ok(
            TokenRequest::AuthorizationCode { wishes, .. }
            | TokenRequest::RefreshToken { wishes, .. }
            | TokenRequest::ClientCredentials { wishes },
        ) = &mut self.operation.request
        {
            wish(wishes);
        }
    }
}

impl Operation for RequestTokens {
    type Answer = TokenResponse;

    const NAME: &'static str = "grant_type_tokens.create";

    fn outline(&self) -> Result<Outline, Error> {
        let request = self.request.as_ref().map_err(|text| Error::Request(text.clone()))?;
        let pairs = self.client.pairs().into_iter().chain(request.pairs());
        let mut outline = match self.door {
            Door::Standard => Outline::post("/oauth/token").form(pairs),
            Door::Record => {
                let members: serde_json::Map<_, _> = pairs
                    .map(|(name, value)| match (name, value.parse::<u32>()) {
                        ("expires_in" | "refresh_token_expires_in", Ok(seconds)) => {
                            (name.to_owned(), seconds.into())
                        }
                        _ => (name.to_owned(), value.into()),
                    })
                    .collect();
                Outline::post("/oauth/tokens").json(&members)?
            }
        };
        outline.repeat = match request {
            TokenRequest::AuthorizationCode { .. } => Repeat::IfUntaken,
            // A refresh is given the same again, and a token that nobody has heard of expires.
            TokenRequest::RefreshToken { .. } | TokenRequest::ClientCredentials { .. } => {
                Repeat::Always
            }
        };
        outline.only_at.clone_from(&self.only_at);
        self.client.sign(outline)
    }

    fn read(&self, response: &Response) -> Result<Self::Answer, Error> {
        read_json(response)
    }
}
