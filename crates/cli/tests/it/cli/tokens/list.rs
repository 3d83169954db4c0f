//! `tokenry token list`.

use insta::assert_snapshot;
use serde_json::Value;

use super::{
    cast::{BULK, Cast},
    done, failed, ids, json, timeless,
};

/// The ids that a list with these options shows, but for those of the client `bulk`.
fn listed(cast: &Cast, options: &[&str]) -> Vec<u64> {
    let arguments: Vec<&str> = ["token", "list", "-q"].iter().chain(options).copied().collect();
    let mut ids = ids(cast.command(&arguments));
    ids.retain(|id| !cast.bulk.contains(id));
    ids
}

#[test]
fn every_rule_keeps_its_own_and_all_of_them_together() {
    let cast = Cast::new();
    let Cast { forgotten, untouched, grant, short, suspended, .. } = cast;
    let all = [forgotten, untouched, grant, short, suspended];
    for (options, expected) in [
        (&[][..], &all[..]),
        (&["--client", "reports"], &[forgotten, untouched, grant]),
        (&["--user", "BEN@acme.test"], &[forgotten, untouched, grant]),
        (&["--user", "1"], &[short]),
        (&["--user", "nobody@acme.test"], &[]),
        (&["--scope", "users:write"], &[untouched]),
        (&["--scope", "write"], &[grant, suspended]),
        (&["--unused", "90d"], &[forgotten, untouched]),
        (&["--unused", "15w"], &[untouched]),
        (&["--unused", "2d"], &[forgotten, untouched, suspended]),
        (&["--never-expires"], &[forgotten, untouched, suspended]),
        (&["--expiring", "12h"], &[short]),
        (&["--expiring", "4w"], &[short]),
        (&["--expiring", "30d"], &[grant, short]),
        (&["--older", "30d"], &[forgotten, untouched, suspended]),
        (&["--older", "41d"], &[forgotten, untouched]),
        (&["--older", "41d", "--scope", "read", "--user", "ben@acme.test"], &[forgotten]),
        (&["--mine"], &[short]),
    ] {
        assert_eq!(listed(&cast, options), expected, "{options:?}");
    }
    let own = ["token", "list", "-q", "--client", "bulk"];
    assert_eq!(ids(cast.command(&own)), cast.bulk);
    assert_eq!(cast.bulk.len() as u64, BULK);
    let unused = ["token", "list", "-q", "--client", "bulk", "--unused", "121d"];
    let never_used: Vec<u64> = cast.bulk.iter().skip(1).step_by(2).copied().collect();
    assert_eq!(ids(cast.command(&unused)), never_used);
    cast.server.stop();
}

#[test]
fn a_list_is_ordered_and_limited() {
    let cast = Cast::new();
    let Cast { forgotten, untouched, grant, short, suspended, .. } = cast;
    let sorted = |by: &str| listed(&cast, &["--sort", by]);
    assert_eq!(sorted("used"), [untouched, short, forgotten, suspended, grant]);
    assert_eq!(sorted("created"), [forgotten, untouched, suspended, grant, short]);
    assert_eq!(sorted("id"), [forgotten, untouched, grant, short, suspended]);
    let limited = |options: &[&str]| {
        let arguments = [&["token", "list", "-q", "--limit"][..], options].concat();
        ids(cast.command(&arguments))
    };
    assert_eq!(limited(&["2"]), [forgotten, untouched]);
    assert_eq!(limited(&["0"]), Vec::<u64>::new());
    assert_eq!(limited(&["105"]).len(), 105, "more than a page");
    let last = *cast.bulk.last().unwrap();
    assert_eq!(limited(&["1", "--sort", "created", "--unused", "130d"])[0], cast.bulk[1]);
    assert!(limited(&["2000"]).contains(&last));
    cast.server.stop();
}

#[test]
fn every_format_holds_the_same_tokens_with_the_names_of_clients_and_users() {
    let cast = Cast::new();
    let few = |option: &str| {
        let arguments = ["token", "list", "--older", "39d", "--user", "eve@acme.test", option];
        done(cast.command(&arguments)).0
    };
    let records: Vec<Value> = serde_json::from_str(&few("--json")).unwrap();
    let record = records[0].as_object().unwrap();
    assert_eq!(record["client_identifier"], "nightly");
    assert_eq!(record["user_email"], "eve@acme.test");
    assert_eq!(record["scopes"], serde_json::json!(["read", "write"]));
    let yaml = few("--yaml");
    assert!(yaml.contains("client_identifier: nightly\n"), "{yaml}");
    assert_eq!(few("-q"), format!("{}\n", cast.suspended));
    let csv = few("--csv");
    let (header, row) = csv.split_once("\r\n").unwrap();
    assert!(header.starts_with("client_id,created_at,expires_at,id,"), "{header}");
    for member in record.keys() {
        assert!(header.split(',').any(|field| field == member), "{member} is not in {header}");
    }
    assert!(row.ends_with(",nightly,eve@acme.test\r\n"), "{row}");
    let table = ["token", "list", "--older", "2h", "--sort", "used", "--client", "reports"];
    assert_snapshot!("token-list", timeless(&done(cast.command(&table)).0));
    let nameless = json(cast.command(&["token", "list", "--limit", "1", "--no-names", "--json"]));
    assert_eq!(nameless[0]["client_identifier"], Value::Null);
    assert!(nameless[0]["client_id"].is_u64());
    cast.server.stop();
}

#[test]
fn a_list_of_nothing_is_none_and_everybodys_is_for_administrators() {
    let cast = Cast::new();
    let (table, said) = done(cast.command(&["token", "list", "--unused", "100w"]));
    assert_eq!((table.as_str(), said.as_str()), ("", "There are no such tokens.\n"));
    let create = ["user", "create", "--email", "dan@acme.test", "--json"];
    let dan = super::super::on(cast.folder.path(), &create).output().unwrap();
    let dan: Value = serde_json::from_slice(&dan.stdout).unwrap();
    let of_dan = |arguments: &[&str]| {
        let mut command = cast.nobody(arguments);
        command.env("TOKENRY_CLIENT_EMAIL", "dan@acme.test");
        command.env("TOKENRY_CLIENT_API_TOKEN", dan["api_token"].as_str().unwrap());
        command
    };
    let (code, said) = failed(of_dan(&["token", "list"]));
    assert_eq!(code, 4, "{said}");
    assert!(said.contains("`tokenry token list --mine` lists your own tokens"), "{said}");
    assert_eq!(ids(of_dan(&["token", "list", "--mine", "-q"])), Vec::<u64>::new());
    for wrong in [
        &["token", "list", "--unused", "30 days"][..],
        &["token", "list", "--user", "ben"],
        &["token", "list", "--mine", "--include-expired"],
        &["token", "list", "--never-expires", "--expiring", "7d"],
        &["token", "list", "--sort", "colour"],
    ] {
        assert_eq!(failed(cast.command(wrong)).0, 2, "{wrong:?}");
    }
    let (code, said) = failed(cast.command(&["token", "list", "--client", "none"]));
    assert_eq!(code, 3, "{said}");
    cast.server.stop();
}
