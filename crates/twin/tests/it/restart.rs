//! `--data`: what the next twin in a folder tells, which is what is true in it by then.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use tokenry_twin::{
    Account, Expiry, Options, Profile, Seed, Twin,
    connect::{Credentials, Refresh},
};

use crate::support::{Played, basic};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("twin")
    }

    fn kept(&self) -> PathBuf {
        self.path().join("twin.json")
    }

    fn options(&self) -> Options {
        Options { data: Some(self.path()), ..Options::default() }
    }

    async fn play(&self) -> Played {
        Played::with(self.options()).await
    }

    async fn refused(&self, seed: Option<Seed>) -> String {
        let options = Options { seed, ..self.options() };
        Twin::start_with(options).await.err().unwrap().to_string()
    }
}

impl Played {
    fn credentials(&self) -> Credentials {
        self.twin.connection_details().credentials
    }

    async fn refresh_as(&self, refresh: &Refresh) -> (u16, Value) {
        let body = json!({
            "grant_type": "refresh_token",
            "refresh_token": refresh.refresh_token,
            "client_id": refresh.client_id,
        });
        self.call("POST", "/oauth/tokens", &[], body).await.unwrap()
    }

    async fn me(&self, authorization: &str) -> u16 {
        let headers = [("authorization", authorization)];
        self.call("GET", "/api/v2/users/me.json", &headers, Value::Null).await.unwrap().0
    }

    /// Every credential of the connection details works, and the refresh token is used up by it.
    async fn all_credentials_work(&self, profile: Profile) {
        let told = self.credentials();
        assert_eq!(self.verify(told.access_token.as_deref().unwrap()).await, 200);
        let user = format!("{}/token", told.email.unwrap());
        let expected = if profile == Profile::AfterApiTokens { 401 } else { 200 };
        assert_eq!(self.me(&basic(&user, told.api_token.as_deref().unwrap())).await, expected);
        let body = json!({
            "grant_type": "client_credentials", "scope": "read",
            "client_id": told.client_id, "client_secret": told.client_secret,
        });
        let (status, told_back) = self.call("POST", "/oauth/tokens", &[], body).await.unwrap();
        assert_eq!(status, 201, "{told_back}");
        let (status, pair) = self.refresh_as(told.refresh.as_ref().unwrap()).await;
        assert_eq!(status, 201, "{pair}");
    }
}

#[tokio::test]
async fn in_any_profile_the_next_twin_tells_what_works_by_then() {
    for profile in Profile::ALL {
        let folder = Folder::new();
        // Another one each time: a folder takes any profile.
        for profile in [profile, Profile::Enforced, profile] {
            let played = Played::with(Options { profile: Some(profile), ..folder.options() }).await;
            played.all_credentials_work(profile).await;
            played.all_credentials_work(profile).await;
            played.twin.stop().await;
        }
        let expiry = Some(Expiry::Enforced);
        let rotation = Some(tokenry_twin::Rotation::Forgiving);
        let options = Options { expiry, rotation, subdomain: "other".into(), ..folder.options() };
        Played::with(options).await.all_credentials_work(Profile::Legacy).await;
    }
}

#[tokio::test]
async fn a_twin_tells_the_newest_pair_by_whomever_it_was_refreshed() {
    let folder = Folder::new();
    let played = folder.play().await;
    let first = played.credentials().refresh.unwrap();
    let (_, pair) = played.refresh_as(&first).await;
    let second = played.credentials().refresh.unwrap();
    assert_eq!(pair["refresh_token"], second.refresh_token.as_str());
    let state = played.control("GET", "/twin/state", Value::Null).await;
    let told = |member: &str| {
        let tokens = state["account"]["tokens"].as_array().unwrap();
        tokens.iter().any(|token| token[member] == pair[member])
    };
    assert!(told("refresh_token") && told("access_token"), "{state}");

    let headers = [("x-twin-fault", "lose-answer")];
    assert!(played.refresh(&second.refresh_token, &headers).await.is_err());
    let third = played.credentials().refresh.unwrap();
    assert_ne!(third, second);
    let token = played.twin.account().tokens;
    let id = token.iter().find(|token| token.refresh_token.as_ref() == Some(&third.refresh_token));
    let path = format!("/twin/tokens/{}/rotate", id.unwrap().id);
    played.control("POST", &path, Value::Null).await;
    let fourth = played.credentials().refresh.unwrap();
    assert_ne!(fourth, third);
    played.twin.stop().await;

    let played = folder.play().await;
    assert_eq!(played.credentials().refresh.as_ref(), Some(&fourth));
    assert_eq!(played.refresh_as(&fourth).await.0, 201);
}

#[tokio::test]
async fn what_ended_or_was_changed_meanwhile_is_told_no_more() {
    let folder = Folder::new();
    let played = folder.play().await;
    let account = played.twin.account();
    let ada = account.api_tokens.iter().find(|token| token.id.get() == 7).unwrap();
    let headers = [("authorization", basic("ada@acme.test/token", &ada.token))];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    for (method, path, body, expected) in [
        ("DELETE", "/api/v2/oauth/tokens/1001.json", Value::Null, 204),
        ("DELETE", "/api/v2/oauth/tokens/1004.json", Value::Null, 204),
        ("PUT", "/api/v2/oauth/clients/41/generate_secret.json", Value::Null, 200),
        ("PUT", "/api/v2/oauth/clients/43.json", json!({"client": {"name": "Mobile"}}), 200),
        ("DELETE", "/api/v2/api_tokens/5.json", Value::Null, 204),
    ] {
        let (status, answer) = played.call(method, path, &headers, body).await.unwrap();
        assert_eq!(status, expected, "{path}: {answer}");
    }
    played.twin.stop().await;

    let played = folder.play().await;
    let Account { users, clients, api_tokens, tokens } = played.twin.account();
    assert_eq!(users, account.users);
    assert_eq!(clients[0].secret, None);
    assert_eq!(clients[1].name, "Mobile");
    assert_eq!(api_tokens, account.api_tokens[1..]);
    let ids: Vec<_> = tokens.iter().map(|token| token.id.get()).collect();
    assert_eq!(ids, [1002, 1003, 1005]);
    assert_eq!(played.credentials().client_id.as_deref(), Some("acme_reports"));
}

#[tokio::test]
async fn after_a_reset_or_a_restoration_the_next_twin_tells_that_moment() {
    let folder = Folder::new();
    let played = folder.play().await;
    let (_, pair) = played.refresh_as(&played.credentials().refresh.unwrap()).await;
    played.control("POST", "/twin/snapshots/refreshed", Value::Null).await;
    played.control("POST", "/twin/reset", json!({"profile": "enforced"})).await;
    let enforced = played.twin.account();
    played.twin.stop().await;

    // The seed is the folder's own, so that it can be planted anew.
    let played = folder.play().await;
    assert_eq!(played.twin.account(), enforced);
    played.control("POST", "/twin/snapshots/begun", Value::Null).await;
    let (_, other) = played.refresh_as(&played.credentials().refresh.unwrap()).await;
    assert_ne!(other["refresh_token"], pair["refresh_token"]);
    let refreshed = played.credentials();
    played.control("POST", "/twin/snapshots/refreshed", Value::Null).await;
    played.control("POST", "/twin/reset", Value::Null).await;
    played.all_credentials_work(Profile::Legacy).await;
    played.control("POST", "/twin/snapshots/begun/restore", Value::Null).await;
    assert_eq!(played.twin.account(), enforced);
    played.control("POST", "/twin/snapshots/refreshed/restore", Value::Null).await;
    assert_eq!(played.credentials(), refreshed);
    played.twin.stop().await;

    let played = folder.play().await;
    assert_eq!(played.credentials(), refreshed);
    assert_eq!(played.control("GET", "/twin/snapshots", Value::Null).await["snapshots"], json!([]));
    played.all_credentials_work(Profile::Legacy).await;
}

const ACCOUNT: &str = "[[users]]\nemail = \"eve@acme.test\"\nrole = \"admin\"\n\
                       password = \"eve-password\"\ncreated_at = \"3d 2h ago\"\n";

#[tokio::test]
async fn a_folder_that_came_of_another_seed_is_refused_and_left_as_it_is() {
    let (cast, mine) = (Seed::contract_cast().unwrap(), Seed::parse(ACCOUNT).unwrap());
    for (first, other, email) in [
        (None, mine.clone(), "ada@acme.test"),
        (Some(mine.clone()), cast.clone(), "eve@acme.test"),
        (Some(mine), Seed::parse(&ACCOUNT.replace("eve-", "mallory-")).unwrap(), "eve@acme.test"),
    ] {
        let folder = Folder::new();
        let start = async |seed| Played::with(Options { seed, ..folder.options() }).await;
        let played = start(first.clone()).await;
        assert_eq!(played.twin.account().users[0].email, email);
        played.twin.stop().await;
        let before = fs::read(folder.kept()).unwrap();

        let told = folder.refused(Some(other)).await;
        let folder_told = folder.path().display().to_string();
        for part in [folder_told.as_str(), "another seed", "leave out --seed", "delete the folder"]
        {
            assert!(told.contains(part), "{told}");
        }
        assert_eq!(fs::read(folder.kept()).unwrap(), before);
        for seed in [None, first.or_else(|| Some(cast.clone()))] {
            let played = start(seed).await;
            assert_eq!(played.twin.account().users[0].email, email);
            played.control("POST", "/twin/reset", Value::Null).await;
            assert_eq!(played.twin.account().users[0].email, email);
            played.twin.stop().await;
        }
    }
}

#[tokio::test]
async fn a_seed_is_the_same_however_it_is_written() {
    let folder = Folder::new();
    let seed = Some(Seed::parse(ACCOUNT).unwrap());
    Played::with(Options { seed, ..folder.options() }).await.twin.stop().await;
    let json = r#"{"users": [{"role": "admin", "email": "eve@acme.test", "verified": true,
                   "password": "eve-password", "created_at": "3d 2h ago"}]}"#;
    let seed = Some(Seed::parse(json).unwrap());
    Played::with(Options { seed, ..folder.options() }).await.twin.stop().await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_read_is_refused_with_what_mends_it() {
    let folder = Folder::new();
    folder.play().await.twin.stop().await;
    let kept = fs::read_to_string(folder.kept()).unwrap();
    let broken = &kept[..kept.len() / 2];
    for text in ["", "{}", broken, &kept.replacen('{', "{\"later\": 1,", 1)] {
        fs::write(folder.kept(), text).unwrap();
        let told = folder.refused(None).await;
        for part in ["twin.json", "cannot be read", "Delete "] {
            assert!(told.contains(part), "{told}");
        }
        assert_eq!(fs::read_to_string(folder.kept()).unwrap(), text);
    }
    fs::remove_file(folder.kept()).unwrap();
    let told = folder.refused(None).await;
    assert!(told.contains("a database that no twin has planted"), "{told}");
    assert!(folder.path().join("tokenry.db").exists());
    fs::write(folder.kept(), &kept).unwrap();
    folder.play().await.all_credentials_work(Profile::Legacy).await;
}

#[tokio::test]
async fn what_was_begun_to_be_planted_is_planted_anew() {
    let folder = Folder::new();
    fs::create_dir(folder.path()).unwrap();
    fs::write(folder.kept(), "{\"half").unwrap();
    for end in ["", "-wal", "-journal"] {
        fs::write(folder.path().join(format!("tokenry.db.new{end}")), "half of one").unwrap();
    }
    folder.play().await.all_credentials_work(Profile::Legacy).await;
}

#[tokio::test]
async fn only_the_owner_reads_what_is_kept_and_nothing_else_is_left() {
    let folder = Folder::new();
    let played = folder.play().await;
    played.all_credentials_work(Profile::Legacy).await;
    played.control("POST", "/twin/reset", Value::Null).await;
    played.twin.stop().await;
    let entries = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap());
    let mut names: Vec<_> = entries
        .map(|entry| {
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0);
            entry.file_name().into_string().unwrap()
        })
        .collect();
    names.sort();
    assert_eq!(names, ["serve.lock", "tokenry.db", "twin.json"]);
}

/// A twin that was killed in a reset leaves both accounts, and the database tells which one it is.
#[tokio::test]
async fn of_two_accounts_the_one_that_is_in_the_database_is_told() {
    let folder = Folder::new();
    let played = folder.play().await;
    let planted = read(&folder.kept());
    played.refresh_as(&played.credentials().refresh.unwrap()).await;
    let refreshed = played.credentials();
    played.twin.stop().await;
    let account = read(&folder.kept())["account"].clone();
    for (account, before) in [(&planted["account"], &account), (&account, &planted["account"])] {
        let both = json!({"seed": planted["seed"], "account": account, "before": before});
        fs::write(folder.kept(), both.to_string()).unwrap();
        let played = folder.play().await;
        assert_eq!(played.credentials(), refreshed);
        played.twin.stop().await;
        assert_eq!(read(&folder.kept()).get("before"), None);
    }
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

const GLOBAL: &str = r#"
    [[users]]
    email = "ada@acme.test"
    role = "admin"
    [[global_clients]]
    id = 9001
    identifier = "zdg-star-charts"
    name = "Star Charts"
    company = "Nebula GmbH"
    [[tokens]]
    client = "zdg-star-charts"
    user = "ada@acme.test"
    scopes = ["read"]
    [[api_tokens]]
    assigned_user = "ada@acme.test"
"#;

#[tokio::test]
async fn global_clients_are_listed_from_the_seed_of_the_twin_or_of_its_folder() {
    let star_charts = json!([{
        "id": 9001, "identifier": "zdg-star-charts", "name": "Star Charts",
        "company": "Nebula GmbH",
    }]);
    let folder = Folder::new();
    let seed = Some(Seed::parse(GLOBAL).unwrap());
    let in_memory = Options { seed: seed.clone(), ..Options::default() };
    for options in [in_memory, Options { seed, ..folder.options() }, folder.options()] {
        let played = Played::with(options).await;
        let authorization =
            basic("ada@acme.test/token", &played.twin.account().api_tokens[0].token);
        let headers = [("authorization", authorization.as_str())];
        for profile in [Profile::Legacy, Profile::Enforced] {
            let path = "/api/v2/oauth/global_clients.json";
            let (status, listed) = played.call("GET", path, &headers, Value::Null).await.unwrap();
            assert_eq!((status, &listed["global_clients"]), (200, &star_charts), "{profile}");
            assert!(played.twin.account().clients[0].global);
            played.twin.reset_to(profile).await.unwrap();
        }
        played.twin.stop().await;
    }
}
