//! What the authorization server says of itself and of tokens.

use tokenry_protocol::oauth::{introspection::IntrospectionResponse, metadata::Metadata};

use crate::{
    Call, ClientAuthentication, Error, Operation, Repeat, Response,
    operation::{read_json, read_nothing},
    request::{Authentication, Outline},
};

/// Metadata, introspection and revocation, which Tokenry has and Zendesk has not.
pub struct AuthorizationServer<'c, C> {
    pub(super) client: &'c C,
}

impl<'c, C> AuthorizationServer<'c, C> {
    /// Shows where the endpoints are and what they take (RFC 8414). Anybody may ask.
    pub fn metadata(&self) -> Call<'c, C, ShowMetadata> {
        Call::new(self.client, ShowMetadata)
    }

    /// Asks what a token is (RFC 7662). Confidential clients may ask of their own tokens, and
    /// resource servers of all; what is not alive, or not theirs, is `active: false` and no more.
    ///
    /// # Errors
    ///
    /// [`Unauthenticated`](crate::RefusalKind::Unauthenticated): the client did not prove itself,
    /// or is public.
    pub fn introspect(
        &self,
        client: &ClientAuthentication,
        token: impl Into<String>,
    ) -> Call<'c, C, Introspect> {
        Call::new(self.client, Introspect { client: client.clone(), token: token.into() })
    }

    /// Ends a token of the client that asks, an access or a refresh token, and the other one of
    /// its pair with it (RFC 7009). A token that is unknown or dead already is no error.
    ///
    /// # Errors
    ///
    /// [`Unauthenticated`](crate::RefusalKind::Unauthenticated): the client did not prove itself.
    pub fn revoke(
        &self,
        client: &ClientAuthentication,
        token: impl Into<String>,
    ) -> Call<'c, C, Revoke> {
        Call::new(self.client, Revoke { client: client.clone(), token: token.into() })
    }
}

/// [`AuthorizationServer::metadata`]
#[derive(Debug, Clone)]
pub struct ShowMetadata;

impl Operation for ShowMetadata {
    type Answer = Metadata;

    const NAME: &'static str = "authorization_server.metadata";

    fn outline(&self) -> Result<Outline, Error> {
        let outline = Outline::get("/.well-known/oauth-authorization-server");
        Ok(Outline { authentication: Authentication::None, ..outline })
    }

    fn read(&self, response: &Response) -> Result<Self::Answer, Error> {
        read_json(response)
    }
}

/// [`AuthorizationServer::introspect`]
#[derive(Clone)]
pub struct Introspect {
    client: ClientAuthentication,
    token: String,
}

impl Operation for Introspect {
    type Answer = IntrospectionResponse;

    const NAME: &'static str = "authorization_server.introspect";

    fn outline(&self) -> Result<Outline, Error> {
        about_token("/oauth/introspect", &self.client, &self.token)
    }

    fn read(&self, response: &Response) -> Result<Self::Answer, Error> {
        read_json(response)
    }
}

/// [`AuthorizationServer::revoke`]
#[derive(Clone)]
pub struct Revoke {
    client: ClientAuthentication,
    token: String,
}

impl Operation for Revoke {
    type Answer = ();

    const NAME: &'static str = "authorization_server.revoke";

    fn outline(&self) -> Result<Outline, Error> {
        about_token("/oauth/revoke", &self.client, &self.token)
    }

    fn read(&self, response: &Response) -> Result<Self::Answer, Error> {
        read_nothing(response)
    }
}

/// Both may be asked twice and come to the same.
fn about_token(path: &str, client: &ClientAuthentication, token: &str) -> Result<Outline, Error> {
    let pairs = client.pairs().into_iter().chain([("token", token.to_owned())]);
    let outline = Outline { repeat: Repeat::Always, ..Outline::post(path).form(pairs) };
    client.sign(outline)
}
