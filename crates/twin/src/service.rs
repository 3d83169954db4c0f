//! What answers a twin's connections: its own pages and control, and before everything else the
//! faults in force.
//!
//! 1. The call is read whole, with what it presents.
//! 2. Faults are decided: those that its header names, then the rules in force.
//! 3. What is done to its token is done before it.
//! 4. It is answered by the server, unless a fault answers in its place.
//! 5. The answer is changed, cut or lost, and held back.
//! 6. The journal is told.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, HeaderName, Request, StatusCode, header::CONTENT_TYPE};
use tokenry_protocol::{api::error::ErrorBody, secret::Kind, time::Timestamp};
use tokenry_server::{
    config::OverTls,
    environment::Clock as _,
    listen::{self, Sent},
    request_context::Learned,
    respond::{self, ApiError},
};
use tokenry_store::StoreError;
use tokio::time::Instant;

use crate::{
    call::Call,
    clock, control,
    double::Double,
    faults::{Effect, Fault, FaultError, Struck},
    journal::{self, Body},
    strike::{self, Answer, Fate},
    world::World,
};

/// Names faults for the call that carries it.
const FAULT_HEADER: HeaderName = HeaderName::from_static("x-twin-fault");

/// Answers a twin's connections.
#[derive(Clone)]
pub(crate) struct Service {
    double: Arc<Double>,
    control: Router,
    /// Whether its connections come over TLS.
    tls: bool,
}

impl Service {
    pub(crate) fn new(double: Arc<Double>) -> Self {
        let control = control::router(Arc::clone(&double));
        Self { double, control, tls: false }
    }

    /// The same, for connections that come over TLS.
    pub(crate) fn over_tls(self) -> Self {
        Self { tls: true, ..self }
    }
}

impl listen::Answer for Service {
    async fn answer<B: Sent>(self, mut request: Request<B>, peer: SocketAddr) -> Response {
        let Self { double, control, tls } = self;
        if tls {
            request.extensions_mut().insert(OverTls);
        }
        if control::is_at(request.uri().path()) {
            return control::answer(control, request, peer).await;
        }
        let (at, started) = (double.clock.now(), Instant::now());
        let (call, unreadable) = Call::read(request, peer, &double.limits).await;
        // Behind the reading: a call belongs to the world that it can change something in.
        let world = double.world();
        let ended = match (unreadable, faults_in_header(&call)) {
            (Some(error), _) => Ended::unasked(&world, &call, error.into_response()).await,
            (None, Err(error)) => Ended::unasked(&world, &call, refused(&error)).await,
            (None, Ok(in_header)) => {
                let struck = Strikes(double.decide(&world, in_header, &call.seen()));
                answer(&world, &call, struck).await
            }
        };
        let delay = ended.struck.delay();
        let took = started.elapsed() + delay.unwrap_or_default();
        tell(&double, &world, &call, &ended, (at, took));
        if let Some(delay) = delay {
            double.stop.clone().sleep(delay).await;
        }
        ended.seen.send(ended.fate)
    }
}

/// A call that is over, before anything of it is sent.
struct Ended {
    /// What went wrong on demand.
    struck: Strikes,
    /// What the server answered; `None` if it was not asked.
    decided: Option<Answer>,
    learned: Learned,
    /// What is sent.
    seen: Answer,
    /// How much of it.
    fate: Fate,
}

impl Ended {
    /// With an answer that the server had no part in.
    async fn unasked(world: &World, call: &Call, response: Response) -> Self {
        Self {
            struck: Strikes(Vec::new()),
            decided: None,
            learned: Learned::default(),
            seen: Answer::read(finish(world, call, response)).await,
            fate: Fate::Whole,
        }
    }
}

async fn answer(world: &Arc<World>, call: &Call, struck: Strikes) -> Ended {
    let instead = match struck.prepare(world, call).await {
        Ok(()) => struck.instead(world, call),
        Err(error) => Some(ApiError::Store(error).into_response()),
    };
    if let Some(response) = instead {
        return Ended { struck, ..Ended::unasked(world, call, response).await };
    }
    let (decided, learned) = ask(world, call, &struck).await;
    let (seen, fate) = struck.change(world, call, decided.clone()).await;
    Ended { struck, decided: Some(decided), learned, seen, fate }
}

/// Gives an answer that the server has not given what is on every one of its answers there.
fn finish(world: &World, call: &Call, mut response: Response) -> Response {
    if call.is_at_token_endpoint() {
        respond::mark_uncacheable(response.headers_mut());
    }
    world.envelope.finish(call.request(), response)
}

/// Tells the journal, and counts the call.
fn tell(
    double: &Double,
    world: &World,
    call: &Call,
    ended: &Ended,
    (at, took): (Timestamp, Duration),
) {
    let Learned { route, user, client } = ended.learned;
    let presented = call.presented().map(|credential| credential.public_part());
    let answer = ended.decided.as_ref().unwrap_or(&ended.seen);
    let told = journal::Call {
        route: Some(route).filter(|route| !route.is_empty()),
        grant_type: call.grant_type(),
        decided: ended.decided.as_ref().map(|answer| answer.head.status.as_u16()),
        sent: (ended.fate != Fate::Lost).then_some(ended.seen.head.status.as_u16()),
        user_id: user,
        client_id: client,
        record_id: call.record().map(|(id, _)| id.get()),
        credential: presented.as_deref(),
        struck: &ended.struck.0,
        took,
        request: Body { content_type: content_type(&call.parts.headers), bytes: &call.body },
        answer: Body { content_type: content_type(&answer.head.headers), bytes: &answer.body },
        ..journal::Call::new(at, call.parts.method.as_str(), call.target())
    };
    // Files of pages come beside what a test does.
    if !call.parts.uri.path().starts_with("/assets/") {
        double.end_call(world, &told);
    }
}

fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(CONTENT_TYPE)?.to_str().ok()
}

fn faults_in_header(call: &Call) -> Result<Vec<Fault>, FaultError> {
    let mut faults = Vec::new();
    for value in call.parts.headers.get_all(FAULT_HEADER) {
        let text = value.to_str().unwrap_or("\u{fffd}");
        faults.extend(Fault::in_header(text)?);
    }
    Ok(faults)
}

/// A call whose faults cannot be told is not made.
fn refused(error: &FaultError) -> Response {
    let body = ErrorBody::oauth("invalid_request", &format!("X-Twin-Fault: {error}"));
    respond::json(StatusCode::BAD_REQUEST, &body)
}

/// The server's own answer, by a clock that is off if a fault says so.
async fn ask(world: &Arc<World>, call: &Call, struck: &Strikes) -> (Answer, Learned) {
    let answering = world.envelope.clone().answer_and_tell(call.request(), call.peer);
    let (learning, skew) = (Arc::clone(world), struck.skew());
    let asked = async move {
        let (response, learned) = match skew {
            Some(seconds) => clock::skewed(seconds.saturating_mul(1_000), answering).await,
            None => answering.await,
        };
        let answer = Answer::read(response).await;
        if let Some(pair) = answer.pair() {
            learning.learn(pair).await;
        }
        (answer, learned)
    };
    if call.grant_type().is_none() {
        return asked.await;
    }
    // Who hangs up now has refreshed all the same, and what came of it is to be known.
    if let Ok(asked) = tokio::spawn(asked).await {
        return asked;
    }
    let response = finish(world, call, respond::internal_error());
    (Answer::read(response).await, Learned::default())
}

/// The faults that strike a call.
struct Strikes(Vec<Struck>);

impl Strikes {
    fn find<T>(&self, look: impl Fn(Fault) -> Option<T>) -> Option<T> {
        self.0.iter().find_map(|struck| look(struck.fault))
    }

    /// Before the call: what becomes of the token that it presents.
    async fn prepare(&self, world: &World, call: &Call) -> Result<(), StoreError> {
        let Some((id, kind)) = call.record() else { return Ok(()) };
        for struck in &self.0 {
            match struck.fault {
                Fault::ExpireToken if kind == Kind::RefreshToken => world.expire_pair(id).await?,
                Fault::ExpireToken => world.expire_access_token(id).await?,
                Fault::RevokeToken => world.revoke(id).await?,
                Fault::RotateToken => world.rotate(id).await?,
                _ => continue,
            };
        }
        Ok(())
    }

    /// The answer that stands in place of the server's, which then does not see the call.
    fn instead(&self, world: &World, call: &Call) -> Option<Response> {
        let path = call.parts.uri.path();
        let limit = world.state.config.limits.requests_per_caller;
        self.find(|fault| match fault {
            Fault::RateLimited { retry_after } => {
                Some(strike::rate_limited(path, retry_after, limit))
            }
            Fault::Status(status, Effect::NotApplied) => Some(strike::failed(path, status)),
            _ => None,
        })
    }

    fn skew(&self) -> Option<i64> {
        self.find(|fault| match fault {
            Fault::ClockSkew(seconds) => Some(seconds),
            _ => None,
        })
    }

    fn delay(&self) -> Option<Duration> {
        self.find(|fault| match fault {
            Fault::Delay(delay) => Some(delay),
            _ => None,
        })
    }

    /// The answer as its client is to see it, and how much of it.
    async fn change(&self, world: &World, call: &Call, answer: Answer) -> (Answer, Fate) {
        let path = call.parts.uri.path();
        let mut changed = (answer, Fate::Whole);
        for struck in &self.0 {
            let (answer, fate) = changed;
            changed = match struck.fault {
                Fault::ExpiresIn(seconds) => (answer.with_expires_in(seconds), fate),
                Fault::LoseAnswer => (answer, Fate::Lost),
                Fault::CutAnswer => (answer, Fate::Cut),
                Fault::Status(status, Effect::Applied) => {
                    let mut failed = strike::failed(path, status);
                    // What the log tells of this call has the server's id for it.
                    failed.headers_mut().extend(answer.request_id());
                    (Answer::read(finish(world, call, failed)).await, fate)
                }
                _ => (answer, fate),
            };
        }
        changed
    }
}

#[cfg(test)]
mod tests;
