//! `tokenry login`, `logout` and `whoami`: as whom one speaks to which server.

use std::{os::unix::fs::PermissionsExt as _, process::Output};

use insta::assert_snapshot;

use super::{
    site::{Site, with_input},
    terminal::Terminal,
};
use crate::client::Client;

fn said(output: &Output) -> String {
    let (stdout, stderr) = (&output.stdout, &output.stderr);
    format!("{}{}", String::from_utf8_lossy(stdout), String::from_utf8_lossy(stderr))
}

#[test]
fn an_api_token_signs_in_and_is_seen_by_nobody_else() {
    let site = Site::start();
    let output = site.sign_in(&site.ada, &[]);
    assert_snapshot!(site.told_output("login …", output.clone()));
    let token = site.ada["api_token"].as_str().unwrap();
    assert!(!said(&output).contains(token));
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&site.profiles()), 0o600);
    assert_eq!(mode(site.profiles().parent().unwrap()), 0o700);
    assert!(std::fs::read_to_string(site.profiles()).unwrap().contains(token));
    for arguments in [
        &["whoami"][..],
        &["whoami", "--json", "--debug"],
        &["profile", "list", "--json"],
        &["profile", "show", "--yaml"],
    ] {
        let output = site.command(arguments).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        assert!(!said(&output).contains(token), "{arguments:?}");
    }
}

#[test]
fn what_debug_shows_of_requests_and_answers_holds_no_secret() {
    let site = Site::start();
    let login = site.sign_in(&site.ada, &["--debug"]);
    let mut shown = vec![login];
    for arguments in [
        &["api-token", "create", "--json", "--debug"][..],
        &["client", "create", "--identifier", "acme", "--json", "--debug"],
        &["client", "generate-secret", "acme", "--yes", "--json", "--debug"],
    ] {
        shown.push(site.command(arguments).output().unwrap());
    }
    for output in shown {
        assert!(output.status.success(), "{}", said(&output));
        let debug = String::from_utf8(output.stderr).unwrap();
        assert!(debug.contains("answered") && debug.contains("status=20"), "{debug}");
        assert!(!debug.contains("_tokenry_"), "{debug}");
    }
}

#[test]
fn whoami_says_as_whom_one_speaks_in_every_format() {
    let site = Site::signed_in();
    let told = [
        site.told(&["whoami"]),
        site.told(&["whoami", "--json"]),
        site.told(&["whoami", "--yaml"]),
        site.told(&["whoami", "--csv"]),
        site.told(&["whoami", "-q"]),
    ];
    assert_snapshot!(told.join("\n\n"));
}

#[test]
fn credentials_that_the_server_does_not_know_are_not_kept() {
    let site = Site::start();
    let mut eve = site.ada.clone();
    eve["api_token"] = "p00000000B_tokenry_nonsense".into();
    let output = site.sign_in(&eve, &[]);
    assert_snapshot!(site.told_output("login …", output));
    assert!(!site.profiles().exists());
}

#[test]
fn an_access_token_signs_in_and_says_what_it_may_do() {
    let site = Site::start();
    let client = Client::new(&site.server.base);
    let (_, tokens) = client.prepare(&site.ada, 1);
    let login = ["login", "--server", &site.server.base, "--access-token-stdin", "--json"];
    let output = with_input(site.command(&login), &tokens[0].access);
    assert!(output.status.success(), "{}", said(&output));
    let me: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&me["sign_in"], &me["email"]), (&"access-token".into(), &"ada@acme.test".into()));
    assert!(me["scopes"].is_array() && me["expires_at"].is_string(), "{me}");
    assert!(!said(&output).contains(&tokens[0].access));
    // It was given to this command, so that it is not this command's to revoke.
    assert_eq!(site.code(&["logout"]), Some(0));
    assert_eq!(client.is_alive(&tokens[0].access), Some(true));
}

#[test]
fn a_token_that_has_died_ends_with_four_and_says_to_sign_in_again() {
    let site = Site::start();
    let client = Client::new(&site.server.base);
    let (app, tokens) = client.prepare(&site.ada, 1);
    let login = ["login", "--server", &site.server.base, "--access-token-stdin"];
    assert!(with_input(site.command(&login), &tokens[0].access).status.success());
    client.revoke(&app, &tokens[0].access).unwrap().expect(200);
    assert_snapshot!(site.told(&["whoami"]));
}

#[test]
fn what_a_role_or_a_scope_does_not_allow_ends_with_four_and_says_what_is_missing() {
    let site = Site::start();
    let ben = site.create_user("ben@acme.test");
    assert!(site.sign_in(&ben, &["--profile", "ben"]).status.success());
    let by_role = site.told(&["client", "list"]);
    let client = Client::new(&site.server.base);
    let (_, tokens) = client.prepare(&site.ada, 1);
    let mut command = site.command(&["api-token", "create"]);
    command.env("TOKENRY_CLIENT_SERVER", &site.server.base);
    command.env("TOKENRY_CLIENT_ACCESS_TOKEN", &tokens[0].access);
    let by_scope = site.told_of(command);
    assert_snapshot!([by_role, by_scope].join("\n\n"));
}

#[test]
fn without_a_sign_in_nothing_is_asked_and_both_ways_are_named() {
    let site = Site::start();
    let told = [
        site.told(&["whoami"]),
        site.told(&["whoami", "--server", "acme.zendesk.com"]),
        site.told(&["whoami", "--profile", "acme"]),
        site.told(&["login", "--server", &site.server.base]),
        site.told(&["login"]),
        site.told(&["logout"]),
    ];
    assert_snapshot!(told.join("\n\n"));
}

#[test]
fn a_server_that_is_away_ends_with_five() {
    let mut site = Site::signed_in();
    site.server.kill();
    let told = site.told(&["whoami"]);
    assert!(told.contains("the server cannot be reached: Connection refused"), "{told}");
    assert!(told.ends_with("── exit code 5"), "{told}");
}

#[test]
fn the_environment_names_server_and_user_as_the_python_sdk_reads_them() {
    let site = Site::start();
    let token = site.ada["api_token"].as_str().unwrap();
    let mut command = site.command(&["whoami", "-q"]);
    command.env("ZENDESK_SERVER_URL", &site.server.base);
    command.env("ZENDESK_USERNAME", "ada@acme.test/token").env("ZENDESK_PASSWORD", token);
    let output = command.output().unwrap();
    assert_eq!(said(&output), "1\n");
}

#[test]
fn flags_go_before_the_environment_which_goes_before_the_profile_in_use() {
    let site = Site::signed_in();
    let ben = site.create_user("ben@acme.test");
    let eve = site.create_user("eve@acme.test");
    assert!(site.sign_in(&ben, &["--profile", "ben"]).status.success());
    assert!(site.sign_in(&site.ada, &["--profile", "ada"]).status.success());
    let who = |options: &[&str], variables: &[(&str, &str)]| {
        let mut command = site.command(&[&["whoami", "--json"], options].concat());
        let output = command.envs(variables.iter().copied()).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        let who: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        who["email"].as_str().unwrap().split('@').next().unwrap().to_owned()
    };
    let environment = [
        ("TOKENRY_CLIENT_SERVER", site.server.base.as_str()),
        ("TOKENRY_CLIENT_EMAIL", "eve@acme.test"),
        ("TOKENRY_CLIENT_API_TOKEN", eve["api_token"].as_str().unwrap()),
    ];
    let named = [&environment[..], &[("TOKENRY_CLIENT_PROFILE", "ben")]].concat();
    assert_eq!(who(&[], &[]), "ada");
    assert_eq!(who(&[], &environment), "eve");
    assert_eq!(who(&[], &environment[..1]), "ada", "a server alone takes its profile");
    assert_eq!(who(&[], &named), "ben");
    assert_eq!(who(&["--profile", "ada"], &named), "ada");
}

#[test]
fn credentials_that_the_environment_has_for_one_server_are_sent_to_no_other() {
    let site = Site::start();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let other = format!("http://{}", listener.local_addr().unwrap());
    let mut command = site.command(&["whoami", "--server", &other]);
    command.env("TOKENRY_CLIENT_SERVER", &site.server.base);
    command.env("TOKENRY_CLIENT_ACCESS_TOKEN", "hunter2");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    assert!(said(&output).contains("nobody is signed in at"), "{}", said(&output));
    assert!(listener.accept().is_err(), "nothing was sent");
}

#[test]
fn whoever_signs_in_at_a_terminal_is_asked_and_their_token_is_not_shown() {
    let site = Site::start();
    let mut terminal = Terminal::start(&site.command(&["login"]), 100);
    terminal.wait_for("Which server");
    terminal.enter(&format!("{}\n", site.server.base));
    terminal.wait_for("How do you sign in");
    terminal.enter("2\n");
    terminal.wait_for("Your e-mail address there?");
    terminal.enter("ada@acme.test\n");
    terminal.wait_for("An API token of yours (it is not shown)?");
    let token = site.ada["api_token"].as_str().unwrap();
    terminal.enter(&format!("{token}\n"));
    let (shown, status) = terminal.end();
    assert!(status.success(), "{shown}");
    assert!(shown.contains("Signed in at"), "{shown}");
    assert!(!shown.contains(token), "{shown}");
    assert_eq!(site.json(&["whoami", "--json"])["email"], "ada@acme.test");
}
