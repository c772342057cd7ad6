//! The connections that read.

use std::{
    collections::HashSet,
    num::NonZero,
    ops::Deref,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use futures_util::stream::{self, BoxStream, StreamExt as _};
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
    time::timeout,
};

use super::connection::{Connection, Deadline};
use crate::{
    Error, ErrorKind, Options, Result, Statement,
    db::Decode,
    queue::{Queue, Turn},
};

/// Two lanes: short reads on the thread that asks, long ones on blocking threads.
pub(super) struct Readers {
    /// Nobody waits for one: a fast connection is never held across an await, so that one is idle for each thread.
    fast: Idle,
    slow: Lane,
    long: LongTexts,
    inline: Duration,
    budget: Duration,
}

impl Readers {
    pub(super) fn open(path: &Path, options: &Options) -> Result<Readers> {
        let threads = thread::available_parallelism().map_or(1, NonZero::get).min(MOST_FAST);
        Ok(Readers {
            fast: Idle::open(path, threads, options)?,
            slow: Lane::open(path, options.readers.max(1), options)?,
            long: LongTexts::default(),
            inline: options.inline,
            budget: options.statement_timeout,
        })
    }

    /// Reads on this thread, or returns nothing if that would take long.
    pub(super) fn short<T>(
        &self,
        statement: &Statement,
        read: impl FnOnce(&Connection, Duration) -> Result<T>,
    ) -> Option<Result<T>> {
        if self.inline.is_zero() || self.long.contains(statement.text()) {
            return None;
        }
        let connection = Taken::from(&self.fast)?;
        match read(connection.get(), self.inline) {
            Err(error) if *error.kind() == ErrorKind::Timeout => {
                self.long.add(statement.text());
                None
            }
            outcome => Some(outcome),
        }
    }

    pub(super) async fn fetch_long<T: Send + 'static>(
        &self,
        statement: Statement,
        decode: Decode<T>,
    ) -> Result<Vec<T>> {
        let connection = self.slow.take().await?;
        let (answer, outcome) = oneshot::channel();
        let watch = Watch::new(&connection);
        let alive = Arc::clone(&watch.alive);
        let (budget, inline, long) = (self.budget, self.inline, self.long.clone());
        tokio::task::spawn_blocking(move || {
            let started = Instant::now();
            let rows = connection.get().fetch(&statement, decode, budget);
            finish(&alive, connection);
            if rows.is_ok() && started.elapsed() < inline / 2 {
                long.remove(statement.text());
            }
            drop(answer.send(rows));
        });
        let rows = outcome.await.map_err(|_| Error::new(ErrorKind::Closed))?;
        drop(watch);
        rows
    }

    /// Reads in chunks on a blocking thread, which waits when the caller does not keep up.
    pub(super) async fn stream<T: Send + 'static>(
        &self,
        statement: Statement,
        decode: Decode<T>,
    ) -> Result<BoxStream<'static, Result<T>>> {
        let connection = self.slow.take().await?;
        let (chunks, next) = mpsc::channel::<Result<Vec<T>>>(CHUNKS_AHEAD);
        let (budget, handle) = (self.budget, Handle::current());
        tokio::task::spawn_blocking(move || {
            let send = |chunk| match handle.block_on(timeout(budget, chunks.send(chunk))) {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) => Err(Error::new(ErrorKind::Closed)),
                Err(_) => Err(Error::new(ErrorKind::Timeout)),
            };
            let mut chunk = Vec::with_capacity(CHUNK);
            let outcome = connection.get().each(&statement, budget, |row| {
                chunk.push(decode(row)?);
                if chunk.len() < CHUNK {
                    return Ok(());
                }
                send(Ok(std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK))))?;
                connection.get().deadline().set(budget);
                Ok(())
            });
            drop(outcome.and_then(|()| send(Ok(chunk))).or_else(|error| send(Err(error))));
        });
        let chunks = stream::unfold(next, |mut next| async move { Some((next.recv().await?, next)) });
        let rows = chunks.flat_map(|chunk| match chunk {
            Ok(rows) => stream::iter(rows.into_iter().map(Ok).collect::<Vec<_>>()),
            Err(error) => stream::iter(vec![Err(error)]),
        });
        Ok(rows.boxed())
    }
}

/// Some connections and the line before them.
struct Lane {
    queue: Queue,
    idle: Arc<Idle>,
}

impl Lane {
    fn open(path: &Path, count: usize, options: &Options) -> Result<Lane> {
        let queue = Queue::new(count, options.queue, options.wait_timeout);
        Ok(Lane { queue, idle: Arc::new(Idle::open(path, count, options)?) })
    }

    async fn take(&self) -> Result<InTurn> {
        let turn = self.queue.enter().await?;
        let taken = Taken::from(Arc::clone(&self.idle)).ok_or_else(|| Error::new(ErrorKind::Closed))?;
        Ok(InTurn { taken, _turn: turn })
    }
}

/// Connections that nobody uses.
#[expect(clippy::vec_box, reason = "a connection is large, and moves between here and its users")]
struct Idle(Mutex<Vec<Box<Connection>>>);

impl Idle {
    fn open(path: &Path, count: usize, options: &Options) -> Result<Idle> {
        let connections = (0..count).map(|_| Connection::reader(path, options).map(Box::new));
        Ok(Idle(Mutex::new(connections.collect::<Result<_>>()?)))
    }

    #[expect(clippy::vec_box, reason = "as above")]
    fn lock(&self) -> MutexGuard<'_, Vec<Box<Connection>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that goes back where it was taken from when it is dropped.
struct Taken<I: Deref<Target = Idle>> {
    connection: Option<Box<Connection>>,
    idle: I,
}

impl<I: Deref<Target = Idle>> Taken<I> {
    fn from(idle: I) -> Option<Taken<I>> {
        let connection = Some(idle.lock().pop()?);
        Some(Taken { connection, idle })
    }

    fn get(&self) -> &Connection {
        self.connection.as_ref().expect("the connection leaves only in `drop`")
    }
}

impl<I: Deref<Target = Idle>> Drop for Taken<I> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.idle.lock().push(connection);
        }
    }
}

/// A connection whose return ends a turn: fields are dropped in this order.
struct InTurn {
    taken: Taken<Arc<Idle>>,
    _turn: Turn,
}

impl InTurn {
    fn get(&self) -> &Connection {
        self.taken.get()
    }
}

/// Interrupts a long read when its caller is cancelled, unless the connection serves the next one already.
struct Watch {
    deadline: Deadline,
    alive: Arc<Mutex<bool>>,
}

impl Watch {
    fn new(connection: &InTurn) -> Watch {
        Watch { deadline: connection.get().deadline().clone(), alive: Arc::new(Mutex::new(true)) }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if *self.alive.lock().unwrap_or_else(PoisonError::into_inner) {
            self.deadline.expire();
        }
    }
}

/// Gives the connection back under the lock, so that a cancelled caller cannot interrupt the next one.
fn finish(alive: &Mutex<bool>, connection: InTurn) {
    let mut alive = alive.lock().unwrap_or_else(PoisonError::into_inner);
    *alive = false;
    drop(connection);
}

/// The texts that were too slow to run inline when they ran last.
#[derive(Clone, Default)]
struct LongTexts {
    count: Arc<AtomicUsize>,
    texts: Arc<RwLock<HashSet<String>>>,
}

impl LongTexts {
    fn contains(&self, text: &str) -> bool {
        self.count.load(Ordering::Relaxed) > 0
            && self.texts.read().unwrap_or_else(PoisonError::into_inner).contains(text)
    }

    fn add(&self, text: &str) {
        self.change(|texts| {
            if texts.len() < MOST_LONG {
                texts.insert(text.to_owned());
            }
        });
    }

    fn remove(&self, text: &str) {
        self.change(|texts| {
            texts.remove(text);
        });
    }

    fn change(&self, change: impl FnOnce(&mut HashSet<String>)) {
        let mut texts = self.texts.write().unwrap_or_else(PoisonError::into_inner);
        change(&mut texts);
        self.count.store(texts.len(), Ordering::Relaxed);
    }
}

const MOST_FAST: usize = 16;
const MOST_LONG: usize = 1024;
const CHUNK: usize = 256;
const CHUNKS_AHEAD: usize = 2;
