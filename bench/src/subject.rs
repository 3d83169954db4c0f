//! Tokenry on a table of a certain size, and the identities that a benchmark needs in it: all of
//! them made by the server's own API.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use tokenry_core::client::ClientRole;
use tokenry_protocol::{secret::Credential, time::Timestamp};

use crate::{
    client::{self, App, Body, Client, ConsentForm, code_in},
    data::Data,
    load::supply::{Place, collect},
    measure::{Party, Used},
    process::{Process, Programs},
    reference::FixedAnswer,
};

/// What the HTTP library of a reference writes itself.
const WRITTEN_ANYWAY: [&str; 3] = ["content-length", "date", "connection"];

/// Makes codes by consenting, again and again.
pub(crate) struct CodePreparation {
    address: SocketAddr,
    consent: Vec<u8>,
    app: App,
}

impl CodePreparation {
    /// Requests that redeem about so many codes, which were consented to just now.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a hundred thousand"
    )]
    pub(crate) fn codes(&self, count: f64) -> Result<Vec<Vec<u8>>> {
        let place = Place::Head("code=");
        let codes = collect(self.address, &self.consent, (303, place), count.ceil() as usize)?;
        Ok(codes.iter().map(|code| client::redeem(&self.app, code)).collect())
    }
}

/// A server under measurement.
pub(crate) struct Subject {
    /// The process.
    pub(crate) process: Process,
    /// Its folder.
    pub(crate) data: Data,
    /// `Authorization` of the administrator.
    pub(crate) admin: String,
    /// A client that asks for tokens.
    pub(crate) app: App,
    /// A client that introspects.
    pub(crate) resource_server: App,
    /// The administrator's consent to the client.
    pub(crate) consent: ConsentForm,
}

/// With its database, where that is a server as well.
impl Party for Subject {
    fn address(&self) -> SocketAddr {
        self.process.address
    }

    fn used(&self) -> Result<Used> {
        let database = self.data.folder.server();
        let database = database.map(|database| database.cluster.processor_time()).transpose()?;
        Ok(Used { server: self.process.processor_time()?, database })
    }

    fn log_written(&self) -> Result<Option<u64>> {
        let database = self.data.folder.server();
        database.map(|database| database.cluster.log_written()).transpose()
    }

    fn pause(&self) -> Result<()> {
        self.process.pause()?;
        if let Some(database) = self.data.folder.server() {
            database.cluster.pause();
        }
        Ok(())
    }

    fn resume(&self) -> Result<()> {
        if let Some(database) = self.data.folder.server() {
            database.cluster.resume();
        }
        self.process.resume()
    }
}

impl Subject {
    /// Starts the server and registers the clients.
    pub(crate) fn start(programs: &Programs, data: Data) -> Result<Self> {
        let process = programs.serve(&data.folder, &[])?;
        let mut client = Client::connect(process.address)?;
        let (email, api_token) = (data.of_admin("email")?, data.of_admin("api_token")?);
        let admin = client::basic(&format!("{email}/token"), api_token);
        let app = client.register(&admin, "bench-app", ClientRole::Ordinary)?;
        let resource_server =
            client.register(&admin, "bench-resource-server", ClientRole::ResourceServer)?;
        let consent = client.sign_in((email, data.of_admin("password")?), &app)?;
        Ok(Self { process, data, admin, app, resource_server, consent })
    }

    /// Does `work` while the server is stopped, and starts it again with these settings.
    pub(crate) fn between<T>(
        self,
        programs: &Programs,
        settings: &[(&str, &str)],
        work: impl FnOnce() -> Result<T>,
    ) -> Result<(Self, T)> {
        let Self { process, data, admin, app, resource_server, consent } = self;
        process.stop()?;
        let done = work()?;
        let process = programs.serve(&data.folder, settings)?;
        Ok((Self { process, data, admin, app, resource_server, consent }, done))
    }

    /// The request that issues a token by client credentials.
    pub(crate) fn client_credentials(&self) -> Vec<u8> {
        let form = [("grant_type", "client_credentials"), ("scope", "read")];
        let headers = [("authorization", self.app.basic.as_str())];
        client::request("POST", "/oauth/token", &headers, Body::Form(&form))
    }

    /// Access tokens, issued by client credentials.
    pub(crate) fn access_tokens(&self, count: usize) -> Result<Vec<String>> {
        let place = Place::Body("\"access_token\":\"");
        collect(self.process.address, &self.client_credentials(), (200, place), count)
    }

    /// What it takes to get codes.
    pub(crate) fn code_preparation(&self) -> CodePreparation {
        let (address, consent) = (self.process.address, self.consent.allow());
        CodePreparation { address, consent, app: self.app.clone() }
    }

    /// Refresh tokens, each of a grant of its own.
    pub(crate) fn refresh_tokens(&self, count: usize) -> Result<Vec<String>> {
        let mut client = Client::connect(self.process.address)?;
        let mut tokens = Vec::new();
        for _ in 0..count {
            let consented = client.exchange(&self.consent.allow())?;
            let location = consented.header("location").context("consent is not answered")?;
            let redeemed = client.exchange(&client::redeem(&self.app, &code_in(location)?))?;
            let token = redeemed.json()?;
            let token = token.get("refresh_token").and_then(Value::as_str);
            tokens.push(token.context("no refresh token")?.to_owned());
        }
        Ok(tokens)
    }

    /// The request that refreshes.
    pub(crate) fn refresh(&self, token: &str) -> Vec<u8> {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
        let headers = [("authorization", self.app.basic.as_str())];
        client::request("POST", "/oauth/token", &headers, Body::Form(&form))
    }

    /// The request that introspects.
    pub(crate) fn introspect(&self, token: &str) -> Vec<u8> {
        let headers = [("authorization", self.resource_server.basic.as_str())];
        client::request("POST", "/oauth/introspect", &headers, Body::Form(&[("token", token)]))
    }

    /// The request that revokes.
    pub(crate) fn revoke(&self, token: &str) -> Vec<u8> {
        let headers = [("authorization", self.app.basic.as_str())];
        client::request("POST", "/oauth/revoke", &headers, Body::Form(&[("token", token)]))
    }

    /// The administrator's own access token.
    pub(crate) fn admin_token(&self) -> Result<String> {
        let body = json!({"token": {"client_id": self.app.id, "scopes": ["read"]}});
        let headers = [("authorization", self.admin.as_str())];
        let target = ("POST", "/api/v2/oauth/tokens.json");
        let mut client = Client::connect(self.process.address)?;
        let made = client.expect(201, target, &headers, Body::Json(&body))?.json()?;
        let token = made.pointer("/token/full_token").and_then(Value::as_str);
        Ok(token.context("no token")?.to_owned())
    }

    /// Fails unless `used_at` in the record of this token is the time of its last use, which lies
    /// between `from` and `until`. The record tells whole seconds.
    pub(crate) fn check_used_at(
        &self,
        token: &str,
        (from, until): (Timestamp, Timestamp),
    ) -> Result<()> {
        let credential = Credential::parse(token).context("not a token")?;
        let headers = [("authorization", self.admin.as_str())];
        let target = format!("/api/v2/oauth/tokens/{}.json", credential.parts().id);
        let mut client = Client::connect(self.process.address)?;
        let record = client.expect(200, ("GET", &target), &headers, Body::Empty)?.json()?;
        let used_at = record.pointer("/token/used_at").and_then(Value::as_str);
        let used_at = used_at.and_then(Timestamp::parse).context("the record has no used_at")?;
        let range = from.as_seconds()..=until.as_seconds();
        if !range.contains(&used_at.as_seconds()) {
            bail!("used_at is {used_at}, and the last use was between {from} and {until}");
        }
        Ok(())
    }

    /// What this server answers to a request, for a reference to answer the same.
    pub(crate) fn sample(&self, request: &[u8]) -> Result<FixedAnswer> {
        let kept = Client::connect(self.process.address)?.exchange(request)?;
        let line = request.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
        let path = line.split(|byte| *byte == b'?').next().unwrap_or_default();
        let headers = kept.headers.into_iter();
        let own = headers.filter(|(name, _)| !WRITTEN_ANYWAY.contains(&name.as_str()));
        Ok(FixedAnswer {
            path: String::from_utf8_lossy(path).into_owned(),
            status: kept.status,
            headers: own.collect(),
            body: kept.body,
        })
    }
}
