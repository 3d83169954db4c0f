//! What the token endpoint takes from old integrations, each only where a setting says so.

use serde_json::json;
use tokenry_core::{client::ClientStatus, policy::UnknownScopes};
use tokenry_protocol::scope::Scope;
use tokenry_server::config::Config;
use tokenry_store::Store as _;

use crate::support::{Call, Door, GrantSpec, TestApp, TestClient, TestUser, VERIFIER};

const OTHER_VERIFIER: &str = "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy";

struct World {
    app: TestApp,
    ada: TestUser,
    reports: TestClient,
}

impl World {
    async fn with(configure: impl FnOnce(&mut Config)) -> Self {
        let app = TestApp::with(configure).await;
        let ada = app.admin("Ada").await;
        let reports = app.confidential_client("acme_reports", &ada).await;
        Self { app, ada, reports }
    }

    /// `POST` to the door with these parameters in the query, form-encoded.
    fn by_query(&self, door: Door, query: &[(&str, &str)]) -> Call<'_> {
        let mut text = form_urlencoded::Serializer::new(String::new());
        text.extend_pairs(query);
        self.app.post(&format!("{}?{}", door.path(), text.finish()))
    }

    /// A code that was asked for with a challenge, unless `verifier` is none.
    async fn code(&self, verifier: Option<&'static str>) -> String {
        let spec = GrantSpec { verifier, ..GrantSpec::of("read", &self.reports) };
        self.app.code_of(&self.ada, &self.reports, &spec).await.reveal().to_owned()
    }

    /// Redeems without the secret, with `more`.
    fn redeem_without_secret(&self, door: Door, code: &str, more: &[(&str, &str)]) -> Call<'_> {
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("client_id", "acme_reports"),
            ("code", code),
            ("redirect_uri", &self.reports.redirect_uri),
        ];
        fields.extend(more);
        door.call(&self.app, &fields)
    }
}

#[tokio::test]
async fn the_record_door_reads_from_the_query_what_the_body_lacks() {
    let world = World::with(|config| config.tokens.parameters_in_query = true).await;
    let client = [("client_id", "acme_reports"), ("client_secret", world.reports.secret())];
    let grant_type = [("grant_type", "client_credentials")];
    let all = [&client[..], &grant_type, &[("scope", "tickets:read users:read")]].concat();
    let answer = world.by_query(Door::Record, &all).await.expect(201);
    assert_eq!(answer.json()["scope"], "tickets:read users:read");
    // As integrations send it: with the content type of a body that is not there.
    let empty = world.by_query(Door::Record, &all).body("application/json", "");
    assert_eq!(empty.await.expect(201).json()["scope"], "tickets:read users:read");

    let body = json!({"grant_type": "client_credentials", "scope": "read", "expires_in": null});
    let query = [&client[..], &[("scope", "write"), ("expires_in", "300")]].concat();
    let answer = world.by_query(Door::Record, &query).json(&body).await.expect(201);
    assert_eq!(
        (&answer.json()["scope"], &answer.json()["expires_in"]),
        (&json!("read"), &json!(300))
    );
    let form = world.by_query(Door::Record, &client).form(&grant_type);
    assert_eq!(form.await.expect(201).json()["scope"], "read");
}

#[tokio::test]
async fn what_is_wrong_in_the_query_is_wrong() {
    let world = World::with(|config| config.tokens.parameters_in_query = true).await;
    let all = [
        ("grant_type", "client_credentials"),
        ("client_id", "acme_reports"),
        ("client_secret", world.reports.secret()),
    ];
    let twice = [&all[..], &[("scope", "read"), ("scope", "read")]].concat();
    assert_eq!(world.by_query(Door::Record, &twice).await.refusal(), "400 invalid_request");
    let broken = world.app.post("/oauth/tokens?grant_type=%ff").await;
    assert_eq!(broken.refusal(), "400 invalid_request");
    let wrong = [&all[..2], &[("client_secret", "x")]].concat();
    assert_eq!(world.by_query(Door::Record, &wrong).await.refusal(), "401 invalid_client");
    assert_eq!(world.by_query(Door::Record, &[]).await.refusal(), "400 invalid_request");
    // The standard's door reads no query, whatever the setting.
    assert_eq!(world.by_query(Door::Standard, &all).await.refusal(), "400 invalid_request");
    let body = [("grant_type", "client_credentials")];
    let beside = world.by_query(Door::Standard, &all[1..]).form(&body).await;
    assert_eq!(beside.refusal(), "400 invalid_request");
    for path in ["/oauth/revoke", "/oauth/introspect"] {
        let answer = world.app.post(&format!("{path}?token=x")).by_client(&world.reports).await;
        assert_eq!(answer.refusal(), "400 invalid_request", "{path}");
    }
}

#[tokio::test]
async fn a_code_and_a_refresh_token_can_come_by_query() {
    let world = World::with(|config| config.tokens.parameters_in_query = true).await;
    let code = world.code(None).await;
    let client = [("client_id", "acme_reports"), ("client_secret", world.reports.secret())];
    let redeem = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", &world.reports.redirect_uri),
    ];
    let query = [&client[..], &redeem].concat();
    let tokens = world.by_query(Door::Record, &query).await.expect(201).tokens();
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", &tokens.refresh)];
    let query = [&client[..], &refresh].concat();
    let next = world.by_query(Door::Record, &query).await.expect(201).tokens();
    assert!(world.app.is_alive(&next.access).await && !world.app.is_alive(&tokens.access).await);
}

#[tokio::test]
async fn a_verifier_proves_a_confidential_client_without_its_secret() {
    for door in Door::BOTH {
        let world = World::with(|config| config.tokens.pkce_without_secret = true).await;
        let code = world.code(Some(VERIFIER)).await;
        let verifier = [("code_verifier", VERIFIER)];
        let wrong = [("code_verifier", OTHER_VERIFIER)];
        let answer = world.redeem_without_secret(door, &code, &wrong).await;
        assert_eq!(answer.refusal(), "400 invalid_grant", "{door:?}");
        let answer = world.redeem_without_secret(door, &code, &verifier).await;
        let tokens = answer.expect(door.success()).tokens();
        assert!(world.app.is_alive(&tokens.access).await);

        // The code was all that needed no secret: a refresh has no verifier.
        let refresh = [
            ("grant_type", "refresh_token"),
            ("client_id", "acme_reports"),
            ("refresh_token", &tokens.refresh),
            ("code_verifier", VERIFIER),
        ];
        assert_eq!(door.call(&world.app, &refresh).await.refusal(), "401 invalid_client");
        door.refresh(&world.app, &world.reports, &tokens.refresh, &[]).await.expect(door.success());
        let itself = [
            ("grant_type", "client_credentials"),
            ("client_id", "acme_reports"),
            ("code_verifier", VERIFIER),
        ];
        assert_eq!(door.call(&world.app, &itself).await.refusal(), "401 invalid_client");
    }
}

#[tokio::test]
async fn nothing_but_the_answer_to_a_challenge_stands_for_a_secret() {
    for door in Door::BOTH {
        let world = World::with(|config| config.tokens.pkce_without_secret = true).await;
        let verifier = [("code_verifier", VERIFIER)];
        let (challenged, plain) = (world.code(Some(VERIFIER)).await, world.code(None).await);
        let refused = async |code: &str, more: &[(&str, &str)]| {
            world.redeem_without_secret(door, code, more).await.refusal()
        };
        assert_eq!(refused(&challenged, &[]).await, "401 invalid_client");
        assert_eq!(refused(&plain, &[]).await, "401 invalid_client");
        assert_eq!(refused(&plain, &verifier).await, "400 invalid_grant");
        let with_wrong = [verifier[0], ("client_secret", "x")];
        assert_eq!(refused(&challenged, &with_wrong).await, "401 invalid_client");
        let unknown = [
            ("grant_type", "authorization_code"),
            ("client_id", "nobody"),
            ("code", &challenged),
            verifier[0],
        ];
        assert_eq!(door.call(&world.app, &unknown).await.refusal(), "401 invalid_client");
        // With the secret all is as ever.
        let redeemed = door.redeem(&world.app, &world.reports, &challenged, &verifier).await;
        redeemed.expect(door.success());
        let stop = |client: &mut tokenry_core::client::Client| {
            client.status = ClientStatus::Disabled;
        };
        let fresh = world.code(Some(VERIFIER)).await;
        world.app.change_client(&world.reports, stop).await;
        assert_eq!(refused(&fresh, &verifier).await, "401 invalid_client");
    }
}

/// Nothing tells it from a stranger who has seen the code. Guesses are counted all the same: a code
/// that may be guessed at without end is worth nothing.
#[tokio::test]
async fn without_the_secret_a_code_is_spent_by_guessing_and_a_spent_one_harms_nobody() {
    let world = World::with(|config| config.tokens.pkce_without_secret = true).await;
    let (wrong, right) = ([("code_verifier", OTHER_VERIFIER)], [("code_verifier", VERIFIER)]);
    let code = world.code(Some(VERIFIER)).await;
    for _ in 0..5 {
        let guess = world.redeem_without_secret(Door::Record, &code, &wrong).await;
        assert_eq!(guess.refusal(), "400 invalid_grant");
    }
    let late = world.redeem_without_secret(Door::Record, &code, &right).await;
    assert_eq!(late.refusal(), "400 invalid_grant");

    let code = world.code(Some(VERIFIER)).await;
    let redeem = || world.redeem_without_secret(Door::Record, &code, &right);
    let tokens = redeem().await.expect(201).tokens();
    assert_eq!(redeem().await.refusal(), "400 invalid_grant");
    assert!(world.app.is_alive(&tokens.access).await);
    // Nor is a client accused in whose name somebody sends another's code.
    let night = world.app.confidential_client("night_export", &world.ada).await;
    let named = [
        ("grant_type", "authorization_code"),
        ("client_id", "night_export"),
        ("code", &code),
        ("redirect_uri", &night.redirect_uri),
        right[0],
    ];
    assert_eq!(Door::Record.call(&world.app, &named).await.refusal(), "400 invalid_grant");
    assert!(world.app.store.list_events(tokens.id).await.unwrap().is_empty());
    // With the secret the same code is a replay.
    let replay = Door::Record.redeem(&world.app, &world.reports, &code, &right).await;
    assert_eq!(replay.refusal(), "400 invalid_grant");
    assert!(!world.app.is_alive(&tokens.access).await);
}

#[tokio::test]
async fn a_list_as_scope_is_accepted_at_the_record_door_and_useless() {
    let world = World::with(|config| config.tokens.unknown_scopes = UnknownScopes::Accept).await;
    for name in ["scope", "scopes"] {
        let body = json!({
            "grant_type": "client_credentials",
            "client_id": "acme_reports",
            "client_secret": world.reports.secret(),
            name: ["read", "write"],
        });
        let answer = world.app.post("/oauth/tokens").json(&body).await.expect(201);
        assert_eq!(answer.json()["scope"], "not-a-string", "{name}");
        let access = answer.json()["access_token"].as_str().unwrap().to_owned();
        world.app.get("/api/v2/users/me").bearer(&access).await.expect(403);
        world.app.get("/api/v2/oauth/tokens").bearer(&access).await.expect(403);
        world.app.get("/api/v2/oauth/tokens/current").bearer(&access).await.expect(200);
    }
    for neither in [json!(7), json!({"read": true})] {
        let body = json!({
            "grant_type": "client_credentials",
            "client_id": "acme_reports",
            "client_secret": world.reports.secret(),
            "scope": neither,
        });
        let answer = world.app.post("/oauth/tokens").json(&body).await;
        assert_eq!(answer.refusal(), "400 invalid_scope", "{neither}");
    }
}

#[tokio::test]
async fn names_that_mean_nothing_are_granted_at_both_doors_and_allow_nothing() {
    for door in Door::BOTH {
        let world =
            World::with(|config| config.tokens.unknown_scopes = UnknownScopes::Accept).await;
        let itself = [("grant_type", "client_credentials"), ("scope", "reed tickets:reed")];
        let refused = door.ask(&world.app, &world.reports, &itself).await;
        assert_eq!(refused.refusal(), "400 invalid_scope", "outside the grammar");
        let itself = [("grant_type", "client_credentials"), ("scope", "reed")];
        let answer = door.ask(&world.app, &world.reports, &itself).await;
        let access = answer.expect(door.success()).json()["access_token"].clone();
        let me = world.app.get("/api/v2/users/me").bearer(access.as_str().unwrap()).await;
        assert_eq!(me.status, 403);

        let code = world.code(None).await;
        let asked = [("scope", "read reed")];
        let redeemed = door.redeem(&world.app, &world.reports, &code, &asked).await;
        let redeemed = redeemed.expect(door.success());
        assert_eq!(redeemed.json()["scope"], "read", "nobody approved the other");
        let refresh = redeemed.tokens().refresh;
        let refreshed = door.refresh(&world.app, &world.reports, &refresh, &[("scope", "reed")]);
        let refreshed = refreshed.await.expect(door.success());
        assert_eq!(refreshed.json()["scope"], "not-approved");
        let access = refreshed.tokens().access;
        world.app.get("/api/v2/users/me").bearer(&access).await.expect(403);
    }
}

#[tokio::test]
async fn a_list_as_scope_is_accepted_of_a_client_that_may_not_ask_for_everything_too() {
    let world = World::with(|config| config.tokens.unknown_scopes = UnknownScopes::Accept).await;
    world
        .app
        .change_client(&world.reports, |client| client.allowed_scope = Some(Scope::read()))
        .await;
    let asked = |scope: serde_json::Value| {
        let body = json!({
            "grant_type": "client_credentials",
            "client_id": "acme_reports",
            "client_secret": world.reports.secret(),
            "scope": scope,
        });
        world.app.post("/oauth/tokens").json(&body)
    };
    let answer = asked(json!(["read", "write"])).await.expect(201);
    assert_eq!(answer.json()["scope"], "not-a-string");
    let access = answer.json()["access_token"].as_str().unwrap().to_owned();
    world.app.get("/api/v2/users/me").bearer(&access).await.expect(403);
    assert_eq!(asked(json!("write")).await.refusal(), "400 invalid_scope");
    assert_eq!(asked(json!("reed")).await.refusal(), "400 invalid_scope");
}
