//! The ledger and the steps on SQLite.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{
    Entry, Planned,
    django::{Column, Kind, Table},
    failed,
};
use crate::{Code, Result, sqlite::failure};

pub(super) fn ledger(driver: &mut Connection) -> Result<Vec<Entry>> {
    if !driver.table_exists(None, "haechi_migrations").map_err(failure::translate)? {
        return Ok(Vec::new());
    }
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Entry { app: row.get(0)?, name: row.get(1)?, checksum: row.get(2)?, adopted: row.get(3)? })
    };
    let mut select = driver
        .prepare("select app, name, checksum, adopted from haechi_migrations")
        .map_err(failure::translate)?;
    let rows = select.query_map([], read).map_err(failure::translate)?;
    rows.collect::<rusqlite::Result<_>>().map_err(failure::translate)
}

pub(super) fn apply(driver: &mut Connection, steps: &[Planned]) -> Result<()> {
    driver.execute_batch(LEDGER).map_err(failure::translate)?;
    // A rebuilt table is dropped while others point to it; each step is checked at its end.
    driver.pragma_update(None, "foreign_keys", false).map_err(failure::translate)?;
    let outcome = steps.iter().try_for_each(|step| apply_one(driver, step));
    driver.pragma_update(None, "foreign_keys", true).map_err(failure::translate)?;
    outcome
}

fn apply_one(driver: &mut Connection, step: &Planned) -> Result<()> {
    let code = |error: rusqlite::Error| failed(step, failure::code(&error));
    let started = Instant::now();
    if !step.in_transaction() {
        driver.execute_batch(step.text).map_err(code)?;
        return note(driver, step, Some(started)).map_err(code);
    }
    // Exclusive, so that two programs that start at once do not both apply it.
    let begin = rusqlite::TransactionBehavior::Exclusive;
    let transaction = driver.transaction_with_behavior(begin).map_err(code)?;
    let known = "select 1 from haechi_migrations where app = ?1 and name = ?2";
    let done =
        transaction.query_row(known, params![step.app, step.name], |_| Ok(())).optional().map_err(code)?;
    if done.is_some() {
        return Ok(());
    }
    transaction.execute_batch(step.text).map_err(code)?;
    let broken =
        transaction.query_row("pragma foreign_key_check", [], |_| Ok(())).optional().map_err(code)?;
    if broken.is_some() {
        return Err(failed(step, Code::Sqlite(rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY)));
    }
    note(&transaction, step, Some(started)).map_err(code)?;
    transaction.commit().map_err(code)?;
    tracing::info!(app = step.app, name = step.name, "migration applied");
    Ok(())
}

pub(super) fn adopt(driver: &mut Connection, steps: &[Planned]) -> Result<()> {
    driver.execute_batch(LEDGER).map_err(failure::translate)?;
    let transaction = driver.transaction().map_err(failure::translate)?;
    for step in steps {
        note(&transaction, step, None).map_err(failure::translate)?;
    }
    transaction.commit().map_err(failure::translate)
}

/// Without a start, it is noted as adopted.
fn note(driver: &Connection, step: &Planned, started: Option<Instant>) -> rusqlite::Result<()> {
    let milliseconds =
        started.map(|started| i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX));
    driver.execute(
        "insert into haechi_migrations (app, name, checksum, applied_at, duration_ms, adopted)
            values (?1, ?2, ?3, datetime('now'), ?4, ?5)",
        params![step.app, step.name, step.checksum(), milliseconds.unwrap_or(0), started.is_none()],
    )?;
    Ok(())
}

/// Reads the shape of the tables that exist among `names`.
pub(super) fn tables(driver: &mut Connection, names: &[&'static str]) -> Result<Vec<Table>> {
    let found = names.iter().map(|name| table(driver, name)).collect::<rusqlite::Result<Vec<_>>>();
    Ok(found.map_err(failure::translate)?.into_iter().flatten().collect())
}

fn table(driver: &Connection, name: &'static str) -> rusqlite::Result<Option<Table>> {
    let mut select = driver.prepare(
        "select name, lower(type), \"notnull\", dflt_value is not null, pk from pragma_table_info(?1) order by cid",
    )?;
    let mut keys = BTreeSet::new();
    let mut columns = Vec::new();
    let mut rows = select.query([name])?;
    while let Some(row) = rows.next()? {
        let (column, declared): (String, String) = (row.get(0)?, row.get(1)?);
        let (kind, limit) = kind(&declared);
        let key = row.get::<_, i64>(4)? > 0;
        if key {
            keys.insert(column.clone());
        }
        // An integer primary key numbers itself.
        let default = row.get(3)? || (key && kind == Kind::Integer);
        columns.push(Column {
            name: column,
            kind,
            limit,
            nullable: !row.get::<_, bool>(2)? && !key,
            default,
        });
    }
    if columns.is_empty() {
        return Ok(None);
    }
    let mut select = driver.prepare(
        "select list.name, info.name from pragma_index_list(?1) list, pragma_index_info(list.name) info
            where list.\"unique\" and not list.partial and info.name is not null",
    )?;
    let mut indexes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut rows = select.query([name])?;
    while let Some(row) = rows.next()? {
        indexes.entry(row.get(0)?).or_default().insert(row.get(1)?);
    }
    let unique = indexes.into_values().chain([keys]).collect();
    Ok(Some(Table { name, columns, unique }))
}

fn kind(declared: &str) -> (Kind, Option<i64>) {
    let (base, limit) = declared.split_once('(').unwrap_or((declared, ""));
    let limit = limit.trim_end_matches(')').parse().ok();
    match base.trim() {
        "integer" | "bigint" | "int" | "smallint" => (Kind::Integer, None),
        "bool" | "boolean" => (Kind::Bool, None),
        "varchar" | "char" | "text" => (Kind::Text, limit),
        "datetime" | "timestamp" => (Kind::Moment, None),
        _ => (Kind::Other, None),
    }
}

const LEDGER: &str = "create table if not exists haechi_migrations (
    app text not null,
    name text not null,
    checksum text not null,
    applied_at text not null,
    duration_ms integer not null,
    adopted integer not null,
    primary key (app, name)
) strict";
