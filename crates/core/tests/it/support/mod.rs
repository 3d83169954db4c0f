//! A world with sensible defaults, in which each test changes the one thing that it is about.

mod redeeming;
mod refreshing;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

pub(crate) use self::{
    redeeming::{Redeeming, outcome as redeeming_outcome},
    refreshing::{Grant, Pair, outcome as refreshing_outcome},
};
use tokenry_core::{
    Entropy, TokenKeys,
    authorization::{JudgedRequest, judge},
    client::{Client, ClientRole, ClientSecret, ClientStatus},
    client_authentication::{AuthenticatedClient, authenticate},
    credentials::Key,
    grant::{Issued, Token},
    grant_types::Circumstances,
    issue::Issuance,
    policy::{AccessTokenFormat, Policy, RedemptionProof, Rotation, UnknownScopes},
    user::{Role, User},
};
use tokenry_protocol::{
    ids::{ClientId, ClientIdentifier, TokenId, UserId},
    oauth::{authorization::AuthorizationRequest, token::Wishes},
    pkce::CodeVerifier,
    redirect_uri::{ClientKind, RedirectUri},
    scope::{Scope, ScopeCatalog},
    secret::{Credential, Kind, Parts},
    time::{Seconds, Timestamp},
};

/// 2026-03-05T12:00:00Z
pub(crate) const NOON: Timestamp = Timestamp::from_seconds(1_772_712_000);
pub(crate) const CALLBACK: &str = "https://reports.acme.test/callback";
/// RFC 7636, appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const DAY: Duration = Duration::from_secs(86_400);
/// The key that mints at first.
pub(crate) const KEY_NUMBER: u8 = 1;

/// Random to look at and the same in every run.
pub(crate) struct Seeded(AtomicU64);

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            // SplitMix64.
            let mut word = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
            word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            word ^= word >> 31;
            chunk.copy_from_slice(&word.to_be_bytes()[..chunk.len()]);
        }
    }
}

/// A server with one client, one user and a clock that stands still.
pub(crate) struct World {
    pub(crate) policy: Policy,
    pub(crate) keys: TokenKeys,
    pub(crate) entropy: Seeded,
    pub(crate) now: Timestamp,
    pub(crate) client: Client,
    /// `None` once the account is deleted.
    pub(crate) user: Option<User>,
    secret: Option<Credential>,
}

impl World {
    /// The client is `acme_reports`, which keeps a secret.
    pub(crate) fn confidential() -> Self {
        let (keys, entropy) = (token_keys(), Seeded(AtomicU64::new(1)));
        let secret = keys.mint(Kind::ClientSecret, 41, 0, entropy.secret());
        Self {
            policy: policy(),
            client: client(41, "acme_reports", Some(&secret)),
            keys,
            entropy,
            now: NOON,
            user: Some(user()),
            secret: Some(secret),
        }
    }

    /// The client is `acme_mobile`, which cannot keep a secret.
    pub(crate) fn public() -> Self {
        Self { client: client(43, "acme_mobile", None), secret: None, ..Self::confidential() }
    }

    pub(crate) fn of(kind: ClientKind) -> Self {
        match kind {
            ClientKind::Confidential => Self::confidential(),
            ClientKind::Public => Self::public(),
        }
    }

    /// The secret of the confidential client.
    pub(crate) fn secret(&self) -> &Credential {
        self.secret.as_ref().unwrap()
    }

    /// The client, proved.
    pub(crate) fn proved(&self) -> AuthenticatedClient {
        let secret = self.secret.as_ref().map(Credential::reveal);
        authenticate(Some(Arc::new(self.client.clone())), secret).unwrap()
    }

    /// Another client, proved.
    pub(crate) fn stranger(&self) -> AuthenticatedClient {
        let secret = self.keys.mint(Kind::ClientSecret, 42, 0, self.entropy.secret());
        let stranger = client(42, "stranger", Some(&secret));
        authenticate(Some(Arc::new(stranger)), Some(secret.reveal())).unwrap()
    }

    pub(crate) fn suspend_user(&mut self) {
        self.user.as_mut().unwrap().suspended = true;
    }

    pub(crate) fn wait(&mut self, span: Duration) {
        let millis = i64::try_from(span.as_millis()).unwrap();
        self.now = Timestamp::from_millis(self.now.as_millis() + millis);
    }

    /// The clock is set back.
    pub(crate) fn rewind(&mut self, span: Duration) {
        let millis = i64::try_from(span.as_millis()).unwrap();
        self.now = Timestamp::from_millis(self.now.as_millis() - millis);
    }

    /// From now on another key mints, and the first one is lost or kept.
    pub(crate) fn replace_key(&mut self, fate: KeyFate) {
        let old = match fate {
            KeyFate::Lost => None,
            KeyFate::Retired => Some(key(KEY_NUMBER)),
        };
        let next = KEY_NUMBER + 1;
        self.keys = TokenKeys::new((next, key(next)), [(KEY_NUMBER, old)]);
    }

    pub(crate) fn circumstances(&self) -> Circumstances<'_> {
        Circumstances {
            policy: &self.policy,
            keys: &self.keys,
            entropy: &self.entropy,
            now: self.now,
        }
    }

    pub(crate) fn issuance(&self) -> Issuance<'_> {
        Issuance {
            id: TokenId::new(2001).unwrap(),
            client_id: self.client.id,
            user_id: UserId::new(29).unwrap(),
            now: self.now,
            keys: &self.keys,
            entropy: &self.entropy,
        }
    }

    /// An authorization request that holds: with a challenge, and with the redirect address named.
    pub(crate) fn request(&self, scope: &str) -> AuthorizationRequest {
        let challenge = CodeVerifier::parse(VERIFIER).unwrap().challenge();
        AuthorizationRequest {
            response_type: some("code"),
            client_id: some(self.client.identifier.as_str()),
            redirect_uri: some(CALLBACK),
            scope: some(scope),
            state: some("s1"),
            code_challenge: some(challenge.as_str()),
            code_challenge_method: some("S256"),
            prompt: None,
        }
    }

    pub(crate) fn judged(&self, request: &AuthorizationRequest) -> JudgedRequest {
        judge(request, Some(&self.client), &self.policy).unwrap()
    }

    /// A credential that names `id` and that we never minted.
    pub(crate) fn forged(&self, kind: Kind, id: TokenId, rotation: u32) -> Credential {
        let mut tag = [0; 9];
        self.entropy.fill(&mut tag);
        Credential::assemble(Parts {
            kind,
            id: id.get(),
            rotation,
            key_number: self.keys.current_number(),
            secret: self.entropy.secret(),
            tag,
        })
    }
}

/// What becomes of a key that no longer mints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyFate {
    Lost,
    Retired,
}

fn key(number: u8) -> Key {
    Key::new([number; 32])
}

fn token_keys() -> TokenKeys {
    TokenKeys::new((KEY_NUMBER, key(KEY_NUMBER)), [])
}

/// The documented defaults.
pub(crate) fn policy() -> Policy {
    Policy {
        access_token_lifetime: Some(Seconds(1_800)),
        refresh_token_lifetime: Seconds(2_592_000),
        created_token_lifetime_max: None,
        grant_lifetime_max: None,
        retry_window_confidential: Seconds(30),
        retry_window_public: Seconds(5),
        unknown_scopes: UnknownScopes::Refuse,
        scopes: ScopeCatalog::new(["tickets", "users", "auditlogs:read", "oauth"]).unwrap(),
        rotation: Rotation::Forgiving,
        access_token_format: AccessTokenFormat::Opaque,
        redemption_proof: RedemptionProof::Secret,
    }
}

/// A client that may do what its kind may; public without a secret.
pub(crate) fn client(id: u64, identifier: &str, secret: Option<&Credential>) -> Client {
    Client {
        id: ClientId::new(id).unwrap(),
        identifier: ClientIdentifier::parse(identifier).unwrap(),
        name: "Acme".to_owned(),
        user_id: UserId::new(29).unwrap(),
        authentication: match secret {
            Some(secret) => ClientSecret::Confidential { hash: secret.hash(), generation: 0 },
            None => ClientSecret::Public,
        },
        redirect_uris: vec![redirect_uri(CALLBACK)],
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
        created_at: NOON,
        updated_at: NOON,
    }
}

pub(crate) fn user() -> User {
    User {
        id: UserId::new(29).unwrap(),
        email: "ann@acme.test".to_owned(),
        name: "Ann".to_owned(),
        role: Role::EndUser,
        password_hash: None,
        verified: true,
        suspended: false,
        password_epoch: 0,
        created_at: NOON,
        updated_at: NOON,
    }
}

pub(crate) fn redirect_uri(text: &str) -> RedirectUri {
    RedirectUri::parse(text, ClientKind::Public).unwrap()
}

pub(crate) fn scope(text: &str) -> Scope {
    Scope::parse(text).unwrap()
}

#[expect(clippy::unnecessary_wraps, reason = "requests hold optional parameters")]
pub(crate) fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

pub(crate) const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// The last millisecond before `count` seconds are over.
pub(crate) const fn just_before(count: u64) -> Duration {
    millis(count * 1_000 - 1)
}

pub(crate) const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

pub(crate) fn want_scope(text: &str) -> Wishes {
    Wishes { scope: Some(scope(text)), ..Wishes::NONE }
}

pub(crate) const fn want_access_lifetime(lifetime: u32) -> Wishes {
    Wishes { access_token_lifetime: Some(Seconds(lifetime)), ..Wishes::NONE }
}

pub(crate) const fn want_refresh_lifetime(lifetime: u32) -> Wishes {
    Wishes { refresh_token_lifetime: Some(Seconds(lifetime)), ..Wishes::NONE }
}

/// The tokens of a record that has some.
pub(crate) fn issued(token: &Token) -> &Issued {
    token.issued().unwrap()
}

pub(crate) fn same_text(one: &Credential, other: &Credential) -> bool {
    one.reveal() == other.reveal()
}
