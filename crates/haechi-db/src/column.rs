//! Columns as types: their names are consts that the compiler checks, their values have the type of the column.

use std::{fmt, marker::PhantomData};

use jiff::{Timestamp, civil};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::{
    Error, FromValue, Model, OrderBy, Predicate, Result, ToValue, Type, Value,
    filter_set::Unreadable,
    lexer,
    predicate::{Comparison, Node},
};

/// A column of a table; `#[derive(Model)]` writes one for each field.
///
/// A hand-written implementation is possible and checked: a `NAME` that is not `[a-z_][a-z0-9_]*` does not compile.
/// Since a `const` is made by the compiler, nothing that comes in at run time can stand in it:
///
/// ```text
/// #[derive(Clone, Copy)]
/// struct Evil;
/// impl Column for Evil {
///     type Model = Post;
///     type Type = String;
///     const NAME: &'static str = "x\" = 1 or \"y";
///     const HAS_DEFAULT: bool = false;
///     fn of(post: &Post) -> &String { &post.title }
/// }
/// let _ = Post::query().filter(Field::<Evil>::new().eq("x")); // error: bad column identifier
/// ```
pub trait Column: Copy + Send + Sync + 'static {
    /// The model whose column this is.
    type Model: Model;
    /// The type of its values.
    type Type: FromValue + ToValue;
    /// Its name in the table.
    const NAME: &'static str;
    /// Whether the database fills it when an insert does not.
    const HAS_DEFAULT: bool;
    /// Returns the value of the column in a row.
    fn of(row: &Self::Model) -> &Self::Type;
}

/// A column that a form may set: all but the tenant and a key that the database numbers.
#[diagnostic::on_unimplemented(
    message = "a form must not set `{Self}`",
    note = "the tenant and a generated key are set by the program: `.set(column, value)`"
)]
pub trait FormColumn: Column {}

/// A column as a value: `post::title`.
///
/// Comparisons take the type of the column and nothing else, and are always bound:
///
/// ```text
/// let input = String::from("1 or 1 = 1");
/// Post::query().filter(post::views.eq(input)); // error: `i64: From<String>` is not satisfied
/// ```
pub struct Field<C>(PhantomData<fn() -> C>);

impl<C: Column> Default for Field<C> {
    fn default() -> Self {
        Field::new()
    }
}

impl<C: Column> Field<C> {
    /// Returns the column as a value.
    pub const fn new() -> Field<C> {
        // Evaluated when the const of the column is, so that even `cargo check` shows a bad name.
        let _: &str = Checked::<C>::NAME;
        Field(PhantomData)
    }
}

impl<C: Column> Field<C>
where
    C::Type: Comparable,
{
    /// Holds where the column has this value; for `None`, where it has none.
    pub fn eq(self, value: impl Into<C::Type>) -> Predicate<C::Model> {
        self.compare(Comparison::Equal, value)
    }

    /// Holds where the column has another value; rows without a value never match, unless `value` is `None`.
    pub fn ne(self, value: impl Into<C::Type>) -> Predicate<C::Model> {
        self.compare(Comparison::NotEqual, value)
    }

    /// Holds where the column is less.
    pub fn lt(self, value: impl Into<C::Type>) -> Predicate<C::Model> {
        self.compare(Comparison::Less, value)
    }

    /// Holds where the column is less or equal.
    pub fn le(self, value: impl Into<C::Type>) -> Predicate<C::Model> {
        self.compare(Comparison::LessOrEqual, value)
    }

    /// Holds where the column is greater.
    pub fn gt(self, value: impl Into<C::Type>) -> Predicate<C::Model> {
        self.compare(Comparison::Greater, value)
    }

    /// Holds where the column is greater or equal.
    pub fn ge(self, value: impl Into<C::Type>) -> Predicate<C::Model> {
        self.compare(Comparison::GreaterOrEqual, value)
    }

    /// Holds where the column has one of at most 1,000 values; of an empty list, nowhere.
    pub fn any_of<T: Into<C::Type>>(self, values: impl IntoIterator<Item = T>) -> Predicate<C::Model> {
        let values: Result<Vec<Value>> = values.into_iter().map(|value| value.into().to_value()).collect();
        Predicate::new(match values {
            Ok(values) if values.len() > MAX_LIST => {
                Node::Fault(Error::rule("a list has more than 1000 values"))
            }
            Ok(values) => Node::In(Checked::<C>::NAME, values),
            Err(error) => Node::Fault(error),
        })
    }

    /// Sorts from small to large; rows without a value come first, on both engines.
    pub fn asc(self) -> OrderBy<C::Model> {
        OrderBy::new::<C>(false)
    }

    /// Sorts from large to small; rows without a value come last, on both engines.
    pub fn desc(self) -> OrderBy<C::Model> {
        OrderBy::new::<C>(true)
    }

    fn compare(self, comparison: Comparison, value: impl Into<C::Type>) -> Predicate<C::Model> {
        Predicate::new(match value.into().to_value() {
            Ok(value) => Node::Compare(Checked::<C>::NAME, comparison, value),
            Err(error) => Node::Fault(error),
        })
    }
}

impl<C: Column> Field<C>
where
    C::Type: Nullable,
{
    /// Holds where the column has no value.
    pub fn is_null(self) -> Predicate<C::Model> {
        Predicate::new(Node::Null(Checked::<C>::NAME))
    }

    /// Holds where the column has a value.
    pub fn is_not_null(self) -> Predicate<C::Model> {
        Predicate::new(Node::Not(Box::new(Node::Null(Checked::<C>::NAME))))
    }
}

impl<C: Column> Field<C>
where
    C::Type: Text,
{
    /// Holds where `part` stands in the text, letter for letter and case for case, on both engines.
    ///
    /// There are no patterns and no wildcards: `%`, `_` and `*` stand for themselves.
    ///
    /// ```text
    /// Post::query().filter(post::views.contains("1")); // error: only a text column can contain a text
    /// ```
    pub fn contains(self, part: impl Into<String>) -> Predicate<C::Model> {
        Predicate::new(Node::Contains(Checked::<C>::NAME, part.into()))
    }

    /// Holds where the text starts with `part`, letter for letter and case for case.
    pub fn starts_with(self, part: impl Into<String>) -> Predicate<C::Model> {
        Predicate::new(Node::StartsWith(Checked::<C>::NAME, part.into()))
    }
}

impl<C> Clone for Field<C> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<C> Copy for Field<C> {}

impl<C: Column> fmt::Debug for Field<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", C::Model::TABLE, C::NAME)
    }
}

/// What a statement needs to know of a column; made from a [`Column`] only, so that its name is a checked const.
#[derive(Clone, Copy, Debug)]
pub struct ColumnInfo {
    name: &'static str,
    kind: Type,
    has_default: bool,
}

impl ColumnInfo {
    /// Describes a column.
    pub const fn of<C: Column>() -> ColumnInfo {
        ColumnInfo {
            name: Checked::<C>::NAME,
            kind: <C::Type as FromValue>::TYPE,
            has_default: C::HAS_DEFAULT,
        }
    }

    /// Returns the name in the table.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the type that the program reads.
    pub const fn kind(&self) -> Type {
        self.kind
    }

    /// Returns whether an insert must give it a value.
    pub const fn is_required(&self) -> bool {
        !self.has_default && !self.kind.is_nullable()
    }
}

/// The names that went through the compiler; private, so that nothing gets past the check.
pub(crate) struct Checked<T>(PhantomData<T>);

impl<C: Column> Checked<C> {
    pub(crate) const NAME: &'static str = {
        assert!(lexer::is_identifier(C::NAME), "bad column identifier");
        C::NAME
    };
}

impl<M: Model> Checked<(M,)> {
    pub(crate) const TABLE: &'static str = {
        assert!(lexer::is_identifier(M::TABLE), "bad table identifier");
        M::TABLE
    };
}

/// A type whose columns may be compared and sorted, and whose values an outsider may send.
///
/// [`Secret`](crate::Secret) is not one, and neither is JSON nor an array.
#[diagnostic::on_unimplemented(
    message = "a column of type `{Self}` cannot be filtered or sorted",
    note = "a `Secret` would leak letter by letter; JSON and arrays have no order"
)]
pub trait Comparable: FromValue + ToValue + Clone {
    /// Reads a value as an outsider writes it, exactly or not at all.
    ///
    /// # Errors
    /// Fails if the text is not such a value.
    fn parse(text: &str) -> Result<Self, Unreadable>;
}

/// A type of columns that may have no value.
#[diagnostic::on_unimplemented(message = "a column of type `{Self}` always has a value")]
pub trait Nullable {}
impl<T> Nullable for Option<T> {}

/// A type of columns that hold text.
#[diagnostic::on_unimplemented(message = "only a text column can contain a text, not one of type `{Self}`")]
pub trait Text {
    /// Returns the text, if there is one.
    fn text(&self) -> Option<&str>;
}
impl Text for String {
    fn text(&self) -> Option<&str> {
        Some(self)
    }
}
impl<T: Text> Text for Option<T> {
    fn text(&self) -> Option<&str> {
        self.as_ref().and_then(T::text)
    }
}

/// A type of columns that can be increased.
#[diagnostic::on_unimplemented(message = "only a number can be increased, not a column of type `{Self}`")]
pub trait Number {}

macro_rules! number {
    ($($number:ty),*) => {$(
        impl Number for $number {}
        impl Comparable for $number {
            fn parse(text: &str) -> Result<Self, Unreadable> {
                parse_short(text)
            }
        }
    )*};
}
number!(i16, i32, i64, u16, u32, u64);

macro_rules! read_by_from_str {
    ($($kind:ty),*) => {$(
        impl Comparable for $kind {
            fn parse(text: &str) -> Result<Self, Unreadable> {
                parse_short(text)
            }
        }
    )*};
}
read_by_from_str!(Timestamp, civil::DateTime, civil::Date, civil::Time, Uuid);

impl Number for f64 {}
impl Comparable for f64 {
    fn parse(text: &str) -> Result<Self, Unreadable> {
        parse_short::<f64>(text)
            .and_then(|number| if number.is_finite() { Ok(number) } else { Err(Unreadable::Value) })
    }
}

impl Number for Decimal {}
impl Comparable for Decimal {
    fn parse(text: &str) -> Result<Self, Unreadable> {
        if text.len() > MAX_SHORT {
            return Err(Unreadable::TooLong);
        }
        Decimal::from_str_exact(text).map_err(|_| Unreadable::Value)
    }
}

impl Comparable for bool {
    fn parse(text: &str) -> Result<Self, Unreadable> {
        match text {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(Unreadable::Value),
        }
    }
}

impl Comparable for String {
    fn parse(text: &str) -> Result<Self, Unreadable> {
        match text {
            text if text.len() > MAX_TEXT => Err(Unreadable::TooLong),
            text if text.contains('\0') => Err(Unreadable::Value),
            text => Ok(text.to_owned()),
        }
    }
}

impl Comparable for Vec<u8> {
    /// Bytes are written as hexadecimal digits.
    fn parse(text: &str) -> Result<Self, Unreadable> {
        if text.len() > MAX_TEXT {
            return Err(Unreadable::TooLong);
        }
        unhex(text).ok_or(Unreadable::Value)
    }
}

impl<T: Comparable> Comparable for Option<T> {
    fn parse(text: &str) -> Result<Self, Unreadable> {
        T::parse(text).map(Some)
    }
}

fn parse_short<T: std::str::FromStr>(text: &str) -> Result<T, Unreadable> {
    if text.len() > MAX_SHORT {
        return Err(Unreadable::TooLong);
    }
    text.parse().map_err(|_| Unreadable::Value)
}

pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect()
}

/// As many values as one `any_of` takes: more belong into a table.
pub(crate) const MAX_LIST: usize = 1000;
/// As long as a number, a date or a UUID from outside may be.
const MAX_SHORT: usize = 64;
/// As long as a text from outside may be that is compared as a whole.
const MAX_TEXT: usize = 1024;
