//! Pages: numbered ones for people, and by key for lists without an end.

use std::{fmt, marker::PhantomData, str::FromStr};

use serde::Serialize;

use crate::{
    Column, Comparable, Count, Db, Error, Executor, Field, Model, OrderBy, Query, Result, Value,
    column::unhex,
    predicate::{Comparison, Node},
    query::{MAX_LIMIT, fetch},
};

/// One of the numbered pages of a list.
#[derive(Clone, Debug, Serialize)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Its number, from 1.
    pub page: u32,
    /// How many rows a page has.
    pub per_page: u32,
    /// Whether rows follow.
    pub has_next: bool,
    /// How many rows there are on all pages, counted up to 10,000.
    pub total: Count,
}

/// Reads one row more than the page has, to learn whether there is a next one.
pub(crate) async fn numbered<M: Model>(
    mut query: Query<M>,
    page: u32,
    per_page: u32,
    db: &Db,
) -> Result<Page<M>> {
    query.offset = page.saturating_sub(1).saturating_mul(per_page);
    let before = query.offset;
    let mut items = fetch(query.limited(db.engine(), per_page + 1), db, M::from_row).await?;
    let found = u32::try_from(items.len()).unwrap_or(u32::MAX);
    let has_next = found > per_page;
    items.truncate(usize::try_from(per_page).unwrap_or(usize::MAX));
    let known = !has_next && (found > 0 || before == 0);
    let total =
        if known { Count::Exactly(u64::from(before) + u64::from(found)) } else { query.count(db).await? };
    Ok(Page { items, page, per_page, has_next, total })
}

/// A part of a list, and where the next part starts.
#[derive(Clone, Debug)]
pub struct KeysetPage<M> {
    /// The rows.
    pub items: Vec<M>,
    /// Where the next part starts, if rows follow.
    pub next: Option<Cursor<M>>,
}

impl<M: Model> Query<M>
where
    <M::Key as Column>::Type: Comparable,
{
    /// Returns the `size` rows that follow `after`, in the order of the query and then of the primary key.
    ///
    /// Unlike an offset it costs the same at any depth, if an index has that order, and neither repeats nor misses a
    /// row when others are inserted meanwhile.
    ///
    /// ```no_run
    /// # use haechi_db::{Cursor, Db, Model, Result};
    /// # #[derive(Model)] struct Post { id: i64, created: i64 }
    /// # async fn sample(db: &Db, sent: Option<&str>) -> Result<()> {
    /// let after: Option<Cursor<Post>> = sent.map(str::parse).transpose()?;
    /// let part = Post::query().order_by(post::created.desc()).keyset(50, after.as_ref(), db).await?;
    /// let link = part.next.map(|cursor| format!("/posts?after={cursor}"));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Fails with a validation error if the cursor belongs to a list with another order; with
    /// [`ErrorKind::Misuse`](crate::ErrorKind::Misuse) if the query has an offset or sorts by a column that may have no value.
    ///
    /// # Security
    /// A cursor shows the values it was made of to whoever gets it, and can be forged: it says where to start, the
    /// filters still say which rows there are.
    pub async fn keyset(
        mut self,
        size: u32,
        after: Option<&Cursor<M>>,
        db: impl Executor,
    ) -> Result<KeysetPage<M>> {
        let key = Field::<M::Key>::new().asc();
        if !self.order.iter().any(|order| order.column == key.column) {
            let descending = self.order.last().is_some_and(|order| order.descending);
            self.order.push(if descending { key.reversed() } else { key });
        }
        if self.offset > 0 || self.limit.is_some() || self.order.iter().any(|order| order.nullable) {
            return Err(Error::misuse(
                "a keyset has no offset or limit, and sorts by columns that have a value",
            ));
        }
        if let Some(cursor) = after {
            let start = cursor.start(&self.order)?;
            self.filters.push(start);
        }
        let size = size.clamp(1, MAX_LIMIT);
        let mut items = fetch(self.limited(db.engine(), size + 1), db, M::from_row).await?;
        let kept = usize::try_from(size).unwrap_or(usize::MAX);
        let follows = items.len() > kept;
        items.truncate(kept);
        let last = items.last().filter(|_| follows);
        let next = last.map(|row| Cursor::at(row, &self.order)).transpose()?;
        Ok(KeysetPage { items, next })
    }
}

/// A place in a list: the values of the sort keys of the row before it.
///
/// It is written with hexadecimal digits, so it stands in a URL as it is.
pub struct Cursor<M> {
    /// The sort keys with their directions, and one value for each.
    order: String,
    values: Vec<String>,
    model: PhantomData<fn() -> M>,
}

impl<M: Model> Cursor<M> {
    fn at(row: &M, order: &[OrderBy<M>]) -> Result<Self> {
        let values = order.iter().map(|order| written((order.value)(row)?)).collect::<Result<_>>()?;
        Ok(Cursor { order: signature(order), values, model: PhantomData })
    }

    /// The rows behind: greater in the first key, or equal there and greater in the second, and so on.
    fn start(&self, order: &[OrderBy<M>]) -> Result<Node> {
        if self.order != signature(order) || self.values.len() != order.len() {
            return Err(Error::rule("the cursor belongs to another list"));
        }
        let unreadable = |_| Error::rule("the cursor cannot be read");
        let values =
            order.iter().zip(&self.values).map(|(order, text)| (order.parse)(text).map_err(unreadable));
        let values = values.collect::<Result<Vec<Value>>>()?;
        let mut alternatives = Vec::new();
        for (index, order_here) in order.iter().enumerate() {
            let equal = order.iter().zip(&values).take(index);
            let mut together: Vec<Node> = equal
                .map(|(order, value)| Node::Compare(order.column, Comparison::Equal, value.clone()))
                .collect();
            let beyond = if order_here.descending { Comparison::Less } else { Comparison::Greater };
            together.push(Node::Compare(order_here.column, beyond, values[index].clone()));
            alternatives.push(Node::All(together));
        }
        Ok(Node::Any(alternatives))
    }
}

fn signature<M>(order: &[OrderBy<M>]) -> String {
    order
        .iter()
        .map(|order| format!("{}{}", if order.descending { '-' } else { '+' }, order.column))
        .collect()
}

/// Writes a value as [`Comparable::parse`] reads it.
fn written(value: Value) -> Result<String> {
    Ok(match value {
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::Text(value) => value,
        Value::Timestamp(value) => value.to_string(),
        Value::DateTime(value) => value.to_string(),
        Value::Date(value) => value.to_string(),
        Value::Time(value) => value.to_string(),
        Value::Uuid(value) => value.to_string(),
        Value::Decimal(value) => value.to_string(),
        Value::Bytes(value) => hex(&value),
        Value::Null | Value::Json(_) | Value::Array(_) => {
            return Err(Error::misuse("a keyset cannot be sorted by such a column"));
        }
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl<M> fmt::Display for Cursor<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let document = serde_json::json!([self.order, self.values]).to_string();
        f.write_str(&hex(document.as_bytes()))
    }
}

impl<M> FromStr for Cursor<M> {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let read = || {
            let bytes = unhex(text).filter(|_| text.len() <= MAX_CURSOR)?;
            serde_json::from_slice::<(String, Vec<String>)>(&bytes).ok()
        };
        let (order, values) = read().ok_or_else(|| Error::rule("the cursor cannot be read"))?;
        Ok(Cursor { order, values, model: PhantomData })
    }
}

impl<M> Clone for Cursor<M> {
    fn clone(&self) -> Self {
        Cursor { order: self.order.clone(), values: self.values.clone(), model: PhantomData }
    }
}

impl<M> fmt::Debug for Cursor<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cursor").field("order", &self.order).finish_non_exhaustive()
    }
}

/// As long as a cursor from outside may be; it holds the hexadecimal form of a few values.
const MAX_CURSOR: usize = 8192;
