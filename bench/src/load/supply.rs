//! What is asked, and whether it was answered rightly.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context as _, Result, bail};
use memchr::memmem;

use super::{Answer, Course, Pace, Traffic};

/// Requests, and the judge of their answers.
pub(crate) trait Supply: Send {
    /// Makes ready what a round of this length needs. The server runs, and is not measured yet.
    fn prepare(&mut self, _round: Duration) -> Result<()> {
        Ok(())
    }
    /// Appends the next request of a connection to `out`; `false` when there is none any more.
    fn request(&mut self, connection: usize, out: &mut Vec<u8>) -> bool;
    /// Whether all was asked that has to be asked before measuring begins.
    fn is_warm(&self) -> bool {
        true
    }
    /// Judges the answer to the connection's last request.
    fn answer(&mut self, connection: usize, answer: &Answer<'_>) -> Result<()>;
}

/// Every answer's status is compared; every so-manieth answer is looked into.
const SAMPLE: u64 = 64;

/// What an answer must be.
#[derive(Debug, Clone)]
pub(crate) struct Expected {
    status: u16,
    part: Vec<u8>,
    seen: u64,
}

impl Expected {
    /// This status, and this text somewhere in the body.
    pub(crate) fn new(status: u16, part: &str) -> Self {
        Self { status, part: part.as_bytes().to_vec(), seen: 0 }
    }

    /// Compares.
    pub(crate) fn judge(&mut self, answer: &Answer<'_>) -> Result<()> {
        if answer.status != self.status {
            let body = String::from_utf8_lossy(answer.body);
            bail!("an answer has status {} where {} belongs: {body}", answer.status, self.status);
        }
        let is_sample = self.seen.is_multiple_of(SAMPLE);
        self.seen += 1;
        if is_sample && memmem::find(answer.body, &self.part).is_none() {
            let (body, part) =
                (String::from_utf8_lossy(answer.body), String::from_utf8_lossy(&self.part));
            bail!("an answer lacks {part}: {body}");
        }
        Ok(())
    }
}

/// The same requests, over and over, one after the other.
#[derive(Debug, Clone)]
pub(crate) struct Repeated {
    requests: Vec<Vec<u8>>,
    next: usize,
    /// Since the round was prepared.
    answered: usize,
    expected: Expected,
}

impl Repeated {
    /// These requests.
    pub(crate) fn new(requests: Vec<Vec<u8>>, expected: Expected) -> Self {
        Self { requests, next: 0, answered: 0, expected }
    }

    /// Asks the same, and is content with any body.
    pub(crate) fn of_reference(&self) -> Self {
        let expected = Expected { part: Vec::new(), ..self.expected.clone() };
        Self { expected, ..self.clone() }
    }
}

impl Supply for Repeated {
    fn prepare(&mut self, _: Duration) -> Result<()> {
        self.answered = 0;
        Ok(())
    }

    /// A server that was halted may have forgotten what it knew, so each has to be asked once.
    fn is_warm(&self) -> bool {
        self.answered >= self.requests.len()
    }

    fn request(&mut self, _: usize, out: &mut Vec<u8>) -> bool {
        let Some(request) = self.requests.get(self.next) else {
            return false;
        };
        out.extend_from_slice(request);
        self.next = (self.next + 1) % self.requests.len();
        true
    }

    fn answer(&mut self, _: usize, answer: &Answer<'_>) -> Result<()> {
        self.answered += 1;
        self.expected.judge(answer)
    }
}

/// Characters of a credential.
const CREDENTIAL: usize = 64;
/// Characters of it that name its kind and record.
const PUBLIC: usize = 10;

/// Chains of refreshes: each connection presents the refresh token that it was given last.
pub(crate) struct Chains {
    request: Vec<u8>,
    at: usize,
    tokens: Vec<Vec<u8>>,
    expected: Expected,
}

impl Chains {
    /// `request` holds a token of the right length at `at`, which is replaced by the connection's
    /// own.
    pub(crate) fn new(request: Vec<u8>, token: &str, tokens: Vec<String>) -> Result<Self> {
        let at = memmem::find(&request, token.as_bytes()).context("no place for the token")?;
        let tokens = tokens.into_iter().map(String::into_bytes).collect();
        let expected = Expected::new(200, "\"access_token\":\"a");
        Ok(Self { request, at, tokens, expected })
    }
}

impl Supply for Chains {
    fn request(&mut self, connection: usize, out: &mut Vec<u8>) -> bool {
        let Some(token) = self.tokens.get(connection) else {
            return false;
        };
        let from = out.len();
        out.extend_from_slice(&self.request);
        let place = from + self.at;
        match out.get_mut(place..place + CREDENTIAL) {
            Some(place) if token.len() == CREDENTIAL => place.copy_from_slice(token),
            _ => return false,
        }
        true
    }

    fn answer(&mut self, connection: usize, answer: &Answer<'_>) -> Result<()> {
        self.expected.judge(answer)?;
        let next = member(answer.body, b"\"refresh_token\":\"").context("no refresh token")?;
        let token = self.tokens.get_mut(connection).context("no such chain")?;
        if next == token.as_slice() || next.get(..PUBLIC) != token.get(..PUBLIC) {
            bail!("a refresh was not answered with the next token of its grant");
        }
        token.clear();
        token.extend_from_slice(next);
        Ok(())
    }
}

/// Requests that are each sent once.
pub(crate) struct Once {
    requests: Vec<Vec<u8>>,
    expected: Expected,
}

impl Once {
    /// Nothing to send yet.
    pub(crate) const fn new(expected: Expected) -> Self {
        Self { requests: Vec::new(), expected }
    }

    /// Replaces what is left.
    pub(crate) fn refill(&mut self, requests: Vec<Vec<u8>>) {
        self.requests = requests;
    }
}

impl Supply for Once {
    fn request(&mut self, _: usize, out: &mut Vec<u8>) -> bool {
        let request = self.requests.pop();
        out.extend(request.iter().flatten());
        request.is_some()
    }

    fn answer(&mut self, _: usize, answer: &Answer<'_>) -> Result<()> {
        self.expected.judge(answer)
    }
}

/// Where an answer holds a credential.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    /// Behind this text in the body.
    Body(&'static str),
    /// Behind this text in the head.
    Head(&'static str),
}

struct Collection<'a> {
    request: &'a [u8],
    place: Place,
    left: usize,
    expected: Expected,
    found: Vec<String>,
}

impl Supply for Collection<'_> {
    fn request(&mut self, _: usize, out: &mut Vec<u8>) -> bool {
        out.extend_from_slice(self.request);
        let before = self.left;
        self.left = self.left.saturating_sub(1);
        before > 0
    }

    fn answer(&mut self, _: usize, answer: &Answer<'_>) -> Result<()> {
        self.expected.judge(answer)?;
        let found = match self.place {
            Place::Body(name) => member(answer.body, name.as_bytes()),
            Place::Head(name) => member(answer.head, name.as_bytes()),
        };
        let found = std::str::from_utf8(found.context("no credential in an answer")?)?;
        self.found.push(found.to_owned());
        Ok(())
    }
}

/// Longer than any preparation takes.
const PREPARATION: Duration = Duration::from_secs(3_600);
/// Enough for full batches.
const PREPARING: usize = 64;

/// Sends one request `count` times, and keeps the credential in each answer.
pub(crate) fn collect(
    address: SocketAddr,
    request: &[u8],
    (status, place): (u16, Place),
    count: usize,
) -> Result<Vec<String>> {
    let expected = Expected::new(status, "");
    let mut collection = Collection { request, place, left: count, expected, found: Vec::new() };
    let connections = PREPARING.min(count);
    let supply = &mut collection;
    let mut traffic = [Traffic { address, supply, connections, pace: Pace::Closed }];
    let at_edge = &mut || Ok(());
    let mut course = Course { warm_up: Duration::ZERO, measure: PREPARATION, at_edge };
    super::run(&mut traffic, &mut course)?;
    Ok(collection.found)
}

/// The credential that follows `name`.
pub(crate) fn member<'a>(body: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let at = memmem::find(body, name)? + name.len();
    body.get(at..at + CREDENTIAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_warm_once_every_request_of_it_was_answered() {
        let requests = vec![b"a".to_vec(), b"b".to_vec()];
        let mut supply = Repeated::new(requests, Expected::new(200, ""));
        let answer = Answer { status: 200, head: b"", body: b"" };
        for _ in 0..2 {
            supply.prepare(Duration::ZERO).unwrap();
            for is_warm in [false, true, true] {
                assert!(supply.request(0, &mut Vec::new()));
                supply.answer(0, &answer).unwrap();
                assert_eq!(supply.is_warm(), is_warm);
            }
        }
    }
}
