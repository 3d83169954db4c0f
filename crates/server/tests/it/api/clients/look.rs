//! Listing and showing.

use insta::assert_snapshot;

use crate::api::{CLIENTS, World, assert_missing_scope, assert_not_found, assert_wrong_role, ids};

const MINE: &str = "/api/v2/users/me/oauth/clients";

#[tokio::test]
async fn a_list_shows_the_first_characters_of_secrets() {
    let world = World::new().await;
    let answer = world.app.get(CLIENTS).by(&world.ada).await;
    assert_snapshot!(answer.snapshot(), @r#"200 {"clients":[{"id":1,"url":"http://127.0.0.1:4000/api/v2/clients/1.json","identifier":"acme_reports","name":"acme_reports","kind":"confidential","user_id":1,"redirect_uri":["https://acme-reports.test/callback"],"global":false,"secret":"s000000001","created_at":"2026-03-05T12:00:00Z","updated_at":"2026-03-05T12:00:00Z"},{"id":2,"url":"http://127.0.0.1:4000/api/v2/clients/2.json","identifier":"acme_mobile","name":"acme_mobile","kind":"public","user_id":1,"redirect_uri":["http://127.0.0.1/callback"],"global":false,"created_at":"2026-03-05T12:00:00Z","updated_at":"2026-03-05T12:00:00Z"}],"count":2,"next_page":null,"previous_page":null}"#);
    let path = format!("{CLIENTS}.json?page%5Bsize%5D=1");
    let body = world.app.get(&path).by(&world.ada).await.expect(200).json();
    assert_eq!(ids(&body, "clients"), [1]);
    assert_eq!(body["meta"]["has_more"], true);
}

#[tokio::test]
async fn ones_own_clients_are_a_list_of_their_own() {
    let world = World::new().await;
    let zoe = world.app.admin("Zoe").await;
    let other = world.app.public_client("zoes", &zoe).await;
    let mine = world.app.get(&format!("{MINE}.json")).by(&zoe).await.expect(200).json();
    assert_eq!(ids(&mine, "clients"), [other.id.get()]);
    assert_eq!(mine["count"], 1);
    let all = world.app.get(CLIENTS).by(&zoe).await.expect(200).json();
    assert_eq!(all["count"], 3);
    let mine = world.app.get(&format!("{MINE}?page[size]=1")).by(&world.ada).await.json();
    let next = mine["links"]["next"].as_str().unwrap();
    assert!(next.starts_with("http://127.0.0.1:4000/api/v2/users/me/oauth/clients?page[size]=1&"));
}

#[tokio::test]
async fn a_client_resolves_at_its_url_and_at_its_address() {
    let world = World::new().await;
    let record = |client: &mut tokenry_core::client::Client| {
        client.company = Some("Acme Ltd".to_owned());
        client.description = Some("Weekly figures".to_owned());
        client.logo_url = Some("https://acme.test/logo.png".to_owned());
    };
    world.app.change_client(&world.reports, record).await;
    let expected = world.app.get(&format!("{CLIENTS}/1")).by(&world.ada).await;
    assert_snapshot!(expected.snapshot(), @r#"200 {"client":{"id":1,"url":"http://127.0.0.1:4000/api/v2/clients/1.json","identifier":"acme_reports","name":"acme_reports","kind":"confidential","user_id":1,"redirect_uri":["https://acme-reports.test/callback"],"global":false,"company":"Acme Ltd","description":"Weekly figures","logo_url":"https://acme.test/logo.png","secret":"s000000001","created_at":"2026-03-05T12:00:00Z","updated_at":"2026-03-05T12:00:00Z"}}"#);
    for path in
        [format!("{CLIENTS}/1.json"), "/api/v2/clients/1".into(), "/api/v2/clients/1.json".into()]
    {
        let answer = world.app.get(&path).by(&world.ada).await;
        assert_eq!(answer.snapshot(), expected.snapshot(), "{path}");
    }
}

#[tokio::test]
async fn an_unknown_client_is_not_found() {
    let world = World::new().await;
    for id in ["4711", "0", "acme_reports", "9007199254740992"] {
        let path = format!("{CLIENTS}/{id}");
        assert_not_found(&world.app.get(&path).by(&world.ada).await);
        assert_not_found(&world.app.delete(&path).by(&world.ada).await);
        let body = serde_json::json!({"client": {"name": "x"}});
        assert_not_found(&world.app.put(&path).by(&world.ada).json(&body).await);
        let path = format!("{path}/generate_secret");
        assert_not_found(&world.app.put(&path).by(&world.ada).await);
    }
}

#[tokio::test]
async fn clients_are_for_administrators_with_the_scope() {
    let world = World::new().await;
    let one = format!("{CLIENTS}/{}", world.reports.id);
    let secret = format!("{one}/generate_secret");
    let (read, write) = (world.bearer("oauth:read").await, world.bearer("write").await);
    for (method, path) in [
        ("GET", CLIENTS),
        ("GET", MINE),
        ("GET", &one),
        ("POST", CLIENTS),
        ("PUT", &one),
        ("PUT", &secret),
        ("DELETE", &one),
    ] {
        for user in [&world.ben, &world.cleo] {
            assert_wrong_role(&world.app.call(method, path).by(user).await);
        }
        let (wrong, right, needed) = match method {
            "GET" => (&write, &read, "read"),
            _ => (&read, &write, "write"),
        };
        let answer = world.app.call(method, path).bearer(wrong).await;
        assert_missing_scope(&answer, needed);
        if method == "GET" {
            world.app.call(method, path).bearer(right).await.expect(200);
        }
    }
}
