//! `tokenry introspect`: what a client is told of a token.

use insta::assert_snapshot;

use super::site::{Site, with_input};
use crate::client::Client;

#[test]
fn a_client_is_told_what_a_token_may_do_and_of_a_dead_one_nothing() {
    let site = Site::signed_in();
    let client = Client::new(&site.server.base);
    let (app, tokens) = client.prepare(&site.ada, 1);
    let introspect = |options: &[&str]| {
        let arguments = ["introspect", "-", "--client-id", &app.identifier];
        let mut command = site.command(&[&arguments, options].concat());
        command.env("TOKENRY_CLIENT_SECRET", &app.secret);
        let typed = super::typed(&command);
        site.told_output(&typed, with_input(command, &tokens[0].access))
    };
    let alive = introspect(&[]);
    assert!(alive.contains("active  yes"), "{alive}");
    assert!(alive.ends_with("── exit code 0"), "{alive}");
    assert!(!alive.contains("[credential]"), "{alive}");
    let json = introspect(&["--json"]);
    assert!(json.contains(r#"{"active":true,"scope":""#), "{json}");
    client.revoke(&app, &tokens[0].access).unwrap().expect(200);
    let dead = ["", "--json", "--csv"].map(|format| {
        introspect(if format.is_empty() { &[] } else { std::slice::from_ref(&format) })
    });
    assert_snapshot!(dead.join("\n\n"));
}

#[test]
fn a_client_needs_its_secret_and_the_right_one() {
    let site = Site::signed_in();
    let client = Client::new(&site.server.base);
    let app = client.register(&site.ada);
    let run = |options: &[&str], input: &str| {
        let arguments = ["introspect", options[0], "--client-id", &app.identifier];
        let command = site.command(&[&arguments, &options[1..]].concat());
        let typed = super::typed(&command);
        site.told_output(&typed, with_input(command, input))
    };
    let told = [
        run(&["-"], "x"),
        run(&["-", "--client-secret-stdin"], ""),
        run(&["token", "--client-secret-stdin"], "wrong"),
        run(&["token", "--client-secret-stdin"], &app.secret),
    ];
    assert_snapshot!(told.join("\n\n"));
}

#[test]
fn a_token_that_comes_as_an_argument_is_warned_of() {
    let site = Site::signed_in();
    let client = Client::new(&site.server.base);
    let (app, tokens) = client.prepare(&site.ada, 1);
    let run = |token: &str| {
        let mut command = site.command(&["introspect", token, "--client-id", &app.identifier]);
        command.env("TOKENRY_CLIENT_SECRET", &app.secret);
        let output = with_input(command, &tokens[0].access);
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let said = run(&tokens[0].access);
    assert!(said.contains("arguments can be seen in process lists"), "{said}");
    assert_eq!(run("-"), "");
}
