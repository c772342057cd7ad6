//! PostgreSQL, behind a pool of connections.

mod address;
mod codec;
pub(crate) mod failure;
mod lease;

use std::{sync::Arc, time::Duration};

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use futures_util::{
    StreamExt as _, TryStreamExt as _,
    stream::{self, BoxStream},
};
use tokio::time::timeout;

pub(crate) use self::lease::Lease;
use self::{address::Address, codec::Sent};
use crate::{
    Described, Description, Engine, Error, ErrorKind, Options, Prepared, Result, Row, Statement, db::Decode,
    describe::Unfit, queue::Queue,
};

/// One PostgreSQL database.
pub(crate) struct Postgres {
    pool: Pool,
    queue: Queue,
    address: Arc<Address>,
    options: Options,
    server: String,
}

impl Postgres {
    pub(crate) fn new(url: &str, options: Options) -> Result<Postgres> {
        let address = Address::parse(url, &options)?;
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = match &address.tls {
            Some(tls) => Manager::from_config(address.config.clone(), tls.clone(), recycling),
            None => Manager::from_config(address.config.clone(), tokio_postgres::NoTls, recycling),
        };
        let oldest = options.max_lifetime;
        let young =
            Hook::sync_fn(
                move |_, metrics: &deadpool_postgres::Metrics| {
                    if metrics.age() < oldest { Ok(()) } else { Err(HookError::message("too old")) }
                },
            );
        // The line in front bounds how many wait; the pool itself is never asked by more than it holds.
        let pool = Pool::builder(manager)
            .max_size(options.connections.max(1))
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(options.wait_timeout))
            .create_timeout(Some(options.wait_timeout))
            .pre_recycle(young)
            .build()
            .map_err(|_| Error::new(ErrorKind::Configuration("the pool of connections cannot be built")))?;
        let queue = Queue::new(options.connections.max(1), options.queue, options.wait_timeout);
        let server = address.server();
        Ok(Postgres { pool, queue, address: Arc::new(address), options, server })
    }

    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    pub(crate) async fn fetch<T>(&self, statement: &Statement, decode: Decode<T>) -> Result<Vec<T>> {
        let mut lease = self.lease().await?;
        let answer = async {
            match lease.fetch(statement, decode).await {
                Err(error) if error.is_conflict() => lease.fetch(statement, decode).await,
                outcome => outcome,
            }
        };
        within(self.patience(), answer).await
    }

    /// A conflict means that nothing of the statement happened, mostly because the schema changed since it was prepared;
    /// a single statement is then run once more.
    pub(crate) async fn execute(&self, statement: &Statement) -> Result<u64> {
        let mut lease = self.lease().await?;
        let answer = async {
            match lease.execute(statement).await {
                Err(error) if error.is_conflict() => lease.execute(statement).await,
                outcome => outcome,
            }
        };
        within(self.patience(), answer).await
    }

    /// How long a server is waited for that should have ended the statement itself: one that hangs, or whose network is
    /// gone without a word, would hold the caller and the connection.
    pub(crate) fn patience(&self) -> Duration {
        self.options.statement_timeout.saturating_add(SLACK)
    }

    pub(crate) async fn begin(&self) -> Result<Lease> {
        let mut lease = self.lease().await?;
        within(self.patience(), lease.begin()).await?;
        Ok(lease)
    }

    /// Reads row by row; if the stream is dropped early, the server is told to stop.
    pub(crate) async fn stream<T: Send + 'static>(
        &self,
        statement: Statement,
        decode: Decode<T>,
    ) -> Result<BoxStream<'static, Result<T>>> {
        let (mut lease, patience) = (self.lease().await?, self.patience());
        let rows = Box::pin(within(patience, lease.open(&statement)).await?);
        let state = (lease, rows, Row::default());
        let rows = stream::try_unfold(state, move |(mut lease, mut rows, mut buffer)| async move {
            match within(patience, async { Ok(rows.try_next().await) }).await? {
                Ok(Some(row)) => {
                    codec::read(&row, &mut buffer)?;
                    Ok(Some((decode(&mut buffer)?, (lease, rows, buffer))))
                }
                Ok(None) => {
                    lease.settle();
                    Ok(None)
                }
                Err(error) => Err(lease.fail(&error)),
            }
        });
        Ok(rows.boxed())
    }

    /// Waits in line and takes a connection, which is made if the pool has none.
    async fn lease(&self) -> Result<Lease> {
        let turn = self.queue.enter().await?;
        let client = self.pool.get().await.map_err(|error| failure::pool(&error))?;
        Ok(Lease::new(client, turn, Arc::clone(&self.address), self.options.prepared))
    }

    /// Opens a connection beside the pool, without its deadlines, for migrations.
    pub(crate) async fn owner(&self) -> Result<tokio_postgres::Client> {
        self.address.connect_as_owner().await
    }

    /// Prepares a statement, which checks it against the schema, without running it.
    pub(crate) async fn describe(&self, text: &str) -> Result<Description, Unfit> {
        let mut lease = self.lease().await?;
        let prepared = lease.parse(text).await?;
        let mut columns = Vec::new();
        for column in prepared.columns() {
            let nullable = match (column.table_oid(), column.column_id()) {
                (Some(table), Some(number)) => lease.nullable(table, number).await?,
                _ => None,
            };
            columns.push(Described {
                name: column.name().to_owned(),
                kind: codec::declared(column.type_()),
                nullable,
            });
        }
        let parameters = prepared.params().iter().map(codec::declared).collect();
        Ok(Description::new(Engine::Postgres, columns, parameters))
    }
}

/// Waits for a server that may hang. A lease that was given up on is cleaned up when it is dropped.
async fn within<T>(limit: Duration, answer: impl Future<Output = Result<T>>) -> Result<T> {
    timeout(limit, answer).await.unwrap_or_else(|_| Err(Error::unavailable()))
}

/// What a server may be late by after its own deadline.
const SLACK: Duration = Duration::from_secs(1);

/// Whether prepared statements outlive the query.
fn keeps(prepared: Prepared) -> bool {
    prepared == Prepared::Keep
}

fn bind(statement: &Statement, prepared: &tokio_postgres::Statement) -> Result<()> {
    if prepared.params().len() != statement.values().len() {
        return Err(Error::new(ErrorKind::Statement));
    }
    let values = statement.values().iter();
    values.zip(prepared.params()).try_for_each(|(value, kind)| codec::check(value, kind))
}

fn parameters(statement: &Statement) -> impl ExactSizeIterator<Item = Sent<'_>> {
    statement.values().iter().map(Sent)
}
