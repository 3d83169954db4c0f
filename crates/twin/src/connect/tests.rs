//! Every line is tried as a shell would read it, against the server that it is about.

use std::process::Command as Process;

use http::{Request, StatusCode};
use serde_json::Value;

use super::*;
use crate::{
    account::Account,
    seed::Seed,
    testing::{Planted, basic},
};

const BASE: &str = "http://127.0.0.1:4000";

fn place() -> Place {
    Place {
        base_url: BASE.to_owned(),
        subdomain: "acme".to_owned(),
        profile: "refreshing".to_owned(),
        api_tokens: ApiTokens::Accepted,
        https: None,
    }
}

fn details(planted: &Planted) -> ConnectionDetails {
    ConnectionDetails::new(&planted.account, &place())
}

/// What a shell makes of a line, word by word.
fn words(line: &str) -> Vec<String> {
    let script = format!("for word in {line}; do printf '%s\\0' \"$word\"; done");
    let output = Process::new("sh").args(["-c", &script]).output().unwrap();
    assert!(output.status.success(), "{line}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_terminator('\0').map(str::to_owned).collect()
}

/// What curl would do with these words.
async fn curl(planted: &Planted, line: &str) -> (StatusCode, Value) {
    let words = words(line);
    let (mut request, mut body) = (Request::builder(), Vec::new());
    let mut rest = words.iter().skip(1);
    while let Some(word) = rest.next() {
        match word.as_str() {
            "-u" => {
                let (user, password) = rest.next().unwrap().split_once(':').unwrap();
                request = request.header("authorization", basic(user, password));
            }
            "-H" => {
                let (name, value) = rest.next().unwrap().split_once(": ").unwrap();
                request = request.header(name, value);
            }
            "-d" => body.push(rest.next().unwrap().as_str()),
            url => request = request.uri(url.strip_prefix(BASE).unwrap()),
        }
    }
    let is_form = !body.is_empty();
    let request = if is_form {
        request.method("POST").header("content-type", "application/x-www-form-urlencoded")
    } else {
        request
    };
    planted.call(request, &body.join("&")).await
}

#[tokio::test]
async fn every_line_for_a_shell_works_as_it_stands() {
    let planted = Planted::cast().await;
    let commands = details(&planted).commands;
    assert_eq!(commands.len(), 4);
    for Command { about, command } in commands {
        assert_eq!(words(&command)[0], "curl");
        let (status, body) = curl(&planted, &command).await;
        assert!(status.is_success(), "{about}: {command}: {status} {body}");
    }
}

#[tokio::test]
async fn credentials_are_those_of_an_administrator_and_live_longest() {
    let planted = Planted::cast().await;
    let credentials = details(&planted).credentials;
    let Account { api_tokens, tokens, clients, .. } = &planted.account;
    assert_eq!(credentials.email.as_deref(), Some("ada@acme.test"));
    assert_eq!(credentials.api_token.as_ref(), Some(&api_tokens[2].token));
    assert_eq!(credentials.access_token.as_ref(), Some(&tokens[0].access_token));
    assert_eq!(credentials.client_secret, clients[0].secret);
    let refresh = credentials.refresh.unwrap();
    assert_eq!(Some(&refresh.refresh_token), tokens[3].refresh_token.as_ref());
    assert_eq!((refresh.client_id.as_str(), refresh.client_secret), ("acme_mobile", None));
    let sign_ins: Vec<_> = credentials.sign_ins.iter().map(|user| user.email.as_str()).collect();
    assert_eq!(sign_ins, ["ada@acme.test", "ben@acme.test", "cleo@acme.test"]);
}

#[tokio::test]
async fn the_consent_page_that_is_offered_asks_the_person_who_signs_in() {
    let planted = Planted::cast().await;
    let addresses = details(&planted).addresses;
    let consent = addresses.iter().find(|address| address.name.starts_with("a consent")).unwrap();
    let path = consent.url.strip_prefix(BASE).unwrap();
    let (status, _) = planted.call(Request::get(path), "").await;
    assert_eq!(status, StatusCode::SEE_OTHER, "off to sign in, and no problem with the request");
}

#[tokio::test]
async fn what_is_exported_reaches_a_program_byte_for_byte() {
    let planted = Planted::cast().await;
    let hostile = Place { subdomain: "a'b $(id) `id` \"c\" \\ ; &".to_owned(), ..place() };
    let details = ConnectionDetails::new(&planted.account, &hostile);
    let script = format!("{}\nenv -0", details.exports());
    let output = Process::new("sh").args(["-c", &script]).env_clear().output().unwrap();
    assert!(output.status.success());
    let output = String::from_utf8(output.stdout).unwrap();
    let set: Vec<_> = output.split('\0').collect();
    for Variable { name, value } in &details.variables {
        assert!(set.contains(&format!("{name}={value}").as_str()), "{name}");
    }
    let names: std::collections::BTreeSet<_> =
        details.variables.iter().map(|variable| variable.name).collect();
    assert_eq!(names.len(), details.variables.len(), "each is set once");
}

#[tokio::test]
async fn code_names_only_variables_that_are_exported() {
    let planted = Planted::cast().await;
    let details = details(&planted);
    let exported: Vec<_> = details.variables.iter().map(|variable| variable.name).collect();
    for library in &details.libraries {
        let is_name = |letter: char| letter.is_ascii_uppercase() || letter == '_' || letter == '2';
        let named = library
            .code
            .split(|letter| !is_name(letter))
            .filter(|word| word.starts_with("ZENDESK_") || word.starts_with("TOKENRY_"));
        for name in named.chain(library.reads.iter().copied()) {
            assert!(exported.contains(&name), "{}: {name}", library.name);
        }
    }
    let names: Vec<_> = details.libraries.iter().map(|library| library.name).collect();
    let all = [
        "python-zendesk",
        "zdesk",
        "zenpy",
        "node-zendesk",
        "zendesk_api",
        "simple-oauth2",
        "passport-zendesk",
        "Authlib",
        "tokenry-client",
    ];
    assert_eq!(names, all);
    let zenpy = &details.libraries[2].code;
    assert!(zenpy.contains(r#"subdomain="127", domain="0.0.1:4000""#), "{zenpy}");
}

#[tokio::test]
async fn a_profile_that_refuses_api_tokens_says_so_and_our_own_client_gets_an_access_token() {
    let planted = Planted::cast().await;
    let place = Place { api_tokens: ApiTokens::Refused, ..place() };
    let details = ConnectionDetails::new(&planted.account, &place);
    assert_eq!(details.commands[0].about, "Basic, with an API token, which this profile refuses");
    let has = |name: &str| details.variables.iter().any(|variable| variable.name == name);
    assert!(has("TOKENRY_CLIENT_ACCESS_TOKEN"));
    assert!(!has("TOKENRY_CLIENT_API_TOKEN") && !has("TOKENRY_CLIENT_EMAIL"));
}

/// What is told of the plain address stays as it is: the same account is at both.
#[tokio::test]
async fn with_a_proxy_the_environment_leads_to_zendesks_own_address_as_well() {
    let planted = Planted::cast().await;
    let https =
        Https { proxy: "http://127.0.0.1:4443".to_owned(), ca_file: "/tmp/a b.pem".to_owned() };
    let details =
        ConnectionDetails::new(&planted.account, &Place { https: Some(https.clone()), ..place() });
    let value = |name: &str| {
        let named: Vec<_> = details.variables.iter().filter(|it| it.name == name).collect();
        assert!(named.len() < 2, "{name}");
        named.first().map(|variable| variable.value.as_str())
    };
    for (names, expected) in [
        (&["HTTPS_PROXY", "https_proxy"][..], https.proxy.as_str()),
        (&["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"], &https.ca_file),
        (&["NODE_EXTRA_CA_CERTS"], &https.ca_file),
        (&["NO_PROXY", "no_proxy"], "127.0.0.1,localhost"),
        (&["ZENDESK_SERVER_URL", "TOKENRY_CLIENT_SERVER"], BASE),
    ] {
        for name in names {
            assert_eq!(value(name), Some(expected), "{name}");
        }
    }
    assert_eq!(value("ZENPY_FORCE_SCHEME"), None, "it goes there by itself");
    let zenpy = details.libraries.iter().find(|library| library.name == "zenpy").unwrap();
    assert!(!zenpy.code.contains("domain=\"0"), "{}", zenpy.code);

    let command = &details.commands[2].command;
    let words = words(command);
    let expected =
        ["curl", "--proxy", https.proxy.as_str(), "--cacert", https.ca_file.as_str(), "-H"];
    assert_eq!(words[..6], expected, "{command}");
    assert_eq!(words[7], "https://acme.zendesk.com/api/v2/oauth/tokens/current.json");
    let text = details.to_string();
    assert!(text.contains("As https://acme.zendesk.com\n  by the proxy http://127.0.0.1:4443"));
    assert!(text.contains("export SSL_CERT_FILE='/tmp/a b.pem'"), "{text}");
}

#[test]
fn an_account_with_nothing_in_it_still_has_addresses() {
    let details = ConnectionDetails::new(&Account::default(), &place());
    assert_eq!(details.commands, []);
    assert_eq!(details.credentials, Credentials::default());
    assert!(details.to_string().contains("http://127.0.0.1:4000/oauth/tokens"));
    assert!(details.exports().contains("export ZENDESK_SERVER_URL=http://127.0.0.1:4000\n"));
}

#[tokio::test]
async fn people_whom_nothing_works_for_are_not_chosen() {
    let seed = r#"
        [[users]]
        email = "gone@acme.test"
        role = "admin"
        suspended = true
        password = "gone-password"
        [[users]]
        email = "here@acme.test"
        role = "agent"
        [[api_tokens]]
        assigned_user = "gone@acme.test"
        [[api_tokens]]
        assigned_user = "here@acme.test"
        active = false
        [[api_tokens]]
        assigned_user = "here@acme.test"
    "#;
    let planted = Planted::new(&Seed::parse(seed).unwrap()).await;
    let credentials = details(&planted).credentials;
    assert_eq!(credentials.email.as_deref(), Some("here@acme.test"));
    assert_eq!(credentials.api_token.as_ref(), Some(&planted.account.api_tokens[2].token));
    assert_eq!(credentials.sign_ins, []);
}

#[tokio::test]
async fn text_and_json_hold_the_same_credentials() {
    let planted = Planted::cast().await;
    let details = details(&planted);
    let (short, long) = (details.to_string(), format!("{details:#}"));
    let json = serde_json::to_value(&details).unwrap();
    assert!(long.starts_with(&short) && long.contains("node-zendesk (npm)"), "{long}");
    for credential in ["api_token", "access_token", "client_secret"] {
        let credential = json["credentials"][credential].as_str().unwrap();
        assert!(short.contains(credential));
    }
    for command in json["commands"].as_array().unwrap() {
        assert!(short.contains(command["command"].as_str().unwrap()));
    }
    assert!(short.contains("cleo@acme.test (end-user), password cleo-password"));
}
