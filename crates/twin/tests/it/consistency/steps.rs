//! What happens, and what has to come of it.

use std::time::Duration;

use proptest::sample::Index;
use serde_json::{Value, json};
use tokenry_protocol::time::{Seconds, Timestamp};
use tokenry_twin::{Authorize, IssueToken, Profile, account::AccountToken};

use super::model::{Present, Record, World};

/// A step of a client's or of the control's.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Refresh(Index, Struck),
    Verify(Index, Struck),
    UseDead(Index),
    RevokeToken(Index),
    DeleteRecord(Index),
    List,
    Create,
    ClientCredentials,
    /// To this client.
    Issue(&'static str),
    Consent,
    Expire(Index),
    Revoke(Index),
    Rotate(Index),
    /// By so many seconds.
    Advance(u32),
    Snapshot(u8),
    Restore(u8),
    Reset(Profile),
}

/// The fault of a call's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Struck {
    Not,
    Lost,
    Cut,
    Limited,
    Failed,
    FailedAfterwards,
    ExpireToken,
    RevokeToken,
    RotateToken,
}

pub(super) const STRUCK: [Struck; 8] = [
    Struck::Lost,
    Struck::Cut,
    Struck::Limited,
    Struck::Failed,
    Struck::FailedAfterwards,
    Struck::ExpireToken,
    Struck::RevokeToken,
    Struck::RotateToken,
];

/// What a caller sees of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Nothing,
    Status(u16),
    Own,
}

impl Struck {
    const fn word(self) -> &'static str {
        match self {
            Self::Not => "",
            Self::Lost => "lose-answer",
            Self::Cut => "cut-answer",
            Self::Limited => "rate-limited",
            Self::Failed => "status=503",
            Self::FailedAfterwards => "status=504 applied",
            Self::ExpireToken => "expire-token",
            Self::RevokeToken => "revoke-token",
            Self::RotateToken => "rotate-token",
        }
    }

    const fn seen(self) -> Seen {
        match self {
            Self::Lost | Self::Cut => Seen::Nothing,
            Self::Limited => Seen::Status(429),
            Self::Failed => Seen::Status(503),
            Self::FailedAfterwards => Seen::Status(504),
            _ => Seen::Own,
        }
    }

    const fn reaches_the_server(self) -> bool {
        !matches!(self, Self::Limited | Self::Failed)
    }
}

impl World {
    pub(super) fn take(&mut self, step: &Step) {
        match step {
            Step::Refresh(at, struck) => self.refresh(*at, *struck),
            Step::Verify(at, struck) => self.verify(*at, *struck),
            Step::UseDead(at) => {
                let dead = self.dead();
                if !dead.is_empty() {
                    let token = &dead[at.index(dead.len())];
                    assert!(!self.works(token), "{token:?} must not work");
                }
            }
            Step::RevokeToken(at) => self.revoke_token(*at),
            Step::DeleteRecord(at) => self.delete_record(*at),
            Step::List => self.check_list(),
            Step::Create => self.create(),
            Step::ClientCredentials => self.client_credentials(),
            Step::Issue(client) => self.issue(client),
            Step::Consent => self.consent(),
            Step::Expire(at) => self.control_expires(*at),
            Step::Revoke(at) => self.control_revokes(*at),
            Step::Rotate(at) => self.control_rotates(*at),
            Step::Advance(seconds) => {
                self.twin.clock().advance(Duration::from_secs((*seconds).into()));
                self.moment.now = self.moment.now.plus(Seconds(*seconds));
            }
            Step::Snapshot(name) => {
                self.runtime.block_on(self.twin.snapshot(&name.to_string())).unwrap();
                self.snapshots.insert(*name, self.moment.clone());
            }
            Step::Restore(name) => {
                let restored = self.runtime.block_on(self.twin.restore(&name.to_string()));
                let kept = self.snapshots.get(name);
                assert_eq!(restored.is_ok(), kept.is_some());
                if let Some(moment) = kept {
                    self.moment = moment.clone();
                    self.calls.clear();
                }
                assert_eq!(self.twin.clock().read().now, self.moment.now);
                assert_eq!(self.twin.connection_details().profile, self.moment.profile.as_str());
            }
            Step::Reset(profile) => {
                self.runtime.block_on(self.twin.reset_to(*profile)).unwrap();
                self.start_over(*profile);
            }
        }
    }

    fn refresh(&mut self, at: Index, struck: Struck) {
        let Some(id) = self.pick(at) else { return };
        let record = self.moment.records[&id].clone();
        let Some(text) = record.refresh.and_then(|refresh| refresh.text) else { return };
        let body = json!({"grant_type": "refresh_token", "refresh_token": text});
        let body = self.as_client(&record.client, body);
        let outcome = self.post_form("/oauth/token", &headers(struck, None), &body);
        match struck {
            Struck::ExpireToken => self.expire_pair(id),
            Struck::RevokeToken => self.end(id),
            Struck::RotateToken => self.rotate_unseen(id),
            _ => {}
        }
        if !struck.reaches_the_server() {
            assert_eq!(outcome.unwrap().0, status(struck));
            return;
        }
        let present = self.moment.records.get(&id);
        let is_present = present.is_some_and(|record| {
            let refresh = record.refresh.as_ref().filter(|it| it.is_live(self.moment.now));
            refresh.is_some_and(|refresh| refresh.text.as_deref() == Some(text.as_str()))
        });
        match (struck.seen(), is_present) {
            (Seen::Nothing, _) => assert!(outcome.is_err(), "{outcome:?}"),
            (Seen::Status(expected), _) => assert_eq!(outcome.unwrap().0, expected),
            (Seen::Own, true) => {
                let (status, body) = outcome.unwrap();
                assert_eq!(status, 200, "{body}");
                return self.keep_answer(id, &record.client, &body);
            }
            (Seen::Own, false) => {
                let (status, body) = outcome.unwrap();
                assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")));
            }
        }
        if is_present {
            self.keep_unseen(id);
        }
    }

    fn verify(&mut self, at: Index, struck: Struck) {
        let Some(id) = self.pick(at) else { return };
        let Some(text) = self.moment.records[&id].access.text.clone() else { return };
        let bearer = format!("Bearer {text}");
        let path = "/api/v2/oauth/tokens/current";
        let headers = headers(struck, Some(&bearer));
        let outcome = self.call("GET", path, &headers, &Value::Null);
        match struck {
            Struck::ExpireToken => self.expire_access(id),
            Struck::RevokeToken => self.end(id),
            Struck::RotateToken => self.rotate_unseen(id),
            _ => {}
        }
        let works = self.moment.records.get(&id).is_some_and(|record| {
            record.access.is_live(self.moment.now) && record.access.text.as_deref() == Some(&text)
        });
        match struck.seen() {
            Seen::Nothing => assert!(outcome.is_err(), "{outcome:?}"),
            Seen::Status(expected) => assert_eq!(outcome.unwrap().0, expected),
            Seen::Own => assert_eq!(outcome.unwrap().0, if works { 200 } else { 401 }),
        }
    }

    /// RFC 7009: a live token of a pair ends both, and nobody is told which it was.
    fn revoke_token(&mut self, at: Index) {
        let Some(id) = self.pick(at) else { return };
        let record = self.moment.records[&id].clone();
        let token = record.refresh.filter(|_| at.index(2) == 0).unwrap_or(record.access);
        let Some(text) = token.text.clone() else { return };
        let body = self.as_client(&record.client, json!({"token": text}));
        let (status, body) = self.post_form("/oauth/revoke", &[], &body).unwrap();
        assert_eq!(status, 200, "{body}");
        if token.is_live(self.moment.now) {
            self.end(id);
        }
    }

    fn delete_record(&mut self, at: Index) {
        let Some(id) = self.pick(at) else { return };
        let path = format!("/api/v2/oauth/tokens/{id}");
        let is_live = self.moment.records[&id].is_live(self.moment.now);
        let (status, body) = self.as_admin("DELETE", &path, &Value::Null);
        assert_eq!(status, if is_live { 204 } else { 404 }, "{body}");
        if is_live {
            self.end(id);
        }
    }

    fn create(&mut self) {
        let body = json!({"token": {"client_id": 41, "scopes": ["read"]}});
        let (status, body) = self.as_admin("POST", "/api/v2/oauth/tokens", &body);
        assert_eq!(status, 201, "{body}");
        let text = body["token"]["full_token"].as_str().map(str::to_owned);
        let access = Present { text, expires_at: None };
        let client = "acme_reports".to_owned();
        let id = body["token"]["id"].as_u64().unwrap();
        self.put(id, Record { client, access, refresh: None });
    }

    fn client_credentials(&mut self) {
        let body = json!({"grant_type": "client_credentials", "scope": "read"});
        let body = self.as_client("acme_reports", body);
        let (status, body) = self.post_form("/oauth/token", &[], &body).unwrap();
        assert_eq!(status, 200, "{body}");
        self.keep_new("acme_reports", &body);
    }

    fn issue(&mut self, client: &str) {
        let asked = IssueToken::pair("cleo@acme.test", client, &["read"]);
        let issued = self.runtime.block_on(self.twin.issue_token(&asked)).unwrap();
        let AccountToken { id, access_token, expires_at, refresh_token, .. } = issued;
        let access = Present { text: Some(access_token), expires_at };
        let expires_at = issued.refresh_token_expires_at;
        let refresh = refresh_token.map(|text| Present { text: Some(text), expires_at });
        self.put(id.get(), Record { client: client.to_owned(), access, refresh });
    }

    /// A code that is redeemed once, and not again.
    fn consent(&mut self) {
        let asked = Authorize::new("ben@acme.test", "acme_reports", &["read"]);
        let given = self.runtime.block_on(self.twin.authorize(&asked)).unwrap();
        let body = json!({"grant_type": "authorization_code", "code": given.code});
        let body = self.as_client("acme_reports", body);
        let (status, answer) = self.post_form("/oauth/token", &[], &body).unwrap();
        assert_eq!(status, 200, "{answer}");
        self.keep_new("acme_reports", &answer);
    }

    fn control_expires(&mut self, at: Index) {
        let Some(id) = self.pick(at) else { return };
        let is_live = self.moment.records[&id].access.is_live(self.moment.now);
        assert_eq!(self.turn(id, "expire"), if is_live { 204 } else { 404 });
        self.expire_access(id);
    }

    /// What is wholly over may be cleared away at any time.
    fn control_revokes(&mut self, at: Index) {
        let Some(id) = self.pick(at) else { return };
        let is_live = self.moment.records[&id].is_live(self.moment.now);
        let status = self.turn(id, "revoke");
        assert!(status == 204 || (!is_live && status == 404), "{status}");
        self.end(id);
    }

    fn control_rotates(&mut self, at: Index) {
        let Some(id) = self.pick(at) else { return };
        let refreshes = self.moment.records[&id].refreshes(self.moment.now);
        assert_eq!(self.turn(id, "rotate"), if refreshes { 204 } else { 404 });
        self.rotate_unseen(id);
    }

    fn turn(&mut self, id: u64, what: &str) -> u16 {
        let path = format!("/twin/tokens/{id}/{what}");
        let (status, _) = self.call("POST", &path, &[], &Value::Null).unwrap();
        // The control does not stand in the journal.
        self.calls.pop();
        status
    }

    fn end(&mut self, id: u64) {
        self.moment.records.remove(&id);
    }

    fn expire_access(&mut self, id: u64) {
        let now = self.moment.now;
        if let Some(record) = self.moment.records.get_mut(&id)
            && record.access.is_live(now)
        {
            record.access.expires_at = Some(now);
        }
    }

    fn expire_pair(&mut self, id: u64) {
        self.expire_access(id);
        let now = self.moment.now;
        let record = self.moment.records.get_mut(&id);
        if let Some(refresh) = record.and_then(|record| record.refresh.as_mut())
            && refresh.is_live(now)
        {
            refresh.expires_at = Some(now);
        }
    }

    fn rotate_unseen(&mut self, id: u64) {
        let record = self.moment.records.get(&id);
        if record.is_some_and(|record| record.refreshes(self.moment.now)) {
            self.keep_unseen(id);
        }
    }

    /// The record has a new pair, which nobody of ours has seen: how long it lives is asked.
    fn keep_unseen(&mut self, id: u64) {
        let (status, body) =
            self.as_admin("GET", &format!("/api/v2/oauth/tokens/{id}"), &Value::Null);
        assert_eq!(status, 200, "{body}");
        let record = &body["token"];
        let time = |name: &str| Some(Timestamp::parse(record[name].as_str()?).unwrap());
        let access = Present { text: None, expires_at: time("expires_at") };
        let refresh = Present { text: None, expires_at: time("refresh_token_expires_at") };
        let client = self.moment.records[&id].client.clone();
        self.put(id, Record { client, access, refresh: Some(refresh) });
    }

    fn keep_new(&mut self, client: &str, body: &Value) {
        let bearer = format!("Bearer {}", body["access_token"].as_str().unwrap());
        let path = "/api/v2/oauth/tokens/current";
        let (_, shown) =
            self.call("GET", path, &[("authorization", &bearer)], &Value::Null).unwrap();
        self.keep_answer(shown["token"]["id"].as_u64().unwrap(), client, body);
    }

    /// The record has what the answer says.
    fn keep_answer(&mut self, id: u64, client: &str, body: &Value) {
        let now = self.moment.now;
        let time = |name: &str| {
            let seconds = body[name].as_u64()?;
            Some(now.plus(Seconds(seconds.try_into().unwrap())))
        };
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        let access = Present { text: text("access_token"), expires_at: time("expires_in") };
        let refresh = text("refresh_token").map(|refresh_token| Present {
            text: Some(refresh_token),
            expires_at: time("refresh_token_expires_in"),
        });
        self.put(id, Record { client: client.to_owned(), access, refresh });
    }
}

fn headers(struck: Struck, bearer: Option<&str>) -> Vec<(&'static str, &str)> {
    let fault = Some(("x-twin-fault", struck.word())).filter(|_| struck != Struck::Not);
    fault.into_iter().chain(bearer.map(|bearer| ("authorization", bearer))).collect()
}

fn status(struck: Struck) -> u16 {
    match struck.seen() {
        Seen::Status(status) => status,
        Seen::Nothing | Seen::Own => unreachable!("{struck:?} has a status"),
    }
}
