//! The one connection that writes, on a thread of its own.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use tokio::sync::oneshot;

use super::connection::{Connection, Deadline};
use crate::{
    Error, ErrorKind, Options, Result, Statement,
    db::Decode,
    queue::{Queue, Turn},
};

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// The writer. Callers stand in one fair line, so that SQLite itself never has to say "busy".
pub(crate) struct Writer {
    jobs: mpsc::Sender<Job>,
    queue: Queue,
    deadline: Deadline,
    statement_timeout: Duration,
}

impl Writer {
    pub(super) fn start(mut connection: Connection, options: &Options) -> Result<Writer> {
        let (jobs, next) = mpsc::channel::<Job>();
        let deadline = connection.deadline().clone();
        let work = move || {
            for job in next {
                // A panic in a job must not take the only writer with it, nor leave its transaction open.
                if catch_unwind(AssertUnwindSafe(|| job(&mut connection))).is_err() {
                    connection.roll_back();
                }
            }
        };
        thread::Builder::new().name("haechi-db-write".to_owned()).spawn(work).map_err(|_| {
            Error::new(ErrorKind::Configuration("the thread of the writer cannot be started"))
        })?;
        let queue = Queue::new(1, options.queue, options.wait_timeout);
        Ok(Writer { jobs, queue, deadline, statement_timeout: options.statement_timeout })
    }

    /// Waits in line, then runs the job. The turn ends with the job, not with the caller, who may be cancelled.
    pub(super) async fn turn<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let turn = self.queue.enter().await?;
        let (answer, outcome) = oneshot::channel();
        self.send(move |connection| {
            let done = if answer.is_closed() { Err(Error::new(ErrorKind::Closed)) } else { job(connection) };
            drop(turn);
            // The caller may have gone: then nobody waits for the answer.
            drop(answer.send(done));
        })?;
        outcome.await.map_err(|_| Error::new(ErrorKind::Closed))?
    }

    fn send(&self, job: impl FnOnce(&mut Connection) + Send + 'static) -> Result<()> {
        self.jobs.send(Box::new(job)).map_err(|_| Error::new(ErrorKind::Closed))
    }
}

/// A transaction on the writer. It holds the turn, and rolls back when it is dropped.
pub(crate) struct Transaction {
    writer: Arc<Writer>,
    turn: Option<Turn>,
}

impl Transaction {
    pub(super) async fn begin(writer: &Arc<Writer>) -> Result<Transaction> {
        let turn = writer.queue.enter().await?;
        let transaction = Transaction { writer: Arc::clone(writer), turn: Some(turn) };
        transaction.run(|connection| connection.control("BEGIN IMMEDIATE")).await?;
        Ok(transaction)
    }

    pub(crate) async fn fetch<T: Send + 'static>(
        &self,
        statement: Statement,
        decode: Decode<T>,
        left: Duration,
    ) -> Result<Vec<T>> {
        let budget = left.min(self.writer.statement_timeout);
        self.run(move |connection| inside(connection)?.fetch(&statement, decode, budget)).await
    }

    pub(crate) async fn execute(&self, statement: Statement, left: Duration) -> Result<u64> {
        let budget = left.min(self.writer.statement_timeout);
        self.run(move |connection| inside(connection)?.execute(&statement, budget)).await
    }

    pub(crate) async fn control(&self, text: &'static str) -> Result<()> {
        self.run(move |connection| inside(connection)?.control(text)).await
    }

    pub(crate) async fn commit(mut self) -> Result<()> {
        let turn = self.turn.take();
        let (answer, outcome) = oneshot::channel();
        self.writer.send(move |connection| {
            let done = inside(connection).and_then(|connection| connection.end("COMMIT"));
            drop(turn);
            drop(answer.send(done));
        })?;
        outcome.await.map_err(|_| Error::new(ErrorKind::Closed))?
    }

    pub(crate) async fn roll_back(self) {
        let (done, rolled_back) = oneshot::channel::<()>();
        let sent = self.writer.send(move |connection| {
            connection.roll_back();
            drop(done);
        });
        if sent.is_ok() {
            // The sender is dropped when the job is done: that is the signal.
            drop(rolled_back.await);
        }
    }

    /// Runs a job in this turn. If the caller goes away meanwhile, what runs is interrupted: nobody else can be on
    /// the connection, since the turn is still held here.
    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, outcome) = oneshot::channel();
        self.writer.send(move |connection| {
            if !answer.is_closed() {
                drop(answer.send(job(connection)));
            }
        })?;
        let mut interrupt = Interrupt(Some(&self.writer.deadline));
        let outcome = outcome.await.map_err(|_| Error::new(ErrorKind::Closed))?;
        interrupt.0 = None;
        outcome
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if let Some(turn) = self.turn.take() {
            let rolled_back = self.writer.send(move |connection| {
                connection.roll_back();
                drop(turn);
            });
            if rolled_back.is_err() {
                tracing::error!("the writer is gone; its transaction ended with it");
            }
        }
    }
}

/// Statements must never run outside of the transaction they were written for: after some errors SQLite rolls back on
/// its own, and would then commit each following statement by itself.
fn inside(connection: &mut Connection) -> Result<&mut Connection> {
    if connection.in_transaction() { Ok(connection) } else { Err(Error::new(ErrorKind::Closed)) }
}

/// Interrupts the statement that runs when its caller is cancelled.
struct Interrupt<'a>(Option<&'a Deadline>);

impl Drop for Interrupt<'_> {
    fn drop(&mut self) {
        if let Some(deadline) = self.0 {
            deadline.expire();
        }
    }
}
