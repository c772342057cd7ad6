//! A connection for as long as one caller needs it.

use std::{sync::Arc, time::Duration};

use futures_util::TryStreamExt as _;
use tokio::{runtime::Handle, time::timeout};
use tokio_postgres::{Client, NoTls, RowStream};

use super::{
    address::Address,
    bind,
    failure::{self, translate},
    parameters,
    pool::{Connection, Shared},
    within,
};
use crate::{
    Error, Prepared, Result, Row, Statement, Value, db::Decode, describe::Unfit, queue::Turn,
    statement::Access,
};

/// A connection of the pool. It goes back when it is dropped; if a caller was cancelled in between, the server is told
/// to stop and the transaction is rolled back first.
pub(crate) struct Lease {
    held: Option<(Box<Connection>, Turn)>,
    pool: Arc<Shared>,
    state: State,
}

/// What the server may still be doing for this caller.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    Running,
    Transaction,
    RunningInTransaction,
}

impl State {
    fn started(self) -> State {
        match self {
            State::Idle | State::Running => State::Running,
            State::Transaction | State::RunningInTransaction => State::RunningInTransaction,
        }
    }

    fn ended(self) -> State {
        match self {
            State::Idle | State::Running => State::Idle,
            State::Transaction | State::RunningInTransaction => State::Transaction,
        }
    }
}

impl Lease {
    pub(super) fn new(connection: Box<Connection>, turn: Turn, pool: Arc<Shared>) -> Lease {
        Lease { held: Some((connection, turn)), pool, state: State::Idle }
    }

    fn connection(&mut self) -> &mut Connection {
        let (connection, _) = self.held.as_mut().expect("the connection leaves only in `drop`");
        connection
    }

    fn client(&mut self) -> &Client {
        &self.connection().client
    }

    async fn prepare(&mut self, text: &str) -> Result<tokio_postgres::Statement> {
        if let Some(known) = self.connection().prepared.find(text) {
            return Ok(known);
        }
        let prepared = Box::pin(self.parse(text)).await.map_err(|unfit| unfit.error)?;
        if self.pool.address.prepared == Prepared::Keep {
            self.connection().prepared.keep(text, prepared.clone());
        }
        Ok(prepared)
    }

    /// Lets the server read a statement as if it had never seen it: one that it keeps may be older than the schema.
    pub(super) async fn parse(&mut self, text: &str) -> Result<tokio_postgres::Statement, Unfit> {
        self.start();
        let outcome = self.client().prepare(text).await;
        self.settle();
        outcome.map_err(|error| failure::unfit(&error))
    }

    /// Starts a statement; [`settle`](Lease::settle) must follow when its answer has been read to the end.
    pub(super) async fn open(&mut self, statement: &Statement) -> Result<RowStream> {
        let prepared = self.prepare(statement.text()).await?;
        bind(statement, &prepared)?;
        self.start();
        let opened = self.client().query_raw(&prepared, parameters(statement)).await;
        opened.map_err(|error| self.fail(&error))
    }

    pub(crate) async fn fetch<T>(&mut self, statement: &Statement, decode: Decode<T>) -> Result<Vec<T>> {
        let mut decoded = Vec::new();
        let read = |row: &mut Row<'_>| {
            decoded.push(decode(row)?);
            Ok(())
        };
        self.each(statement, read).await?;
        Ok(decoded)
    }

    pub(super) async fn first<T>(&mut self, statement: &Statement, decode: Decode<T>) -> Result<Option<T>> {
        let mut first = None;
        let read = |row: &mut Row<'_>| {
            if first.is_none() {
                first = Some(decode(row)?);
            }
            Ok(())
        };
        self.each(statement, read).await?;
        Ok(first)
    }

    async fn each(
        &mut self,
        statement: &Statement,
        mut read: impl FnMut(&mut Row<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut rows = std::pin::pin!(self.open(statement).await?);
        let mut outcome = Ok(());
        loop {
            match rows.try_next().await {
                Ok(Some(row)) if outcome.is_ok() => outcome = read(&mut Row::of_postgres(&row)),
                // The server sends the rest nevertheless, and the connection is free only behind it.
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(error) => return Err(self.fail(&error)),
            }
        }
        self.settle();
        outcome
    }

    pub(crate) async fn execute(&mut self, statement: &Statement) -> Result<u64> {
        let mut rows = std::pin::pin!(self.open(statement).await?);
        loop {
            match rows.try_next().await {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(error) => return Err(self.fail(&error)),
            }
        }
        self.settle();
        Ok(rows.rows_affected().unwrap_or(0))
    }

    /// Asks whether a column of a table may hold nothing.
    pub(super) async fn nullable(&mut self, table: u32, column: i16) -> Result<Option<bool>> {
        let text = "select not attnotnull from pg_attribute where attrelid = $1 and attnum = $2";
        let values = vec![Value::Int(table.into()), Value::Int(column.into())];
        let answer =
            self.fetch(&Statement::from_const(text, values, Access::Read), |row| row.take(0)).await?;
        Ok(answer.first().copied())
    }

    /// Notes that the server was asked.
    fn start(&mut self) {
        self.state = self.state.started();
        self.connection().wait.begin();
    }

    /// Notes that the server has answered.
    pub(super) fn settle(&mut self) {
        self.state = self.state.ended();
        self.waits_no_more();
    }

    /// Leaves it to the caller how long the rest of the answer may take.
    pub(super) fn waits_no_more(&mut self) {
        self.connection().wait.end();
    }

    /// Notes that the server answered with an error.
    pub(super) fn fail(&mut self, error: &tokio_postgres::Error) -> Error {
        self.settle();
        let error = translate(error);
        if error.is_conflict() {
            self.connection().prepared.clear();
        }
        error
    }

    pub(super) async fn begin(&mut self) -> Result<()> {
        self.state = State::RunningInTransaction;
        let pool = Arc::clone(&self.pool);
        self.batch(&pool.begin).await
    }

    pub(crate) async fn commit(mut self) -> Result<()> {
        self.state = State::RunningInTransaction;
        within(COMMIT, self.control("COMMIT")).await?;
        self.state = State::Idle;
        Ok(())
    }

    pub(crate) async fn roll_back(mut self) {
        self.state = State::RunningInTransaction;
        if within(CLEAN_UP, self.control("ROLLBACK")).await.is_ok() {
            self.state = State::Idle;
        }
    }

    /// Ends a transaction of one statement.
    pub(super) async fn end<T>(self, outcome: Result<T>) -> Result<T> {
        match outcome {
            Ok(value) => self.commit().await.map(|()| value),
            Err(error) => {
                self.roll_back().await;
                Err(error)
            }
        }
    }

    /// Runs a statement of this crate that returns nothing.
    pub(crate) async fn control(&mut self, text: &'static str) -> Result<()> {
        self.batch(text).await
    }

    pub(super) async fn batch(&mut self, text: &str) -> Result<()> {
        self.start();
        let outcome = self.client().batch_execute(text).await;
        self.settle();
        outcome.map_err(|error| translate(&error))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some((connection, turn)) = self.held.take() else { return };
        if connection.client.is_closed() {
            return;
        }
        if self.state == State::Idle {
            // Before the turn ends, so that the next caller finds it.
            self.pool.give_back(connection);
            return;
        }
        let running = matches!(self.state, State::Running | State::RunningInTransaction);
        let pool = Arc::clone(&self.pool);
        let clean_up = async move {
            match timeout(CLEAN_UP, clean(&connection.client, &pool.address, running)).await {
                Ok(Ok(())) => pool.give_back(connection),
                // What cannot be brought back to a known state is closed: the server then rolls back on its own.
                Ok(Err(())) | Err(_) => connection.discard(),
            }
            drop(turn);
        };
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(clean_up)),
            Err(_) => drop(clean_up),
        }
    }
}

/// Cancels what runs, or rolls back. Without it, a visitor who asks for something long and hangs up would keep the
/// server at work for nobody.
///
/// Returns an error for a connection that must be closed. One whose statement was cancelled always is: the server acts on
/// the cancellation at a moment that nobody is told, and it would hit the next caller's statement.
async fn clean(client: &Client, address: &Address, running: bool) -> Result<(), ()> {
    if running {
        let token = client.cancel_token();
        // If this fails, the statement ends at its own deadline.
        drop(match &address.tls {
            Some(tls) => token.cancel_query(tls.clone()).await,
            None => token.cancel_query(NoTls).await,
        });
        return Err(());
    }
    client.batch_execute("ROLLBACK").await.map_err(|_| ())
}

const CLEAN_UP: Duration = Duration::from_secs(2);

/// A commit may wait for another machine. Given up on, it may still take place: as when a caller is cancelled.
const COMMIT: Duration = Duration::from_secs(10);
