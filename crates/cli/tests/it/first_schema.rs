//! A database of the first schema, served by today's binary at the time that it is from: every
//! credential that was ever given for it is what it was.

use std::{
    fs::{self, DirBuilder},
    os::unix::fs::DirBuilderExt as _,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::Value;
use tokenry_store::suite::first_schema;

use crate::{
    browser::Browser,
    client::{App, CALLBACK, Client, Tokens, id},
    durability::faults::{Faults, layout::Word},
};

const ENDED: [&str; 4] = ["revoked", "replayed_code", "client_deleted", "user_deleted"];
const ALIVE: [&str; 6] = [
    "first_rotation",
    "second_rotation",
    "third_rotation",
    "public_client",
    "client_credentials",
    "made_by_administrator",
];

#[test]
fn every_credential_of_the_first_schema_is_what_it_was_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    DirBuilder::new().mode(0o700).create(&data).unwrap();
    first_schema::write_sqlite(&data.join("tokenry.db"));
    check(folder.path(), &first_schema::given_by_sqlite(), &[]);
}

#[test]
fn every_credential_of_the_first_schema_is_what_it_was_on_postgresql() {
    let server = tokenry_postgres_testing::shared();
    let store = server.schema();
    let name = store.rsplit("%3D").next().unwrap();
    server.execute(&format!("SET search_path = {name}; {}", first_schema::POSTGRES));
    let folder = tempfile::tempdir().unwrap();
    check(folder.path(), &first_schema::given_by_postgres(), &[("TOKENRY_STORE", &store)]);
    let version = server.query(&format!("SELECT version FROM {name}.tokenry_schema"));
    let migrations = concat!(env!("CARGO_MANIFEST_DIR"), "/../store/migrations/postgres");
    assert_eq!(version, fs::read_dir(migrations).unwrap().count().to_string());
}

/// Codes and access tokens have long expired by the true time.
fn check(folder: &Path, given: &Value, settings: &[(&str, &str)]) {
    let Some(faults) = Faults::new("first_schema", folder) else { return };
    #[expect(clippy::disallowed_methods, reason = "a shift is from the true time")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let shift = given["made_at"].as_i64().unwrap() - i64::try_from(now).unwrap();
    faults.set(Word::ClockShift, shift.cast_unsigned());
    let mut settings = settings.to_vec();
    settings.push(("TOKENRY_SERVER_KEY", text(&given["server_key"])));
    let server = faults.start_with(&settings);
    let world = World { client: Client::new(&server.base), given };
    // First, for it depends on how long ago the refresh was.
    world.a_repeated_refresh_gives_the_same_tokens();
    world.tokens_are_alive_or_over();
    world.people_are_who_they_were();
    world.codes_are_redeemed();
    world.grants_are_refreshed_and_revoked();
    world.a_spent_refresh_token_ends_its_grant();
    world.new_tokens_are_issued();
    server.stop();
}

fn text(given: &Value) -> &str {
    given.as_str().unwrap()
}

struct World<'a> {
    client: Client,
    given: &'a Value,
}

impl World<'_> {
    fn acme(&self) -> App {
        let acme = &self.given["clients"]["acme"];
        let [identifier, secret] = ["identifier", "secret"].map(|name| text(&acme[name]).into());
        App { id: acme["id"].as_u64().unwrap(), identifier, secret }
    }

    /// What a grant gave last (`now`), before that (`before`), and before that.
    fn tokens(&self, grant: &str, when: &str) -> Tokens {
        let tokens = &self.given["grants"][grant][when];
        let refresh = tokens["refresh"].as_str().map(str::to_owned);
        Tokens { access: text(&tokens["access"]).to_owned(), refresh }
    }

    fn is_alive(&self, tokens: &Tokens) -> bool {
        self.client.is_alive(&tokens.access).unwrap()
    }

    /// A form of the client that has no secret.
    fn desk(&self, fields: &[(&str, &str)]) -> Tokens {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields).append_pair("client_id", "desk");
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.client.send(("POST", "/oauth/token"), &headers, &form.finish()).unwrap().tokens()
    }

    fn refresh(&self, tokens: &Tokens) -> Tokens {
        let refresh = tokens.refresh.as_deref().unwrap();
        self.client.refresh(&self.acme(), refresh).unwrap().tokens()
    }

    /// So the successor is derived as it was.
    fn a_repeated_refresh_gives_the_same_tokens(&self) {
        let again = self.refresh(&self.tokens("second_rotation", "before"));
        assert_eq!(again, self.tokens("second_rotation", "now"));
    }

    fn tokens_are_alive_or_over(&self) {
        for name in ALIVE {
            assert!(self.is_alive(&self.tokens(name, "now")), "{name}");
        }
        for name in ENDED {
            assert!(!self.is_alive(&self.tokens(name, "now")), "{name}");
        }
        assert!(!self.is_alive(&self.tokens("third_rotation", "before")));
        let listed = self.client.list(&self.given["admin"]);
        let alive = ALIVE.map(|name| id(&self.tokens(name, "now").access));
        assert_eq!(listed, alive, "in the order of their ids");
        for name in ALIVE {
            let access = self.tokens(name, "now").access;
            let used_at = self.client.used_at(&self.given["admin"], &access);
            assert!(used_at.is_some(), "{name}");
        }
    }

    fn people_are_who_they_were(&self) {
        let given = self.given;
        for person in [&given["admin"], &given["users"][0], &given["users"][1]] {
            let me = self.client.me(person).expect(200).json();
            assert_eq!(me["user"]["email"], person["email"]);
            Browser::signed_in(&self.client, person);
        }
        let cookies = given["session"].as_object().unwrap().iter();
        let cookies: Vec<_> =
            cookies.map(|(name, value)| format!("{name}={}", text(value))).collect();
        let target = ("GET", "/account/connections");
        let page = self.client.send(target, &[("cookie", &cookies.join("; "))], "").unwrap();
        assert!(page.expect(200).text.contains("Acme"));
    }

    fn codes_are_redeemed(&self) {
        let (acme, desk) = (&self.given["codes"]["acme"], &self.given["codes"]["desk"]);
        let tokens = self.client.redeem(&self.acme(), text(acme)).unwrap().tokens();
        assert!(self.is_alive(&tokens));
        let tokens = self.desk(&[
            ("grant_type", "authorization_code"),
            ("code", text(desk)),
            ("redirect_uri", CALLBACK),
            ("code_verifier", text(&self.given["verifier"])),
        ]);
        assert!(self.is_alive(&tokens));
    }

    fn grants_are_refreshed_and_revoked(&self) {
        for name in ["first_rotation", "second_rotation"] {
            let before = self.tokens(name, "now");
            let after = self.refresh(&before);
            assert!(self.is_alive(&after) && !self.is_alive(&before), "{name}");
            self.client.revoke(&self.acme(), &after.access).unwrap().expect(200);
            assert!(!self.is_alive(&after), "{name}");
            let refresh = after.refresh.as_deref().unwrap();
            self.client.refresh(&self.acme(), refresh).unwrap().expect(400);
        }
        let before = self.tokens("public_client", "now");
        let refresh = before.refresh.as_deref().unwrap();
        let after = self.desk(&[("grant_type", "refresh_token"), ("refresh_token", refresh)]);
        assert!(self.is_alive(&after) && !self.is_alive(&before));
        for name in ["client_credentials", "made_by_administrator"] {
            let tokens = self.tokens(name, "now");
            self.client.revoke(&self.acme(), &tokens.access).unwrap().expect(200);
            assert!(!self.is_alive(&tokens), "{name}");
        }
        for name in ENDED {
            let refresh = self.tokens(name, "now").refresh.unwrap();
            let refused = self.client.refresh(&self.acme(), &refresh).unwrap();
            assert_eq!(refused.status, 400, "{name}: {}", refused.text);
        }
    }

    /// It has no row of its own: it is known by its tag, under a key of that time.
    fn a_spent_refresh_token_ends_its_grant(&self) {
        let spent = self.tokens("third_rotation", "long_before").refresh.unwrap();
        self.client.refresh(&self.acme(), &spent).unwrap().expect(400);
        assert!(!self.is_alive(&self.tokens("third_rotation", "now")));
    }

    fn new_tokens_are_issued(&self) {
        let issued = self.client.issue(&self.acme()).unwrap().tokens();
        assert!(self.is_alive(&issued));
        assert!(id(&issued.access) > 1_000, "an id of before");
    }
}
