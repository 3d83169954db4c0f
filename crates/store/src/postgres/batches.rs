//! Group commit: calls of one kind that come together are sent as one statement.
//!
//! ```text
//! callers ──▶ queue ──▶ a few tasks, each with one statement under way ──▶ connections
//! ```
//!
//! Each task takes what has queued while its last statement was under way, at most [`BATCH_MAX`]
//! rows: a caller who is alone waits for nobody, and the more there are the more share a round trip
//! and a commit. A batch that the database refuses for what is in it has left nothing behind, and
//! its rows are sent one by one: one that cannot be written harms nobody but its caller.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::{
    sync::{Mutex, mpsc, mpsc::error::TrySendError, oneshot},
    task::JoinHandle,
    time::timeout_at,
};

use super::{
    calls::{Failure, unavailable},
    pool::Pool,
};
use crate::{Result, StoreError};

/// The most rows of a statement.
const BATCH_MAX: usize = 256;

/// A kind of event, or of look, that many can share a statement for.
pub(super) trait Batch: Send + Sync + 'static {
    /// What one caller wants.
    type Request: Send + Sync + 'static;
    /// What one caller gets.
    type Answer: Send + 'static;

    /// By what requests are put in order, so that two statements lock rows in the same one.
    fn order(request: &Self::Request) -> u64;

    /// Carries out all of them, in order, and gives an answer for each. On failure nothing of them
    /// was carried out, or nobody knows.
    fn carry_out(
        &self,
        requests: &[Self::Request],
    ) -> impl Future<Output = std::result::Result<Vec<Result<Self::Answer>>, Failure>> + Send;
}

struct Pending<B: Batch> {
    request: B::Request,
    caller: oneshot::Sender<Result<B::Answer>>,
}

/// The way to the tasks of one kind.
pub(super) struct Batches<B: Batch> {
    pool: Arc<Pool>,
    /// `None` once it is closed: then the tasks finish what is queued and end.
    sender: RwLock<Option<mpsc::Sender<Pending<B>>>>,
    tasks: std::sync::Mutex<Vec<JoinHandle<()>>>,
}

impl<B: Batch> Batches<B> {
    /// Starts `tasks` of them.
    pub(super) fn start(pool: &Arc<Pool>, batch: B, tasks: usize, queue_max: usize) -> Self {
        let (sender, receiver) = mpsc::channel(queue_max.max(1));
        let (batch, receiver) = (Arc::new(batch), Arc::new(Mutex::new(receiver)));
        let started = (0..tasks.max(1))
            .map(|_| pool.runtime().spawn(run(Arc::clone(&batch), Arc::clone(&receiver))));
        let tasks = std::sync::Mutex::new(started.collect());
        Self { pool: Arc::clone(pool), sender: RwLock::new(Some(sender)), tasks }
    }

    /// Queues a request and waits for its answer. A full queue is refused at once: a caller who is
    /// told to come back helps more than one who waits in a line that grows.
    pub(super) async fn call(&self, request: B::Request) -> Result<B::Answer> {
        let deadline = self.pool.deadline();
        let (caller, answer) = oneshot::channel();
        self.send(Pending { request, caller })?;
        match timeout_at(deadline, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(unavailable("the store was closed").into()),
            Err(_) => Err(unavailable("the database does not answer in time").into()),
        }
    }

    fn send(&self, pending: Pending<B>) -> std::result::Result<(), Failure> {
        let sender = self.sender.read().unwrap_or_else(PoisonError::into_inner);
        let sender = sender.as_ref().ok_or_else(|| unavailable("the store is closed"))?;
        sender.try_send(pending).map_err(|error| match error {
            TrySendError::Full(_) => unavailable("too much is waiting"),
            TrySendError::Closed(_) => unavailable("the store is closed"),
        })
    }

    /// How many requests wait.
    pub(super) fn len(&self) -> usize {
        let sender = self.sender.read().unwrap_or_else(PoisonError::into_inner);
        sender.as_ref().map_or(0, |sender| sender.max_capacity() - sender.capacity())
    }

    /// Takes no more requests, and answers those that are queued.
    pub(super) async fn close(&self) {
        self.sender.write().unwrap_or_else(PoisonError::into_inner).take();
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            if task.await.is_err() {
                tracing::error!("a task of the store panicked");
            }
        }
    }
}

type Receiver<B> = Arc<Mutex<mpsc::Receiver<Pending<B>>>>;

async fn run<B: Batch>(batch: Arc<B>, receiver: Receiver<B>) {
    loop {
        let mut taken = Vec::new();
        if receiver.lock().await.recv_many(&mut taken, BATCH_MAX).await == 0 {
            return;
        }
        // Whoever gave up waiting gets no answer, and is not worked for.
        taken.retain(|pending| !pending.caller.is_closed());
        taken.sort_by_key(|pending| B::order(&pending.request));
        if !taken.is_empty() {
            answer(&*batch, taken).await;
        }
    }
}

async fn answer<B: Batch>(batch: &B, taken: Vec<Pending<B>>) {
    let (requests, callers): (Vec<_>, Vec<_>) =
        taken.into_iter().map(|pending| (pending.request, pending.caller)).unzip();
    match batch.carry_out(&requests).await {
        Ok(answers) => give(callers, answers),
        Err(failure) => match StoreError::from(failure) {
            StoreError::Corrupt(_) if requests.len() > 1 => {
                for (request, caller) in requests.into_iter().zip(callers) {
                    let alone = batch.carry_out(&[request]).await;
                    give(vec![caller], alone.unwrap_or_else(|failure| vec![Err(failure.into())]));
                }
            }
            StoreError::Corrupt(what) => refuse(callers, || StoreError::Corrupt(what.clone())),
            error => {
                let reason = error.reason();
                refuse(callers, || StoreError::Unavailable(reason.clone()));
            }
        },
    }
}

type Callers<A> = Vec<oneshot::Sender<Result<A>>>;

fn give<A>(callers: Callers<A>, answers: Vec<Result<A>>) {
    for (caller, answer) in callers.into_iter().zip(answers) {
        drop(caller.send(answer));
    }
}

fn refuse<A>(callers: Callers<A>, error: impl Fn() -> StoreError) {
    for caller in callers {
        drop(caller.send(Err(error())));
    }
}
