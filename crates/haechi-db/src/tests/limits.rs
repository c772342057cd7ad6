//! What happens when there is too little: connections, rights, time between two transactions.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use futures_util::TryStreamExt as _;
use tokio::sync::Barrier;
use tokio_postgres::NoTls;
use uuid::Uuid;

use super::{change, query, run, scalar, scratch::Scratch};
use crate::{
    DatabaseUrl, Db, ErrorKind, Executor as _, Migration, MigrationSet, Migrations, Options, Result, Value,
};

async fn each(options: Options) -> Vec<Scratch> {
    let mut all = vec![Scratch::file(options.clone()).await];
    all.extend(Scratch::postgres(options).await);
    all
}

/// asvs_13_2_6: a pool that is used up answers in bounded time.
#[tokio::test]
async fn without_a_free_connection_a_caller_waits_for_a_while_and_is_told_when_to_return() {
    let wait_timeout = Duration::from_millis(200);
    let options = Options { connections: 1, queue: 1, wait_timeout, ..Options::default() };
    for scratch in &each(options).await {
        scratch.ddl("create table item (id integer primary key)").await;
        let db = &scratch.db;
        let add = || async { run(db, "insert into item (id) values (1)").await };
        db.transaction(async |_| {
            let asked = Instant::now();
            let (first, second) = tokio::join!(add(), add());
            assert!(asked.elapsed() >= wait_timeout && asked.elapsed() < wait_timeout * 5);
            for error in [first.unwrap_err(), second.unwrap_err()] {
                assert_eq!(*error.kind(), ErrorKind::Busy);
                assert!(error.retry_after().is_some(), "a 503");
            }
            Ok(())
        })
        .await
        .unwrap();
        assert_eq!(add().await.unwrap(), 1, "free again");
    }
}

/// Another database handle to the place of a scratch, with more settings in its URL.
async fn beside(user: &str, schema: &str, settings: &str) -> Db {
    let base = std::env::var("HAECHI_TEST_POSTGRES")
        .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/test".to_owned());
    let (_, place) = base.split_once('@').unwrap();
    let url = format!("postgres://{user}@{place}?options=-c%20search_path%3D{schema}{settings}");
    Db::connect(&url.parse::<DatabaseUrl>().unwrap(), Options::default()).await.unwrap()
}

#[tokio::test]
async fn a_real_serialization_failure_runs_the_whole_closure_again() {
    let Some(scratch) = Scratch::postgres(Options::default()).await else { return };
    scratch.ddl("create table shift (name text primary key)").await;
    let schema: String = scalar(&scratch.db, "select current_schema()::text").await.unwrap();
    let db = beside("postgres", &schema, "%20-c%20default_transaction_isolation%3Dserializable").await;
    let (attempts, both_have_read) = (AtomicU32::new(0), Barrier::new(2));
    let take = async |name: &'static str| {
        db.transaction_retrying(async |tx| {
            let attempt = attempts.fetch_add(1, Ordering::SeqCst);
            let count: i64 = tx.rows(query("select count(*) from shift", [])).await?[0].take(0)?;
            if attempt < 2 {
                both_have_read.wait().await;
            }
            // Each sees an empty table and believes to be the first.
            if count == 0 {
                let insert = "insert into shift (name) values ($1)";
                tx.execute(change(insert, [Value::Text(name.to_owned())])).await?;
            }
            Ok(count)
        })
        .await
    };
    let (one, two) = tokio::join!(take("ann"), take("bob"));
    let mut seen = [one.unwrap(), two.unwrap()];
    seen.sort_unstable();
    assert_eq!(seen, [0, 1], "one of them was run again and saw the other");
    assert_eq!(attempts.into_inner(), 3);
    assert_eq!(scalar::<i64>(&scratch.db, "select count(*) from shift").await.unwrap(), 1);
}

struct Outside;
impl MigrationSet for Outside {
    const APP: &'static str = "outside";
    const MIGRATIONS: &'static [Migration] = &[
        Migration {
            name: "0001_item",
            sqlite: "create table item (id integer primary key, name text)",
            postgres: "create table item (id integer primary key, name text)",
        },
        // Neither engine does this inside of a transaction.
        Migration {
            name: "0002_apart",
            sqlite: "-- no-transaction\nvacuum",
            postgres: "-- no-transaction\ncreate index concurrently item_name on item (name)",
        },
    ];
}

struct Inside;
impl MigrationSet for Inside {
    const APP: &'static str = "inside";
    const MIGRATIONS: &'static [Migration] = &[Migration {
        name: "0001_together",
        sqlite: "vacuum",
        postgres: "create index concurrently item_again on item (name)",
    }];
}

#[tokio::test]
async fn a_migration_that_says_so_runs_without_a_transaction() {
    for scratch in &each(Options::default()).await {
        let migrations = Migrations::new().with::<Outside>();
        assert_eq!(migrations.apply(&scratch.db).await.unwrap().len(), 2);
        migrations.check(&scratch.db).await.unwrap();
        let all = migrations.with::<Inside>();
        assert!(matches!(all.apply(&scratch.db).await.unwrap_err().kind(), ErrorKind::Migration(_)));
        assert_eq!(all.pending(&scratch.db).await.unwrap().len(), 1);
    }
}

/// A role that may read and write rows, and nothing else; dropped with its rights.
struct Role(String);

impl Role {
    async fn new(schema: &str) -> Role {
        let role = Role(format!("haechi_role_{}", Uuid::new_v4().simple()));
        let name = &role.0;
        let grant = format!(
            "create role {name} login nosuperuser noinherit; grant usage on schema {schema} to {name};
             grant select, insert, update, delete on all tables in schema {schema} to {name}"
        );
        as_owner(&grant).await;
        role
    }

    async fn remove(self) {
        as_owner(&format!("drop owned by {0}; drop role {0}", self.0)).await;
    }
}

async fn as_owner(text: &str) {
    let base = std::env::var("HAECHI_TEST_POSTGRES")
        .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/test".to_owned());
    let (client, connection) = tokio_postgres::connect(&base, NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(text).await.unwrap();
}

#[tokio::test]
async fn a_role_with_no_more_than_its_rows_is_not_warned_of_and_cannot_do_more() {
    let Some(scratch) = Scratch::postgres(Options::default()).await else { return };
    scratch.ddl("create table item (id integer primary key)").await;
    let schema: String = scalar(&scratch.db, "select current_schema()::text").await.unwrap();
    let role = Role::new(&schema).await;
    let db = beside(&role.0, &schema, "").await;
    let warnings = db.role_warnings().await;
    let added = run(&db, "insert into item (id) values (1)").await;
    let mut refused = Vec::new();
    for more in [
        "create table more (id integer)",
        "drop table item",
        "truncate item",
        "alter table item add column name text",
        "copy item to program 'true'",
        "create role other",
    ] {
        refused.push((more, run(&db, more).await));
    }
    drop(db);
    role.remove().await;
    assert_eq!(warnings.unwrap(), Vec::<String>::new());
    assert_eq!(added.unwrap(), 1);
    for (more, outcome) in refused {
        assert_eq!(*outcome.unwrap_err().kind(), ErrorKind::Forbidden, "{more}");
    }
}

#[tokio::test]
async fn a_stream_hands_out_every_row_in_order_and_may_be_left_early() {
    let options = Options { connections: 1, readers: 1, ..Options::default() };
    for scratch in &each(options).await {
        let db = &scratch.db;
        let text =
            "with recursive n (i) as (select 1 union all select i + 1 from n where i < 5000) select i from n";
        let number = |row: &mut crate::Row| match row.take::<i64>(0) {
            Err(_) => row.take::<i32>(0).map(i64::from),
            number => number,
        };
        let all: Vec<i64> = db.stream(query(text, []), number).try_collect().await.unwrap();
        assert_eq!(all, (1..=5000).collect::<Vec<_>>(), "{:?}", db.engine());
        for _ in 0..3 {
            let mut rows = db.stream(query(text, []), number);
            assert_eq!(rows.try_next().await.unwrap(), Some(1));
        }
        // The only connection is free again, and an error ends a stream.
        let broken: Result<Vec<i64>> =
            db.stream(query("select 'a' as i", []), |row| row.take::<i64>(0)).try_collect().await;
        assert!(matches!(broken.unwrap_err().kind(), ErrorKind::Decode { .. }));
        assert_eq!(db.rows(query(text, [])).await.unwrap().len(), 5000);
    }
}
