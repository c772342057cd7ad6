//! Reading rows: filters, order, limits.
//!
//! ```no_run
//! # use haechi_db::{Db, Model, Result};
//! # #[derive(Model)] struct Post { id: i64, title: String, views: i64 }
//! # async fn sample(db: &Db, search: String) -> Result<()> {
//! let popular: Vec<Post> = Post::query()
//!     .filter(post::views.ge(100).and(post::title.contains(search)))
//!     .order_by(post::views.desc())
//!     .then_by(post::id.asc())
//!     .limit(10)
//!     .all(db)
//!     .await?;
//! let first: Post = Post::query().filter(post::id.eq(1)).one(db).await?;
//! # Ok(()) }
//! ```

use std::fmt;

use futures_core::stream::BoxStream;
use futures_util::future::{Either, ready};

use crate::{
    Column, Count, Db, Delete, Engine, Error, ErrorKind, Executor, Model, OrderBy, Predicate, Result, Row,
    Statement, Tenant, ToValue, Update, Value,
    column::Checked,
    counter,
    few::Few,
    model::Everyone,
    predicate::{Alias, Comparison, Node, Render},
    selection::Selection,
};

/// A query over the rows of `M`.
///
/// # Security
/// Nothing it takes is text that could become SQL. What comes from outside is read by a
/// [`FilterSet`](crate::FilterSet), which adds to the filters and cannot remove one.
#[must_use]
pub struct Query<M> {
    pub(crate) scope: Option<Node>,
    pub(crate) filters: Few<Node>,
    pub(crate) order: Vec<OrderBy<M>>,
    pub(crate) limit: Option<u32>,
    pub(crate) offset: u32,
}

impl<M: Model<Scope = Everyone>> Query<M> {
    /// Starts a query over all rows.
    pub fn new() -> Self {
        Query::start(None)
    }
}

impl<M: Model<Scope = Everyone>> Default for Query<M> {
    fn default() -> Self {
        Query::new()
    }
}

impl<M: Model<Scope = Tenant<C>>, C: Column<Model = M>> Query<M> {
    /// Starts a query over the rows of one tenant.
    pub fn of_tenant(tenant: impl Into<C::Type>) -> Self {
        let scope = match tenant.into().to_value() {
            Ok(tenant) => Node::Compare(Checked::<C>::NAME, Comparison::Equal, tenant),
            Err(error) => Node::Fault(error),
        };
        Query::start(Some(scope))
    }
}

impl<M: Model> Query<M> {
    #[inline]
    fn start(scope: Option<Node>) -> Self {
        Query { scope, filters: Few::None, order: Vec::new(), limit: None, offset: 0 }
    }

    /// Keeps the rows for which the condition holds; several filters must hold together.
    #[inline(always)]
    pub fn filter(mut self, predicate: Predicate<M>) -> Self {
        self.filters.push(predicate.node);
        self
    }

    /// Sorts the rows; replaces an order that was set before.
    pub fn order_by(mut self, order: OrderBy<M>) -> Self {
        self.order = vec![order];
        self
    }

    /// Sorts the rows that the order so far leaves equal.
    pub fn then_by(mut self, order: OrderBy<M>) -> Self {
        self.order.push(order);
        self
    }

    /// Returns at most so many rows: 100 unless said, never more than 10,000. [`stream`](Query::stream) has no limit
    /// unless said.
    pub fn limit(mut self, rows: u32) -> Self {
        self.limit = Some(rows.min(MAX_LIMIT));
        self
    }

    /// Leaves out the first rows; the database reads them nevertheless, so page deep lists by
    /// [`keyset`](Query::keyset).
    pub fn offset(mut self, rows: u32) -> Self {
        self.offset = rows;
        self
    }

    /// Returns the rows.
    ///
    /// # Errors
    /// Fails if a value cannot be bound, or if the database fails.
    pub fn all(self, db: impl Executor) -> impl Future<Output = Result<Vec<M>>> + Send {
        // The text is written here, so that the future is as large as a statement and not as a query.
        fetch(self.select(db.engine()), db, M::from_row)
    }

    /// Returns the first row.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::NotFound`] if there is none.
    #[inline]
    pub fn one(self, db: impl Executor) -> impl Future<Output = Result<M>> + Send {
        let statement = self.first(db.engine());
        async move { first(statement, db, M::from_row).await?.ok_or_else(|| Error::new(ErrorKind::NotFound)) }
    }

    /// Returns the first row, if there is one.
    ///
    /// # Errors
    /// Fails as [`all`](Query::all) does.
    pub fn optional(self, db: impl Executor) -> impl Future<Output = Result<Option<M>>> + Send {
        first(self.first(db.engine()), db, M::from_row)
    }

    /// Returns whether there is a row.
    ///
    /// # Errors
    /// Fails as [`all`](Query::all) does.
    pub async fn exists(self, db: impl Executor) -> Result<bool> {
        Ok(self.count_up_to(0, db).await? != Count::Exactly(0))
    }

    /// Counts the rows, up to 10,000; limit and offset play no part.
    ///
    /// # Errors
    /// Fails as [`all`](Query::all) does.
    pub async fn count(self, db: impl Executor) -> Result<Count> {
        self.count_up_to(MAX_LIMIT, db).await
    }

    /// Counts the rows, up to `cap`; limit and offset play no part.
    ///
    /// # Errors
    /// Fails as [`all`](Query::all) does.
    pub async fn count_up_to(self, cap: u32, db: impl Executor) -> Result<Count> {
        let found = fetch(self.counting(db.engine(), cap), db, |row| row.take::<i64>(0)).await?;
        Ok(Count::of(found.first().copied().unwrap_or(0), cap))
    }

    /// Returns the rows one after another, without holding them all in memory.
    ///
    /// The stream holds a connection until it ends or is dropped.
    pub fn stream(self, db: &Db) -> BoxStream<'static, Result<M>> {
        counter::note();
        let unlimited = self.limit.is_none() && self.offset == 0;
        let statement = if unlimited { self.unlimited(db.engine()) } else { self.select(db.engine()) };
        match statement {
            Ok(statement) => db.stream(statement, M::from_row),
            Err(error) => Box::pin(futures_util::stream::once(async { Err(error) })),
        }
    }

    /// Starts to change the rows.
    pub fn update(self) -> Update<M> {
        Update::new(self)
    }

    /// Starts to delete the rows.
    pub fn delete(self) -> Delete<M> {
        Delete::new(self)
    }

    pub(crate) fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.scope.iter().chain(self.filters.as_slice())
    }

    /// The filters of a query that stands inside another statement, where order and limit would be lost.
    pub(crate) fn into_nodes(self) -> Vec<Node> {
        if !self.order.is_empty() || self.limit.is_some() || self.offset > 0 {
            return vec![Node::Fault(Error::misuse(
                "a query inside another one has neither order nor limit",
            ))];
        }
        self.scope.into_iter().chain(self.filters.into_vec()).collect()
    }

    fn select(&self, engine: Engine) -> Result<Statement> {
        self.limited(engine, self.limit.unwrap_or(DEFAULT_LIMIT))
    }

    fn first(&self, engine: Engine) -> Result<Statement> {
        Ok(self.limited(engine, 1)?.first())
    }

    pub(crate) fn limited(&self, engine: Engine, limit: u32) -> Result<Statement> {
        let mut out = self.selecting(engine)?;
        self.ordering(&mut out)?;
        if limit == 1 {
            out.text(" limit 1");
        } else {
            out.text(" limit ").bind(Value::Int(limit.into()));
        }
        if self.offset > 0 {
            out.text(" offset ").bind(Value::Int(self.offset.into()));
        }
        Ok(out.statement)
    }

    fn unlimited(&self, engine: Engine) -> Result<Statement> {
        let mut out = self.selecting(engine)?;
        self.ordering(&mut out)?;
        Ok(out.statement)
    }

    fn selecting(&self, engine: Engine) -> Result<Render> {
        let mut out = match Selection::<M>::TEXT {
            Some(head) => Render::reading(head, engine),
            None => {
                let mut out = Render::read(engine);
                columns::<M>(out.text("select "), Alias::FIRST)?;
                out.text(" from ").table(Checked::<(M,)>::TABLE, Alias::FIRST);
                out
            }
        };
        out.filters(" where ", self.nodes(), Alias::FIRST)?;
        Ok(out)
    }

    fn ordering(&self, out: &mut Render) -> Result<()> {
        if !self.order.is_empty() {
            out.text(" order by ").list(", ", &self.order, |out, order| {
                order.render(out, Alias::FIRST);
                Ok(())
            })?;
        }
        Ok(())
    }

    fn counting(&self, engine: Engine, cap: u32) -> Result<Statement> {
        let mut out = Render::read(engine);
        out.text("select count(*) from (select 1 as one from ").table(Checked::<(M,)>::TABLE, Alias::FIRST);
        out.filters(" where ", self.nodes(), Alias::FIRST)?;
        out.text(" limit ").bind(Value::Int(i64::from(cap) + 1)).text(") as found");
        Ok(out.statement)
    }
}

/// Writes the columns of `M`, in the order in which [`FromRow`] reads them.
pub(crate) fn columns<M: Model>(out: &mut Render, alias: Alias) -> Result<()> {
    out.list(", ", M::COLUMNS, |out, column| {
        out.column(alias, column.name());
        Ok(())
    })?;
    Ok(())
}

/// The one place from which the builder and `sql!` ask the database for its first row.
///
/// Not an `async fn`, which would move the statement once more.
#[inline]
pub(crate) fn first<T: Send + 'static>(
    statement: Result<Statement>,
    db: impl Executor,
    decode: fn(&mut Row) -> Result<T>,
) -> impl Future<Output = Result<Option<T>>> + Send {
    counter::note();
    match statement {
        Ok(statement) => Either::Left(db.first(statement, decode)),
        Err(error) => Either::Right(ready(Err(error))),
    }
}

/// The one place from which the builder and `sql!` ask the database for rows.
pub(crate) async fn fetch<T: Send + 'static>(
    statement: Result<Statement>,
    db: impl Executor,
    decode: fn(&mut Row) -> Result<T>,
) -> Result<Vec<T>> {
    counter::note();
    db.fetch(statement?, decode).await
}

/// The one place from which the builder and `sql!` change rows.
pub(crate) async fn execute(
    db: impl Executor,
    statement: impl FnOnce(Engine) -> Result<Statement>,
) -> Result<u64> {
    counter::note();
    let statement = statement(db.engine())?;
    db.execute(statement).await
}

impl<M> Clone for Query<M> {
    fn clone(&self) -> Self {
        Query {
            scope: self.scope.clone(),
            filters: self.filters.clone(),
            order: self.order.clone(),
            limit: self.limit,
            offset: self.offset,
        }
    }
}

impl<M: Model> fmt::Debug for Query<M> {
    /// Shows the statement's shape, without its values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.select(Engine::Sqlite) {
            Ok(statement) => statement.fmt(f),
            Err(error) => error.fmt(f),
        }
    }
}

/// As many rows as a query returns that does not say.
pub(crate) const DEFAULT_LIMIT: u32 = 100;
/// As many rows as one query returns at most.
pub(crate) const MAX_LIMIT: u32 = 10_000;
