//! Global clients. Docs: records §4.

use insta::assert_snapshot;

use serde_json::{Value, json};
use tokenry_core::client::ClientStatus;
use tokenry_protocol::{
    ids::{ClientId, TokenId},
    redirect_uri::{ClientKind, RedirectUri},
};
use tokenry_store::{IdSequence, Store as _};

use super::{
    CLIENTS, TOKENS, World, assert_missing_scope, assert_not_found, assert_wrong_role, ids,
};
use crate::support::{Door, TestClient};

const PATH: &str = "/api/v2/oauth/global_clients";

#[tokio::test]
async fn none_are_declared_and_that_is_an_empty_list() {
    let world = World::new().await;
    let answer = world.app.get(&format!("{PATH}.json")).by(&world.ada).await;
    assert_snapshot!(answer.snapshot(), @r#"200 {"global_clients":[],"count":0,"next_page":null,"previous_page":null}"#);
    let answer = world.app.get(&format!("{PATH}?page[size]=100")).by(&world.ada).await;
    assert_snapshot!(answer.snapshot(), @r#"200 {"global_clients":[],"meta":{"has_more":false,"after_cursor":null,"before_cursor":null},"links":{"next":null,"prev":null}}"#);
}

#[tokio::test]
async fn administrators_may_look() {
    let world = World::new().await;
    for user in [&world.ben, &world.cleo] {
        assert_wrong_role(&world.app.get(PATH).by(user).await);
    }
    let bearer = world.bearer("write").await;
    assert_missing_scope(&world.app.get(PATH).bearer(&bearer).await, "read");
    let bearer = world.bearer("oauth:read").await;
    world.app.get(PATH).bearer(&bearer).await.expect(200);
}

#[tokio::test]
async fn pages_are_asked_for_as_everywhere() {
    let world = World::new().await;
    for query in ["page=101", "page[size]=0", "page[after]=x", "page=1&page[size]=1", "page=0"] {
        world.app.get(&format!("{PATH}?{query}")).by(&world.ada).await.expect(400);
    }
}

/// What the configuration declares, one of them before it is there.
const STAR_CHARTS: u64 = 9_001;
const DECLARED: [u64; 3] = [9_001, 9_002, 9_003];

fn client_id(id: u64) -> ClientId {
    ClientId::new(id).unwrap()
}

async fn declaring() -> World {
    World::with(|config| config.record_api.global_clients = DECLARED.map(client_id).to_vec()).await
}

impl World {
    /// The client of the contract's example.
    async fn star_charts(&self) -> TestClient {
        let kind = ClientKind::Confidential;
        let add = self.app.add_client(client_id(STAR_CHARTS), "zdg-star-charts", kind, |client| {
            client.user_id = self.ada.id;
            "Star Charts".clone_into(&mut client.name);
            client.company = Some("Nebula GmbH".to_owned());
            let callback = "https://charts.acme.test/callback";
            client.redirect_uris = vec![RedirectUri::parse(callback, kind).unwrap()];
        });
        add.await
    }

    async fn global(&self, id: u64, identifier: &str) -> TestClient {
        let kind = ClientKind::Public;
        let owner = self.ada.id;
        self.app.add_client(client_id(id), identifier, kind, |client| client.user_id = owner).await
    }

    async fn listed(&self, query: &str) -> Value {
        self.app.get(&format!("{PATH}{query}")).by(&self.ada).await.expect(200).json()
    }
}

#[tokio::test]
async fn a_declared_client_is_listed_from_the_first_token_to_the_last() {
    let world = declaring().await;
    assert_eq!(world.listed("").await["count"], 0);
    let charts = world.star_charts().await;
    assert_eq!(world.listed("").await["count"], 0, "nobody has let it in");
    let grant = world.app.grant(&world.cleo, &charts, "read").await;
    let record = json!({
        "id": 9001, "identifier": "zdg-star-charts", "name": "Star Charts",
        "company": "Nebula GmbH",
    });
    let list = json!({
        "global_clients": [record], "count": 1, "next_page": null, "previous_page": null,
    });
    assert_eq!(world.listed(".json").await, list);
    let stop = world.app.change_client(&charts, |client| client.status = ClientStatus::Disabled);
    stop.await;
    assert_eq!(world.listed("").await["count"], 1, "it was stopped, and is there");
    let path = format!("{TOKENS}/{}", grant.id);
    world.app.delete(&path).by(&world.cleo).await.expect(204);
    assert_eq!(world.listed("").await["count"], 0);
}

#[tokio::test]
async fn all_that_is_known_of_a_global_client_is_shown() {
    let world = declaring().await;
    let charts = world.star_charts().await;
    let change = world.app.change_client(&charts, |client| {
        client.description = Some("Maps of the night sky".to_owned());
        client.logo_url = Some("https://charts.acme.test/logo.png".to_owned());
    });
    change.await;
    world.app.created_token(&world.ada, &charts, "read").await;
    let list = world.listed("").await;
    assert_eq!(list["global_clients"][0]["description"], "Maps of the night sky");
    assert_eq!(list["global_clients"][0]["logo_url"], "https://charts.acme.test/logo.png");
    for absent in ["secret", "redirect_uri", "url", "user_id"] {
        assert_eq!(list["global_clients"][0].get(absent), None, "{absent}");
    }
}

#[tokio::test]
async fn the_list_has_pages_in_both_forms() {
    let world = declaring().await;
    for (id, identifier) in DECLARED.into_iter().zip(["one", "two", "three"]) {
        let client = world.global(id, identifier).await;
        world.app.created_token(&world.ben, &client, "read").await;
    }
    let (mut walked, mut path) = (Vec::new(), "?page[size]=2".to_owned());
    loop {
        let page = world.listed(&path).await;
        walked.extend(ids(&page, "global_clients"));
        match page["links"]["next"].as_str() {
            Some(next) => path = next.split_once("global_clients").unwrap().1.to_owned(),
            None => break,
        }
    }
    assert_eq!(walked, DECLARED);
    let second = world.listed("?page=2&per_page=2").await;
    assert_eq!((ids(&second, "global_clients"), &second["count"]), (vec![9_003], &json!(3)));
    assert_eq!(second["next_page"], Value::Null);
}

#[tokio::test]
async fn a_global_client_is_none_of_the_accounts_own() {
    let world = declaring().await;
    let charts = world.star_charts().await;
    world.app.created_token(&world.ada, &charts, "read").await;
    for path in [CLIENTS, "/api/v2/users/me/oauth/clients"] {
        for query in ["", "?page[size]=2"] {
            let list = world.app.get(&format!("{path}{query}")).by(&world.ada).await.json();
            let own = [world.reports.id.get(), world.mobile.id.get()];
            assert_eq!(ids(&list, "clients"), own, "{path}{query}");
        }
        let list = world.app.get(path).by(&world.ada).await.json();
        assert_eq!(list["count"], 2);
    }
    let body = json!({"client": {"name": "Mine", "identifier": "ZDG-star-charts"}});
    world.app.post(CLIENTS).by(&world.ada).json(&body).await.expect(422);
}

/// Whoever sees a token of it can be told whose it is, and no more.
#[tokio::test]
async fn a_global_client_is_shown_and_neither_changed_nor_deleted() {
    let world = declaring().await;
    let charts = world.star_charts().await;
    let grant = world.app.grant(&world.cleo, &charts, "read").await;
    let body = json!({"client": {"name": "Mine"}});
    for alias in [CLIENTS, "/api/v2/clients"] {
        let path = format!("{alias}/{STAR_CHARTS}");
        let shown = world.app.get(&path).by(&world.ada).await.expect(200).json();
        assert_eq!(shown["client"]["global"], true);
        assert_eq!(shown["client"].get("secret"), None);
        assert_not_found(&world.app.put(&path).by(&world.ada).json(&body).await);
        assert_not_found(&world.app.delete(&path).by(&world.ada).await);
    }
    let path = format!("{CLIENTS}/{STAR_CHARTS}/generate_secret");
    assert_not_found(&world.app.put(&path).by(&world.ada).await);
    assert_eq!(world.listed("").await["global_clients"][0]["name"], "Star Charts");
    let refreshed = Door::Standard.refresh(&world.app, &charts, &grant.refresh, &[]).await;
    refreshed.expect(200);
}

/// Of one number there is one client, and each filter knows its own kind alone.
#[tokio::test]
async fn tokens_are_filtered_by_clients_of_either_kind() {
    let world = declaring().await;
    let charts = world.star_charts().await;
    let theirs: TokenId = world.app.created_token(&world.ada, &charts, "read").await.id;
    let own = world.app.created_token(&world.ada, &world.reports, "read").await.id;
    let local = world.reports.id;
    for (query, expected) in [
        (String::new(), vec![theirs, own]),
        (format!("?client_id={local}"), vec![own]),
        (format!("?global_client_id={STAR_CHARTS}"), vec![theirs]),
        (format!("?client_id={STAR_CHARTS}"), vec![]),
        (format!("?global_client_id={local}"), vec![]),
        (format!("?client_id={local}&global_client_id={STAR_CHARTS}"), vec![]),
        ("?global_client_id=9002".to_owned(), vec![]),
    ] {
        for also in ["all=true", "all=true&page[size]=9"] {
            let separator = if query.is_empty() { "?" } else { "&" };
            let path = format!("{TOKENS}{query}{separator}{also}");
            let list = world.app.get(&path).by(&world.ada).await.expect(200).json();
            let expected: Vec<u64> = expected.iter().map(|id| id.get()).collect();
            assert_eq!(ids(&list, "tokens"), expected, "{path}");
        }
    }
}

#[tokio::test]
async fn a_client_that_is_registered_here_never_comes_out_global() {
    let world = declaring().await;
    world.app.store.lease_ids(IdSequence::Clients, 9_000).await.unwrap();
    let mut made = Vec::new();
    for number in 0..2 {
        let body = json!({"client": {"name": "n", "identifier": format!("n{number}")}});
        let answer = world.app.post(CLIENTS).by(&world.ada).json(&body).await.expect(201).json();
        assert_eq!(answer["client"]["global"], false);
        made.push(answer["client"]["id"].as_u64().unwrap());
    }
    assert!(made.iter().all(|id| !DECLARED.contains(id)), "{made:?}");
}
