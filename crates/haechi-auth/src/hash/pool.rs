//! Threads of their own for password hashes, as many as there are arenas, with a bounded queue.

use std::collections::VecDeque;
use std::fmt;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::Arena;
use crate::Error;

/// How many hashes run at once and how many may wait.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PoolSize {
    /// Threads, each with one kept arena of 19 MiB.
    pub threads: NonZeroUsize,
    /// Hashes that wait for a thread; the next one is refused.
    pub queue: usize,
}

impl Default for PoolSize {
    /// One thread a core, 64 waiting a thread: at 14 ms a hash the last one waits for about a second.
    fn default() -> Self {
        let threads = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self { threads, queue: threads.get().saturating_mul(64) }
    }
}

/// No thread is free and the queue is full: answer 503 with `Retry-After`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("all password threads are busy and the queue is full; try again in {} s", .retry_after.as_secs())]
pub struct Busy {
    /// When the queue will have drained, at least a second.
    pub retry_after: Duration,
}

/// Runs password hashes without holding up the threads that serve requests.
///
/// The threads bound the memory (one arena each) and the concurrency of a login flood; the queue bounds the
/// wait. Work whose asker has gone away is dropped unrun.
#[derive(Clone)]
pub struct HashPool {
    owner: Arc<Owner>,
}

impl HashPool {
    /// Starts the threads.
    ///
    /// # Errors
    /// Fails if the operating system gives no thread.
    pub fn new(size: PoolSize) -> Result<Self, Error> {
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            signal: Condvar::new(),
            last_micros: AtomicU64::new(ASSUMED_MICROS),
        });
        let owner = Arc::new(Owner { shared: Arc::clone(&shared), size });
        for number in 0..size.threads.get() {
            let shared = Arc::clone(&shared);
            thread::Builder::new()
                .name(format!("haechi-hash-{number}"))
                .spawn(move || serve(&shared))
                .map_err(Error::Threads)?;
        }
        Ok(Self { owner })
    }

    /// Runs `work` on one of the threads.
    ///
    /// # Errors
    /// [`Error::Busy`] if the queue is full; [`Error::HashPanicked`] if `work` panicked.
    ///
    /// # Cancel safety
    /// Dropping the future drops the work, unless a thread has begun it.
    pub async fn run<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Arena) -> T + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |arena| {
            if answer.is_closed() {
                return;
            }
            let result = catch_unwind(AssertUnwindSafe(|| work(arena)));
            // An asker that left in the meantime is nobody to tell.
            drop(answer.send(result.map_err(|_| Error::HashPanicked)));
        });
        self.push(job)?;
        answered.await.unwrap_or(Err(Error::HashPanicked))
    }

    fn push(&self, job: Job) -> Result<(), Busy> {
        let Owner { shared, size } = &*self.owner;
        let mut queue = shared.lock();
        if queue.jobs.len() >= size.queue.saturating_add(queue.idle) {
            let waiting = u64::try_from(queue.jobs.len()).unwrap_or(u64::MAX);
            let threads = u64::try_from(size.threads.get()).unwrap_or(1);
            let micros = shared.last_micros.load(Ordering::Relaxed).saturating_mul(waiting) / threads;
            return Err(Busy { retry_after: Duration::from_secs(micros / 1_000_000 + 1) });
        }
        queue.jobs.push_back(job);
        drop(queue);
        shared.signal.notify_one();
        Ok(())
    }
}

impl fmt::Debug for HashPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashPool").field("size", &self.owner.size).finish_non_exhaustive()
    }
}

type Job = Box<dyn FnOnce(&mut Arena) + Send>;

/// The last handle closes the queue; the threads end after their present hash.
struct Owner {
    shared: Arc<Shared>,
    size: PoolSize,
}

impl Drop for Owner {
    fn drop(&mut self) {
        let mut queue = self.shared.lock();
        queue.closed = true;
        queue.jobs.clear();
        drop(queue);
        self.shared.signal.notify_all();
    }
}

struct Shared {
    queue: Mutex<Queue>,
    signal: Condvar,
    last_micros: AtomicU64,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    idle: usize,
    closed: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        // No job runs under the lock, so a poisoned queue is a whole queue.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Option<Job> {
        let mut queue = self.lock();
        loop {
            if queue.closed {
                return None;
            }
            if let Some(job) = queue.jobs.pop_front() {
                return Some(job);
            }
            queue.idle += 1;
            queue = self.signal.wait(queue).unwrap_or_else(PoisonError::into_inner);
            queue.idle -= 1;
        }
    }
}

fn serve(shared: &Shared) {
    let mut arena = Arena::default();
    while let Some(job) = shared.next() {
        let began = Instant::now();
        job(&mut arena);
        let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        shared.last_micros.store(micros.max(1), Ordering::Relaxed);
    }
}

const ASSUMED_MICROS: u64 = 25_000;

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};

    use super::*;

    fn pool(threads: usize, queue: usize) -> HashPool {
        HashPool::new(PoolSize { threads: NonZeroUsize::new(threads).unwrap(), queue }).unwrap()
    }

    /// Puts in a job that tells when it begins, and ends when the other end is dropped.
    fn blocked(pool: &HashPool) -> (Receiver<()>, Sender<()>) {
        let ((begun, begins), (release, released)) = (channel(), channel());
        let job: Job = Box::new(move |_| {
            if begun.send(()).is_ok() {
                assert!(released.recv().is_err());
            }
        });
        pool.push(job).unwrap();
        (begins, release)
    }

    #[test]
    fn who_is_refused_is_told_when_the_queue_will_have_drained() {
        let pool = pool(2, 5);
        let working = [blocked(&pool), blocked(&pool)];
        for (begins, _) in &working {
            begins.recv().unwrap();
        }
        let _waiting: Vec<_> = (0..5).map(|_| blocked(&pool)).collect();
        // Five hashes on two threads, and a second more.
        for (micros, seconds) in [(1, 1), (3_000_000, 8), (3_999_999, 10), (4_000_000, 11)] {
            pool.owner.shared.last_micros.store(micros, Ordering::Relaxed);
            let refused = pool.push(Box::new(|_| ()));
            assert_eq!(refused, Err(Busy { retry_after: Duration::from_secs(seconds) }), "{micros}");
        }
    }

    /// The queue takes one more for each idle thread: one that works must not count.
    #[test]
    fn a_thread_that_works_is_not_idle() {
        let pool = pool(1, 1);
        for _ in 0..3 {
            while pool.owner.shared.lock().idle == 0 {
                thread::yield_now();
            }
            let (begins, _release) = blocked(&pool);
            begins.recv().unwrap();
            assert_eq!(pool.owner.shared.lock().idle, 0);
        }
    }

    #[test]
    fn the_threads_end_with_the_last_handle() {
        thread_local!(static ALIVE: RefCell<Option<Sender<()>>> = const { RefCell::new(None) });
        let (pool, (alive, ended)) = (pool(1, 2), channel());
        pool.push(Box::new(move |_| ALIVE.set(Some(alive)))).unwrap();
        let other = pool.clone();
        drop(pool);
        let (begins, release) = blocked(&other);
        begins.recv().unwrap();
        drop((other, release));
        assert_eq!(ended.recv_timeout(Duration::from_secs(10)), Err(RecvTimeoutError::Disconnected));
    }
}
