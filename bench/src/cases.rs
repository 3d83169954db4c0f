//! What is asked of the servers, case by case.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use serde::Serialize;

use crate::{
    client::{self, Body},
    database::Engine,
    load::{
        Answer, Supply,
        supply::{Chains, Expected, Once, Repeated},
        walk::Walk,
    },
    reference::Write,
    subject::{CodePreparation, Subject},
};

/// A case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Case {
    /// A token by client credentials
    ClientCredentials,
    /// Introspection of one token
    IntrospectionOfOne,
    /// Introspection of 10,000 different tokens
    IntrospectionOfMany,
    /// The token that authenticates the call
    CurrentToken,
    /// Refreshes, each with the token that the one before gave
    Rotation,
    /// A code for the first pair of tokens
    Redemption,
    /// A client's tokens, 100 a page, from page to page
    List,
    /// The metadata document
    Discovery,
    /// One, two and three nodes on one database (--store postgres)
    Nodes,
    /// Current token at half load, while tokens are issued and others purged
    UnderWrites,
    /// From the start of the process to its first answers
    Start,
    /// Memory, and bytes on disk
    Footprint,
    /// The twin: start, reset, snapshots, and calls beside a server in real use (SQLite only)
    Twin,
}

/// A case, ready to be sent.
pub(crate) struct Prepared {
    /// To the server under measurement.
    pub(crate) to_subject: Box<dyn Supply>,
    /// To the references.
    pub(crate) to_reference: Repeated,
    /// One request of it.
    pub(crate) request: Vec<u8>,
    /// The access token whose uses are kept, where it is one.
    pub(crate) used: Option<String>,
}

impl Case {
    /// What people call it.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client credentials",
            Self::IntrospectionOfOne => "introspection, one token",
            Self::IntrospectionOfMany => "introspection, 10,000 tokens",
            Self::CurrentToken => "current token by Bearer",
            Self::Rotation => "refresh token rotation",
            Self::Redemption => "authorization code redeemed",
            Self::List => "token list, 100 a page",
            Self::Discovery => "discovery",
            Self::Nodes => "several nodes",
            Self::UnderWrites => "current token at half load, beside writes",
            Self::Start => "start",
            Self::Footprint => "memory and disk",
            Self::Twin => "the twin",
        }
    }

    /// The write that every answer of the case has to wait for.
    pub(crate) const fn write(self) -> Option<Write> {
        match self {
            Self::ClientCredentials => Some(Write::Insert),
            Self::Rotation | Self::Redemption => Some(Write::Update),
            _ => None,
        }
    }

    /// Whether it makes sense on this engine: an embedded database serves one node, and a twin has
    /// one.
    pub(crate) fn is_of(self, engine: Engine) -> bool {
        match self {
            Self::Nodes => engine == Engine::Postgres,
            Self::Twin => engine == Engine::Sqlite,
            _ => true,
        }
    }

    /// Connections when nobody says otherwise.
    pub(crate) const fn connections(self) -> &'static [usize] {
        match self {
            Self::ClientCredentials | Self::Rotation => &[1, 16, 64],
            Self::CurrentToken => &[1, 16],
            Self::Nodes | Self::UnderWrites | Self::Start | Self::Footprint | Self::Twin => &[],
            _ => &[16],
        }
    }

    /// Makes everything ready for so many connections, and so many different tokens where a case
    /// asks about many.
    pub(crate) fn prepare(
        self,
        subject: &Subject,
        connections: usize,
        different: usize,
    ) -> Result<Prepared> {
        match self {
            Self::ClientCredentials => {
                let expected = Expected::new(200, "\"access_token\":\"a");
                Ok(repeated(vec![subject.client_credentials()], expected))
            }
            Self::IntrospectionOfOne => {
                let (used, prepared) = introspection(subject, 1)?;
                Ok(Prepared { used, ..prepared })
            }
            Self::IntrospectionOfMany => Ok(introspection(subject, different)?.1),
            Self::CurrentToken => {
                let token = subject.access_tokens(1)?.pop().context("no token")?;
                let request = client::current(&token);
                let expected = Expected::new(200, "\"used_at\":\"");
                Ok(Prepared { used: Some(token), ..repeated(vec![request], expected) })
            }
            Self::Rotation => rotation(subject, connections),
            Self::Redemption => redemption(subject),
            Self::List => list(subject, connections),
            Self::Discovery => {
                let target = "/.well-known/oauth-authorization-server";
                let request = client::request("GET", target, &[], Body::Empty);
                Ok(repeated(vec![request], Expected::new(200, "\"issuer\":\"")))
            }
            Self::Nodes | Self::UnderWrites | Self::Start | Self::Footprint | Self::Twin => {
                bail!("not measured in turns")
            }
        }
    }
}

fn repeated(requests: Vec<Vec<u8>>, expected: Expected) -> Prepared {
    let request = requests.first().cloned().unwrap_or_default();
    let to_subject = Repeated::new(requests, expected);
    let to_reference = to_subject.of_reference();
    Prepared { to_subject: Box::new(to_subject), to_reference, request, used: None }
}

fn introspection(subject: &Subject, count: usize) -> Result<(Option<String>, Prepared)> {
    let mut tokens = subject.access_tokens(count)?;
    let requests = tokens.iter().map(|token| subject.introspect(token)).collect();
    Ok((tokens.pop(), repeated(requests, Expected::new(200, "\"active\":true"))))
}

fn rotation(subject: &Subject, connections: usize) -> Result<Prepared> {
    let mut tokens = subject.refresh_tokens(connections + 1)?;
    let sample = tokens.pop().context("no token")?;
    let request = subject.refresh(&sample);
    let to_reference = Repeated::new(vec![request.clone()], Expected::new(200, ""));
    let chains = Chains::new(request.clone(), &sample, tokens)?;
    Ok(Prepared { to_subject: Box::new(chains), to_reference, request, used: None })
}

/// Codes live for two minutes, so each round gets fresh ones.
struct Codes {
    preparation: CodePreparation,
    /// How many a second the last round used, at most.
    rate: f64,
    answers: u32,
    length: Duration,
    left: Once,
}

/// More than any server redeems in a second; the first round finds out how many it really does.
const CODES_A_SECOND: f64 = 10_000.0;

impl Supply for Codes {
    fn prepare(&mut self, round: Duration) -> Result<()> {
        if self.answers > 0 {
            self.rate = f64::from(self.answers) / self.length.as_secs_f64() * 1.5;
        }
        (self.answers, self.length) = (0, round);
        let codes = self.preparation.codes(self.rate * round.as_secs_f64())?;
        self.left.refill(codes);
        Ok(())
    }

    fn request(&mut self, connection: usize, out: &mut Vec<u8>) -> bool {
        self.left.request(connection, out)
    }

    fn answer(&mut self, connection: usize, answer: &Answer<'_>) -> Result<()> {
        self.answers += 1;
        self.left.answer(connection, answer)
    }
}

fn redemption(subject: &Subject) -> Result<Prepared> {
    let preparation = subject.code_preparation();
    let request = preparation.codes(1.0)?.pop().context("no code")?;
    let left = Once::new(Expected::new(200, "\"refresh_token\":\"r"));
    let (rate, length) = (CODES_A_SECOND, Duration::ZERO);
    let codes = Codes { preparation, rate, answers: 0, length, left };
    let to_reference = Repeated::new(vec![request.clone()], Expected::new(200, ""));
    Ok(Prepared { to_subject: Box::new(codes), to_reference, request, used: None })
}

fn list(subject: &Subject, connections: usize) -> Result<Prepared> {
    let bearer = format!("Bearer {}", subject.admin_token()?);
    let headers = [("authorization", bearer.as_str())];
    let page = |client: &u64| {
        let target = "/api/v2/oauth/tokens.json";
        let query = format!("all=true&client_id={client}&page%5Bsize%5D=100");
        let request = client::request("GET", &format!("{target}?{query}"), &headers, Body::Empty);
        let end = "GET ".len() + target.len() + 1 + query.len();
        request.split_at_checked(end).map(|(to_query, rest)| (to_query.to_vec(), rest.to_vec()))
    };
    let pages: Vec<_> = subject.data.clients.iter().filter_map(page).collect();
    let request = pages.first().map(|(to_query, rest)| [to_query.as_slice(), rest].concat());
    let request = request.context("a table without clients")?;
    let expected = Expected::new(200, "\"tokens\":[{");
    let to_reference = Repeated::new(vec![request.clone()], Expected::new(200, ""));
    let walk = Walk::new(pages, connections, expected);
    Ok(Prepared { to_subject: Box::new(walk), to_reference, request, used: None })
}
