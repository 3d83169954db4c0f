//! The fixtures' cast, with credentials of this world in place of the made-up ones.

use std::collections::{BTreeMap, HashMap};

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use futures_util::future::join_all;
use serde_json::Value;
use tokenry_core::user::Role;
use tokenry_protocol::{
    ids::{ApiTokenId, ClientId, TokenId, UserId},
    redirect_uri::{ClientKind, RedirectUri},
    secret::{Credential, LENGTH, PUBLIC_LENGTH},
    time::Timestamp,
};
use tokenry_store::{ApiTokenUse, IdSequence, Store as _, TokenUse};

use super::{fixture::Fixture, given};
use crate::support::{Answer, Call, GrantSpec, IssuedGrant, NOON, TestApp, TestClient, TestUser};

/// What a credential of a fixture is, by what it says: kind, id and rotation.
type Address = (u8, u64, u32);

/// A server as the fixtures know it.
pub struct World<'a> {
    pub app: &'a TestApp,
    /// 29, an administrator.
    pub ada: TestUser,
    /// 31, an agent.
    pub ben: TestUser,
    /// 37, an end user.
    pub cleo: TestUser,
    /// 41, confidential.
    pub reports: TestClient,
    /// 43, public.
    pub mobile: TestClient,
    /// In place of the fixtures' cookie.
    pub cookie: String,
    /// In place of a body that only the pages can give.
    pub body: Option<String>,
    credentials: BTreeMap<Address, String>,
    cursors: HashMap<String, String>,
}

impl<'a> World<'a> {
    /// The cast: three users with their API tokens, two clients, tokens 1001 to 1005, and noon.
    pub async fn new(app: &'a TestApp, number: u32) -> Self {
        for (sequence, next) in given::next_ids(number) {
            app.store.lease_ids(sequence, next - 1).await.unwrap();
        }
        app.clock.set("2025-01-07T08:00:00Z");
        let ada = add_user(app, 29, 7, "Ada Lindqvist", Role::Admin).await;
        let ben = add_user(app, 31, 5, "Ben Okafor", Role::Agent).await;
        app.clock.set("2025-06-01T10:00:00Z");
        let cleo = add_user(app, 37, 6, "Cleo Marsh", Role::EndUser).await;
        tidy_users(app, [&ada, &ben, &cleo]).await;
        app.clock.set("2026-01-10T09:00:00Z");
        let reports = add_reports(app, &ada).await;
        let mobile = add_mobile(app, &ada).await;
        let mut world = Self {
            app,
            ada,
            ben,
            cleo,
            reports,
            mobile,
            cookie: String::new(),
            body: None,
            credentials: BTreeMap::new(),
            cursors: HashMap::new(),
        };
        world.keep_known_credentials();
        world.add_tokens().await;
        app.clock.set(NOON);
        world
    }

    async fn add_tokens(&mut self) {
        let (ben, cleo) = (self.ben.clone(), self.cleo.clone());
        self.create_token(1001, "read", "2026-03-02T09:15:04Z").await;
        self.note_use(1001, "2026-03-04T17:40:12Z").await;
        self.create_token(1003, "read write", "2026-03-03T08:00:00Z").await;
        let mobile = self.mobile.clone();
        for (id, user, scope, at, expires_in) in [
            (1002, &ben, "tickets:read users:read", "2026-03-02T10:00:00Z", 1_800),
            (1004, &cleo, "read", "2026-03-03T16:30:00Z", 172_800),
            (1005, &cleo, "read", "2026-01-15T07:00:00Z", 1_800),
        ] {
            let spec = GrantSpec {
                id: Some(TokenId::new(id).unwrap()),
                expires_in: Some(expires_in),
                ..GrantSpec::of(scope, &mobile)
            };
            self.app.clock.set(at);
            let grant = self.app.grant_of(user, &mobile, &spec).await;
            self.keep_grant(&grant);
        }
        self.note_use(1002, "2026-03-02T10:12:41Z").await;
        self.note_use(1005, "2026-01-15T07:20:00Z").await;
    }

    /// A token of Ada's that she made herself for client 41, without expiry.
    pub async fn create_token(&mut self, id: u64, scope: &str, at: &str) {
        self.app.clock.set(at);
        let id = TokenId::new(id).unwrap();
        let token = self.app.create_token(&self.ada, &self.reports, id, scope).await;
        self.keep(&token.access);
    }

    /// The tokens of a consent of Ada's to client 41, redeemed now. The lifetime is asked for: when
    /// nobody asks, it differs between the modes.
    pub async fn issue_grant(&mut self, id: u64, expires_in: u32) -> IssuedGrant {
        let spec = GrantSpec {
            id: Some(TokenId::new(id).unwrap()),
            expires_in: Some(expires_in),
            ..GrantSpec::of("read", &self.reports)
        };
        let grant = self.app.grant_of(&self.ada, &self.reports, &spec).await;
        self.keep_grant(&grant);
        grant
    }

    /// The code of a consent given now.
    pub async fn issue_code(&mut self, user: &TestUser, client: &TestClient, spec: GrantSpec) {
        let code = self.app.code_of(user, client, &spec).await;
        self.keep(code.reveal());
    }

    pub async fn note_use(&self, id: u64, at: &str) {
        let token_use = TokenUse {
            id: TokenId::new(id).unwrap(),
            used_at: Timestamp::parse(at).unwrap(),
            rotation: 1,
        };
        self.app.store.record_token_uses(vec![token_use]).await.unwrap();
    }

    /// Sends a fixture's request with this world's credentials, and learns those of the answer.
    pub async fn send(&mut self, fixture: &Fixture) -> Answer {
        let answer = self.call(fixture).await;
        if fixture.response.body.is_object()
            && let Ok(body) = serde_json::from_slice(&answer.body)
        {
            self.learn(&fixture.response.body, &body);
        }
        answer
    }

    /// The same many times in one moment.
    pub async fn send_at_once(&mut self, fixture: &Fixture, times: usize) -> Vec<Answer> {
        let calls = (0..times).map(|_| self.call(fixture).into_future());
        let answers = join_all(calls).await;
        if let Some(first) = answers.first() {
            self.learn(&fixture.response.body, &first.json());
        }
        answers
    }

    fn call(&self, fixture: &Fixture) -> Call<'a> {
        let request = &fixture.request;
        let mut call = self.app.call(&request.method, &self.translate(&request.path));
        for (name, value) in &request.headers {
            let value = match name.as_str() {
                "authorization" => self.translate_authorization(value),
                "cookie" => self.cookie.clone(),
                _ => value.clone(),
            };
            call = call.header(name, &value);
        }
        call.raw(self.translate_body(&request.body))
    }

    /// Text with this world's credentials and cursors in place of the fixtures'.
    pub fn translate(&self, text: &str) -> String {
        let mut translated = text.to_owned();
        for credential in credentials_in(text) {
            if let Some(ours) = self.credentials.get(&address(&credential)) {
                translated = translated.replace(credential.reveal(), ours);
            }
        }
        for (theirs, ours) in &self.cursors {
            translated = translated.replace(theirs, ours);
        }
        translated
    }

    /// From now on this cursor stands for that of a fixture.
    pub fn keep_cursor(&mut self, theirs: &str, ours: &str) {
        self.cursors.insert(theirs.to_owned(), ours.to_owned());
    }

    fn translate_body(&self, body: &Value) -> String {
        match (&self.body, body) {
            (Some(body), _) => body.clone(),
            (None, Value::Null) => String::new(),
            (None, Value::String(text)) if text == "(70000 bytes)" => " ".repeat(70_000),
            (None, Value::String(text)) => self.translate(text),
            (None, body) => self.translate(&body.to_string()),
        }
    }

    fn translate_authorization(&self, value: &str) -> String {
        let Some(encoded) = value.strip_prefix("Basic ") else {
            return self.translate(value);
        };
        let inner = |decoded: Vec<u8>| self.translate(&String::from_utf8(decoded).unwrap());
        let encoded = if let Ok(decoded) = BASE64_STANDARD.decode(encoded) {
            BASE64_STANDARD.encode(inner(decoded))
        } else {
            let decoded = BASE64_URL_SAFE_NO_PAD.decode(encoded).unwrap();
            BASE64_URL_SAFE_NO_PAD.encode(inner(decoded))
        };
        format!("Basic {encoded}")
    }

    /// What stands in our answer where the fixture has a credential is that credential here.
    fn learn(&mut self, theirs: &Value, ours: &Value) {
        match (theirs, ours) {
            (Value::Object(theirs), Value::Object(ours)) => {
                for (name, theirs) in theirs {
                    self.learn(theirs, ours.get(name).unwrap_or(&Value::Null));
                }
            }
            (Value::String(theirs), Value::String(ours)) => {
                if let Ok(theirs) = Credential::parse(theirs) {
                    self.credentials.entry(address(&theirs)).or_insert_with(|| ours.clone());
                }
            }
            _ => {}
        }
    }

    fn keep_known_credentials(&mut self) {
        let users = [&self.ada, &self.ben, &self.cleo].map(|user| user.api_token.clone());
        for api_token in users {
            self.keep(&api_token);
        }
        let secret = self.reports.secret().to_owned();
        self.keep(&secret);
    }

    pub fn keep(&mut self, ours: &str) {
        let credential = Credential::parse(ours).unwrap();
        self.credentials.insert(address(&credential), ours.to_owned());
    }

    fn keep_grant(&mut self, grant: &IssuedGrant) {
        self.keep(&grant.access);
        self.keep(&grant.refresh);
    }
}

fn address(credential: &Credential) -> Address {
    let parts = credential.parts();
    (parts.kind.letter(), parts.id, parts.rotation)
}

/// Every credential in full that stands in a text.
fn credentials_in(text: &str) -> Vec<Credential> {
    let marks = text.match_indices("_tokenry_");
    marks
        .filter_map(|(at, _)| {
            let start = at.checked_sub(PUBLIC_LENGTH)?;
            Credential::parse(text.get(start..start + LENGTH)?).ok()
        })
        .collect()
}

async fn add_user(app: &TestApp, id: u64, api_token: u64, name: &str, role: Role) -> TestUser {
    let id = UserId::new(id).unwrap();
    app.add_user(id, ApiTokenId::new(api_token).unwrap(), name, role).await
}

/// The times and words of the fixtures: Ada made all three API tokens.
async fn tidy_users(app: &TestApp, users: [&TestUser; 3]) {
    let [ada, ben, _] = users;
    for user in [ada, ben] {
        let updated_at = Timestamp::parse("2026-02-11T16:20:00Z").unwrap();
        app.change_user(user, |record| record.updated_at = updated_at).await;
    }
    let made_at = Timestamp::parse("2025-09-01T06:00:00Z").unwrap();
    let used_at = Timestamp::parse("2026-03-05T11:59:58Z").unwrap();
    for mut token in app.store.list_api_tokens().await.unwrap() {
        app.store.delete_api_token(token.id).await.unwrap();
        if token.assigned_user_id == Some(ada.id) {
            "nightly export".clone_into(&mut token.description);
        }
        token.user_id = ada.id;
        token.created_at = made_at;
        token.updated_at = made_at;
        let id = token.id;
        app.store.insert_api_token(token, 256).await.unwrap();
        let last_use = vec![ApiTokenUse { id, used_at }];
        app.store.record_api_token_uses(last_use).await.unwrap();
    }
}

async fn add_reports(app: &TestApp, ada: &TestUser) -> TestClient {
    let (id, kind) = (ClientId::new(41).unwrap(), ClientKind::Confidential);
    app.add_client(id, "acme_reports", kind, |client| {
        client.user_id = ada.id;
        "Acme Reports".clone_into(&mut client.name);
        client.company = Some("Acme Ltd".to_owned());
        client.description = Some("Weekly figures".to_owned());
        client.redirect_uris = redirects(kind, &["https://reports.acme.test/callback"]);
    })
    .await
}

async fn add_mobile(app: &TestApp, ada: &TestUser) -> TestClient {
    let (id, kind) = (ClientId::new(43).unwrap(), ClientKind::Public);
    let mut mobile = app
        .add_client(id, "acme_mobile", kind, |client| {
            client.user_id = ada.id;
            "Acme Mobile".clone_into(&mut client.name);
            let addresses = ["com.acme.app:/cb", "http://127.0.0.1/callback"];
            client.redirect_uris = redirects(kind, &addresses);
        })
        .await;
    "http://127.0.0.1:53123/callback".clone_into(&mut mobile.redirect_uri);
    mobile
}

fn redirects(kind: ClientKind, addresses: &[&str]) -> Vec<RedirectUri> {
    let parse = |address: &&str| RedirectUri::parse(address, kind).unwrap();
    addresses.iter().map(parse).collect()
}

/// A sequence of ids and the next one it is to give.
pub type NextId = (IdSequence, u32);
