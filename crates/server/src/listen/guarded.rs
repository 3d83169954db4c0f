//! A connection's stream under guard: slow heads, idle connections and peers that take no answer
//! are cut off.
//!
//! Between requests a connection may be idle for a while; once the first byte of a head has come,
//! the rest must follow soon. The HTTP library's own timer does not tell the two apart.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep},
};

use super::{
    framing::{Framing, FramingWatch},
    transport::Transport,
};
use crate::config::Limits;

/// How long a connection is waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// Between requests.
    pub(super) idle: Duration,
    /// For the rest of a head, and for a handshake.
    pub(super) head: Duration,
    /// While the peer takes nothing of an answer.
    pub(super) stall: Duration,
}

impl Times {
    pub(super) const fn of(limits: &Limits) -> Self {
        Self { idle: limits.idle_timeout, head: limits.head_timeout, stall: limits.request_timeout }
    }
}

/// What the stream and the service know of each other.
#[derive(Debug)]
pub(super) struct Guard {
    /// Requests whose head was complete.
    begun: AtomicUsize,
    /// Those of them that are still being answered.
    in_flight: AtomicUsize,
    /// A head on this connection was framed twice.
    is_ambiguous: AtomicBool,
    accepted: Instant,
    /// When the last answer was ready, in milliseconds after `accepted`.
    answered: AtomicU64,
}

/// A request that is being answered.
pub(super) struct InFlight(Arc<Guard>);

impl Guard {
    /// Of a connection that was accepted just now.
    pub(super) fn new() -> Self {
        Self {
            begun: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
            is_ambiguous: AtomicBool::new(false),
            accepted: Instant::now(),
            answered: AtomicU64::new(0),
        }
    }

    /// A head is complete, and its request is being answered until the value is dropped.
    pub(super) fn enter(self: &Arc<Self>) -> InFlight {
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(Arc::clone(self))
    }

    fn is_busy(&self) -> bool {
        self.in_flight.load(Ordering::Relaxed) > 0
    }

    /// Since when the connection has been waiting for a request, if it is not answering any.
    fn idle_since(&self) -> Instant {
        self.accepted + Duration::from_millis(self.answered.load(Ordering::Relaxed))
    }
}

impl InFlight {
    /// Whether a head on the connection was framed twice.
    pub(super) fn is_ambiguous(&self) -> bool {
        self.0.is_ambiguous.load(Ordering::Relaxed)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let elapsed = u64::try_from(self.0.accepted.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.answered.store(elapsed, Ordering::Relaxed);
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What is being waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waiting {
    /// The first byte of a head.
    Idle,
    /// The rest of a head.
    Head,
    /// The answer: the connection's time does not run.
    Answer,
}

/// HTTP/1 heads are watched; HTTP/2 has limits of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speech {
    /// So many bytes of HTTP/2's preface have come, and nothing else.
    Unknown(usize),
    Http1,
    Http2,
}

/// RFC 9113 §3.4. It may come in several packets; whatever differs from it is HTTP/1.
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The stream.
pub(super) struct GuardedStream {
    stream: Transport,
    guard: Arc<Guard>,
    framing: FramingWatch,
    speech: Speech,
    waiting: Waiting,
    /// How many requests had begun when the stream was last looked at.
    seen: usize,
    /// When the present wait is over. Set when something has to be waited for: most heads come
    /// whole.
    deadline: Option<Instant>,
    /// Rings at the deadline or before: setting it anew at each turn would cost more than a look
    /// when it rings.
    alarm: Pin<Box<Sleep>>,
    /// Whether the alarm will wake the connection. The HTTP library does not read again after an
    /// answer if it has tried during it, so it must ring then as well.
    is_armed: bool,
    times: Times,
    /// Runs while the peer takes nothing of an answer.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl GuardedStream {
    pub(super) fn new(stream: Transport, guard: Arc<Guard>, times: Times) -> Self {
        Self {
            stream,
            guard,
            framing: FramingWatch::default(),
            speech: Speech::Unknown(0),
            waiting: Waiting::Idle,
            seen: 0,
            deadline: None,
            alarm: Box::pin(tokio::time::sleep(times.idle)),
            is_armed: false,
            times,
            stalled: None,
        }
    }

    /// Passes what a write came to, unless the peer has taken nothing for too long.
    fn progress<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let limit = self.times.stall;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        stalled.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }

    /// When the present wait is over; never, while the connection waits for us.
    fn deadline(&mut self) -> Option<Instant> {
        let (since, limit) = match self.waiting {
            Waiting::Answer => return None,
            Waiting::Idle => (self.guard.idle_since(), self.times.idle),
            Waiting::Head => (Instant::now(), self.times.head),
        };
        Some(*self.deadline.get_or_insert(since + limit))
    }

    fn wait_for(&mut self, next: Waiting) {
        self.waiting = next;
        self.deadline = None;
    }

    /// Whether what is being waited for has come too late.
    fn poll_late(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let deadline = self.deadline();
        if let Some(deadline) = deadline.filter(|deadline| *deadline < self.alarm.deadline()) {
            self.ring_at(deadline);
        }
        if self.is_armed && !self.alarm.is_elapsed() {
            return Poll::Pending;
        }
        while self.alarm.as_mut().poll(context).is_ready() {
            let next = match deadline {
                Some(deadline) if deadline <= self.alarm.deadline() => return Poll::Ready(()),
                Some(deadline) => deadline,
                None => Instant::now() + self.times.idle,
            };
            self.ring_at(next);
        }
        self.is_armed = true;
        Poll::Pending
    }

    fn ring_at(&mut self, time: Instant) {
        self.alarm.as_mut().reset(time);
        self.is_armed = false;
    }

    /// Requests begin and end without a word to the stream, which looks when it is read.
    fn look_at_requests(&mut self) {
        let begun = self.guard.begun.load(Ordering::Relaxed);
        if self.guard.is_busy() {
            self.wait_for(Waiting::Answer);
        } else if begun != self.seen || self.waiting == Waiting::Answer {
            self.wait_for(Waiting::Idle);
        }
        self.seen = begun;
    }

    fn received(&mut self, bytes: &[u8]) {
        if let Speech::Unknown(seen) = self.speech {
            let (before, rest) = HTTP2_PREFACE.split_at_checked(seen).unwrap_or_default();
            if bytes.starts_with(rest) {
                self.speech = Speech::Http2;
                self.wait_for(Waiting::Idle);
            } else if rest.starts_with(bytes) {
                self.speech = Speech::Unknown(seen + bytes.len());
            } else {
                self.speech = Speech::Http1;
                self.watch(before);
            }
        }
        if self.speech == Speech::Http1 {
            self.watch(bytes);
        }
        if self.speech != Speech::Http2 && self.waiting == Waiting::Idle {
            self.wait_for(Waiting::Head);
        }
    }

    fn watch(&mut self, bytes: &[u8]) {
        if self.framing.watch(bytes) == Framing::Ambiguous {
            self.guard.is_ambiguous.store(true, Ordering::Relaxed);
        }
    }
}

impl AsyncRead for GuardedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.look_at_requests();
        if this.waiting == Waiting::Idle && this.guard.is_ambiguous.load(Ordering::Relaxed) {
            // A body that looked like such a head must not cost the next request of a connection
            // that a proxy shares among many.
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let before = buffer.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut this.stream).poll_read(context, buffer) {
            let fresh = buffer.filled().get(before..).unwrap_or_default();
            if !fresh.is_empty() {
                this.received(fresh);
            }
            return Poll::Ready(read);
        }
        this.poll_late(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncWrite for GuardedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.progress(written, context)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.progress(flushed, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.progress(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpStream;

    use super::*;

    async fn stream() -> GuardedStream {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let times = Times::of(&Limits::default());
        GuardedStream::new(Transport::Plain(stream), Arc::new(Guard::new()), times)
    }

    #[tokio::test]
    async fn the_preface_of_http2_is_known_in_any_packets() {
        for at in 0..HTTP2_PREFACE.len() {
            let mut stream = stream().await;
            let (first, second) = HTTP2_PREFACE.split_at(at);
            if !first.is_empty() {
                stream.received(first);
                assert_eq!(stream.waiting, Waiting::Head, "the rest must follow soon: {at}");
            }
            stream.received(&[second, b"\0\0\0\x04\0\0\0\0\0"].concat());
            assert_eq!((stream.speech, stream.waiting), (Speech::Http2, Waiting::Idle), "{at}");
        }
    }

    #[tokio::test]
    async fn what_only_begins_like_the_preface_is_watched_from_its_beginning() {
        for first in ["P", "PR", "PRI * HTTP/2.0\r\n"] {
            let mut stream = stream().await;
            stream.received(first.as_bytes());
            stream.received(b"OST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: x\r\n\r\n");
            assert_eq!((stream.speech, stream.waiting), (Speech::Http1, Waiting::Head), "{first}");
            assert!(stream.guard.is_ambiguous.load(Ordering::Relaxed), "{first}");
        }
    }
}
