//! What an outsider may filter and sort by, and how far.
//!
//! ```
//! use haechi_db::{FilterSet, Model};
//!
//! #[derive(Model)]
//! struct Post { id: i64, title: String, author_id: i64, created: i64 }
//!
//! #[derive(FilterSet)]
//! #[filterset(model = Post, sort(id, title, created), per_page = 20, max_per_page = 50)]
//! struct PostFilter {
//!     #[filter(contains)]
//!     title: String,
//!     #[filter(eq, any_of)]
//!     author_id: i64,
//! }
//!
//! // /search?title__contains=rust&author_id__any_of=1,2&sort=-created&page=2
//! assert!(PostFilter::parse([("title__contains", "rust"), ("author_id__any_of", "1,2"), ("sort", "-created")]).is_ok());
//! let refused = PostFilter::parse([("password__startswith", "pbkdf2")]).unwrap_err();
//! assert_eq!(refused.to_string(), "parameter \"password__startswith\" is not known");
//! ```
//!
//! The names of the parameters are compared with consts; they never become part of a statement. A parameter is
//! `field`, or `field__operator` with `ne`, `lt`, `lte`, `gt`, `gte`, `any_of`, `contains`, `startswith`, `isnull`.
//! A parameter without a value, as a form sends it for an empty field, is left out.
//!
//! There is no operator for regular expressions, and one for a field that the model does not have does not compile:
//!
//! ```text
//! #[derive(FilterSet)]
//! #[filterset(model = Post)]
//! struct PostFilter { #[filter(regex)] title: String } // error: unknown filter key `regex`
//! ```
//! ```text
//! #[derive(FilterSet)]
//! #[filterset(model = Post, sort(password))] // error: cannot find `password` in module `post`
//! struct PostFilter { #[filter(eq)] title: String }
//! ```
//! ```text
//! #[derive(FilterSet)]
//! #[filterset(model = User)]
//! struct UserFilter { #[filter(startswith)] password: String } // error: a secret is not filtered
//! ```

use std::fmt;

use crate::{Comparable, Error, ErrorKind, Executor, Field, Model, OrderBy, Page, Predicate, Query, Result};

/// The declaration of what may be asked; written by `#[derive(FilterSet)]`.
pub trait FilterSet: 'static {
    /// The model whose rows are filtered.
    type Model: Model;
    /// The parameters.
    const PARAMETERS: &'static [Parameter<Self::Model>];
    /// The sort keys.
    const SORT: &'static [SortKey<Self::Model>];
    /// How many rows a page has that does not say.
    const PER_PAGE: u32;
    /// How many rows a page has at most.
    const MAX_PER_PAGE: u32;
}

/// A parameter with what it means.
pub struct Parameter<M> {
    name: &'static str,
    read: fn(&str) -> Result<Predicate<M>, Unreadable>,
}

impl<M> Parameter<M> {
    /// Declares a parameter.
    pub const fn new(name: &'static str, read: fn(&str) -> Result<Predicate<M>, Unreadable>) -> Self {
        Parameter { name, read }
    }
}

/// A sort key with the column it means.
pub struct SortKey<M> {
    name: &'static str,
    order: fn() -> OrderBy<M>,
}

impl<M: Model> SortKey<M> {
    /// Declares a sort key.
    pub const fn new<C: crate::Column<Model = M>>(name: &'static str, _: Field<C>) -> Self
    where
        C::Type: Comparable,
    {
        SortKey { name, order: || Field::<C>::new().asc() }
    }
}

/// Reads `a,b,c`.
///
/// # Errors
/// Fails for more than 50 items, and for one that cannot be read.
#[doc(hidden)]
pub fn list<T>(text: &str, read: fn(&str) -> Result<T, Unreadable>) -> Result<Vec<T>, Unreadable> {
    if text.split(',').nth(MAX_ITEMS).is_some() {
        return Err(Unreadable::TooMany);
    }
    text.split(',').map(read).collect()
}

/// Reads what a text is to contain; too long a one is refused, since a cut one would find more than was asked for.
///
/// # Errors
/// Fails for more than 256 letters, and for a NUL.
#[doc(hidden)]
pub fn pattern(text: &str) -> Result<&str, Unreadable> {
    match text {
        text if text.chars().nth(MAX_PATTERN).is_some() => Err(Unreadable::TooLong),
        text if text.contains('\0') => Err(Unreadable::Value),
        text => Ok(text),
    }
}

/// What was asked for, read and bounded.
pub struct Filter<F: FilterSet> {
    predicates: Vec<Predicate<F::Model>>,
    order: Option<OrderBy<F::Model>>,
    page: u32,
    per_page: u32,
}

impl<F: FilterSet> Filter<F> {
    /// Reads the parameters of a query string.
    ///
    /// # Errors
    /// Fails if a parameter is not declared, not readable, too long or given twice: answer with 400.
    pub fn parse<K: AsRef<str>, V: AsRef<str>>(
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Filter<F>, FilterError> {
        let mut filter = Filter { predicates: Vec::new(), order: None, page: 1, per_page: F::PER_PAGE };
        let mut seen: Vec<String> = Vec::new();
        for (name, text) in pairs {
            let (name, text) = (name.as_ref(), text.as_ref());
            let refuse = |reason| FilterError::new(name, reason);
            if seen.iter().any(|known| known == name) {
                return Err(refuse(Unreadable::Repeated));
            }
            if seen.len() == MAX_PARAMETERS {
                return Err(refuse(Unreadable::TooMany));
            }
            seen.push(name.to_owned());
            filter.read(name, text).map_err(refuse)?;
        }
        Ok(filter)
    }

    fn read(&mut self, name: &str, text: &str) -> Result<(), Unreadable> {
        let empty = text.is_empty();
        match name {
            "sort" if empty => {}
            "page" | "per_page" if empty => {}
            "sort" => self.order = Some(Self::order(text)?),
            "page" => self.page = number(text, MAX_PAGE)?,
            "per_page" => self.per_page = number(text, u32::MAX)?.min(F::MAX_PER_PAGE),
            name => {
                let parameter = F::PARAMETERS.iter().find(|parameter| parameter.name == name);
                let parameter = parameter.ok_or(Unreadable::Unknown)?;
                if !empty {
                    self.predicates.push((parameter.read)(text)?);
                }
            }
        }
        Ok(())
    }

    fn order(text: &str) -> Result<OrderBy<F::Model>, Unreadable> {
        let name = text.strip_prefix('-').unwrap_or(text);
        let key = F::SORT.iter().find(|key| key.name == name).ok_or(Unreadable::Value)?;
        let order = (key.order)();
        Ok(if name.len() < text.len() { order.reversed() } else { order })
    }

    /// Returns the page that was asked for, of the rows of `base`.
    ///
    /// The filters are added to those of `base` and cannot widen it. `order` sorts what was not asked to be sorted
    /// otherwise, and what that leaves equal; the primary key makes the rest definite.
    ///
    /// # Errors
    /// Fails if `base` has a limit, and if the database fails.
    pub async fn run<'a>(
        self,
        base: Query<F::Model>,
        order: OrderBy<F::Model>,
        db: &'a crate::Db,
    ) -> Result<Page<F::Model>>
    where
        &'a crate::Db: Executor,
        <<F::Model as Model>::Key as crate::Column>::Type: Comparable,
    {
        if base.limit.is_some() || base.offset > 0 {
            return Err(Error::misuse(
                "the page decides on limit and offset: leave them out of the base query",
            ));
        }
        let mut query = self.predicates.into_iter().fold(base, Query::filter);
        let key = Field::<<F::Model as Model>::Key>::new().asc();
        query.order = self.order.into_iter().chain([order, key]).collect();
        crate::page::numbered(query, self.page, self.per_page, db).await
    }
}

impl<F: FilterSet> fmt::Debug for Filter<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filter")
            .field("predicates", &self.predicates.len())
            .field("order", &self.order)
            .field("page", &self.page)
            .field("per_page", &self.per_page)
            .finish()
    }
}

fn number(text: &str, most: u32) -> Result<u32, Unreadable> {
    let number = u32::try_from(<i64 as Comparable>::parse(text)?).map_err(|_| Unreadable::OutOfRange)?;
    if number == 0 || number > most { Err(Unreadable::OutOfRange) } else { Ok(number) }
}

/// A parameter that was refused, and why: the material of a 400.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    parameter: String,
    reason: Unreadable,
}

impl FilterError {
    fn new(parameter: &str, reason: Unreadable) -> FilterError {
        FilterError { parameter: parameter.chars().take(MAX_NAME_SHOWN).collect(), reason }
    }

    /// Returns the name of the parameter, as it was sent, but no more than 64 letters of it: escape it.
    pub fn parameter(&self) -> &str {
        &self.parameter
    }

    /// Returns why it was refused.
    pub fn reason(&self) -> Unreadable {
        self.reason
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "parameter {:?} {}", self.parameter, self.reason)
    }
}

impl std::error::Error for FilterError {}

impl From<FilterError> for Error {
    fn from(error: FilterError) -> Error {
        Error::new(ErrorKind::Filter(error))
    }
}

/// Why a text from outside was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unreadable {
    /// There is no such parameter.
    Unknown,
    /// It was given more than once.
    Repeated,
    /// It does not hold a value of its type.
    Value,
    /// It is longer than allowed.
    TooLong,
    /// There are more values or parameters than allowed.
    TooMany,
    /// The number is not in the range that is allowed.
    OutOfRange,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unreadable::Unknown => "is not known",
            Unreadable::Repeated => "is given more than once",
            Unreadable::Value => "does not hold a value that it can have",
            Unreadable::TooLong => "is too long",
            Unreadable::TooMany => "is one too many, or holds too many values",
            Unreadable::OutOfRange => "is out of range",
        })
    }
}

impl<M> fmt::Debug for Parameter<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Parameter").field(&self.name).finish()
    }
}

impl<M> fmt::Debug for SortKey<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SortKey").field(&self.name).finish()
    }
}

/// As many parameters as a query string has at most.
const MAX_PARAMETERS: usize = 32;
/// As many values as one list from outside has at most.
const MAX_ITEMS: usize = 50;
/// As many letters as are searched for inside a text.
const MAX_PATTERN: usize = 256;
/// Deeper pages cost the database all the rows before them.
const MAX_PAGE: u32 = 1000;
const MAX_NAME_SHOWN: usize = 64;
