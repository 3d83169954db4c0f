//! Who is signed in, what was approved before, and so what comes next.

use tokenry_core::{
    authorization::{NextStep, Presence, Refusal, next_step},
    policy::RedemptionProof,
};
use tokenry_protocol::{
    oauth::authorization::AuthorizationRequest,
    redirect_uri::ClientKind::{self, Confidential, Public},
    scope::Scope,
};

use super::said;
use crate::support::{World, scope, some};

/// Whether the authorization request carries a challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Challenge {
    Sent,
    Absent,
}

/// The request and what is known of the user.
struct Case<'a> {
    kind: ClientKind,
    prompt: &'a str,
    presence: Presence,
    approved: &'a [&'a str],
}

fn step(asked: &str, case: &Case<'_>) -> String {
    let world = World::of(case.kind);
    let mut request = world.request(asked);
    request.prompt = Some(case.prompt.to_owned()).filter(|prompt| !prompt.is_empty());
    step_of(&world, &request, case.presence, case.approved)
}

fn step_of(
    world: &World,
    request: &AuthorizationRequest,
    presence: Presence,
    approved: &[&str],
) -> String {
    let judged = world.judged(request);
    let approved: Vec<Scope> = approved.iter().map(|text| scope(text)).collect();
    match next_step(&judged, &world.client, presence, &approved, &world.policy) {
        Ok(NextStep::SignIn) => "sign in".to_owned(),
        Ok(NextStep::AskConsent) => "ask".to_owned(),
        Ok(NextStep::Approve) => "approve".to_owned(),
        Err(refusal) => said(&refusal),
    }
}

/// OpenID Connect Core §3.1.2.1.
#[test]
fn the_next_step_follows_from_prompt_presence_and_earlier_consent() {
    use Presence::{Nobody, SignedIn};
    const LOGIN: &str = "login_required: Nobody is signed in.";
    const CONSENT: &str = "consent_required: The user must be asked.";
    let (yes, no): (&[&str], &[&str]) = (&["read"], &[]);
    for (kind, prompt, presence, approved, expected) in [
        (Confidential, "", Nobody, no, "sign in"),
        (Confidential, "", Nobody, yes, "sign in"),
        (Confidential, "", SignedIn, no, "ask"),
        (Confidential, "", SignedIn, yes, "approve"),
        (Confidential, "none", Nobody, no, LOGIN),
        (Confidential, "none", Nobody, yes, LOGIN),
        (Confidential, "none", SignedIn, no, CONSENT),
        (Confidential, "none", SignedIn, yes, "approve"),
        (Confidential, "login", Nobody, yes, "sign in"),
        (Confidential, "login", SignedIn, yes, "sign in"),
        (Confidential, "consent", Nobody, yes, "sign in"),
        (Confidential, "consent", SignedIn, yes, "ask"),
        (Confidential, "login consent", SignedIn, yes, "sign in"),
        (Confidential, "select_account", SignedIn, yes, "approve"),
        // A public client cannot prove that it is the one that was approved.
        (Public, "", Nobody, yes, "sign in"),
        (Public, "", SignedIn, yes, "ask"),
        (Public, "none", Nobody, yes, LOGIN),
        (Public, "none", SignedIn, yes, CONSENT),
        (Public, "login", SignedIn, yes, "sign in"),
        (Public, "consent", SignedIn, yes, "ask"),
    ] {
        let case = Case { kind, prompt, presence, approved };
        let expected = expected.to_owned();
        assert_eq!(step("read", &case), expected, "{kind:?} {prompt:?} {presence:?} {approved:?}");
    }
}

/// Whoever sends a challenge of their own could redeem the code without the client's secret.
#[test]
fn where_a_verifier_stands_for_the_secret_a_request_with_a_challenge_is_asked_about_every_time() {
    use Challenge::{Absent, Sent};
    for (proof, challenge, prompt, expected) in [
        (RedemptionProof::Secret, Sent, "", "approve"),
        (RedemptionProof::Secret, Absent, "", "approve"),
        (RedemptionProof::SecretOrVerifier, Sent, "", "ask"),
        (RedemptionProof::SecretOrVerifier, Absent, "", "approve"),
        (
            RedemptionProof::SecretOrVerifier,
            Sent,
            "none",
            "consent_required: The user must be asked.",
        ),
        (RedemptionProof::SecretOrVerifier, Absent, "none", "approve"),
    ] {
        let mut world = World::confidential();
        world.policy.redemption_proof = proof;
        let mut request = world.request("read");
        request.prompt = some(prompt);
        if challenge == Absent {
            (request.code_challenge, request.code_challenge_method) = (None, None);
        }
        let step = step_of(&world, &request, Presence::SignedIn, &["read"]);
        assert_eq!(step, expected, "{proof:?} {challenge:?} {prompt:?}");
    }
}

/// One live grant must cover all of it; two halves are no consent to the whole.
#[test]
fn consent_is_remembered_as_far_as_one_live_grant_covers() {
    let none: &[&str] = &[];
    for (asked, approved, expected) in [
        ("read", none, "ask"),
        ("read", &["read"], "approve"),
        ("read", &["read write"], "approve"),
        ("read write", &["read"], "ask"),
        ("read write", &["read", "write"], "ask"),
        ("write read", &["tickets", "read write"], "approve"),
        ("tickets:read", &["read"], "approve"),
        ("read", &["tickets:read"], "ask"),
        ("tickets", &["tickets:read"], "ask"),
        ("read write", &["unrestricted"], "approve"),
        ("impersonate", &["unrestricted"], "ask"),
        ("impersonate", &["impersonate"], "approve"),
    ] {
        let case = Case { kind: Confidential, prompt: "", presence: Presence::SignedIn, approved };
        assert_eq!(step(asked, &case), expected, "{asked}, approved {approved:?}");
    }
}

#[test]
fn a_user_who_refuses_sends_the_client_access_denied_with_its_state() {
    let world = World::confidential();
    let judged = world.judged(&world.request("read"));
    let refusal = judged.refused_by_user();
    assert_eq!(said(&refusal), "access_denied: The user refused.");
    let Refusal::Redirect(to, _) = refusal else {
        panic!("{refusal:?}");
    };
    assert_eq!(&to, judged.return_address());
    assert_eq!(to.state.as_deref(), Some("s1"));
}
