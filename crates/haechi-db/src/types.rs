//! The types a column can have, on both engines.

use std::fmt;

/// The declared type of a column, of a parameter, or of what a program wants to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Type {
    /// True or false; 0 and 1 on SQLite.
    Bool,
    /// An integer of 16 bits.
    I16,
    /// An integer of 32 bits.
    I32,
    /// An integer of 64 bits; every integer on SQLite.
    I64,
    /// A binary floating point number of 64 bits.
    F64,
    /// Text, of any length.
    Text,
    /// Bytes.
    Bytes,
    /// A moment in time; Django's text form in UTC on SQLite.
    Timestamp,
    /// A date with a time of day and no time zone.
    DateTime,
    /// A date.
    Date,
    /// A time of day.
    Time,
    /// A UUID; 32 hexadecimal digits on SQLite, as Django writes them.
    Uuid,
    /// A decimal number; text on SQLite.
    Decimal,
    /// A JSON document; text on SQLite.
    Json,
    /// An array, on PostgreSQL only.
    Array(&'static Type),
    /// An integer of any width or a UUID: a primary key, where a program takes either.
    Key,
    /// One of the others, or nothing.
    Nullable(&'static Type),
}

impl Type {
    /// Returns the type without its [`Nullable`](Type::Nullable).
    pub const fn base(self) -> Type {
        match self {
            Type::Nullable(inner) => inner.base(),
            other => other,
        }
    }

    /// Returns whether the column may hold nothing.
    pub const fn is_nullable(self) -> bool {
        matches!(self, Type::Nullable(_))
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Type::Bool => "a boolean",
            Type::I16 => "a 16-bit integer",
            Type::I32 => "a 32-bit integer",
            Type::I64 => "a 64-bit integer",
            Type::F64 => "a floating point number",
            Type::Text => "text",
            Type::Bytes => "bytes",
            Type::Timestamp => "a timestamp",
            Type::DateTime => "a date and time",
            Type::Date => "a date",
            Type::Time => "a time of day",
            Type::Uuid => "a UUID",
            Type::Decimal => "a decimal number",
            Type::Json => "a JSON document",
            Type::Key => "an integer or a UUID",
            Type::Array(item) => return write!(f, "an array, each item {item}"),
            Type::Nullable(inner) => return write!(f, "{inner} or nothing"),
        })
    }
}
