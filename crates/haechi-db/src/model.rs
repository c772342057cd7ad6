//! What a table is to the program: its name, its columns, its key, who may see which rows.

use std::marker::PhantomData;

use crate::{Column, ColumnInfo, FromValue, Result, Row, Type};

/// A struct whose values are the rows of one table; written by `#[derive(Model)]`.
///
/// ```
/// use haechi_db::Model;
///
/// #[derive(Model, Debug)]
/// #[model(table = "board_post", has_many(comments = Comment::post_id))]
/// struct Post {
///     id: i64,                              // called `id`: the primary key
///     #[model(unique)]
///     slug: String,
///     #[model(column = "headline")]
///     title: String,
///     #[model(default)]                     // the table has a default: an insert may leave it out
///     views: i64,
/// }
///
/// #[derive(Model, Debug)]
/// struct Comment {
///     id: i64,
///     #[model(belongs_to = Post)]           // the relation `comment::post`
///     post_id: i64,
///     body: String,
/// }
/// assert_eq!(Post::TABLE, "board_post");
/// assert_eq!(Comment::TABLE, "comment");
/// ```
///
/// Beside the struct stands a module, `post`, with a const for each column (`post::title`), relation
/// (`post::comments`) and unique key (`post::unique_slug`).
///
/// # Tenants
/// `#[model(tenant = org_id)]` takes `query()` away: there is only `of_tenant(id)`, so a forgotten scope does not
/// compile.
///
/// ```text
/// #[derive(Model)]
/// #[model(tenant = org_id)]
/// struct Article { id: i64, org_id: i64 }
/// Article::query(); // error: no function `query` found for struct `Article`
/// ```
///
/// # Names
/// A name that would need care inside a statement does not compile.
///
/// ```text
/// #[derive(Model)]
/// struct Article { id: i64, #[model(column = "title\" = 1; --")] title: String } // error: not a plain identifier
/// ```
///
/// # Rows that are no table
/// `#[model(row)]` makes a struct the target of a hand-written statement, without table and columns: its fields are
/// read in order, and `check` compares their names with the columns of the statement. See [`sql!`](macro@crate::sql).
pub trait Model: FromRow {
    /// The primary key.
    type Key: Column<Model = Self>;
    /// Who may see which rows: [`Everyone`] or [`Tenant`].
    type Scope: Scope;
    /// The name of the table.
    const TABLE: &'static str;
    /// The columns, in the order of the fields.
    const COLUMNS: &'static [ColumnInfo];
}

/// A type that a row of an answer becomes: a model, a `#[model(row)]` struct, a tuple of up to twelve values, or one value.
pub trait FromRow: Sized + Send + 'static {
    /// The types of the columns, in order.
    const TYPES: &'static [Type];
    /// The names of the columns, in order; empty where any will do, as for a tuple.
    const NAMES: &'static [&'static str];

    /// Reads the row.
    ///
    /// # Errors
    /// Fails if a column is missing or holds another type.
    fn from_row(row: &mut Row) -> Result<Self>;
}

impl<T: FromValue + Send + 'static> FromRow for T {
    const TYPES: &'static [Type] = &[T::TYPE];
    const NAMES: &'static [&'static str] = &[];
    fn from_row(row: &mut Row) -> Result<Self> {
        row.take(0)
    }
}

macro_rules! tuple {
    ($($kind:ident $index:tt),+) => {
        impl<$($kind: FromValue + Send + 'static),+> FromRow for ($($kind,)+) {
            const TYPES: &'static [Type] = &[$($kind::TYPE),+];
            const NAMES: &'static [&'static str] = &[];
            fn from_row(row: &mut Row) -> Result<Self> {
                Ok(($(row.take::<$kind>($index)?,)+))
            }
        }
    };
}
tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);

/// Who may see which rows of a model.
pub trait Scope: sealed::Sealed {
    /// The column that says whose row it is.
    const TENANT: Option<ColumnInfo>;
}

/// All rows may be queried together.
#[derive(Clone, Copy, Debug)]
pub struct Everyone;

/// The rows of one tenant at a time, told by column `C`.
#[derive(Clone, Copy, Debug)]
pub struct Tenant<C>(PhantomData<C>);

impl Scope for Everyone {
    const TENANT: Option<ColumnInfo> = None;
}

impl<C: Column> Scope for Tenant<C> {
    const TENANT: Option<ColumnInfo> = Some(ColumnInfo::of::<C>());
}

/// A unique key that an upsert may meet; `#[model(unique)]` and `#[model(unique(a, b))]` write one.
pub trait Unique: Copy + 'static {
    /// The model whose key it is.
    type Model: Model;
    /// Its columns.
    const COLUMNS: &'static [ColumnInfo];
}

/// A unique key as a value: `post::unique_slug`.
#[derive(Debug)]
pub struct UniqueKey<K>(PhantomData<fn() -> K>);

impl<K: Unique> UniqueKey<K> {
    /// Returns the key as a value.
    pub const fn new() -> Self {
        UniqueKey(PhantomData)
    }
}

impl<K: Unique> Default for UniqueKey<K> {
    fn default() -> Self {
        UniqueKey::new()
    }
}

impl<K> Clone for UniqueKey<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for UniqueKey<K> {}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Everyone {}
    impl<C> Sealed for super::Tenant<C> {}
}
