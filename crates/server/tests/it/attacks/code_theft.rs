//! Authorization codes: stolen, injected, mixed up, weakened.

use serde_json::Value;
use tokenry_protocol::secret::Kind;

use super::{World, consent};
use crate::support::{
    AUTHORIZATION, Answer, Call, Door, VERIFIER, authorization_request, parameter,
};

/// Answers another challenge than that of [`VERIFIER`].
const ATTACKERS_VERIFIER: &str = "AttackerAttackerAttackerAttackerAttackerAtt";

/// Names that proxies pass on, or that somebody claims they did.
const POISON: [(&str, &str); 7] = [
    ("host", "evil.test"),
    ("x-forwarded-host", "evil.test"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-prefix", "/evil"),
    ("forwarded", "host=evil.test;proto=https"),
    ("x-original-url", "/evil.test"),
    ("x-rewrite-url", "/evil.test"),
];

fn poisoned(call: Call<'_>) -> Call<'_> {
    POISON.into_iter().fold(call, |call, (name, value)| call.header(name, value))
}

/// The code in the address that a browser is sent to.
#[track_caller]
fn code_in(answer: &Answer) -> String {
    parameter(answer.location(), "code").expect("a code")
}

/// RFC 9700 §4.5, RFC 6819 §4.4.1.7: the thief knows the code and everything that is public.
#[tokio::test]
async fn a_stolen_code_is_worth_nothing_to_another_client_and_stays_good_for_its_own() {
    let world = World::new().await;
    let rival = world.app.public_client("rival", &world.ada).await;
    for client in [&world.reports, &world.mobile] {
        for door in Door::BOTH {
            let browser = world.signed_in(&world.victim).await;
            let changes = [("prompt", "consent")];
            let code = code_in(&consent(&browser, &authorization_request(client, &changes)).await);
            for thief in [&world.evil, &rival] {
                for address in [&client.redirect_uri, &thief.redirect_uri] {
                    let more = [("redirect_uri", &**address), ("code_verifier", VERIFIER)];
                    let answer = door.redeem(&world.app, thief, &code, &more).await;
                    assert_eq!(answer.refusal(), "400 invalid_grant");
                }
            }
            let tokens = door.redeem(&world.app, client, &code, &[]).await.tokens();
            assert!(world.app.is_alive(&tokens.access).await);
        }
    }
}

/// RFC 9700 §4.5: the attacker puts the victim's code into a session of the same client that the
/// attacker began, so the client sends its own right secret and the attacker's verifier.
#[tokio::test]
async fn an_injected_code_fails_at_the_verifier_of_the_session_it_is_injected_into() {
    let world = World::new().await;
    for client in [&world.reports, &world.mobile] {
        let browser = world.signed_in(&world.victim).await;
        // The confidential client uses PKCE too, as RFC 9700 §2.1.1 recommends.
        let with_challenge = authorization_request(&world.mobile, &[]);
        let challenge = parameter(&with_challenge, "code_challenge").unwrap();
        let pkce = [("code_challenge", &*challenge), ("code_challenge_method", "S256")];
        let stolen = code_in(&consent(&browser, &authorization_request(client, &pkce)).await);
        for verifier in [ATTACKERS_VERIFIER, ""] {
            let more = [("code_verifier", verifier)];
            let answer = Door::Standard.redeem(&world.app, client, &stolen, &more).await;
            assert_eq!(answer.refusal(), "400 invalid_grant");
        }
        let more = [("code_verifier", VERIFIER)];
        Door::Standard.redeem(&world.app, client, &stolen, &more).await.expect(200);
    }
}

/// RFC 9700 §4.8: the challenge is stripped, or weakened, on the way to the server.
#[tokio::test]
async fn a_challenge_is_neither_stripped_nor_weakened() {
    let world = World::new().await;
    let browser = world.signed_in(&world.victim).await;
    // A public client never goes without, and nobody with less than S256.
    for changes in [
        vec![("code_challenge", ""), ("code_challenge_method", "")],
        vec![("code_challenge_method", "plain"), ("code_challenge", ATTACKERS_VERIFIER)],
        vec![("code_challenge_method", "plain")],
        vec![("code_challenge_method", "s256")],
        vec![("code_challenge_method", "S512")],
        vec![("code_challenge_method", "")],
        vec![("code_challenge", "")],
        vec![("code_challenge", "x")],
    ] {
        let answer = browser.get(&authorization_request(&world.mobile, &changes)).await;
        let error = parameter(answer.expect(303).location(), "error");
        assert_eq!(error.as_deref(), Some("invalid_request"), "{changes:?}");
    }
    // A confidential client that uses PKCE notices: its verifier meets no challenge.
    let stripped = code_in(&consent(&browser, &authorization_request(&world.reports, &[])).await);
    for door in Door::BOTH {
        let more = [("code_verifier", VERIFIER)];
        let answer = door.redeem(&world.app, &world.reports, &stripped, &more).await;
        assert_eq!(answer.refusal(), "400 invalid_grant");
    }
}

/// RFC 9700 §4.4, RFC 9207: a client of several servers is told whose answer it holds.
#[tokio::test]
async fn every_answer_of_the_authorization_endpoint_names_the_issuer_of_the_metadata() {
    let world = World::new().await;
    let metadata = world.app.get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
    let issuer = metadata["issuer"].as_str().unwrap();
    let browser = world.signed_in(&world.victim).await;
    let ask = |changes: &[(&str, &str)]| authorization_request(&world.reports, changes);
    let mut answers = vec![consent(&browser, &ask(&[])).await];
    for changes in [
        [("response_type", "token")],
        [("scope", "nonsense")],
        [("prompt", "none")],
        [("code_challenge", "x")],
    ] {
        answers.push(browser.get(&ask(&changes)).await);
    }
    for answer in answers {
        let iss = parameter(answer.expect(303).location(), "iss");
        assert_eq!(iss.as_deref(), Some(issuer));
    }
}

/// Who the server is does not depend on what a request says that it is.
#[tokio::test]
async fn no_header_changes_who_the_server_says_that_it_is() {
    let world = World::new().await;
    let browser = world.signed_in(&world.victim).await;
    let code = world.app.code(&world.victim, &world.reports, "read").await;
    let address = authorization_request(&world.reports, &[("prompt", "none")]);
    let record = format!("/api/v2/oauth/clients/{}", world.reports.id);
    let redeem = Door::Standard.redeem(&world.app, &world.reports, &code, &[]);
    let tokens = poisoned(redeem).await.expect(200).json();
    let access = tokens["access_token"].as_str().unwrap().to_owned();
    let list = world.app.get("/api/v2/oauth/tokens?page[size]=1").by(&world.victim);
    let introspect = world.app.post("/oauth/introspect").form(&[("token", &*access)]);
    let answers = [
        poisoned(world.app.get("/.well-known/oauth-authorization-server")).await.expect(200),
        browser.send(poisoned(world.app.get(&address))).await.expect(303),
        poisoned(world.app.get("/account/connections")).await.expect(303),
        poisoned(world.app.get(&record).by(&world.ada)).await.expect(200),
        poisoned(list).await.expect(200),
        poisoned(introspect.by_client(&world.reports)).await.expect(200),
    ];
    for answer in answers {
        let all = format!("{:?}{}", answer.headers, answer.text());
        assert!(!all.contains("evil.test"), "{all}");
    }
}

/// RFC 9700 §2.1.2: nothing that is worth stealing travels in a fragment or from the front channel.
#[tokio::test]
async fn nothing_but_a_code_travels_by_browser_and_only_in_the_query() {
    let world = World::new().await;
    let browser = world.signed_in(&world.victim).await;
    for kind in ["token", "id_token", "code token", "token code", "code id_token", "none", "Code"] {
        let address = authorization_request(&world.reports, &[("response_type", kind)]);
        let answer = browser.get(&address).await.expect(303);
        let error = parameter(answer.location(), "error");
        assert_eq!(error.as_deref(), Some("unsupported_response_type"), "{kind}");
        assert!(!answer.location().contains('#'), "{kind}");
    }
    for mode in ["fragment", "form_post", "form_post.jwt", "query.jwt", "web_message"] {
        let address = authorization_request(&world.reports, &[("response_mode", mode)]);
        let answer = consent(&browser, &address).await;
        let there = format!("{}?code=", world.reports.redirect_uri);
        assert!(answer.location().starts_with(&there), "{mode}");
        assert!(!answer.location().contains('#'), "{mode}");
    }
}

/// RFC 6749 §3.1: what two readers would read differently is not read. A polluted request never
/// leads to the client, not even with an error.
#[tokio::test]
async fn a_parameter_that_is_sent_twice_is_a_page() {
    let world = World::new().await;
    let browser = world.signed_in(&world.victim).await;
    for (name, value) in [
        ("client_id", "evil"),
        ("redirect_uri", "https://evil.test/callback"),
        ("response_type", "token"),
        ("scope", "write"),
        ("state", "s2"),
        ("prompt", "none"),
    ] {
        let address = authorization_request(&world.reports, &[("prompt", "consent")]);
        let more =
            form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish();
        let (path, query) = address.split_once('?').unwrap();
        for polluted in [format!("{path}?{more}&{query}"), format!("{address}&{more}")] {
            let page = browser.get(&polluted).await.expect(400);
            assert_eq!(page.header("location"), None, "{polluted}");
        }
        let form = format!("{query}&{more}");
        let call = world.app.post(AUTHORIZATION).body("application/x-www-form-urlencoded", form);
        assert_eq!(browser.send(call).await.expect(400).header("location"), None, "{name}");
    }
}

/// A code of ours under another number, or of another time, is nobody's (CVE-2026-4282).
#[tokio::test]
async fn a_code_that_was_minted_for_nobody_opens_nothing() {
    let world = World::new().await;
    let code = world.app.code(&world.victim, &world.reports, "read").await;
    let grant = world.app.grant(&world.victim, &world.reports, "read").await;
    for id in [1, 2, grant.id.get(), 4711] {
        let forged = world.app.mint(Kind::AuthorizationCode, id, 0);
        let answer = Door::Standard.redeem(&world.app, &world.reports, forged.reveal(), &[]).await;
        assert_eq!(answer.refusal(), "400 invalid_grant", "{id}");
    }
    // Neither was the other code spent by that.
    let answer = Door::Standard.redeem(&world.app, &world.reports, &code, &[]).await.expect(200);
    assert_ne!(answer.json()["access_token"], Value::Null);
}
