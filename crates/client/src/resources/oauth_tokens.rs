//! Token records: `/api/v2/oauth/tokens`.

use http::StatusCode;
use tokenry_protocol::{
    api::{
        pagination::{PageParameters, Pagination},
        tokens::{
            ClientReference, CreateTokenRequest, OAuthTokenObject, OAuthTokenResponse,
            OAuthTokensResponse, TOKEN,
        },
    },
    ids::{ClientId, TokenId},
};

use crate::{
    Call, Error, IntoId, List, Operation, Response,
    id::{GivenId, given},
    operation::{read_json, read_nothing},
    pagination::FIRST,
    request::Outline,
};

const PATH: &str = "/api/v2/oauth/tokens";

/// Token records. A record is an access token and, where there is one, its refresh token.
pub struct OAuthTokens<'c, C> {
    pub(super) client: &'c C,
}

impl<'c, C> OAuthTokens<'c, C> {
    /// Lists tokens in ascending order of id: the caller's own, or everybody's for an
    /// administrator who asks for [`all`](Call::all).
    ///
    /// # Errors
    ///
    /// [`Forbidden`](crate::RefusalKind::Forbidden): `all` is for administrators.
    /// [`BadRequest`](crate::RefusalKind::BadRequest): `include_expired` without `all`, or a cursor
    /// of another list.
    pub fn list(&self) -> Call<'c, C, ListTokens> {
        Call::new(self.client, ListTokens::default())
    }

    /// Shows one token: the caller's own, or anybody's to an administrator.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::RefusalKind::NotFound): no such token, or not the caller's.
    pub fn show(&self, id: impl IntoId<TokenId>) -> Call<'c, C, ShowToken> {
        Call::new(self.client, ShowToken { id: id.into_id() })
    }

    /// Shows the access token that the call is made with: the way to check one. It needs no scope,
    /// and counts as a use.
    ///
    /// # Errors
    ///
    /// [`InvalidToken`](crate::RefusalKind::InvalidToken): the token is dead, or the call was made
    /// with other credentials than a token.
    pub fn current(&self) -> Call<'c, C, CurrentToken> {
        Call::new(self.client, CurrentToken)
    }

    /// Makes a token for the administrator who asks, in the name of a client. It has no refresh
    /// token and does not expire; it is in full in this answer and never again. `scopes` names
    /// what it may do, `read` unless it is called.
    ///
    /// A creation whose answer is lost is not repeated: list the client's tokens, revoke the
    /// stray one, and create again.
    ///
    /// # Errors
    ///
    /// [`Forbidden`](crate::RefusalKind::Forbidden): the caller is no administrator, or asks by a
    /// token that may do less than is asked for. [`Invalid`](crate::RefusalKind::Invalid): no such
    /// client, or more than it may be given.
    pub fn create(&self, client_id: impl IntoId<ClientId>) -> Call<'c, C, CreateToken> {
        Call::new(self.client, CreateToken { client_id: client_id.into_id(), scopes: None })
    }

    /// Revokes a token, its refresh token with it. Both are dead when this is answered. Where the
    /// answer to an earlier attempt was lost, "no such token" is the success that was not heard
    /// of.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::RefusalKind::NotFound): no such token, or not the caller's.
    pub fn revoke(&self, id: impl IntoId<TokenId>) -> Call<'c, C, RevokeToken> {
        Call::new(self.client, RevokeToken { id: id.into_id() })
    }

    /// Revokes the access token that the call is made with, and its refresh token.
    ///
    /// # Errors
    ///
    /// [`InvalidToken`](crate::RefusalKind::InvalidToken): the token is dead already, or the call
    /// was made with other credentials than a token.
    pub fn revoke_current(&self) -> Call<'c, C, RevokeCurrentToken> {
        Call::new(self.client, RevokeCurrentToken)
    }
}

/// [`OAuthTokens::list`]
#[derive(Debug, Clone)]
pub struct ListTokens {
    all: bool,
    include_expired: bool,
    client_id: Option<GivenId<ClientId>>,
    global_client_id: Option<GivenId<ClientId>>,
    page: PageParameters,
}

impl Default for ListTokens {
    fn default() -> Self {
        Self {
            all: false,
            include_expired: false,
            client_id: None,
            global_client_id: None,
            page: FIRST,
        }
    }
}

impl<C> Call<'_, C, ListTokens> {
    /// Everybody's tokens and not only the caller's. For administrators.
    #[expect(clippy::fn_params_excessive_bools, reason = "it is the parameter of this name")]
    pub fn all(mut self, all: bool) -> Self {
        self.operation.all = all;
        self
    }

    /// Only tokens of this client.
    pub fn client_id(mut self, id: impl IntoId<ClientId>) -> Self {
        self.operation.client_id = Some(id.into_id());
        self
    }

    /// Only tokens of this client of every account.
    pub fn global_client_id(mut self, id: impl IntoId<ClientId>) -> Self {
        self.operation.global_client_id = Some(id.into_id());
        self
    }

    /// Consented grants too that have expired, for 30 days after that. Only together with
    /// [`all`](Call::all).
    #[expect(clippy::fn_params_excessive_bools, reason = "it is the parameter of this name")]
    pub fn include_expired(mut self, include: bool) -> Self {
        self.operation.include_expired = include;
        self
    }
}

impl Operation for ListTokens {
    type Answer = OAuthTokensResponse;

    const NAME: &'static str = "oauth_tokens.list";

    fn outline(&self) -> Result<Outline, Error> {
        let mut outline = Outline::get(PATH);
        for (name, id) in
            [("client_id", &self.client_id), ("global_client_id", &self.global_client_id)]
        {
            if let Some(id) = id {
                outline.query.push((name, given(name, *id)?.to_string()));
            }
        }
        let switches = [("all", self.all), ("include_expired", self.include_expired)];
        for (name, _) in switches.into_iter().filter(|(_, is_on)| *is_on) {
            outline.query.push((name, "true".to_owned()));
        }
        outline.query.extend(self.page.pairs());
        Ok(outline)
    }

    fn read(&self, response: &Response) -> Result<Self::Answer, Error> {
        read_json(response)
    }
}

impl List for ListTokens {
    type Item = OAuthTokenObject;

    fn parameters(&self) -> &PageParameters {
        &self.page
    }

    fn turn(&mut self, page: PageParameters) {
        self.page = page;
    }

    fn pagination(page: &Self::Answer) -> Option<&Pagination> {
        page.pagination.as_ref()
    }

    fn items(page: Self::Answer) -> Vec<Self::Item> {
        page.tokens
    }
}

/// [`OAuthTokens::show`]
#[derive(Debug, Clone)]
pub struct ShowToken {
    id: GivenId<TokenId>,
}

impl Operation for ShowToken {
    type Answer = OAuthTokenResponse;

    const NAME: &'static str = "oauth_tokens.show";

    fn outline(&self) -> Result<Outline, Error> {
        Ok(Outline::get(format!("{PATH}/{}", given("id", self.id)?)))
    }

    fn read(&self, response: &Response) -> Result<Self::Answer, Error> {
        read_json(response)
    }
}

/// [`OAuthTokens::current`]
#[derive(Debug, Clone)]
pub struct CurrentToken;

impl Operation for CurrentToken {
    type Answer = OAuthTokenResponse;

    const NAME: &'static str = "oauth_tokens.current";

    fn outline(&self) -> Result<Outline, Error> {
        Ok(Outline::get(format!("{PATH}/current")))
    }

    fn read(&self, response: &Response) -> Result<Self::Answer, Error> {
        read_json(response)
    }
}

/// [`OAuthTokens::create`]
#[derive(Debug, Clone)]
pub struct CreateToken {
    client_id: GivenId<ClientId>,
    scopes: Option<Vec<String>>,
}

impl<C> Call<'_, C, CreateToken> {
    /// What it may do: `["read"]`, `["users:read", "write"]`.
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.operation.scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }
}

impl Operation for CreateToken {
    type Answer = OAuthTokenResponse;

    const NAME: &'static str = "oauth_tokens.create";

    fn outline(&self) -> Result<Outline, Error> {
        let client_id = ClientReference::Id(given("client_id", self.client_id)?);
        let mut request =
            CreateTokenRequest { client_id: client_id.into(), ..CreateTokenRequest::default() };
        if let Some(scopes) = &self.scopes {
            request.scopes = scopes.clone().into();
        }
        Outline::post(PATH).json(&serde_json::json!({ TOKEN: request }))
    }

    fn read(&self, response: &Response) -> Result<Self::Answer, Error> {
        read_json(response)
    }
}

/// [`OAuthTokens::revoke`]
#[derive(Debug, Clone)]
pub struct RevokeToken {
    id: GivenId<TokenId>,
}

impl Operation for RevokeToken {
    type Answer = ();

    const NAME: &'static str = "oauth_tokens.revoke";

    fn outline(&self) -> Result<Outline, Error> {
        Ok(Outline::delete(format!("{PATH}/{}", given("id", self.id)?)))
    }

    fn read(&self, response: &Response) -> Result<Self::Answer, Error> {
        read_nothing(response)
    }

    fn read_repeat(&self, status: StatusCode) -> Option<Self::Answer> {
        (status == StatusCode::NOT_FOUND).then_some(())
    }
}

/// [`OAuthTokens::revoke_current`]
#[derive(Debug, Clone)]
pub struct RevokeCurrentToken;

impl Operation for RevokeCurrentToken {
    type Answer = ();

    const NAME: &'static str = "oauth_tokens.revoke_current";

    fn outline(&self) -> Result<Outline, Error> {
        Ok(Outline::delete(format!("{PATH}/current")))
    }

    fn read(&self, response: &Response) -> Result<Self::Answer, Error> {
        read_nothing(response)
    }

    fn read_repeat(&self, status: StatusCode) -> Option<Self::Answer> {
        (status == StatusCode::UNAUTHORIZED).then_some(())
    }
}
