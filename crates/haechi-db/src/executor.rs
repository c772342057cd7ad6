//! What can run a statement: a database, or a transaction on it.

use std::future::Future;

use crate::{Db, Engine, KeptRow, Result, Row, Statement, Transaction, db::Decode};

/// A database or a transaction; sealed, so that every statement goes through this crate.
///
/// Functions that may be part of a larger transaction take `impl Executor` and are called with `&db` or `&tx`.
pub trait Executor: Send + sealed::Sealed {
    /// Returns which SQL to speak.
    fn engine(&self) -> Engine;

    /// Runs a statement and decodes each row of its answer as it comes.
    #[doc(hidden)]
    fn fetch<T: Send + 'static>(
        self,
        statement: Statement,
        decode: fn(&mut Row) -> Result<T>,
    ) -> impl Future<Output = Result<Vec<T>>> + Send;

    /// Runs a statement and decodes the first row of its answer.
    #[doc(hidden)]
    fn first<T: Send + 'static>(
        self,
        statement: Statement,
        decode: fn(&mut Row) -> Result<T>,
    ) -> impl Future<Output = Result<Option<T>>> + Send
    where
        Self: Sized,
    {
        async move { Ok(self.fetch(statement, decode).await?.into_iter().next()) }
    }

    /// Runs a statement and returns how many rows it changed.
    #[doc(hidden)]
    fn execute(self, statement: Statement) -> impl Future<Output = Result<u64>> + Send;

    /// Runs a statement and returns the rows of its answer.
    #[doc(hidden)]
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method is not as general as a closure"
    )]
    fn rows(self, statement: Statement) -> impl Future<Output = Result<Vec<KeptRow>>> + Send
    where
        Self: Sized,
    {
        self.fetch(statement, |row| row.keep())
    }
}

/// A database, or what stands for one, such as a web framework's extractor.
impl<D: AsRef<Db> + Sync> Executor for &D {
    fn engine(&self) -> Engine {
        Db::engine(self.as_ref())
    }

    fn fetch<T: Send + 'static>(
        self,
        statement: Statement,
        decode: Decode<T>,
    ) -> impl Future<Output = Result<Vec<T>>> + Send {
        Db::fetch(self.as_ref(), statement, decode)
    }

    fn first<T: Send + 'static>(
        self,
        statement: Statement,
        decode: Decode<T>,
    ) -> impl Future<Output = Result<Option<T>>> + Send {
        Db::first(self.as_ref(), statement, decode)
    }

    async fn execute(self, statement: Statement) -> Result<u64> {
        self.as_ref().run(statement).await
    }
}

impl AsRef<Db> for Db {
    fn as_ref(&self) -> &Db {
        self
    }
}

impl Executor for &Transaction {
    fn engine(&self) -> Engine {
        Transaction::engine(self)
    }

    async fn fetch<T: Send + 'static>(self, statement: Statement, decode: Decode<T>) -> Result<Vec<T>> {
        Transaction::fetch(self, statement, decode).await
    }

    async fn execute(self, statement: Statement) -> Result<u64> {
        self.run(statement).await
    }
}

mod sealed {
    pub trait Sealed {}
    impl<D: AsRef<crate::Db> + Sync> Sealed for &D {}
    impl Sealed for &crate::Transaction {}
}
