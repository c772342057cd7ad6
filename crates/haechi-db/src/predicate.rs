//! Conditions on the rows of one model, and the order they come in.

use std::{fmt, marker::PhantomData};

use crate::{
    Column, Comparable, Engine, Error, FromValue, Result, Statement, ToValue, Value, column::Checked,
    filter_set::Unreadable,
};

/// A condition on the rows of `M`, made by the methods of its columns and relations.
///
/// It cannot be made from text, and one for another model does not fit:
///
/// ```text
/// let input = String::from("x");
/// Post::query().filter(format!("title = '{input}'")); // error: expected `Predicate`, found `String`
/// ```
/// ```text
/// Post::query().filter(other::id.eq(1)); // error: expected `Predicate<Post>`, found `Predicate<Other>`
/// ```
/// ```text
/// Predicate::<Post>::new(todo!()); // error: private
/// ```
#[must_use]
pub struct Predicate<M> {
    pub(crate) node: Node,
    model: PhantomData<fn() -> M>,
}

impl<M> Predicate<M> {
    pub(crate) fn new(node: Node) -> Self {
        Predicate { node, model: PhantomData }
    }

    /// Holds where both hold.
    pub fn and(self, other: Self) -> Self {
        Predicate::new(Node::All(vec![self.node, other.node]))
    }

    /// Holds where one of both holds.
    pub fn or(self, other: Self) -> Self {
        Predicate::new(Node::Any(vec![self.node, other.node]))
    }
}

/// Holds where the condition does not; as everywhere in SQL, a comparison with nothing holds in neither case.
impl<M> std::ops::Not for Predicate<M> {
    type Output = Self;
    fn not(self) -> Self {
        Predicate::new(Node::Not(Box::new(self.node)))
    }
}

impl<M> Clone for Predicate<M> {
    fn clone(&self) -> Self {
        Predicate::new(self.node.clone())
    }
}

impl<M> fmt::Debug for Predicate<M> {
    /// Shows the shape, not the values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Predicate")
    }
}

/// A way to compare; there is no way to name another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// With the quote that ends the column's name before it: each piece of a text costs as much as its letters.
    const fn text(self) -> &'static str {
        match self {
            Comparison::Equal => "\" = ",
            Comparison::NotEqual => "\" <> ",
            Comparison::Less => "\" < ",
            Comparison::LessOrEqual => "\" <= ",
            Comparison::Greater => "\" > ",
            Comparison::GreaterOrEqual => "\" >= ",
        }
    }
}

#[derive(Clone)]
pub(crate) enum Node {
    Compare(&'static str, Comparison, Value),
    In(&'static str, Vec<Value>),
    Contains(&'static str, String),
    StartsWith(&'static str, String),
    Null(&'static str),
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    /// A row of `table` whose `inner` column equals our `outer` one and that fits the filters.
    Exists {
        table: &'static str,
        outer: &'static str,
        inner: &'static str,
        filters: Vec<Node>,
    },
    /// What was wrong when the condition was built; it comes out when the statement is.
    Fault(Error),
}

/// A statement being written for one engine.
pub(crate) struct Render {
    pub(crate) statement: Statement,
    pub(crate) engine: Engine,
}

impl Render {
    pub(crate) fn read(engine: Engine) -> Render {
        Render { statement: Statement::read(), engine }
    }

    pub(crate) fn reading(head: &'static str, engine: Engine) -> Render {
        Render { statement: Statement::reading(head), engine }
    }

    pub(crate) fn write(engine: Engine) -> Render {
        Render { statement: Statement::write(), engine }
    }

    #[inline]
    pub(crate) fn text(&mut self, text: &'static str) -> &mut Self {
        self.statement.push_literal(text);
        self
    }

    pub(crate) fn name(&mut self, name: &'static str) -> &mut Self {
        self.statement.push_identifier(name);
        self
    }

    pub(crate) fn bind(&mut self, value: Value) -> &mut Self {
        self.statement.bind(value);
        self
    }

    /// `t0."title"`: every table has an alias, so that a relation to the same table is not ambiguous.
    pub(crate) fn column(&mut self, alias: Alias, name: &'static str) -> &mut Self {
        self.text(alias.before_column).text(name).text("\"")
    }

    pub(crate) fn table(&mut self, name: &'static str, alias: Alias) -> &mut Self {
        self.name(name).text(" as ").text(alias.name)
    }

    /// Writes the items with `separator` between them.
    pub(crate) fn list<T>(
        &mut self,
        separator: &'static str,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Render, T) -> Result<()>,
    ) -> Result<&mut Self> {
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.text(separator);
            }
            write(self, item)?;
        }
        Ok(self)
    }

    pub(crate) fn filters<'a>(
        &mut self,
        word: &'static str,
        nodes: impl IntoIterator<Item = &'a Node>,
        alias: Alias,
    ) -> Result<&mut Self> {
        for (index, node) in nodes.into_iter().enumerate() {
            self.text(if index == 0 { word } else { " and " });
            node.render(self, alias)?;
        }
        Ok(self)
    }
}

/// The name of a table inside one statement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Alias {
    name: &'static str,
    /// The name, a dot, and the quote that begins the name of a column.
    before_column: &'static str,
}

impl Alias {
    pub(crate) const FIRST: Alias = ALIASES[0];
    pub(crate) const SECOND: Alias = ALIASES[1];

    const fn new(name: &'static str, before_column: &'static str) -> Alias {
        Alias { name, before_column }
    }

    fn deeper(self) -> Result<Alias> {
        let next = ALIASES.iter().skip_while(|alias| alias.name != self.name).nth(1);
        next.copied().ok_or_else(|| Error::misuse("relations are nested more than seven deep"))
    }
}

const ALIASES: [Alias; 8] = [
    Alias::new("t0", "t0.\""),
    Alias::new("t1", "t1.\""),
    Alias::new("t2", "t2.\""),
    Alias::new("t3", "t3.\""),
    Alias::new("t4", "t4.\""),
    Alias::new("t5", "t5.\""),
    Alias::new("t6", "t6.\""),
    Alias::new("t7", "t7.\""),
];

impl Node {
    pub(crate) fn render(&self, out: &mut Render, alias: Alias) -> Result<()> {
        match self {
            Node::Compare(column, Comparison::Equal, Value::Null) => {
                out.column(alias, column).text(" is null");
            }
            Node::Compare(column, Comparison::NotEqual, Value::Null) => {
                out.column(alias, column).text(" is not null");
            }
            Node::Compare(column, comparison, value) => {
                out.text(alias.before_column).text(column).text(comparison.text()).bind(value.clone());
            }
            Node::In(_, values) if values.is_empty() => {
                out.text("1 = 0");
            }
            Node::In(column, values) => {
                out.column(alias, column).text(" in (");
                out.list(", ", padded(values), |out, value| {
                    out.bind(value.clone());
                    Ok(())
                })?;
                out.text(")");
            }
            Node::Contains(column, part) => contains(out, alias, column, part),
            Node::StartsWith(column, part) => {
                let part = || Value::Text(part.clone());
                out.text("substr(").column(alias, column).text(", 1, length(cast(").bind(part());
                out.text(" as text))) = ").bind(part());
            }
            Node::Null(column) => {
                out.column(alias, column).text(" is null");
            }
            Node::All(nodes) => group(out, alias, nodes, " and ", "1 = 1")?,
            Node::Any(nodes) => group(out, alias, nodes, " or ", "1 = 0")?,
            Node::Not(node) => {
                out.text("not (");
                node.render(out, alias)?;
                out.text(")");
            }
            Node::Exists { table, outer, inner, filters } => {
                let below = alias.deeper()?;
                out.text("exists (select 1 from ").table(table, below).text(" where ");
                out.column(below, inner).text(" = ").column(alias, outer);
                out.filters(" and ", filters, below)?.text(")");
            }
            Node::Fault(error) => return Err(error.clone()),
        }
        Ok(())
    }
}

/// `like` would need escapes, ignores the case of ASCII on SQLite and none on PostgreSQL; this is exact on both.
fn contains(out: &mut Render, alias: Alias, column: &'static str, part: &str) {
    let function = match out.engine {
        Engine::Sqlite => "instr(",
        Engine::Postgres => "strpos(",
    };
    out.text(function).column(alias, column).text(", ").bind(Value::Text(part.to_owned())).text(") > 0");
}

fn group(
    out: &mut Render,
    alias: Alias,
    nodes: &[Node],
    separator: &'static str,
    empty: &'static str,
) -> Result<()> {
    if nodes.is_empty() {
        out.text(empty);
        return Ok(());
    }
    out.text("(");
    out.list(separator, nodes, |out, node| node.render(out, alias))?.text(")");
    Ok(())
}

/// Repeats the last value up to a power of two, so that lists of all lengths share eleven prepared statements.
fn padded(values: &[Value]) -> impl Iterator<Item = &Value> {
    let missing = values.len().next_power_of_two() - values.len();
    values.iter().chain(values.last().into_iter().cycle().take(missing))
}

/// A sort key: a column and a direction, both known when the program is compiled.
///
/// ```text
/// let input = String::from("id desc");
/// Post::query().order_by(&*input); // error: expected `OrderBy<Post>`, found `&str`
/// ```
#[must_use]
pub struct OrderBy<M> {
    pub(crate) column: &'static str,
    pub(crate) descending: bool,
    pub(crate) nullable: bool,
    pub(crate) parse: fn(&str) -> Result<Value, Unreadable>,
    pub(crate) value: fn(&M) -> Result<Value>,
}

impl<M> OrderBy<M> {
    pub(crate) fn new<C: Column<Model = M>>(descending: bool) -> Self
    where
        C::Type: Comparable,
    {
        OrderBy {
            column: Checked::<C>::NAME,
            descending,
            nullable: <C::Type as FromValue>::TYPE.is_nullable(),
            parse: |text| <C::Type as Comparable>::parse(text)?.to_value().map_err(|_| Unreadable::Value),
            value: |row| C::of(row).clone().to_value(),
        }
    }

    /// Turns the direction round.
    pub fn reversed(mut self) -> Self {
        self.descending = !self.descending;
        self
    }

    pub(crate) fn render(&self, out: &mut Render, alias: Alias) {
        out.column(alias, self.column).text(match (self.descending, self.nullable) {
            (false, false) => " asc",
            (true, false) => " desc",
            (false, true) => " asc nulls first",
            (true, true) => " desc nulls last",
        });
    }
}

impl<M> Clone for OrderBy<M> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<M> Copy for OrderBy<M> {}

impl<M> fmt::Debug for OrderBy<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrderBy").field("column", &self.column).field("descending", &self.descending).finish()
    }
}
