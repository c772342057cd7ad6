//! Changing rows that a query selects.

use crate::{
    Column, Engine, Error, Executor, Field, Input, Model, Number, Query, Result, Statement, ToValue, Value,
    column::Checked,
    delete,
    input::Values,
    insert::{Returning, finish},
    predicate::{Alias, Render},
    query::{execute, fetch},
};

/// Rows to change, and how.
///
/// ```no_run
/// # use haechi_db::{Db, Model, Result};
/// # #[derive(Model)] struct Post { id: i64, title: String, views: i64 }
/// # async fn sample(db: &Db) -> Result<()> {
/// let changed = Post::query().filter(post::id.eq(1)).update().set(post::title, "Later").execute(db).await?;
/// Post::query().filter(post::id.eq(1)).update().increase(post::views, 1).execute(db).await?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use]
pub struct Update<M: Model> {
    query: Query<M>,
    values: Values<M>,
    increased: Vec<(&'static str, Value)>,
    all_rows: bool,
}

impl<M: Model> Update<M> {
    pub(crate) fn new(query: Query<M>) -> Self {
        Update { query, values: Values::new(), increased: Vec::new(), all_rows: false }
    }

    /// Sets a column.
    pub fn set<C: Column<Model = M>>(mut self, column: Field<C>, value: impl Into<C::Type>) -> Self {
        self.values.set(column, value);
        self
    }

    /// Sets the columns of a form.
    pub fn input(mut self, input: impl Input<M>) -> Self {
        input.set_on(&mut self.values);
        self
    }

    /// Adds to a column inside the database, so that two callers at once are both counted.
    pub fn increase<C: Column<Model = M>>(mut self, _: Field<C>, by: impl Into<C::Type>) -> Self
    where
        C::Type: Number,
    {
        match by.into().to_value() {
            Ok(by) => self.increased.push((Checked::<C>::NAME, by)),
            Err(error) => self.values.fail(error),
        }
        self
    }

    /// Says that all rows are meant: without a filter and without this, nothing is changed.
    pub fn all_rows(mut self) -> Self {
        self.all_rows = true;
        self
    }

    /// Changes the rows and returns how many there were.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::Misuse`](crate::ErrorKind::Misuse) if there is no filter, nothing to set, or if the
    /// tenant would be set; with what the database says.
    pub async fn execute(self, db: impl Executor) -> Result<u64> {
        execute(db, |engine| self.statement(engine, Returning::Nothing)).await
    }

    /// Changes the rows and returns them as they are now.
    ///
    /// # Errors
    /// Fails as [`execute`](Update::execute) does.
    pub async fn returning(self, db: impl Executor) -> Result<Vec<M>> {
        fetch(self.statement(db.engine(), Returning::Row), db, M::from_row).await
    }

    fn statement(self, engine: Engine, returning: Returning) -> Result<Statement> {
        delete::check_rows(&self.query, self.all_rows)?;
        let values = self.values.finish()?;
        if values.is_empty() && self.increased.is_empty() {
            return Err(Error::misuse("an update sets at least one column"));
        }
        let tenant = <M::Scope as crate::Scope>::TENANT.map(|column| column.name());
        if values.iter().chain(&self.increased).any(|(column, _)| Some(*column) == tenant) {
            return Err(Error::misuse("a row stays with its tenant: insert it there and delete it here"));
        }
        let mut out = Render::write(engine);
        out.text("update ").table(Checked::<(M,)>::TABLE, Alias::FIRST).text(" set ");
        let set = values
            .into_iter()
            .map(|pair| (pair, false))
            .chain(self.increased.into_iter().map(|pair| (pair, true)));
        out.list(", ", set, |out, ((column, value), increase)| {
            out.name(column).text(" = ");
            if increase {
                out.column(Alias::FIRST, column).text(" + ");
            }
            out.bind(value);
            Ok(())
        })?;
        out.filters(" where ", self.query.nodes(), Alias::FIRST)?;
        finish::<M>(out, returning)
    }
}
