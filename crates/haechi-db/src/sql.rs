//! Statements written by hand: a literal with named values.
//!
//! ```no_run
//! use haechi_db::{Db, Model, Result, sql};
//!
//! async fn count(db: &Db, author: i64) -> Result<i64> {
//!     sql!(i64, "select count(*) from comment where author_id = {author}").one(db).await
//! }
//!
//! #[derive(Model)]
//! #[model(row)]                                   // no table: only what a statement returns, in this order
//! struct Line { title: String, comments: i64 }
//!
//! async fn busiest(db: &Db, least: i64) -> Result<Vec<Line>> {
//!     sql!(
//!         Line,
//!         "select p.title, count(*) as comments from post p join comment c on c.post_id = p.id
//!          group by p.id, p.title having count(*) >= {least} order by 2 desc",
//!         least = least,
//!     )
//!     .all(db)
//!     .await
//! }
//!
//! async fn today(db: &Db) -> Result<i64> {
//!     sql!(
//!         i64,
//!         sqlite: "select count(*) from post where date(created) = date('now')",
//!         postgres: "select count(*) from post where created::date = current_date",
//!     )
//!     .one(db)
//!     .await
//! }
//! ```
//!
//! The type in front of the text says what reads a row of the answer: a model, a `#[model(row)]` struct, a tuple or one
//! value. It is part of the statement so that `check` can compare the two before the first request: the number of
//! columns, their names with those of the fields, their types, and whether they may be null, as far as the engine tells
//! ([`Db::check_statements`] says how far). Without a type any will do, which is meant for tests: `check` counts a
//! statement that answers rows and names no type as an error.
//!
//! `{name}` is a value: bound, never text. `{{` is a brace. What is refused where it stands:
//!
//! ```text
//! haechi_db::sql!(format!("select {input}")); // error: sql! takes a string literal
//! ```
//! ```text
//! haechi_db::sql!(input); // error: sql! takes a string literal
//! ```
//! ```text
//! haechi_db::sql!("select 1; drop table post"); // error: `;` would start a second statement
//! ```
//! ```text
//! haechi_db::sql!("select 1 -- and the rest"); // error: `--` starts a comment
//! ```
//! ```text
//! haechi_db::sql!("select * from post where title = 'x"); // error: a quote is not closed
//! ```
//! ```text
//! haechi_db::sql!("select * from post where title = '{title}'", title = "x"); // error: a value inside quotes
//! ```
//! ```text
//! haechi_db::sql!("select * from post where id = {id}"); // error: cannot find value `id`
//! ```
//! ```text
//! haechi_db::sql!("select * from post", id = 1); // error: the text has no {id}
//! ```
//! ```text
//! haechi_db::sql!("pragma writable_schema = 1"); // error: a statement starts with select, insert, …
//! ```
//! ```text
//! haechi_db::sql!("set statement_timeout = 0"); // error: a statement starts with select, insert, …
//! ```
//! ```text
//! haechi_db::sql!("select $tag$;$tag$"); // error: no dollar-quoted text
//! ```
//! ```text
//! haechi_db::Statement::read().push_literal("select 1"); // error: private
//! ```

use std::{fmt, marker::PhantomData};

#[cfg(doc)]
use crate::Db;
use crate::{
    Access, Engine, Error, ErrorKind, Executor, FromRow, FromValue, Result, Row, Statement, Value,
    few::Values,
    lexer,
    query::{execute, fetch, first},
};

/// The text of a statement, as consts of a type; [`sql!`](macro@crate::sql) writes one.
///
/// A const is made by the compiler. So nothing that comes in at run time can stand in it, not even leaked:
///
/// ```text
/// fn injected(input: String) {
///     struct Text;
///     impl SqlText for Text {
///         const SQLITE: &'static str = String::leak(input); // error: can't capture dynamic environment
///         const POSTGRES: &'static str = "";
///         const SQLITE_ORDER: &'static [usize] = &[];
///         const POSTGRES_ORDER: &'static [usize] = &[];
///     }
/// }
/// ```
///
/// A text written by hand is lexed too, when the program is built:
///
/// ```text
/// struct Text;
/// impl SqlText for Text {
///     const SQLITE: &'static str = "select 1; drop table post"; // error: `;` would start a second statement
///     const POSTGRES: &'static str = "select 1";
///     const SQLITE_ORDER: &'static [usize] = &[];
///     const POSTGRES_ORDER: &'static [usize] = &[];
/// }
/// let _ = Sql::<Text>::new(vec![]);
/// ```
pub trait SqlText: 'static {
    /// The text for SQLite, with `$1`, `$2` for the values.
    const SQLITE: &'static str;
    /// The text for PostgreSQL.
    const POSTGRES: &'static str;
    /// Which value `$1`, `$2` and so on are for SQLite.
    const SQLITE_ORDER: &'static [usize];
    /// Which value `$1`, `$2` and so on are for PostgreSQL.
    const POSTGRES_ORDER: &'static [usize];
}

/// Says that an answer to the statement is read into `T`; [`sql!`](macro@crate::sql) writes it.
#[diagnostic::on_unimplemented(
    message = "this statement is not read into `{T}`",
    note = "the type in front of the text says what it is read into: sql!({T}, \"…\")"
)]
pub trait Answers<T> {}

/// A statement written by hand, with its values.
#[must_use]
pub struct Sql<S> {
    values: Result<Values>,
    text: PhantomData<fn() -> S>,
}

impl<S: SqlText> Sql<S> {
    /// Takes the values; [`sql!`](macro@crate::sql) calls it.
    pub fn new(values: impl IntoIterator<Item = Result<Value>>) -> Self {
        let () = Lexed::<S>::PASSED;
        Sql { values: all(values.into_iter()), text: PhantomData }
    }

    /// Returns the first row.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::NotFound`] if there is none.
    pub fn one<T: FromRow>(self, db: impl Executor) -> impl Future<Output = Result<T>> + Send
    where
        S: Answers<T>,
    {
        let statement = self.first(db.engine());
        async move { first(statement, db, whole::<T>).await?.ok_or_else(|| Error::new(ErrorKind::NotFound)) }
    }

    /// Returns the first row, if there is one.
    ///
    /// # Errors
    /// Fails if a value cannot be bound, if a row is not a `T`, and if the database fails.
    pub fn optional<T: FromRow>(self, db: impl Executor) -> impl Future<Output = Result<Option<T>>> + Send
    where
        S: Answers<T>,
    {
        first(self.first(db.engine()), db, whole::<T>)
    }

    /// Returns the rows.
    ///
    /// # Errors
    /// Fails as [`optional`](Sql::optional) does.
    pub fn all<T: FromRow>(self, db: impl Executor) -> impl Future<Output = Result<Vec<T>>> + Send
    where
        S: Answers<T>,
    {
        fetch(self.statement(db.engine()), db, whole::<T>)
    }

    /// Returns the only column of the first row.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::NotFound`] if there is no row.
    pub async fn scalar<T: FromValue + Send + 'static>(self, db: impl Executor) -> Result<T>
    where
        S: Answers<T>,
    {
        self.one(db).await
    }

    /// Runs the statement and returns how many rows it changed.
    ///
    /// # Errors
    /// Fails as [`optional`](Sql::optional) does.
    pub async fn execute(self, db: impl Executor) -> Result<u64> {
        execute(db, |engine| self.statement(engine)).await
    }

    fn first(self, engine: Engine) -> Result<Statement> {
        Ok(self.statement(engine)?.first())
    }

    fn statement(self, engine: Engine) -> Result<Statement> {
        let (text, order, writes) = match engine {
            Engine::Sqlite => (S::SQLITE, S::SQLITE_ORDER, Lexed::<S>::WRITES_SQLITE),
            Engine::Postgres => (S::POSTGRES, S::POSTGRES_ORDER, Lexed::<S>::WRITES_POSTGRES),
        };
        let given = self.values?;
        let values =
            if order.iter().copied().eq(0..given.len()) { given } else { arranged(given.as_slice(), order)? };
        let access = if writes { Access::Write } else { Access::Read };
        Ok(Statement::from_const(text, values, access))
    }
}

fn all(values: impl Iterator<Item = Result<Value>>) -> Result<Values> {
    let mut all = Values::None;
    for value in values {
        all.push(value?);
    }
    Ok(all)
}

/// The values as the text numbers them: one may stand in several places, and one engine's text may leave one out.
fn arranged(given: &[Value], order: &[usize]) -> Result<Values> {
    let values: Option<Vec<Value>> = order.iter().map(|index| given.get(*index).cloned()).collect();
    values.map(Values::from).ok_or_else(|| Error::misuse("a hand-written SqlText was given too few values"))
}

/// A column more than the target has is a mistake as well as one less.
fn whole<T: FromRow>(row: &mut Row) -> Result<T> {
    if row.len() != T::TYPES.len() {
        let expected = T::TYPES.last().copied().unwrap_or(crate::Type::Text);
        return Err(Error::new(ErrorKind::Decode { column: row.len().min(T::TYPES.len()), expected }));
    }
    T::from_row(row)
}

/// The texts that went through the compiler; private, so that nothing gets past the check.
struct Lexed<S>(PhantomData<S>);

impl<S: SqlText> Lexed<S> {
    const PASSED: () = check::<S>();
    const WRITES_SQLITE: bool = lexer::writes(S::SQLITE);
    const WRITES_POSTGRES: bool = lexer::writes(S::POSTGRES);
}

/// Stops the compiler at a text that is not one statement.
#[doc(hidden)]
#[allow(clippy::panic, reason = "a panic in a const is a compile error, which is what this is for")]
pub const fn check<S: SqlText>() {
    if let Some(fault) = lexer::fault(S::SQLITE) {
        panic!("{}", fault.message);
    }
    if let Some(fault) = lexer::fault(S::POSTGRES) {
        panic!("{}", fault.message);
    }
}

impl<S: SqlText> fmt::Debug for Sql<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sql")
            .field("text", &S::SQLITE)
            .field("values", &self.values.as_ref().map_or(0, Values::len))
            .finish()
    }
}
