//! What rules are told with: people, clients and grants, made as the server makes them.

use std::sync::Arc;

use tokenry_core::{
    TokenKeys,
    api_token::{ApiToken, ApiTokenStatus},
    authorization::{consent, judge},
    client::{Client, ClientRole, ClientSecret, ClientStatus},
    client_authentication::{AuthenticatedClient, authenticate},
    credentials::{Entropy as _, Key},
    event::Actor,
    grant::{Issued, Token},
    grant_types::{
        Circumstances,
        authorization_code::{
            CodeRedemption, Redemption, RedemptionRequest, WrongVerifier, redeem,
        },
        client_credentials,
        refresh_token::{Refresh, refresh},
    },
    issue::{Issuance, IssuedTokens, NewToken},
    policy::{AccessTokenFormat, Policy, RedemptionProof, Rotation, UnknownScopes},
    revision::Revision,
    revocation,
    sign_in_session::SignInSession,
    token_creation::approve,
    user::{Role, User},
};
use tokenry_protocol::{
    api::{
        request::Sent,
        tokens::{ClientReference, CreateTokenRequest},
    },
    ids::{ApiTokenId, ClientIdentifier, InvalidId, SignInSessionId, TokenId, UserId},
    oauth::{authorization::AuthorizationRequest, token::Wishes},
    redirect_uri::{ClientKind, RedirectUri},
    scope::{Scope, ScopeCatalog},
    secret::{Credential, Kind, SecretHash},
    time::{Seconds, Timestamp},
};

pub use super::seeded::Seeded;
use crate::{
    ChangePosition, ChangedRecord, Conditional, IdSequence, Insertion, PageRequest, Store,
    TokenFilter, Window,
};

/// When everything begins. The milliseconds are there to be kept.
pub const START: Timestamp = Timestamp::from_millis(1_790_000_000_123);
/// Where users are sent back to.
pub const REDIRECT_URI: &str = "https://client.test/cb";

/// `START` and so many seconds.
pub fn after(seconds: u32) -> Timestamp {
    START.plus(Seconds(seconds))
}

/// A store, and all that decisions need beside it.
pub struct World {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The mint.
    pub keys: TokenKeys,
    /// Randomness.
    pub entropy: Seeded,
    /// The policy.
    pub policy: Policy,
}

/// A client that can prove itself, and a user who consents.
#[derive(Clone)]
pub struct Parties {
    /// The client.
    pub client: AuthenticatedClient,
    /// The user.
    pub user: User,
}

/// A consented grant whose code is out.
pub struct Code {
    /// The record.
    pub id: TokenId,
    /// The code.
    pub code: Credential,
}

impl World {
    /// A world around a fresh store.
    pub fn new(store: Arc<dyn Store>) -> Arc<Self> {
        Self::with(store, Some(Seconds(1_800)))
    }

    /// The same, where access tokens live as long as that; `None` is for ever.
    pub fn with(store: Arc<dyn Store>, access_token_lifetime: Option<Seconds>) -> Arc<Self> {
        let policy = Policy {
            access_token_lifetime,
            refresh_token_lifetime: Seconds(2_592_000),
            created_token_lifetime_max: None,
            grant_lifetime_max: None,
            retry_window_confidential: Seconds(30),
            retry_window_public: Seconds(5),
            unknown_scopes: UnknownScopes::Refuse,
            scopes: ScopeCatalog::new(["tickets", "users"]).unwrap(),
            rotation: Rotation::Forgiving,
            access_token_format: AccessTokenFormat::Opaque,
            redemption_proof: RedemptionProof::Secret,
        };
        Arc::new(Self {
            store,
            keys: TokenKeys::new((1, Key::new([7; 32])), []),
            entropy: Seeded::new(1),
            policy,
        })
    }

    /// A fresh id.
    pub async fn id<T: TryFrom<u64, Error = InvalidId>>(&self, sequence: IdSequence) -> T {
        let mut block = self.store.lease_ids(sequence, 1).await.unwrap();
        T::try_from(block.next().unwrap()).unwrap()
    }

    /// The hash of some credential.
    pub fn hash(&self) -> SecretHash {
        let secret = self.entropy.secret();
        self.keys.mint(Kind::ApiToken, 1, 0, secret).hash()
    }

    /// A user, not yet inserted.
    pub async fn new_user(&self) -> User {
        let id: UserId = self.id(IdSequence::Users).await;
        User {
            id,
            email: format!("User{id}@Example.test"),
            name: format!("User {id}"),
            role: Role::EndUser,
            password_hash: Some("$argon2id$…".to_owned()),
            verified: true,
            suspended: false,
            password_epoch: 3,
            created_at: START,
            updated_at: after(1),
        }
    }

    /// A user.
    pub async fn user(&self) -> User {
        let user = self.new_user().await;
        let inserted = self.store.insert_user(user.clone()).await.unwrap();
        assert_eq!(inserted, Insertion::Done);
        user
    }

    /// Writes a user as they are, which leaves a change.
    pub async fn rewrite(&self, user: &mut User) {
        let write = Revision::new(user, user.clone());
        *user = write.record().clone();
        assert_eq!(self.store.update_user(write).await.unwrap(), Conditional::Now);
    }

    /// A confidential client, not yet inserted, with its secret.
    pub async fn new_client(&self, owner: UserId) -> (Client, Credential) {
        let id: tokenry_protocol::ids::ClientId = self.id(IdSequence::Clients).await;
        let secret = self.entropy.secret();
        let secret = self.keys.mint(Kind::ClientSecret, id.get(), 0, secret);
        let client = Client {
            id,
            identifier: ClientIdentifier::parse(&format!("Client_{id}")).unwrap(),
            name: format!("Client {id}"),
            user_id: owner,
            authentication: ClientSecret::Confidential { hash: secret.hash(), generation: 0 },
            redirect_uris: vec![RedirectUri::parse(REDIRECT_URI, ClientKind::Public).unwrap()],
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
            created_at: START,
            updated_at: START,
        };
        (client, secret)
    }

    /// A client of `owner`.
    pub async fn client(&self, owner: UserId) -> AuthenticatedClient {
        let (client, secret) = self.new_client(owner).await;
        let inserted = self.store.insert_client(client.clone()).await.unwrap();
        assert_eq!(inserted, Insertion::Done);
        authenticate(Some(Arc::new(client)), Some(secret.reveal())).unwrap()
    }

    /// A client, and another user than its owner.
    pub async fn parties(&self) -> Parties {
        let owner = self.user().await;
        let client = self.client(owner.id).await;
        let user = self.user().await;
        Parties { client, user }
    }

    /// An API token, not yet inserted.
    pub async fn new_api_token(&self, maker: UserId, assigned: UserId) -> ApiToken {
        let id: ApiTokenId = self.id(IdSequence::ApiTokens).await;
        ApiToken {
            id,
            hash: self.hash(),
            description: "For the nightly export".to_owned(),
            status: ApiTokenStatus::Active,
            user_id: maker,
            assigned_user_id: Some(assigned),
            created_at: START,
            updated_at: after(1),
            last_used: None,
        }
    }

    /// A session that lives for an hour.
    pub async fn session(&self, user: &User) -> SignInSession {
        let id: SignInSessionId = self.id(IdSequence::SignInSessions).await;
        let session = SignInSession {
            id,
            hash: self.hash(),
            user_id: user.id,
            password_epoch: user.password_epoch,
            created_at: START,
            expires_at: after(3_600),
        };
        let inserted = self.store.insert_sign_in_session(session.clone()).await;
        inserted.unwrap();
        session
    }

    fn circumstances(&self, now: Timestamp) -> Circumstances<'_> {
        Circumstances { policy: &self.policy, keys: &self.keys, entropy: &self.entropy, now }
    }

    async fn issuance(&self, parties: &Parties, now: Timestamp) -> Issuance<'_> {
        Issuance {
            id: self.id(IdSequence::Tokens).await,
            client_id: parties.client.client().id,
            user_id: parties.user.id,
            now,
            keys: &self.keys,
            entropy: &self.entropy,
        }
    }

    /// A consent to an authorization request, not yet inserted.
    pub async fn new_consent(
        &self,
        parties: &Parties,
        request: AuthorizationRequest,
        now: Timestamp,
    ) -> (NewToken, Credential) {
        let client = parties.client.client();
        let judged = judge(&request, Some(client), &self.policy).unwrap();
        consent(&judged, &self.issuance(parties, now).await)
    }

    /// A code for `read write`, bound to [`verifier`].
    pub async fn code(&self, parties: &Parties, now: Timestamp) -> Code {
        let (token, code) = self.new_consent(parties, request(), now).await;
        let id = token.token().id;
        self.store.insert_token(token).await.unwrap();
        Code { id, code }
    }

    /// What the core decides on redeeming a code.
    pub async fn decide_redemption(
        &self,
        parties: &Parties,
        code: &Code,
        verifier: &str,
        now: Timestamp,
    ) -> Redemption {
        let token = self.store.find_token(code.id).await.unwrap();
        let request = RedemptionRequest {
            code: &code.code,
            redirect_uri: Some(REDIRECT_URI),
            code_verifier: Some(verifier),
            wishes: &Wishes::NONE,
        };
        redeem(
            &parties.client.clone().into(),
            token.as_ref(),
            Some(&parties.user),
            &request,
            &self.circumstances(now),
        )
    }

    /// The write that redeems a code, and the answer to it.
    pub async fn redemption(
        &self,
        parties: &Parties,
        code: &Code,
        now: Timestamp,
    ) -> (CodeRedemption, IssuedTokens) {
        match self.decide_redemption(parties, code, &verifier(), now).await {
            Redemption::Issue { write, answer } => (write, answer),
            other => panic!("{other:?}"),
        }
    }

    /// The write that counts a wrong verifier.
    pub async fn wrong_verifier(&self, parties: &Parties, code: &Code) -> WrongVerifier {
        let wrong = "w".repeat(43);
        match self.decide_redemption(parties, code, &wrong, START).await {
            Redemption::WrongVerifier(write) => write,
            other => panic!("{other:?}"),
        }
    }

    /// A consented grant with both tokens out.
    pub async fn grant(&self, parties: &Parties, now: Timestamp) -> (TokenId, IssuedTokens) {
        let code = self.code(parties, now).await;
        let (write, answer) = self.redemption(parties, &code, now).await;
        let redeemed = self.store.redeem_authorization_code(write).await.unwrap();
        assert_eq!(redeemed, Conditional::Now);
        (code.id, answer)
    }

    /// What the core decides on a refresh.
    pub async fn decide_refresh(
        &self,
        parties: &Parties,
        presented: &Credential,
        now: Timestamp,
    ) -> Refresh {
        let id = TokenId::new(presented.parts().id).unwrap();
        let token = self.store.find_token(id).await.unwrap();
        refresh(
            &parties.client,
            token.as_ref(),
            Some(&parties.user),
            (presented, &Wishes::NONE),
            &self.circumstances(now),
        )
    }

    /// Rotates, and gives the refresh token after.
    pub async fn rotate(
        &self,
        parties: &Parties,
        presented: &Credential,
        now: Timestamp,
    ) -> IssuedTokens {
        let Refresh::Rotate { write, answer } = self.decide_refresh(parties, presented, now).await
        else {
            panic!("this is the present refresh token");
        };
        let rotated = self.store.rotate_refresh_token(write).await.unwrap();
        assert_eq!(rotated, Conditional::Now);
        answer
    }

    /// A record of client credentials, which lives for half an hour.
    pub async fn client_credentials(&self, client: &AuthenticatedClient, now: Timestamp) -> Token {
        let owner = self.store.find_user(client.client().user_id).await.unwrap();
        let parties = Parties { client: client.clone(), user: owner.unwrap() };
        let issuance = self.issuance(&parties, now).await;
        let (token, _) = client_credentials::issue(
            client,
            Some(&parties.user),
            &Wishes::NONE,
            &self.policy,
            &issuance,
        )
        .unwrap();
        self.insert(token).await
    }

    /// A record made by an administrator, which lives for ever.
    pub async fn created(&self, parties: &Parties, scope: &str, now: Timestamp) -> Token {
        let client = parties.client.client();
        let request = CreateTokenRequest {
            client_id: Sent::Value(ClientReference::Id(client.id)),
            scopes: Sent::Value(scope.split(' ').map(str::to_owned).collect()),
            ..CreateTokenRequest::default()
        };
        let approved = approve(request, Some(client), None, &self.policy).unwrap();
        let (token, _) = approved.issue(&self.issuance(parties, now).await);
        self.insert(token).await
    }

    async fn insert(&self, token: NewToken) -> Token {
        let inserted = token.token().clone();
        self.store.insert_token(token).await.unwrap();
        inserted
    }

    /// Ends a record as its user does.
    pub async fn revoke(&self, token: &Token, now: Timestamp) -> Conditional {
        let end = revocation::revoke(token, Actor::User(token.user_id), now);
        self.store.end_grant(end).await.unwrap()
    }

    /// The record as the store has it.
    pub async fn token(&self, id: TokenId) -> Token {
        self.store.find_token(id).await.unwrap().unwrap()
    }

    /// The tokens of a record as the store has them.
    pub async fn issued(&self, id: TokenId) -> Issued {
        self.token(id).await.issued().unwrap().clone()
    }

    /// Every change that is there, with its number; of one node, as long as there is one writer.
    pub async fn changes(&self) -> Vec<(u64, ChangedRecord)> {
        let changes = self.store.list_changes(&ChangePosition::START).await.unwrap();
        changes.into_iter().map(|change| (change.number, change.record)).collect()
    }

    /// The number of the last change; 0 before the first.
    pub async fn last_number(&self) -> u64 {
        let last = self.store.last_change().await.unwrap();
        last.iter().map(|(_, number)| number).max().unwrap_or(0)
    }

    /// The ids that a list shows.
    pub async fn listed(&self, filter: TokenFilter, now: Timestamp) -> Vec<TokenId> {
        let page = self.store.list_tokens(filter, ALL, now).await.unwrap();
        page.items.iter().map(|token| token.id).collect()
    }
}

/// The longest first page.
pub const ALL: PageRequest = PageRequest { window: Window::After(0), limit: 100 };

/// An authorization request for `read write`, bound to [`verifier`].
pub fn request() -> AuthorizationRequest {
    let verifier = tokenry_protocol::pkce::CodeVerifier::parse(&verifier()).unwrap();
    AuthorizationRequest {
        response_type: Some("code".to_owned()),
        client_id: Some("named by its record".to_owned()),
        redirect_uri: Some(REDIRECT_URI.to_owned()),
        scope: Some("read write".to_owned()),
        code_challenge: Some(verifier.challenge().as_str().to_owned()),
        code_challenge_method: Some("S256".to_owned()),
        ..AuthorizationRequest::default()
    }
}

/// The verifier of every code here.
pub fn verifier() -> String {
    "v".repeat(43)
}

/// A scope of words that are known to be right.
pub fn scope(words: &str) -> Scope {
    Scope::parse(words).unwrap()
}

/// Runs `task` 32 times at once and gives what each answered, in no order.
pub async fn thirty_two<T, F>(task: impl Fn(u32) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(tokio::sync::Barrier::new(32));
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..32 {
        let (start, task) = (Arc::clone(&start), task(number));
        tasks.spawn(async move {
            start.wait().await;
            task.await
        });
    }
    tasks.join_all().await
}

/// Whether two records agree in everything, hashes included (which `Debug` does not show).
pub fn assert_same(found: &Token, expected: &Token) {
    assert_eq!(format!("{found:?}"), format!("{expected:?}"));
    assert_eq!(hashes(found), hashes(expected));
}

fn hashes(token: &Token) -> Vec<[u8; 32]> {
    use tokenry_core::grant::Stage;
    match &token.stage {
        Stage::Consented(consented) => vec![*consented.code_hash.as_bytes()],
        Stage::Issued(issued) => {
            let refresh = issued.refresh.as_ref();
            let previous = refresh.and_then(|refresh| refresh.previous.as_ref());
            [
                Some(&issued.access.hash),
                refresh.map(|refresh| &refresh.hash),
                previous.map(|previous| &previous.hash),
            ]
            .into_iter()
            .flatten()
            .map(|hash| *hash.as_bytes())
            .collect()
        }
    }
}
