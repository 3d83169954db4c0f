//! Work that is handed to a thread with a connection, and whose answer is awaited elsewhere.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{PoisonError, RwLock},
};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use tokio::sync::oneshot;

use super::session::Session;
use crate::{Result, StoreError};

/// Work, from being queued to being answered.
pub(super) trait Call: Send {
    /// Does the work and keeps its outcome. Work can be done again, of which the last outcome
    /// counts: what it did before was rolled back.
    fn run(&mut self, session: &Session<'_>) -> Outcome;
    /// Gives the outcome to whoever waits for it.
    fn answer(self: Box<Self>);
    /// Says that the store is away, whatever the outcome was.
    fn refuse(self: Box<Self>, reason: &str);
    /// Whether nobody waits any more.
    fn is_abandoned(&self) -> bool;
}

/// How work ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// There is an answer.
    Done,
    /// There is none, and nothing of the work may stay.
    Failed {
        /// Why.
        reason: String,
    },
}

struct Pending<T, W> {
    work: W,
    outcome: Result<T>,
    caller: oneshot::Sender<Result<T>>,
}

impl<T, W> Call for Pending<T, W>
where
    T: Send,
    W: Fn(&Session<'_>) -> Result<T> + Send,
{
    fn run(&mut self, session: &Session<'_>) -> Outcome {
        let work = &self.work;
        // A thread that died of one caller's work would take everybody's store away.
        self.outcome = catch_unwind(AssertUnwindSafe(|| work(session))).unwrap_or_else(|_| {
            tracing::error!("work on the database panicked");
            Err(unavailable("the work panicked"))
        });
        match &self.outcome {
            Ok(_) => Outcome::Done,
            Err(StoreError::Unavailable(reason)) => Outcome::Failed { reason: reason.clone() },
            Err(error) => Outcome::Failed { reason: error.to_string() },
        }
    }

    fn answer(self: Box<Self>) {
        // Whoever gave up waiting needs no answer.
        drop(self.caller.send(self.outcome));
    }

    fn refuse(self: Box<Self>, reason: &str) {
        drop(self.caller.send(Err(unavailable(reason))));
    }

    fn is_abandoned(&self) -> bool {
        self.caller.is_closed()
    }
}

/// The way to a thread, or to several that share one queue.
pub(super) struct Queue {
    /// `None` once it is closed: then the threads finish what is queued and end.
    sender: RwLock<Option<Sender<Box<dyn Call>>>>,
}

impl Queue {
    /// A queue that holds at most `capacity` calls, and the end that threads take them from.
    pub(super) fn new(capacity: usize) -> (Self, Receiver<Box<dyn Call>>) {
        let (sender, receiver) = bounded(capacity);
        let sender = RwLock::new(Some(sender));
        (Self { sender }, receiver)
    }

    /// Queues `work` and waits for its answer. A full queue is refused at once: a caller who is
    /// told to come back helps more than one who waits in a line that grows.
    pub(super) async fn call<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: Fn(&Session<'_>) -> Result<T> + Send + 'static,
    {
        let (caller, answer) = oneshot::channel();
        let pending = Pending { work, outcome: Err(unavailable("the work was not done")), caller };
        self.send(Box::new(pending))?;
        answer.await.unwrap_or_else(|_| Err(unavailable("the store was closed")))
    }

    fn send(&self, call: Box<dyn Call>) -> Result<()> {
        let sender = self.sender.read().unwrap_or_else(PoisonError::into_inner);
        let sender = sender.as_ref().ok_or_else(|| unavailable("the store is closed"))?;
        sender.try_send(call).map_err(|error| match error {
            TrySendError::Full(_) => unavailable("too much is waiting"),
            TrySendError::Disconnected(_) => unavailable("the store is closed"),
        })
    }

    /// How many calls wait.
    pub(super) fn len(&self) -> usize {
        let sender = self.sender.read().unwrap_or_else(PoisonError::into_inner);
        sender.as_ref().map_or(0, Sender::len)
    }

    /// Takes no more calls.
    pub(super) fn close(&self) {
        let mut sender = self.sender.write().unwrap_or_else(PoisonError::into_inner);
        sender.take();
    }
}

pub(super) fn unavailable(reason: &str) -> StoreError {
    StoreError::Unavailable(reason.to_owned())
}
