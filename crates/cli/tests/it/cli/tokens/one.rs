//! `tokenry token show`, `current` and `create`.

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use tokenry_protocol::secret::{Kind, public_part};

use super::{cast::Cast, done, failed};

/// Runs it, and gives it something to read.
fn with_input(mut command: Command, input: &str) -> Output {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn a_token_is_named_by_id_by_its_first_characters_by_address_or_whole() {
    let cast = Cast::new();
    let (id, whole) = cast.new_token();
    let address = format!("{}/api/v2/tokens/{id}.json", cast.server.base);
    for named in [&id.to_string(), &whole[..10], &public_part(Kind::RefreshToken, id), &address] {
        let (shown, _) = done(cast.command(&["token", "show", named, "-q"]));
        assert_eq!(shown, format!("{id}\n"), "{named}");
    }
    let read = with_input(cast.command(&["token", "show", "-", "-q"]), &format!("{whole}\n"));
    assert_eq!(String::from_utf8(read.stdout).unwrap(), format!("{id}\n"));
    let shown = done(cast.command(&["token", "show", &cast.grant.to_string()])).0;
    for line in ["reports (", "ben@acme.test (", "read write", "refresh token expires"] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    let elsewhere = format!("https://auth.example.com/api/v2/tokens/{id}.json");
    for (named, code, words) in [
        ("999999", 3, "there is no token 999999"),
        ("a0000zzzzz", 3, "there is no token"),
        ("zzzzzzzzzz", 3, "there is no token that begins with zzzzzzzzzz"),
        ("p000000001", 2, "tokenry api-token show 1"),
        ("s000000001", 2, "s000000001 is a client secret"),
        ("a00", 2, "too short"),
        (&elsewhere, 2, "the record of another server"),
        ("https://auth.example.com/", 2, "no token's record is there"),
    ] {
        let (ended, said) = failed(cast.command(&["token", "show", named]));
        assert_eq!(ended, code, "{named}: {said}");
        assert!(said.contains(words), "{named}: {said}");
    }
    cast.server.stop();
}

#[test]
fn the_token_that_one_is_signed_in_with_is_shown_and_any_other_from_standard_input() {
    let cast = Cast::new();
    let (id, whole) = cast.new_token();
    let current = done(cast.bearer(&whole, &["token", "current", "--json"])).0;
    let current: Value = serde_json::from_str(&current).unwrap();
    assert_eq!(current["id"], id);
    assert_eq!(current["user_email"], "ada@acme.test");
    let (code, said) = failed(cast.command(&["token", "current"]));
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("not signed in with a token"), "{said}");
    let read = ["token", "current", "--token-stdin", "-q"];
    let shown = with_input(cast.nobody(&read), &whole);
    assert_eq!(String::from_utf8(shown.stdout).unwrap(), format!("{id}\n"));
    let refused = with_input(cast.nobody(&read), &whole.replace("_tokenry_0", "_tokenry_1"));
    assert_eq!(refused.status.code(), Some(4));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!said.contains(&whole[20..]), "{said}");
    cast.server.stop();
}

#[test]
fn a_token_that_is_made_is_shown_this_once() {
    let cast = Cast::new();
    let create = |option: &[&str]| {
        let named = ["token", "create", "--client", "reports", "--scope", "read users:write"];
        done(cast.command(&[&named, option].concat())).0
    };
    let told = create(&[]);
    assert!(told.starts_with("Made token "), "{told}");
    assert!(told.ends_with("It is shown this once.\n"), "{told}");
    let token = told.split_whitespace().find(|word| word.contains("_tokenry_")).unwrap();
    let alone = create(&["-q"]);
    for token in [token, alone.trim_end()] {
        let shown = done(cast.bearer(token, &["token", "current"])).0;
        assert!(shown.contains("read users:write"), "{shown}");
        assert!(!shown.contains(&token[10..]), "{shown}");
    }
    let nobody = ["token", "create", "--client", "none"];
    assert_eq!(failed(cast.command(&nobody)).0, 3);
    let wrong = ["token", "create", "--client", "reports", "--scope", "Read!"];
    let (code, said) = failed(cast.command(&wrong));
    assert_eq!(code, 1, "{said}");
    cast.server.stop();
}
