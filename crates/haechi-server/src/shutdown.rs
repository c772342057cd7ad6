//! The end of a server, in two steps: drain, then end.
//!
//! [`Shutdown::on_signals`] ties the steps to the signals an operator sends. [`Shutdown::new`] leaves them to the
//! program, which is what a test wants.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

/// A handle that tells a server to stop. Clones speak of the same shutdown.
///
/// # Examples
///
/// ```
/// use haechi_server::Shutdown;
///
/// let shutdown = Shutdown::new();
/// shutdown.drain();
/// assert!(shutdown.is_draining());
/// assert!(!shutdown.is_ended());
/// ```
#[derive(Debug, Clone, Default)]
pub struct Shutdown(Arc<State>);

#[derive(Debug, Default)]
struct State {
    step: AtomicU8,
    changed: Notify,
}

impl Shutdown {
    /// Returns a shutdown that only the program triggers, by [`drain`](Self::drain) and [`end`](Self::end).
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns a shutdown that drains on the first `SIGTERM` or `SIGINT` and ends at once on the second.
    ///
    /// `SIGHUP` is not among them: it reloads certificates.
    ///
    /// # Errors
    ///
    /// When the signal handlers cannot be installed.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with its I/O driver enabled.
    pub fn on_signals() -> io::Result<Self> {
        let shutdown = Self::new();
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let signalled = shutdown.clone();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    received = terminate.recv() => if received.is_none() { return },
                    received = interrupt.recv() => if received.is_none() { return },
                }
                if signalled.is_draining() {
                    tracing::warn!("second signal: ending at once");
                    return signalled.end();
                }
                tracing::info!("signal: draining; a second one ends at once");
                signalled.drain();
            }
        });
        Ok(shutdown)
    }

    /// Asks the server to stop accepting and to finish what it is answering.
    pub fn drain(&self) {
        self.advance(DRAINING);
    }

    /// Asks the server to drop every connection at once.
    pub fn end(&self) {
        self.advance(ENDED);
    }

    /// Returns whether the drain has begun.
    pub fn is_draining(&self) -> bool {
        self.0.step.load(Ordering::Acquire) >= DRAINING
    }

    /// Returns whether every connection is to be dropped.
    pub fn is_ended(&self) -> bool {
        self.0.step.load(Ordering::Acquire) >= ENDED
    }

    /// Completes when the drain begins, and at once every time after.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn draining(&self) -> impl Future<Output = ()> + Send {
        self.reached(DRAINING)
    }

    /// Completes when every connection is to be dropped, and at once every time after.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn ended(&self) -> impl Future<Output = ()> + Send {
        self.reached(ENDED)
    }

    fn advance(&self, step: u8) {
        self.0.step.fetch_max(step, Ordering::AcqRel);
        self.0.changed.notify_waiters();
    }

    async fn reached(&self, step: u8) {
        loop {
            // Made before the step is read: `notify_waiters` wakes every `Notified` that exists, so no change
            // between the look and the wait is lost.
            let changed = self.0.changed.notified();
            if self.0.step.load(Ordering::Acquire) >= step {
                return;
            }
            changed.await;
        }
    }
}

const DRAINING: u8 = 1;
const ENDED: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_drain_wakes_who_waits_for_it_and_not_who_waits_for_the_end() {
        let shutdown = Shutdown::new();
        let waits = |shutdown: Shutdown| tokio::spawn(async move { shutdown.ended().await });
        let ended = waits(shutdown.clone());
        let draining = tokio::spawn({
            let shutdown = shutdown.clone();
            async move { shutdown.draining().await }
        });
        tokio::task::yield_now().await;
        shutdown.drain();
        draining.await.unwrap();
        assert!(!ended.is_finished());
        shutdown.end();
        ended.await.unwrap();
    }

    #[test]
    fn an_end_is_a_drain_and_never_goes_back() {
        let shutdown = Shutdown::new();
        shutdown.end();
        shutdown.drain();
        assert!(shutdown.is_draining() && shutdown.is_ended());
    }
}
