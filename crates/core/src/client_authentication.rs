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
