//! `tokens.access_token_format = "jwt"`: both doors give a JWT around the credential (RFC 9068),
//! and it is taken wherever an access token is.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tokenry_core::{jwt_access_token::named, policy::AccessTokenFormat};
use tokenry_server::{config::BaseUrl, jobs::flush, keyring};
use tokenry_store::Store as _;

use crate::support::{Answer, BASE, Door, GrantSpec, IssuedGrant, TestApp, TestClient, TestUser};

const CURRENT: &str = "/api/v2/oauth/tokens/current";

struct World {
    app: TestApp,
    ada: TestUser,
    client: TestClient,
}

impl World {
    async fn new() -> Self {
        Self::over(TestApp::with(|config| {
            config.tokens.access_token_format = AccessTokenFormat::Jwt;
        }))
        .await
    }

    async fn over(app: impl Future<Output = TestApp>) -> Self {
        let app = app.await;
        let ada = app.admin("Ada").await;
        let client = app.confidential_client("acme_reports", &ada).await;
        Self { app, ada, client }
    }

    async fn redeem(&self, door: Door, more: &[(&str, &str)]) -> Answer {
        let spec = GrantSpec::of("read tickets:write", &self.client);
        let code = self.app.code_of(&self.ada, &self.client, &spec).await;
        door.redeem(&self.app, &self.client, code.reveal(), more).await.expect(door.success())
    }

    async fn grant(&self) -> IssuedGrant {
        self.redeem(Door::Standard, &[]).await.tokens()
    }

    async fn introspect(&self, token: &str) -> Value {
        let call = self.app.post("/oauth/introspect").by_client(&self.client);
        call.form(&[("token", token)]).await.expect(200).json()
    }

    async fn revoke(&self, token: &str) {
        let call = self.app.post("/oauth/revoke").by_client(&self.client);
        call.form(&[("token", token)]).await.expect(200);
    }

    /// The reason and the place of the last refusal.
    async fn remembered(&self, grant: &IssuedGrant) -> Vec<(String, String)> {
        flush(&self.app.state).await.unwrap();
        let refusals = self.app.store.list_refusals(grant.id.get()).await.unwrap();
        let told = refusals.into_iter().map(|one| (one.reason.into(), one.place.into()));
        told.collect()
    }
}

fn claims(jwt: &str) -> Value {
    let payload = jwt.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

fn credential(jwt: &str) -> String {
    claims(jwt)["credential"].as_str().unwrap().to_owned()
}

/// The same with another scope in it.
fn changed(jwt: &str) -> String {
    let [header, payload, signature] = jwt.split('.').collect::<Vec<_>>().try_into().unwrap();
    let payload = URL_SAFE_NO_PAD.decode(payload).unwrap();
    let payload = String::from_utf8(payload).unwrap().replace("tickets:write", "oauth:write");
    format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(payload))
}

#[tokio::test]
async fn every_grant_gives_one_at_both_doors() {
    for door in Door::BOTH {
        let world = World::new().await;
        let redeemed = world.redeem(door, &[]).await.tokens();
        let refreshed = door.refresh(&world.app, &world.client, &redeemed.refresh, &[]).await;
        let refreshed = refreshed.expect(door.success()).tokens();
        let credentials = [("grant_type", "client_credentials")];
        let alone = door.ask(&world.app, &world.client, &credentials).await;
        let alone = alone.expect(door.success()).tokens();
        for tokens in [&redeemed, &refreshed, &alone] {
            assert_eq!(tokens.access.split('.').count(), 3, "{}", tokens.access);
            assert_eq!(claims(&tokens.access)["jti"], tokens.id.to_string());
        }
        assert_eq!(redeemed.refresh.len(), 64);
        assert_eq!(redeemed.id, refreshed.id);
        assert!(!world.app.is_alive(&redeemed.access).await);
        assert!(world.app.is_alive(&refreshed.access).await);
        assert!(world.app.is_alive(&alone.access).await);
    }
}

#[tokio::test]
async fn its_claims_are_what_introspection_says() {
    let world = World::new().await;
    let tokens = world.redeem(Door::Record, &[("expires_in", "600")]).await.tokens();
    let said = claims(&tokens.access);
    let described = world.introspect(&tokens.access).await;
    for name in ["iss", "sub", "client_id", "scope", "iat", "exp", "jti"] {
        assert_eq!(said[name], described[name], "{name}");
    }
    let noon = world.app.now().as_seconds();
    assert_eq!((&said["iat"], &said["exp"]), (&json!(noon), &json!(noon + 600)));
    assert_eq!((&said["iss"], &said["aud"]), (&json!(BASE), &json!(BASE)));
}

/// What lists and logs have is what is inside.
#[tokio::test]
async fn its_record_shows_the_beginning_of_the_credential_and_its_use() {
    let world = World::new().await;
    let tokens = world.grant().await;
    world.app.clock.advance(60);
    let record = world.app.get(CURRENT).bearer(&tokens.access).await.expect(200).json();
    assert_eq!(record["token"]["token"], credential(&tokens.access)[..10]);
    assert_eq!(record["token"]["used_at"], "2026-03-05T12:01:00Z");
}

#[tokio::test]
async fn it_may_stand_in_the_query_where_tokens_may() {
    let world = World::over(TestApp::with(|config| {
        config.tokens.access_token_format = AccessTokenFormat::Jwt;
        config.record_api.token_in_query = true;
    }))
    .await;
    let tokens = world.grant().await;
    let path = format!("/api/v2/users/me.json?access_token={}", tokens.access);
    let me = world.app.get(&path).await.expect(200).json();
    assert_eq!(me["user"]["email"], world.ada.email);
    let path = format!("/api/v2/users/me.json?access_token={}", changed(&tokens.access));
    world.app.get(&path).await.expect(401);
}

#[tokio::test]
async fn it_is_dead_as_soon_as_it_is_revoked_by_either_form() {
    for by_jwt in [true, false] {
        let world = World::new().await;
        let tokens = world.grant().await;
        let inside = credential(&tokens.access);
        assert!(world.app.is_alive(&tokens.access).await);
        assert!(world.app.is_alive(&inside).await, "the credential is what is checked");
        world.revoke(if by_jwt { &tokens.access } else { &inside }).await;
        for token in [&tokens.access, &inside] {
            assert!(!world.app.is_alive(token).await);
            assert_eq!(world.introspect(token).await, json!({"active": false}));
        }
        assert!(!world.app.is_refreshable(&world.client, &tokens.refresh).await);
    }
}

#[tokio::test]
async fn it_lives_as_long_as_its_record_says() {
    let world = World::new().await;
    let tokens = world.redeem(Door::Standard, &[("expires_in", "300")]).await.tokens();
    world.app.clock.advance(299);
    assert!(world.app.is_alive(&tokens.access).await);
    world.app.clock.advance(1);
    assert!(!world.app.is_alive(&tokens.access).await);
    let place = format!("GET {CURRENT}");
    assert_eq!(world.remembered(&tokens).await, [("expired".to_owned(), place)]);
}

/// Who may not know which it is is told what everybody is told; who runs the server knows.
#[tokio::test]
async fn one_that_was_changed_is_refused_and_remembered_by_what_it_names() {
    let world = World::new().await;
    let tokens = world.grant().await;
    let changed = changed(&tokens.access);
    assert_eq!(named(&changed).unwrap().reveal(), credential(&tokens.access));
    let refused = world.app.get(CURRENT).bearer(&changed).await;
    let garbage = world.app.get(CURRENT).bearer("garbage").await;
    assert_eq!((refused.status, refused.text()), (401, garbage.text()));
    let reason = "signature wrong".to_owned();
    let expected = [(reason.clone(), format!("GET {CURRENT}"))];
    assert_eq!(world.remembered(&tokens).await, expected);
    assert_eq!(world.introspect(&changed).await, json!({"active": false}));
    let expected = [(reason, "POST /oauth/introspect".to_owned())];
    assert_eq!(world.remembered(&tokens).await, expected);
    world.revoke(&changed).await;
    assert!(world.app.is_alive(&tokens.access).await);
}

#[tokio::test]
async fn a_lost_answer_is_given_again_byte_for_byte() {
    for door in Door::BOTH {
        let world = World::new().await;
        let before = world.grant().await;
        let first = door.refresh(&world.app, &world.client, &before.refresh, &[]).await.tokens();
        world.app.clock.advance(10);
        let again = door.refresh(&world.app, &world.client, &before.refresh, &[]).await.tokens();
        assert_eq!(again, first);

        // Past half the window lifetimes begin anew: another text around the same credential.
        world.app.clock.advance(10);
        let late = door.refresh(&world.app, &world.client, &before.refresh, &[]).await.tokens();
        assert_eq!(credential(&late.access), credential(&first.access));
        assert_eq!(claims(&late.access)["exp"], world.app.now().as_seconds() + 1_800);
        assert!(world.app.is_alive(&late.access).await);
        assert!(world.app.is_alive(&first.access).await);
    }
}

/// Nobody is logged out by a setting; and what the record API creates is opaque in any case.
#[tokio::test]
async fn both_forms_are_taken_whichever_is_given() {
    let world = World::new().await;
    let tokens = world.grant().await;
    let path = "/api/v2/oauth/tokens";
    let body = json!({"token": {"client_id": world.client.id.get(), "scopes": ["read"]}});
    let created = world.app.post(path).by(&world.ada).json(&body).await.expect(201).json();
    let created = created["token"]["full_token"].as_str().unwrap().to_owned();
    assert_eq!(created.len(), 64);
    assert!(world.app.is_alive(&created).await);

    let opaque = world
        .app
        .restarted_with(|config| config.tokens.access_token_format = AccessTokenFormat::Opaque)
        .await;
    assert!(opaque.is_alive(&tokens.access).await);
    let next = Door::Standard.refresh(&opaque, &world.client, &tokens.refresh, &[]).await;
    assert_eq!(next.tokens().access.len(), 64);
}

/// A server knows what it signed, also when clients have come to reach it by another address.
#[tokio::test]
async fn another_address_of_the_server_ends_no_token() {
    let world = World::new().await;
    let tokens = world.grant().await;
    let elsewhere = BaseUrl::at(([127, 0, 0, 1], 4001).into()).unwrap();
    let issuer = elsewhere.as_str().to_owned();
    let moved = world.app.restarted_with(|config| config.base_url = Some(elsewhere)).await;
    assert!(moved.is_alive(&tokens.access).await);
    let next = Door::Standard.refresh(&moved, &world.client, &tokens.refresh, &[]).await;
    assert_eq!(claims(&next.tokens().access)["iss"], issuer);
    assert_ne!(issuer, BASE);
}

#[tokio::test]
async fn it_outlives_the_key_that_signed_it() {
    let world = World::new().await;
    let tokens = world.grant().await;
    let (store, state) = (world.app.store.as_ref(), &world.app.state);
    let entropy = state.environment.entropy.as_ref();
    keyring::rotate(store, &state.root_key, entropy, world.app.now()).await.unwrap();
    state.keyring.reload(store, &state.root_key).await.unwrap();
    assert!(world.app.is_alive(&tokens.access).await);
    let next = world.grant().await;
    assert!(world.app.is_alive(&next.access).await);
}
