//! SQLite, inside the program: one writer on a thread of its own, and readers beside it.
//!
//! A read runs on the thread that asked, for at most [`Options::inline`]: handing a statement of 3 µs to another
//! thread costs 5 to 25 µs. A read that is not done by then is interrupted and begun again on a blocking thread, on
//! connections of its own, so that long reads keep neither short ones nor the async workers waiting.

mod codec;
mod connection;
pub(crate) mod failure;
mod hardening;
mod reader;
mod writer;

use std::{path::PathBuf, sync::Arc};

use futures_util::stream::BoxStream;

pub(crate) use codec::value;
pub(crate) use writer::Transaction;

use crate::{
    Description, Error, ErrorKind, Options, Result, Statement,
    db::Decode,
    describe::Unfit,
    sqlite::{connection::Connection, reader::Readers, writer::Writer},
};

/// One SQLite database.
pub(crate) struct Sqlite {
    writer: Arc<Writer>,
    readers: Option<Readers>,
    path: Option<PathBuf>,
    options: Options,
}

impl Sqlite {
    /// Opens a database in memory, whose one connection reads and writes.
    pub(crate) fn memory(options: Options) -> Result<Sqlite> {
        let writer = Writer::start(Connection::memory(&options)?, &options)?;
        Ok(Sqlite { writer: Arc::new(writer), readers: None, path: None, options })
    }

    pub(crate) async fn open(path: PathBuf, options: Options) -> Result<Sqlite> {
        let blocking = move || {
            let writer = Writer::start(Connection::writer(&path, &options)?, &options)?;
            let readers = Readers::open(&path, &options)?;
            Ok(Sqlite { writer: Arc::new(writer), readers: Some(readers), path: Some(path), options })
        };
        tokio::task::spawn_blocking(blocking).await.map_err(|_| Error::new(ErrorKind::Closed))?
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    /// Reads on this thread, or returns nothing if that would take long.
    pub(crate) fn read_short<T>(&self, statement: &Statement, decode: Decode<T>) -> Option<Result<Vec<T>>> {
        self.readers
            .as_ref()?
            .short(statement, |connection, budget| connection.fetch(statement, decode, budget))
    }

    /// Reads the first row on this thread, or returns nothing if that would take long.
    pub(crate) fn first_short<T>(
        &self,
        statement: &Statement,
        decode: Decode<T>,
    ) -> Option<Result<Option<T>>> {
        self.readers
            .as_ref()?
            .short(statement, |connection, budget| connection.first(statement, decode, budget))
    }

    /// Reads on a blocking thread.
    pub(crate) async fn read_long<T: Send + 'static>(
        &self,
        statement: Statement,
        decode: Decode<T>,
    ) -> Result<Vec<T>> {
        match &self.readers {
            Some(readers) => readers.fetch_long(statement, decode).await,
            None => self.write(statement, decode).await,
        }
    }

    /// Runs a statement that writes and answers with rows. It is rolled back if a row cannot be decoded.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        statement: Statement,
        decode: Decode<T>,
    ) -> Result<Vec<T>> {
        let budget = self.options.statement_timeout;
        self.writer.turn(move |connection| connection.fetch_whole(&statement, decode, budget)).await
    }

    pub(crate) async fn execute(&self, statement: Statement) -> Result<u64> {
        let budget = self.options.statement_timeout;
        self.writer.turn(move |connection| connection.execute(&statement, budget)).await
    }

    /// Prepares a statement without running it, on a connection of its own: one that was open before a migration
    /// compares its knowledge of the schema with the file only when a statement runs, and so would pass what is gone.
    pub(crate) async fn describe(&self, text: String) -> Result<Description, Unfit> {
        let options = self.options.clone();
        let Some(path) = self.path.clone() else {
            return self.writer.turn(move |connection| Ok(connection.describe(&text))).await?;
        };
        let blocking = move || Connection::writer(&path, &options)?.describe(&text);
        tokio::task::spawn_blocking(blocking).await.map_err(|_| Error::new(ErrorKind::Closed))?
    }

    /// Runs a job on a connection that is not locked down, for migrations: beside the writer on one of its own, or, for a
    /// database in memory, on the writer itself.
    pub(crate) async fn as_owner<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut rusqlite::Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let options = self.options.clone();
        let Some(path) = self.path.clone() else {
            return self.writer.turn(move |connection| connection.as_owner(&options, job)).await;
        };
        let blocking = move || job(&mut connection::owner(&path, &options)?);
        tokio::task::spawn_blocking(blocking).await.map_err(|_| Error::new(ErrorKind::Closed))?
    }

    pub(crate) async fn begin(&self) -> Result<Transaction> {
        Transaction::begin(&self.writer).await
    }

    /// Reads row by row; a database in memory, which has one connection, reads them all first.
    pub(crate) async fn stream<T: Send + 'static>(
        &self,
        statement: Statement,
        decode: Decode<T>,
    ) -> Result<BoxStream<'static, Result<T>>> {
        match &self.readers {
            Some(readers) => readers.stream(statement, decode).await,
            None => {
                let rows = self.write(statement, decode).await?;
                Ok(Box::pin(futures_util::stream::iter(rows.into_iter().map(Ok))))
            }
        }
    }
}
