//! How long a server is waited for that has stopped answering.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::time::sleep;

/// Since when a connection waits for an answer. Clones are of the same connection.
///
/// The task that drives the connection looks at it now and then, and ends the connection when the wait is too long: a
/// timer for each statement would cost more than the statement's own bookkeeping.
#[derive(Debug, Clone)]
pub(super) struct Wait {
    /// Milliseconds since `born`, and one; zero while nothing is waited for.
    since: Arc<AtomicU64>,
    born: Instant,
}

impl Wait {
    pub(super) fn new() -> Wait {
        Wait { since: Arc::default(), born: Instant::now() }
    }

    pub(super) fn begin(&self) {
        self.since.store(self.now() + 1, Ordering::Relaxed);
    }

    pub(super) fn end(&self) {
        self.since.store(0, Ordering::Relaxed);
    }

    /// Returns once an answer is overdue.
    pub(super) async fn overdue(self, patience: Duration) {
        let Ok(most) = u64::try_from(patience.as_millis()) else { return pending().await };
        loop {
            sleep(LOOK).await;
            let since = self.since.load(Ordering::Relaxed);
            if since > 0 && self.now() + 1 - since > most {
                return;
            }
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX - 1)
    }
}

/// What a wait may be longer than the patience.
const LOOK: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn a_wait_is_overdue_only_while_it_lasts() {
        let wait = Wait::new();
        let overdue = |patience| timeout(Duration::from_millis(1_300), wait.clone().overdue(patience));
        assert!(overdue(Duration::ZERO).await.is_err(), "nothing is waited for");
        wait.begin();
        assert!(overdue(Duration::from_secs(60)).await.is_err());
        assert!(overdue(Duration::from_millis(1)).await.is_ok());
        wait.end();
        assert!(overdue(Duration::ZERO).await.is_err());
    }
}
