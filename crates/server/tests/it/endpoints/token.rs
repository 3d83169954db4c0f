//! Token endpoint (RFC 6749 §3.2): what holds whatever the grant, at both doors.

mod authorization_code;
mod client_credentials;
mod jwt_access_token;
mod lenience;
mod refresh_token;
mod without_expiry;

use serde_json::json;
use tokenry_core::client::ClientStatus;
use tokenry_protocol::{oauth::token::GrantType, scope::Scope};

use crate::support::{Door, PASSWORD, TestApp};

/// RFC 6749 §5.2: one error code for one reason, at both doors.
#[tokio::test]
async fn what_is_wrong_with_a_request_is_told_by_its_code() {
    let app = TestApp::new().await;
    let ada = app.admin("Ada").await;
    let reports = app.confidential_client("acme_reports", &ada).await;
    let mobile = app.public_client("acme_mobile", &ada).await;
    let code = app.code(&ada, &reports, "read").await;
    let refresh = app.grant(&ada, &reports, "read").await.refresh;
    let ours = |more: &[(&'static str, &'static str)]| more.to_vec();
    for (client, fields, expected) in [
        (&reports, ours(&[]), "400 invalid_request"),
        (&reports, ours(&[("grant_type", "")]), "400 invalid_request"),
        (&reports, ours(&[("grant_type", "magic")]), "400 unsupported_grant_type"),
        (&reports, ours(&[("grant_type", "password")]), "400 unsupported_grant_type"),
        (&reports, ours(&[("grant_type", "implicit")]), "400 unsupported_grant_type"),
        (&mobile, ours(&[("grant_type", "client_credentials")]), "400 unauthorized_client"),
        (&reports, ours(&[("grant_type", "authorization_code")]), "400 invalid_request"),
        (&reports, ours(&[("grant_type", "refresh_token")]), "400 invalid_request"),
        (
            &reports,
            ours(&[("grant_type", "authorization_code"), ("code", "garbage")]),
            "400 invalid_grant",
        ),
        (
            &reports,
            ours(&[("grant_type", "refresh_token"), ("refresh_token", "garbage")]),
            "400 invalid_grant",
        ),
        (
            &reports,
            ours(&[("grant_type", "client_credentials"), ("scope", "reed")]),
            "400 invalid_scope",
        ),
        (
            &reports,
            ours(&[("grant_type", "client_credentials"), ("scope", "re ad\"")]),
            "400 invalid_scope",
        ),
        (
            &reports,
            ours(&[("grant_type", "client_credentials"), ("expires_in", "299")]),
            "400 invalid_request",
        ),
        (
            &reports,
            ours(&[("grant_type", "client_credentials"), ("expires_in", "172801")]),
            "400 invalid_request",
        ),
        (
            &reports,
            ours(&[("grant_type", "client_credentials"), ("expires_in", "soon")]),
            "400 invalid_request",
        ),
    ] {
        for door in Door::BOTH {
            let answer = door.ask(&app, client, &fields).await;
            assert_eq!(answer.refusal(), expected, "{door:?} {fields:?}");
        }
    }
    for door in Door::BOTH {
        for (name, value) in [
            ("refresh_token_expires_in", "604799"),
            ("refresh_token_expires_in", "7776001"),
            ("expires_in", "60"),
        ] {
            let redeemed = door.redeem(&app, &reports, &code, &[(name, value)]).await;
            assert_eq!(redeemed.refusal(), "400 invalid_request", "{door:?} {name}");
            let refreshed = door.refresh(&app, &reports, &refresh, &[(name, value)]).await;
            assert_eq!(refreshed.refusal(), "400 invalid_request", "{door:?} {name}");
        }
    }
}

/// An empty value is an absent one (RFC 6749 §3.2).
#[tokio::test]
async fn the_record_door_tells_a_lifetime_to_those_who_asked_for_one() {
    let app = TestApp::new().await;
    let ada = app.admin("Ada").await;
    let reports = app.confidential_client("acme_reports", &ada).await;
    for (asked, told) in [(None, None), (Some(""), None), (Some("600"), Some(600))] {
        let mut fields = vec![("grant_type", "client_credentials")];
        fields.extend(asked.map(|seconds| ("expires_in", seconds)));
        let answer = Door::Record.ask(&app, &reports, &fields).await.expect(201);
        assert_eq!(answer.json()["expires_in"].as_u64(), told, "{asked:?}");
    }
    let silent = [("grant_type", "client_credentials")];
    let answer = Door::Standard.ask(&app, &reports, &silent).await.expect(200);
    assert_eq!(answer.json()["expires_in"], 1_800);
}

#[tokio::test]
async fn a_failed_request_spends_neither_code_nor_refresh_token() {
    for door in Door::BOTH {
        let app = TestApp::new().await;
        let ada = app.admin("Ada").await;
        let reports = app.confidential_client("acme_reports", &ada).await;
        let other = app.confidential_client("other", &ada).await;
        let code = app.code(&ada, &reports, "read").await;
        let grant = app.grant(&ada, &reports, "read").await;
        let wrong: [&[(&str, &str)]; 6] = [
            &[("scope", "read write")],
            &[("scope", "reed")],
            &[("expires_in", "1")],
            &[("redirect_uri", "https://acme-reports.test/other")],
            &[("code_verifier", "x3Jq0aV7mTnKc2LwR9sYdE5uHbG8fPzI1oN4tQ6kMvA")],
            &[("grant_type", "magic")],
        ];
        for more in wrong {
            door.redeem(&app, &reports, &code, more).await.expect(400);
        }
        for more in &wrong[..3] {
            door.refresh(&app, &reports, &grant.refresh, more).await.expect(400);
        }
        door.redeem(&app, &other, &code, &[]).await.expect(400);
        door.refresh(&app, &other, &grant.refresh, &[]).await.expect(400);

        door.redeem(&app, &reports, &code, &[]).await.expect(door.success());
        door.refresh(&app, &reports, &grant.refresh, &[]).await.expect(door.success());
    }
}

#[tokio::test]
async fn a_body_in_a_form_that_the_door_does_not_read_is_refused() {
    let app = TestApp::new().await;
    let form = "grant_type=client_credentials";
    for (path, content_type, body) in [
        ("/oauth/token", "application/json", r#"{"grant_type":"client_credentials"}"#),
        ("/oauth/token", "text/plain", form),
        ("/oauth/tokens", "text/plain", form),
        ("/oauth/tokens", "multipart/form-data; boundary=x", form),
        ("/oauth/tokens", "application/json", form),
        ("/oauth/tokens", "application/json", "[]"),
        ("/oauth/tokens", "application/json", r#"{"scope":"a","scope":"b"}"#),
        ("/oauth/tokens", "application/x-www-form-urlencoded", "scope=a&scope=b"),
        ("/oauth/token", "application/x-www-form-urlencoded", "scope=a&%73cope=b"),
        ("/oauth/token", "application/x-www-form-urlencoded", "scope=%ff"),
    ] {
        let answer = app.post(path).body(content_type, body).await;
        assert_eq!(answer.refusal(), "400 invalid_request", "{path} {content_type} {body}");
    }
    for path in ["/oauth/token", "/oauth/tokens"] {
        assert_eq!(app.post(path).await.refusal(), "400 invalid_request");
        assert_eq!(app.post(path).raw(form).await.refusal(), "400 invalid_request");
    }
    let form = "application/x-www-form-urlencoded; charset=UTF-8";
    let answer = app.post("/oauth/token").body(form, "grant_type=magic&client_id=nobody").await;
    assert_eq!(answer.refusal(), "401 invalid_client");
}

/// RFC 6749 §5.2: unknown, wrong, missing and disabled look the same, and a challenge goes only to
/// those who used the header.
#[tokio::test]
async fn failed_client_authentication_says_nothing_about_what_failed() {
    let app = TestApp::new().await;
    let ada = app.admin("Ada").await;
    let reports = app.confidential_client("acme_reports", &ada).await;
    let other = app.confidential_client("other", &ada).await;
    let disabled = app.confidential_client("disabled", &ada).await;
    app.change_client(&disabled, |client| client.status = ClientStatus::Disabled).await;
    app.public_client("acme_mobile", &ada).await;
    let secret = reports.secret();
    let (cut, grown) = (&secret[..63], format!("{secret}A"));
    for door in Door::BOTH {
        for (identifier, presented) in [
            ("nobody", secret),
            ("acme_reports", ""),
            ("acme_reports", "wrong"),
            ("acme_reports", cut),
            ("acme_reports", &grown),
            ("acme_reports", other.secret()),
            ("ACME_REPORTS", secret),
            ("41", secret),
            ("", secret),
            ("disabled", disabled.secret()),
            ("acme_mobile", secret),
        ] {
            let grant = ("grant_type", "client_credentials");
            let fields = [grant, ("client_id", identifier), ("client_secret", presented)];
            let in_body = door.call(&app, &fields).await;
            let in_header = door.call(&app, &[grant]).basic(identifier, presented).await;
            assert_eq!(in_body.refusal(), "401 invalid_client", "{identifier} {presented}");
            assert_eq!(in_body.header("www-authenticate"), None);
            assert_eq!(in_header.status, 401, "{identifier} {presented}");
            assert_eq!(in_header.body, in_body.body);
            assert_eq!(
                in_header.header("www-authenticate"),
                Some(r#"Basic realm="tokenry", charset="UTF-8""#)
            );
            // A minute later, so that no limit is reached.
            app.clock.advance(60);
        }
    }
}

/// RFC 6749 §2.3.1: both halves of the header are form-encoded.
#[tokio::test]
async fn client_secrets_in_the_header_may_be_form_encoded() {
    let app = TestApp::new().await;
    let ada = app.admin("Ada").await;
    let client = app.confidential_client("a.b~c", &ada).await;
    for door in Door::BOTH {
        let call = door.call(&app, &[("grant_type", "client_credentials")]);
        let secret = client.secret().replace('_', "%5F");
        call.basic("a.b%7Ec", &secret).await.expect(door.success());
    }
}

#[tokio::test]
async fn two_methods_of_client_authentication_are_one_too_many() {
    let app = TestApp::new().await;
    let ada = app.admin("Ada").await;
    let client = app.confidential_client("acme_reports", &ada).await;
    let grant = ("grant_type", "client_credentials");
    for door in Door::BOTH {
        let both = [grant, ("client_id", "acme_reports"), ("client_secret", client.secret())];
        let answer = door.call(&app, &both).by_client(&client).await;
        assert_eq!(answer.refusal(), "400 invalid_request");
        let other = [grant, ("client_id", "other")];
        let answer = door.call(&app, &other).by_client(&client).await;
        assert_eq!(answer.refusal(), "400 invalid_request");
        let twice = door.call(&app, &[grant]).by_client(&client).by_client(&client).await;
        assert_eq!(twice.refusal(), "400 invalid_request");
        let same = [grant, ("client_id", "acme_reports")];
        door.call(&app, &same).by_client(&client).await.expect(door.success());
    }
}

/// Integrations send their user's credentials in the header, and the client's own in the body.
#[tokio::test]
async fn the_record_door_ignores_a_users_credentials_and_the_standard_one_does_not() {
    let app = TestApp::new().await;
    let ada = app.admin("Ada").await;
    let client = app.confidential_client("acme_reports", &ada).await;
    let token = app.grant(&ada, &client, "read").await.access;
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", "acme_reports"),
        ("client_secret", client.secret()),
    ];
    Door::Record.call(&app, &fields).by(&ada).await.expect(201);
    Door::Record.call(&app, &fields).basic(&ada.email, PASSWORD).await.expect(201);
    Door::Record.call(&app, &fields).bearer(&token).await.expect(201);
    let answer = Door::Standard.call(&app, &fields).by(&ada).await;
    assert_eq!(answer.refusal(), "400 invalid_request");
    let alone = Door::Standard.call(&app, &fields[..1]).by(&ada).await;
    assert_eq!(alone.refusal(), "401 invalid_client");
}

#[tokio::test]
async fn the_record_door_says_how_long_a_token_lives_only_when_asked() {
    let app = TestApp::new().await;
    let ada = app.admin("Ada").await;
    let client = app.confidential_client("acme_reports", &ada).await;
    let grant = ("grant_type", "client_credentials");
    let expires_in = async |door: Door, more: &[(&str, &str)]| {
        let fields = [&[grant], more].concat();
        let answer = door.ask(&app, &client, &fields).await;
        answer.expect(door.success()).json()["expires_in"].clone()
    };
    assert_eq!(expires_in(Door::Record, &[]).await, json!(null));
    assert_eq!(expires_in(Door::Standard, &[]).await, 1_800);
    for door in Door::BOTH {
        assert_eq!(expires_in(door, &[("expires_in", "300")]).await, 300);
        assert_eq!(expires_in(door, &[("expires_in", "172800")]).await, 172_800);
    }
    // Numbers may be numbers in JSON.
    let body = json!({
        "grant_type": "client_credentials",
        "client_id": "acme_reports",
        "client_secret": client.secret(),
        "expires_in": 86_400,
    });
    let answer = app.post("/oauth/tokens").json(&body).await.expect(201);
    assert_eq!(answer.json()["expires_in"], 86_400);
}

#[tokio::test]
async fn a_scope_that_is_no_text_is_refused_at_the_record_door() {
    let app = TestApp::new().await;
    let ada = app.admin("Ada").await;
    let client = app.confidential_client("acme_reports", &ada).await;
    for scope in [json!(["read"]), json!(7), json!({}), json!(true)] {
        let body = json!({
            "grant_type": "client_credentials",
            "client_id": "acme_reports",
            "client_secret": client.secret(),
            "scope": scope,
        });
        let answer = app.post("/oauth/tokens").json(&body).await;
        assert_eq!(answer.refusal(), "400 invalid_scope", "{scope}");
    }
}

/// RFC 9700 §4.3.2: addresses end up in logs.
#[tokio::test]
async fn secrets_in_the_address_are_refused() {
    let app = TestApp::new().await;
    let ada = app.admin("Ada").await;
    let client = app.confidential_client("acme_reports", &ada).await;
    for door in Door::BOTH {
        for name in ["client_secret", "code", "code_verifier", "refresh_token", "token"] {
            let path = format!("{}?{name}=x", door.path());
            let answer = app
                .post(&path)
                .by_client(&client)
                .form(&[("grant_type", "client_credentials")])
                .await;
            assert_eq!(answer.refusal(), "400 invalid_request", "{path}");
        }
        let harmless = format!("{}?utm_source=x", door.path());
        app.post(&harmless)
            .by_client(&client)
            .form(&[("grant_type", "client_credentials")])
            .await
            .expect(door.success());
    }
}

#[tokio::test]
async fn a_client_may_use_the_grant_types_that_it_was_given() {
    let app = TestApp::new().await;
    let ada = app.admin("Ada").await;
    let client = app.confidential_client("acme_reports", &ada).await;
    let grant = app.grant(&ada, &client, "read").await;
    app.change_client(&client, |client| {
        client.grant_types = Some(vec![GrantType::ClientCredentials]);
    })
    .await;
    for door in Door::BOTH {
        let answer = door.refresh(&app, &client, &grant.refresh, &[]).await;
        assert_eq!(answer.refusal(), "400 unauthorized_client");
        let asked = [("grant_type", "client_credentials")];
        door.ask(&app, &client, &asked).await.expect(door.success());
    }
}

#[tokio::test]
async fn the_clients_ceiling_holds_for_every_grant() {
    for door in Door::BOTH {
        let app = TestApp::new().await;
        let ada = app.admin("Ada").await;
        let client = app.confidential_client("acme_reports", &ada).await;
        let code = app.code(&ada, &client, "read write").await;
        let grant = app.grant(&ada, &client, "read write").await;
        app.change_client(&client, |client| client.allowed_scope = Some(Scope::read())).await;
        let wider = ("scope", "read write");
        let asked = [("grant_type", "client_credentials"), wider];
        let answers = [
            door.ask(&app, &client, &asked).await,
            door.redeem(&app, &client, &code, &[wider]).await,
            door.refresh(&app, &client, &grant.refresh, &[wider]).await,
        ];
        for answer in answers {
            assert_eq!(answer.refusal(), "400 invalid_scope");
        }
        // Without a wish, what was approved is cut to what the client may have today.
        let redeemed = door.redeem(&app, &client, &code, &[]).await.expect(door.success());
        assert_eq!(redeemed.json()["scope"], "read");
        let refreshed = door.refresh(&app, &client, &grant.refresh, &[]).await;
        assert_eq!(refreshed.expect(door.success()).json()["scope"], "read");
    }
}

#[tokio::test]
async fn too_many_failures_make_the_right_secret_wait_too() {
    for door in Door::BOTH {
        let app = TestApp::new().await;
        let ada = app.admin("Ada").await;
        let client = app.confidential_client("acme_reports", &ada).await;
        let other = app.confidential_client("other", &ada).await;
        let grant = ("grant_type", "client_credentials");
        for attempt in 0..20_u32 {
            let call = door.call(&app, &[grant]).basic("Acme_Reports", "wrong");
            let peer = format!("198.51.100.{attempt}:1000");
            call.at_peer(&peer).await.expect(401);
        }
        app.clock.advance(51);
        let answer = door.ask(&app, &client, &[grant]).await;
        assert_eq!(answer.refusal(), "429 temporarily_unavailable");
        assert_eq!(answer.header("retry-after"), Some("9"));
        door.ask(&app, &other, &[grant]).await.expect(door.success());
        app.clock.advance(9);
        door.ask(&app, &client, &[grant]).await.expect(door.success());
    }
}

#[tokio::test]
async fn failures_from_one_address_are_limited_too() {
    let app = TestApp::new().await;
    let ada = app.admin("Ada").await;
    let client = app.confidential_client("acme_reports", &ada).await;
    let grant = ("grant_type", "client_credentials");
    for attempt in 0..60 {
        let call = Door::Standard.call(&app, &[grant]);
        call.basic(&format!("client-{attempt}"), "wrong").await.expect(401);
    }
    let answer = Door::Standard.ask(&app, &client, &[grant]).await;
    assert_eq!(answer.refusal(), "429 temporarily_unavailable");
    let elsewhere = Door::Standard.ask(&app, &client, &[grant]).at_peer("198.51.100.7:1");
    elsewhere.await.expect(200);
}

#[tokio::test]
async fn a_store_that_is_away_is_never_a_grant_error() {
    for door in Door::BOTH {
        let app = TestApp::new().await;
        let ada = app.admin("Ada").await;
        let client = app.confidential_client("acme_reports", &ada).await;
        let code = app.code(&ada, &client, "read").await;
        let grant = app.grant(&ada, &client, "read").await;
        let asked = [("grant_type", "client_credentials")];
        // Once with nothing in the caches, once with the client and the user there.
        for _ in 0..2 {
            app.store.go_away();
            for call in [
                door.redeem(&app, &client, &code, &[]),
                door.refresh(&app, &client, &grant.refresh, &[]),
                door.ask(&app, &client, &asked),
            ] {
                let answer = call.await;
                assert_eq!(answer.refusal(), "503 temporarily_unavailable");
                assert_eq!(answer.header("retry-after"), Some("2"));
                assert_eq!(answer.header("www-authenticate"), None);
            }
            app.store.come_back();
            door.ask(&app, &client, &asked).await.expect(door.success());
        }
        door.redeem(&app, &client, &code, &[]).await.expect(door.success());
        door.refresh(&app, &client, &grant.refresh, &[]).await.expect(door.success());
    }
}

#[tokio::test]
async fn only_post_is_offered() {
    let app = TestApp::new().await;
    for door in Door::BOTH {
        for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE"] {
            let answer = app.call(method, door.path()).await.expect(405);
            assert_eq!(answer.header("allow"), Some("POST, OPTIONS"));
            assert_eq!(answer.header("pragma"), Some("no-cache"));
        }
        let answer = app.get(door.path()).await;
        assert_eq!(
            answer.snapshot(),
            r#"405 {"error":"invalid_request","error_description":"Use POST."}"#
        );
    }
}

/// RFC 6749 §5.1: no cache keeps tokens, nor errors about them.
#[tokio::test]
async fn no_answer_of_a_door_is_cached() {
    let app = TestApp::new().await;
    let ada = app.admin("Ada").await;
    let client = app.confidential_client("acme_reports", &ada).await;
    for door in Door::BOTH {
        let asked = [("grant_type", "client_credentials")];
        for answer in [
            door.ask(&app, &client, &asked).await.expect(door.success()),
            door.ask(&app, &client, &[]).await.expect(400),
            door.call(&app, &asked).await.expect(401),
        ] {
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            assert_eq!(answer.header("pragma"), Some("no-cache"));
            assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
        }
    }
}
