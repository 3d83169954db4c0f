//! Refresh tokens (RFC 6749 §6, RFC 9700 §4.14.2) at both doors: rotation in place, repeats, and
//! replays.

mod repeat;
mod single_use;

use futures_util::future::join_all;
use serde_json::json;
use tokenry_core::event::EventKind;
use tokenry_protocol::{
    scope::Scope,
    secret::{Credential, Kind},
};
use tokenry_store::Store as _;

use crate::support::{Answer, Door, GrantSpec, IssuedGrant, TestApp, TestClient, TestUser};

/// An administrator, a confidential client and a grant of 1,800 s.
struct World {
    app: TestApp,
    ada: TestUser,
    client: TestClient,
    grant: IssuedGrant,
}

impl World {
    async fn new() -> Self {
        Self::with_scope("read").await
    }

    async fn with_scope(scope: &'static str) -> Self {
        Self::of(TestApp::new().await, scope).await
    }

    async fn of(app: TestApp, scope: &'static str) -> Self {
        let ada = app.admin("Ada").await;
        let client = app.confidential_client("acme_reports", &ada).await;
        let grant = app.grant(&ada, &client, scope).await;
        Self { app, ada, client, grant }
    }

    async fn refresh(&self, door: Door, token: &str, more: &[(&str, &str)]) -> Answer {
        door.refresh(&self.app, &self.client, token, more).await
    }

    /// The record as its own user sees it, `None` when it is gone.
    async fn record(&self) -> Option<serde_json::Value> {
        let path = format!("/api/v2/oauth/tokens/{}.json", self.grant.id);
        let answer = self.app.get(&path).by(&self.ada).await;
        (answer.status == 200).then(|| answer.json()["token"].clone())
    }

    async fn events(&self) -> Vec<EventKind> {
        let events = self.app.store.list_events(self.grant.id).await.unwrap();
        events.iter().map(|event| event.kind).collect()
    }
}

#[track_caller]
fn refuse(answer: &Answer) {
    assert_eq!(answer.refusal(), "400 invalid_grant");
}

#[tokio::test]
async fn a_refresh_keeps_the_record_and_replaces_both_tokens() {
    for door in Door::BOTH {
        let world = World::new().await;
        assert!(world.app.is_alive(&world.grant.access).await);
        let before = world.record().await.unwrap();
        world.app.clock.advance(1_000);
        let asked = [("expires_in", "86400"), ("refresh_token_expires_in", "604800")];
        let answer = world.refresh(door, &world.grant.refresh, &asked).await;
        let tokens = answer.expect(door.success()).tokens();
        assert_eq!(tokens.id, world.grant.id);
        assert_ne!(tokens.access, world.grant.access);
        assert_ne!(tokens.refresh, world.grant.refresh);

        // The old access token was in the cache, and is dead by the time of the answer.
        assert!(!world.app.is_alive(&world.grant.access).await);
        let mut expected = before.clone();
        expected["expires_at"] = json!("2026-03-06T12:16:40Z");
        expected["refresh_token_expires_at"] = json!("2026-03-12T12:16:40Z");
        assert_eq!(world.record().await.unwrap(), expected);
        assert!(world.app.is_alive(&tokens.access).await);
    }
}

#[tokio::test]
async fn a_chain_of_refreshes_is_one_line_in_the_list() {
    let world = World::new().await;
    let mut tokens = world.grant.clone();
    for turn in 0..10_usize {
        world.app.clock.advance(60);
        let door = Door::BOTH[turn % 2];
        tokens = world.refresh(door, &tokens.refresh, &[]).await.tokens();
        assert!(world.app.is_alive(&tokens.access).await);
    }
    let list = world.app.get("/api/v2/oauth/tokens").by(&world.ada).await;
    assert_eq!(list.expect(200).json()["count"], 1);
}

#[tokio::test]
async fn a_refresh_that_names_no_lifetime_keeps_that_of_the_access_token() {
    for door in Door::BOTH {
        let world = World::new().await;
        let long = world.refresh(door, &world.grant.refresh, &[("expires_in", "86400")]).await;
        let next = world.refresh(door, &long.tokens().refresh, &[]).await.tokens();
        world.app.clock.advance(86_399);
        assert!(world.app.is_alive(&next.access).await);
        world.app.clock.advance(1);
        assert!(!world.app.is_alive(&next.access).await);
    }
}

#[tokio::test]
async fn every_refresh_token_starts_a_period_of_its_own() {
    for door in Door::BOTH {
        let world = World::new().await;
        world.app.clock.advance(2_000_000);
        let first = world.refresh(door, &world.grant.refresh, &[]).await.tokens();
        world.app.clock.advance(2_000_000);
        let second = world.refresh(door, &first.refresh, &[]).await.tokens();
        world.app.clock.advance(2_592_000);
        refuse(&world.refresh(door, &second.refresh, &[]).await);
        assert_eq!(world.events().await, []);
    }
}

#[tokio::test]
async fn a_grant_can_have_an_end_that_no_refresh_moves() {
    let app = TestApp::with(|config| {
        config.tokens.grant_lifetime_max = Some(std::time::Duration::from_secs(1_000_000));
    })
    .await;
    let ada = app.admin("Ada").await;
    let client = app.confidential_client("acme_reports", &ada).await;
    let grant = app.grant(&ada, &client, "read").await;
    app.clock.advance(600_000);
    let answer = Door::Standard.refresh(&app, &client, &grant.refresh, &[]).await;
    assert_eq!(answer.expect(200).json()["refresh_token_expires_in"], 400_000);
}

#[tokio::test]
async fn refreshing_is_no_use_of_the_access_token() {
    let world = World::new().await;
    world.refresh(Door::Standard, &world.grant.refresh, &[]).await.expect(200);
    assert!(world.record().await.unwrap().get("used_at").is_none());
}

#[tokio::test]
async fn a_scope_can_narrow_and_grow_back_to_what_was_approved() {
    for door in Door::BOTH {
        let world = World::with_scope("read tickets:write").await;
        let scope = |answer: &Answer| answer.json()["scope"].as_str().unwrap().to_owned();
        let narrow = [("scope", "tickets:read")];
        let narrowed = world.refresh(door, &world.grant.refresh, &narrow).await;
        assert_eq!(scope(&narrowed), "tickets:read");
        assert_eq!(world.record().await.unwrap()["scopes"], json!(["tickets:read"]));
        let all = world.refresh(door, &narrowed.tokens().refresh, &[]).await;
        assert_eq!(scope(&all), "read tickets:write");
        let wider = [("scope", "read write")];
        let refused = world.refresh(door, &all.tokens().refresh, &wider).await;
        assert_eq!(refused.refusal(), "400 invalid_scope");
    }
}

#[tokio::test]
async fn only_the_record_door_reads_the_plural() {
    let world = World::with_scope("read write").await;
    let plural = [("scopes", "read")];
    let record = world.refresh(Door::Record, &world.grant.refresh, &plural).await;
    assert_eq!(record.json()["scope"], "read");
    let refresh = record.tokens().refresh;
    let standard = world.refresh(Door::Standard, &refresh, &plural).await;
    assert_eq!(standard.json()["scope"], "read write");
}

#[tokio::test]
async fn a_client_that_may_have_nothing_of_the_grant_any_more_gets_nothing() {
    let world = World::with_scope("write").await;
    let change = |client: &mut tokenry_core::client::Client| {
        client.allowed_scope = Some(Scope::parse("tickets:read").unwrap());
    };
    world.app.change_client(&world.client, change).await;
    let answer = world.refresh(Door::Standard, &world.grant.refresh, &[]).await;
    assert_eq!(answer.refusal(), "400 invalid_scope");
}

#[tokio::test]
async fn an_old_refresh_token_ends_the_grant_even_within_the_window() {
    for door in Door::BOTH {
        let world = World::new().await;
        let first = world.refresh(door, &world.grant.refresh, &[]).await.tokens();
        let second = world.refresh(door, &first.refresh, &[]).await.tokens();
        assert!(world.app.is_alive(&second.access).await);
        refuse(&world.refresh(door, &world.grant.refresh, &[]).await);
        assert!(!world.app.is_alive(&second.access).await);
        refuse(&world.refresh(door, &second.refresh, &[]).await);
        assert_eq!(world.record().await, None);
        assert_eq!(world.events().await, [EventKind::RefreshTokenReplayed]);
    }
}

#[tokio::test]
async fn a_refresh_token_that_was_made_up_harms_nobody() {
    let world = World::new().await;
    let current = world.refresh(Door::Standard, &world.grant.refresh, &[]).await.tokens();
    let mut parts = *Credential::parse(&world.grant.refresh).unwrap().parts();
    parts.secret[0] ^= 1;
    let forged = Credential::assemble(parts);
    let future = world.app.mint(Kind::RefreshToken, world.grant.id.get(), 3);
    for door in Door::BOTH {
        for wrong in [forged.reveal(), future.reveal(), &current.access, "garbage"] {
            refuse(&world.refresh(door, wrong, &[]).await);
        }
    }
    assert!(world.app.is_alive(&current.access).await);
    assert_eq!(world.events().await, []);
}

/// RFC 6749 §5.2: issued to another client.
#[tokio::test]
async fn another_client_gets_nothing_and_the_owner_is_unharmed() {
    for door in Door::BOTH {
        let world = World::new().await;
        let mobile = world.app.public_client("acme_mobile", &world.ada).await;
        refuse(&door.refresh(&world.app, &mobile, &world.grant.refresh, &[]).await);
        assert_eq!(world.events().await, [EventKind::PresentedByForeignClient]);
        assert!(world.app.is_alive(&world.grant.access).await);
        let current = world.refresh(door, &world.grant.refresh, &[]).await.tokens();

        // An old token in a stranger's hands is no replay either.
        let next = world.refresh(door, &current.refresh, &[]).await.tokens();
        refuse(&door.refresh(&world.app, &mobile, &world.grant.refresh, &[]).await);
        assert!(world.app.is_alive(&next.access).await);
    }
}

#[tokio::test]
async fn an_expired_refresh_token_ends_nothing() {
    for door in Door::BOTH {
        let app = TestApp::new().await;
        let ada = app.admin("Ada").await;
        let client = app.confidential_client("acme_reports", &ada).await;
        let spec = GrantSpec {
            expires_in: Some(172_800),
            refresh_token_expires_in: Some(604_800),
            ..GrantSpec::of("read", &client)
        };
        let grant = app.grant_of(&ada, &client, &spec).await;
        app.clock.advance(604_800);
        refuse(&door.refresh(&app, &client, &grant.refresh, &[]).await);
        assert!(app.token(grant.id).await.is_some());
    }
}

#[tokio::test]
async fn whoever_is_gone_ends_the_refresh() {
    for door in Door::BOTH {
        let world = World::new().await;
        let cleo = world.app.end_user("Cleo").await;
        let grant = world.app.grant(&cleo, &world.client, "read").await;
        world.app.change_user(&cleo, |user| user.suspended = true).await;
        refuse(&world.refresh(door, &grant.refresh, &[]).await);
        world.app.change_user(&cleo, |user| user.suspended = false).await;
        let grant = world.refresh(door, &grant.refresh, &[]).await.tokens();

        let revoke = format!("/api/v2/oauth/tokens/{}", grant.id);
        world.app.delete(&revoke).by(&world.ada).await.expect(204);
        refuse(&world.refresh(door, &grant.refresh, &[]).await);

        let delete = format!("/api/v2/oauth/clients/{}", world.client.id);
        world.app.delete(&delete).by(&world.ada).await.expect(204);
        let answer = world.refresh(door, &world.grant.refresh, &[]).await;
        assert_eq!(answer.refusal(), "401 invalid_client");
    }
}

#[tokio::test]
async fn many_refreshes_at_once_are_one_rotation_and_one_answer() {
    for door in Door::BOTH {
        // Once with everybody deciding before anybody writes, once as it comes.
        for held in [24, 0] {
            let world = World::new().await;
            let hold = (held > 0).then(|| world.app.store.hold_find_token(held));
            let refresh = &world.grant.refresh;
            let call = |_| door.refresh(&world.app, &world.client, refresh, &[]).into_future();
            let release = async {
                if let Some(hold) = &hold {
                    hold.reached().await;
                    hold.release();
                }
            };
            let (answers, ()) =
                futures_util::future::join(join_all((0..24).map(call)), release).await;
            let first = answers[0].clone().expect(door.success());
            for answer in &answers {
                assert_eq!((answer.status, answer.json()), (first.status, first.json()));
            }
            let tokens = first.tokens();
            assert!(world.app.is_alive(&tokens.access).await);
            let rotation = Credential::parse(&tokens.access).unwrap().parts().rotation;
            assert_eq!(rotation, 2);
            world.refresh(door, &tokens.refresh, &[]).await.expect(door.success());
        }
    }
}
