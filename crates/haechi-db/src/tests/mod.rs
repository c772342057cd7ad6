//! Tests below the builder: they write statements directly, which nothing outside of this crate can.

mod builder;
mod cluster;
mod failures;
mod full_disk;
mod hardening;
mod limits;
mod listener;
mod migrations;
mod planted;
mod pooler;
mod prepared;
mod reliability;
mod scratch;
mod tenants;
mod tls;
mod transactions;
mod values;

use crate::{Access, Db, Executor as _, FromValue, Result, Statement, Value};

/// A statement that reads.
pub(crate) fn query<const N: usize>(text: &'static str, values: [Value; N]) -> Statement {
    Statement::from_const(text, Vec::from(values), Access::Read)
}

/// A statement that writes.
pub(crate) fn change<const N: usize>(text: &'static str, values: [Value; N]) -> Statement {
    Statement::from_const(text, Vec::from(values), Access::Write)
}

/// The first column of the only row.
pub(crate) async fn scalar<T: FromValue>(db: &Db, text: &'static str) -> Result<T> {
    let mut rows = db.rows(query(text, [])).await?;
    assert_eq!(rows.len(), 1, "{text}");
    rows[0].take(0)
}

/// Runs a statement that writes.
pub(crate) async fn run(db: &Db, text: &'static str) -> Result<u64> {
    db.execute(change(text, [])).await
}

/// A value of text.
pub(crate) fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}
