//! Values as SQLite stores them, in the forms that Django uses for the same columns.

use rusqlite::{
    ToSql,
    types::{ToSqlOutput, Value as Owned, ValueRef},
};

use crate::{Error, ErrorKind, Result, Type, Value, error::Invalid, time};

/// A value on its way to a placeholder.
pub(super) struct Bound<'a>(pub(super) &'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Value::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            Value::Bool(value) => ToSqlOutput::Borrowed(ValueRef::Integer(i64::from(*value))),
            Value::Int(value) => ToSqlOutput::Borrowed(ValueRef::Integer(*value)),
            Value::Float(value) => ToSqlOutput::Borrowed(ValueRef::Real(*value)),
            Value::Text(value) => ToSqlOutput::Borrowed(ValueRef::Text(value.as_bytes())),
            Value::Bytes(value) => ToSqlOutput::Borrowed(ValueRef::Blob(value)),
            Value::Timestamp(value) => text(time::timestamp_text(*value)),
            Value::DateTime(value) => text(time::date_time_text(*value)),
            Value::Date(value) => text(time::date_text(*value)),
            Value::Time(value) => text(time::time_text(*value)),
            Value::Uuid(value) => text(value.simple().to_string()),
            Value::Decimal(value) => text(value.to_string()),
            Value::Json(value) => text(value.to_string()),
            Value::Array(_) => text(String::new()),
        })
    }
}

fn text(value: String) -> ToSqlOutput<'static> {
    ToSqlOutput::Owned(Owned::Text(value))
}

/// Refuses what SQLite has no form for. A NaN would silently become NULL.
pub(super) fn check(value: &Value) -> Result<()> {
    match value {
        Value::Array(_) => Err(Error::invalid(Invalid::Unsupported("SQLite has no arrays"))),
        Value::Float(value) if value.is_nan() => Err(Error::invalid(Invalid::OutOfRange(Type::F64))),
        _ => Ok(()),
    }
}

/// Reads the value of a column.
#[inline(always)]
pub(crate) fn value(row: &rusqlite::Row<'_>, column: usize) -> Result<Value> {
    Ok(match row.get_ref(column).map_err(super::failure::translate)? {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) => Value::Int(value),
        ValueRef::Real(value) => Value::Float(value),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Value::Text(text.to_owned()),
            Err(_) => return Err(Error::new(ErrorKind::Decode { column, expected: Type::Text })),
        },
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
    })
}

/// Reads a declared type, also as Django declares it.
pub(super) fn declared(name: &str) -> Option<Type> {
    let name = name.to_ascii_lowercase();
    Some(match name.split_once('(').map_or(name.as_str(), |(base, _)| base).trim() {
        "integer" | "int" | "bigint" | "smallint" => Type::I64,
        "bool" | "boolean" => Type::Bool,
        "real" | "double" | "double precision" | "float" => Type::F64,
        "text" | "varchar" | "char" => Type::Text,
        "blob" => Type::Bytes,
        "datetime" | "timestamp" => Type::Timestamp,
        "date" => Type::Date,
        "time" => Type::Time,
        "decimal" | "numeric" => Type::Decimal,
        _ => return None,
    })
}
