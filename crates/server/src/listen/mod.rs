//! Connections: accepting, limiting, and ending them.

pub mod framing;
mod guarded;
mod head;
#[cfg(test)]
mod tests;
mod transport;

use std::{io, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes, HttpBody},
    response::Response,
};
use http::{
    HeaderValue, Request, StatusCode, Version,
    header::{CACHE_CONTROL, CONNECTION, X_CONTENT_TYPE_OPTIONS},
};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use socket2::{Domain, Protocol, Socket, Type};
use tokenry_protocol::api::error::ErrorBody;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_rustls::server::TlsStream;
use tower::Service;

use self::{
    guarded::{Guard, GuardedStream, Times},
    transport::Transport,
};
use crate::{config::Limits, respond, stop_signal::StopSignal};

const BACKLOG: i32 = 1_024;
/// HTTP/2 peers that do not answer a ping are gone.
const PING_INTERVAL: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// Running out of file descriptors passes; trying again at once would only burn the processor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// An address that is listened on.
pub struct Listener {
    socket: TcpListener,
    handshake: Option<Arc<dyn Handshake>>,
}

/// What every connection begins with, and speaks TLS from then on.
pub trait Handshake: Send + Sync + 'static {
    /// Takes a connection over. One that takes longer than a head may is cut.
    fn shake(&self, stream: TcpStream) -> Shaken;
}

/// The outcome of a handshake.
pub type Shaken = Pin<Box<dyn Future<Output = io::Result<TlsStream<TcpStream>>> + Send>>;

impl Listener {
    /// Speaks TLS and nothing else.
    pub fn with_handshake(self, handshake: Arc<dyn Handshake>) -> Self {
        Self { handshake: Some(handshake), ..self }
    }

    /// The address.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

/// Binds an address, without TLS.
pub fn bind(address: SocketAddr) -> io::Result<Listener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A restart must not wait for old connections to be forgotten.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(Listener { socket: TcpListener::from_std(socket.into())?, handshake: None })
}

/// Serves until `stop` is done; then finishes what is in flight, within the limit for that.
pub async fn serve<S: Answer>(
    listener: Listener,
    answer: S,
    limits: &Limits,
    stop: impl Future<Output = ()>,
) {
    let room = Arc::new(Semaphore::new(limits.connections_max));
    let builder = Arc::new(builder(limits));
    let graceful = GracefulShutdown::new();
    let (closing, closed) = StopSignal::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        // A connection past the limit waits in the backlog instead of being accepted and dropped.
        let permit = tokio::select! {
            permit = Arc::clone(&room).acquire_owned() => permit,
            () = &mut stop => break,
        };
        let accepted = tokio::select! {
            accepted = listener.socket.accept() => accepted,
            () = &mut stop => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Answers are small and whole: waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        let guard = Arc::new(Guard::new());
        let service = service(&answer, peer, &guard);
        let (builder, watcher) = (Arc::clone(&builder), graceful.watcher());
        let (handshake, times) = (listener.handshake.clone(), Times::of(limits));
        let mut closed = closed.clone();
        tokio::spawn(async move {
            // Nothing was asked yet that a stop would have to wait for.
            let connected = tokio::select! {
                connected = Transport::open(stream, handshake, times.head) => connected,
                () = closed.given() => return,
            };
            let served = async {
                let io = TokioIo::new(GuardedStream::new(connected?, guard, times));
                let connection = builder.serve_connection(io, service).into_owned();
                watcher.watch(connection).await
            };
            if let Err(error) = served.await {
                tracing::debug!(%peer, error, "a connection ended early");
            }
            drop(permit);
        });
    }
    drop((listener, closing));
    if tokio::time::timeout(limits.stop_timeout, graceful.shutdown()).await.is_err() {
        tracing::warn!("connections were cut off: they did not end in time");
    }
}

fn builder(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // The guard cuts off slow heads and connections that say nothing more.
        .header_read_timeout(None)
        .max_buf_size(limits.head_max.max(8_192));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.http2_streams_max)
        .max_pending_accept_reset_streams(limits.http2_pending_resets_max)
        .max_local_error_reset_streams(limits.http2_local_resets_max)
        .max_header_list_size(u32::try_from(limits.head_max).unwrap_or(u32::MAX))
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT);
    builder
}

/// A body on its way to a handler.
pub trait Sent:
    HttpBody<Data = Bytes, Error: Into<axum::BoxError>> + Unpin + Send + 'static
{
}

impl<B: HttpBody<Data = Bytes, Error: Into<axum::BoxError>> + Unpin + Send + 'static> Sent for B {}

/// What answers requests.
pub trait Answer: Clone + Send + 'static {
    /// Answers a request that came from `peer`.
    fn answer<B: Sent>(
        self,
        request: Request<B>,
        peer: SocketAddr,
    ) -> impl Future<Output = Response> + Send;
}

/// An answer of which not one byte is sent: the connection is cut instead (on HTTP/2 the stream).
/// For doubles that lose answers on purpose.
pub fn hang_up() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(HangUp);
    response
}

#[derive(Clone)]
struct HangUp;

/// For what needs no envelope, such as metrics.
impl Answer for Router {
    async fn answer<B: Sent>(mut self, request: Request<B>, _: SocketAddr) -> Response {
        let Ok(response) = self.call(request.map(Body::new)).await;
        response
    }
}

/// What a connection's requests are answered by.
fn service<S: Answer>(
    answer: &S,
    peer: SocketAddr,
    guard: &Arc<Guard>,
) -> impl hyper::service::Service<
    Request<Incoming>,
    Response = Response,
    Error = io::Error,
    Future: Send + 'static,
> + use<S> {
    let (answer, guard) = (answer.clone(), Arc::clone(guard));
    service_fn(move |request: Request<Incoming>| {
        let (answer, in_flight) = (answer.clone(), guard.enter());
        async move {
            let version = request.version();
            if version <= Version::HTTP_11 {
                let framed_twice = in_flight.is_ambiguous().then_some(head::FRAMED_TWICE);
                if let Some(fault) = framed_twice.or_else(|| head::fault(&request)) {
                    return Ok(refuse(fault));
                }
            }
            let mut response = answer.answer(request, peer).await;
            drop(in_flight);
            if response.extensions().get::<HangUp>().is_some() {
                return Err(io::Error::other("hung up on purpose"));
            }
            if version <= Version::HTTP_11 && leaves_a_body_unread(response.status()) {
                response.headers_mut().insert(CONNECTION, CLOSE);
            }
            Ok(response)
        }
    })
}

const CLOSE: HeaderValue = HeaderValue::from_static("close");

/// What follows such an answer on an HTTP/1 connection is the rest of the body, and no request
/// (RFC 9110 §15.5.9, §15.5.14).
fn leaves_a_body_unread(status: StatusCode) -> bool {
    [StatusCode::REQUEST_TIMEOUT, StatusCode::PAYLOAD_TOO_LARGE].contains(&status)
}

/// Two readers could take what follows for different requests, so nothing of it is read.
fn refuse(fault: &str) -> Response {
    let response = respond::json(StatusCode::BAD_REQUEST, &ErrorBody::bad_request(fault));
    let response = respond::with(response, CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let nosniff = HeaderValue::from_static("nosniff");
    let response = respond::with(response, X_CONTENT_TYPE_OPTIONS, nosniff);
    respond::with(response, CONNECTION, CLOSE)
}
