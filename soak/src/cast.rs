//! Who takes part: a user who answers for clients and consents, and registered clients.

use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, ensure};
use tokenry_core::{
    authorization,
    client::{Client, ClientRole, ClientSecret, ClientStatus},
    issue::Issuance,
    user::{Role, User},
};
use tokenry_protocol::{
    ids::{ClientId, ClientIdentifier, UserId},
    oauth::authorization::AuthorizationRequest,
    pkce::CodeVerifier,
    redirect_uri::{ClientKind, RedirectUri},
    secret::{Credential, Kind},
    time::Seconds,
};
use tokenry_store::{IdSequence, Insertion};

use crate::server::Server;

/// A client as its developer knows it.
#[derive(Debug)]
pub struct RegisteredClient {
    /// The record.
    pub record: Client,
    /// Its name at the grant endpoints.
    pub identifier: String,
    /// `None` of a public client.
    pub secret: Option<String>,
}

impl RegisteredClient {
    /// Answers the challenge of every code.
    pub(crate) const VERIFIER: &'static str = "x3Jq0aV7mTnKc2LwR9sYdE5uHbG8fPzI1oN4tQ6kMvA";

    /// Where it has its users sent back to.
    pub(crate) const REDIRECT_URI: &'static str = "http://127.0.0.1/callback";

    /// Half of the clients use the record API's door, half the standard's.
    pub(crate) const fn door(&self) -> &'static str {
        if (self.record.id.get() / 2).is_multiple_of(2) { "/oauth/tokens" } else { "/oauth/token" }
    }

    /// How long its previous refresh token gets the same answer.
    pub fn window(&self, server: &Server) -> Seconds {
        server.state.policy.retry_window(&self.record)
    }
}

impl Server {
    /// A user.
    pub async fn register_user(&self) -> Result<UserId> {
        let id: UserId = self.state.ids.next(IdSequence::Users).await?;
        let now = self.state.now();
        let user = User {
            id,
            email: format!("user{id}@fleet.test"),
            name: format!("User {id}"),
            role: Role::Agent,
            password_hash: None,
            verified: true,
            suspended: false,
            password_epoch: 0,
            created_at: now,
            updated_at: now,
        };
        let inserted = self.state.store.insert_user(user).await?;
        ensure!(inserted == Insertion::Done, "user {id}: {inserted:?}");
        Ok(id)
    }

    /// A client of this user's.
    pub async fn register_client(
        &self,
        owner: UserId,
        kind: ClientKind,
    ) -> Result<Arc<RegisteredClient>> {
        let id: ClientId = self.state.ids.next(IdSequence::Clients).await?;
        let drawn = self.state.environment.entropy.secret();
        let secret = self.state.keys().token.mint(Kind::ClientSecret, id.get(), 0, drawn);
        let identifier = format!("fleet_{id}");
        let redirect_uri = RedirectUri::parse(RegisteredClient::REDIRECT_URI, ClientKind::Public)
            .map_err(|error| anyhow!("{error:?}"))?;
        let authentication = match kind {
            ClientKind::Public => ClientSecret::Public,
            ClientKind::Confidential => {
                ClientSecret::Confidential { hash: secret.hash(), generation: 0 }
            }
        };
        let now = self.state.now();
        let record = Client {
            id,
            identifier: ClientIdentifier::parse(&identifier)?,
            name: identifier.clone(),
            user_id: owner,
            authentication,
            redirect_uris: vec![redirect_uri],
            company: None,
            description: None,
            logo_url: None,
            allowed_scope: None,
            status: ClientStatus::Enabled,
            role: ClientRole::Ordinary,
            grant_types: None,
            access_token_lifetime_max: None,
            refresh_token_lifetime_max: None,
            retry_window: None,
            created_at: now,
            updated_at: now,
        };
        let inserted = self.state.store.insert_client(record.clone()).await?;
        ensure!(inserted == Insertion::Done, "client {id}: {inserted:?}");
        let secret = (kind == ClientKind::Confidential).then(|| secret.reveal().to_owned());
        Ok(Arc::new(RegisteredClient { record, identifier, secret }))
    }

    /// A user consents: the code, as the authorization endpoint would send it.
    pub async fn consent(&self, client: &RegisteredClient, user: UserId) -> Result<Credential> {
        let verifier = CodeVerifier::parse(RegisteredClient::VERIFIER);
        let challenge = verifier.map_err(|error| anyhow!("{error:?}"))?.challenge();
        let request = AuthorizationRequest {
            response_type: Some("code".to_owned()),
            client_id: Some(client.identifier.clone()),
            redirect_uri: Some(RegisteredClient::REDIRECT_URI.to_owned()),
            scope: Some("read write".to_owned()),
            code_challenge_method: Some("S256".to_owned()),
            code_challenge: Some(challenge.as_str().to_owned()),
            ..AuthorizationRequest::default()
        };
        let judged = authorization::judge(&request, Some(&client.record), &self.state.policy)
            .map_err(|problem| anyhow!("{problem:?}"))
            .context("the authorization request")?;
        let keys = self.state.keys();
        let issuance = Issuance {
            id: self.state.ids.next(IdSequence::Tokens).await?,
            client_id: client.record.id,
            user_id: user,
            now: self.state.now(),
            keys: &keys.token,
            entropy: self.state.environment.entropy.as_ref(),
        };
        let (token, code) = authorization::consent(&judged, &issuance);
        self.state.store.insert_token(token).await?;
        Ok(code)
    }
}
