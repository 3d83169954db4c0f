//! `tokenry why`: what a credential is or was, why it is refused, and what happened to it.

use std::{
    path::Path,
    process::{Command, Output},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokenry_protocol::secret::{Credential, Parts};

use crate::{
    browser::Browser,
    client::{App, Client, Tokens, id},
    durability::faults::{Faults, layout::Word},
    process::{self, Process, TOKENRY, tokenry},
    shared_database::SharedDatabase,
};

/// A server writes refusals down once a second.
const PATIENCE: Duration = Duration::from_secs(60);
const HOUR: i64 = 3_600_000;

/// A server with a client and a grant of its administrator's.
struct World {
    folder: TempDir,
    admin: Value,
    server: Process,
    client: Client,
    app: App,
    grant: Tokens,
}

impl World {
    fn new() -> Self {
        Self::with(&[])
    }

    fn with(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let admin = process::init(folder.path());
        let server = Process::start_with(folder.path(), settings);
        let client = Client::new(&server.base);
        let (app, mut grants) = client.prepare(&admin, 1);
        let grant = grants.remove(0);
        Self { folder, admin, server, client, app, grant }
    }

    /// What is said of a credential after the server has stopped, which writes down all it knows.
    fn stop_and_ask(self, credentials: &[&str]) -> Vec<Value> {
        self.server.stop();
        credentials.iter().map(|credential| why(self.folder.path(), credential)).collect()
    }
}

/// Asks by the first 10 characters; nothing that is said holds what is secret.
fn why(folder: &Path, credential: &str) -> Value {
    let json = run(&mut tokenry(folder, &["why", &credential[..10], "--json"]));
    run(&mut tokenry(folder, &["why", &credential[..10]]));
    serde_json::from_slice(&json.stdout).unwrap()
}

fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    let (said, complained) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{complained}");
    assert!(!said.contains("_tokenry_") && !complained.contains("_tokenry_"), "{said}{complained}");
    output
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The words of the timeline, in its order.
fn timeline(said: &Value) -> Vec<&str> {
    let moments = said["timeline"].as_array().unwrap();
    let times: Vec<_> = moments.iter().map(|moment| moment["at"].as_str().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
    moments.iter().map(|moment| moment["what"].as_str().unwrap()).collect()
}

#[test]
fn a_token_that_works_is_told_with_whose_it_is_and_what_it_may_do() {
    let world = World::new();
    assert_eq!(world.client.is_alive(&world.grant.access), Some(true));
    let (access, app) = (world.grant.access.clone(), world.app.clone());
    let said = world.stop_and_ask(&[&access]).remove(0);
    assert_eq!(said["kind"], "access_token");
    assert_eq!((&said["id"], &said["works"]), (&json!(id(&access)), &json!(true)));
    assert_eq!(said["client"]["id"], app.id);
    let client =
        json!({"id": app.id, "state": "enabled", "name": "Durable", "identifier": "durable"});
    assert_eq!(said["client"], client);
    let user =
        json!({"id": 1, "state": "active", "name": "Administrator", "email": "ada@acme.test"});
    assert_eq!(said["user"], user);
    assert_eq!(said["scopes"], json!(["read"]));
    assert_eq!((&said["rotation"], &said["last_refusal"]), (&json!(1), &Value::Null));
    assert!(said["used_at"].is_string() && said["expires_at"].is_string(), "{said}");
    assert_eq!(timeline(&said), ["created", "redeemed", "used"]);
}

#[test]
fn a_revoked_token_names_who_revoked_it_and_where_it_was_refused() {
    let world = World::new();
    let Tokens { access, refresh } = world.grant.clone();
    let path = format!("/api/v2/oauth/tokens/{}.json", id(&access));
    let answer = world.client.change(&world.admin, ("DELETE", &path), &json!({})).unwrap();
    answer.expect(204);
    assert_eq!(world.client.is_alive(&access), Some(false));
    let said = world.stop_and_ask(&[&access, &refresh.unwrap()]);
    for said in &said {
        assert_eq!((&said["standing"], &said["works"]), (&json!("revoked"), &json!(false)));
        let explanation = said["explanation"].as_str().unwrap();
        let by = "It was revoked by user 1 (Administrator, ada@acme.test) at ";
        assert!(explanation.starts_with(by), "{explanation}");
        assert_eq!(said["client"]["state"], "enabled");
        assert_eq!(timeline(said), ["revoked", "refused"]);
    }
    let refusal = &said[0]["last_refusal"];
    assert_eq!(refusal["place"], "GET /api/v2/oauth/tokens/current");
    assert_eq!(refusal["reason"], "unknown");
    assert_eq!(said[1]["last_refusal"], Value::Null, "the refresh token was never presented");
}

#[test]
fn a_replayed_refresh_token_says_what_ended_its_grant() {
    let world = World::new();
    let (client, app) = (&world.client, &world.app);
    let first = world.grant.refresh.clone().unwrap();
    let second = client.refresh(app, &first).unwrap().tokens();
    let third = client.refresh(app, second.refresh.as_ref().unwrap()).unwrap().tokens();
    client.refresh(app, &first).unwrap().expect(400);
    assert_eq!(client.is_alive(&third.access), Some(false));
    let said = world.stop_and_ask(&[&first]).remove(0);
    assert_eq!(said["standing"], "refresh_token_replayed");
    assert_eq!(said["last_refusal"]["reason"], "replayed");
    assert_eq!(said["last_refusal"]["place"], "POST /oauth/token");
    let mut moments = timeline(&said);
    moments.sort_unstable();
    assert_eq!(moments, ["refresh_token_replayed", "refused", "refused"]);
}

#[test]
fn of_a_whole_credential_it_is_told_that_a_refresh_took_its_place() {
    let world = World::new();
    let old = world.grant.access.clone();
    let refresh = world.grant.refresh.clone().unwrap();
    let new = world.client.refresh(&world.app, &refresh).unwrap().tokens().access;
    let by_part = why(world.folder.path(), &old);
    assert_eq!(by_part["standing"], "works", "the first 10 characters are those of the new one");
    assert!(by_part["explanation"].as_str().unwrap().contains("newest"), "{by_part}");
    for (credential, standing) in [(&old, "replaced"), (&new, "works")] {
        let output = run(&mut tokenry(world.folder.path(), &["why", credential, "--json"]));
        let warned = text(&output.stderr);
        assert!(warned.contains("process lists"), "{warned}");
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(said["standing"], standing);
    }
    world.server.stop();
}

/// Beside a running server, which writes a refusal down within a second or two.
#[test]
fn a_token_of_a_stopped_client_is_told_beside_a_running_server() {
    let world = World::new();
    let access = &world.grant.access;
    let path = format!("/api/v2/oauth/clients/{}", world.app.id);
    let body = json!({"client": {"disabled": true}});
    world.client.change(&world.admin, ("PUT", &path), &body).unwrap().expect(200);
    assert_eq!(world.client.is_alive(access), Some(false));
    let began = Instant::now();
    let said = loop {
        let said = why(world.folder.path(), access);
        assert_eq!(said["standing"], "client_disabled");
        assert_eq!(said["client"]["state"], "disabled");
        if said["last_refusal"] != Value::Null {
            break said;
        }
        assert!(began.elapsed() < PATIENCE, "no refusal was written");
    };
    assert_eq!(said["last_refusal"]["reason"], "client disabled");
    world.server.stop();
}

#[test]
fn a_deleted_client_is_known_by_its_name_and_its_end() {
    let world = World::new();
    let (access, secret) = (world.grant.access.clone(), world.app.secret.clone());
    let path = format!("/api/v2/oauth/clients/{}", world.app.id);
    world.client.change(&world.admin, ("DELETE", &path), &json!({})).unwrap().expect(204);
    assert_eq!(world.client.is_alive(&access), Some(false));
    for said in world.stop_and_ask(&[&access, &secret]) {
        assert_eq!(said["standing"], "client_deleted", "{said}");
        assert_eq!(said["client"]["name"], "Durable");
        assert!(timeline(&said).contains(&"deleted"), "{said}");
    }
}

#[test]
fn a_token_that_is_over_says_since_when() {
    let folder = tempfile::tempdir().unwrap();
    let admin = process::init(folder.path());
    let Some(faults) = Faults::new("why", folder.path()) else { return };
    faults.set(Word::ClockShift, (-2 * HOUR).cast_unsigned());
    let server = faults.start_with(&[]);
    let client = Client::new(&server.base);
    let (_, grants) = client.prepare(&admin, 1);
    let access = &grants[0].access;
    assert_eq!(client.is_alive(access), Some(true));
    faults.set(Word::ClockShift, 0);
    assert_eq!(client.is_alive(access), Some(false));
    server.stop();
    let said = why(folder.path(), access);
    assert_eq!(said["standing"], "expired");
    assert_eq!(said["last_refusal"]["reason"], "expired");
    let expected = ["created", "redeemed", "used", "access_token_expired", "refused"];
    assert_eq!(timeline(&said), expected);
    let refresh = why(folder.path(), grants[0].refresh.as_ref().unwrap());
    assert_eq!(refresh["standing"], "works", "it outlives its access token");
}

/// The JWT is only its form: the credential is what works, and what is refused.
#[test]
fn a_jwt_access_token_is_told_by_the_credential_in_it() {
    let world = World::with(&[("TOKENRY_TOKENS_ACCESS_TOKEN_FORMAT", "jwt")]);
    let jwt = world.grant.access.clone();
    assert!(jwt.starts_with("eyJ"), "{jwt}");
    let at = jwt.len() - 20;
    let other = if jwt[at..].starts_with('A') { "B" } else { "A" };
    let changed = format!("{}{other}{}", &jwt[..at], &jwt[at + 1..]);
    assert_eq!(world.client.is_alive(&jwt), Some(true));
    assert_eq!(world.client.is_alive(&changed), Some(false));
    world.server.stop();
    let output = run(&mut tokenry(world.folder.path(), &["why", &jwt, "--json"]));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&said["kind"], &said["standing"]), (&json!("access_token"), &json!("works")));
    assert_eq!(said["last_refusal"]["reason"], "signature wrong");
    assert_eq!(timeline(&said), ["created", "redeemed", "used", "refused"]);
}

#[test]
fn what_somebody_made_up_leaves_nothing() {
    let world = World::new();
    let parts = *Credential::parse(&world.grant.access).unwrap().parts();
    for id in [parts.id, 1_000_000] {
        let forged = Credential::assemble(Parts { id, tag: [7; 9], ..parts });
        assert_eq!(world.client.is_alive(forged.reveal()), Some(false));
    }
    let access = world.grant.access.clone();
    let said = world.stop_and_ask(&[&access, "a000004C92"]);
    assert_eq!(said[0]["last_refusal"], Value::Null);
    assert_eq!(timeline(&said[0]), ["created", "redeemed"]);
    assert_eq!(said[1]["id"], 1_000_000);
    assert_eq!((&said[1]["standing"], &said[1]["timeline"]), (&json!("never_issued"), &json!([])));
}

#[test]
fn codes_api_tokens_secrets_and_sessions_are_told() {
    let world = World::new();
    let mut browser = Browser::signed_in(&world.client, &world.admin);
    let code = browser.consent(&world.client, &world.app).unwrap().unwrap();
    let api_token = world.admin["api_token"].as_str().unwrap().to_owned();
    let secret = world.app.secret.clone();
    let asked = [code.clone(), api_token.clone(), secret, "b000000001".to_owned()];
    let before: Vec<_> = asked.iter().map(|text| why(world.folder.path(), text)).collect();
    let kinds = ["authorization_code", "api_token", "client_secret", "sign_in_session"];
    for (said, kind) in before.iter().zip(kinds) {
        assert_eq!((&said["kind"], &said["standing"]), (&json!(kind), &json!("works")), "{said}");
    }
    world.client.redeem(&world.app, &code).unwrap().expect(200);
    let api_tokens = format!("/api/v2/api_tokens/{}", id(&api_token));
    let off = json!({"api_token": {"active": false}});
    world.client.change(&world.admin, ("PUT", &api_tokens), &off).unwrap().expect(200);
    let said = world.stop_and_ask(&[&code, &api_token, "d000000001"]);
    let standings = said.iter().map(|said| said["standing"].as_str().unwrap());
    assert_eq!(standings.collect::<Vec<_>>(), ["redeemed", "switched_off", "never_issued"]);
}

#[test]
fn an_api_token_that_is_bound_to_nobody_works_as_the_setting_says() {
    const ACCOUNT_WIDE: (&str, &str) = ("TOKENRY_API_TOKENS_ACCOUNT_WIDE", "on");
    let folder = tempfile::tempdir().unwrap();
    let admin = process::init(folder.path());
    let server = Process::start_with(folder.path(), &[ACCOUNT_WIDE]);
    let client = Client::new(&server.base);
    let path = ("POST", "/api/v2/api_tokens");
    let made = client.change(&admin, path, &json!({"api_token": {}})).unwrap().expect(201).json();
    let token = made["api_token"]["token"].as_str().unwrap().to_owned();
    let unbound = json!({"email": admin["email"], "api_token": token});
    client.me(&unbound).expect(200);
    server.stop();
    let server = Process::start(folder.path());
    Client::new(&server.base).me(&unbound).expect(401);
    server.stop();

    let said = why(folder.path(), &token);
    assert_eq!(said["standing"], "bound_to_nobody");
    assert_eq!(said["last_refusal"]["reason"], "bound to nobody");
    assert_eq!(said["user"], Value::Null);
    let mut asked = tokenry(folder.path(), &["why", &token[..10]]);
    let text = run(asked.env(ACCOUNT_WIDE.0, ACCOUNT_WIDE.1));
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("It works with the address of every verified user"), "{text}");
}

/// Each node writes down its own refusals, and any of them can be asked about.
#[test]
fn refusals_of_every_node_of_a_shared_database_are_told() {
    let database = SharedDatabase::made_by(TOKENRY);
    let (one, two) = (database.start(TOKENRY, &[]), database.start(TOKENRY, &[]));
    let client = Client::new(&one.process.base);
    let (app, grants) = client.prepare(&database.admin, 1);
    let Tokens { access, refresh } = &grants[0];
    client.revoke(&app, access).unwrap().expect(200);
    client.refresh(&app, refresh.as_ref().unwrap()).unwrap().expect(400);
    one.stop();
    assert_eq!(Client::new(&two.process.base).is_alive(access), Some(false));
    two.stop();
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["why", &access[..10], "--json", "--store", &database.store];
    let output = run(&mut tokenry(folder.path(), &arguments));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["standing"], "revoked");
    assert_eq!(timeline(&said), ["revoked", "refused", "refused"]);
    assert_eq!(said["last_refusal"]["place"], "GET /api/v2/oauth/tokens/current");
    assert!(!folder.path().join("data").exists(), "a look makes no folder");
}

#[test]
fn what_is_none_of_ours_and_what_has_no_database_is_refused_and_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for (asked, said) in [("hello", "none of Tokenry's"), ("a000000001", "no installation in")] {
        let output = tokenry(folder.path(), &["why", asked]).output().unwrap();
        assert!(!output.status.success());
        assert!(text(&output.stderr).contains(said), "{}", text(&output.stderr));
    }
    assert!(!folder.path().join("data").exists());
}
