//! More rights by way of a client: registering one, widening one, taking one over.

use serde_json::{Value, json};
use tokenry_core::{client::ClientStatus, user::Role};
use tokenry_protocol::scope::Scope;

use super::{API_TOKENS, CLIENTS, TOKENS, World, consent};
use crate::support::{Answer, authorization_request};

/// 403: the bearer lacks these.
#[track_caller]
fn assert_lacks(answer: &Answer, names: &str) {
    assert_eq!(answer.status, 403, "{}", answer.snapshot());
    let listed = names.replace(' ', ", ");
    let told = format!("You are missing the following required scopes: {listed}");
    assert_eq!(answer.json()["description"], told);
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(challenge.ends_with(&format!("scope=\"{names}\"")), "{challenge}");
}

impl World {
    async fn register(&self, bearer: &str, more: Value) -> Answer {
        let mut client = json!({"name": "Night", "identifier": "night"});
        client.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.app.post(CLIENTS).bearer(bearer).json(&json!({"client": client})).await
    }

    async fn change(&self, bearer: &str, client: u64, changes: Value) -> Answer {
        let path = format!("{CLIENTS}/{client}");
        self.app.put(&path).bearer(bearer).json(&json!({"client": changes})).await
    }

    async fn rekey(&self, bearer: &str, client: u64) -> Answer {
        self.app.put(&format!("{CLIENTS}/{client}/generate_secret.json")).bearer(bearer).await
    }

    /// The ceiling of Ada's `acme_reports`.
    async fn ceiling(&self, scope: &str) {
        let scope = Scope::parse(scope).unwrap();
        self.app.change_client(&self.reports, |client| client.allowed_scope = Some(scope)).await;
    }
}

#[tokio::test]
async fn a_client_registered_by_a_bearer_token_may_ask_for_what_the_token_may() {
    let world = World::new().await;
    for (held, denied) in
        [("oauth:write", "write"), ("write", "read"), ("read write", "impersonate")]
    {
        let bearer = world.bearer(held).await;
        let answer = world.register(&bearer, json!({})).await.expect(201).json();
        let record = &answer["client"];
        let names: Vec<&str> = held.split(' ').collect();
        assert_eq!(record["allowed_scopes"], json!(names));
        let secret = record["secret"].as_str().unwrap();
        assert_eq!(world.client_credentials("night", secret, held).await, held);
        for scope in [denied, "read write impersonate", "unrestricted impersonate"] {
            let got = world.client_credentials("night", secret, scope).await;
            assert_eq!(got, "invalid_scope", "{held}: {scope}");
        }
        let path = format!("{CLIENTS}/{}", record["id"]);
        world.app.delete(&path).bearer(&bearer).await.expect(204);
    }
}

#[tokio::test]
async fn a_bearer_token_registers_no_client_that_reaches_further() {
    let world = World::new().await;
    let zoe = world.app.admin("Zoe").await;
    let write = world.bearer("oauth:write").await;
    for (more, missing) in [
        (json!({"allowed_scopes": ["oauth:write", "read"]}), "read"),
        (json!({"allowed_scopes": ["unrestricted"]}), "unrestricted"),
        (json!({"allowed_scopes": ["not_there_yet"]}), "not_there_yet"),
        (json!({"user_id": zoe.id}), "read write impersonate"),
        (json!({"user_id": zoe.id, "allowed_scopes": ["oauth:write"]}), "read write impersonate"),
        (json!({"kind": "public", "allowed_scopes": ["write"]}), "write"),
    ] {
        assert_lacks(&world.register(&write, more).await, missing);
    }
    // Nothing was registered on the way.
    let list = world.app.get(CLIENTS).by(&world.ada).await.expect(200).json();
    assert_eq!(list["count"], 3);
    // What is wrong with a request is told before that.
    world.register(&write, json!({"name": "", "allowed_scopes": ["read"]})).await.expect(422);
    let full = world.bearer("unrestricted impersonate").await;
    world.register(&full, json!({"user_id": zoe.id})).await.expect(201);
}

#[tokio::test]
async fn a_bearer_token_gets_no_secret_of_a_client_that_reaches_further() {
    let world = World::new().await;
    let id = world.reports.id.get();
    let (write, both) = (world.bearer("write").await, world.bearer("read write").await);
    assert_lacks(&world.rekey(&write, id).await, "read impersonate");
    assert_lacks(&world.rekey(&both, id).await, "impersonate");
    world.ceiling("read tickets").await;
    assert_lacks(&world.rekey(&write, id).await, "read tickets");
    // The old secret still works: nothing was changed.
    let reports = &world.reports;
    let got = world.client_credentials("acme_reports", reports.secret(), "read").await;
    assert_eq!(got, "read");
    world.rekey(&both, id).await.expect(200);

    // Of a client that acts as another administrator it takes everything.
    let zoe = world.app.admin("Zoe").await;
    world.app.change_client(reports, |client| client.user_id = zoe.id).await;
    assert_lacks(&world.rekey(&both, id).await, "impersonate");

    // A public client that becomes confidential gets a secret too.
    let kind = json!({"kind": "confidential"});
    let answer = world.change(&write, world.mobile.id.get(), kind).await;
    assert_lacks(&answer, "read impersonate");
}

#[tokio::test]
async fn a_client_does_not_widen_itself_with_its_own_token() {
    let world = World::new().await;
    world.ceiling("oauth:write").await;
    let id = world.reports.id.get();
    let form = [("grant_type", "client_credentials"), ("scope", "oauth:write")];
    let answer = world.app.post("/oauth/token").by_client(&world.reports).form(&form).await;
    let own = answer.expect(200).json()["access_token"].as_str().unwrap().to_owned();
    for (changes, missing) in [
        (json!({"allowed_scopes": null}), "read write impersonate"),
        (json!({"allowed_scopes": ""}), "read write impersonate"),
        (json!({"allowed_scopes": ["oauth:write", "write"]}), "write"),
        (json!({"resource_server": true, "allowed_scopes": ["read"]}), "read"),
    ] {
        assert_lacks(&world.change(&own, id, changes).await, missing);
    }
    let secret = world.reports.secret();
    let got = world.client_credentials("acme_reports", secret, "write").await;
    assert_eq!(got, "invalid_scope");
    // It may rename itself, and get itself a new secret.
    world.change(&own, id, json!({"name": "Other"})).await.expect(200);
    world.rekey(&own, id).await.expect(200);
}

/// A confidential client is not asked about twice, so whoever adds an address to it and knows its
/// secret gets the codes of everybody who consented before.
#[tokio::test]
async fn codes_of_users_who_consented_are_not_sent_elsewhere_by_a_bearer_token() {
    let world = World::new().await;
    world.ceiling("write").await;
    world.app.grant(&world.victim, &world.reports, "write").await;
    let id = world.reports.id.get();
    let write = world.bearer("write").await;
    world.rekey(&write, id).await.expect(200);
    let there = ["https://evil.test/callback", "https://acme-reports.test/callback"];
    let answer = world.change(&write, id, json!({"redirect_uri": there})).await;
    assert_lacks(&answer, "read impersonate");
    // Nor in two steps.
    world.change(&write, id, json!({"redirect_uri": []})).await.expect(200);
    let answer = world.change(&write, id, json!({"redirect_uri": there[0]})).await;
    assert_lacks(&answer, "read impersonate");

    let browser = world.signed_in(&world.victim).await;
    let changes = [("redirect_uri", there[0]), ("scope", "write"), ("prompt", "none")];
    let answer = browser.get(&authorization_request(&world.reports, &changes)).await.expect(400);
    assert_eq!(answer.header("location"), None);
}

#[tokio::test]
async fn a_narrow_bearer_token_stops_a_client_that_reaches_further() {
    let world = World::new().await;
    let id = world.reports.id.get();
    let (zoe, narrow) = (world.app.admin("Zoe").await, world.bearer("oauth:write").await);
    let other = world.app.created_token(&zoe, &world.evil, "oauth:write").await.access;
    world.change(&narrow, id, json!({"allowed_scopes": ["read"]})).await.expect(200);
    world.change(&narrow, id, json!({"disabled": true})).await.expect(200);
    assert!(!world.app.is_alive(&narrow).await);
    assert_lacks(
        &world.change(&other, id, json!({"disabled": false})).await,
        "read write impersonate",
    );
    world.app.delete(&format!("{CLIENTS}/{id}")).bearer(&other).await.expect(204);
}

#[tokio::test]
async fn an_administrator_by_basic_has_no_scope_to_exceed() {
    let world = World::new().await;
    let zoe = world.app.admin("Zoe").await;
    let body = json!({"client": {"name": "N", "identifier": "n", "user_id": zoe.id}});
    let made = world.app.post(CLIENTS).by(&world.ada).json(&body).await.expect(201).json();
    assert_eq!(made["client"].get("allowed_scopes"), None);
    let path = format!("{CLIENTS}/{}", made["client"]["id"]);
    let moved = json!({"client": {"redirect_uri": "https://new.test/callback"}});
    world.app.put(&path).by(&world.ada).json(&moved).await.expect(200);
    world.app.put(&format!("{path}/generate_secret")).by(&world.ada).await.expect(200);
}

#[tokio::test]
async fn an_api_token_is_neither_made_nor_brought_back_by_a_narrow_bearer_token() {
    let world = World::new().await;
    let path = format!("{API_TOKENS}/1");
    let set = |active: bool| json!({"api_token": {"active": active}});
    let narrow = world.bearer("read write").await;
    let made = world.app.post(API_TOKENS).bearer(&narrow).json(&json!({"api_token": {}})).await;
    assert_lacks(&made, "impersonate");
    world.app.put(&path).bearer(&narrow).json(&set(false)).await.expect(200);
    world.app.get("/api/v2/users/me").by(&world.ada).await.expect(401);
    assert_lacks(&world.app.put(&path).bearer(&narrow).json(&set(true)).await, "impersonate");
    world.app.get("/api/v2/users/me").by(&world.ada).await.expect(401);
    let full = world.bearer("read write impersonate").await;
    world.app.put(&path).bearer(&full).json(&set(true)).await.expect(200);
    world.app.get("/api/v2/users/me").by(&world.ada).await.expect(200);
}

/// What a record has and a request may not choose.
#[tokio::test]
async fn fields_that_are_not_the_callers_are_ignored_wherever_they_are_sent() {
    let world = World::new().await;
    let chosen = "a000000001_tokenry_00000000000000000000000000000000000000000000";
    let forged = json!({
        "id": 4711, "url": "https://evil.test/", "token": chosen, "full_token": chosen,
        "refresh_token": chosen, "secret": chosen, "hash": "x", "generation": 9, "role": "admin",
        "user_id": world.ada.id, "created_at": "2001-01-01T00:00:00Z", "global": true,
        "expires_at": "2999-01-01T00:00:00Z", "used_at": "2999-01-01T00:00:00Z",
        "last_used": "2999-01-01T00:00:00Z", "logo_url": "https://evil.test/x.png",
        "visible_token": "p000000001", "verified": true, "client_id": world.reports.id,
        "name": "N", "identifier": "n", "description": "d",
    });
    let zoe = world.app.admin("Zoe").await;
    for (path, member) in [(TOKENS, "token"), (CLIENTS, "client"), (API_TOKENS, "api_token")] {
        let body = json!({ member: forged });
        let made = world.app.post(path).by(&zoe).json(&body).await.expect(201).json();
        let record = &made[member];
        assert_ne!(record["id"], 4711, "{path}");
        assert_eq!(record["created_at"], "2026-03-05T12:00:00Z", "{path}");
        for name in ["token", "full_token", "secret", "visible_token"] {
            assert_ne!(record[name], forged[name], "{path} {name}");
        }
        for name in ["expires_at", "used_at", "last_used", "logo_url", "hash", "role"] {
            assert_eq!(record.get(name), None, "{path} {name}");
        }
        assert!(record.get("global").is_none_or(|global| global == false), "{path}");
        // The owner of a client alone is a choice; tokens are their maker's.
        let owner = if member == "client" { &world.ada } else { &zoe };
        assert_eq!(record["user_id"], owner.id.get(), "{path}");
    }
}

#[tokio::test]
async fn who_is_an_administrator_no_more_is_none_with_any_credential_given_before() {
    let world = World::new().await;
    let browser = world.signed_in(&world.ada).await;
    let bearer = world.bearer("read write").await;
    let form = [("grant_type", "client_credentials"), ("scope", "read write")];
    let answer = world.app.post("/oauth/token").by_client(&world.reports).form(&form).await;
    let machine = answer.expect(200).json()["access_token"].as_str().unwrap().to_owned();
    let code = consent(&browser, &authorization_request(&world.reports, &[])).await;
    assert!(code.location().contains("code="));
    for token in [&bearer, &machine] {
        world.app.get(CLIENTS).bearer(token).await.expect(200);
    }
    world.app.change_user(&world.ada, |user| user.role = Role::EndUser).await;
    for token in [&bearer, &machine] {
        world.app.get(CLIENTS).bearer(token).await.expect(403);
        world.app.get(&format!("{TOKENS}?all=true")).bearer(token).await.expect(403);
        let foreign = world.app.grant(&world.victim, &world.reports, "read").await;
        world.app.delete(&format!("{TOKENS}/{}", foreign.id)).bearer(token).await.expect(404);
    }
    world.app.get(CLIENTS).by(&world.ada).await.expect(403);
}

#[tokio::test]
async fn a_stopped_client_is_stopped_everywhere_at_once() {
    let world = World::new().await;
    let grant = world.app.grant(&world.victim, &world.reports, "read").await;
    let code = world.app.code(&world.victim, &world.reports, "read").await;
    let stop = |client: &mut tokenry_core::client::Client| client.status = ClientStatus::Disabled;
    world.app.change_client(&world.reports, stop).await;
    assert!(!world.app.is_alive(&grant.access).await);
    for form in [
        vec![("grant_type", "client_credentials")],
        vec![("grant_type", "refresh_token"), ("refresh_token", &*grant.refresh)],
        vec![("grant_type", "authorization_code"), ("code", &*code)],
    ] {
        let answer = world.app.post("/oauth/token").by_client(&world.reports).form(&form).await;
        assert_eq!(answer.refusal(), "401 invalid_client");
    }
    for path in ["/oauth/introspect", "/oauth/revoke"] {
        let form = [("token", &*grant.access)];
        let answer = world.app.post(path).by_client(&world.reports).form(&form).await;
        assert_eq!(answer.refusal(), "401 invalid_client", "{path}");
    }
    let browser = world.signed_in(&world.victim).await;
    let page = browser.get(&authorization_request(&world.reports, &[])).await.expect(400);
    assert_eq!(page.header("location"), None);
}
