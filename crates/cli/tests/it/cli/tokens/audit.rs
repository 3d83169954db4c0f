//! `tokenry audit`: who holds what, and what is wrong with it.

use insta::assert_snapshot;
use serde_json::{Value, json as value};

use super::{
    cast::{BULK, Cast},
    done, failed, json, timeless,
};

fn find(records: &[Value], kind: &str, id: u64) -> Value {
    let is_it = |record: &&Value| record["kind"] == kind && record["id"] == id;
    records.iter().find(is_it).unwrap().clone()
}

#[test]
fn every_token_and_every_api_token_is_shown_with_its_findings() {
    let cast = Cast::new();
    let records = json(cast.command(&["audit", "--json"]));
    assert_eq!(records.len() as u64, BULK + 5 + 2);
    let findings = |kind: &str, id: u64| find(&records, kind, id)["findings"].clone();
    let found = |id| findings("access_token", id);
    assert_eq!(found(cast.forgotten), value!(["never_expires", "unused"]));
    assert_eq!(found(cast.untouched), value!(["never_expires", "never_used"]));
    assert_eq!(found(cast.grant), value!([]));
    assert_eq!(found(cast.short), value!(["never_used", "client_without_redirect"]));
    let wide = ["never_expires", "wider_than_client", "user_suspended", "client_without_redirect"];
    assert_eq!(found(cast.suspended), value!(wide));
    assert_eq!(findings("api_token", 2), value!(["api_token", "never_used"]));
    let token = find(&records, "access_token", cast.suspended);
    assert_eq!(token["user_email"], "eve@acme.test");
    assert_eq!(token["client_identifier"], "nightly");
    assert_eq!(token["scopes"], value!(["read", "write"]));
    assert_eq!(find(&records, "api_token", 2)["user_email"], "ben@acme.test");
    let csv = done(cast.command(&["audit", "--csv"])).0;
    assert_eq!(csv.lines().count(), records.len() + 1);
    assert!(csv.starts_with("kind,id,user_id,user_email,client_id,client_identifier,"), "{csv}");
    let (ids, said) = done(cast.command(&["audit", "-q"]));
    assert!(ids.lines().any(|line| line == format!("access_token:{}", cast.grant)), "{ids}");
    assert!(ids.ends_with("api_token:1\napi_token:2\n"), "{ids}");
    assert_snapshot!("audit-summary", timeless(&said));
    let yaml = done(cast.command(&["audit", "--yaml", "--finding", "user_suspended"])).0;
    assert!(yaml.contains("findings:\n  - user_suspended\n"), "{yaml}");
    cast.server.stop();
}

#[test]
fn findings_can_be_chosen_and_make_a_check_fail() {
    let cast = Cast::new();
    let chosen = ["audit", "--finding", "wider_than_client", "--finding", "api_token"];
    let (table, _) = done(cast.command(&chosen));
    assert_snapshot!("audit-table", timeless(&table));
    let (code, said) = failed(cast.command(&[&chosen[..], &["--fail-on-findings"]].concat()));
    assert_eq!(code, 6, "{said}");
    assert!(said.contains("3 tokens of 1,007 with findings"), "{said}");
    let only = json(cast.command(&["audit", "--findings-only", "--json"]));
    let is_clean = |record: &Value| record["findings"] == value!([]);
    assert!(!only.iter().any(is_clean));
    let clean = ["audit", "--finding", "unused", "--unused", "52w", "--fail-on-findings", "-q"];
    assert_eq!(done(cast.command(&clean)).0, "");
    cast.server.stop();
}

#[test]
fn it_is_summed_up_by_client_by_user_and_by_scope() {
    let cast = Cast::new();
    let by = |what: &str| json(cast.command(&["audit", "--by", what, "--json"]));
    let clients = by("client");
    let counts: Vec<_> = clients
        .iter()
        .map(|group| (group["name"].clone(), group["access_tokens"].clone()))
        .collect();
    let expected = [("bulk", 1_000), ("reports", 3), ("API tokens", 0), ("nightly", 2)];
    assert_eq!(counts, expected.map(|(name, count)| (value!(name), value!(count))));
    assert_eq!(
        clients[0]["findings"],
        value!({"never_expires": 1000, "never_used": 500, "unused": 500})
    );
    let users = by("user");
    let ben = users.iter().find(|group| group["name"] == "ben@acme.test").unwrap();
    assert_eq!((&ben["access_tokens"], &ben["api_tokens"]), (&value!(1_003), &value!(1)));
    let scopes = by("scope");
    let write = scopes.iter().find(|group| group["name"] == "write").unwrap();
    assert_eq!(write["access_tokens"], 2);
    assert_snapshot!(
        "audit-by-client",
        timeless(&done(cast.command(&["audit", "--by", "client"])).0)
    );
    cast.server.stop();
}

#[test]
fn an_audit_is_for_administrators_and_says_what_it_may_not_see() {
    let cast = Cast::new();
    let (_, token) = cast.new_token();
    let create = ["token", "create", "--client", "reports", "--scope", "oauth:read", "-q"];
    let narrow = done(cast.command(&create)).0;
    let (ids, said) = done(cast.bearer(narrow.trim_end(), &["audit", "-q", "--by", "user"]));
    assert!(said.contains("You may not see users here, so they are shown by id."), "{said}");
    assert!(ids.contains("user 1\n"), "{ids}");
    let by_address = ["token", "revoke", "--user", "ben@acme.test", "--yes"];
    let (code, said) = failed(cast.bearer(narrow.trim_end(), &by_address));
    assert_eq!(code, 4, "{said}");
    assert!(said.contains("name the user by id"), "{said}");
    let whole = done(cast.bearer(&token, &["audit", "-q"])).1;
    assert!(!whole.contains("You may not see users"), "{whole}");
    let (code, said) = failed(cast.nobody(&["audit"]));
    assert_eq!(code, 4, "{said}");
    cast.server.stop();
}
