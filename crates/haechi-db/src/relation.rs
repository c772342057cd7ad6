//! Relations: loaded in one batch, used as conditions, joined.
//!
//! Each takes a query over the other model. So the scope of a tenant model cannot be forgotten on the way, and what is
//! loaded can be filtered and sorted.
//!
//! ```no_run
//! # use haechi_db::{Db, Model, Result};
//! #[derive(Model, Clone)]
//! #[model(has_many(posts = Post::author_id))]
//! struct User { id: i64, name: String }
//!
//! #[derive(Model)]
//! struct Post { id: i64, #[model(belongs_to = User)] author_id: i64, title: String }
//!
//! # async fn sample(db: &Db) -> Result<()> {
//! let posts = Post::query().limit(50).all(db).await?;
//! let authors = post::author.load(&posts, User::query(), db).await?;        // one statement, not fifty
//! for post in &posts {
//!     let _: Option<&User> = authors.of(post);
//! }
//! let by_ada = Post::query().filter(post::author.is(User::query().filter(user::name.eq("Ada"))));
//! let writers = User::query().filter(user::posts.any(Post::query()));
//! let pairs: Vec<(Post, User)> = Post::query().join(post::author, User::query()).all(db).await?;
//! # Ok(()) }
//! ```

use std::{collections::HashMap, fmt, hash::Hash, marker::PhantomData};

use uuid::Uuid;

use crate::{
    Column, Engine, Error, Executor, FromRow as _, Model, OrderBy, Predicate, Query, Result, Row, Statement,
    ToValue, Value,
    column::Checked,
    predicate::{Alias, Node, Render},
    query::{DEFAULT_LIMIT, MAX_LIMIT, columns, fetch},
};

/// A column of one model whose values stand in a column of another.
pub trait Relation: Copy + 'static {
    /// The column of the model that has the relation.
    type Column: Column;
    /// The column of the model that it leads to.
    type TargetColumn: Column;
}

type Source<R> = <<R as Relation>::Column as Column>::Model;
type Target<R> = <<R as Relation>::TargetColumn as Column>::Model;
type Key<R> = <<<R as Relation>::Column as Column>::Type as Link>::Key;

/// A type of columns that relations join: the key itself, or perhaps a key.
#[diagnostic::on_unimplemented(message = "a column of type `{Self}` cannot point to another row")]
pub trait Link {
    /// The key.
    type Key: Hash + Eq + Clone + ToValue + Send + Sync + 'static;
    /// Returns the key, if there is one.
    fn key(&self) -> Option<&Self::Key>;
}

macro_rules! link {
    ($($key:ty),*) => {$(
        impl Link for $key {
            type Key = $key;
            fn key(&self) -> Option<&$key> {
                Some(self)
            }
        }
    )*};
}
link!(i16, i32, i64, String, Uuid);

impl<T: Link> Link for Option<T> {
    type Key = T::Key;
    fn key(&self) -> Option<&T::Key> {
        self.as_ref().and_then(T::key)
    }
}

macro_rules! relation {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub struct $name<R>(PhantomData<fn() -> R>);

        impl<R> $name<R> {
            /// Returns the relation as a value.
            pub const fn new() -> Self {
                $name(PhantomData)
            }
        }
        impl<R> Default for $name<R> {
            fn default() -> Self {
                $name::new()
            }
        }
        impl<R> Clone for $name<R> {
            fn clone(&self) -> Self {
                *self
            }
        }
        impl<R> Copy for $name<R> {}
        impl<R> fmt::Debug for $name<R> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    };
}
relation! {
    /// A relation to one row: `post::author`.
    BelongsTo
}
relation! {
    /// A relation to many rows: `post::comments`.
    HasMany
}

impl<R: Relation> BelongsTo<R>
where
    <R::Column as Column>::Type: Link,
    <R::TargetColumn as Column>::Type: Link<Key = Key<R>>,
{
    /// Loads the rows that `rows` point to, with one statement.
    ///
    /// # Errors
    /// Fails if `query` has an order or a limit, if more than 1,000 different rows are pointed to, and if the database fails.
    pub async fn load(
        self,
        rows: &[Source<R>],
        query: Query<Target<R>>,
        db: impl Executor,
    ) -> Result<One<R>> {
        refuse_limit(&query)?;
        let found = load::<R>(rows, query, db).await?;
        let by_key =
            found.into_iter().filter_map(|row| Some((target_key::<R>(&row)?.clone(), row))).collect();
        Ok(One { by_key })
    }

    /// Holds where the row that is pointed to is one of the query's.
    pub fn is(self, query: Query<Target<R>>) -> Predicate<Source<R>> {
        exists::<R>(query)
    }
}

impl<R: Relation> HasMany<R>
where
    <R::Column as Column>::Type: Link,
    <R::TargetColumn as Column>::Type: Link<Key = Key<R>>,
{
    /// Loads the rows that point to `rows`, with one statement; the query's order holds within each group.
    ///
    /// # Errors
    /// Fails if `query` has a limit, if there are more than 1,000 `rows` or 10,000 rows that point to them, and if the
    /// database fails.
    pub async fn load(
        self,
        rows: &[Source<R>],
        query: Query<Target<R>>,
        db: impl Executor,
    ) -> Result<Many<R>> {
        if query.limit.is_some() || query.offset > 0 {
            return Err(Error::misuse("a relation is loaded whole: leave limit and offset out"));
        }
        if rows.len() > IN_ONE {
            return Err(Error::misuse("the rows behind more than 1000 rows are loaded in several steps"));
        }
        let mut by_key: HashMap<Key<R>, Vec<Target<R>>> = HashMap::new();
        for row in load::<R>(rows, query, db).await? {
            if let Some(key) = target_key::<R>(&row).cloned() {
                by_key.entry(key).or_default().push(row);
            }
        }
        Ok(Many { by_key })
    }

    /// Holds where at least one of the query's rows points here.
    pub fn any(self, query: Query<Target<R>>) -> Predicate<Source<R>> {
        exists::<R>(query)
    }
}

/// The rows that others point to.
pub struct One<R: Relation>
where
    <R::Column as Column>::Type: Link,
{
    by_key: HashMap<Key<R>, Target<R>>,
}

impl<R: Relation> One<R>
where
    <R::Column as Column>::Type: Link,
{
    /// Returns the row that `row` points to, if it was found.
    pub fn of(&self, row: &Source<R>) -> Option<&Target<R>> {
        self.by_key.get(R::Column::of(row).key()?)
    }
}

/// The rows that point to others, by whom they point to.
pub struct Many<R: Relation>
where
    <R::Column as Column>::Type: Link,
{
    by_key: HashMap<Key<R>, Vec<Target<R>>>,
}

impl<R: Relation> Many<R>
where
    <R::Column as Column>::Type: Link,
{
    /// Returns the rows that point to `row`.
    pub fn of(&self, row: &Source<R>) -> &[Target<R>] {
        R::Column::of(row).key().and_then(|key| self.by_key.get(key)).map_or(&[], Vec::as_slice)
    }
}

impl<R: Relation> fmt::Debug for One<R>
where
    <R::Column as Column>::Type: Link,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("One").field("rows", &self.by_key.len()).finish_non_exhaustive()
    }
}

impl<R: Relation> fmt::Debug for Many<R>
where
    <R::Column as Column>::Type: Link,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Many").field("groups", &self.by_key.len()).finish_non_exhaustive()
    }
}

fn target_key<R: Relation>(row: &Target<R>) -> Option<&Key<R>>
where
    <R::Column as Column>::Type: Link,
    <R::TargetColumn as Column>::Type: Link<Key = Key<R>>,
{
    <R::TargetColumn as Column>::of(row).key()
}

async fn load<R: Relation>(
    rows: &[Source<R>],
    query: Query<Target<R>>,
    db: impl Executor,
) -> Result<Vec<Target<R>>>
where
    <R::Column as Column>::Type: Link,
{
    let mut keys: Vec<Key<R>> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for key in rows.iter().filter_map(|row| R::Column::of(row).key()) {
        if seen.insert(key) {
            keys.push(key.clone());
        }
    }
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    if keys.len() > IN_ONE {
        return Err(Error::misuse(
            "more than 1000 different rows are pointed to: load them in several steps",
        ));
    }
    let keys = keys.into_iter().map(ToValue::to_value).collect::<Result<Vec<Value>>>()?;
    let mut query = query;
    query.filters.push(Node::In(Checked::<R::TargetColumn>::NAME, keys));
    let found = fetch(query.limited(db.engine(), MAX_LIMIT + 1), db, Target::<R>::from_row).await?;
    if u32::try_from(found.len()).map_or(true, |found| found > MAX_LIMIT) {
        return Err(Error::misuse(
            "more than 10000 rows point to these; filter them, or page over the other model",
        ));
    }
    Ok(found)
}

fn refuse_limit<M: Model>(query: &Query<M>) -> Result<()> {
    match query.limit.is_some() || query.offset > 0 || !query.order.is_empty() {
        true => Err(Error::misuse("the row that is pointed to has neither order nor limit")),
        false => Ok(()),
    }
}

fn exists<R: Relation>(query: Query<Target<R>>) -> Predicate<Source<R>> {
    Predicate::new(Node::Exists {
        table: Checked::<(Target<R>,)>::TABLE,
        outer: Checked::<R::Column>::NAME,
        inner: Checked::<R::TargetColumn>::NAME,
        filters: query.into_nodes(),
    })
}

impl<M: Model> Query<M> {
    /// Pairs each row with the one it points to; rows that point to none, or to none of `query`, are left out.
    pub fn join<R>(self, _: BelongsTo<R>, query: Query<Target<R>>) -> Join<R>
    where
        R: Relation,
        R::Column: Column<Model = M>,
        <R::Column as Column>::Type: Link,
        <R::TargetColumn as Column>::Type: Link<Key = Key<R>>,
    {
        Join { order: query.order.clone(), second: Query { order: Vec::new(), ..query }, first: self }
    }
}

/// Two queries, joined over a relation.
#[must_use]
pub struct Join<R: Relation> {
    first: Query<Source<R>>,
    second: Query<Target<R>>,
    order: Vec<OrderBy<Target<R>>>,
}

impl<R: Relation> Join<R> {
    /// Returns the pairs; the order of the second query comes first, then that of the first.
    ///
    /// # Errors
    /// Fails if the second query has a limit, and if the database fails.
    pub async fn all(self, db: impl Executor) -> Result<Vec<(Source<R>, Target<R>)>> {
        fetch(self.statement(db.engine()), db, pair::<Source<R>, Target<R>>).await
    }

    fn statement(self, engine: Engine) -> Result<Statement> {
        let mut out = Render::read(engine);
        columns::<Source<R>>(out.text("select "), Alias::FIRST)?;
        columns::<Target<R>>(out.text(", "), Alias::SECOND)?;
        out.text(" from ").table(Checked::<(Source<R>,)>::TABLE, Alias::FIRST);
        out.text(" join ").table(Checked::<(Target<R>,)>::TABLE, Alias::SECOND).text(" on ");
        out.column(Alias::SECOND, Checked::<R::TargetColumn>::NAME).text(" = ");
        out.column(Alias::FIRST, Checked::<R::Column>::NAME);
        out.filters(" and ", &self.second.into_nodes(), Alias::SECOND)?;
        out.filters(" where ", self.first.nodes(), Alias::FIRST)?;
        for (index, order) in self.order.iter().enumerate() {
            order.render(out.text(if index == 0 { " order by " } else { ", " }), Alias::SECOND);
        }
        for (index, order) in self.first.order.iter().enumerate() {
            let start = index == 0 && self.order.is_empty();
            order.render(out.text(if start { " order by " } else { ", " }), Alias::FIRST);
        }
        out.text(" limit ").bind(Value::Int(self.first.limit.unwrap_or(DEFAULT_LIMIT).into()));
        out.text(" offset ").bind(Value::Int(self.first.offset.into()));
        Ok(out.statement)
    }
}

fn pair<A: Model, B: Model>(row: &mut Row) -> Result<(A, B)> {
    let first = A::from_row(row)?;
    row.skip(A::COLUMNS.len());
    Ok((first, B::from_row(row)?))
}

impl<R: Relation> fmt::Debug for Join<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Join").field("first", &self.first).field("second", &self.second).finish()
    }
}

/// As many keys as one list of a statement takes.
const IN_ONE: usize = crate::column::MAX_LIST;
