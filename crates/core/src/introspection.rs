//! Introspection (RFC 7662): what a client may know of a token.

use tokenry_protocol::{
    api::extra::Extra,
    oauth::introspection::IntrospectionResponse,
    redirect_uri::ClientKind,
    secret::{Credential, Kind},
    time::Timestamp,
};

use crate::{
    client::{Client, ClientRole},
    client_authentication::AuthenticatedClient,
    grant::{Issued, Token, in_good_standing},
    rejection::Rejection,
    user::User,
};

/// Public clients cannot be told from anybody else, so they may not ask (RFC 7662 §2.1).
pub fn may_ask(client: &AuthenticatedClient) -> Result<(), Rejection> {
    match client.client().kind() {
        ClientKind::Confidential => Ok(()),
        ClientKind::Public => Err(Rejection::ClientSecretWrong),
    }
}

/// Whether `asker` may know of tokens of `owner`: its own, or all if it is a resource server.
pub fn may_see(asker: &AuthenticatedClient, owner: &Client) -> bool {
    let asker = asker.client();
    asker.id == owner.id || asker.role == ClientRole::ResourceServer
}

/// Whose token it is.
pub struct Subject<'a> {
    /// Its client.
    pub client: &'a Client,
    /// Its user.
    pub user: &'a User,
    /// The issuer.
    pub issuer: &'a str,
}

/// Describes an access token that was verified, or a refresh token judged here.
pub fn describe(
    token: &Token,
    presented: &Credential,
    subject: &Subject<'_>,
    now: Timestamp,
) -> IntrospectionResponse {
    let is_held = in_good_standing(subject.client, subject.user);
    let Some(issued) = token.issued().filter(|_| is_held) else {
        return IntrospectionResponse::inactive();
    };
    let hash = presented.hash();
    let expires_at = match presented.parts().kind {
        Kind::AccessToken if issued.access.accepts(&hash, now) => issued.access.expires_at(),
        Kind::RefreshToken => match &issued.refresh {
            Some(refresh) if refresh.accepts(&hash, now) => Some(refresh.expires_at),
            _ => return IntrospectionResponse::inactive(),
        },
        _ => return IntrospectionResponse::inactive(),
    };
    IntrospectionResponse {
        active: true,
        scope: Some(scope_of(token, issued, presented.parts().kind)),
        client_id: Some(subject.client.identifier.to_string()),
        username: Some(subject.user.email.clone()),
        sub: Some(subject.user.id.to_string()),
        token_type: (presented.parts().kind == Kind::AccessToken).then(|| "bearer".to_owned()),
        exp: expires_at.map(Timestamp::as_seconds),
        iat: Some(issued.access.issued_at.as_seconds()),
        iss: Some(subject.issuer.to_owned()),
        jti: Some(token.id.to_string()),
        extra: Extra::default(),
    }
}

/// A refresh token can get all that was approved, whatever the present access token carries.
fn scope_of(token: &Token, issued: &Issued, kind: Kind) -> String {
    match kind {
        Kind::RefreshToken => token.granted.to_string(),
        _ => issued.scope.to_string(),
    }
}
