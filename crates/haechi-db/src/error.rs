//! What can go wrong between a caller and the database, as kinds a caller can act on.
//!
//! The drivers' own messages quote the statement and the values in it, so no driver error is ever kept as a
//! [`source`](std::error::Error::source): an [`Error`] can be logged or shown without leaking either. The log gets
//! the database's error code and the name of the constraint, nothing more.

use std::{fmt, time::Duration};

use crate::Type;

/// The result of every fallible function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failed database operation.
///
/// Its text names kinds, tables, columns and constraints: never SQL, never a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Error(Box<ErrorKind>);

/// Why an operation failed.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Exactly one row was asked for, and there is none.
    NotFound,
    /// A row with the same unique value exists already.
    UniqueViolation(Violation),
    /// A row that is pointed to does not exist, or a row that is still pointed to was deleted.
    ForeignKeyViolation(Violation),
    /// A column that must have a value was given none.
    NotNullViolation(Violation),
    /// A `CHECK` of the table refused the row.
    CheckViolation(Violation),
    /// A value does not fit: out of range, a NUL in text, too long, of another type than the column.
    Validation(Invalid),
    /// A column of the answer does not hold what the program expects there.
    Decode {
        /// The position of the column, from 0.
        column: usize,
        /// What the program wanted to read.
        expected: Type,
    },
    /// The statement or the transaction took longer than its deadline and was rolled back.
    Timeout,
    /// Another transaction was in the way, and the whole transaction may be tried again.
    Conflict,
    /// Too many callers wait for this database already.
    Busy,
    /// The database cannot be reached.
    Unavailable {
        /// When to try again.
        retry_after: Duration,
    },
    /// The server of the database did not prove who it is, or does not encrypt: nothing was sent to it.
    Untrusted(&'static str),
    /// The disk of the database is full: nothing of this statement was stored.
    Full,
    /// The transaction was ended, or the [`Db`](crate::Db) was closed, before this statement.
    Closed,
    /// The lock-down of the connection refused the statement.
    Forbidden,
    /// The statement does not fit the schema: a table or a column is missing, or the text is not valid SQL.
    Statement,
    /// The database URL or an option is not usable.
    Configuration(&'static str),
    /// The program asked for what the builder refuses, such as a deletion without a filter: a defect of the program.
    Misuse(&'static str),
    /// A parameter from outside that a [`FilterSet`](crate::FilterSet) refused.
    Filter(crate::FilterError),
    /// A migration cannot be applied.
    Migration(MigrationFault),
    /// Anything else; the code is SQLite's extended result code or PostgreSQL's SQLSTATE.
    Database(Code),
}

/// What the database said about a broken constraint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Violation {
    /// The table, where the database names it.
    pub table: Option<String>,
    /// The columns, where the database names them.
    pub columns: Vec<String>,
    /// The constraint's name, where the database names it.
    pub constraint: Option<String>,
}

impl Violation {
    /// Returns the column, if the constraint is on exactly one: the field of a form to mark.
    pub fn field(&self) -> Option<&str> {
        match self.columns.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    /// Returns whether the constraint covers `column`.
    pub fn involves(&self, column: &str) -> bool {
        self.columns.iter().any(|name| name == column)
    }
}

/// Why a value was refused before it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Invalid {
    /// Text with a NUL character, which SQLite would cut and PostgreSQL refuses.
    Nul,
    /// A number or time outside the range of the column.
    OutOfRange(Type),
    /// A value that the column's type cannot hold.
    Type(Type),
    /// A value that this database cannot hold at all, such as an array on SQLite.
    Unsupported(&'static str),
    /// More than the longest value or statement that is allowed.
    TooLong,
    /// A rule of the caller's; the text says which.
    Rule(&'static str),
}

/// Why migrations stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MigrationFault {
    /// A migration that was applied has another text now.
    Changed {
        /// The app it belongs to.
        app: String,
        /// Its name.
        name: String,
    },
    /// The database holds a migration that this program does not know: the program is older than the database.
    Unknown {
        /// The app it belongs to.
        app: String,
        /// Its name.
        name: String,
    },
    /// An app needs another one that is not among the migrations.
    Requires {
        /// The app that needs.
        app: String,
        /// The app that is missing, or that stands in a circle with it.
        needs: String,
    },
    /// A migration failed and was rolled back.
    Failed {
        /// The app it belongs to.
        app: String,
        /// Its name.
        name: String,
        /// What the database objected to.
        code: Code,
    },
    /// There are migrations to apply.
    Pending {
        /// How many.
        count: usize,
    },
    /// Tables that stand in the database differ from what is needed; each line is one difference.
    Differs(Vec<String>),
}

/// The database's own error code.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Code {
    /// SQLite's extended result code.
    Sqlite(i32),
    /// PostgreSQL's SQLSTATE.
    Postgres(String),
    /// No code: the driver itself failed.
    Driver,
}

impl Error {
    /// Makes an error of a kind.
    pub fn new(kind: ErrorKind) -> Error {
        Error(Box::new(kind))
    }

    /// Makes a validation error of the caller's own; the text is shown to whoever sent the value.
    pub fn rule(rule: &'static str) -> Error {
        Error::invalid(Invalid::Rule(rule))
    }

    pub(crate) fn invalid(reason: Invalid) -> Error {
        Error::new(ErrorKind::Validation(reason))
    }

    pub(crate) fn misuse(what: &'static str) -> Error {
        Error::new(ErrorKind::Misuse(what))
    }

    pub(crate) fn unavailable() -> Error {
        Error::new(ErrorKind::Unavailable { retry_after: RETRY_AFTER })
    }

    /// Returns why the operation failed.
    pub fn kind(&self) -> &ErrorKind {
        &self.0
    }

    /// Returns the broken unique constraint, if that is what happened.
    pub fn unique_violation(&self) -> Option<&Violation> {
        match self.kind() {
            ErrorKind::UniqueViolation(violation) => Some(violation),
            _ => None,
        }
    }

    /// Returns whether a row that was asked for does not exist: a 404.
    pub fn is_not_found(&self) -> bool {
        matches!(self.kind(), ErrorKind::NotFound)
    }

    /// Returns whether the value itself is at fault: a 400.
    pub fn is_validation(&self) -> bool {
        matches!(self.kind(), ErrorKind::Validation(_) | ErrorKind::Filter(_))
    }

    /// Returns whether the whole transaction may succeed when it is run again.
    pub fn is_conflict(&self) -> bool {
        matches!(self.kind(), ErrorKind::Conflict)
    }

    /// Returns after which time to try again, if the database is down, too busy or full: a 503 with `Retry-After`.
    pub fn retry_after(&self) -> Option<Duration> {
        match self.kind() {
            ErrorKind::Unavailable { retry_after } => Some(*retry_after),
            ErrorKind::Busy
            | ErrorKind::Timeout
            | ErrorKind::Full
            | ErrorKind::Conflict
            | ErrorKind::Untrusted(_) => Some(RETRY_AFTER),
            _ => None,
        }
    }

    /// Says at which column a value did not fit; [`Row::take`](crate::Row::take) knows it, the type does not.
    pub(crate) fn at_column(mut self, index: usize) -> Error {
        if let ErrorKind::Decode { column, .. } = self.0.as_mut() {
            *column = index;
        }
        self
    }
}

impl From<Error> for ErrorKind {
    fn from(error: Error) -> ErrorKind {
        *error.0
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Error {
        Error::new(kind)
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            ErrorKind::NotFound => f.write_str("no such row"),
            ErrorKind::UniqueViolation(v) => write!(f, "a row with the same value exists already{v}"),
            ErrorKind::ForeignKeyViolation(v) => write!(f, "a row that this one depends on is missing{v}"),
            ErrorKind::NotNullViolation(v) => write!(f, "a value is missing{v}"),
            ErrorKind::CheckViolation(v) => write!(f, "a value breaks a rule of its table{v}"),
            ErrorKind::Validation(reason) => reason.fmt(f),
            ErrorKind::Decode { column, expected } => {
                write!(
                    f,
                    "column {column} of the answer does not hold {expected}; compare the schema with the program"
                )
            }
            ErrorKind::Timeout => {
                f.write_str("the database took longer than the deadline; the work was rolled back")
            }
            ErrorKind::Conflict => {
                f.write_str("another transaction was in the way; run the whole transaction again")
            }
            ErrorKind::Busy => f.write_str("too many callers wait for the database"),
            ErrorKind::Unavailable { .. } => f.write_str("the database cannot be reached"),
            ErrorKind::Full => f.write_str("the disk of the database is full; nothing was stored"),
            ErrorKind::Closed => f.write_str("the transaction or the database was closed already"),
            ErrorKind::Forbidden => f.write_str("the connection is locked down against this statement"),
            ErrorKind::Statement => f.write_str(
                "the statement does not fit the schema; are all migrations applied, and does `check` pass?",
            ),
            ErrorKind::Configuration(what) | ErrorKind::Misuse(what) | ErrorKind::Untrusted(what) => {
                f.write_str(what)
            }
            ErrorKind::Filter(refused) => refused.fmt(f),
            ErrorKind::Migration(fault) => fault.fmt(f),
            ErrorKind::Database(code) => write!(f, "the database failed with {code}"),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.table, self.columns.as_slice(), &self.constraint) {
            (Some(table), columns @ [_, ..], _) => write!(f, " ({table}.{})", columns.join(", ")),
            (None, columns @ [_, ..], _) => write!(f, " ({})", columns.join(", ")),
            (_, [], Some(constraint)) => write!(f, " ({constraint})"),
            (Some(table), [], None) => write!(f, " ({table})"),
            (None, [], None) => Ok(()),
        }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Invalid::Nul => f.write_str("text with a NUL character cannot be stored"),
            Invalid::OutOfRange(kind) => write!(f, "the value is out of the range of {kind}"),
            Invalid::Type(kind) => write!(f, "the value is not {kind}"),
            Invalid::Unsupported(what) => f.write_str(what),
            Invalid::TooLong => f.write_str("the value is too long"),
            Invalid::Rule(rule) => f.write_str(rule),
        }
    }
}

impl fmt::Display for MigrationFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MigrationFault::Changed { app, name } => write!(
                f,
                "migration {app}/{name} was changed after it was applied; restore its text and write a next migration"
            ),
            MigrationFault::Unknown { app, name } => write!(
                f,
                "the database holds migration {app}/{name}, which this program does not know; run a newer program"
            ),
            MigrationFault::Requires { app, needs } => {
                write!(
                    f,
                    "the migrations of {app} need those of {needs}, which are missing or need {app} in turn"
                )
            }
            MigrationFault::Failed { app, name, code } => {
                write!(f, "migration {app}/{name} failed with {code} and was rolled back")
            }
            MigrationFault::Pending { count } => {
                write!(f, "{count} migrations are not applied yet; run the command `migrate`")
            }
            MigrationFault::Differs(lines) => {
                write!(f, "the tables differ from what is needed:\n  {}", lines.join("\n  "))
            }
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Code::Sqlite(code) => write!(f, "SQLite code {code}"),
            Code::Postgres(state) => write!(f, "SQLSTATE {state}"),
            Code::Driver => f.write_str("an error of its driver"),
        }
    }
}

/// Short, because a pool is usually free again after one statement and a restarted PostgreSQL after seconds.
const RETRY_AFTER: Duration = Duration::from_secs(1);
