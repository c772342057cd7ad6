//! A connection for as long as one caller needs it.

use std::{sync::Arc, time::Duration};

use deadpool_postgres::Object;
use futures_util::TryStreamExt as _;
use tokio::{runtime::Handle, time::timeout};
use tokio_postgres::{NoTls, RowStream};

use super::{
    address::Address,
    bind, codec,
    failure::{self, translate},
    keeps, parameters, within,
};
use crate::{
    Error, ErrorKind, Prepared, Result, Row, Statement, Value, db::Decode, describe::Unfit, queue::Turn,
    statement::Access,
};

/// A connection of the pool. It goes back when it is dropped; if a caller was cancelled in between, the server is told
/// to stop and the transaction is rolled back first.
pub(crate) struct Lease {
    held: Option<(Object, Turn)>,
    address: Arc<Address>,
    prepared: Prepared,
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
    pub(super) fn new(client: Object, turn: Turn, address: Arc<Address>, prepared: Prepared) -> Lease {
        Lease { held: Some((client, turn)), address, prepared, state: State::Idle }
    }

    fn client(&self) -> Result<&Object> {
        match &self.held {
            Some((client, _)) => Ok(client),
            None => Err(Error::new(ErrorKind::Closed)),
        }
    }

    pub(super) async fn prepare(&mut self, text: &str) -> Result<tokio_postgres::Statement> {
        self.state = self.state.started();
        let client = self.client()?;
        let outcome =
            if keeps(self.prepared) { client.prepare_cached(text).await } else { client.prepare(text).await };
        self.settle();
        outcome.map_err(|error| translate(&error))
    }

    /// Lets the server read a statement as if it had never seen it: one that it keeps may be older than the schema.
    pub(super) async fn parse(&mut self, text: &str) -> Result<tokio_postgres::Statement, Unfit> {
        self.state = self.state.started();
        let outcome = self.client()?.prepare(text).await;
        self.settle();
        outcome.map_err(|error| failure::unfit(&error))
    }

    /// Starts a statement; [`settle`](Lease::settle) must follow when its answer has been read to the end.
    pub(super) async fn open(&mut self, statement: &Statement) -> Result<RowStream> {
        let prepared = self.prepare(statement.text()).await?;
        bind(statement, &prepared)?;
        self.state = self.state.started();
        let opened = self.client()?.query_raw(&prepared, parameters(statement)).await;
        opened.map_err(|error| self.fail(&error))
    }

    pub(crate) async fn fetch<T>(&mut self, statement: &Statement, decode: Decode<T>) -> Result<Vec<T>> {
        let mut rows = std::pin::pin!(self.open(statement).await?);
        let mut buffer = Row::default();
        let mut decoded = Vec::new();
        let mut failed = None;
        loop {
            match rows.try_next().await {
                Ok(Some(_)) if failed.is_some() => {}
                Ok(Some(row)) => match codec::read(&row, &mut buffer).and_then(|()| decode(&mut buffer)) {
                    Ok(value) => decoded.push(value),
                    Err(error) => failed = Some(error),
                },
                Ok(None) => break,
                Err(error) => return Err(self.fail(&error)),
            }
        }
        self.settle();
        failed.map_or(Ok(decoded), Err)
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

    /// Notes that the server has answered.
    pub(super) fn settle(&mut self) {
        self.state = self.state.ended();
    }

    /// Notes that the server answered with an error.
    pub(super) fn fail(&mut self, error: &tokio_postgres::Error) -> Error {
        self.settle();
        let error = translate(error);
        if let (true, Some((client, _))) = (error.is_conflict(), &self.held) {
            // The schema may have changed since the statements were prepared.
            client.statement_cache.clear();
        }
        error
    }

    pub(super) async fn begin(&mut self) -> Result<()> {
        self.state = State::RunningInTransaction;
        self.control("BEGIN").await
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

    /// Runs a statement of this crate that returns nothing.
    pub(crate) async fn control(&mut self, text: &'static str) -> Result<()> {
        self.state = self.state.started();
        let outcome = self.client()?.batch_execute(text).await;
        self.settle();
        outcome.map_err(|error| translate(&error))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some((client, turn)) = self.held.take() else { return };
        if self.state == State::Idle || client.is_closed() {
            return;
        }
        let running = matches!(self.state, State::Running | State::RunningInTransaction);
        let address = Arc::clone(&self.address);
        let clean_up = async move {
            if timeout(CLEAN_UP, clean(&client, &address, running)).await != Ok(Ok(())) {
                // What cannot be brought back to a known state is closed: the server then rolls back on its own.
                drop(Object::take(client));
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
async fn clean(client: &Object, address: &Address, running: bool) -> Result<(), ()> {
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
