//! Several statements that happen all or not at all.

use std::{
    fmt,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Mutex, MutexGuard},
    time::{Instant, sleep, timeout_at},
};

use crate::{
    Db, Engine, Error, ErrorKind, Result, Statement,
    db::{Backend, Decode},
    postgres, sqlite,
};

impl Db {
    /// Runs the closure in a write transaction: commits if it returns `Ok`, rolls back if it returns `Err`, panics, or
    /// is cancelled with its request.
    ///
    /// After a statement of it failed, the transaction can only be rolled back, on both engines: the statements that
    /// follow fail with [`ErrorKind::Closed`], and if the closure returns `Ok` nevertheless, the first error is
    /// returned in its place. [`Transaction::transaction`] makes a part of it that may fail alone.
    ///
    /// On SQLite it starts with `BEGIN IMMEDIATE` and holds the only writer: await nothing slow in it. After
    /// [`Options::transaction_timeout`](crate::Options::transaction_timeout) it is rolled back.
    ///
    /// # Examples
    /// The closure may borrow, and the future is `Send`, as a web framework's handler asks:
    ///
    /// ```
    /// use haechi_db::{Db, Result, sql};
    ///
    /// async fn move_money(db: &Db, from: &str, to: &str, amount: i64) -> Result<()> {
    ///     db.transaction(async |tx| {
    ///         sql!("update account set balance = balance - {amount} where name = {from}").execute(&tx).await?;
    ///         sql!("update account set balance = balance + {amount} where name = {to}").execute(&tx).await?;
    ///         Ok(())
    ///     })
    ///     .await
    /// }
    ///
    /// fn handler(future: impl Future<Output = Result<()>> + Send) {}
    /// fn call(db: &Db) {
    ///     handler(move_money(db, "ann", "bob", 5));
    /// }
    /// ```
    ///
    /// # Errors
    /// Returns the error of the closure, of the first statement that failed, or of the commit.
    ///
    /// # Cancel safety
    /// Dropping the future rolls back before the next statement runs on that connection. If the commit was sent
    /// already, it may have taken place.
    pub async fn transaction<T, F, W>(&self, work: F) -> Result<T>
    where
        F: FnOnce(Transaction) -> W,
        W: Future<Output = Result<T>>,
    {
        // The handle is passed by value: with `&mut Transaction` the bound would hold for every lifetime, and then the
        // compiler cannot prove that a future which borrows is `Send` (rust-lang/rust#110338).
        let owner = self.begin().await?;
        let outcome = match timeout_at(owner.0.deadline, work(owner.handle())).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::new(ErrorKind::Timeout)),
        };
        owner.finish(outcome).await
    }

    /// Runs the closure as [`Db::transaction`] does, and again, at most three times in all, if another transaction was in
    /// the way ([`ErrorKind::Conflict`]).
    ///
    /// Only for closures that change nothing but the database: a mail that was sent is sent again.
    ///
    /// # Errors
    /// Returns the error of the last attempt.
    pub async fn transaction_retrying<T, F, W>(&self, mut work: F) -> Result<T>
    where
        F: FnMut(Transaction) -> W,
        W: Future<Output = Result<T>>,
    {
        let mut attempt = 1;
        loop {
            match self.transaction(&mut work).await {
                Err(error) if error.is_conflict() && attempt < ATTEMPTS => sleep(pause(attempt)).await,
                outcome => return outcome,
            }
            attempt += 1;
        }
    }

    async fn begin(&self) -> Result<Owner> {
        let (open, cap) = match &*self.0 {
            Backend::Sqlite(sqlite) => {
                (Open::Sqlite(sqlite.begin().await?), sqlite.options().transaction_timeout)
            }
            Backend::Postgres(postgres) => {
                (Open::Postgres(Box::new(postgres.begin().await?)), postgres.options().transaction_timeout)
            }
        };
        let state = State { open: Some(open), failure: None, current: WHOLE, last: WHOLE };
        Ok(Owner(Arc::new(Shared {
            state: Mutex::new(state),
            closed: AtomicBool::new(false),
            engine: self.engine(),
            deadline: Instant::now() + cap,
        })))
    }
}

/// A transaction, inside the closure of [`Db::transaction`]; statements run on `&tx`, one after another.
///
/// One that is kept beyond the closure is closed: its statements fail with [`ErrorKind::Closed`].
pub struct Transaction {
    shared: Arc<Shared>,
    part: u64,
}

impl Transaction {
    /// Returns which engine stands behind.
    pub fn engine(&self) -> Engine {
        self.shared.engine
    }

    /// Runs the closure as a part of this transaction that may fail alone (a savepoint): what it did is undone if it
    /// returns `Err`, and kept with the whole transaction if it returns `Ok`.
    ///
    /// While it runs, statements of the outer transaction fail with [`ErrorKind::Closed`], for they would be undone
    /// with it.
    ///
    /// # Errors
    /// Returns the error of the closure or of the first statement that failed in it; the outer transaction goes on.
    ///
    /// # Cancel safety
    /// Dropping the future before its end rolls the whole transaction back.
    pub async fn transaction<T, F, W>(&self, work: F) -> Result<T>
    where
        F: FnOnce(Transaction) -> W,
        W: Future<Output = Result<T>>,
    {
        let part = self.set_savepoint().await?;
        let unfinished = Unfinished(Some(&self.shared));
        let inner = Transaction { shared: Arc::clone(&self.shared), part };
        let outcome = work(inner).await;
        let outcome = self.end_savepoint(part, outcome).await;
        unfinished.defuse();
        outcome
    }

    async fn set_savepoint(&self) -> Result<u64> {
        let mut turn = self.enter(self.part).await?;
        let outcome = turn.control("SAVEPOINT haechi").await;
        turn.note(outcome)?;
        turn.last += 1;
        turn.current = turn.last;
        Ok(turn.current)
    }

    async fn end_savepoint<T>(&self, part: u64, outcome: Result<T>) -> Result<T> {
        let mut turn = self.shared.enter().await;
        if turn.current != part {
            return Err(Error::new(ErrorKind::Closed));
        }
        let outcome = match (outcome, turn.failure.take()) {
            (Ok(value), None) => {
                let released = turn.control("RELEASE haechi").await;
                turn.note(released).map(|()| value)
            }
            (Ok(_), Some(error)) | (Err(error), _) => {
                // If SQLite has rolled back everything on its own, this fails, and so does all that follows.
                let undone = match turn.control("ROLLBACK TO haechi").await {
                    Ok(()) => turn.control("RELEASE haechi").await,
                    failed => failed,
                };
                turn.note(undone)?;
                Err(error)
            }
        };
        turn.current = self.part;
        outcome
    }

    pub(crate) async fn fetch<T: Send + 'static>(
        &self,
        statement: Statement,
        decode: Decode<T>,
    ) -> Result<Vec<T>> {
        statement.validate()?;
        let mut turn = self.enter(self.part).await?;
        let left = self.shared.left();
        let outcome = match turn.open()? {
            Open::Sqlite(transaction) => transaction.fetch(statement, decode, left).await,
            Open::Postgres(lease) => lease.fetch(&statement, decode).await,
        };
        turn.note(outcome)
    }

    pub(crate) async fn run(&self, statement: Statement) -> Result<u64> {
        statement.validate()?;
        let mut turn = self.enter(self.part).await?;
        let left = self.shared.left();
        let outcome = match turn.open()? {
            Open::Sqlite(transaction) => transaction.execute(statement, left).await,
            Open::Postgres(lease) => lease.execute(&statement).await,
        };
        turn.note(outcome)
    }

    async fn enter(&self, part: u64) -> Result<Turn<'_>> {
        let turn = self.shared.enter().await;
        let usable = turn.current == part && turn.failure.is_none();
        if usable { Ok(turn) } else { Err(Error::new(ErrorKind::Closed)) }
    }
}

/// The one that commits. Dropped before, it rolls back, even if the closure let its handle escape.
struct Owner(Arc<Shared>);

impl Owner {
    fn handle(&self) -> Transaction {
        Transaction { shared: Arc::clone(&self.0), part: WHOLE }
    }

    async fn finish<T>(self, outcome: Result<T>) -> Result<T> {
        let mut turn = self.0.enter().await;
        let (open, failure, whole) = (turn.open.take(), turn.failure.take(), turn.current == WHOLE);
        drop(turn);
        match (outcome, failure, open) {
            (Ok(value), None, Some(open)) if whole => open.commit().await.map(|()| value),
            (outcome, failure, open) => {
                if let Some(open) = open {
                    open.roll_back().await;
                }
                Err(outcome.err().or(failure).unwrap_or_else(|| Error::new(ErrorKind::Closed)))
            }
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Closes the transaction if a part of it was cancelled: there is no telling what was done, and no awaiting in `drop`.
struct Unfinished<'a>(Option<&'a Shared>);

impl Unfinished<'_> {
    fn defuse(mut self) {
        self.0 = None;
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if let Some(shared) = self.0 {
            shared.close();
        }
    }
}

struct Shared {
    state: Mutex<State>,
    closed: AtomicBool,
    engine: Engine,
    deadline: Instant,
}

struct State {
    open: Option<Open>,
    failure: Option<Error>,
    /// Whose statements may run: the whole transaction's, or those of the innermost part.
    current: u64,
    last: u64,
}

impl Shared {
    async fn enter(&self) -> Turn<'_> {
        Turn { shared: self, state: Some(self.state.lock().await) }
    }

    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.sweep();
    }

    /// Rolls back what is closed. Whoever has the turn meanwhile sweeps when it ends.
    fn sweep(&self) {
        if self.closed.load(Ordering::SeqCst)
            && let Ok(mut state) = self.state.try_lock()
        {
            drop(state.open.take());
        }
    }
}

impl State {
    fn open(&mut self) -> Result<&mut Open> {
        self.open.as_mut().ok_or_else(|| Error::new(ErrorKind::Closed))
    }

    async fn control(&mut self, text: &'static str) -> Result<()> {
        match self.open()? {
            Open::Sqlite(transaction) => transaction.control(text).await,
            Open::Postgres(lease) => lease.control(text).await,
        }
    }

    /// PostgreSQL answers a `COMMIT` after an error with a silent `ROLLBACK`, SQLite may have rolled back already and
    /// would go on without a transaction: the first error must not be forgotten.
    fn note<T>(&mut self, outcome: Result<T>) -> Result<T> {
        if let Err(error) = &outcome
            && !error.is_validation()
        {
            self.failure = Some(error.clone());
        }
        outcome
    }
}

/// The right to run the next statement.
struct Turn<'a> {
    shared: &'a Shared,
    state: Option<MutexGuard<'a, State>>,
}

impl std::ops::Deref for Turn<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        self.state.as_ref().expect("the guard leaves only in `drop`")
    }
}

impl std::ops::DerefMut for Turn<'_> {
    fn deref_mut(&mut self) -> &mut State {
        self.state.as_mut().expect("the guard leaves only in `drop`")
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        drop(self.state.take());
        self.shared.sweep();
    }
}

/// Each rolls back when it is dropped.
enum Open {
    Sqlite(sqlite::Transaction),
    Postgres(Box<postgres::Lease>),
}

impl Open {
    async fn commit(self) -> Result<()> {
        match self {
            Open::Sqlite(transaction) => transaction.commit().await,
            Open::Postgres(lease) => lease.commit().await,
        }
    }

    /// Waits for the end of the rollback; a connection on which it fails is not used again.
    async fn roll_back(self) {
        match self {
            Open::Sqlite(transaction) => transaction.roll_back().await,
            Open::Postgres(lease) => lease.roll_back().await,
        }
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").field("engine", &self.shared.engine).finish_non_exhaustive()
    }
}

/// Grows with the attempt, and differs between callers so that they do not meet again.
fn pause(attempt: u32) -> Duration {
    let jitter = uuid::Uuid::new_v4().as_bytes()[0];
    Duration::from_millis(u64::from(attempt) * 10 + u64::from(jitter % 32))
}

const ATTEMPTS: u32 = 3;

/// The part that is the whole transaction.
const WHOLE: u64 = 0;
