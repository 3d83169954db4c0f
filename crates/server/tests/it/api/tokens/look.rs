//! Listing, showing and `current`.

use insta::assert_snapshot;
use tokenry_protocol::{ids::TokenId, secret::Kind};
use tokenry_store::Store as _;

use crate::{
    api::{
        CLIENTS, TOKENS, World, assert_invalid_attribute, assert_invalid_token,
        assert_missing_scope, assert_not_found, assert_wrong_role, ids,
    },
    support::{BASE, GrantSpec, TestUser},
};

/// The ids of a list, as this user sees it.
async fn listed(world: &World, user: &TestUser, query: &str) -> Vec<u64> {
    let answer = world.app.get(&format!("{TOKENS}{query}")).by(user).await.expect(200);
    let body = answer.json();
    let ids = ids(&body, "tokens");
    assert_eq!(body["count"], ids.len());
    ids
}

#[tokio::test]
async fn everybody_lists_what_has_access_to_the_own_account() {
    let world = World::new().await;
    let ada = world.app.created_token(&world.ada, &world.reports, "read write").await;
    let cleo = world.app.grant(&world.cleo, &world.mobile, "read users:read").await;
    assert_eq!(listed(&world, &world.ada, "").await, [ada.id.get()]);
    assert_eq!(listed(&world, &world.ben, "").await, [0; 0]);
    assert_eq!(listed(&world, &world.ada, "?all=true").await, [ada.id.get(), cleo.id.get()]);

    let answer = world.app.get(&format!("{TOKENS}.json")).by(&world.ada).await;
    assert_snapshot!(answer.snapshot(), @r#"200 {"tokens":[{"client_id":1,"created_at":"2026-03-05T12:00:00Z","id":1,"scopes":["read","write"],"token":"a000000001","url":"http://127.0.0.1:4000/api/v2/tokens/1.json","user_id":1}],"count":1,"next_page":null,"previous_page":null}"#);
    let answer = world.app.get(TOKENS).by(&world.cleo).await;
    assert_snapshot!(answer.snapshot(), @r#"200 {"tokens":[{"client_id":2,"created_at":"2026-03-05T12:00:00Z","expires_at":"2026-03-05T12:30:00Z","id":2,"refresh_token":"r000000002","refresh_token_expires_at":"2026-04-04T12:00:00Z","scopes":["read","users:read"],"token":"a000000002","url":"http://127.0.0.1:4000/api/v2/tokens/2.json","user_id":3}],"count":1,"next_page":null,"previous_page":null}"#);
}

#[tokio::test]
async fn only_administrators_list_everybodys() {
    let world = World::new().await;
    for user in [&world.ben, &world.cleo] {
        for query in ["?all=true", "?all=1", "?all=TRUE&page=0"] {
            let answer = world.app.get(&format!("{TOKENS}{query}")).by(user).await;
            assert_wrong_role(&answer);
        }
        assert_eq!(listed(&world, user, "?all=false").await, [0; 0]);
    }
    let answer = world.app.get(&format!("{TOKENS}?all=yes")).by(&world.ada).await;
    assert_invalid_attribute(&answer, "all", "true or false");
    let answer = world.app.get(&format!("{TOKENS}?all=true&all=true")).by(&world.ada).await;
    assert_invalid_attribute(&answer, "all", "sent once");
}

#[tokio::test]
async fn a_list_can_be_of_one_client() {
    let world = World::new().await;
    let reports = world.app.created_token(&world.ada, &world.reports, "read").await.id.get();
    let mobile = world.app.grant(&world.ada, &world.mobile, "read").await.id.get();
    let of_ben = world.app.grant(&world.ben, &world.mobile, "read").await.id.get();
    let client = world.mobile.id;
    for (query, expected) in [
        (format!("?client_id={client}"), vec![mobile]),
        (format!("?all=true&client_id={client}"), vec![mobile, of_ben]),
        (format!("?client_id={}", world.reports.id), vec![reports]),
        ("?client_id=4711".to_owned(), vec![]),
        ("?client_id=0".to_owned(), vec![]),
        ("?client_id=99999999999999999999".to_owned(), vec![]),
        // There are no global clients.
        ("?all=true&global_client_id=1".to_owned(), vec![]),
        (format!("?all=true&client_id={client}&global_client_id={client}"), vec![]),
    ] {
        assert_eq!(listed(&world, &world.ada, &query).await, expected, "{query}");
    }
    for name in ["client_id", "global_client_id"] {
        for value in ["acme_reports", "", "4.1"] {
            let answer = world.app.get(&format!("{TOKENS}?{name}={value}")).by(&world.ada).await;
            assert_invalid_attribute(&answer, name, "an integer");
        }
    }
    let answer =
        world.app.get(&format!("{TOKENS}?client_id=4711&page[size]=100")).by(&world.ada).await;
    assert_snapshot!(answer.snapshot(), @r#"200 {"tokens":[],"meta":{"has_more":false,"after_cursor":null,"before_cursor":null},"links":{"next":null,"prev":null}}"#);
}

#[tokio::test]
async fn a_record_is_there_from_its_first_token_until_both_have_expired() {
    let world = World::new().await;
    world.app.code(&world.cleo, &world.mobile, "read").await;
    let spec = GrantSpec {
        refresh_token_expires_in: Some(604_800),
        ..GrantSpec::of("read", &world.mobile)
    };
    let grant = world.app.grant_of(&world.cleo, &world.mobile, &spec).await;
    let path = format!("{TOKENS}/{}", grant.id);
    let id = grant.id.get();
    world.app.clock.advance(604_799);
    assert_eq!(listed(&world, &world.cleo, "").await, [id], "a code is no record");
    world.app.get(&path).by(&world.cleo).await.expect(200);
    world.app.clock.advance(1);
    assert_eq!(listed(&world, &world.cleo, "").await, [0; 0]);
    for user in [&world.cleo, &world.ada] {
        assert_not_found(&world.app.get(&path).by(user).await);
        assert_not_found(&world.app.delete(&path).by(user).await);
    }
}

/// Grants that expired by themselves, for 30 days; what was never consented to goes at once, and so
/// does everything of a client or user who is gone.
#[tokio::test]
async fn administrators_list_expired_grants_for_30_days() {
    let world = World::new().await;
    let gone = world.app.confidential_client("gone", &world.ada).await;
    let grant = world.app.grant(&world.cleo, &world.mobile, "read").await;
    let other = world.app.grant(&world.ben, &world.mobile, "read").await;
    world.app.grant(&world.cleo, &gone, "read").await;
    let created = world.app.created_token(&world.ada, &world.reports, "read").await.id.get();
    let revoked = world.app.grant(&world.cleo, &world.mobile, "read").await;
    let path = format!("{TOKENS}/{}", revoked.id);
    world.app.delete(&path).by(&world.cleo).await.expect(204);
    let path = format!("{CLIENTS}/{}", gone.id);
    world.app.delete(&path).by(&world.ada).await.expect(204);

    let (with_expired, expired) = ("?all=true&include_expired=true", [grant.id, other.id]);
    let [grant, other] = expired.map(TokenId::get);
    world.app.clock.advance(30 * 86_400);
    for query in ["?all=true", "?all=true&include_expired=false", "?include_expired=0"] {
        assert_eq!(listed(&world, &world.ada, query).await, [created], "{query}");
    }
    assert_eq!(listed(&world, &world.ada, with_expired).await, [grant, other, created]);
    let query = format!("{with_expired}&client_id={}", world.mobile.id);
    assert_eq!(listed(&world, &world.ada, &query).await, [grant, other]);
    let query = format!("{with_expired}&client_id={}", world.reports.id);
    assert_eq!(listed(&world, &world.ada, &query).await, [created]);
    // Their own users do not see them, and nobody can do anything with them.
    assert_eq!(listed(&world, &world.cleo, "").await, [0; 0]);
    let path = format!("{TOKENS}/{grant}");
    assert_not_found(&world.app.get(&path).by(&world.ada).await);

    world.app.clock.advance(30 * 86_400 - 1);
    assert_eq!(listed(&world, &world.ada, with_expired).await, [grant, other, created]);
    world.app.clock.advance(1);
    assert_eq!(listed(&world, &world.ada, with_expired).await, [created]);
}

#[tokio::test]
async fn expired_grants_are_listed_in_pages_with_the_others() {
    let world = World::new().await;
    let mut all = Vec::new();
    for _ in 0..3 {
        all.push(world.app.grant(&world.cleo, &world.mobile, "read").await.id.get());
        all.push(world.app.created_token(&world.ada, &world.reports, "read").await.id.get());
    }
    world.app.clock.advance(30 * 86_400);
    let mut path = format!("{TOKENS}?all=true&include_expired=true&page[size]=4");
    for expected in [&all[..4], &all[4..]] {
        let page = world.app.get(&path).by(&world.ada).await.expect(200).json();
        assert_eq!(ids(&page, "tokens"), expected);
        let next = page["links"]["next"].as_str().unwrap_or_default();
        next.strip_prefix(BASE).unwrap_or_default().clone_into(&mut path);
    }
    assert_eq!(path, "");
    let path = format!("{TOKENS}?all=true&include_expired=true&per_page=4");
    let page = world.app.get(&path).by(&world.ada).await.expect(200).json();
    assert_eq!((page["count"].as_u64(), ids(&page, "tokens")), (Some(6), all[..4].to_vec()));
}

#[tokio::test]
async fn expired_grants_are_asked_for_with_everybodys_or_not_at_all() {
    let world = World::new().await;
    let list = |query: &str, user| world.app.get(&format!("{TOKENS}{query}")).by(user);
    for user in [&world.ada, &world.ben] {
        for query in ["?include_expired=true", "?include_expired=1&all=false"] {
            let answer = list(query, user).await;
            assert_invalid_attribute(&answer, "include_expired", "used with all=true");
        }
        let answer = list("?include_expired=yes", user).await;
        assert_invalid_attribute(&answer, "include_expired", "true or false");
        let answer = list("?include_expired=1&include_expired=1", user).await;
        assert_invalid_attribute(&answer, "include_expired", "sent once");
    }
    assert_wrong_role(&list("?all=true&include_expired=true", &world.ben).await);
    assert_wrong_role(&list("?all=true&include_expired=yes", &world.ben).await);
}

#[tokio::test]
async fn a_record_resolves_at_its_url_and_at_its_address_with_and_without_json() {
    let world = World::new().await;
    let grant = world.app.grant(&world.ben, &world.mobile, "tickets:read").await;
    let expected = world.app.get(&format!("{TOKENS}/{}", grant.id)).by(&world.ben).await;
    assert_snapshot!(expected.snapshot(), @r#"200 {"token":{"client_id":2,"created_at":"2026-03-05T12:00:00Z","expires_at":"2026-03-05T12:30:00Z","id":1,"refresh_token":"r000000001","refresh_token_expires_at":"2026-04-04T12:00:00Z","scopes":["tickets:read"],"token":"a000000001","url":"http://127.0.0.1:4000/api/v2/tokens/1.json","user_id":2}}"#);
    for path in
        [format!("{TOKENS}/1.json"), "/api/v2/tokens/1".into(), "/api/v2/tokens/1.json".into()]
    {
        for user in [&world.ben, &world.ada] {
            let answer = world.app.get(&path).by(user).await;
            assert_eq!(answer.snapshot(), expected.snapshot(), "{path}");
        }
    }
}

#[tokio::test]
async fn a_foreign_record_answers_as_one_that_does_not_exist() {
    let world = World::new().await;
    let foreign = world.app.created_token(&world.ada, &world.reports, "read").await;
    let unknown = world.app.get(&format!("{TOKENS}/424242")).by(&world.ben).await;
    assert_not_found(&unknown);
    let own = world.app.get(&format!("{TOKENS}/{}", foreign.id)).by(&world.ben).await;
    assert_eq!(own.body, unknown.body);
    assert_eq!(own.headers.len(), unknown.headers.len());
    for id in ["first", "0", "01", "+1", "1.0", "9007199254740992", "1%2F2", "%31x"] {
        let answer = world.app.get(&format!("/api/v2/tokens/{id}")).by(&world.ada).await;
        assert_eq!(answer.status, 404, "{id}");
    }
}

#[tokio::test]
async fn a_last_use_is_told_exactly_and_looking_is_no_use() {
    let world = World::new().await;
    let grant = world.app.grant(&world.ben, &world.mobile, "read").await;
    let path = format!("{TOKENS}/{}", grant.id);
    let used_at = |answer: serde_json::Value| answer["token"].get("used_at").cloned();
    let shown = world.app.get(&path).by(&world.ben).await;
    assert_eq!(used_at(shown.json()), None);
    world.app.clock.advance(41);
    let current = world.app.get(&format!("{TOKENS}/current.json")).bearer(&grant.access).await;
    let expected = Some("2026-03-05T12:00:41Z".into());
    assert_eq!(used_at(current.json()), expected);
    world.app.clock.advance(60);
    // Nothing was flushed yet.
    assert_eq!(used_at(world.app.get(&path).by(&world.ben).await.json()), expected);
    let list = world.app.get(TOKENS).by(&world.ben).await.json();
    assert_eq!(list["tokens"][0]["used_at"], "2026-03-05T12:00:41Z");
    // Any use of the record API counts, whatever it answers.
    world.app.get(TOKENS).bearer(&grant.access).await.expect(200);
    world.app.delete(TOKENS).bearer(&grant.access).await.expect(405);
    let shown = world.app.get(&path).by(&world.ben).await;
    assert_eq!(used_at(shown.json()), Some("2026-03-05T12:01:41Z".into()));
    let restarted = {
        world.app.state.verifier.flush().await.unwrap();
        world.app.restarted().await
    };
    let shown = restarted.get(&path).by(&world.ben).await;
    assert_eq!(used_at(shown.json()), Some("2026-03-05T12:01:41Z".into()));
}

#[tokio::test]
async fn every_token_may_look_at_itself_whatever_its_scope() {
    let world = World::new().await;
    for scope in ["read", "write", "reed", "tickets:write", "impersonate"] {
        let token = world.app.created_token(&world.ben, &world.reports, scope).await;
        for path in [format!("{TOKENS}/current"), format!("{TOKENS}/current.json")] {
            let answer = world.app.get(&path).bearer(&token.access).await.expect(200);
            let record = &answer.json()["token"];
            assert_eq!(record["token"], token.access[..10]);
            assert_eq!(record["used_at"], "2026-03-05T12:00:00Z");
            assert_eq!(record.get("full_token"), None);
        }
    }
}

#[tokio::test]
async fn current_takes_a_live_access_token_and_nothing_else() {
    let world = World::new().await;
    let current = format!("{TOKENS}/current");
    for method in ["GET", "DELETE"] {
        let call = || world.app.call(method, &current);
        assert_invalid_token(&call().by(&world.ada).await);
        let nobody = call().await;
        assert_eq!(nobody.snapshot(), r#"401 {"error":"Couldn't authenticate you"}"#);
        assert_eq!(nobody.header("www-authenticate"), Some("Bearer realm=\"tokenry\""));
        let wrong = call().basic("ada@acme.test/token", "nonsense").await;
        assert_eq!(
            wrong.header("www-authenticate"),
            Some("Basic realm=\"tokenry\", charset=\"UTF-8\"")
        );
        let grant = world.app.grant(&world.ben, &world.mobile, "read").await;
        let unknown = world.app.mint(Kind::AccessToken, 4_711, 1);
        for dead in [
            grant.refresh.as_str(),
            &world.ada.api_token,
            world.reports.secret(),
            unknown.reveal(),
            "x",
            &grant.access[..63],
        ] {
            assert_invalid_token(&call().bearer(dead).await);
        }
        world.app.clock.advance(1_800);
        assert_invalid_token(&call().bearer(&grant.access).await);
    }
}

#[tokio::test]
async fn a_scope_for_reading_reads_and_one_for_writing_does_not() {
    let world = World::new().await;
    for (scope, covered) in [
        ("read", true),
        ("oauth:read", true),
        ("oauth", true),
        ("unrestricted", true),
        ("write", false),
        ("oauth:write", false),
        ("users:read", false),
        ("impersonate", false),
    ] {
        let token = world.app.created_token(&world.ben, &world.reports, scope).await;
        for path in [TOKENS, &format!("{TOKENS}/{}", token.id), "/api/v2/tokens/4711"] {
            let answer = world.app.get(path).bearer(&token.access).await;
            if covered {
                assert!(matches!(answer.status, 200 | 404), "{scope} {path}");
            } else {
                assert_missing_scope(&answer, "read");
            }
        }
    }
}

#[tokio::test]
async fn a_store_that_is_away_says_nothing_about_tokens() {
    let world = World::new().await;
    let cached = world.app.created_token(&world.ada, &world.reports, "read").await;
    let other = world.app.created_token(&world.ada, &world.reports, "read").await;
    assert!(world.app.is_alive(&cached.access).await);
    world.app.store.go_away();
    let current = format!("{TOKENS}/current.json");
    for call in [
        world.app.get(&current).bearer(&other.access),
        world.app.get(TOKENS).bearer(&cached.access),
        world.app.get(&format!("{TOKENS}/1")).bearer(&cached.access),
        world.app.get(TOKENS).by(&world.ada),
    ] {
        let answer = call.await;
        assert_eq!(
            answer.snapshot(),
            r#"503 {"error":"ServiceUnavailable","description":"Try again shortly."}"#
        );
        assert_eq!(answer.header("retry-after"), Some("2"));
        assert_eq!(answer.header("www-authenticate"), None);
    }
    // Forgeries are known without it, and so is what is cached.
    let forged = world.app.get(&current).bearer(&format!("{}0", &other.access[..63])).await;
    assert_eq!(forged.status, 401);
    assert!(world.app.is_alive(&cached.access).await);
    world.app.store.come_back();
    assert!(world.app.is_alive(&other.access).await);
    assert!(world.app.store.check().await.is_ok());
}
