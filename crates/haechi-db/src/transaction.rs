//! Several statements that happen all or not at all.

use std::{fmt, time::Duration};

use tokio::time::{Instant, sleep, timeout_at};

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
    /// returned in its place.
    ///
    /// On SQLite it starts with `BEGIN IMMEDIATE` and holds the only writer: await nothing slow in it. After
    /// [`Options::transaction_timeout`](crate::Options::transaction_timeout) it is rolled back.
    ///
    /// # Errors
    /// Returns the error of the closure, of the first statement that failed, or of the commit.
    ///
    /// # Cancel safety
    /// Dropping the future rolls back before the next statement runs on that connection. If the commit was sent
    /// already, it may have taken place.
    pub async fn transaction<T, F>(&self, work: F) -> Result<T>
    where
        F: AsyncFnOnce(&mut Transaction) -> Result<T>,
    {
        let mut transaction = self.begin().await?;
        let outcome = timeout_at(transaction.deadline, work(&mut transaction)).await;
        transaction.end(outcome.unwrap_or_else(|_| Err(Error::new(ErrorKind::Timeout)))).await
    }

    /// Runs the closure as [`Db::transaction`] does, and again, at most three times in all, if another transaction was in
    /// the way ([`ErrorKind::Conflict`]).
    ///
    /// Only for closures that change nothing but the database: a mail that was sent is sent again.
    ///
    /// The compiler cannot prove that the future is `Send` if the closure borrows from the arguments of the function
    /// around it; [`Attempts`] does the same there, around [`Db::transaction`].
    ///
    /// # Errors
    /// Returns the error of the last attempt.
    pub async fn transaction_retrying<T, F>(&self, mut work: F) -> Result<T>
    where
        F: AsyncFnMut(&mut Transaction) -> Result<T>,
    {
        let mut attempts = Attempts::default();
        loop {
            let mut transaction = self.begin().await?;
            let outcome = timeout_at(transaction.deadline, work(&mut transaction)).await;
            let outcome =
                transaction.end(outcome.unwrap_or_else(|_| Err(Error::new(ErrorKind::Timeout)))).await;
            if let Some(outcome) = attempts.ended(outcome).await {
                return outcome;
            }
        }
    }

    async fn begin(&self) -> Result<Transaction> {
        let (open, cap) = match &*self.0 {
            Backend::Sqlite(sqlite) => {
                (Open::Sqlite(sqlite.begin().await?), sqlite.options().transaction_timeout)
            }
            Backend::Postgres(postgres) => {
                (Open::Postgres(Box::new(postgres.begin().await?)), postgres.options().transaction_timeout)
            }
        };
        Ok(Transaction { open: Some(open), failure: None, deadline: Instant::now() + cap })
    }
}

/// A transaction, inside the closure of [`Db::transaction`].
pub struct Transaction {
    open: Option<Open>,
    failure: Option<Error>,
    deadline: Instant,
}

/// Each rolls back when it is dropped.
enum Open {
    Sqlite(sqlite::Transaction),
    Postgres(Box<postgres::Lease>),
}

impl Transaction {
    /// Returns which engine stands behind.
    pub fn engine(&self) -> Engine {
        match self.open {
            Some(Open::Postgres(_)) => Engine::Postgres,
            Some(Open::Sqlite(_)) | None => Engine::Sqlite,
        }
    }

    pub(crate) async fn fetch<T: Send + 'static>(
        &mut self,
        statement: Statement,
        decode: Decode<T>,
    ) -> Result<Vec<T>> {
        statement.validate()?;
        let left = self.deadline.saturating_duration_since(Instant::now());
        let outcome = match self.usable()? {
            Open::Sqlite(transaction) => transaction.fetch(statement, decode, left).await,
            Open::Postgres(lease) => lease.fetch(&statement, decode).await,
        };
        self.note(outcome)
    }

    pub(crate) async fn run(&mut self, statement: Statement) -> Result<u64> {
        statement.validate()?;
        let left = self.deadline.saturating_duration_since(Instant::now());
        let outcome = match self.usable()? {
            Open::Sqlite(transaction) => transaction.execute(statement, left).await,
            Open::Postgres(lease) => lease.execute(&statement).await,
        };
        self.note(outcome)
    }

    fn usable(&mut self) -> Result<&mut Open> {
        match (&mut self.open, &self.failure) {
            (Some(open), None) => Ok(open),
            _ => Err(Error::new(ErrorKind::Closed)),
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

    /// Commits what went well and rolls back what did not.
    async fn end<T>(mut self, outcome: Result<T>) -> Result<T> {
        match (outcome, self.failure.take()) {
            (Ok(value), None) => self.commit().await.map(|()| value),
            (Ok(_), Some(error)) | (Err(error), _) => {
                self.roll_back().await;
                Err(error)
            }
        }
    }

    async fn commit(mut self) -> Result<()> {
        match self.open.take() {
            Some(Open::Sqlite(transaction)) => transaction.commit().await,
            Some(Open::Postgres(lease)) => lease.commit().await,
            None => Err(Error::new(ErrorKind::Closed)),
        }
    }

    /// Waits for the end of the rollback; a connection on which it fails is not used again.
    async fn roll_back(mut self) {
        match self.open.take() {
            Some(Open::Sqlite(transaction)) => transaction.roll_back().await,
            Some(Open::Postgres(lease)) => lease.roll_back().await,
            None => {}
        }
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction")
            .field("open", &self.open.is_some())
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}

/// Counts the attempts at one transaction that another may be in the way of, and waits between them.
///
/// # Examples
///
/// ```
/// use haechi_db::{Attempts, Db, Result, sql};
///
/// async fn rename(db: &Db, id: i64, name: &str) -> Result<u64> {
///     let mut attempts = Attempts::default();
///     loop {
///         let outcome = db
///             .transaction(async |tx| {
///                 sql!("update item set name = {name} where id = {id}").execute(&mut *tx).await
///             })
///             .await;
///         if let Some(outcome) = attempts.ended(outcome).await {
///             return outcome;
///         }
///     }
/// }
/// ```
#[derive(Debug, Default)]
pub struct Attempts {
    made: u32,
}

impl Attempts {
    /// Returns the outcome if it is the last one; waits and returns `None` if another transaction was in the way
    /// ([`ErrorKind::Conflict`]) of the first or the second attempt.
    ///
    /// # Cancel safety
    /// Nothing is lost: the attempt was rolled back.
    pub async fn ended<T>(&mut self, outcome: Result<T>) -> Option<Result<T>> {
        self.made += 1;
        match outcome {
            Err(error) if error.is_conflict() && self.made < ATTEMPTS => {
                sleep(pause(self.made)).await;
                None
            }
            outcome => Some(outcome),
        }
    }
}

/// Grows with the attempt, and differs between callers so that they do not meet again.
fn pause(attempt: u32) -> Duration {
    let jitter = uuid::Uuid::new_v4().as_bytes()[0];
    Duration::from_millis(u64::from(attempt) * 10 + u64::from(jitter % 32))
}

const ATTEMPTS: u32 = 3;
