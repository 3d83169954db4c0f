//! Codes and tokens of tests, made by the decisions themselves.

use std::sync::Arc;

use tokenry_core::{
    authorization,
    client::Client,
    client_authentication::{AuthenticatedClient, authenticate},
    grant::Token,
    grant_types::{
        Circumstances,
        authorization_code::{self, Redemption, RedemptionRequest},
    },
    issue::Issuance,
    jwt_access_token::named,
    policy::{Policy, UnknownScopes},
    token_creation,
};
use tokenry_protocol::{
    api::{
        error::FieldErrors,
        request::Sent,
        tokens::{ClientReference, CreateTokenRequest},
    },
    ids::TokenId,
    oauth::{authorization::AuthorizationRequest, token::Wishes},
    pkce::CodeVerifier,
    secret::Credential,
    time::Seconds,
};
use tokenry_store::{Conditional, IdSequence, Store as _};

use super::{TestApp, TestClient, TestUser};

/// Answers the challenge of every code that a public client gets in tests.
pub const VERIFIER: &str = "x3Jq0aV7mTnKc2LwR9sYdE5uHbG8fPzI1oN4tQ6kMvA";

/// The tokens of a record, as its client has them; `refresh` is empty where there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedGrant {
    pub id: TokenId,
    pub access: String,
    pub refresh: String,
}

impl IssuedGrant {
    /// Takes the tokens of an answer.
    #[track_caller]
    pub fn new(access: String, refresh: String) -> Self {
        let credential = named(&access).expect("an access token of ours");
        Self { id: TokenId::new(credential.parts().id).unwrap(), access, refresh }
    }
}

/// What a user consents to, and what the client asks for when it redeems the code.
#[derive(Debug, Clone)]
pub struct GrantSpec {
    /// `None` is a fresh one.
    pub id: Option<TokenId>,
    /// The scope that is approved.
    pub scope: &'static str,
    /// Where the code is sent; `None` is the client's own address.
    pub redirect_uri: Option<String>,
    /// Whose challenge the request carries.
    pub verifier: Option<&'static str>,
    /// `expires_in`
    pub expires_in: Option<u32>,
    /// `refresh_token_expires_in`
    pub refresh_token_expires_in: Option<u32>,
}

impl GrantSpec {
    /// A grant of this scope; with a challenge if the client is public.
    pub fn of(scope: &'static str, client: &TestClient) -> Self {
        Self {
            id: None,
            scope,
            redirect_uri: None,
            verifier: client.is_public().then_some(VERIFIER),
            expires_in: None,
            refresh_token_expires_in: None,
        }
    }
}

impl TestApp {
    /// The code of a consent given now.
    pub async fn code(&self, user: &TestUser, client: &TestClient, scope: &'static str) -> String {
        let code = self.code_of(user, client, &GrantSpec::of(scope, client)).await;
        code.reveal().to_owned()
    }

    /// The tokens of a consent given and redeemed now.
    pub async fn grant(
        &self,
        user: &TestUser,
        client: &TestClient,
        scope: &'static str,
    ) -> IssuedGrant {
        self.grant_of(user, client, &GrantSpec::of(scope, client)).await
    }

    pub async fn code_of(
        &self,
        user: &TestUser,
        client: &TestClient,
        spec: &GrantSpec,
    ) -> Credential {
        let record = self.store.find_client(client.id).await.unwrap().unwrap();
        let redirect_uri = spec.redirect_uri.clone();
        let challenge = spec.verifier.map(|verifier| {
            let challenge = CodeVerifier::parse(verifier).unwrap().challenge();
            challenge.as_str().to_owned()
        });
        let request = AuthorizationRequest {
            response_type: Some("code".to_owned()),
            client_id: Some(client.identifier.clone()),
            redirect_uri: Some(redirect_uri.unwrap_or_else(|| client.redirect_uri.clone())),
            scope: Some(spec.scope.to_owned()),
            code_challenge_method: challenge.as_ref().map(|_| "S256".to_owned()),
            code_challenge: challenge,
            ..AuthorizationRequest::default()
        };
        let policy = Policy { unknown_scopes: UnknownScopes::Accept, ..self.state.policy.clone() };
        let judged = authorization::judge(&request, Some(&record), &policy).unwrap();
        let keys = self.state.keys();
        let issuance = Issuance {
            id: match spec.id {
                Some(id) => id,
                None => self.fresh_id(IdSequence::Tokens).await,
            },
            client_id: client.id,
            user_id: user.id,
            now: self.now(),
            keys: &keys.token,
            entropy: &*self.state.environment.entropy,
        };
        let (token, code) = authorization::consent(&judged, &issuance);
        self.store.insert_token(token).await.unwrap();
        code
    }

    pub async fn grant_of(
        &self,
        user: &TestUser,
        client: &TestClient,
        spec: &GrantSpec,
    ) -> IssuedGrant {
        let code = self.code_of(user, client, spec).await;
        let id = TokenId::new(code.parts().id).unwrap();
        let token = self.token(id).await.unwrap();
        let record = self.store.find_client(client.id).await.unwrap().unwrap();
        let redirect_uri = spec.redirect_uri.as_deref().unwrap_or(&client.redirect_uri);
        let wishes = Wishes {
            scope: None,
            access_token_lifetime: spec.expires_in.map(Seconds),
            refresh_token_lifetime: spec.refresh_token_expires_in.map(Seconds),
        };
        let request = RedemptionRequest {
            code: &code,
            redirect_uri: Some(redirect_uri),
            code_verifier: spec.verifier,
            wishes: &wishes,
        };
        let user = self.store.find_user(user.id).await.unwrap();
        let keys = self.state.keys();
        let circumstances = Circumstances {
            policy: &self.state.policy,
            keys: &keys.token,
            entropy: &*self.state.environment.entropy,
            now: self.now(),
        };
        let client = authenticated(record, client).into();
        let decision = authorization_code::redeem(
            &client,
            Some(&token),
            user.as_ref(),
            &request,
            &circumstances,
        );
        let Redemption::Issue { write, answer } = decision else {
            panic!("{decision:?}");
        };
        let redeemed = self.store.redeem_authorization_code(write).await.unwrap();
        assert_eq!(redeemed, Conditional::Now);
        let (refresh, _) = answer.refresh_token.expect("a code gives a refresh token");
        let access = answer.access_token.reveal().to_owned();
        IssuedGrant::new(access, refresh.reveal().to_owned())
    }

    /// A record as the store has it.
    pub async fn token(&self, id: TokenId) -> Option<Token> {
        self.store.find_token(id).await.unwrap()
    }

    /// Whether the access token opens `current`. Using it this way counts as its use.
    pub async fn is_alive(&self, access: &str) -> bool {
        let answer = self.get("/api/v2/oauth/tokens/current.json").bearer(access).await;
        match answer.status {
            200 => true,
            401 => false,
            status => panic!("{status} {}", answer.text()),
        }
    }

    /// Whether the refresh token may still be presented, found out without presenting it.
    pub async fn is_refreshable(&self, client: &TestClient, refresh: &str) -> bool {
        let answer =
            self.post("/oauth/introspect").by_client(client).form(&[("token", refresh)]).await;
        answer.expect(200).json()["active"] == true
    }
}

fn authenticated(record: Client, client: &TestClient) -> AuthenticatedClient {
    let secret = (!client.is_public()).then(|| client.secret());
    authenticate(Some(Arc::new(record)), secret).expect("an enabled client")
}

impl TestApp {
    /// A token that its user made for a client through the record API, without expiry.
    pub async fn created_token(
        &self,
        user: &TestUser,
        client: &TestClient,
        scope: &str,
    ) -> IssuedGrant {
        let id = self.fresh_id(IdSequence::Tokens).await;
        self.create_token(user, client, id, scope).await
    }

    /// The same with a chosen id.
    pub async fn create_token(
        &self,
        user: &TestUser,
        client: &TestClient,
        id: TokenId,
        scope: &str,
    ) -> IssuedGrant {
        let record = self.store.find_client(client.id).await.unwrap();
        let request = CreateTokenRequest {
            client_id: Sent::Value(ClientReference::Id(client.id)),
            scopes: Sent::Value(scope.split(' ').map(str::to_owned).collect()),
            errors: FieldErrors::default(),
        };
        let policy = &self.state.policy;
        let approved = token_creation::approve(request, record.as_ref(), None, policy).unwrap();
        let keys = self.state.keys();
        let (token, answer) = approved.issue(&Issuance {
            id,
            client_id: client.id,
            user_id: user.id,
            now: self.now(),
            keys: &keys.token,
            entropy: &*self.state.environment.entropy,
        });
        self.store.insert_token(token).await.unwrap();
        IssuedGrant::new(answer.access_token.reveal().to_owned(), String::new())
    }
}
