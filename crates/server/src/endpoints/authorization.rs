//! Authorization endpoint (RFC 6749 §3.1): asks the user, then sends the browser back to the
//! client.
//!
//! 1. Syntax, duplicates.
//! 2. Client and redirect address; until they are right, problems are a page (§4.1.2.1).
//! 3. The rest of the request; from here on problems travel by redirect.
//! 4. Who is signed in, and what they approved before.
//! 5. Sign in, ask, or go on without a page.
//!
//! The answer of the consent page starts over at step 1 with the request in its form, which is
//! believed no more than one in an address.

use axum::{body::Body, response::Response};
use http::StatusCode;
use tokenry_core::{
    authorization::{
        JudgedRequest, NextStep, PageProblem, Presence, Refusal, consent, judge, next_step,
    },
    client::Client,
    issue::Issuance,
    user::User,
};
use tokenry_protocol::oauth::{authorization::AuthorizationRequest, parameters::Parameters};
use tokenry_store::IdSequence;

use crate::{
    extract::{page_token::Binding, sign_in_session::SignedIn},
    pages::{
        answer::{self, Allowances, Opener},
        authorization_address::{address_of, back_without_login, find_client},
        error::{PageError, PageResult, malformed},
        local_path::LocalPath,
        shown,
        sign_in::{self, Reason},
        visit::Visit,
    },
    state::AppState,
    views::{ConsentPage, Problem},
};

/// `GET /oauth/authorizations/new`, `GET /oauth/authorize`
pub async fn new(visit: Visit) -> PageResult {
    let request = AuthorizationRequest::parse(&visit.query()?)?;
    let as_sent = LocalPath::parse(visit.target()).unwrap_or_else(|| address_of(&request));
    ask(&visit, &request, as_sent).await
}

/// `POST /oauth/authorizations/new`, `POST /oauth/authorize`: the same parameters as a form.
pub async fn new_by_post(visit: Visit, body: Body) -> PageResult {
    let request = AuthorizationRequest::parse(&visit.form(body).await?)?;
    ask(&visit, &request, address_of(&request)).await
}

/// Steps 2 to 5. `as_sent` leads back to this request after a sign-in.
async fn ask(visit: &Visit, request: &AuthorizationRequest, as_sent: LocalPath) -> PageResult {
    let state = &visit.state;
    let client = find_client(request, state).await?;
    let judged = judge(request, client.as_deref(), &state.policy)
        .map_err(|refusal| refused(refusal, request, client.as_deref(), state))?;
    let client = client.ok_or_else(|| unknown_client(request))?;
    let signed_in = visit.signed_in().await?;
    let (presence, approved) = match &signed_in {
        Some(SignedIn { user, .. }) => (
            Presence::SignedIn,
            state.store.list_approved_scopes(user.id, client.id, visit.now).await?,
        ),
        None => (Presence::Nobody, Vec::new()),
    };
    let next = next_step(&judged, &client, presence, &approved, &state.policy)
        .map_err(|refusal| refused(refusal, request, Some(&client), state))?;
    match (next, signed_in) {
        (NextStep::SignIn, Some(_)) => {
            sign_in::send(visit, &back_without_login(request, as_sent), Reason::Again).await
        }
        (_, None) => {
            sign_in::send(visit, &back_without_login(request, as_sent), Reason::Nobody).await
        }
        (NextStep::AskConsent, Some(signed_in)) => {
            Ok(consent_page(visit, request, &judged, &client, &signed_in))
        }
        (NextStep::Approve, Some(signed_in)) => {
            approve(visit, &judged, &client, &signed_in.user).await
        }
    }
}

/// `POST /oauth/authorizations`: the consent page's form.
pub async fn decide(visit: Visit, body: Body) -> PageResult {
    let state = &visit.state;
    let form = visit.form(body).await?;
    let written = form.text("request")?.unwrap_or_default();
    let request = AuthorizationRequest::parse(&Parameters::from_form(written.as_bytes())?)?;
    let Some(SignedIn { session, user }) = visit.signed_in().await? else {
        let come_back = back_without_login(&request, address_of(&request));
        return sign_in::send(&visit, &come_back, Reason::Nobody).await;
    };
    if !visit.page_token_holds(Binding::Consent(&session, written), &form) {
        return Err(Problem::PageExpired.into());
    }
    let client = find_client(&request, state).await?;
    let refused = |refusal| refused(refusal, &request, client.as_deref(), state);
    let judged = judge(&request, client.as_deref(), &state.policy).map_err(refused)?;
    let client = client.as_deref().ok_or_else(|| unknown_client(&request))?;
    match form.text("decision")? {
        Some("allow") => approve(&visit, &judged, client, &user).await,
        Some("deny") => Err(refused(judged.refused_by_user())),
        _ => Err(malformed("decision must be allow or deny.").into()),
    }
}

/// The grant, and the browser's way back with its code.
async fn approve(
    visit: &Visit,
    request: &JudgedRequest,
    client: &Client,
    user: &User,
) -> PageResult {
    let state = &visit.state;
    let id = state.ids.next(IdSequence::Tokens).await?;
    let (token, code) = consent(
        request,
        &Issuance {
            id,
            client_id: client.id,
            user_id: user.id,
            now: visit.now,
            keys: &state.keys().token,
            entropy: state.environment.entropy.as_ref(),
        },
    );
    state.store.insert_token(token).await?;
    tracing::info!(
        token.id = id.get(),
        client.id = client.id.get(),
        user.id = user.id.get(),
        "consented: a code is on its way"
    );
    let location = request.return_address().with_code(code.reveal(), state.base().as_str());
    Ok(answer::see_other(&location))
}

fn refused(
    refusal: Refusal,
    request: &AuthorizationRequest,
    client: Option<&Client>,
    state: &AppState,
) -> PageError {
    match refusal {
        Refusal::Page(PageProblem::ClientMissing | PageProblem::ClientUnknown) => {
            unknown_client(request)
        }
        Refusal::Page(PageProblem::ClientDisabled) => Problem::ClientDisabled {
            client_name: client.map_or_else(String::new, |client| client.name.clone()),
        }
        .into(),
        Refusal::Page(PageProblem::RedirectUriMissing) => Problem::RedirectUriMissing.into(),
        Refusal::Page(PageProblem::RedirectUriUnknown) => Problem::RedirectUriNotRegistered {
            redirect_uri: request.redirect_uri.clone().unwrap_or_default(),
        }
        .into(),
        Refusal::Redirect(to, error) => {
            tracing::info!(
                client.id = client.map(|client| client.id.get()),
                error = error.error.as_str(),
                "an authorization request is refused"
            );
            PageError::SentBack(to.with_error(&error, state.base().as_str()))
        }
    }
}

fn unknown_client(request: &AuthorizationRequest) -> PageError {
    let client_id = request.client_id.clone().unwrap_or_default();
    Problem::UnknownClient { client_id }.into()
}

fn consent_page(
    visit: &Visit,
    request: &AuthorizationRequest,
    judged: &JudgedRequest,
    client: &Client,
    signed_in: &SignedIn,
) -> Response {
    let written = request.to_query();
    let page_token = visit.page_token(Binding::Consent(&signed_in.session, &written));
    let scope_tokens = judged.scope().tokens().iter();
    let page = ConsentPage {
        client: shown::client(client),
        description: client.description.clone(),
        client_identifier: client.identifier.as_str().to_owned(),
        client_kind: client.kind(),
        redirect_uri: judged.return_address().redirect_uri.clone(),
        scope_tokens: scope_tokens.map(ToString::to_string).collect(),
        user: shown::user(&signed_in.user),
        page_token,
        return_to: address_of(request).to_string(),
        request: written,
    };
    let allowances = Allowances {
        form_targets: vec![page.form_action_source()],
        images: page.image_source().map(str::to_owned).into_iter().collect(),
        opener: Opener::Kept,
    };
    answer::page(StatusCode::OK, &page, &allowances)
}
