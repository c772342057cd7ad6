//! What this crate costs over the drivers by hand: a row by its key, and a list of 1,000 rows.
//!
//! `cargo bench -p haechi-db` prints the time of each. For instructions, which do not depend on how busy the machine is,
//! run one case at two lengths and divide the difference:
//!
//! ```text
//! valgrind --tool=callgrind target/release/deps/queries-… sqlite key haechi 2000
//! valgrind --tool=callgrind target/release/deps/queries-… sqlite key hand 2000
//! ```

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a benchmark fails by panicking")]

use std::{hint::black_box, time::Instant};

use haechi_db::{DatabaseUrl, Db, Migration, MigrationSet, Migrations, Model, Options, sql};

#[derive(Model, Debug)]
struct Item {
    id: i64,
    name: String,
    body: String,
    views: i64,
    open: bool,
}

struct Bench;
impl MigrationSet for Bench {
    const APP: &'static str = "bench";
    const MIGRATIONS: &'static [Migration] = &[Migration {
        name: "0001_item",
        sqlite: "create table item (id integer primary key, name text not null, body text not null, views integer not null,
            open integer not null) strict;
            with recursive n (i) as (select 1 union all select i + 1 from n where i < 1000)
            insert into item select i, 'name ' || i, 'a body of some forty letters and no more', i * 7, i % 2 from n",
        postgres: "create table item (id int8 primary key, name text not null, body text not null, views int8 not null,
            open boolean not null);
            insert into item select i, 'name ' || i, 'a body of some forty letters and no more', i * 7, i % 2 = 1
            from generate_series(1, 1000) i",
    }];
}

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            [engine, case, way, times] => {
                Place::new(engine).await.unwrap().run(case, way, times.parse().unwrap()).await;
            }
            _ => all().await,
        }
    });
}

async fn all() {
    for engine in ["sqlite", "postgres"] {
        let Some(place) = Place::new(engine).await else { continue };
        for (case, times) in [("key", 20_000), ("list", 300)] {
            for way in ["hand", "haechi", "sql"] {
                place.run(case, way, times / 10).await;
                let started = Instant::now();
                place.run(case, way, times).await;
                let each = started.elapsed() / times;
                println!("{engine:9} {case:5} {way:7} {each:>10.1?} each");
            }
        }
        place.remove().await;
    }
}

/// A database, and the drivers' own connections to it.
struct Place {
    db: Db,
    hand: Hand,
    folder: std::path::PathBuf,
}

enum Hand {
    Sqlite(rusqlite::Connection),
    Postgres(tokio_postgres::Client),
}

impl Place {
    async fn new(engine: &str) -> Option<Place> {
        let folder = std::env::temp_dir().join(format!("haechi-bench-{}", std::process::id()));
        let url = match engine {
            "sqlite" => format!("sqlite:{}/site.db", folder.display()),
            _ => "postgres://postgres@127.0.0.1:5432/test?options=-c%20search_path%3Dhaechi_bench".to_owned(),
        };
        let parsed: DatabaseUrl = url.parse().unwrap();
        let hand = if engine == "sqlite" { None } else { Some(client().await?) };
        let db = Db::connect(&parsed, Options::default()).await.unwrap();
        Migrations::new().with::<Bench>().apply(&db).await.unwrap();
        let hand = match hand {
            Some(client) => Hand::Postgres(client),
            None => Hand::Sqlite(rusqlite::Connection::open(folder.join("site.db")).unwrap()),
        };
        Some(Place { db, hand, folder })
    }

    async fn run(&self, case: &str, way: &str, times: u32) {
        for turn in 0..times {
            let id = i64::from(turn % 1000) + 1;
            match (case, way) {
                ("key", "haechi") => {
                    drop(black_box(Item::query().filter(item::id.eq(id)).one(&self.db).await.unwrap()));
                }
                ("key", "sql") => {
                    let item: Item = sql!("select id, name, body, views, open from item where id = {id}")
                        .one(&self.db)
                        .await
                        .unwrap();
                    drop(black_box(item));
                }
                ("list", "haechi") => {
                    let items =
                        Item::query().order_by(item::id.asc()).limit(1000).all(&self.db).await.unwrap();
                    assert_eq!(black_box(items).len(), 1000);
                }
                ("list", "sql") => {
                    let items: Vec<Item> = sql!("select id, name, body, views, open from item order by id")
                        .all(&self.db)
                        .await
                        .unwrap();
                    assert_eq!(black_box(items).len(), 1000);
                }
                ("key", "hand") => drop(black_box(self.hand.key(id).await)),
                ("list", "hand") => assert_eq!(black_box(self.hand.list().await).len(), 1000),
                _ => panic!("no such case"),
            }
        }
    }

    async fn remove(self) {
        if let Hand::Postgres(client) = &self.hand {
            client.batch_execute("drop schema haechi_bench cascade").await.unwrap();
        }
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

async fn client() -> Option<tokio_postgres::Client> {
    let url = "postgres://postgres@127.0.0.1:5432/test?options=-c%20search_path%3Dhaechi_bench";
    let Ok((client, connection)) = tokio_postgres::connect(url, tokio_postgres::NoTls).await else {
        println!("skipped: no PostgreSQL on 127.0.0.1:5432");
        return None;
    };
    tokio::spawn(connection);
    client
        .batch_execute("drop schema if exists haechi_bench cascade; create schema haechi_bench")
        .await
        .unwrap();
    Some(client)
}

const KEY: &str = "select id, name, body, views, open from item where id = $1";
const LIST: &str = "select id, name, body, views, open from item order by id";

impl Hand {
    async fn key(&self, id: i64) -> Item {
        match self {
            Hand::Sqlite(driver) => driver.prepare_cached(KEY).unwrap().query_row([id], of_sqlite).unwrap(),
            Hand::Postgres(client) => {
                thread_local! { static PREPARED: std::cell::RefCell<Option<tokio_postgres::Statement>> = const { std::cell::RefCell::new(None) }; }
                let known = PREPARED.with_borrow(Clone::clone);
                let prepared = match known {
                    Some(prepared) => prepared,
                    None => {
                        let prepared = client.prepare(KEY).await.unwrap();
                        PREPARED.set(Some(prepared.clone()));
                        prepared
                    }
                };
                of_postgres(&client.query_one(&prepared, &[&id]).await.unwrap())
            }
        }
    }

    async fn list(&self) -> Vec<Item> {
        match self {
            Hand::Sqlite(driver) => {
                let mut prepared = driver.prepare_cached(LIST).unwrap();
                prepared.query_map([], of_sqlite).unwrap().map(Result::unwrap).collect()
            }
            Hand::Postgres(client) => {
                client.query(LIST, &[]).await.unwrap().iter().map(of_postgres).collect()
            }
        }
    }
}

fn of_sqlite(row: &rusqlite::Row<'_>) -> rusqlite::Result<Item> {
    Ok(Item { id: row.get(0)?, name: row.get(1)?, body: row.get(2)?, views: row.get(3)?, open: row.get(4)? })
}

fn of_postgres(row: &tokio_postgres::Row) -> Item {
    Item { id: row.get(0), name: row.get(1), body: row.get(2), views: row.get(3), open: row.get(4) }
}
