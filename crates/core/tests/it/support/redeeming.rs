//! One request to redeem a code.

use tokenry_core::{
    authorization::consent,
    client_authentication::Redeemer,
    grant::{Issued, Stage, Token},
    grant_types::authorization_code::{Redemption, RedemptionRequest, redeem},
    issue::IssuedTokens,
};
use tokenry_protocol::{
    oauth::{authorization::AuthorizationRequest, token::Wishes},
    secret::Credential,
};

use super::{CALLBACK, VERIFIER, World, some};

/// A request that holds, until a test changes it.
pub(crate) struct Redeeming {
    pub(crate) world: World,
    pub(crate) token: Token,
    pub(crate) code: Credential,
    pub(crate) redirect_uri: Option<String>,
    pub(crate) code_verifier: Option<String>,
    pub(crate) wishes: Wishes,
    /// Who sends it, when it is not the client whose code it is.
    pub(crate) by: Option<Redeemer>,
}

impl Redeeming {
    /// A moment after `scope` was approved.
    pub(crate) fn of(world: World, scope: &str) -> Self {
        let request = world.request(scope);
        Self::after(world, &request)
    }

    /// A moment after this request was approved.
    pub(crate) fn after(world: World, request: &AuthorizationRequest) -> Self {
        let (new, code) = consent(&world.judged(request), &world.issuance());
        Self {
            token: new.token().clone(),
            code,
            redirect_uri: some(CALLBACK),
            code_verifier: some(VERIFIER),
            wishes: Wishes::NONE,
            by: None,
            world,
        }
    }

    pub(crate) fn decide(&self) -> Redemption {
        self.decide_on(Some(&self.token))
    }

    pub(crate) fn decide_on(&self, token: Option<&Token>) -> Redemption {
        let request = RedemptionRequest {
            code: &self.code,
            redirect_uri: self.redirect_uri.as_deref(),
            code_verifier: self.code_verifier.as_deref(),
            wishes: &self.wishes,
        };
        let by = self.by.clone().unwrap_or_else(|| self.world.proved().into());
        let user = self.world.user.as_ref();
        redeem(&by, token, user, &request, &self.world.circumstances())
    }

    /// The decision in a word or two, for tables.
    pub(crate) fn outcome(&self) -> String {
        outcome(&self.decide())
    }

    /// What the record then holds, and what the client is given.
    pub(crate) fn issue(&self) -> (Issued, IssuedTokens) {
        match self.decide() {
            Redemption::Issue { write, answer } => {
                assert_eq!(write.id(), self.token.id);
                (write.issued().clone(), answer)
            }
            other => panic!("nothing was issued: {other:?}"),
        }
    }

    /// Redeems, and leaves the code spent.
    pub(crate) fn spend(&mut self) -> IssuedTokens {
        let (issued, answer) = self.issue();
        self.token.stage = Stage::Issued(issued);
        answer
    }
}

pub(crate) fn outcome(redemption: &Redemption) -> String {
    match redemption {
        Redemption::Issue { .. } => "issue".to_owned(),
        Redemption::Replay(_) => "replay".to_owned(),
        Redemption::WrongVerifier(_) => "wrong verifier".to_owned(),
        Redemption::Refuse(rejection) => format!("refuse: {}", rejection.as_str()),
    }
}
