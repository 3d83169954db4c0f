//! Tells what runs beside requests that the server stops.

use std::time::Duration;

use tokio::sync::watch;

/// The signal, as one of those sees it who wait for it.
#[derive(Clone)]
pub struct StopSignal(watch::Receiver<bool>);

impl StopSignal {
    /// A signal, and what gives it.
    pub fn new() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    /// Done once the signal is given, or nobody is left to give it.
    pub async fn given(&mut self) {
        let _ = self.0.wait_for(|stopped| *stopped).await;
    }

    /// Whether it was given by now, or nobody is left to give it.
    pub fn is_given(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }

    /// Waits for `period`; `false` when the signal came first.
    pub async fn sleep(&mut self, period: Duration) -> bool {
        tokio::select! {
            () = self.given() => false,
            () = tokio::time::sleep(period) => true,
        }
    }
}
