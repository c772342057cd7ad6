//! A statement: text that only this crate can write, and the values bound to it.
//!
//! **Architecture invariant:** the text of a [`Statement`] grows by `&'static str` only, from inside this crate: its
//! own literals and the consts that the compiler checked. A [`Value`] becomes a placeholder, never text.

use std::{borrow::Cow, fmt};

use crate::{Error, Result, Value, error::Invalid, few::Values};

/// The two engines, whose SQL differs in places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Engine {
    /// SQLite, inside the program.
    Sqlite,
    /// PostgreSQL, behind a socket.
    Postgres,
}

/// Whether a statement changes the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Runs on a connection that cannot write.
    Read,
    /// Runs on the one connection of SQLite that can.
    Write,
}

/// How much of an answer the caller wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    All,
    First,
}

/// A statement with its values, ready to run.
pub struct Statement {
    text: Cow<'static, str>,
    values: Values,
    access: Access,
    wanted: Wanted,
}

#[allow(dead_code, reason = "the builder and the macros are the callers")]
impl Statement {
    /// Starts an empty statement that only reads.
    pub(crate) fn read() -> Statement {
        Statement::start("", 160)
    }

    /// Starts a statement that reads with a const of the compiler.
    pub(crate) fn reading(head: &'static str) -> Statement {
        Statement::start(head, head.len() + 128)
    }

    fn start(head: &'static str, room: usize) -> Statement {
        let mut text = String::with_capacity(room);
        text.push_str(head);
        Statement { text: Cow::Owned(text), values: Values::None, access: Access::Read, wanted: Wanted::All }
    }

    /// Starts an empty statement that writes.
    pub(crate) fn write() -> Statement {
        Statement { access: Access::Write, ..Statement::read() }
    }

    /// Makes a statement of a whole text, checked by the compiler, whose placeholders are `$1`, `$2` … in the order
    /// of `values`.
    pub(crate) fn from_const(text: &'static str, values: impl Into<Values>, access: Access) -> Statement {
        Statement { text: Cow::Borrowed(text), values: values.into(), access, wanted: Wanted::All }
    }

    /// Lets a statement that reads end with its first row.
    pub(crate) fn first(mut self) -> Statement {
        self.wanted = Wanted::First;
        self
    }

    /// Appends text of this crate, or a const that the compiler checked.
    #[inline]
    pub(crate) fn push_literal(&mut self, text: &'static str) -> &mut Self {
        self.text.to_mut().push_str(text);
        self
    }

    /// Appends the name of a table or a column, quoted.
    ///
    /// The name is a const that was checked at compile time to be `[a-z_][a-z0-9_]*`, so it holds no quote.
    pub(crate) fn push_identifier(&mut self, name: &'static str) -> &mut Self {
        let text = self.text.to_mut();
        text.push('"');
        text.push_str(name);
        text.push('"');
        self
    }

    /// Appends a placeholder and binds a value to it.
    pub(crate) fn bind(&mut self, value: Value) -> &mut Self {
        self.values.push(value);
        let (text, number) = (self.text.to_mut(), self.values.len());
        match PLACEHOLDERS.get(number - 1) {
            Some(placeholder) => text.push_str(placeholder),
            None => {
                text.push('$');
                push_number(text, number);
            }
        }
        self
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn values(&self) -> &[Value] {
        self.values.as_slice()
    }

    pub(crate) fn access(&self) -> Access {
        self.access
    }

    /// Whether the answer may end with its first row; what writes is always run to its end.
    pub(crate) fn ends_early(&self) -> bool {
        self.wanted == Wanted::First && self.access == Access::Read
    }

    /// Refuses values that no engine stores as they are.
    pub(crate) fn validate(&self) -> Result<()> {
        self.values().iter().try_for_each(refuse_nul)
    }
}

/// SQLite's text functions and `LIKE` stop at a NUL, so a filter would match other rows than it says; PostgreSQL
/// refuses the byte with a server error. Both are prevented here, the same way.
fn refuse_nul(value: &Value) -> Result<()> {
    let found = match value {
        Value::Text(text) => text.as_bytes().contains(&0),
        Value::Json(document) => json_has_nul(document),
        Value::Array(items) => return items.iter().try_for_each(refuse_nul),
        _ => false,
    };
    if found { Err(Error::invalid(Invalid::Nul)) } else { Ok(()) }
}

fn json_has_nul(document: &serde_json::Value) -> bool {
    match document {
        serde_json::Value::String(text) => text.contains('\0'),
        serde_json::Value::Array(items) => items.iter().any(json_has_nul),
        serde_json::Value::Object(fields) => {
            fields.iter().any(|(name, value)| name.contains('\0') || json_has_nul(value))
        }
        _ => false,
    }
}

/// The placeholders of most statements, as one piece each.
const PLACEHOLDERS: [&str; 9] = ["$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9"];

/// Appends a small number without the machinery of `format!`, which costs more than the rest of `bind`.
fn push_number(text: &mut String, number: usize) {
    if number >= 10 {
        push_number(text, number / 10);
    }
    let digit = u8::try_from(number % 10).expect("a remainder of ten fits");
    text.push(char::from(b'0' + digit));
}

impl fmt::Debug for Statement {
    /// Shows the text and how many values there are, but not the values: a password may be among them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Statement")
            .field("text", &self.text)
            .field("values", &self.values.len())
            .field("access", &self.access)
            .finish()
    }
}
