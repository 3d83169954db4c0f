//! What an account has to be like.

use std::collections::{BTreeMap, BTreeSet};

use proptest::sample::Index;
use serde_json::{Value, json};
use tokenry_core::jwt_access_token;
use tokenry_protocol::time::Timestamp;
use tokenry_twin::{Options, Profile, Twin, account::Account};
use ureq::{Agent, http::Request};

use crate::support::{self, Outcome};

/// Ada's own token, which nothing happens to: by it records are looked at.
pub(super) const ADMIN: u64 = 1_003;

/// A token and who has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Given {
    /// An access token.
    Access(String),
    /// A refresh token, of the client with this identifier.
    Refresh(String, String),
}

/// What is known of a record's token.
#[derive(Debug, Clone)]
pub(super) struct Present {
    /// `None`: no client has seen it.
    pub(super) text: Option<String>,
    /// `None`: never.
    pub(super) expires_at: Option<Timestamp>,
}

#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) client: String,
    pub(super) access: Present,
    pub(super) refresh: Option<Present>,
}

/// Everything that a snapshot keeps.
#[derive(Debug, Clone)]
pub(super) struct Moment {
    pub(super) records: BTreeMap<u64, Record>,
    pub(super) now: Timestamp,
    pub(super) profile: Profile,
}

/// A twin and what it has to be like.
pub(super) struct World {
    pub(super) twin: Twin,
    pub(super) runtime: tokio::runtime::Runtime,
    pub(super) account: Account,
    pub(super) moment: Moment,
    pub(super) snapshots: BTreeMap<u8, Moment>,
    /// Every token that was ever given, alive or not.
    pub(super) given: BTreeSet<Given>,
    /// The calls since the last reset or restoration: method and path.
    pub(super) calls: Vec<(String, String)>,
    agent: Agent,
}

impl Given {
    /// Without its form: in another profile the same credential is given as a JWT, and either
    /// works.
    fn within(&self) -> Self {
        match self {
            Self::Access(text) => {
                let credential = jwt_access_token::named(text).unwrap();
                Self::Access(credential.reveal().to_owned())
            }
            refresh @ Self::Refresh(..) => refresh.clone(),
        }
    }
}

impl Present {
    pub(super) fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|expiry| expiry > now)
    }
}

impl Record {
    pub(super) fn is_live(&self, now: Timestamp) -> bool {
        self.access.is_live(now) || self.refreshes(now)
    }

    pub(super) fn refreshes(&self, now: Timestamp) -> bool {
        self.refresh.as_ref().is_some_and(|refresh| refresh.is_live(now))
    }
}

impl World {
    pub(super) fn begin(profile: Profile) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let options = Options { profile: Some(profile), ..Options::default() };
        let twin = runtime.block_on(Twin::start_with(options)).unwrap();
        let now = twin.clock().read().now;
        let moment = Moment { records: BTreeMap::new(), now, profile };
        let mut world = Self {
            account: twin.account(),
            twin,
            runtime,
            moment,
            snapshots: BTreeMap::new(),
            given: BTreeSet::new(),
            calls: Vec::new(),
            agent: support::agent(),
        };
        world.start_over(profile);
        world
    }

    /// The model of an account that was planted just now. Its clock stands still, so that both mean
    /// the same by now, and at a whole second, because records tell no more than that.
    pub(super) fn start_over(&mut self, profile: Profile) {
        self.twin.clock().freeze();
        let now = self.twin.clock().read().now.as_seconds();
        self.twin.clock().set(Timestamp::from_millis(now * 1_000));
        self.account = self.twin.account();
        self.calls.clear();
        let now = self.twin.clock().read().now;
        self.moment = Moment { records: BTreeMap::new(), now, profile };
        for token in self.account.tokens.clone() {
            let client = self.account.client(token.client_id).unwrap().identifier.clone();
            let access = Present { text: Some(token.access_token), expires_at: token.expires_at };
            let refresh = token.refresh_token.map(|text| Present {
                text: Some(text),
                expires_at: token.refresh_token_expires_at,
            });
            self.put(token.id.get(), Record { client, access, refresh });
        }
    }

    /// What a record holds from now on.
    pub(super) fn put(&mut self, id: u64, record: Record) {
        let Record { client, access, refresh } = &record;
        self.given.extend(access.text.clone().map(Given::Access));
        let refresh = refresh.as_ref().and_then(|refresh| refresh.text.clone());
        self.given.extend(refresh.map(|text| Given::Refresh(text, client.clone())));
        self.moment.records.insert(id, record);
    }

    /// One of the records that the model has, alive or over, but for the administrator's own.
    pub(super) fn pick(&self, at: Index) -> Option<u64> {
        let ids: Vec<_> = self.moment.records.keys().copied().filter(|id| *id != ADMIN).collect();
        (!ids.is_empty()).then(|| ids[at.index(ids.len())])
    }

    /// The tokens that must not work now.
    pub(super) fn dead(&self) -> Vec<Given> {
        let records = self.moment.records.values();
        let present: BTreeSet<_> = records
            .flat_map(|record| {
                let refresh = record.refresh.as_ref().filter(|it| it.is_live(self.moment.now));
                let refresh = refresh.and_then(|refresh| refresh.text.clone());
                let access = Some(&record.access).filter(|it| it.is_live(self.moment.now));
                let access = access.and_then(|access| access.text.clone());
                let refresh = refresh.map(|text| Given::Refresh(text, record.client.clone()));
                [access.map(Given::Access), refresh]
            })
            .flatten()
            .map(|given| given.within())
            .collect();
        self.given.iter().filter(|given| !present.contains(&given.within())).cloned().collect()
    }

    /// A call that the journal has to have.
    pub(super) fn call(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Outcome {
        self.calls.push((method.to_owned(), path.to_owned()));
        let url = format!("{}{path}", self.twin.base_url());
        support::read(self.agent.run(support::request(method, &url, headers, body)))
    }

    /// A form, at the doors that take one. The other token door does not tell how long a token
    /// lives unless it is asked to.
    pub(super) fn post_form(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        members: &Value,
    ) -> Outcome {
        self.calls.push(("POST".to_owned(), path.to_owned()));
        let members = members.as_object().unwrap().iter();
        let pairs = members.map(|(name, value)| format!("{name}={}", value.as_str().unwrap()));
        let mut request = Request::post(format!("{}{path}", self.twin.base_url()))
            .header("content-type", "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(pairs.collect::<Vec<_>>().join("&")).unwrap();
        support::read(self.agent.run(request))
    }

    pub(super) fn as_admin(&mut self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let token = &self.account.tokens.iter().find(|token| token.id.get() == ADMIN).unwrap();
        let bearer = format!("Bearer {}", token.access_token);
        self.call(method, path, &[("authorization", &bearer)], body).unwrap()
    }

    /// What a client says at the token endpoint, with its secret if it has one.
    pub(super) fn as_client(&self, client: &str, mut body: Value) -> Value {
        let known = self.account.clients.iter().find(|it| it.identifier == client).unwrap();
        body["client_id"] = json!(client);
        if let Some(secret) = &known.secret {
            body["client_secret"] = json!(secret);
        }
        body
    }

    /// Whether a token works. A refresh token is presented as its client would present it.
    pub(super) fn works(&mut self, token: &Given) -> bool {
        let (status, body) = match token {
            Given::Access(text) => {
                let bearer = format!("Bearer {text}");
                let path = "/api/v2/oauth/tokens/current";
                self.call("GET", path, &[("authorization", &bearer)], &Value::Null).unwrap()
            }
            Given::Refresh(text, client) => {
                let body = json!({"grant_type": "refresh_token", "refresh_token": text});
                let body = self.as_client(client, body);
                self.post_form("/oauth/token", &[], &body).unwrap()
            }
        };
        assert!(matches!(status, 200 | 400 | 401), "{status} {body}");
        status == 200
    }

    /// Everything that has to hold.
    pub(super) fn check(&mut self) {
        for token in self.dead() {
            assert!(!self.works(&token), "{token:?} must not work");
        }
        self.check_list();
        for record in self.moment.records.values().cloned().collect::<Vec<_>>() {
            if let Some(text) = record.access.text.filter(|_| record.access.expires_at.is_none()) {
                assert!(self.works(&Given::Access(text)), "{:?} must work", record.client);
            }
        }
        self.check_journal();
    }

    pub(super) fn check_list(&mut self) {
        let path = "/api/v2/oauth/tokens?all=true&page[size]=100";
        let (status, body) = self.as_admin("GET", path, &Value::Null);
        assert_eq!(status, 200, "{body}");
        let listed = body["tokens"].as_array().unwrap().iter();
        let mut listed: Vec<_> = listed.map(|record| record["id"].as_u64().unwrap()).collect();
        listed.sort_unstable();
        let now = self.moment.now;
        let alive = self.moment.records.iter().filter(|(_, record)| record.is_live(now));
        assert_eq!(listed, alive.map(|(id, _)| *id).collect::<Vec<_>>());
    }

    fn check_journal(&self) {
        let page = self.twin.journal().since(0, &tokenry_twin::journal::Filter::default());
        let told = page.entries.iter().map(|entry| {
            let path = entry.path.split('?').next().unwrap_or_default();
            (entry.method.clone(), path.to_owned())
        });
        let calls = self.calls.iter().map(|(method, path)| {
            (method.clone(), path.split('?').next().unwrap_or_default().to_owned())
        });
        assert_eq!(told.collect::<Vec<_>>(), calls.collect::<Vec<_>>());
        let numbers: Vec<_> = page.entries.iter().map(|entry| entry.number).collect();
        assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
    }
}
