//! Deleting rows that a query selects.

use crate::{
    Engine, Error, Executor, Model, Query, Result, Statement,
    column::Checked,
    insert::{Returning, finish},
    predicate::{Alias, Render},
    query::{execute, fetch},
};

/// Rows to delete.
#[derive(Debug)]
#[must_use]
pub struct Delete<M: Model> {
    query: Query<M>,
    all_rows: bool,
}

impl<M: Model> Delete<M> {
    pub(crate) fn new(query: Query<M>) -> Self {
        Delete { query, all_rows: false }
    }

    /// Says that all rows are meant: without a filter and without this, nothing is deleted.
    pub fn all_rows(mut self) -> Self {
        self.all_rows = true;
        self
    }

    /// Deletes the rows and returns how many there were.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::Misuse`](crate::ErrorKind::Misuse) if there is no filter, and with what the database
    /// says.
    pub async fn execute(self, db: impl Executor) -> Result<u64> {
        execute(db, |engine| self.statement(engine, Returning::Nothing)).await
    }

    /// Deletes the rows and returns them.
    ///
    /// # Errors
    /// Fails as [`execute`](Delete::execute) does.
    pub async fn returning(self, db: impl Executor) -> Result<Vec<M>> {
        fetch(self.statement(db.engine(), Returning::Row), db, M::from_row).await
    }

    fn statement(self, engine: Engine, returning: Returning) -> Result<Statement> {
        check_rows(&self.query, self.all_rows)?;
        let mut out = Render::write(engine);
        out.text("delete from ").table(Checked::<(M,)>::TABLE, Alias::FIRST);
        out.filters(" where ", self.query.nodes(), Alias::FIRST)?;
        finish::<M>(out, returning)
    }
}

/// A forgotten filter must not empty a table, nor all that a tenant has; and a limit would be lost.
pub(crate) fn check_rows<M: Model>(query: &Query<M>, all_rows: bool) -> Result<()> {
    if !query.order.is_empty() || query.limit.is_some() || query.offset > 0 {
        return Err(Error::misuse("an update or delete has neither order nor limit"));
    }
    match (query.filters.as_slice().is_empty(), all_rows) {
        (true, false) => {
            Err(Error::misuse("an update or delete needs a filter; say .all_rows() if all are meant"))
        }
        (false, true) => Err(Error::misuse("all_rows() contradicts the filter of this update or delete")),
        _ => Ok(()),
    }
}
