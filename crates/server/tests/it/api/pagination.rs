//! Pages of lists. Docs: rules §7, records §8.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value;
use tokenry_server::keyring;

use super::{CLIENTS, TOKENS, World, assert_invalid_attribute, ids};
use crate::support::{Answer, BASE, TestUser};

/// Adds tokens of Ada's and returns their ids, ascending.
async fn tokens(world: &World, count: usize) -> Vec<u64> {
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push(world.app.created_token(&world.ada, &world.reports, "read").await.id.get());
    }
    ids
}

async fn get(world: &World, user: &TestUser, path_or_link: &str) -> Answer {
    let path = path_or_link.strip_prefix(BASE).unwrap_or(path_or_link);
    world.app.get(path).by(user).await
}

async fn page(world: &World, path_or_link: &str) -> Value {
    get(world, &world.ada, path_or_link).await.expect(200).json()
}

/// 400: a pagination parameter.
#[track_caller]
fn assert_refused(answer: &Answer, detail: &str) {
    let expected = serde_json::json!({"errors": [{
        "code": "InvalidPaginationParameter",
        "title": "Invalid pagination parameter",
        "detail": detail,
    }]});
    assert_eq!((answer.status, answer.json()), (400, expected));
}

const NOT_AFTER: &str = "page[after] is not a cursor of this list.";
const NOT_BEFORE: &str = "page[before] is not a cursor of this list.";

#[tokio::test]
async fn a_walk_forward_and_back_shows_every_record_once() {
    let world = World::new().await;
    let all = tokens(&world, 5).await;
    let first = page(&world, &format!("{TOKENS}.json?all=true&page%5Bsize%5D=2")).await;
    assert_eq!(ids(&first, "tokens"), all[..2]);
    assert_eq!(first["meta"]["has_more"], true);
    assert_eq!(first["meta"]["before_cursor"], Value::Null);
    assert_eq!(first["links"]["prev"], Value::Null);
    let after = first["meta"]["after_cursor"].as_str().unwrap();
    assert!(after.len() <= 200 && after.starts_with("v1.t."));
    assert_eq!(
        first["links"]["next"],
        format!("{BASE}{TOKENS}.json?all=true&page[size]=2&page[after]={after}")
    );
    assert_eq!(first.get("count"), None);
    assert_eq!(first.get("next_page"), None);

    let second = page(&world, first["links"]["next"].as_str().unwrap()).await;
    assert_eq!(ids(&second, "tokens"), all[2..4]);
    let last = page(&world, second["links"]["next"].as_str().unwrap()).await;
    assert_eq!(ids(&last, "tokens"), all[4..]);
    assert_eq!(last["meta"]["has_more"], false);
    assert_eq!(last["meta"]["after_cursor"], Value::Null);
    assert_eq!(last["links"]["next"], Value::Null);

    let before = last["meta"]["before_cursor"].as_str().unwrap();
    assert_eq!(
        last["links"]["prev"],
        format!("{BASE}{TOKENS}.json?all=true&page[size]=2&page[before]={before}")
    );
    let back = page(&world, last["links"]["prev"].as_str().unwrap()).await;
    assert_eq!(ids(&back, "tokens"), all[2..4], "ascending, and ending before the cursor");
    assert_eq!(back["meta"]["has_more"], true);
    let start = page(&world, back["links"]["prev"].as_str().unwrap()).await;
    assert_eq!(ids(&start, "tokens"), all[..2]);
    assert_eq!(start["meta"]["has_more"], false);
    assert_eq!(start["meta"]["before_cursor"], Value::Null);
    let forward = page(&world, start["links"]["next"].as_str().unwrap()).await;
    assert_eq!(ids(&forward, "tokens"), all[2..4]);
}

#[tokio::test]
async fn a_cursor_names_a_position_and_not_a_record() {
    let world = World::new().await;
    let all = tokens(&world, 3).await;
    let path = format!("{TOKENS}?page[size]=2");
    let first = page(&world, &path).await;
    for id in [all[1], all[2]] {
        let path = format!("{TOKENS}/{id}");
        world.app.delete(&path).by(&world.ada).await.expect(204);
    }
    let rest = page(&world, first["links"]["next"].as_str().unwrap()).await;
    let nothing = r#"{"tokens":[],"meta":{"has_more":false,"after_cursor":null,"before_cursor":null},"links":{"next":null,"prev":null}}"#;
    assert_eq!(rest.to_string(), nothing);
}

#[tokio::test]
async fn a_cursor_is_good_for_its_list_filters_and_caller_only() {
    let world = World::new().await;
    let zoe = world.app.admin("Zoe").await;
    tokens(&world, 2).await;
    let query = format!("all=true&client_id={}&page[size]=1", world.reports.id);
    let first = page(&world, &format!("{TOKENS}?{query}")).await;
    let cursor = first["meta"]["after_cursor"].as_str().unwrap();
    let good = format!("{TOKENS}?{query}&page[after]={cursor}");
    // Where a page begins has nothing to do with how long it is or how its query is written.
    for path in [
        good.clone(),
        good.replace("page[size]=1", "page[size]=5"),
        good.replace("page[size]=1&", ""),
        good.replace("all=true", "sort=id&all=1"),
        good.replace("all=true", "all=true&include_expired=false"),
        good.replace("page[after]", "page%5Bafter%5D"),
    ] {
        get(&world, &world.ada, &path).await.expect(200);
    }
    for (user, path) in [
        (&zoe, good.clone()),
        (&world.ada, good.replace("all=true", "all=false")),
        (&world.ada, good.replace("all=true", "all=true&include_expired=true")),
        (&world.ada, good.replace(&format!("client_id={}", world.reports.id), "client_id=2")),
        (&world.ada, good.replace(&format!("client_id={}", world.reports.id), "client_id=0")),
        (&world.ada, good.replace("client_id", "x_id")),
        (&world.ada, good.replace("client_id", "global_client_id")),
        (&world.ada, format!("{CLIENTS}?page[after]={cursor}")),
        (&world.ada, format!("/api/v2/users/me/oauth/clients?page[after]={cursor}")),
        (&world.ada, format!("/api/v2/oauth/global_clients?page[after]={cursor}")),
    ] {
        assert_refused(&get(&world, user, &path).await, NOT_AFTER);
    }
    let clients = page(&world, &format!("{CLIENTS}?page[size]=1")).await;
    let cursor = clients["meta"]["after_cursor"].as_str().unwrap();
    let mine = format!("/api/v2/users/me/oauth/clients?page[after]={cursor}");
    assert_refused(&get(&world, &world.ada, &mine).await, NOT_AFTER);
}

#[tokio::test]
async fn a_cursor_with_any_other_character_is_refused() {
    let world = World::new().await;
    tokens(&world, 2).await;
    let first = page(&world, &format!("{TOKENS}?page[size]=1")).await;
    let cursor = first["meta"]["after_cursor"].as_str().unwrap();
    for at in 0..cursor.len() {
        let other = if cursor.as_bytes()[at] == b'A' { 'B' } else { 'A' };
        let changed = format!("{}{other}{}", &cursor[..at], &cursor[at + 1..]);
        let path = format!("{TOKENS}?page[after]={changed}");
        assert_refused(&get(&world, &world.ada, &path).await, NOT_AFTER);
    }
    let long = "A".repeat(1_000);
    for other in ["", "x", &cursor[1..], &cursor[..20], &format!("{cursor}="), "v1.t..", &long] {
        let path = format!("{TOKENS}?page[before]={other}");
        assert_refused(&get(&world, &world.ada, &path).await, NOT_BEFORE);
    }
}

#[tokio::test]
async fn a_cursor_survives_a_restart_and_new_keys() {
    let world = World::new().await;
    let all = tokens(&world, 2).await;
    let first = page(&world, &format!("{TOKENS}?page[size]=1")).await;
    let next = first["links"]["next"].as_str().unwrap();
    let state = &world.app.state;
    let (store, entropy) = (state.store.as_ref(), state.environment.entropy.as_ref());
    keyring::rotate(store, &state.root_key, entropy, world.app.now()).await.unwrap();
    let restarted = world.app.restarted().await;
    let path = next.strip_prefix(BASE).unwrap();
    let answer = restarted.get(path).by(&world.ada).await.expect(200).json();
    assert_eq!(ids(&answer, "tokens"), all[1..]);
    let first = restarted.get(&format!("{TOKENS}?page[size]=1")).by(&world.ada).await;
    assert_ne!(first.json()["links"]["next"], next, "the new key makes the cursors now");
}

#[tokio::test]
async fn offset_pages_are_numbered_counted_and_linked() {
    let world = World::new().await;
    let all = tokens(&world, 5).await;
    let first = page(&world, &format!("{TOKENS}.json?sort=id&all=true&per_page=2&x=%20a")).await;
    assert_eq!(ids(&first, "tokens"), all[..2]);
    assert_eq!(first["count"], 5);
    assert_eq!(first["previous_page"], Value::Null);
    let base = format!("{BASE}{TOKENS}.json?sort=id&all=true&per_page=2&x=%20a");
    assert_eq!(first["next_page"], format!("{base}&page=2"), "every parameter stays as it was");
    assert_eq!(first.get("meta"), None);
    assert_eq!(first.get("links"), None);
    let second = page(&world, first["next_page"].as_str().unwrap()).await;
    assert_eq!(ids(&second, "tokens"), all[2..4]);
    assert_eq!(second["previous_page"], format!("{base}&page=1"));
    let third = page(&world, second["next_page"].as_str().unwrap()).await;
    assert_eq!(ids(&third, "tokens"), all[4..]);
    assert_eq!(third["next_page"], Value::Null);
    let beyond = page(&world, &format!("{TOKENS}?per_page=2&page=100")).await;
    assert_eq!(ids(&beyond, "tokens"), [0; 0]);
    assert_eq!((&beyond["count"], &beyond["next_page"]), (&Value::from(5), &Value::Null));
}

#[tokio::test]
async fn a_page_has_at_most_a_hundred_records() {
    let world = World::new().await;
    let all = tokens(&world, 101).await;
    for path in [TOKENS.to_owned(), format!("{TOKENS}?per_page=500"), format!("{TOKENS}?page=1")] {
        let first = page(&world, &path).await;
        assert_eq!(ids(&first, "tokens"), all[..100], "{path}");
        assert_eq!(first["count"], 101);
        assert!(first["next_page"].as_str().unwrap().ends_with("page=2"));
    }
    let cursor = page(&world, &format!("{TOKENS}?page[size]=100")).await;
    assert_eq!(cursor["meta"]["has_more"], true);
}

#[tokio::test]
async fn bounds_are_told_in_the_words_of_their_form() {
    let world = World::new().await;
    for (query, name) in [
        ("page=0", "page"),
        ("page=x", "page"),
        ("per_page=0", "per_page"),
        ("per_page=-1", "per_page"),
    ] {
        let answer = get(&world, &world.ada, &format!("{TOKENS}?{query}")).await;
        assert_invalid_attribute(&answer, name, "an integer of at least 1");
    }
    for query in ["page=1&page=1", "page[size]=1&page%5Bsize%5D=1", "per_page=1&per_page=1"] {
        let answer = get(&world, &world.ada, &format!("{CLIENTS}?{query}")).await;
        let name = query.split('=').next().unwrap();
        assert_invalid_attribute(&answer, name, "sent once");
    }
    for query in ["page[size]=0", "page[size]=101", "page%5Bsize%5D=x", "page[size]="] {
        let answer = get(&world, &world.ada, &format!("{TOKENS}?{query}")).await;
        assert_refused(&answer, "page[size] must be 1 to 100.");
    }
    let both = format!("{TOKENS}?page[after]=x&page[before]=y");
    let told = "page[after] and page[before] exclude each other.";
    assert_refused(&get(&world, &world.ada, &both).await, told);
    for query in ["page=1&page[size]=1", "per_page=1&page[after]=x"] {
        let answer = get(&world, &world.ada, &format!("{TOKENS}?{query}")).await;
        let told = "page and per_page exclude page[size], page[after] and page[before].";
        assert_refused(&answer, told);
    }
    let deep = get(&world, &world.ada, &format!("{TOKENS}?page=101")).await;
    assert_eq!(
        deep.snapshot(),
        "400 {\"errors\":[{\"code\":\"InvalidPaginationDepth\",\
         \"title\":\"Offset pagination is limited to page 100\",\
         \"detail\":\"Use cursor pagination for more than 10000 records.\"}]}"
    );
}

/// Addresses end up in logs, so no link repeats a credential.
#[tokio::test]
async fn no_link_repeats_a_credential() {
    let world = World::with(|config| config.record_api.token_in_query = true).await;
    tokens(&world, 2).await;
    let bearer = world.bearer("read").await;
    for query in ["per_page=1", "page[size]=1"] {
        let path = format!("{TOKENS}?access_token={bearer}&{query}");
        let answer = world.app.get(&path).await.expect(200);
        assert!(!answer.text().contains(&bearer), "{query}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// What was there when a walk began and is still there at its end is shown exactly once,
    /// whatever is made and ended meanwhile.
    #[test]
    fn a_walk_is_complete(
        size in 1_usize..6,
        count in 1_usize..20,
        ends in prop::collection::vec((0_usize..20, 0_usize..6), 0..6),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::new().await;
            let there = tokens(&world, count).await;
            let (mut seen, mut ended) = (Vec::new(), BTreeSet::new());
            let mut next = Some(format!("{TOKENS}?page[size]={size}"));
            let mut step = 0;
            while let Some(path) = next {
                let body = page(&world, &path).await;
                seen.extend(ids(&body, "tokens"));
                next = body["links"]["next"].as_str().map(str::to_owned);
                for (index, _) in ends.iter().filter(|(_, at)| *at == step) {
                    let id = there[index % count];
                    world.app.delete(&format!("{TOKENS}/{id}")).by(&world.ada).await;
                    ended.insert(id);
                    tokens(&world, 1).await;
                }
                step += 1;
            }
            let once: BTreeSet<u64> = seen.iter().copied().collect();
            assert_eq!(once.len(), seen.len(), "nothing twice");
            assert!(seen.is_sorted());
            for id in there {
                assert!(once.contains(&id) || ended.contains(&id), "{id} is missing");
            }
        });
    }
}
