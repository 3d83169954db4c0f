//! `tokenry client …`: clients of a running server.

use insta::assert_snapshot;

use super::{site::Site, terminal::Terminal};
use crate::client::{App, Client};

const CREATE: [&str; 7] = [
    "client",
    "create",
    "--identifier",
    "acme",
    "--name",
    "Acme 日本",
    "--redirect-uri=https://acme.test/callback",
];

/// With a client.
fn site() -> Site {
    let site = Site::signed_in();
    assert_eq!(site.code(&CREATE), Some(0));
    site
}

#[test]
fn clients_are_listed_in_every_format() {
    let site = site();
    let told = ["", "--json", "--yaml", "--csv", "-q"].map(|format| {
        let list = ["client", "list", format];
        site.told(list.split(|word| word.is_empty()).next().unwrap())
    });
    assert_snapshot!(told.join("\n\n"));
}

#[test]
fn a_client_is_shown_by_identifier_and_by_id() {
    let site = site();
    let told = [
        site.told(&["client", "show", "acme"]),
        site.told(&["client", "show", "1", "--json"]),
        site.told(&["client", "show", "nobody"]),
        site.told(&["client", "show", "999"]),
    ];
    assert_snapshot!(told.join("\n\n"));
}

#[test]
fn the_secret_of_a_new_client_is_shown_once_and_works() {
    let site = Site::signed_in();
    assert_snapshot!(site.told(&CREATE));
    let create = ["client", "create", "--identifier", "nightly", "--json"];
    let made = site.json(&create);
    let secret = made["secret"].as_str().unwrap().to_owned();
    let app = App { id: made["id"].as_u64().unwrap(), identifier: "nightly".to_owned(), secret };
    Client::new(&site.server.base).issue(&app).unwrap().expect(200);
    for arguments in [&["client", "list", "--json"][..], &["client", "show", "nightly"]] {
        let output = site.command(arguments).output().unwrap();
        assert!(!String::from_utf8(output.stdout).unwrap().contains(&app.secret));
    }
    let quiet = ["client", "create", "--identifier", "quiet", "-q"];
    assert!(site.told(&quiet).contains("── stdout\n[credential]\n── exit"));
    let again = ["client", "generate-secret", "quiet", "--yes", "-q"];
    assert!(site.told(&again).contains("── stdout\n[credential]\n── exit"));
    let public = ["client", "create", "--identifier", "page", "--kind", "public", "-q"];
    let public = [&public[..], &["--redirect-uri", "https://acme.test/cb"]].concat();
    assert!(site.told(&public).contains("── stdout\n4\n"), "there is no secret");
}

#[test]
fn a_client_that_is_wrong_is_told_by_field() {
    let site = site();
    let told = [
        site.told(&CREATE),
        site.told(&[
            "client",
            "create",
            "--identifier",
            "b",
            "--redirect-uri",
            "nonsense",
            "--name=",
        ]),
        site.told(&["client", "update", "acme"]),
        site.told(&["client", "update", "acme", "--access-token-lifetime-max", "soon"]),
    ];
    assert_snapshot!(told.join("\n\n"));
}

#[test]
fn a_client_is_changed_as_told_and_nothing_else_of_it() {
    let site = site();
    let update =
        |options: &[&str]| site.json(&[&["client", "update", "acme", "--json"], options].concat());
    let changed = update(&["--scope", "read users:write", "--access-token-lifetime-max", "900"]);
    assert_eq!(changed["allowed_scopes"], serde_json::json!(["read", "users:write"]));
    assert_eq!(changed["access_token_lifetime_max"], 900);
    assert_eq!(changed["name"], "Acme 日本");
    let changed = update(&["--scope", "", "--access-token-lifetime-max", "", "--company", "Acme"]);
    assert!(changed.get("allowed_scopes").is_none(), "{changed}");
    assert!(changed.get("access_token_lifetime_max").is_none(), "{changed}");
    assert_eq!(changed["company"], "Acme");
    assert_eq!(changed["redirect_uri"], serde_json::json!(["https://acme.test/callback"]));
    let changed =
        update(&["--redirect-uri", "https://a.test/x", "--redirect-uri=https://a.test/y"]);
    assert_eq!(
        changed["redirect_uri"],
        serde_json::json!(["https://a.test/x", "https://a.test/y"])
    );
    let told = [
        site.told(&["client", "update", "acme", "--disable"]),
        site.told(&["client", "show", "acme"]),
        site.told(&["client", "update", "acme", "--enable", "--identifier", "acme_2"]),
    ];
    assert_snapshot!(told.join("\n\n"));
}

#[test]
fn a_client_is_deleted_with_its_tokens_after_a_yes() {
    let site = Site::signed_in();
    let client = Client::new(&site.server.base);
    let (_, tokens) = client.prepare(&site.ada, 2);
    assert_snapshot!(site.told(&["client", "delete", "durable"]));
    let mut terminal = Terminal::start(&site.command(&["client", "delete", "durable"]), 100);
    terminal.wait_for("Delete client 1 (durable) with its 2 tokens, for good? [y/N] ");
    terminal.enter("n\n");
    assert_eq!(terminal.end().1.code(), Some(1));
    assert_eq!(client.is_alive(&tokens[0].access), Some(true));
    assert_snapshot!("deleted", site.told(&["client", "delete", "durable", "--yes"]));
    assert_eq!(client.is_alive(&tokens[0].access), Some(false));
    assert_eq!(site.code(&["client", "show", "durable"]), Some(3));
}

#[test]
fn a_new_secret_is_shown_once_and_ends_the_one_before() {
    let site = Site::signed_in();
    let client = Client::new(&site.server.base);
    let app = client.register(&site.ada);
    let told = [
        site.told(&["client", "generate-secret", "durable"]),
        site.told(&["client", "generate-secret", "durable", "--yes"]),
    ];
    assert_snapshot!(told.join("\n\n"));
    client.issue(&app).unwrap().expect(401);
    let made = site.json(&["client", "generate-secret", "1", "--yes", "--json"]);
    let app = App { secret: made["secret"].as_str().unwrap().to_owned(), ..app };
    client.issue(&app).unwrap().expect(200);
}

#[test]
fn a_list_of_more_than_a_page_is_whole_and_its_last_client_is_found_by_name() {
    let site = Site::signed_in();
    let client = Client::new(&site.server.base);
    for number in 1..=101 {
        client.register_as(&site.ada, &format!("app_{number}"));
    }
    let listed = site.json(&["client", "list", "--json"]);
    assert_eq!(listed.as_array().unwrap().len(), 101);
    assert_eq!(site.json(&["client", "show", "app_101", "--json"])["id"], 101);
}
