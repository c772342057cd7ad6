//! The ledger and the steps on PostgreSQL.

use std::{collections::BTreeSet, time::Instant};

use tokio_postgres::{Client, Error as Driver};

use super::{
    Entry, Planned,
    django::{Column, Kind, Table},
    failed,
};
use crate::{Result, postgres::failure};

pub(super) async fn ledger(client: &Client) -> Result<Vec<Entry>> {
    read_ledger(client).await.map_err(|error| failure::translate(&error))
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

/// The advisory lock ends with the connection, which is this caller's alone.
pub(super) async fn apply(client: &Client, steps: &[Planned]) -> Result<()> {
    prepare(client).await.map_err(|error| failure::translate(&error))?;
    for step in steps {
        if let Err(error) = apply_one(client, step).await {
            failure::translate(&error);
            return Err(failed(step, failure::code(&error)));
        }
    }
    Ok(())
}

pub(super) async fn adopt(client: &Client, steps: &[Planned]) -> Result<()> {
    prepare(client).await.map_err(|error| failure::translate(&error))?;
    for step in steps {
        note(client, step, None).await.map_err(|error| failure::translate(&error))?;
    }
    Ok(())
}

async fn prepare(client: &Client) -> Result<(), Driver> {
    client.execute("select pg_advisory_lock($1)", &[&LOCK]).await?;
    client.batch_execute(LEDGER).await
}

async fn apply_one(client: &Client, step: &Planned) -> Result<(), Driver> {
    let known = "select 1 from haechi_migrations where app = $1 and name = $2";
    if client.query_opt(known, &[&step.app, &step.name]).await?.is_some() {
        return Ok(());
    }
    let started = Instant::now();
    if !step.in_transaction() {
        client.batch_execute(step.text).await?;
        return note(client, step, Some(started)).await;
    }
    client.batch_execute("begin").await?;
    let done = async {
        client.batch_execute(step.text).await?;
        note(client, step, Some(started)).await?;
        client.batch_execute("commit").await
    };
    if let Err(error) = done.await {
        client.batch_execute("rollback").await?;
        return Err(error);
    }
    tracing::info!(app = step.app, name = step.name, "migration applied");
    Ok(())
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
    let mut found = Vec::new();
    for name in names {
        let table = table(client, name).await.map_err(|error| failure::translate(&error))?;
        if !table.columns.is_empty() {
            found.push(table);
        }
    }
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

/// "haechi" and a zero, as a number: any constant does that no other program uses.
const LOCK: i64 = 0x6861_6563_6869_0000;

const LEDGER: &str = "create table if not exists haechi_migrations (
    app text not null,
    name text not null,
    checksum text not null,
    applied_at timestamptz not null,
    duration_ms bigint not null,
    adopted boolean not null,
    primary key (app, name)
)";
