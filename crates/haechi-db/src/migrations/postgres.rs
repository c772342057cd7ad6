//! The ledger and the steps on PostgreSQL.

use std::{collections::BTreeSet, time::Instant};

use tokio_postgres::{Client, Error as Driver};

use super::{
    Entry, Planned,
    django::{Column, Kind, Table},
    failed,
};
use crate::{Error, ErrorKind, Result, postgres::failure};

pub(super) async fn ledger(client: &Client) -> Result<Vec<Entry>> {
    alone(client, START, async || read_ledger(client).await).await
}

async fn read_ledger(client: &Client) -> Result<Vec<Entry>, Driver> {
    let exists = client.query_one("select to_regclass('haechi_migrations') is not null", &[]).await?;
    if !exists.get::<_, bool>(0) {
        return Ok(Vec::new());
    }
    let rows = client.query("select app, name, checksum, adopted from haechi_migrations", &[]).await?;
    let read = |row: &tokio_postgres::Row| Entry {
        app: row.get(0),
        name: row.get(1),
        checksum: row.get(2),
        adopted: row.get(3),
    };
    Ok(rows.iter().map(read).collect())
}

pub(super) async fn apply(client: &Client, pooled: bool, steps: &[Planned]) -> Result<()> {
    for step in steps {
        let done = match (step.in_transaction(), pooled) {
            (true, _) => within(client, LOCKED, async || apply_one(client, step).await).await,
            (false, false) => apply_bare(client, step).await,
            (false, true) => return Err(Error::new(ErrorKind::Configuration(BARE))),
        };
        if let Err(error) = done {
            failure::translate(&error);
            return Err(failed(step, failure::code(&error)));
        }
        tracing::info!(app = step.app, name = step.name, "migration applied");
    }
    Ok(())
}

pub(super) async fn adopt(client: &Client, steps: &[Planned]) -> Result<()> {
    let note_all = async || {
        client.batch_execute(LEDGER).await?;
        for step in steps {
            note(client, step, None).await?;
        }
        Ok(())
    };
    alone(client, LOCKED, note_all).await
}

async fn alone<T>(client: &Client, start: &str, work: impl AsyncFnOnce() -> Result<T, Driver>) -> Result<T> {
    within(client, start, work).await.map_err(|error| failure::translate(&error))
}

/// Runs the work in one transaction: behind a pooler nothing else is certain to reach one session of the server.
async fn within<T>(
    client: &Client,
    start: &str,
    work: impl AsyncFnOnce() -> Result<T, Driver>,
) -> Result<T, Driver> {
    client.batch_execute(start).await?;
    match work().await {
        Ok(done) => client.batch_execute("commit").await.map(|()| done),
        Err(error) => {
            client.batch_execute("rollback").await?;
            Err(error)
        }
    }
}

async fn apply_one(client: &Client, step: &Planned) -> Result<(), Driver> {
    client.batch_execute(LEDGER).await?;
    if is_noted(client, step).await? {
        return Ok(());
    }
    let started = Instant::now();
    client.batch_execute(step.text).await?;
    note(client, step, Some(started)).await
}

/// Without a transaction the lock is the session's, and ends with it if this fails.
async fn apply_bare(client: &Client, step: &Planned) -> Result<(), Driver> {
    client.batch_execute(LOCK).await?;
    client.batch_execute(LEDGER).await?;
    if !is_noted(client, step).await? {
        let started = Instant::now();
        client.batch_execute(step.text).await?;
        note(client, step, Some(started)).await?;
    }
    client.batch_execute(UNLOCK).await
}

/// Another program may have been quicker.
async fn is_noted(client: &Client, step: &Planned) -> Result<bool, Driver> {
    let known = "select 1 from haechi_migrations where app = $1 and name = $2";
    Ok(client.query_opt(known, &[&step.app, &step.name]).await?.is_some())
}

/// Without a start, it is noted as adopted.
async fn note(client: &Client, step: &Planned, started: Option<Instant>) -> Result<(), Driver> {
    let milliseconds =
        started.map(|started| i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX));
    let insert = "insert into haechi_migrations (app, name, checksum, applied_at, duration_ms, adopted)
        values ($1, $2, $3, now(), $4, $5)";
    let (milliseconds, adopted) = (milliseconds.unwrap_or(0), started.is_none());
    client.execute(insert, &[&step.app, &step.name, &step.checksum(), &milliseconds, &adopted]).await?;
    Ok(())
}

/// Reads the shape of the tables that exist among `names`.
pub(super) async fn tables(client: &Client, names: &[&'static str]) -> Result<Vec<Table>> {
    let read = async || {
        let mut found = Vec::new();
        for name in names {
            found.push(table(client, name).await?);
        }
        Ok(found)
    };
    let mut found = alone(client, START, read).await?;
    found.retain(|table| !table.columns.is_empty());
    Ok(found)
}

async fn table(client: &Client, name: &'static str) -> Result<Table, Driver> {
    let columns = client
        .query(
            "select a.attname::text, format_type(a.atttypid, null), information_schema._pg_char_max_length(a.atttypid,
                a.atttypmod)::int8, not a.attnotnull, a.atthasdef or a.attidentity <> ''
                from pg_attribute a where a.attrelid = to_regclass(quote_ident($1)) and a.attnum > 0 and not a.attisdropped
                order by a.attnum",
            &[&name],
        )
        .await?;
    let read = |row: &tokio_postgres::Row| Column {
        name: row.get(0),
        kind: kind(row.get(1)),
        limit: row.get(2),
        nullable: row.get(3),
        default: row.get(4),
    };
    let unique = client
        .query(
            "select array(select a.attname::text from pg_attribute a
                where a.attrelid = i.indrelid and a.attnum = any (i.indkey::int2[]))
                from pg_index i where i.indrelid = to_regclass(quote_ident($1)) and i.indisunique and i.indpred is null
                and i.indexprs is null",
            &[&name],
        )
        .await?;
    let set = |row: &tokio_postgres::Row| row.get::<_, Vec<String>>(0).into_iter().collect::<BTreeSet<_>>();
    Ok(Table { name, columns: columns.iter().map(read).collect(), unique: unique.iter().map(set).collect() })
}

fn kind(declared: &str) -> Kind {
    match declared {
        "integer" | "bigint" => Kind::Integer,
        "boolean" => Kind::Bool,
        "character varying" | "text" => Kind::Text,
        "timestamp with time zone" => Kind::Moment,
        _ => Kind::Other,
    }
}

/// A pooler opens sessions without the settings of the owner, so each transaction has them.
const START: &str = "begin; set local statement_timeout = 0; set local lock_timeout = 10000;
    set local standard_conforming_strings = on; set local timezone = 'UTC'";

/// A transaction that waits for another program's: its lock is "haechi" and a zero, as a number that no other program uses.
const LOCKED: &str = "begin; set local statement_timeout = 0; set local lock_timeout = 0;
    select pg_advisory_xact_lock(7521404330313318400); set local lock_timeout = 10000;
    set local standard_conforming_strings = on; set local timezone = 'UTC'";

const LOCK: &str = "select pg_advisory_lock(7521404330313318400)";
const UNLOCK: &str = "select pg_advisory_unlock(7521404330313318400)";

const BARE: &str =
    "a migration without a transaction cannot run behind a pooler; give migrate the address of the server";

const LEDGER: &str = "create table if not exists haechi_migrations (
    app text not null,
    name text not null,
    checksum text not null,
    applied_at timestamptz not null,
    duration_ms bigint not null,
    adopted boolean not null,
    primary key (app, name)
)";
