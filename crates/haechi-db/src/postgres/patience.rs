//! How long a server is waited for that has stopped answering.

use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::task::AbortHandle;

/// Looks at the connections of a pool twice a second and ends those that wait for too long.
///
/// It does so on a thread of its own, which is the pool's clock too: a timer for each statement, or one that each
/// connection holds, would cost more than the statement's own bookkeeping, and so would a look at the system's clock.
pub(super) struct Watch(Arc<Shared>);

struct Shared {
    /// How often was looked so far.
    now: AtomicU64,
    /// How many looks a connection may wait.
    most: u64,
    watched: Mutex<Vec<Watched>>,
}

struct Watched {
    since: Arc<AtomicU64>,
    driver: AbortHandle,
}

impl Watch {
    /// Starts the thread, which ends with the pool.
    pub(super) fn start(patience: Duration) -> io::Result<Watch> {
        let watch = Watch::new(patience);
        let shared = Arc::downgrade(&watch.0);
        let name = "haechi-db watch".to_owned();
        thread::Builder::new().name(name).spawn(move || look(&shared))?;
        Ok(watch)
    }

    fn new(patience: Duration) -> Watch {
        let watched = Mutex::default();
        Watch(Arc::new(Shared { now: AtomicU64::new(0), most: looks(patience), watched }))
    }

    /// Watches a connection from now on, until its driver ends.
    pub(super) fn over(&self, driver: AbortHandle) -> Wait {
        let since = Arc::default();
        self.0.lock().push(Watched { since: Arc::clone(&since), driver });
        Wait { since, shared: Arc::clone(&self.0) }
    }

    /// Returns the time, in [`LOOK`]s.
    pub(super) fn now(&self) -> u64 {
        self.0.now()
    }
}

/// Since when a connection waits for an answer.
pub(super) struct Wait {
    /// The look at which the wait began, and one; zero while nothing is waited for.
    since: Arc<AtomicU64>,
    shared: Arc<Shared>,
}

impl Wait {
    pub(super) fn begin(&self) {
        self.since.store(self.shared.now() + 1, Ordering::Relaxed);
    }

    pub(super) fn end(&self) {
        self.since.store(0, Ordering::Relaxed);
    }
}

impl Shared {
    fn now(&self) -> u64 {
        self.now.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Watched>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self) {
        let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
        self.lock().retain(|watched| {
            let since = watched.since.load(Ordering::Relaxed);
            let overdue = since > 0 && now - (since - 1) > self.most;
            if overdue {
                tracing::error!("postgres does not answer; the connection is closed");
                watched.driver.abort();
            }
            !overdue && !watched.driver.is_finished()
        });
    }
}

/// Looks until the pool is gone.
fn look(shared: &Weak<Shared>) {
    loop {
        thread::sleep(LOOK);
        let Some(shared) = shared.upgrade() else { return };
        shared.look();
    }
}

/// As many looks as lie in a time, and the one that is under way.
pub(super) fn looks(time: Duration) -> u64 {
    u64::try_from(time.as_millis().div_ceil(LOOK.as_millis())).unwrap_or(u64::MAX)
}

/// What a wait may be longer than the patience.
const LOOK: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test]
    async fn a_wait_is_overdue_only_while_it_lasts() {
        let watch = Watch::new(LOOK * 3);
        let driver = tokio::spawn(pending::<()>());
        let wait = watch.over(driver.abort_handle());
        let look = |times| (0..times).for_each(|_| watch.0.look());
        look(20);
        wait.begin();
        look(3);
        wait.end();
        look(20);
        wait.begin();
        look(3);
        tokio::task::yield_now().await;
        assert!(!driver.is_finished(), "it waits for as long as it may");
        look(1);
        assert!(driver.await.unwrap_err().is_cancelled());
        assert!(watch.0.lock().is_empty());
    }

    #[tokio::test]
    async fn a_connection_that_ended_is_watched_no_more() {
        let watch = Watch::new(Duration::from_secs(60));
        let driver = tokio::spawn(async {});
        let _wait = watch.over(driver.abort_handle());
        driver.await.unwrap();
        watch.0.look();
        assert!(watch.0.lock().is_empty());
    }

    #[test]
    fn the_thread_ends_with_the_pool() {
        let watch = Watch::new(Duration::from_secs(60));
        let shared = Arc::downgrade(&watch.0);
        let thread = thread::spawn(move || look(&shared));
        drop(watch);
        thread.join().unwrap();
    }
}
