//! The token records of a seed, each made in the way that it says it came to be: an administrator's
//! creation, a client's own request, or a consent whose code is redeemed at once.

use tokenry_core::{
    authorization::{self, JudgedRequest, PageProblem, Refusal},
    client::Client,
    client_authentication::{AuthenticatedClient, Redeemer, authenticate},
    credentials::TokenKeys,
    grant::Token,
    grant_types::{
        Circumstances,
        authorization_code::{self, CodeRedemption, Redemption, RedemptionRequest},
        client_credentials,
    },
    issue::{Issuance, IssuedTokens, NewToken},
    jwt_access_token,
    policy::{AccessTokenFormat, Policy},
    token_creation::{self, CreationRefused},
    user::User,
};
use tokenry_protocol::{
    api::{
        error::FieldErrors,
        request::Sent,
        tokens::{ClientReference, CreateTokenRequest},
    },
    oauth::{
        authorization::AuthorizationRequest,
        token::{GrantType, Wishes},
    },
    pkce::CodeVerifier,
    redirect_uri::ClientKind,
    scope::Scope,
    secret::Credential,
    time::Seconds,
};
use tokenry_server::config::BaseUrl;

use super::{
    Entry, SeedError,
    prepare::{KnownClient, Surroundings},
    resolve::ResolvedToken,
};
use crate::account::AccountToken;

/// Answers the challenges of public clients (RFC 7636 §4.1). It is used up when the seed is
/// planted.
const VERIFIER: &str = "a-seed-is-redeemed-as-soon-as-it-is-consented-to";

/// A record to write.
pub(super) struct Grant {
    pub(super) token: NewToken,
    /// What redeems its code.
    pub(super) redemption: Option<CodeRedemption>,
}

/// A record and what its client is given. The time is that of the record.
pub(super) fn grant(
    token: &ResolvedToken<'_>,
    client: &KnownClient,
    user: &User,
    surroundings: &Surroundings<'_>,
) -> Result<(Grant, IssuedTokens), SeedError> {
    let issuance = Issuance {
        id: token.id,
        client_id: token.client,
        user_id: token.user,
        now: surroundings.now,
        keys: surroundings.keys,
        entropy: surroundings.entropy,
    };
    let way = Way { token, client, user, surroundings, issuance };
    match token.seed.grant_type {
        None => way.created(),
        Some(GrantType::ClientCredentials) => way.client_credentials(),
        Some(_) => way.authorization_code(),
    }
}

/// What people are told of it.
pub(super) fn told(
    token: &ResolvedToken<'_>,
    client: &KnownClient,
    issued: &IssuedTokens,
    surroundings: &Surroundings<'_>,
) -> AccountToken {
    let Surroundings { policy, keys, base, .. } = *surroundings;
    let refresh = issued.refresh_token.as_ref();
    AccountToken {
        id: token.id,
        client_id: token.client,
        user_id: token.user,
        scopes: issued.scope.tokens().iter().map(ToString::to_string).collect(),
        access_token: match token.seed.grant_type {
            Some(_) => written_access_token(issued, &client.record, base, (policy, keys)),
            // The record API gives no JWTs.
            None => issued.access_token.reveal().to_owned(),
        },
        expires_at: issued.access_token_lifetime.map(|lifetime| surroundings.now.plus(lifetime)),
        refresh_token: refresh.map(|(token, _)| token.reveal().to_owned()),
        refresh_token_expires_at: refresh.map(|(_, lifetime)| surroundings.now.plus(*lifetime)),
    }
}

/// The access token in the form in which the profile gives it.
pub(crate) fn written_access_token(
    issued: &IssuedTokens,
    client: &Client,
    base: &BaseUrl,
    (policy, keys): (&Policy, &TokenKeys),
) -> String {
    let is_jwt = policy.access_token_format == AccessTokenFormat::Jwt;
    let jwt =
        is_jwt.then(|| jwt_access_token::write(issued, client, base.as_str(), keys)).flatten();
    jwt.map_or_else(|| issued.access_token.reveal().to_owned(), |jwt| jwt.reveal().to_owned())
}

/// How a record comes to be.
struct Way<'a> {
    token: &'a ResolvedToken<'a>,
    client: &'a KnownClient,
    user: &'a User,
    surroundings: &'a Surroundings<'a>,
    issuance: Issuance<'a>,
}

type Made = Result<(Grant, IssuedTokens), SeedError>;

impl Way<'_> {
    fn entry(&self) -> &Entry {
        &self.token.entry
    }

    fn record(&self) -> &Client {
        &self.client.record
    }

    /// Through the record API.
    fn created(&self) -> Made {
        let request = CreateTokenRequest {
            client_id: Sent::Value(ClientReference::Id(self.token.client)),
            scopes: Sent::Value(self.token.seed.scopes.clone()),
            errors: FieldErrors::default(),
        };
        let policy = self.surroundings.policy;
        let approved = token_creation::approve(request, Some(self.record()), None, policy);
        let approved = approved.map_err(|refused| match refused {
            CreationRefused::Invalid(errors) => self.entry().refuse_fields(&errors),
            CreationRefused::MissingScopes(_) => self.entry().refuse("lacks scopes"),
        })?;
        let (token, issued) = approved.issue(&self.issuance);
        Ok((Grant { token, redemption: None }, issued))
    }

    /// By the client for itself (RFC 6749 §4.4).
    fn client_credentials(&self) -> Made {
        if !self.record().may_use(GrantType::ClientCredentials) {
            let told = format!("{} may not use client_credentials", self.record().identifier);
            return Err(self.entry().refuse(told));
        }
        let wishes = Wishes { scope: Some(self.scope()?), ..self.wishes() };
        let (client, user) = (self.authenticated()?, Some(self.user));
        let policy = self.surroundings.policy;
        let (token, issued) =
            client_credentials::issue(&client, user, &wishes, policy, &self.issuance)
                .map_err(|rejection| self.entry().refuse_grant(&rejection.answer()))?;
        Ok((Grant { token, redemption: None }, issued))
    }

    /// By a user's consent (RFC 6749 §4.1).
    fn authorization_code(&self) -> Made {
        let redirect_uri = self.record().redirect_uris.first().ok_or_else(|| {
            let told = format!(
                "a code goes to a redirect address, and {} has none: give it a `redirect_uri`",
                self.record().identifier
            );
            self.entry().refuse(told)
        })?;
        let judged = self.judged(redirect_uri.as_str())?;
        let (token, code) = authorization::consent(&judged, &self.issuance);
        let (redemption, issued) = self.redeem(token.token(), &code, redirect_uri.as_str())?;
        Ok((Grant { token, redemption: Some(redemption) }, issued))
    }

    fn judged(&self, redirect_uri: &str) -> Result<JudgedRequest, SeedError> {
        let challenge = self.verifier()?.map(|verifier| verifier.challenge().as_str().to_owned());
        let request = AuthorizationRequest {
            response_type: Some("code".to_owned()),
            client_id: Some(self.record().identifier.to_string()),
            redirect_uri: Some(redirect_uri.to_owned()),
            scope: Some(self.scope()?.to_string()),
            code_challenge_method: challenge.as_ref().map(|_| "S256".to_owned()),
            code_challenge: challenge,
            ..AuthorizationRequest::default()
        };
        authorization::judge(&request, Some(self.record()), self.surroundings.policy).map_err(
            |refusal| match refusal {
                Refusal::Redirect(_, answer) => self.entry().refuse_grant(&answer),
                Refusal::Page(problem) => self.entry().refuse(shown(problem)),
            },
        )
    }

    fn redeem(
        &self,
        token: &Token,
        code: &Credential,
        redirect_uri: &str,
    ) -> Result<(CodeRedemption, IssuedTokens), SeedError> {
        let verifier = self.verifier()?.map(|_| VERIFIER);
        let wishes = self.wishes();
        let request = RedemptionRequest {
            code,
            redirect_uri: Some(redirect_uri),
            code_verifier: verifier,
            wishes: &wishes,
        };
        let circumstances = Circumstances {
            policy: self.surroundings.policy,
            keys: self.surroundings.keys,
            entropy: self.surroundings.entropy,
            now: self.surroundings.now,
        };
        let (client, user) = (Redeemer::from(self.authenticated()?), Some(self.user));
        match authorization_code::redeem(&client, Some(token), user, &request, &circumstances) {
            Redemption::Issue { write, answer } => Ok((write, answer)),
            Redemption::Refuse(rejection) => Err(self.entry().refuse_grant(&rejection.answer())),
            Redemption::Replay(_) | Redemption::WrongVerifier(_) => {
                Err(self.entry().refuse("its code was not redeemed"))
            }
        }
    }

    fn authenticated(&self) -> Result<AuthenticatedClient, SeedError> {
        let secret = self.client.secret.as_deref();
        authenticate(Some(self.client.record.clone()), secret)
            .map_err(|rejection| self.entry().refuse_grant(&rejection.answer()))
    }

    fn verifier(&self) -> Result<Option<CodeVerifier>, SeedError> {
        match self.record().kind() {
            ClientKind::Confidential => Ok(None),
            ClientKind::Public => CodeVerifier::parse(VERIFIER)
                .map(Some)
                .map_err(|_| self.entry().refuse("its code was not redeemed")),
        }
    }

    fn scope(&self) -> Result<Scope, SeedError> {
        Scope::parse(&self.token.seed.scopes.join(" "))
            .map_err(|error| self.entry().refuse(format!("`scopes`: {error}")))
    }

    fn wishes(&self) -> Wishes {
        Wishes {
            scope: None,
            access_token_lifetime: self.token.seed.expires_in.map(Seconds),
            refresh_token_lifetime: self.token.seed.refresh_token_expires_in.map(Seconds),
        }
    }
}

/// What a page would tell the user.
pub(super) const fn shown(problem: PageProblem) -> &'static str {
    match problem {
        PageProblem::ClientMissing => "a client is missing",
        PageProblem::ClientUnknown => "there is no such client",
        PageProblem::ClientDisabled => "the client is disabled",
        PageProblem::RedirectUriMissing => {
            "name a `redirect_uri`: the client has none or more than one"
        }
        PageProblem::RedirectUriUnknown => "the client has no such `redirect_uri`",
    }
}
