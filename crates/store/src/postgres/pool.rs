//! Connections: a bounded number, made when they are needed and again after they were lost.
//!
//! 1. A permit bounds how many calls are under way; who waits for one waits in order, not for long,
//!    and not together with too many others.
//! 2. With a permit a call takes a connection that is idle. If there is none it has one made, and
//!    takes whichever comes first: the new one or one that another call gives back. So calls are
//!    served even while the database takes no more connections.
//! 3. Making one again after a failure waits, longer each time, and differently in each process.
//! 4. A connection that failed in the middle of a call is dropped, and so are all that were idle
//!    meanwhile: the server that they lead to may be gone.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::{Notify, OwnedSemaphorePermit, Semaphore, TryAcquireError},
    time::{Instant, sleep_until, timeout_at},
};

use super::{
    calls::{self, ATTEMPTS_MAX, Call, Failure, Found, pause, unavailable},
    hosts::Hosts,
    open::PostgresOptions,
    session::Session,
};

type Result<T> = std::result::Result<T, Failure>;

/// How many connections are made at the same time: a server that has just started has enough to do.
const CONNECTING_MAX: usize = 4;
/// The pause after the first failure to connect, on average.
const BACK_OFF: Duration = Duration::from_millis(25);
/// How often that pause doubles, up to 1.6 s.
const DOUBLINGS_MAX: u32 = 6;

/// The connections of a store.
pub(super) struct Pool {
    hosts: Hosts,
    options: PostgresOptions,
    /// Where connections live, whoever asks for one.
    runtime: Handle,
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
    connections: Mutex<Connections>,
    /// There is a connection, or a reason to look again.
    looked_for: Notify,
    pub(super) calls: AtomicU64,
}

struct Connections {
    idle: Vec<Arc<Session>>,
    /// Idle, in use, and being made.
    count: usize,
    connecting: usize,
    /// How often connecting has failed in a row.
    failures: u32,
    /// When it may be tried again.
    again_at: Instant,
    /// Why it failed the last time.
    reason: Option<String>,
}

impl Pool {
    /// Connects to nothing yet.
    pub(super) fn new(hosts: Hosts, options: PostgresOptions) -> Arc<Self> {
        let connections = Connections {
            idle: Vec::new(),
            count: 0,
            connecting: 0,
            failures: 0,
            again_at: Instant::now(),
            reason: None,
        };
        Arc::new(Self {
            hosts,
            options,
            runtime: Handle::current(),
            permits: Arc::new(Semaphore::new(options.connections.max(1))),
            waiting: AtomicUsize::new(0),
            connections: Mutex::new(connections),
            looked_for: Notify::new(),
            calls: AtomicU64::new(0),
        })
    }

    pub(super) const fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Until when a call that begins now is answered.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.options.call_timeout
    }

    /// Takes no more calls, and drops connections as they come back.
    pub(super) fn close(&self) {
        self.permits.close();
        self.drop_idle();
    }

    /// How many connections there are, and how many calls wait for one.
    pub(super) fn load(&self) -> (usize, usize) {
        (self.lock().count, self.waiting.load(Ordering::Relaxed))
    }

    /// Carries out a call, to its end even if nobody waits for it any more: a connection is never
    /// left in the middle of something because a client went away.
    pub(super) async fn run(self: &Arc<Self>, call: Call) -> Result<Vec<tokio_postgres::Row>> {
        self.run_both(call).await.map(|found| found.rows)
    }

    /// The same with what the first statement has found.
    pub(super) async fn run_both(self: &Arc<Self>, call: Call) -> Result<Found> {
        let pool = Arc::clone(self);
        let task = self.runtime.spawn(async move { pool.carry_out(&call).await });
        task.await.unwrap_or_else(|_| Err(unavailable("the call was given up")))
    }

    /// The same within a task that nobody drops.
    pub(super) async fn carry_out(self: &Arc<Self>, call: &Call) -> Result<Found> {
        self.carry_out_until(call, self.deadline()).await
    }

    pub(super) async fn carry_out_until(
        self: &Arc<Self>,
        call: &Call,
        deadline: Instant,
    ) -> Result<Found> {
        let mut attempts = 0;
        loop {
            let lease = self.acquire(deadline).await?;
            self.calls.fetch_add(1, Ordering::Relaxed);
            let Ok(carried_out) = timeout_at(deadline, lease.session.carry_out(call)).await else {
                self.drop_idle();
                return Err(unavailable("the database does not answer in time"));
            };
            let failure = match carried_out {
                Ok(found) => {
                    lease.give_back();
                    return Ok(found);
                }
                Err(failure) => failure,
            };
            if failure.leaves_connection() {
                lease.give_back();
            } else {
                self.hosts.doubt(lease.session.era);
                drop(lease);
                self.drop_idle();
            }
            attempts += 1;
            let again_at = Instant::now() + pause(attempts);
            if attempts >= ATTEMPTS_MAX || again_at >= deadline || !failure.allows(call.repeat) {
                return Err(failure);
            }
            sleep_until(again_at).await;
        }
    }

    /// A connection for one call.
    pub(super) async fn acquire(self: &Arc<Self>, deadline: Instant) -> Result<Lease> {
        let permits = Arc::clone(&self.permits);
        let permit = match Arc::clone(&permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(TryAcquireError::Closed) => return Err(unavailable("the store is closed")),
            Err(TryAcquireError::NoPermits) => {
                let _waiting = Waiting::begin(self)?;
                match timeout_at(deadline, permits.acquire_owned()).await {
                    Ok(Ok(permit)) => permit,
                    Ok(Err(_)) => return Err(unavailable("the store is closed")),
                    Err(_) => return Err(unavailable("no connection was free in time")),
                }
            }
        };
        let session = self.session(deadline).await?;
        Ok(Lease { pool: Arc::clone(self), session, is_back: false, _permit: permit })
    }

    async fn session(self: &Arc<Self>, deadline: Instant) -> Result<Arc<Session>> {
        loop {
            let mut looked_for = std::pin::pin!(self.looked_for.notified());
            // Before looking, so that nothing is missed between the look and the wait.
            looked_for.as_mut().enable();
            let (session, look_again_at) = self.look();
            if let Some(session) = session {
                return Ok(session);
            }
            let until = look_again_at.map_or(deadline, |at| at.min(deadline));
            if timeout_at(until, looked_for).await.is_err() && Instant::now() >= deadline {
                let reason = self.lock().reason.clone();
                let reason = reason.unwrap_or_else(|| "no connection in time".to_owned());
                return Err(Failure::Unavailable(reason));
            }
        }
    }

    /// An idle connection. If there is none it has one made, or says when that may be tried.
    fn look(self: &Arc<Self>) -> (Option<Arc<Session>>, Option<Instant>) {
        let mut connections = self.lock();
        while let Some(session) = connections.idle.pop() {
            if self.is_usable(&session) {
                return (Some(session), None);
            }
            // The server that it led to may have gone meanwhile.
            self.hosts.doubt(session.era);
            connections.count -= 1;
        }
        let is_busy = connections.connecting >= CONNECTING_MAX
            || connections.count >= self.options.connections.max(1);
        if is_busy {
            return (None, None);
        }
        if connections.failures > 0 && connections.connecting > 0 {
            // One knocks for all of them.
            return (None, None);
        }
        if Instant::now() < connections.again_at {
            return (None, Some(connections.again_at));
        }
        connections.connecting += 1;
        connections.count += 1;
        let pool = Arc::clone(self);
        self.runtime.spawn(async move { pool.connect().await });
        (None, None)
    }

    async fn connect(&self) {
        let connected = self.hosts.connect().await;
        let mut connections = self.lock();
        connections.connecting -= 1;
        match connected {
            Ok(_) if self.permits.is_closed() => connections.count -= 1,
            Ok(session) => {
                connections.failures = 0;
                connections.reason = None;
                connections.idle.push(Arc::new(session));
            }
            Err(failure) => {
                connections.count -= 1;
                let doublings = connections.failures.min(DOUBLINGS_MAX);
                connections.failures = connections.failures.saturating_add(1);
                connections.again_at =
                    Instant::now() + calls::jitter(BACK_OFF * 2_u32.pow(doublings));
                let reason = crate::StoreError::from(failure).reason();
                if connections.failures == 1 {
                    tracing::warn!(reason, "the database cannot be reached");
                }
                connections.reason = Some(reason);
            }
        }
        drop(connections);
        self.looked_for.notify_waiters();
    }

    fn is_usable(&self, session: &Session) -> bool {
        session.is_sound() && self.hosts.are_trusted_since(session.era)
    }

    fn drop_idle(&self) {
        let idle = {
            let mut connections = self.lock();
            connections.count -= connections.idle.len();
            std::mem::take(&mut connections.idle)
        };
        drop(idle);
        self.looked_for.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Connections> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that one call has to itself.
pub(super) struct Lease {
    pool: Arc<Pool>,
    pub(super) session: Arc<Session>,
    is_back: bool,
    /// Kept until the connection is back.
    _permit: OwnedSemaphorePermit,
}

impl Lease {
    /// For the next call. A connection that is not given back is dropped.
    pub(super) fn give_back(mut self) {
        if !self.pool.is_usable(&self.session) || self.pool.permits.is_closed() {
            return;
        }
        self.is_back = true;
        self.pool.lock().idle.push(Arc::clone(&self.session));
        self.pool.looked_for.notify_one();
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.is_back {
            self.pool.lock().count -= 1;
            self.pool.looked_for.notify_one();
        }
    }
}

/// A call that waits.
struct Waiting<'p>(&'p AtomicUsize);

impl<'p> Waiting<'p> {
    /// A full line is refused at once: a caller who is told to come back helps more than one who
    /// waits in a line that grows.
    fn begin(pool: &'p Pool) -> Result<Self> {
        let waiting = Self(&pool.waiting);
        if pool.waiting.fetch_add(1, Ordering::Relaxed) >= pool.options.queue_max {
            return Err(unavailable("too much is waiting"));
        }
        Ok(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
