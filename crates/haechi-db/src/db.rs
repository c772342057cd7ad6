//! The handle that an application holds.

use std::{fmt, sync::Arc};

use futures_util::{StreamExt as _, stream::BoxStream};

use crate::{
    Engine, Result, Row, Statement,
    config::{DatabaseUrl, Location, Options},
    postgres::Postgres,
    sqlite::Sqlite,
    statement::Access,
};

/// A database: SQLite inside the program, or PostgreSQL behind a pool. Cloning it is cheap.
///
/// # Security
/// No function takes SQL text, a name, an operator or a direction. Statements come from `sql!`, from the builder and
/// from [`Migrations`](crate::Migrations), whose texts are consts.
#[derive(Clone)]
pub struct Db(pub(crate) Arc<Backend>);

pub(crate) enum Backend {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl Db {
    /// Opens the database and locks its connections down.
    ///
    /// A SQLite file is made if it is missing, readable by this user only. PostgreSQL need not be up yet: the first
    /// query finds out.
    ///
    /// # Errors
    /// Fails if the file cannot be opened, or if the URL or the options cannot be used.
    pub async fn connect(url: &DatabaseUrl, options: Options) -> Result<Db> {
        let backend = match &url.0 {
            Location::Memory => Backend::Sqlite(Sqlite::memory(options)?),
            Location::File(path) => Backend::Sqlite(Sqlite::open(path.clone(), options).await?),
            Location::Postgres(url) => Backend::Postgres(Postgres::new(url, &options)?),
        };
        Ok(Db(Arc::new(backend)))
    }

    /// Opens a new database in memory, for tests.
    ///
    /// It has one connection, so that readers and the writer take turns.
    ///
    /// # Errors
    /// Fails if SQLite cannot be set up.
    pub async fn memory() -> Result<Db> {
        Db::connect(&DatabaseUrl::memory(), Options::default()).await
    }

    /// Returns which engine stands behind.
    pub fn engine(&self) -> Engine {
        match *self.0 {
            Backend::Sqlite(_) => Engine::Sqlite,
            Backend::Postgres(_) => Engine::Postgres,
        }
    }

    /// Returns which PostgreSQL this is: hosts, ports, database and options, without user and password. `None` for SQLite.
    pub fn server(&self) -> Option<&str> {
        match &*self.0 {
            Backend::Sqlite(_) => None,
            Backend::Postgres(postgres) => Some(postgres.server()),
        }
    }

    pub(crate) async fn fetch<T: Send + 'static>(
        &self,
        statement: Statement,
        decode: Decode<T>,
    ) -> Result<Vec<T>> {
        statement.validate()?;
        match &*self.0 {
            Backend::Sqlite(sqlite) => match statement.access() {
                // Asked here, so that a short read costs no future of its own; the others hand their work to another
                // thread, beside which a box is nothing.
                Access::Read => match sqlite.read_short(&statement, decode) {
                    Some(outcome) => outcome,
                    None => Box::pin(sqlite.read_long(statement, decode)).await,
                },
                Access::Write => Box::pin(sqlite.write(statement, decode)).await,
            },
            Backend::Postgres(postgres) => postgres.fetch(&statement, decode).await,
        }
    }

    /// Reads the first row, without a list of one.
    pub(crate) async fn first<T: Send + 'static>(
        &self,
        statement: Statement,
        decode: Decode<T>,
    ) -> Result<Option<T>> {
        if !statement.ends_early() {
            return Ok(Box::pin(self.fetch(statement, decode)).await?.into_iter().next());
        }
        statement.validate()?;
        match &*self.0 {
            Backend::Sqlite(sqlite) => match sqlite.first_short(&statement, decode) {
                Some(outcome) => outcome,
                None => Ok(Box::pin(sqlite.read_long(statement, decode)).await?.into_iter().next()),
            },
            // In a box, so that the future of a short read is small where it is moved.
            Backend::Postgres(postgres) => Box::pin(postgres.first(&statement, decode)).await,
        }
    }

    pub(crate) async fn run(&self, statement: Statement) -> Result<u64> {
        statement.validate()?;
        match &*self.0 {
            Backend::Sqlite(sqlite) => sqlite.execute(statement).await,
            Backend::Postgres(postgres) => postgres.execute(&statement).await,
        }
    }

    /// Returns the rows one after another, without holding them all.
    ///
    /// The stream holds a connection until its end or until it is dropped. A chunk has the statement's deadline to be
    /// read and the same again to be taken.
    pub(crate) fn stream<T: Send + 'static>(
        &self,
        statement: Statement,
        decode: Decode<T>,
    ) -> BoxStream<'static, Result<T>> {
        let db = self.clone();
        let open = async move {
            statement.validate()?;
            match &*db.0 {
                Backend::Sqlite(sqlite) => sqlite.stream(statement, decode).await,
                Backend::Postgres(postgres) => postgres.stream(statement, decode).await,
            }
        };
        futures_util::stream::once(open)
            .flat_map(|opened| match opened {
                Ok(rows) => rows,
                Err(error) => futures_util::stream::once(async { Err(error) }).boxed(),
            })
            .boxed()
    }
}

/// How a row becomes a `T`.
pub(crate) type Decode<T> = fn(&mut Row) -> Result<T>;

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Db").field("engine", &self.engine()).finish_non_exhaustive()
    }
}
