//! Values in PostgreSQL's binary form, checked against the type that the server asks for.

use std::error::Error as StdError;

use bytes::{BufMut as _, BytesMut};
use jiff::{SignedDuration, Timestamp, civil};
use rust_decimal::Decimal;
use tokio_postgres::types::{FromSql, IsNull, Kind, ToSql, Type as PgType, to_sql_checked};
use uuid::Uuid;

use crate::{Error, ErrorKind, Result, Type, Value, error::Invalid};

type Boxed = Box<dyn StdError + Sync + Send>;

/// A value on its way to a placeholder; [`check`] said that it fits.
#[derive(Debug)]
pub(super) struct Sent<'a>(pub(super) &'a Value);

impl ToSql for Sent<'_> {
    fn to_sql(&self, kind: &PgType, out: &mut BytesMut) -> Result<IsNull, Boxed> {
        match self.0 {
            Value::Null => return Ok(IsNull::Yes),
            Value::Bool(value) => return value.to_sql(kind, out),
            Value::Int(value) => return integer(*value, kind, out),
            Value::Float(value) => return value.to_sql(kind, out),
            Value::Text(value) => out.put_slice(value.as_bytes()),
            Value::Bytes(value) => out.put_slice(value),
            Value::Timestamp(value) => out.put_i64(value.as_microsecond() - EPOCH_MICROS),
            Value::DateTime(value) => out.put_i64(i64::try_from(value.duration_since(EPOCH).as_micros())?),
            Value::Date(value) => out.put_i32(days(*value)?),
            Value::Time(value) => out.put_i64(micros_of_day(*value)?),
            Value::Uuid(value) => return value.to_sql(kind, out),
            Value::Decimal(value) => return value.to_sql(kind, out),
            Value::Json(value) => return value.to_sql(kind, out),
            Value::Array(items) => return items.iter().map(Sent).collect::<Vec<_>>().to_sql(kind, out),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &PgType) -> bool {
        true
    }

    to_sql_checked!();
}

fn integer(value: i64, kind: &PgType, out: &mut BytesMut) -> Result<IsNull, Boxed> {
    match *kind {
        PgType::INT2 => out.put_i16(value.try_into()?),
        PgType::INT4 => out.put_i32(value.try_into()?),
        PgType::OID => out.put_u32(value.try_into()?),
        PgType::NUMERIC => return Decimal::from(value).to_sql(kind, out),
        _ => out.put_i64(value),
    }
    Ok(IsNull::No)
}

/// Refuses a value that the parameter cannot hold, before anything is sent: the server would answer with an error of its
/// own, which is nobody's 400.
pub(super) fn check(value: &Value, kind: &PgType) -> Result<()> {
    if let Kind::Domain(base) = kind.kind() {
        return check(value, base);
    }
    let fits = match (value, kind) {
        (Value::Null, _) => true,
        (Value::Int(value), kind) => return check_integer(*value, kind),
        (Value::Text(_), kind) => is_text(kind),
        (Value::Array(items), kind) => match kind.kind() {
            Kind::Array(item) => return items.iter().try_for_each(|value| check(value, item)),
            _ => false,
        },
        (Value::Json(_), kind) => matches!(*kind, PgType::JSON | PgType::JSONB),
        (value, kind) => *kind == natural(value),
    };
    if fits { Ok(()) } else { Err(Error::invalid(Invalid::Type(declared(kind).unwrap_or(Type::Text)))) }
}

fn check_integer(value: i64, kind: &PgType) -> Result<()> {
    let out_of_range = |kind| Error::invalid(Invalid::OutOfRange(kind));
    match *kind {
        PgType::INT2 => i16::try_from(value).map(drop).map_err(|_| out_of_range(Type::I16)),
        PgType::INT4 => i32::try_from(value).map(drop).map_err(|_| out_of_range(Type::I32)),
        PgType::OID => u32::try_from(value).map(drop).map_err(|_| out_of_range(Type::I64)),
        PgType::INT8 | PgType::NUMERIC => Ok(()),
        _ => Err(Error::invalid(Invalid::Type(declared(kind).unwrap_or(Type::Text)))),
    }
}

/// The one type of PostgreSQL that holds such a value without a change.
fn natural(value: &Value) -> PgType {
    match value {
        Value::Bool(_) => PgType::BOOL,
        Value::Float(_) => PgType::FLOAT8,
        Value::Bytes(_) => PgType::BYTEA,
        Value::Timestamp(_) => PgType::TIMESTAMPTZ,
        Value::DateTime(_) => PgType::TIMESTAMP,
        Value::Date(_) => PgType::DATE,
        Value::Time(_) => PgType::TIME,
        Value::Uuid(_) => PgType::UUID,
        Value::Decimal(_) => PgType::NUMERIC,
        _ => PgType::UNKNOWN,
    }
}

fn is_text(kind: &PgType) -> bool {
    matches!(*kind, PgType::TEXT | PgType::VARCHAR | PgType::BPCHAR | PgType::NAME | PgType::UNKNOWN)
        || matches!(kind.kind(), Kind::Enum(_))
        || kind.name() == "citext"
}

/// Returns our name for a type of PostgreSQL.
pub(crate) fn declared(kind: &PgType) -> Option<Type> {
    Some(match *kind {
        PgType::BOOL => Type::Bool,
        PgType::INT2 => Type::I16,
        PgType::INT4 => Type::I32,
        PgType::INT8 | PgType::OID => Type::I64,
        PgType::FLOAT4 | PgType::FLOAT8 => Type::F64,
        PgType::BYTEA => Type::Bytes,
        PgType::TIMESTAMPTZ => Type::Timestamp,
        PgType::TIMESTAMP => Type::DateTime,
        PgType::DATE => Type::Date,
        PgType::TIME => Type::Time,
        PgType::UUID => Type::Uuid,
        PgType::NUMERIC => Type::Decimal,
        PgType::JSON | PgType::JSONB => Type::Json,
        ref other => match other.kind() {
            Kind::Domain(base) => return declared(base),
            Kind::Array(item) => return declared(item).and_then(array),
            _ if is_text(other) => Type::Text,
            _ => return None,
        },
    })
}

fn array(item: Type) -> Option<Type> {
    Some(Type::Array(match item {
        Type::Bool => &Type::Bool,
        Type::I16 => &Type::I16,
        Type::I32 => &Type::I32,
        Type::I64 => &Type::I64,
        Type::F64 => &Type::F64,
        Type::Text => &Type::Text,
        Type::Timestamp => &Type::Timestamp,
        Type::Date => &Type::Date,
        Type::Uuid => &Type::Uuid,
        Type::Decimal => &Type::Decimal,
        _ => return None,
    }))
}

/// Reads the value of a column.
#[inline]
pub(crate) fn value(row: &tokio_postgres::Row, column: usize) -> Result<Value> {
    match row.try_get::<_, Received>(column) {
        Ok(received) => Ok(received.0),
        Err(_) => {
            let expected = declared(row.columns()[column].type_()).unwrap_or(Type::Text);
            Err(Error::new(ErrorKind::Decode { column, expected }))
        }
    }
}

/// A value as it came.
struct Received(Value);

impl<'a> FromSql<'a> for Received {
    fn from_sql(kind: &PgType, raw: &'a [u8]) -> Result<Self, Boxed> {
        decoded(kind, raw).map(Received)
    }

    fn from_sql_null(_: &PgType) -> Result<Self, Boxed> {
        Ok(Received(Value::Null))
    }

    fn accepts(_: &PgType) -> bool {
        true
    }
}

fn decoded(kind: &PgType, raw: &[u8]) -> Result<Value, Boxed> {
    Ok(match *kind {
        PgType::BOOL => Value::Bool(bool::from_sql(kind, raw)?),
        PgType::INT2 => Value::Int(i16::from_sql(kind, raw)?.into()),
        PgType::INT4 => Value::Int(i32::from_sql(kind, raw)?.into()),
        PgType::INT8 => Value::Int(i64::from_sql(kind, raw)?),
        PgType::OID => Value::Int(u32::from_sql(kind, raw)?.into()),
        PgType::FLOAT4 => Value::Float(f32::from_sql(kind, raw)?.into()),
        PgType::FLOAT8 => Value::Float(f64::from_sql(kind, raw)?),
        PgType::BYTEA => Value::Bytes(raw.to_vec()),
        PgType::TIMESTAMPTZ => Value::Timestamp(moment(raw)?),
        PgType::TIMESTAMP => Value::DateTime(EPOCH.checked_add(micros(raw)?)?),
        PgType::DATE => Value::Date(date(raw)?),
        PgType::TIME => Value::Time(time(raw)?),
        PgType::UUID => Value::Uuid(Uuid::from_sql(kind, raw)?),
        PgType::NUMERIC => Value::Decimal(Decimal::from_sql(kind, raw)?),
        PgType::JSON | PgType::JSONB => Value::Json(Box::new(serde_json::Value::from_sql(kind, raw)?)),
        PgType::VOID => Value::Null,
        ref other => match other.kind() {
            Kind::Domain(base) => decoded(base, raw)?,
            Kind::Array(_) => {
                let items = Vec::<Received>::from_sql(kind, raw)?;
                Value::Array(items.into_iter().map(|item| item.0).collect())
            }
            _ if is_text(other) => Value::Text(std::str::from_utf8(raw)?.to_owned()),
            _ => return Err("no value for this type".into()),
        },
    })
}

/// `infinity` lies outside of every calendar and is refused.
fn moment(raw: &[u8]) -> Result<Timestamp, Boxed> {
    let micros = i64::from_be_bytes(raw.try_into()?).checked_add(EPOCH_MICROS).ok_or("infinity")?;
    Ok(Timestamp::from_microsecond(micros)?)
}

fn micros(raw: &[u8]) -> Result<SignedDuration, Boxed> {
    Ok(SignedDuration::from_micros(i64::from_be_bytes(raw.try_into()?)))
}

fn date(raw: &[u8]) -> Result<civil::Date, Boxed> {
    let days = i64::from(i32::from_be_bytes(raw.try_into()?));
    Ok(EPOCH.date().checked_add(SignedDuration::from_hours(days * 24))?)
}

/// PostgreSQL knows 24:00, which no clock shows.
fn time(raw: &[u8]) -> Result<civil::Time, Boxed> {
    Ok(civil::Time::midnight().checked_add(micros(raw)?)?)
}

fn days(value: civil::Date) -> Result<i32, Boxed> {
    Ok(i32::try_from(value.duration_since(EPOCH.date()).as_hours() / 24)?)
}

fn micros_of_day(value: civil::Time) -> Result<i64, Boxed> {
    Ok(i64::try_from(value.duration_since(civil::Time::midnight()).as_micros())?)
}

/// PostgreSQL counts from 2000-01-01.
const EPOCH: civil::DateTime = civil::DateTime::constant(2000, 1, 1, 0, 0, 0, 0);
const EPOCH_MICROS: i64 = 946_684_800_000_000;
