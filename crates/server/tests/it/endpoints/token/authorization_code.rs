//! Authorization codes (RFC 6749 §4.1.3, RFC 7636 §4.6) at both doors.

use futures_util::future::{join, join_all};
use serde_json::json;
use tokenry_core::event::EventKind;
use tokenry_protocol::{
    secret::{Credential, Kind},
    time::Seconds,
};
use tokenry_store::Store as _;

use crate::support::{Answer, Door, GrantSpec, TestApp, TestClient, TestUser};

const OTHER_VERIFIER: &str = "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy";

async fn cast(app: &TestApp) -> (TestUser, TestClient, TestClient) {
    let ada = app.admin("Ada").await;
    let reports = app.confidential_client("acme_reports", &ada).await;
    let mobile = app.public_client("acme_mobile", &ada).await;
    (ada, reports, mobile)
}

/// The whole answer: a thief gets one sentence for every reason.
#[track_caller]
fn refuse(door: Door, answer: &Answer) {
    let told =
        r#"{"error":"invalid_grant","error_description":"The grant is invalid, expired or used."}"#;
    assert_eq!(answer.snapshot(), format!("400 {told}"), "{door:?}");
}

#[tokio::test]
async fn a_code_becomes_the_tokens_of_its_own_record() {
    for door in Door::BOTH {
        let app = TestApp::new().await;
        let (ada, reports, mobile) = cast(&app).await;
        for client in [&reports, &mobile] {
            let code = app.code(&ada, client, "read tickets:write").await;
            let asked = [("expires_in", "3600"), ("refresh_token_expires_in", "604800")];
            let answer = door.redeem(&app, client, &code, &asked).await.expect(door.success());
            let tokens = answer.tokens();
            let expected = json!({
                "access_token": tokens.access,
                "token_type": "bearer",
                "scope": "read tickets:write",
                "expires_in": 3_600,
                "refresh_token": tokens.refresh,
                "refresh_token_expires_in": 604_800,
            });
            assert_eq!(answer.json(), expected);
            assert_eq!(&tokens.access[1..10], &code[1..10]);
            assert_eq!(&tokens.refresh[1..10], &code[1..10]);
            assert!(app.is_alive(&tokens.access).await);
        }
    }
}

#[tokio::test]
async fn no_list_shows_a_record_before_its_code_is_redeemed() {
    let app = TestApp::new().await;
    let (ada, reports, _) = cast(&app).await;
    let code = app.code(&ada, &reports, "read").await;
    let count = async || {
        let list = app.get("/api/v2/oauth/tokens").by(&ada).await;
        list.expect(200).json()["count"].clone()
    };
    assert_eq!(count().await, 0);
    Door::Standard.redeem(&app, &reports, &code, &[]).await.expect(200);
    assert_eq!(count().await, 1);
}

#[tokio::test]
async fn a_code_lives_two_minutes() {
    for door in Door::BOTH {
        let app = TestApp::new().await;
        let (ada, reports, _) = cast(&app).await;
        let (early, late) =
            (app.code(&ada, &reports, "read").await, app.code(&ada, &reports, "read").await);
        app.clock.advance(119);
        door.redeem(&app, &reports, &early, &[]).await.expect(door.success());
        app.clock.advance(1);
        refuse(door, &door.redeem(&app, &reports, &late, &[]).await);
    }
}

/// RFC 6749 §4.1.2: what the first redemption gave dies with the second, cached or not.
#[tokio::test]
async fn a_code_that_comes_twice_ends_what_it_gave() {
    for door in Door::BOTH {
        let app = TestApp::new().await;
        let (ada, reports, _) = cast(&app).await;
        let code = app.code(&ada, &reports, "read").await;
        let tokens = door.redeem(&app, &reports, &code, &[]).await.tokens();
        assert!(app.is_alive(&tokens.access).await);
        refuse(door, &door.redeem(&app, &reports, &code, &[]).await);
        assert!(!app.is_alive(&tokens.access).await);
        refuse(door, &door.refresh(&app, &reports, &tokens.refresh, &[]).await);
        let events = app.store.list_events(tokens.id).await.unwrap();
        let kinds: Vec<_> = events.iter().map(|event| event.kind).collect();
        assert_eq!(kinds, [EventKind::CodeReplayed]);
    }
}

#[tokio::test]
async fn a_code_that_comes_twice_after_a_refresh_ends_the_grant_all_the_same() {
    let app = TestApp::new().await;
    let (ada, reports, _) = cast(&app).await;
    let code = app.code(&ada, &reports, "read").await;
    let first = Door::Standard.redeem(&app, &reports, &code, &[]).await.tokens();
    let second = Door::Standard.refresh(&app, &reports, &first.refresh, &[]).await.tokens();
    assert!(app.is_alive(&second.access).await);
    app.clock.advance(86_400);
    refuse(Door::Record, &Door::Record.redeem(&app, &reports, &code, &[]).await);
    assert!(!app.is_refreshable(&reports, &second.refresh).await);
}

#[tokio::test]
async fn a_stranger_with_a_used_code_harms_nobody() {
    for door in Door::BOTH {
        let app = TestApp::new().await;
        let (ada, reports, mobile) = cast(&app).await;
        let code = app.code(&ada, &reports, "read").await;
        let tokens = door.redeem(&app, &reports, &code, &[]).await.tokens();
        refuse(door, &door.redeem(&app, &mobile, &code, &[]).await);
        assert!(app.is_alive(&tokens.access).await);
        let events = app.store.list_events(tokens.id).await.unwrap();
        let kinds: Vec<_> = events.iter().map(|event| event.kind).collect();
        assert_eq!(kinds, [EventKind::PresentedByForeignClient]);
    }
}

#[tokio::test]
async fn a_code_that_was_made_up_harms_nobody() {
    let app = TestApp::new().await;
    let (ada, reports, _) = cast(&app).await;
    let tokens = app.grant(&ada, &reports, "read").await;
    let unspent = app.code(&ada, &reports, "read").await;
    let mut parts = *Credential::parse(&unspent).unwrap().parts();
    parts.tag[0] ^= 1;
    let forged_unspent = Credential::assemble(parts);
    parts.id = tokens.id.get();
    let forged_spent = Credential::assemble(parts);
    for door in Door::BOTH {
        for forged in [&forged_unspent, &forged_spent] {
            refuse(door, &door.redeem(&app, &reports, forged.reveal(), &[]).await);
        }
        for wrong_kind in [&tokens.refresh, &tokens.access] {
            refuse(door, &door.redeem(&app, &reports, wrong_kind, &[]).await);
        }
    }
    assert!(app.is_alive(&tokens.access).await);
    Door::Standard.redeem(&app, &reports, &unspent, &[]).await.expect(200);
}

/// Ours by its tag, of a record that is there, and yet another code than the one that was sent.
#[tokio::test]
async fn only_the_code_that_was_sent_is_accepted() {
    let app = TestApp::new().await;
    let (ada, reports, _) = cast(&app).await;
    let code = app.code(&ada, &reports, "read").await;
    let id = Credential::parse(&code).unwrap().parts().id;
    let other = app.mint(Kind::AuthorizationCode, id, 0);
    refuse(Door::Standard, &Door::Standard.redeem(&app, &reports, other.reveal(), &[]).await);
    Door::Standard.redeem(&app, &reports, &code, &[]).await.expect(200);
}

#[tokio::test]
async fn of_simultaneous_redemptions_one_wins_and_the_others_are_only_refused() {
    for door in Door::BOTH {
        let app = TestApp::new().await;
        let (ada, reports, _) = cast(&app).await;
        let code = app.code(&ada, &reports, "read").await;
        let hold = app.store.hold_find_token(16);
        let calls = (0..16).map(|_| door.redeem(&app, &reports, &code, &[]).into_future());
        let (answers, ()) = join(join_all(calls), async {
            hold.reached().await;
            hold.release();
        })
        .await;
        let (won, lost): (Vec<_>, Vec<_>) =
            answers.iter().partition(|answer| answer.status == door.success());
        assert_eq!((won.len(), lost.len()), (1, 15), "{door:?}");
        for answer in lost {
            refuse(door, answer);
        }
        assert!(app.is_alive(&won[0].tokens().access).await);
    }
}

/// RFC 6749 §4.1.3: identical to the one that the code was sent to.
#[tokio::test]
async fn the_redirect_address_must_be_the_one_that_the_code_was_sent_to() {
    for door in Door::BOTH {
        let app = TestApp::new().await;
        let (ada, reports, mobile) = cast(&app).await;
        let code = app.code(&ada, &reports, "read").await;
        for redirect_uri in [
            "",
            "https://acme-reports.test/callback/",
            "https://acme-reports.test/callback?x",
            "https://ACME-REPORTS.test/callback",
            "http://acme-reports.test/callback",
        ] {
            let more = [("redirect_uri", redirect_uri)];
            refuse(door, &door.redeem(&app, &reports, &code, &more).await);
        }
        door.redeem(&app, &reports, &code, &[]).await.expect(door.success());

        // Loopback ports are free when asking, and then fixed.
        let spec = GrantSpec {
            redirect_uri: Some("http://127.0.0.1:53123/callback".to_owned()),
            ..GrantSpec::of("read", &mobile)
        };
        let code = app.code_of(&ada, &mobile, &spec).await;
        let at = |port| [("redirect_uri", port)];
        let other = at("http://127.0.0.1:53124/callback");
        refuse(door, &door.redeem(&app, &mobile, code.reveal(), &other).await);
        let same = at("http://127.0.0.1:53123/callback");
        door.redeem(&app, &mobile, code.reveal(), &same).await.expect(door.success());
    }
}

#[tokio::test]
async fn a_code_survives_four_wrong_verifiers_and_no_more() {
    for door in Door::BOTH {
        let app = TestApp::new().await;
        let (ada, _, mobile) = cast(&app).await;
        let wrong = [("code_verifier", OTHER_VERIFIER)];
        let (kept, spent) =
            (app.code(&ada, &mobile, "read").await, app.code(&ada, &mobile, "read").await);
        for code in [&kept, &spent] {
            for _ in 0..4 {
                refuse(door, &door.redeem(&app, &mobile, code, &wrong).await);
            }
        }
        door.redeem(&app, &mobile, &kept, &[]).await.expect(door.success());
        refuse(door, &door.redeem(&app, &mobile, &spent, &wrong).await);
        refuse(door, &door.redeem(&app, &mobile, &spent, &[]).await);
    }
}

#[tokio::test]
async fn a_missing_verifier_is_refused_and_is_no_guess() {
    for door in Door::BOTH {
        let app = TestApp::new().await;
        let (ada, _, mobile) = cast(&app).await;
        let code = app.code(&ada, &mobile, "read").await;
        for _ in 0..6 {
            refuse(door, &door.redeem(&app, &mobile, &code, &[("code_verifier", "")]).await);
        }
        door.redeem(&app, &mobile, &code, &[]).await.expect(door.success());
    }
}

/// RFC 9700 §4.8.2: the challenge may have been stripped on the way.
#[tokio::test]
async fn a_verifier_without_a_challenge_is_refused() {
    for door in Door::BOTH {
        let app = TestApp::new().await;
        let (ada, reports, _) = cast(&app).await;
        let code = app.code(&ada, &reports, "read").await;
        refuse(
            door,
            &door.redeem(&app, &reports, &code, &[("code_verifier", OTHER_VERIFIER)]).await,
        );
    }
}

#[tokio::test]
async fn a_confidential_client_needs_its_secret_beside_the_verifier() {
    for door in Door::BOTH {
        let app = TestApp::new().await;
        let (ada, reports, _) = cast(&app).await;
        let spec = GrantSpec { verifier: Some(OTHER_VERIFIER), ..GrantSpec::of("read", &reports) };
        let code = app.code_of(&ada, &reports, &spec).await;
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", "acme_reports"),
            ("code", code.reveal()),
            ("redirect_uri", &reports.redirect_uri),
            ("code_verifier", OTHER_VERIFIER),
        ];
        assert_eq!(door.call(&app, &fields).await.refusal(), "401 invalid_client");
        let with_secret = [("code_verifier", OTHER_VERIFIER)];
        door.redeem(&app, &reports, code.reveal(), &with_secret).await.expect(door.success());
    }
}

#[tokio::test]
async fn a_narrower_scope_is_given_and_a_wider_one_refused() {
    for door in Door::BOTH {
        let app = TestApp::new().await;
        let (ada, reports, _) = cast(&app).await;
        let code = app.code(&ada, &reports, "read tickets:write").await;
        let wider = door.redeem(&app, &reports, &code, &[("scope", "write")]).await;
        assert_eq!(wider.refusal(), "400 invalid_scope");
        let narrower = door.redeem(&app, &reports, &code, &[("scope", "tickets:read")]).await;
        assert_eq!(narrower.expect(door.success()).json()["scope"], "tickets:read");
    }
}

#[tokio::test]
async fn lifetimes_are_the_policys_unless_asked_for_and_never_above_the_clients() {
    for door in Door::BOTH {
        let app = TestApp::new().await;
        let (ada, reports, _) = cast(&app).await;
        let code = app.code(&ada, &reports, "read").await;
        let silent = door.redeem(&app, &reports, &code, &[]).await.expect(door.success());
        assert_eq!(silent.json()["refresh_token_expires_in"], 2_592_000);
        let access = silent.tokens().access;
        app.clock.advance(1_799);
        assert!(app.is_alive(&access).await);
        app.clock.advance(1);
        assert!(!app.is_alive(&access).await);

        app.change_client(&reports, |client| {
            client.access_token_lifetime_max = Some(Seconds(600));
            client.refresh_token_lifetime_max = Some(Seconds(700_000));
        })
        .await;
        let code = app.code(&ada, &reports, "read").await;
        let asked = [("expires_in", "3600"), ("refresh_token_expires_in", "7776000")];
        let lowered = door.redeem(&app, &reports, &code, &asked).await.expect(door.success());
        assert_eq!(lowered.json()["expires_in"], 600);
        assert_eq!(lowered.json()["refresh_token_expires_in"], 700_000);
    }
}

#[tokio::test]
async fn the_code_of_a_user_who_is_gone_is_refused() {
    for door in Door::BOTH {
        let app = TestApp::new().await;
        let (_, reports, _) = cast(&app).await;
        let cleo = app.end_user("Cleo").await;
        let code = app.code(&cleo, &reports, "read").await;
        app.change_user(&cleo, |user| user.suspended = true).await;
        refuse(door, &door.redeem(&app, &reports, &code, &[]).await);
        app.change_user(&cleo, |user| user.suspended = false).await;
        app.store.delete_user(cleo.id, app.now()).await.unwrap();
        app.state.directory.evict_user(cleo.id);
        refuse(door, &door.redeem(&app, &reports, &code, &[]).await);
    }
}

/// Whether the write happened is not known, so the code may be spent; the answer says to try again.
#[tokio::test]
async fn a_redemption_whose_answer_is_lost_is_503_and_spends_the_code() {
    for door in Door::BOTH {
        let app = TestApp::new().await;
        let (ada, reports, _) = cast(&app).await;
        let code = app.code(&ada, &reports, "read").await;
        app.store.lose_the_next_write();
        let answer = door.redeem(&app, &reports, &code, &[]).await;
        assert_eq!(answer.refusal(), "503 temporarily_unavailable");
        refuse(door, &door.redeem(&app, &reports, &code, &[]).await);
    }
}
