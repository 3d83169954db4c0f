//! What is known of the request that a task is answering: for the log, for error pages and for
//! metrics.
//!
//! It lies beside the task and is looked at when a line is written. A tracing span would be written
//! for every request, and again for every fact that is learned on the way, whether or not a line
//! follows: several times the cost of checking a token.

use std::{cell::Cell, fmt, net::SocketAddr};

use http::HeaderValue;
use tokenry_protocol::ids::{ClientId, UserId};
use tokio::task::futures::TaskLocalFuture;

use crate::{config::BaseUrl, request_limits::Allowance, views::SiteNotice};

tokio::task_local! {
    static CURRENT: RequestContext;
}

/// By which operators find a request in the log.
#[derive(Debug, Clone)]
pub enum RequestId {
    /// The caller's own.
    Given(HeaderValue),
    /// Ours: a process and a number. Written when somebody looks at it.
    Ours(u64, u64),
}

impl RequestId {
    /// As the answer says it.
    pub fn header(&self) -> HeaderValue {
        match self {
            Self::Given(id) => id.clone(),
            Self::Ours(process, number) => {
                let written = HeaderValue::from_bytes(&hexadecimal(*process, *number));
                written.unwrap_or(HeaderValue::from_static("none"))
            }
        }
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(id) => formatter.write_str(id.to_str().unwrap_or("-")),
            Self::Ours(process, number) => write!(formatter, "{process:016x}{number:016x}"),
        }
    }
}

/// Every answer has one of these: through a format string it would cost more than the rest of its
/// head.
fn hexadecimal(process: u64, number: u64) -> [u8; 32] {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let bytes = [process.to_be_bytes(), number.to_be_bytes()];
    let mut digits = [0; 32];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes.as_flattened()) {
        for (digit, half) in pair.iter_mut().zip([byte >> 4, byte & 0xf]) {
            *digit = HEX.get(usize::from(half)).copied().unwrap_or(b'0');
        }
    }
    digits
}

/// Where a request is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The method, if it is a known one.
    pub method: &'static str,
    /// The row of the table of routes: its path, with `{id}` where an id stands.
    pub path: &'static str,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.method, self.path)
    }
}

/// What was learned of a request by the time it was answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Learned {
    /// The row of the table of routes; `none` where no row answered.
    pub route: &'static str,
    /// Who called.
    pub user: Option<UserId>,
    /// Which client called.
    pub client: Option<ClientId>,
}

/// What is known of one request.
pub struct RequestContext {
    id: RequestId,
    peer: SocketAddr,
    place: Place,
    /// Boxed, because most servers have one address and no request carries it.
    base: Option<Box<BaseUrl>>,
    notice: Option<SiteNotice>,
    user: Cell<Option<UserId>>,
    impersonator: Cell<Option<UserId>>,
    client: Cell<Option<ClientId>>,
    allowance: Cell<Option<Allowance>>,
}

impl RequestContext {
    /// All that is known of a request at first: its id, where it came from and where it goes.
    pub const fn new(id: RequestId, peer: SocketAddr, place: Place) -> Self {
        Self {
            id,
            peer,
            place,
            base: None,
            notice: None,
            user: Cell::new(None),
            impersonator: Cell::new(None),
            client: Cell::new(None),
            allowance: Cell::new(None),
        }
    }

    /// With the public address that the request names.
    pub fn at_base(self, base: Option<Box<BaseUrl>>) -> Self {
        Self { base, ..self }
    }

    /// With what stands above every page.
    pub fn under_notice(self, notice: Option<SiteNotice>) -> Self {
        Self { notice, ..self }
    }

    /// Does `work` as part of this request.
    pub fn scope<F: Future>(self, work: F) -> TaskLocalFuture<Self, F> {
        CURRENT.scope(self, work)
    }
}

/// As a line of text has it: `request{id=… user.id=… client.id=…}`, without what is not known.
impl fmt::Display for RequestContext {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "request{{id={}", self.id)?;
        if let Some(user) = self.user.get() {
            write!(formatter, " user.id={user}")?;
        }
        if let Some(user) = self.impersonator.get() {
            write!(formatter, " impersonator.id={user}")?;
        }
        if let Some(client) = self.client.get() {
            write!(formatter, " client.id={client}")?;
        }
        formatter.write_str("}")
    }
}

/// The same as a JSON object. Ids are numbers, and the request's id holds nothing to escape.
pub struct AsJson<'a>(pub &'a RequestContext);

impl fmt::Display for AsJson<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(context) = self;
        write!(formatter, r#"{{"id":"{}""#, context.id)?;
        if let Some(user) = context.user.get() {
            write!(formatter, r#","user.id":{user}"#)?;
        }
        if let Some(user) = context.impersonator.get() {
            write!(formatter, r#","impersonator.id":{user}"#)?;
        }
        if let Some(client) = context.client.get() {
            write!(formatter, r#","client.id":{client}"#)?;
        }
        formatter.write_str("}")
    }
}

/// Looks at the request that this task is answering, if it is answering one.
pub fn look<T>(at: impl FnOnce(&RequestContext) -> T) -> Option<T> {
    CURRENT.try_with(at).ok()
}

/// Notes as whom the request runs.
pub fn note_user(id: UserId) {
    look(|context| context.user.set(Some(id)));
}

/// Notes who calls, where the request runs as another user.
pub fn note_impersonator(id: UserId) {
    look(|context| context.impersonator.set(Some(id)));
}

/// Notes which client calls.
pub fn note_client(id: ClientId) {
    look(|context| context.client.set(Some(id)));
}

/// What was learned so far of the request that this task is answering.
pub fn learned() -> Learned {
    let learned = look(|context| Learned {
        route: context.place.path,
        user: context.user.get(),
        client: context.client.get(),
    });
    learned.unwrap_or_default()
}

/// Notes what the caller has left.
pub fn note_allowance(allowance: Allowance) {
    look(|context| context.allowance.set(Some(allowance)));
}

/// What the caller has left, if their requests are counted.
pub fn allowance() -> Option<Allowance> {
    look(|context| context.allowance.get()).flatten()
}

/// Where the request came from.
pub fn peer() -> Option<SocketAddr> {
    look(|context| context.peer)
}

/// The public address that the request names. Whoever writes a link asks the shared state, which
/// knows whether that counts.
pub fn base() -> Option<BaseUrl> {
    look(|context| context.base.as_deref().cloned()).flatten()
}

/// What stands above every page.
pub fn notice() -> Option<SiteNotice> {
    look(|context| context.notice.clone()).flatten()
}

/// Where the request is answered.
pub fn place() -> String {
    look(|context| context.place.to_string()).unwrap_or_else(|| "-".to_owned())
}

/// By which operators find the request in the log.
pub fn id() -> String {
    look(|context| context.id.to_string()).unwrap_or_else(|| "-".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_learned_on_the_way_is_seen_at_the_end() {
        let peer = SocketAddr::from(([192, 0, 2, 1], 50_000));
        let id = RequestId::Given(HeaderValue::from_static("r-1"));
        let place = Place { method: "GET", path: "/api/v2/users/{id}" };
        let context = RequestContext::new(id, peer, place);
        let (text, json) = context
            .scope(async {
                note_user(UserId::new(7).unwrap());
                note_client(ClientId::new(41).unwrap());
                assert_eq!(super::peer(), Some(peer));
                assert_eq!(super::place(), "GET /api/v2/users/{id}");
                let text = look(ToString::to_string);
                note_impersonator(UserId::new(29).unwrap());
                (text, look(|context| AsJson(context).to_string()))
            })
            .await;
        assert_eq!(text.as_deref(), Some("request{id=r-1 user.id=7 client.id=41}"));
        assert_eq!(
            json.as_deref(),
            Some(r#"{"id":"r-1","user.id":7,"impersonator.id":29,"client.id":41}"#)
        );
    }

    #[test]
    fn an_id_of_ours_is_the_same_in_the_answer_and_in_the_log() {
        let id = RequestId::Ours(0x0123_4567_89ab_cdef, 10);
        assert_eq!(id.header(), "0123456789abcdef000000000000000a");
        assert_eq!(id.to_string(), "0123456789abcdef000000000000000a");
    }

    #[tokio::test]
    async fn outside_a_request_there_is_nothing_to_see() {
        note_user(UserId::new(7).unwrap());
        assert!(look(ToString::to_string).is_none());
        assert_eq!((id().as_str(), place().as_str()), ("-", "-"));
    }
}
