//! The authorization request (RFC 6749 §4.1.1): where to, for whom, and what to ask the user.
//!
//! 1. The client and the redirect address must be right before anything is sent anywhere: until
//!    then problems are a page, never a redirect (§4.1.2.1).
//! 2. The rest of the request: response type, PKCE, scope. From here on problems travel by
//!    redirect.
//! 3. Who is signed in, and what has been approved before.
//! 4. Consent makes the grant, with the code as its rotation 0.

use tokenry_protocol::{
    oauth::{
        authorization::{AuthorizationRequest, ReturnAddress, STATE_MAX},
        error::{ErrorCode, ErrorResponse},
        token::GrantType,
    },
    pkce::CodeChallenge,
    redirect_uri::ClientKind,
    scope::{InvalidScope, Scope},
    secret::{Credential, Kind},
};

use crate::{
    client::{Client, ClientStatus},
    grant::{Consented, Origin, SentTo, Stage, Token},
    issue::{Issuance, NewToken},
    policy::{AUTHORIZATION_CODE_LIFETIME, Policy, RedemptionProof},
    rejection::{Rejection, error_response},
    scope::check_scope,
};

/// A problem that is shown to the user and sent nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageProblem {
    /// `client_id` is missing.
    ClientMissing,
    /// No such client, or it is gone.
    ClientUnknown,
    /// An administrator stopped the client.
    ClientDisabled,
    /// `redirect_uri` is missing, and the client has not exactly one.
    RedirectUriMissing,
    /// `redirect_uri` is not registered for the client.
    RedirectUriUnknown,
}

/// Why an authorization request goes no further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Tell the user.
    Page(PageProblem),
    /// Tell the client, by redirect.
    Redirect(ReturnAddress, ErrorResponse),
}

/// How the user is to be asked (OpenID Connect Core §3.1.2.1 `prompt`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prompt {
    /// As usual.
    Default,
    /// Not at all.
    None,
    /// Sign in again.
    Login,
    /// Consent again.
    Consent,
}

/// A request that holds. Only [`judge`] makes it.
#[derive(Debug, Clone)]
pub struct JudgedRequest {
    return_address: ReturnAddress,
    sent_to: SentTo,
    scope: Scope,
    challenge: Option<CodeChallenge>,
    prompt: Prompt,
}

impl JudgedRequest {
    /// What is asked for.
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Where the browser goes when this is over.
    pub const fn return_address(&self) -> &ReturnAddress {
        &self.return_address
    }

    /// The answer for the client when the user refuses (§4.1.2.1).
    pub fn refused_by_user(&self) -> Refusal {
        self.refuse(ErrorCode::AccessDenied, "The user refused.")
    }

    /// Whether nobody gets tokens from this without the client's secret. Otherwise whoever sent it
    /// cannot prove to be the client that was approved (RFC 6749 §10.2).
    fn needs_secret(&self, client: &Client, policy: &Policy) -> bool {
        let by_verifier = policy.redemption_proof == RedemptionProof::SecretOrVerifier
            && self.challenge.is_some();
        client.kind() == ClientKind::Confidential && !by_verifier
    }

    fn refuse(&self, error: ErrorCode, description: &str) -> Refusal {
        redirect(&self.return_address, error, description)
    }
}

/// Steps 1 and 2.
pub fn judge(
    request: &AuthorizationRequest,
    client: Option<&Client>,
    policy: &Policy,
) -> Result<JudgedRequest, Refusal> {
    let (client, sent_to) = judge_client(request, client).map_err(Refusal::Page)?;
    let state = request.state.clone().filter(|state| state.chars().count() <= STATE_MAX);
    let return_address =
        ReturnAddress { redirect_uri: sent_to.address().to_owned(), state: state.clone() };
    let refuse = |code, description: &str| redirect(&return_address, code, description);

    if state != request.state {
        return Err(refuse(ErrorCode::InvalidRequest, "state has at most 2000 characters."));
    }
    match request.response_type.as_deref() {
        Some("code") => {}
        None => {
            return Err(refuse(ErrorCode::InvalidRequest, "response_type is missing."));
        }
        Some(_) => {
            return Err(refuse(ErrorCode::UnsupportedResponseType, "Only code is offered."));
        }
    }
    let rejected =
        |rejection: Rejection| Refusal::Redirect(return_address.clone(), rejection.answer());
    if !client.may_use(GrantType::AuthorizationCode) {
        return Err(rejected(Rejection::GrantTypeNotAllowed));
    }
    let challenge = judge_challenge(request, client)
        .map_err(|description| refuse(ErrorCode::InvalidRequest, description))?;
    let prompt = judge_prompt(request.prompt.as_deref())
        .map_err(|description| refuse(ErrorCode::InvalidRequest, description))?;
    let scope = match request.scope.as_deref().map(Scope::parse) {
        None | Some(Err(InvalidScope::Empty)) => Scope::read(),
        Some(Ok(scope)) => scope,
        Some(Err(error)) => {
            return Err(refuse(ErrorCode::InvalidScope, &format!("{error}.")));
        }
    };
    check_scope(&scope, client, policy).map_err(rejected)?;
    Ok(JudgedRequest { return_address, sent_to, scope, challenge, prompt })
}

fn redirect(to: &ReturnAddress, error: ErrorCode, description: &str) -> Refusal {
    Refusal::Redirect(to.clone(), error_response(error, description))
}

fn judge_client<'a>(
    request: &AuthorizationRequest,
    client: Option<&'a Client>,
) -> Result<(&'a Client, SentTo), PageProblem> {
    if request.client_id.is_none() {
        return Err(PageProblem::ClientMissing);
    }
    let client = client.ok_or(PageProblem::ClientUnknown)?;
    if client.status == ClientStatus::Disabled {
        return Err(PageProblem::ClientDisabled);
    }
    let sent_to = match (request.redirect_uri.as_deref(), client.redirect_uris.as_slice()) {
        (Some(asked), registered) => {
            let known = registered.iter().any(|registered| registered.matches(asked));
            known.then(|| SentTo::Named(asked.to_owned())).ok_or(PageProblem::RedirectUriUnknown)?
        }
        (None, [only]) => SentTo::Only(only.as_str().to_owned()),
        (None, _) => return Err(PageProblem::RedirectUriMissing),
    };
    Ok((client, sent_to))
}

/// RFC 7636 §4.3 and §4.4.1; `plain` protects nobody (RFC 9700 §2.1.1).
fn judge_challenge(
    request: &AuthorizationRequest,
    client: &Client,
) -> Result<Option<CodeChallenge>, &'static str> {
    match (request.code_challenge.as_deref(), request.code_challenge_method.as_deref()) {
        (None, None) if client.kind() == ClientKind::Public => Err("code_challenge is required."),
        (None, None) => Ok(None),
        (None, Some(_)) => Err("code_challenge_method needs a code_challenge."),
        (Some(challenge), Some("S256")) => match CodeChallenge::parse(challenge) {
            Ok(challenge) => Ok(Some(challenge)),
            Err(_) => Err("code_challenge must be 43 characters of base64url."),
        },
        (Some(_), _) => Err("code_challenge_method must be S256."),
    }
}

fn judge_prompt(prompt: Option<&str>) -> Result<Prompt, &'static str> {
    let words: Vec<&str> = prompt.unwrap_or_default().split(' ').collect();
    let has = |word| words.contains(&word);
    match (has("none"), has("login"), has("consent")) {
        (true, false, false) => Ok(Prompt::None),
        (true, ..) => Err("prompt=none excludes other prompts."),
        (false, true, _) => Ok(Prompt::Login),
        (false, false, true) => Ok(Prompt::Consent),
        (false, false, false) => Ok(Prompt::Default),
    }
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextStep {
    /// Show the sign-in page, then come back.
    SignIn,
    /// Show the consent page.
    AskConsent,
    /// All of it was approved before: go on without a page.
    Approve,
}

/// Whether somebody is signed in at the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Nobody.
    Nobody,
    /// A user who may sign in.
    SignedIn,
}

/// Step 3. `approved` are the scopes of this user's live, consented grants to this client: there is
/// no other memory of consent.
pub fn next_step(
    request: &JudgedRequest,
    client: &Client,
    presence: Presence,
    approved: &[Scope],
    policy: &Policy,
) -> Result<NextStep, Refusal> {
    let is_approved = request.needs_secret(client, policy)
        && approved.iter().any(|held| request.scope.beyond(held, &policy.scopes).is_empty());
    match (request.prompt, presence) {
        (Prompt::None, Presence::Nobody) => {
            Err(request.refuse(ErrorCode::LoginRequired, "Nobody is signed in."))
        }
        (Prompt::None, Presence::SignedIn) if !is_approved => {
            Err(request.refuse(ErrorCode::ConsentRequired, "The user must be asked."))
        }
        (_, Presence::Nobody) | (Prompt::Login, _) => Ok(NextStep::SignIn),
        (Prompt::Consent, _) => Ok(NextStep::AskConsent),
        _ if is_approved => Ok(NextStep::Approve),
        _ => Ok(NextStep::AskConsent),
    }
}

/// Step 4: the grant, and the code that redeems it.
pub fn consent(request: &JudgedRequest, issuance: &Issuance<'_>) -> (NewToken, Credential) {
    let secret = issuance.entropy.secret();
    let code = issuance.keys.mint(Kind::AuthorizationCode, issuance.id.get(), 0, secret);
    let token = Token {
        id: issuance.id,
        client_id: issuance.client_id,
        user_id: issuance.user_id,
        origin: Origin::Consent,
        created_at: issuance.now,
        granted: request.scope.clone(),
        stage: Stage::Consented(Consented {
            code_hash: code.hash(),
            expires_at: issuance.now.plus(AUTHORIZATION_CODE_LIFETIME),
            redirect_uri: request.sent_to.clone(),
            challenge: request.challenge.clone(),
            wrong_verifiers: 0,
        }),
    };
    (NewToken::new(token), code)
}
