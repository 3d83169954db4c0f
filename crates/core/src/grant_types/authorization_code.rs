//! Authorization code grant (RFC 6749 §4.1.3, RFC 7636 §4.6).
//!
//! The code is rotation 0 of its grant's row. Steps, in order, the first failure answers:
//!
//! 1. The record exists and belongs to the client: before that, nothing can be harmed.
//! 2. It is still rotation 0. If not, and the tag says the code was ours, it is a replay: the grant
//!    ends (§4.1.2), unless all that would prove the client is its verifier: the challenge went
//!    with the redemption, so anybody may have sent this.
//! 3. The stored hash accepts the code, and its time is not over.
//! 4. The user is still there.
//! 5. The redirect address is the one that the code was sent to.
//! 6. The verifier answers the challenge. Wrong ones are counted; the fifth ends the code. It is
//!    all that proves a public client, and a confidential one that has not shown its secret.
//! 7. The scope asked for is within what was approved.

use tokenry_protocol::{
    ids::TokenId,
    oauth::token::Wishes,
    pkce::CodeVerifier,
    secret::{Credential, Kind},
};

use super::{Circumstances, Terms, check_user, owned, terms};
use crate::{
    client_authentication::Redeemer,
    credentials::Mint,
    event::{Actor, EventKind},
    grant::{AccessToken, Consented, Issued, RefreshToken, SentTo, Stage, Token},
    issue::IssuedTokens,
    policy::WRONG_VERIFIERS_MAX,
    rejection::Rejection,
    revocation::GrantEnd,
    user::User,
};

/// A request to redeem, with the code already read as one of ours in form.
#[derive(Debug)]
pub struct RedemptionRequest<'a> {
    /// The code.
    pub code: &'a Credential,
    /// `redirect_uri` of the token request.
    pub redirect_uri: Option<&'a str>,
    /// `code_verifier`
    pub code_verifier: Option<&'a str>,
    /// What is asked of the tokens.
    pub wishes: &'a Wishes,
}

/// What is to be done.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "lives for one call and is matched at once")]
pub enum Redemption {
    /// Write, and if the write still finds rotation 0, answer.
    Issue {
        /// For the store.
        write: CodeRedemption,
        /// For the client.
        answer: IssuedTokens,
    },
    /// A code came a second time: end the grant, then refuse.
    Replay(GrantEnd),
    /// Count a wrong verifier, then refuse.
    WrongVerifier(WrongVerifier),
    /// Refuse; nothing is written.
    Refuse(Rejection),
}

/// The tokens for a record that is still rotation 0.
#[derive(Debug, Clone)]
pub struct CodeRedemption {
    id: TokenId,
    issued: Issued,
}

impl CodeRedemption {
    /// The record.
    pub const fn id(&self) -> TokenId {
        self.id
    }

    /// What it holds from now on.
    pub const fn issued(&self) -> &Issued {
        &self.issued
    }
}

/// A wrong verifier to count.
#[derive(Debug, Clone)]
pub struct WrongVerifier {
    end: GrantEnd,
    max: u8,
}

impl WrongVerifier {
    /// The record.
    pub const fn id(&self) -> TokenId {
        self.end.id()
    }

    /// The count that ends the code.
    pub const fn max(&self) -> u8 {
        self.max
    }

    /// What to do when the count reaches [`max`](Self::max).
    pub const fn end(&self) -> &GrantEnd {
        &self.end
    }
}

/// Decides on a request to redeem a code.
pub fn redeem(
    client: &Redeemer,
    token: Option<&Token>,
    user: Option<&User>,
    request: &RedemptionRequest<'_>,
    circumstances: &Circumstances<'_>,
) -> Redemption {
    match check(client, token, user, request, circumstances) {
        Ok(redemption) => redemption,
        Err(rejection) => Redemption::Refuse(rejection),
    }
}

fn check(
    client: &Redeemer,
    token: Option<&Token>,
    user: Option<&User>,
    request: &RedemptionRequest<'_>,
    circumstances: &Circumstances<'_>,
) -> Result<Redemption, Rejection> {
    let now = circumstances.now;
    let presented = (request.code, Kind::AuthorizationCode);
    // 1. (RFC 6749 §4.1.3, §5.2)
    let token = owned(token, presented, client.client())?;
    // 2. (§4.1.2)
    let Stage::Consented(consented) = &token.stage else {
        return spent(client, token, request.code, circumstances);
    };
    // 3. (§4.1.2)
    if !consented.code_hash.matches(&request.code.hash()) {
        return Err(Rejection::CredentialForged);
    }
    if consented.expires_at <= now {
        return Err(Rejection::CredentialExpired);
    }
    // 4. No RFC knows of accounts that end.
    check_user(user)?;
    // 5. (§4.1.3)
    check_redirect_uri(&consented.redirect_uri, request.redirect_uri)?;
    // 6. (RFC 7636 §4.6)
    if !verifier_answers(consented, client, request.code_verifier)? {
        let actor = Actor::Client(client.client().id);
        let end = GrantEnd::new(token, EventKind::VerifiersSpent, actor, now);
        return Ok(Redemption::WrongVerifier(WrongVerifier { end, max: WRONG_VERIFIERS_MAX }));
    }
    issue(client, token, request.wishes, circumstances)
}

/// The grant has its tokens. Only a client that was proved without its verifier can end it, since
/// whoever is not that client must harm nobody.
fn spent(
    client: &Redeemer,
    token: &Token,
    code: &Credential,
    circumstances: &Circumstances<'_>,
) -> Result<Redemption, Rejection> {
    let is_ours = circumstances.keys.recognise(code) == Mint::Ours;
    if !is_ours || code.parts().rotation != 0 {
        return Err(Rejection::CredentialForged);
    }
    let client = client.authenticated().map_err(|_| Rejection::AlreadyRedeemed)?;
    let actor = Actor::Client(client.client().id);
    let end = GrantEnd::new(token, EventKind::CodeReplayed, actor, circumstances.now);
    Ok(Redemption::Replay(end))
}

/// RFC 6749 §4.1.3: required if the authorization request named it, and identical.
fn check_redirect_uri(sent_to: &SentTo, presented: Option<&str>) -> Result<(), Rejection> {
    match (sent_to, presented) {
        (SentTo::Only(_), None) => Ok(()),
        (sent_to, Some(presented)) if presented == sent_to.address() => Ok(()),
        _ => Err(Rejection::RedirectUriDifferent),
    }
}

/// RFC 7636 §4.6; a verifier without a challenge means that the challenge was stripped on the way
/// (RFC 9700 §4.8.2).
fn verifier_answers(
    consented: &Consented,
    client: &Redeemer,
    verifier: Option<&str>,
) -> Result<bool, Rejection> {
    match (&consented.challenge, verifier) {
        (Some(challenge), Some(verifier)) => {
            Ok(CodeVerifier::parse(verifier)
                .is_ok_and(|verifier| challenge.is_answered_by(&verifier)))
        }
        (None, None) if client.has_shown_secret() => Ok(true),
        // Missing is no guess, so it is not counted.
        _ => Err(Rejection::VerifierWrong),
    }
}

fn issue(
    client: &Redeemer,
    token: &Token,
    wishes: &Wishes,
    circumstances: &Circumstances<'_>,
) -> Result<Redemption, Rejection> {
    let Circumstances { keys, entropy, now, .. } = *circumstances;
    // 7. (RFC 6749 §3.3)
    let Terms { scope, access_lifetime, refresh_lifetime, refresh_expires_at: expires_at } =
        terms(client.client(), token, wishes, circumstances)?;

    let id = token.id.get();
    let access_token = keys.mint(Kind::AccessToken, id, 1, entropy.secret());
    let refresh_token = keys.mint(Kind::RefreshToken, id, 1, entropy.secret());
    let issued = Issued {
        rotation: 1,
        scope: scope.clone(),
        access: AccessToken {
            hash: access_token.hash(),
            issued_at: now,
            lifetime: access_lifetime,
        },
        refresh: Some(RefreshToken {
            hash: refresh_token.hash(),
            expires_at,
            lifetime: refresh_lifetime,
            previous: None,
        }),
        used_at: None,
        used_rotation: 0,
    };
    let answer = IssuedTokens {
        access_token,
        access: issued.access,
        user_id: token.user_id,
        scope,
        access_token_lifetime: access_lifetime,
        refresh_token: Some((refresh_token, expires_at.seconds_left(now))),
    };
    Ok(Redemption::Issue { write: CodeRedemption { id: token.id, issued }, answer })
}
