//! PostgreSQL, behind a pool of connections.

mod address;
mod codec;
pub(crate) mod failure;
mod lease;
mod notifications;
mod patience;
mod pool;
mod prepared;

use std::time::Duration;

use futures_util::{
    StreamExt as _, TryStreamExt as _,
    stream::{self, BoxStream},
};
use tokio::time::timeout;

use self::{address::Address, codec::Sent, pool::Pool};
pub(crate) use self::{codec::value, lease::Lease, notifications::Notifications};
use crate::{
    Described, Description, Engine, Error, ErrorKind, Options, Prepared, Result, Row, Statement, db::Decode,
    describe::Unfit,
};

/// One PostgreSQL database.
pub(crate) struct Postgres {
    pool: Pool,
    options: Options,
    server: String,
}

impl Postgres {
    pub(crate) fn new(url: &str, options: &Options) -> Result<Postgres> {
        let address = Address::parse(url, options)?;
        let options = Options { prepared: address.prepared, ..options.clone() };
        let server = address.server();
        Ok(Postgres { pool: Pool::new(address, &options)?, options, server })
    }

    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    /// Reads the first row; the server may send more of them.
    pub(crate) async fn first<T>(&self, statement: &Statement, decode: Decode<T>) -> Result<Option<T>> {
        if self.options.prepared == Prepared::Drop {
            return Ok(Box::pin(self.fetch(statement, decode)).await?.into_iter().next());
        }
        let mut lease = self.pool.take().await?;
        match lease.first(statement, decode).await {
            Err(error) if error.is_conflict() => Box::pin(lease.first(statement, decode)).await,
            outcome => outcome,
        }
    }

    pub(crate) async fn fetch<T>(&self, statement: &Statement, decode: Decode<T>) -> Result<Vec<T>> {
        let mut lease = self.pool.take().await?;
        if self.options.prepared == Prepared::Drop {
            let alone = async {
                lease.begin().await?;
                let outcome = lease.fetch(statement, decode).await;
                lease.end(outcome).await
            };
            return Box::pin(within(self.patience(), alone)).await;
        }
        match lease.fetch(statement, decode).await {
            Err(error) if error.is_conflict() => Box::pin(lease.fetch(statement, decode)).await,
            outcome => outcome,
        }
    }

    /// A conflict means that nothing of the statement happened, mostly because the schema changed since it was prepared;
    /// a single statement is then run once more.
    pub(crate) async fn execute(&self, statement: &Statement) -> Result<u64> {
        let mut lease = self.pool.take().await?;
        if self.options.prepared == Prepared::Drop {
            let alone = async {
                lease.begin().await?;
                let outcome = lease.execute(statement).await;
                lease.end(outcome).await
            };
            return Box::pin(within(self.patience(), alone)).await;
        }
        match lease.execute(statement).await {
            Err(error) if error.is_conflict() => Box::pin(lease.execute(statement)).await,
            outcome => outcome,
        }
    }

    pub(crate) fn patience(&self) -> Duration {
        patience(&self.options)
    }

    pub(crate) async fn begin(&self) -> Result<Lease> {
        let mut lease = self.pool.take().await?;
        within(self.patience(), lease.begin()).await?;
        Ok(lease)
    }

    /// Reads row by row; if the stream is dropped early, the server is told to stop.
    pub(crate) async fn stream<T: Send + 'static>(
        &self,
        statement: Statement,
        decode: Decode<T>,
    ) -> Result<BoxStream<'static, Result<T>>> {
        let (mut lease, patience) = (self.pool.take().await?, self.patience());
        let alone = self.options.prepared == Prepared::Drop;
        if alone {
            within(patience, lease.begin()).await?;
        }
        let rows = Box::pin(lease.open(&statement).await?);
        // From here on each row is waited for by itself: how long the reader takes is not the server's fault.
        lease.waits_no_more();
        let state = (lease, rows);
        let rows = stream::try_unfold(state, move |(mut lease, mut rows)| async move {
            match within(patience, async { Ok(rows.try_next().await) }).await? {
                Ok(Some(row)) => Ok(Some((decode(&mut Row::of_postgres(&row))?, (lease, rows)))),
                Ok(None) => {
                    lease.settle();
                    drop(rows);
                    if alone {
                        lease.commit().await?;
                    }
                    Ok(None)
                }
                Err(error) => Err(lease.fail(&error)),
            }
        });
        Ok(rows.boxed())
    }

    /// Opens a connection beside the pool, without its deadlines, for migrations.
    pub(crate) async fn owner(&self) -> Result<tokio_postgres::Client> {
        self.pool.address().connect_as_owner().await
    }

    /// Prepares a statement, which checks it against the schema, without running it.
    pub(crate) async fn describe(&self, text: &str) -> Result<Description, Unfit> {
        let mut lease = self.pool.take().await?;
        lease.begin().await?;
        match describe(&mut lease, text).await {
            Ok(description) => {
                lease.commit().await?;
                Ok(description)
            }
            Err(unfit) => {
                lease.roll_back().await;
                Err(unfit)
            }
        }
    }
}

async fn describe(lease: &mut Lease, text: &str) -> Result<Description, Unfit> {
    let prepared = lease.parse(text).await?;
    let mut columns = Vec::new();
    for column in prepared.columns() {
        let nullable = match (column.table_oid(), column.column_id()) {
            (Some(table), Some(number)) => lease.nullable(table, number).await?,
            _ => None,
        };
        let kind = codec::declared(column.type_());
        columns.push(Described { name: column.name().to_owned(), kind, nullable });
    }
    let parameters = prepared.params().iter().map(codec::declared).collect();
    Ok(Description::new(Engine::Postgres, columns, parameters))
}

/// Waits for a server that may hang. A lease that was given up on is cleaned up when it is dropped.
async fn within<T>(limit: Duration, answer: impl Future<Output = Result<T>>) -> Result<T> {
    timeout(limit, answer).await.unwrap_or_else(|_| Err(Error::unavailable()))
}

/// How long a server is waited for that should have ended the statement itself: one that hangs, or whose network is
/// gone without a word, would hold the caller and the connection.
fn patience(options: &Options) -> Duration {
    options.statement_timeout.saturating_add(SLACK)
}

/// What a server may be late by after its own deadline.
const SLACK: Duration = Duration::from_secs(1);

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
