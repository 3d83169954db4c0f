//! Planting through the decisions, seen through the server's own doors.

mod global_clients;

use http::StatusCode;
use proptest::prelude::*;
use serde_json::Value;
use tokenry_core::policy::AccessTokenFormat;
use tokenry_server::config::Config;
use tokenry_store::IdSequence;

use super::*;
use crate::{
    account::Account,
    testing::{Planted, basic, fresh_state},
};

fn refused(text: &str) -> String {
    Seed::parse(text).expect_err(text).to_string()
}

#[tokio::test]
async fn the_cast_has_the_records_of_the_contract() {
    let planted = Planted::cast().await;
    let tokens = planted.as_ada("/api/v2/oauth/tokens.json?all=true").await;
    let ids: Vec<_> =
        tokens["tokens"].as_array().unwrap().iter().map(|token| &token["id"]).collect();
    // 1005 is wholly over, and no list shows it.
    assert_eq!(ids, [1001, 1002, 1003, 1004]);
    let first = &tokens["tokens"][0];
    assert_eq!(first["created_at"], "2026-03-02T09:15:04Z");
    assert_eq!(first["used_at"], "2026-03-04T17:40:12Z");
    let second = &tokens["tokens"][1];
    assert_eq!(second["created_at"], "2026-03-02T10:00:00Z");
    assert_eq!(second["expires_at"], "2026-03-02T10:30:00Z");
    assert_eq!(second["scopes"], serde_json::json!(["tickets:read", "users:read"]));
    let me = planted.as_ada("/api/v2/users/me.json").await;
    assert_eq!(me["user"]["id"], 29);
    assert_eq!(me["user"]["created_at"], "2025-01-07T08:00:00Z");
    assert_eq!(me["user"]["updated_at"], "2026-02-11T16:20:00Z");
    let clients = planted.as_ada("/api/v2/oauth/clients.json").await;
    assert_eq!(clients["clients"][0]["created_at"], "2026-01-10T09:00:00Z");
    assert_eq!(clients["clients"][1]["kind"], "public");
    let api_tokens = planted.as_ada("/api/v2/api_tokens.json").await;
    assert_eq!(api_tokens["api_tokens"][2]["description"], "nightly export");
    assert_eq!(api_tokens["api_tokens"][0]["created_at"], "2025-09-01T06:00:00Z");
    assert_eq!(api_tokens["api_tokens"][0]["assigned_user_id"], 31);
}

#[tokio::test]
async fn every_credential_of_the_account_works_as_the_account_says() {
    let planted = Planted::cast().await;
    for token in &planted.account.tokens {
        let path = "/api/v2/oauth/tokens/current.json";
        let (status, body) = planted.get(path, &format!("Bearer {}", token.access_token)).await;
        let lives = token.expires_at.is_none_or(|at| at > planted.state.now());
        assert_eq!(status.as_u16(), if lives { 200 } else { 401 }, "{} {body}", token.id);
        let Some(refresh) = &token.refresh_token else { continue };
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh),
            ("client_id", "acme_mobile"),
        ];
        let (status, body) = planted.form("/oauth/token", &fields).await;
        let lives = token.refresh_token_expires_at.unwrap() > planted.state.now();
        assert_eq!(status.as_u16(), if lives { 200 } else { 400 }, "{} {body}", token.id);
    }
    for token in &planted.account.api_tokens {
        let user = planted.account.user(token.assigned_user_id.unwrap()).unwrap();
        let authorization = basic(&format!("{}/token", user.email), &token.token);
        let (status, body) = planted.get("/api/v2/users/me.json", &authorization).await;
        assert_eq!((status, &body["user"]["email"]), (StatusCode::OK, &Value::from(&*user.email)));
    }
    for user in &planted.account.users {
        let stored = planted.state.store.find_user(user.id).await.unwrap().unwrap();
        let password = user.password.clone().unwrap();
        let stored = stored.password_hash.as_deref();
        assert!(planted.state.passwords.verify(password, stored).await, "{}", user.email);
    }
    let secret = planted.account.clients[0].secret.as_deref().unwrap();
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", "acme_reports"),
        ("client_secret", secret),
    ];
    let (status, body) = planted.form("/oauth/token", &fields).await;
    assert_eq!(status, StatusCode::OK, "{body}");
}

#[tokio::test]
async fn the_same_seed_gives_the_same_credentials_byte_for_byte() {
    for format in [AccessTokenFormat::Opaque, AccessTokenFormat::Jwt] {
        let planted = async || {
            let mut config = Config::default();
            config.tokens.access_token_format = format;
            Planted::by(&Seed::contract_cast().unwrap(), config).await
        };
        let [one, two] = [planted().await, planted().await];
        are_the_same(&one, &two).await;
        for token in &one.account.tokens {
            let of_record_api = token.refresh_token.is_none();
            let is_jwt = format == AccessTokenFormat::Jwt && !of_record_api;
            assert_eq!(token.access_token.starts_with("eyJ"), is_jwt, "{}", token.id);
        }
    }
}

async fn are_the_same(one: &Planted, two: &Planted) {
    assert_eq!(one.account, two.account);
    let stored = async |planted: &Planted| {
        let mut hashes = Vec::new();
        for user in &planted.account.users {
            let user = planted.state.store.find_user(user.id).await.unwrap().unwrap();
            hashes.push(user.password_hash.unwrap());
        }
        hashes
    };
    assert_eq!(stored(one).await, stored(two).await);
}

#[tokio::test]
async fn what_is_made_later_gets_ids_behind_those_of_the_seed() {
    let planted = Planted::cast().await;
    let next = async |sequence| {
        let ids = &planted.state.ids;
        ids.next::<tokenry_protocol::ids::UserId>(sequence).await.unwrap().get()
    };
    assert_eq!(next(IdSequence::Users).await, 38);
    assert_eq!(next(IdSequence::Clients).await, 47);
    assert_eq!(next(IdSequence::ApiTokens).await, 8);
    assert_eq!(next(IdSequence::Tokens).await, 2001);
}

#[tokio::test]
async fn ids_as_large_as_those_of_real_accounts_can_be_planted() {
    let seed = r#"{"users": [{"id": 31415926535897, "email": "ada@acme.test", "role": "admin"}]}"#;
    let planted = Planted::new(&Seed::parse(seed).unwrap()).await;
    let last = planted.state.store.last_id(IdSequence::Users).await.unwrap();
    assert_eq!(last, 31_415_926_535_897);
}

#[tokio::test]
async fn what_is_left_out_is_filled_in() {
    let seed = r#"
        [[users]]
        email = "ada@acme.test"
        role = "admin"
        [[clients]]
        identifier = "robot"
        [[tokens]]
        client = "robot"
        grant_type = "client_credentials"
        scopes = ["read"]
        [[api_tokens]]
    "#;
    let planted = Planted::new(&Seed::parse(seed).unwrap()).await;
    let Account { users, clients, api_tokens, tokens } = &planted.account;
    assert_eq!((users[0].id.get(), users[0].name.as_str()), (1, "ada"));
    assert_eq!((clients[0].id.get(), clients[0].name.as_str()), (1, "robot"));
    assert_eq!(clients[0].user_id, users[0].id);
    assert_eq!(tokens[0].user_id, users[0].id);
    assert_eq!(api_tokens[0].user_id, users[0].id);
    assert!(users[0].password.is_none());
}

#[tokio::test]
async fn tokens_of_clients_and_users_that_were_stopped_since_are_planted() {
    let seed = Seed::parse(
        r#"
        [[users]]
        email = "ada@acme.test"
        role = "admin"
        [[users]]
        email = "eve@acme.test"
        role = "end-user"
        suspended = true
        [[clients]]
        identifier = "stopped"
        disabled = true
        redirect_uri = ["https://stopped.test/cb"]
        [[tokens]]
        client = "stopped"
        user = "eve@acme.test"
        grant_type = "authorization_code"
        scopes = ["read"]
        "#,
    );
    let planted = Planted::new(&seed.unwrap()).await;
    let token = &planted.account.tokens[0];
    let authorization = format!("Bearer {}", token.access_token);
    let (status, _) = planted.get("/api/v2/oauth/tokens/current", &authorization).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(planted.state.store.find_token(token.id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_seed_is_not_planted_twice() {
    let planted = Planted::cast().await;
    let error = plant(&Seed::contract_cast().unwrap(), &planted.state).await.unwrap_err();
    let told = "users number 1 (ada@acme.test): the account has it already";
    assert!(error.to_string().starts_with(told), "{error}");
}

/// What decisions refuse is told with the entry, and nothing is written.
#[tokio::test]
async fn what_a_records_own_rules_refuse_names_the_entry() {
    const ADA: &str = "[[users]]\nemail = \"ada@acme.test\"\nrole = \"admin\"\n";
    const BEN: &str = "[[users]]\nemail = \"ben@acme.test\"\nrole = \"agent\"\n";
    const APP: &str = "[[clients]]\nidentifier = \"app\"\n";
    for (text, told) in [
        (
            format!("{ADA}{APP}redirect_uri = [\"http://acme.test/cb\"]"),
            "clients number 1 (app): Redirect uri: must use https",
        ),
        (
            format!("{ADA}{BEN}{APP}user = \"ben@acme.test\""),
            "clients number 1 (app): User id: must be an administrator of this account",
        ),
        (
            format!("{ADA}{APP}access_token_lifetime_max = 1"),
            "clients number 1 (app): Access token lifetime max: must be 300 to 172800",
        ),
        (
            format!("{ADA}{APP}[[tokens]]\nclient=\"app\"\nuser=1\nscopes=[\"Read it\"]"),
            "tokens number 1: Scopes: \"Read it\" is not a scope",
        ),
        (
            format!(
                "{ADA}{APP}[[tokens]]\nid=9\nclient=\"app\"\nuser=1\nscopes=[\"read\"]\n\
                 grant_type=\"authorization_code\""
            ),
            "tokens number 1 (9): a code goes to a redirect address, and app has none",
        ),
        (
            format!(
                "{ADA}{APP}allowed_scopes=[\"read\"]\nredirect_uri=[\"https://a.test/\"]\n\
                 [[tokens]]\nclient=\"app\"\nuser=1\nscopes=[\"write\"]\n\
                 grant_type=\"authorization_code\""
            ),
            "tokens number 1: invalid_scope: ",
        ),
        (
            format!(
                "{ADA}{APP}kind=\"public\"\n[[tokens]]\nclient=\"app\"\nscopes=[\"read\"]\n\
                 grant_type=\"client_credentials\""
            ),
            "tokens number 1: app may not use client_credentials",
        ),
    ] {
        let seed = Seed::parse(&text).unwrap();
        let state = fresh_state(Config::default()).await;
        let error = plant(&seed, &state).await.unwrap_err().to_string();
        assert!(error.starts_with(told), "{error}");
        assert!(!state.store.has_users().await.unwrap(), "{text}");
    }
}

#[test]
fn what_does_not_fit_together_is_told_with_its_line_and_what_would_be_right() {
    const ADA: &str = "[[users]]\nemail = \"ada@acme.test\"\nrole = \"admin\"\n\n";
    for (text, told) in [
        (
            format!("{ADA}[[users]]\nemail = \"ADA@acme.test\"\nrole = \"agent\""),
            "line 5, users number 2 (ADA@acme.test): email ada@acme.test is that of users number 1 \
             (ada@acme.test) already",
        ),
        (
            format!("{ADA}[[api_tokens]]\nuser = \"adda@acme.test\""),
            "line 5, api_tokens number 1: there is no user \"adda@acme.test\"; the users are \
             ada@acme.test",
        ),
        (
            format!("{ADA}[[tokens]]\nid = 3\nclient = 41\nuser = 1\nscopes = [\"read\"]"),
            "line 5, tokens number 1 (3): there is no client 41; the seed has no clients",
        ),
        (
            "[[clients]]\nidentifier = \"app\"".to_owned(),
            "line 1, clients number 1 (app): name its `user`: there is no user with the role \
             \"admin\"",
        ),
        (
            format!("{ADA}[[clients]]\nidentifier = \"an app\""),
            "line 5, clients number 1 (an app): an identifier has 1 to 255 characters of",
        ),
        (
            format!(
                "{ADA}[[clients]]\nidentifier=\"a\"\nid=4\n[[clients]]\nid=4\nidentifier=\"b\""
            ),
            "line 8, clients number 2 (b): id 4 is that of clients number 1 (a) already",
        ),
        (
            "[[users]]\nemail = \"ada\"\nrole = \"admin\"".to_owned(),
            "line 1, users number 1 (ada): \"ada\" is no email address",
        ),
        (
            format!(
                "{ADA}[[clients]]\nidentifier=\"a\"\n[[tokens]]\nclient=\"a\"\nscopes=[\"read\"]"
            ),
            "line 7, tokens number 1: `user` is missing",
        ),
        (
            format!(
                "{ADA}[[clients]]\nidentifier=\"a\"\n[[tokens]]\nclient=\"a\"\nuser=1\n\
                 scopes=[\"read\"]\nexpires_in=900"
            ),
            "line 7, tokens number 1: `expires_in` needs a `grant_type`",
        ),
        (
            format!(
                "{ADA}[[clients]]\nidentifier=\"a\"\n[[tokens]]\nclient=\"a\"\nuser=1\n\
                 scopes=[\"read\"]\nexpires_in=9\ngrant_type=\"authorization_code\""
            ),
            "line 7, tokens number 1: `expires_in` is 300 to 172800 seconds",
        ),
    ] {
        let error = refused(&text);
        assert!(error.starts_with(told), "{error}\n{told}");
    }
}

#[test]
fn what_cannot_be_read_is_told_with_its_line() {
    for (text, told) in [
        ("[[users]]\nemail = \"a@b\"\nrole = \"boss\"", &["line 3", "is no role", "end-user"][..]),
        ("[[users]]\nmail = \"a@b\"\nrole = \"admin\"", &["line 2", "`mail`", "`email`"]),
        ("[[user]]\nemail = \"a@b\"", &["line 1", "`user`", "`users`"]),
        ("[[users]]\nemail = \"a@b\"", &["line 1", "missing field `role`"]),
        ("[[users]]\nid = 0\nemail=\"a@b\"\nrole=\"admin\"", &["line 2", "an id is"]),
        ("[[global_clients]]\nname = 7", &["line 2", "string"]),
        ("[[global_clients]]\nurl = \"x\"", &["line 2", "`url`", "`logo_url`"]),
        ("[[global_clients]]\nname = \"x\"", &["line 1", "missing field `identifier`"]),
        ("[[tokens]]\nclient = true\nscopes = []", &["line 2", "the identifier of a client"]),
        (
            "[[users]]\nemail=\"a@b\"\nrole=\"admin\"\ncreated_at = \"yesterday\"",
            &["line 4", "3d 2h 30m ago"],
        ),
        ("{\"users\": [{\"email\": \"a@b\",\n\"role\": \"boss\"}]}", &["is no role", "line 2"]),
        ("{\"users\": [{\"emil\": \"a@b\"}]}", &["`emil`", "line 1"]),
        ("{", &["line 1"]),
    ] {
        let error = refused(text);
        for part in told {
            assert!(error.contains(part), "{part}: {error}");
        }
    }
}

#[test]
fn there_are_at_most_256_api_tokens() {
    let ada = "[[users]]\nemail = \"ada@acme.test\"\nrole = \"admin\"\n";
    let tokens = |count| format!("{ada}{}", "[[api_tokens]]\n".repeat(count));
    assert!(Seed::parse(&tokens(256)).is_ok());
    let error = refused(&tokens(257));
    assert!(error.contains("api_tokens number 257: an account has at most 256"), "{error}");
}

#[test]
fn a_seed_in_json_is_the_same_as_in_toml() {
    let table: toml::Table = toml::from_str(CONTRACT_CAST).unwrap();
    let json = serde_json::to_string_pretty(&table).unwrap();
    assert_eq!(Seed::parse(&json).unwrap(), Seed::contract_cast().unwrap());
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.toml");
    let error = Seed::read(&path).unwrap_err().to_string();
    assert!(error.contains("none.toml"), "{error}");
    fs::write(&path, CONTRACT_CAST).unwrap();
    assert_eq!(Seed::read(&path).unwrap(), Seed::contract_cast().unwrap());
}

const PAGE: &str = include_str!("../../../../docs/twin/seed.md");

/// What may stand in an entry is what the reader of seeds says when it meets a name that it does
/// not know.
#[test]
fn the_page_names_every_member_of_every_entry() {
    for list in ["users", "clients", "api_tokens", "tokens"] {
        let told = refused(&format!("[[{list}]]\nnothing_like_it = 1"));
        let (_, names) = told.split_once("expected one of ").unwrap();
        let names: Vec<_> = names.split('`').skip(1).step_by(2).collect();
        assert!(names.len() >= 7, "{told}");
        let (_, section) = PAGE.split_once(&format!("## `{list}`\n")).unwrap();
        let section = section.split("\n## ").next().unwrap();
        let rows = section.lines().filter(|line| line.starts_with("| `"));
        let cells = rows.map(|row| row.split('|').nth(1).unwrap());
        let mut written: Vec<_> =
            cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
        written.sort_unstable();
        let mut known = names.clone();
        known.sort_unstable();
        assert_eq!(written, known, "{list}");
    }
}

#[tokio::test]
async fn the_example_of_the_page_is_what_the_page_says() {
    let example = PAGE.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let planted = Planted::new(&Seed::parse(example).unwrap()).await;
    let token = &planted.account.tokens[0];
    let left = token.expires_at.unwrap().seconds_left(planted.state.now());
    assert_eq!((left.0, token.refresh_token.is_some()), (300, true));
    for user in Seed::contract_cast().unwrap().users {
        assert!(PAGE.contains(&user.email) && PAGE.contains(&user.password.unwrap()));
    }
}

proptest! {
    #[test]
    fn any_text_is_a_seed_or_is_refused(text in any::<String>()) {
        let _ = Seed::parse(&text);
    }

    /// A broken seed is refused with a place, or is another seed.
    #[test]
    fn a_seed_with_a_piece_of_it_replaced_is_a_seed_or_is_refused(
        at in any::<prop::sample::Index>(),
        length in 0..40_usize,
        piece in "[ -~\\n]{0,8}",
    ) {
        let start = at.index(CONTRACT_CAST.len());
        let end = (start + length).min(CONTRACT_CAST.len());
        let text = format!("{}{piece}{}", &CONTRACT_CAST[..start], &CONTRACT_CAST[end..]);
        if let Err(error) = Seed::parse(&text) {
            let told = error.to_string();
            prop_assert!(told.contains("line "), "{}", told);
        }
    }
}
