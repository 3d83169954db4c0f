//! `tokenry api-token …`: API tokens of a running server.

use insta::assert_snapshot;
use serde_json::json;

use super::site::Site;
use crate::client::Client;

fn create(site: &Site) -> String {
    let create = ["api-token", "create", "--description", "nightly, export"];
    site.told(&create)
}

#[test]
fn api_tokens_are_made_and_listed_in_every_format() {
    let site = Site::signed_in();
    let made = create(&site);
    let told = ["", "--json", "--yaml", "--csv", "-q"].map(|format| {
        let list = ["api-token", "list", format];
        site.told(list.split(|word| word.is_empty()).next().unwrap())
    });
    assert_snapshot!([&[made][..], &told].concat().join("\n\n"));
}

#[test]
fn an_api_token_is_shown_once_works_and_is_stopped_and_ended() {
    let site = Site::signed_in();
    let ben = site.create_user("ben@acme.test");
    let id = ben["id"].to_string();
    let made = site.json(&["api-token", "create", "--assigned-user-id", &id, "--json"]);
    let client = Client::new(&site.server.base);
    let quiet = ["api-token", "create", "--assigned-user-id", &id, "-q"];
    let alone = String::from_utf8(site.command(&quiet).output().unwrap().stdout).unwrap();
    let by_it = json!({"email": "ben@acme.test", "api_token": alone.strip_suffix('\n').unwrap()});
    assert_eq!(client.me(&by_it).status, 200);
    let ben = json!({"email": "ben@acme.test", "api_token": made["full_token"]});
    assert_eq!(client.me(&ben).status, 200);
    let id = made["id"].to_string();
    let told = [
        site.told(&["api-token", "show", &id]),
        site.told(&["api-token", "update", &id, "--disable", "--description", "old"]),
    ];
    assert_eq!(client.me(&ben).status, 401);
    let told = told.into_iter().chain([
        site.told(&["api-token", "update", &id, "--enable"]),
        site.told(&["api-token", "delete", &id]),
    ]);
    let told: Vec<String> = told.collect();
    assert_eq!(client.me(&ben).status, 200);
    let ended = [
        site.told(&["api-token", "delete", &id, "--yes"]),
        site.told(&["api-token", "delete", &id, "--yes"]),
        site.told(&["api-token", "update", &id]),
    ];
    assert_eq!(client.me(&ben).status, 401);
    assert_snapshot!([told, ended.to_vec()].concat().join("\n\n"));
}
