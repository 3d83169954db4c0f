//! Client authentication at the grant endpoints (RFC 6749 §2.3).

use std::sync::Arc;

use tokenry_protocol::{
    redirect_uri::ClientKind,
    secret::{Credential, SecretHash},
};

use crate::{
    client::{Client, ClientSecret, ClientStatus},
    rejection::Rejection,
};

/// A client that has proved itself, or a public one that was named. Only [`authenticate`] makes it,
/// and every grant decision demands it.
#[derive(Debug, Clone)]
pub struct AuthenticatedClient(Arc<Client>);

impl AuthenticatedClient {
    /// The client.
    pub fn client(&self) -> &Client {
        &self.0
    }
}

/// A confidential client that was named and has not shown its secret: nothing is proved.
#[derive(Debug, Clone)]
pub struct UnprovedClient(Arc<Client>);

/// Who redeems a code. Only the redemption of a code takes a client that its verifier is yet to
/// prove; every other decision asks for [`authenticated`](Self::authenticated).
#[derive(Debug, Clone)]
pub enum Redeemer {
    /// Proved already.
    Authenticated(AuthenticatedClient),
    /// To be proved by the answer to the challenge of its authorization request (RFC 7636 §4.6).
    ByVerifier(UnprovedClient),
}

impl Redeemer {
    /// The client.
    pub fn client(&self) -> &Client {
        match self {
            Self::Authenticated(client) => client.client(),
            Self::ByVerifier(UnprovedClient(client)) => client,
        }
    }

    /// The client, if it has proved itself.
    pub const fn authenticated(&self) -> Result<&AuthenticatedClient, Rejection> {
        match self {
            Self::Authenticated(client) => Ok(client),
            Self::ByVerifier(_) => Err(Rejection::ClientSecretWrong),
        }
    }

    /// Whether it is more than named: anybody can name a client.
    pub fn has_shown_secret(&self) -> bool {
        self.authenticated().is_ok() && self.client().kind() == ClientKind::Confidential
    }
}

impl From<AuthenticatedClient> for Redeemer {
    fn from(client: AuthenticatedClient) -> Self {
        Self::Authenticated(client)
    }
}

/// Takes a client without a secret whose code verifier may prove it.
pub fn authenticate_by_verifier(client: Option<Arc<Client>>) -> Result<Redeemer, Rejection> {
    let client = client.ok_or(Rejection::ClientUnknown)?;
    match (client.kind(), client.status) {
        (ClientKind::Public, _) => authenticate(Some(client), None).map(Redeemer::Authenticated),
        (ClientKind::Confidential, ClientStatus::Disabled) => Err(Rejection::ClientDisabled),
        (ClientKind::Confidential, ClientStatus::Enabled) => {
            Ok(Redeemer::ByVerifier(UnprovedClient(client)))
        }
    }
}

/// Judges a presented secret against the client that was named, if there is one.
///
/// An unknown client costs the same comparison as a wrong secret. An empty secret is none, whatever
/// the method: Basic cannot leave its second half out (§2.3.1).
pub fn authenticate(
    client: Option<Arc<Client>>,
    secret: Option<&str>,
) -> Result<AuthenticatedClient, Rejection> {
    let secret = secret.filter(|secret| !secret.is_empty());
    let presented = secret.and_then(|secret| Credential::parse(secret).ok());
    let presented_hash = presented.as_ref().map(Credential::hash);
    let nobody = SecretHash::from_bytes([0; 32]);
    let stored = match client.as_deref().map(|client| client.authentication) {
        Some(ClientSecret::Confidential { hash, .. }) => hash,
        _ => nobody,
    };
    let secret_matches = presented_hash.is_some_and(|presented| stored.matches(&presented));

    let client = client.ok_or(Rejection::ClientUnknown)?;
    let proved = match client.kind() {
        ClientKind::Confidential => secret_matches,
        // A public client has no secret: one that sends a secret is not who it says.
        ClientKind::Public => secret.is_none(),
    };
    match (proved, client.status) {
        (false, _) => Err(Rejection::ClientSecretWrong),
        (true, ClientStatus::Disabled) => Err(Rejection::ClientDisabled),
        (true, ClientStatus::Enabled) => Ok(AuthenticatedClient(client)),
    }
}
