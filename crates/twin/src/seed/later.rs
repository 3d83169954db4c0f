//! Grants while a double runs, without a browser and without the client: made by the decisions that
//! make those of a seed, and given as their client would be given them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokenry_core::{
    Entropy, TokenKeys,
    authorization::{self, Refusal},
    client::{Client, ClientSecret},
    client_authentication::{AuthenticatedClient, authenticate},
    issue::Issuance,
    policy::AUTHORIZATION_CODE_LIFETIME,
    rejection::Rejection,
    user::{User, fold_email},
};
use tokenry_protocol::{
    ids::{ClientIdentifier, TokenId},
    oauth::{authorization::AuthorizationRequest, token::GrantType},
    secret::Kind,
    time::Timestamp,
};
use tokenry_server::{config::BaseUrl, keyring::Keys, state::AppState};
use tokenry_store::{Conditional, IdSequence, StoreError};

use super::{
    Entry, List, SeedError,
    entries::{ClientReference, SeedToken, UserReference},
    grants::{self, Grant},
    prepare::{KnownClient, Surroundings},
    resolve::{ResolvedToken, check_lifetimes},
};
use crate::{account::AccountToken, error::TwinError};

/// A token record to make.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssueToken {
    /// Whose token it is.
    pub client: ClientReference,
    /// For whom. Of [`Means::ClientCredentials`] it is who answers for the client.
    #[serde(default)]
    pub user: Option<UserReference>,
    /// What it may do.
    pub scopes: Vec<String>,
    /// How it comes to be.
    #[serde(default, rename = "grant_type")]
    pub means: Means,
    /// How many seconds the access token lives; without it, as the profile says.
    #[serde(default)]
    pub expires_in: Option<u32>,
    /// How many seconds the refresh token lives; without it, as the profile says.
    #[serde(default)]
    pub refresh_token_expires_in: Option<u32>,
}

/// How a token record comes to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    /// By a user's consent, whose code is redeemed at once: a pair.
    #[default]
    AuthorizationCode,
    /// By the client for itself.
    ClientCredentials,
    /// Through the record API: an access token without expiry.
    Created,
}

/// A consent to give.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authorize {
    /// Who consents.
    pub user: UserReference,
    /// To which client.
    pub client: ClientReference,
    /// What it may do.
    pub scopes: Vec<String>,
    /// Where the browser is sent; without it, the only address that the client has.
    #[serde(default)]
    pub redirect_uri: Option<String>,
    /// Of public clients always (RFC 7636 §4.2, `S256`).
    #[serde(default)]
    pub code_challenge: Option<String>,
    /// Given back unchanged.
    #[serde(default)]
    pub state: Option<String>,
}

/// What a browser would bring back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorization {
    /// The record, whose tokens are given for the code.
    pub id: TokenId,
    /// The authorization code.
    pub code: String,
    /// The redirect address in full, with the code and the state.
    pub location: String,
    /// When the code is worth nothing any more.
    pub expires_at: Timestamp,
}

impl IssueToken {
    /// A pair by a user's consent.
    pub fn pair(
        user: impl Into<UserReference>,
        client: impl Into<ClientReference>,
        scopes: &[&str],
    ) -> Self {
        Self {
            client: client.into(),
            user: Some(user.into()),
            scopes: scopes.iter().map(ToString::to_string).collect(),
            means: Means::AuthorizationCode,
            expires_in: None,
            refresh_token_expires_in: None,
        }
    }

    fn as_seed(&self) -> SeedToken {
        SeedToken {
            id: None,
            grant_type: match self.means {
                Means::AuthorizationCode => Some(GrantType::AuthorizationCode),
                Means::ClientCredentials => Some(GrantType::ClientCredentials),
                Means::Created => None,
            },
            client: self.client.clone(),
            user: self.user.clone(),
            scopes: self.scopes.clone(),
            expires_in: self.expires_in,
            refresh_token_expires_in: self.refresh_token_expires_in,
            created_at: None,
            used_at: None,
        }
    }
}

impl Authorize {
    /// To the only redirect address of a confidential client.
    pub fn new(
        user: impl Into<UserReference>,
        client: impl Into<ClientReference>,
        scopes: &[&str],
    ) -> Self {
        Self {
            user: user.into(),
            client: client.into(),
            scopes: scopes.iter().map(ToString::to_string).collect(),
            redirect_uri: None,
            code_challenge: None,
            state: None,
        }
    }
}

/// Makes a record, and tells it as its client would be given it at the address `base`.
pub(crate) async fn issue(
    asked: &IssueToken,
    state: &AppState,
    base: &BaseUrl,
) -> Result<AccountToken, TwinError> {
    let client = find_client(state, &asked.client).await?;
    let user = match (&asked.user, asked.means) {
        (Some(user), _) => find_user(state, user).await?,
        (None, Means::ClientCredentials) => {
            find_user(state, &UserReference::Id(client.user_id)).await?
        }
        (None, _) => return Err(refused("`user` is missing: whom does it act for?")),
    };
    if asked.means == Means::ClientCredentials && user.id != client.user_id {
        return Err(refused(
            "client_credentials act for who answers for the client: leave `user` out",
        ));
    }
    let (keys, seed) = (state.keys(), asked.as_seed());
    let entry = Entry { list: List::Tokens, at: 0, name: None };
    check_lifetimes(&entry, &seed).map_err(problem)?;
    let id = state.ids.next(IdSequence::Tokens).await?;
    let token = ResolvedToken { entry, seed: &seed, id, client: client.id, user: user.id };
    let surroundings = surroundings(state, &keys, base);
    let known = provable(client, surroundings.keys, surroundings.entropy);
    let granted = grants::grant(&token, &known, &user, &surroundings).map_err(problem)?;
    let (Grant { token: record, redemption }, issued) = granted;
    state.store.insert_token(record).await?;
    if let Some(write) = redemption
        && state.store.redeem_authorization_code(write).await? == Conditional::Already
    {
        return Err(StoreError::Corrupt("a new code was redeemed already".to_owned()).into());
    }
    Ok(grants::told(&token, &known, &issued, &surroundings))
}

/// Consents, and tells what a browser would bring back from the address `base`.
pub(crate) async fn authorize(
    asked: &Authorize,
    state: &AppState,
    base: &BaseUrl,
) -> Result<Authorization, TwinError> {
    let client = find_client(state, &asked.client).await?;
    let user = find_user(state, &asked.user).await?;
    if user.suspended {
        return Err(refused(format!("{} is suspended and cannot sign in", user.email)));
    }
    let request = AuthorizationRequest {
        response_type: Some("code".to_owned()),
        client_id: Some(client.identifier.to_string()),
        redirect_uri: asked.redirect_uri.clone(),
        scope: Some(asked.scopes.join(" ")),
        state: asked.state.clone(),
        code_challenge: asked.code_challenge.clone(),
        code_challenge_method: asked.code_challenge.as_ref().map(|_| "S256".to_owned()),
        prompt: None,
    };
    let judged = authorization::judge(&request, Some(&client), &state.policy);
    let judged = judged.map_err(|refusal| match refusal {
        Refusal::Page(problem) => refused(grants::shown(problem)),
        Refusal::Redirect(_, answer) => {
            refused(format!("{}: {}", answer.error.as_str(), answer.error_description))
        }
    })?;
    let (keys, now) = (state.keys(), state.now());
    let issuance = Issuance {
        id: state.ids.next(IdSequence::Tokens).await?,
        client_id: client.id,
        user_id: user.id,
        now,
        keys: &keys.token,
        entropy: state.environment.entropy.as_ref(),
    };
    let (token, code) = authorization::consent(&judged, &issuance);
    state.store.insert_token(token).await?;
    Ok(Authorization {
        id: issuance.id,
        code: code.reveal().to_owned(),
        location: judged.return_address().with_code(code.reveal(), base.as_str()),
        expires_at: now.plus(AUTHORIZATION_CODE_LIFETIME),
    })
}

fn surroundings<'a>(state: &'a AppState, keys: &'a Keys, base: &'a BaseUrl) -> Surroundings<'a> {
    Surroundings {
        policy: &state.policy,
        keys: &keys.token,
        entropy: state.environment.entropy.as_ref(),
        now: state.now(),
        base,
    }
}

/// A copy of a client that has a secret of ours: the database has only the hash of its own, and
/// decisions ask for a client that has proved itself.
fn provable(client: Client, keys: &TokenKeys, entropy: &dyn Entropy) -> KnownClient {
    let ClientSecret::Confidential { generation, .. } = client.authentication else {
        return KnownClient { record: Arc::new(client), secret: None };
    };
    let secret = keys.mint(Kind::ClientSecret, client.id.get(), generation, entropy.secret());
    let authentication = ClientSecret::Confidential { hash: secret.hash(), generation };
    let record = Arc::new(Client { authentication, ..client });
    KnownClient { record, secret: Some(secret.reveal().to_owned()) }
}

/// A client as if it had shown its secret. One that is disabled is refused all the same.
pub(crate) fn prove(
    client: Client,
    keys: &TokenKeys,
    entropy: &dyn Entropy,
) -> Result<AuthenticatedClient, Rejection> {
    let KnownClient { record, secret } = provable(client, keys, entropy);
    authenticate(Some(record), secret.as_deref())
}

async fn find_user(state: &AppState, reference: &UserReference) -> Result<User, TwinError> {
    let found = match reference {
        UserReference::Email(email) => state.store.find_user_by_email(&fold_email(email)).await?,
        UserReference::Id(id) => state.store.find_user(*id).await?,
    };
    found.ok_or_else(|| refused(format!("there is no user {reference}")))
}

async fn find_client(state: &AppState, reference: &ClientReference) -> Result<Client, TwinError> {
    let found = match reference {
        ClientReference::Identifier(identifier) => match ClientIdentifier::parse(identifier) {
            Ok(identifier) => state.store.find_client_by_identifier(&identifier).await?,
            Err(_) => None,
        },
        ClientReference::Id(id) => state.store.find_client(*id).await?,
    };
    found.ok_or_else(|| refused(format!("there is no client {reference}")))
}

fn refused(problem: impl Into<String>) -> TwinError {
    TwinError::Grant(problem.into())
}

fn problem(error: SeedError) -> TwinError {
    match error {
        SeedError::Entry(error) => refused(error.problem),
        error => error.into(),
    }
}
