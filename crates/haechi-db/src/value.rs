//! A value on its way into or out of the database.
//!
//! A [`Value`] is only ever bound to a placeholder. There is no function that turns one into SQL text.

use jiff::{Timestamp, civil};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::{Error, ErrorKind, Result, Type, error::Invalid, time};

/// A value of a column or a parameter.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub enum Value {
    /// Nothing.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// An integer; its width is checked against the column when it is sent.
    Int(i64),
    /// A floating point number.
    Float(f64),
    /// Text; refused when it is sent if it holds a NUL.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A moment in time, to the microsecond.
    Timestamp(Timestamp),
    /// A date with a time of day and no time zone.
    DateTime(civil::DateTime),
    /// A date.
    Date(civil::Date),
    /// A time of day.
    Time(civil::Time),
    /// A UUID.
    Uuid(Uuid),
    /// A decimal number.
    Decimal(Decimal),
    /// A JSON document.
    Json(Box<serde_json::Value>),
    /// An array, on PostgreSQL only.
    Array(Vec<Value>),
}

/// A type that can be read from a column.
pub trait FromValue: Sized {
    /// The type a column must have to be read as this one.
    const TYPE: Type;

    /// Reads the value, exactly or not at all.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::Decode`] if the value is of another type or out of range.
    fn from_value(value: Value) -> Result<Self>;
}

/// A type that can be bound to a parameter.
pub trait ToValue {
    /// Makes the value to bind.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::Validation`] if no column can hold it.
    fn to_value(self) -> Result<Value>;
}

fn mismatch<T: FromValue>() -> Error {
    Error::new(ErrorKind::Decode { column: 0, expected: T::TYPE })
}

impl FromValue for bool {
    const TYPE: Type = Type::Bool;
    #[inline]
    fn from_value(value: Value) -> Result<Self> {
        let found = match value {
            Value::Bool(found) => found,
            Value::Int(0) => false,
            Value::Int(1) => true,
            _ => return Err(mismatch::<Self>()),
        };
        // As below.
        std::mem::forget(value);
        Ok(found)
    }
}

macro_rules! integer {
    ($($int:ty => $kind:ident),*) => {$(
        impl FromValue for $int {
            const TYPE: Type = Type::$kind;
            #[inline]
            fn from_value(value: Value) -> Result<Self> {
                let Value::Int(number) = value else { return Err(mismatch::<Self>()) };
                // A number owns nothing, and to find that out again for each column costs as much as to read it.
                std::mem::forget(value);
                <$int>::try_from(number).map_err(|_| mismatch::<Self>())
            }
        }
        impl ToValue for $int {
            fn to_value(self) -> Result<Value> {
                i64::try_from(self).map(Value::Int).map_err(|_| Error::invalid(Invalid::OutOfRange(Type::I64)))
            }
        }
    )*};
}
integer!(i16 => I16, i32 => I32, i64 => I64, u16 => I32, u32 => I64, u64 => I64);

impl FromValue for f64 {
    const TYPE: Type = Type::F64;
    #[inline]
    fn from_value(value: Value) -> Result<Self> {
        match value {
            Value::Float(value) => Ok(value),
            _ => Err(mismatch::<Self>()),
        }
    }
}

impl FromValue for String {
    const TYPE: Type = Type::Text;
    #[inline]
    fn from_value(value: Value) -> Result<Self> {
        match value {
            Value::Text(value) => Ok(value),
            _ => Err(mismatch::<Self>()),
        }
    }
}

impl FromValue for Vec<u8> {
    const TYPE: Type = Type::Bytes;
    fn from_value(value: Value) -> Result<Self> {
        match value {
            Value::Bytes(value) => Ok(value),
            _ => Err(mismatch::<Self>()),
        }
    }
}

impl FromValue for Timestamp {
    const TYPE: Type = Type::Timestamp;
    fn from_value(value: Value) -> Result<Self> {
        match value {
            Value::Timestamp(value) => Ok(value),
            Value::Text(text) => time::timestamp(&text).ok_or_else(mismatch::<Self>),
            _ => Err(mismatch::<Self>()),
        }
    }
}

impl FromValue for civil::DateTime {
    const TYPE: Type = Type::DateTime;
    fn from_value(value: Value) -> Result<Self> {
        match value {
            Value::DateTime(value) => Ok(value),
            Value::Text(text) => time::date_time(&text).ok_or_else(mismatch::<Self>),
            _ => Err(mismatch::<Self>()),
        }
    }
}

impl FromValue for civil::Date {
    const TYPE: Type = Type::Date;
    fn from_value(value: Value) -> Result<Self> {
        match value {
            Value::Date(value) => Ok(value),
            Value::Text(text) => time::date(&text).ok_or_else(mismatch::<Self>),
            _ => Err(mismatch::<Self>()),
        }
    }
}

impl FromValue for civil::Time {
    const TYPE: Type = Type::Time;
    fn from_value(value: Value) -> Result<Self> {
        match value {
            Value::Time(value) => Ok(value),
            Value::Text(text) => time::time(&text).ok_or_else(mismatch::<Self>),
            _ => Err(mismatch::<Self>()),
        }
    }
}

impl FromValue for Uuid {
    const TYPE: Type = Type::Uuid;
    fn from_value(value: Value) -> Result<Self> {
        match value {
            Value::Uuid(value) => Ok(value),
            Value::Text(text) => Uuid::try_parse(&text).map_err(|_| mismatch::<Self>()),
            _ => Err(mismatch::<Self>()),
        }
    }
}

impl FromValue for Decimal {
    const TYPE: Type = Type::Decimal;
    /// SQLite's `decimal` columns made by Django have numeric affinity: an integral number comes back as an integer.
    /// A fraction that SQLite turned into a binary number is refused, since it may not be the number that was stored.
    fn from_value(value: Value) -> Result<Self> {
        match value {
            Value::Decimal(value) => Ok(value),
            Value::Int(value) => Ok(Decimal::from(value)),
            Value::Text(text) => Decimal::from_str_exact(&text).map_err(|_| mismatch::<Self>()),
            _ => Err(mismatch::<Self>()),
        }
    }
}

impl FromValue for serde_json::Value {
    const TYPE: Type = Type::Json;
    fn from_value(value: Value) -> Result<Self> {
        match value {
            Value::Json(value) => Ok(*value),
            Value::Text(text) => serde_json::from_str(&text).map_err(|_| mismatch::<Self>()),
            _ => Err(mismatch::<Self>()),
        }
    }
}

impl FromValue for Value {
    /// Anything is a [`Value`]; `Text` stands here for what a schema check should not look at.
    const TYPE: Type = Type::Nullable(&Type::Text);
    fn from_value(value: Value) -> Result<Self> {
        Ok(value)
    }
}

impl<T: FromValue> FromValue for Option<T> {
    const TYPE: Type = Type::Nullable(&T::TYPE);
    fn from_value(value: Value) -> Result<Self> {
        match value {
            Value::Null => Ok(None),
            value => T::from_value(value).map(Some),
        }
    }
}

/// The items of a PostgreSQL array.
///
/// A type of its own, since `Vec<u8>` is [`Type::Bytes`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Array<T>(pub Vec<T>);

impl<T: FromValue> FromValue for Array<T> {
    const TYPE: Type = Type::Array(&T::TYPE);
    fn from_value(value: Value) -> Result<Self> {
        match value {
            Value::Array(items) => Ok(Array(items.into_iter().map(T::from_value).collect::<Result<_>>()?)),
            _ => Err(mismatch::<Self>()),
        }
    }
}

impl<T: ToValue> ToValue for Array<T> {
    fn to_value(self) -> Result<Value> {
        Ok(Value::Array(self.0.into_iter().map(T::to_value).collect::<Result<_>>()?))
    }
}

impl<T: ToValue> ToValue for Option<T> {
    fn to_value(self) -> Result<Value> {
        self.map_or(Ok(Value::Null), T::to_value)
    }
}

impl<T: ToValue + Clone> ToValue for &T {
    fn to_value(self) -> Result<Value> {
        self.clone().to_value()
    }
}

macro_rules! variant {
    ($($kind:ty => $variant:expr),* $(,)?) => {$(
        impl ToValue for $kind {
            fn to_value(self) -> Result<Value> {
                Ok($variant(self))
            }
        }
    )*};
}
variant! {
    bool => Value::Bool, f64 => Value::Float, String => Value::Text, Vec<u8> => Value::Bytes,
    Timestamp => Value::Timestamp, civil::DateTime => Value::DateTime, civil::Date => Value::Date,
    civil::Time => Value::Time, Uuid => Value::Uuid, Decimal => Value::Decimal,
    serde_json::Value => |value| Value::Json(Box::new(value)),
    Value => std::convert::identity,
    &str => |text: &str| Value::Text(text.to_owned()),
    &[u8] => |bytes: &[u8]| Value::Bytes(bytes.to_vec()),
}
