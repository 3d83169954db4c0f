//! The twin: how soon it serves, how soon a test begins anew, and what its calls cost beside those
//! of a server in real use and of one that only answers.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    cases::{Case, Prepared},
    client::{self, Body, Client},
    load::{
        Supply,
        supply::{Chains, Expected, Repeated},
    },
    measure::{Party as _, Pattern, Series, median, round},
    process::{Process, Programs},
    subject::Subject,
};

/// How often the process is started.
const STARTS: u32 = 21;
/// How often everything else is done.
const TIMES: u32 = 201;
/// On which calls come.
const CONNECTIONS: usize = 16;
/// The confidential client of the account that a twin starts with.
const CLIENT: &str = "acme_reports";

/// How long something takes, in milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Times {
    /// In the middle.
    pub(crate) median: f64,
    /// The longest of all.
    pub(crate) most: f64,
}

/// One kind of calls at three servers, in turns.
#[derive(Debug, Serialize)]
pub(crate) struct Rates {
    /// What is asked.
    pub(crate) case: Case,
    /// A twin.
    pub(crate) twin: Series,
    /// A server in real use, whose writes wait for the disk.
    pub(crate) serve: Series,
    /// A server that only answers.
    pub(crate) bare: Series,
}

/// What is measured of the twin.
#[derive(Debug, Serialize)]
pub(crate) struct Twin {
    /// From `exec` to the line that says that it serves.
    pub(crate) start: Times,
    /// `POST /twin/reset` after a call that changed something.
    pub(crate) reset: Times,
    /// `POST /twin/snapshots/{name}`
    pub(crate) snapshot: Times,
    /// `POST /twin/snapshots/{name}/restore`
    pub(crate) restoration: Times,
    /// At 16 connections.
    pub(crate) rates: Vec<Rates>,
}

/// A twin that serves.
struct Started {
    process: Process,
    client: Client,
}

/// Measures all of it; `folder` is for the answers of references.
pub(crate) fn measure(
    programs: &Programs,
    subject: &Subject,
    folder: &Path,
    pattern: &Pattern,
) -> Result<Twin> {
    subject.pause()?;
    let start = times(STARTS, || {
        let begin = Instant::now();
        let process = programs.twin()?;
        let time = begin.elapsed();
        process.stop()?;
        Ok(time)
    })?;
    let mut twin = Started::new(programs)?;
    let (reset, snapshot, restoration) = programs.cores.on_core_of_load(|| -> Result<_> {
        Ok((
            twin.turns("/twin/reset")?,
            twin.turns("/twin/snapshots/here")?,
            twin.turns("/twin/snapshots/here/restore")?,
        ))
    })??;
    subject.resume()?;
    let mut rates = Vec::new();
    for case in [Case::CurrentToken, Case::Rotation] {
        rates.push(twin.compare(case, programs, subject, (folder, pattern))?);
    }
    twin.process.stop()?;
    Ok(Twin { start, reset, snapshot, restoration, rates })
}

fn times(count: u32, mut work: impl FnMut() -> Result<Duration>) -> Result<Times> {
    let mut millis = Vec::new();
    for _ in 0..count {
        millis.push(work()?.as_secs_f64() * 1e3);
    }
    let most = millis.iter().copied().fold(0.0, f64::max);
    Ok(Times { median: median(millis), most })
}

impl Started {
    fn new(programs: &Programs) -> Result<Self> {
        let process = programs.twin()?;
        let client = Client::connect(process.address)?;
        Ok(Self { process, client })
    }

    /// Times one turn of the control, each after a token was issued.
    fn turns(&mut self, target: &str) -> Result<Times> {
        let request = client::request("POST", target, &[], Body::Json(&json!({})));
        times(TIMES, || {
            self.pair()?;
            let begin = Instant::now();
            let answer = self.client.exchange(&request)?;
            let time = begin.elapsed();
            anyhow::ensure!(answer.status == 204, "{target} was answered {}", answer.status);
            Ok(time)
        })
    }

    /// A pair of tokens, made without a browser.
    fn pair(&mut self) -> Result<Value> {
        let asked = json!({"client": CLIENT, "user": "ada@acme.test", "scopes": ["read"]});
        self.client.expect(201, ("POST", "/twin/tokens"), &[], Body::Json(&asked))?.json()
    }

    fn compare(
        &mut self,
        case: Case,
        programs: &Programs,
        subject: &Subject,
        (folder, pattern): (&Path, &Pattern),
    ) -> Result<Rates> {
        let Prepared { mut to_subject, mut to_reference, request, .. } =
            case.prepare(subject, CONNECTIONS, 1)?;
        let bare = programs.reference(folder, &subject.sample(&request)?, None)?;
        let mut to_twin: Box<dyn Supply> = match case {
            Case::Rotation => self.rotation()?,
            _ => self.current()?,
        };
        let (mut of_twin, mut of_serve, mut of_bare) = (Vec::new(), Vec::new(), Vec::new());
        let (cores, connections) = (programs.cores, CONNECTIONS);
        for _ in 0..pattern.rounds {
            of_twin.push(round(cores, &self.process, to_twin.as_mut(), connections, pattern)?);
            of_serve.push(round(cores, subject, to_subject.as_mut(), connections, pattern)?);
            of_bare.push(round(cores, &bare, &mut to_reference, connections, pattern)?);
        }
        self.process.resume()?;
        subject.resume()?;
        let (twin, serve) = (Series::of(of_twin), Series::of(of_serve));
        Ok(Rates { case, twin, serve, bare: Series::of(of_bare) })
    }

    fn current(&mut self) -> Result<Box<dyn Supply>> {
        let token = credential(&self.pair()?, "access_token")?;
        let expected = Expected::new(200, "\"used_at\":\"");
        Ok(Box::new(Repeated::new(vec![client::current(&token)], expected)))
    }

    fn rotation(&mut self) -> Result<Box<dyn Supply>> {
        let state = self.client.expect(200, ("GET", "/twin/state"), &[], Body::Empty)?.json()?;
        let clients = state.pointer("/account/clients").and_then(Value::as_array);
        let is_ours = |client: &&Value| client.get("identifier") == Some(&json!(CLIENT));
        let ours = clients.and_then(|clients| clients.iter().find(is_ours));
        let basic = client::basic(CLIENT, &credential(ours.context("no client")?, "secret")?);
        let mut tokens = Vec::new();
        for _ in 0..CONNECTIONS {
            tokens.push(credential(&self.pair()?, "refresh_token")?);
        }
        let sample = tokens.first().cloned().context("no token")?;
        let form = [("grant_type", "refresh_token"), ("refresh_token", sample.as_str())];
        let headers = [("authorization", basic.as_str())];
        let request = client::request("POST", "/oauth/token", &headers, Body::Form(&form));
        Ok(Box::new(Chains::new(request, &sample, tokens)?))
    }
}

fn credential(object: &Value, name: &str) -> Result<String> {
    let text = object.get(name).and_then(Value::as_str);
    Ok(text.with_context(|| format!("no {name}"))?.to_owned())
}
