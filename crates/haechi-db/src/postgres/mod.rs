//! PostgreSQL, behind a pool of connections.

mod address;
mod codec;
pub(crate) mod failure;
mod lease;
mod pool;
mod prepared;

use futures_util::{
    StreamExt as _, TryStreamExt as _,
    stream::{self, BoxStream},
};

use self::{address::Address, codec::Sent, pool::Pool};
pub(crate) use self::{codec::value, lease::Lease};
use crate::{
    Described, Description, Engine, Error, ErrorKind, Options, Prepared, Result, Row, Statement, db::Decode,
};

/// One PostgreSQL database.
pub(crate) struct Postgres {
    pool: Pool,
    options: Options,
}

impl Postgres {
    pub(crate) fn new(url: &str, options: Options) -> Result<Postgres> {
        let address = Address::parse(url, &options)?;
        let options = Options { prepared: address.prepared, ..options };
        Ok(Postgres { pool: Pool::new(address, &options), options })
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    pub(crate) async fn fetch<T>(&self, statement: &Statement, decode: Decode<T>) -> Result<Vec<T>> {
        let mut lease = self.pool.take().await?;
        if self.options.prepared == Prepared::Drop {
            let alone = async {
                lease.begin().await?;
                let outcome = lease.fetch(statement, decode).await;
                lease.end(outcome).await
            };
            return Box::pin(alone).await;
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
            lease.begin().await?;
            let outcome = lease.execute(statement).await;
            return lease.end(outcome).await;
        }
        match lease.execute(statement).await {
            Err(error) if error.is_conflict() => lease.execute(statement).await,
            outcome => outcome,
        }
    }

    pub(crate) async fn begin(&self) -> Result<Lease> {
        let mut lease = self.pool.take().await?;
        lease.begin().await?;
        Ok(lease)
    }

    /// Reads row by row; if the stream is dropped early, the server is told to stop.
    pub(crate) async fn stream<T: Send + 'static>(
        &self,
        statement: Statement,
        decode: Decode<T>,
    ) -> Result<BoxStream<'static, Result<T>>> {
        let mut lease = self.pool.take().await?;
        let alone = self.options.prepared == Prepared::Drop;
        if alone {
            lease.begin().await?;
        }
        let rows = Box::pin(lease.open(&statement).await?);
        let state = (lease, rows);
        let rows = stream::try_unfold(state, move |(mut lease, mut rows)| async move {
            match rows.try_next().await {
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
    pub(crate) async fn describe(&self, text: &str) -> Result<Description> {
        let mut lease = self.pool.take().await?;
        lease.begin().await?;
        let outcome = describe(&mut lease, text).await;
        lease.end(outcome).await
    }
}

async fn describe(lease: &mut Lease, text: &str) -> Result<Description> {
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
