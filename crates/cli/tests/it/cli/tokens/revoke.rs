//! `tokenry token revoke`: what is previewed is what is revoked, and nothing else.

use serde_json::Value;

use super::{
    super::terminal::Terminal,
    cast::{BULK, Cast},
    done, failed, ids, json,
};
use crate::client::Client;

fn without(all: &[u64], revoked: &[u64]) -> Vec<u64> {
    all.iter().filter(|id| !revoked.contains(id)).copied().collect()
}

#[test]
fn a_dry_run_prints_what_would_be_revoked_and_changes_nothing() {
    let cast = Cast::new();
    let before = cast.all();
    let dry = ["token", "revoke", "--client", "bulk", "--unused", "121d", "--dry-run"];
    let (table, said) = done(cast.command(&dry));
    assert_eq!(table.lines().count() as u64, BULK / 2 + 1);
    assert_eq!(said, "500 tokens would be revoked. Nothing was changed.\n");
    let listed = ["token", "list", "--client", "bulk", "--unused", "121d", "-q"];
    let printed = ids(cast.command(&[&dry[..], &["-q"]].concat()));
    assert_eq!(printed, ids(cast.command(&listed)));
    let records = json(cast.command(&[&dry[..], &["--json"]].concat()));
    assert_eq!(records.len(), printed.len());
    assert!(
        done(cast.command(&["token", "revoke", "--everything", "--dry-run"])).1.contains("1,005")
    );
    assert_eq!(cast.all(), before);
    cast.server.stop();
}

#[test]
fn a_bulk_revocation_revokes_exactly_its_preview() {
    let cast = Cast::new();
    let before = cast.all();
    let rules = ["--client", "bulk", "--unused", "121d"];
    let previewed =
        ids(cast.command(&[&["token", "revoke", "--dry-run", "-q"][..], &rules].concat()));
    let revoke = [&["token", "revoke", "--yes"][..], &rules].concat();
    let (told, said) = done(cast.command(&revoke));
    assert_eq!(told, "Revoked 500 tokens.\n");
    for line in [
        "500 tokens:\n",
        "  by client  500 bulk\n",
        "  by user    500 ben@acme.test\n",
        "  last used  500 never\n",
        " of bulk for ben@acme.test: read, never used\n",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert_eq!(cast.all(), without(&before, &previewed));
    let (told, said) = done(cast.command(&revoke));
    assert_eq!((told.as_str(), said.as_str()), ("", "There are no such tokens.\n"));
    let scripted = ["token", "revoke", "--client", "bulk", "--yes", "-q"];
    let mut revoked = ids(cast.command(&scripted));
    revoked.sort_unstable();
    assert_eq!(revoked, without(&cast.bulk, &previewed));
    assert_eq!(cast.all(), without(&before, &cast.bulk));
    cast.server.stop();
}

#[test]
fn nothing_is_revoked_by_accident() {
    let cast = Cast::new();
    let before = cast.all();
    for (arguments, words) in [
        (&["--yes"][..], "nothing says which tokens to revoke"),
        (&["--yes", "--mine"], "nothing says which tokens to revoke"),
        (&["--yes", "--everything", "--client", "bulk"], "no room for other rules"),
        (&["--yes", "1", "--client", "bulk"], "rules are given too"),
        (&["--yes", "1", "--everything"], "cannot be used with"),
        (&["--yes", "-", "-"], "standard input holds one token"),
        (&["--client", "bulk"], "add --yes to do it without asking"),
        (&["1"], "add --yes to do it without asking"),
        (&["--yes", "--client", "bulk", "--unused", "soon"], "give a duration"),
    ] {
        let (code, said) = failed(cast.command(&[&["token", "revoke"], arguments].concat()));
        assert_eq!(code, 2, "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
    let unreadable = ["token", "revoke", "--yes", &cast.short.to_string(), "abc"];
    let (code, said) = failed(cast.command(&unreadable));
    assert_eq!(code, 2, "{said}");
    assert_eq!(cast.all(), before, "every name is understood, or nothing is revoked");
    cast.server.stop();
}

#[test]
fn a_revocation_of_named_tokens_can_be_run_again_for_the_rest() {
    let cast = Cast::new();
    let before = cast.all();
    let id = cast.short.to_string();
    let (_, token) = cast.new_token();
    let first = ["token", "revoke", "--yes", &id, &token[..10]];
    assert_eq!(done(cast.command(&first)).0, "Revoked 2 tokens.\n");
    let address = format!("{}/api/v2/oauth/tokens/{id}.json", cast.server.base);
    let forgotten = cast.forgotten.to_string();
    let again = ["token", "revoke", "--yes", &id, &token[..10], &address, &forgotten];
    let (told, _) = done(cast.command(&again));
    assert_eq!(told, "Revoked 1 token; 3 gone already.\n");
    assert_eq!(cast.all(), without(&before, &[cast.short, cast.forgotten]));
    let (told, said) = done(cast.command(&again));
    assert_eq!((told.as_str(), said.as_str()), ("", "4 tokens gone already.\n"));
    let (told, _) = done(cast.command(&[&again[..], &["-q"]].concat()));
    assert_eq!(told, "");
    // What is shown must be there.
    assert_eq!(failed(cast.command(&["token", "show", &id])).0, 3);
    cast.server.stop();
}

#[test]
fn tokens_are_revoked_by_name() {
    let cast = Cast::new();
    let before = cast.all();
    let (id, token) = cast.new_token();
    let named = ["token", "revoke", "--yes", &cast.forgotten.to_string(), &token[..10]];
    let (told, said) = done(cast.command(&named));
    assert_eq!(told, "Revoked 2 tokens.\n");
    assert!(said.contains(&format!("{id} of reports for ada@acme.test: read write")), "{said}");
    assert_eq!(cast.all(), without(&before, &[cast.forgotten]));
    assert_eq!(failed(cast.bearer(&token, &["token", "current"])).0, 4);
    cast.server.stop();
}

#[test]
fn the_token_that_one_is_signed_in_with_is_left_or_comes_last() {
    let cast = Cast::new();
    let (own, token) = cast.new_token();
    let (other, _) = cast.new_token();
    let named = ["token", "revoke", "--yes", &own.to_string()];
    let (code, said) = failed(cast.bearer(&token, &named));
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("--including-mine"), "{said}");
    let rules = ["token", "revoke", "--yes", "-q", "--user", "ada@acme.test", "--never-expires"];
    let mut left = cast.bearer(&token, &rules);
    let output = left.output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{other}\n"));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&format!("Token {own} is left out")), "{said}");
    assert!(cast.all().contains(&own));
    // With it goes everything; it must be there until all others are gone.
    let everything = ["token", "revoke", "--yes", "--everything", "--including-mine", "-q"];
    let revoked = ids(cast.bearer(&token, &everything));
    assert_eq!(revoked.len() as u64, BULK + 6);
    assert_eq!(revoked.last(), Some(&own));
    assert_eq!(cast.all(), Vec::<u64>::new());
    cast.server.stop();
}

#[test]
fn whoever_confirms_types_how_many_there_are() {
    let cast = Cast::new();
    let before = cast.all();
    for answer in ["\n", "y\n", "yes\n", "499\n", "50\n", "\u{4}"] {
        let rules = ["token", "revoke", "--client", "bulk", "--unused", "121d"];
        let mut terminal = Terminal::start(&cast.command(&rules), 100);
        terminal.wait_for("Revoke 500 tokens, for good?");
        terminal.wait_for("Type 500 to go on: ");
        terminal.enter(answer);
        let (shown, status) = terminal.end();
        assert_eq!(status.code(), Some(1), "{answer:?}: {shown}");
        assert!(shown.contains("not confirmed; nothing was changed"), "{shown}");
    }
    assert_eq!(cast.all(), before);
    let mut terminal = Terminal::start(&cast.command(&["token", "revoke", "--older", "299d"]), 100);
    terminal.wait_for("Type 1000 to go on: ");
    // While somebody reads the preview, another administrator does some of it.
    let client = Client::new(&cast.server.base);
    let gone = cast.bulk[7];
    let path = format!("/api/v2/oauth/tokens/{gone}.json");
    client.change(&cast.admin, ("DELETE", &path), &Value::Null).unwrap().expect(204);
    terminal.enter("1,000\n");
    let (shown, status) = terminal.end();
    assert!(status.success(), "{shown}");
    assert!(shown.contains("revoking: 1,000 of 1,000 tokens (100 %)"), "{shown}");
    assert!(shown.contains("Revoked 999 tokens; 1 gone already."), "{shown}");
    assert_eq!(cast.all(), without(&before, &cast.bulk));
    cast.server.stop();
}
