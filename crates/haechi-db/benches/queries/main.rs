//! What this crate costs over the drivers by hand: a row by its key, and a list of 1,000 rows.
//!
//! `cargo bench -p haechi-db` prints the time of each. `scripts/db_instructions.py` counts instructions, which do not
//! depend on how busy the machine is: it runs `queries ENGINE CASE WAY TIMES` at two lengths and divides the difference.
//!
//! | way | what runs |
//! |---|---|
//! | `bare` | the driver on the calling task, with one connection that nobody else asks for |
//! | `site` | the driver as a site uses it: a pool, and SQLite on a blocking thread |
//! | `builder` | `Item::query()` |
//! | `sql` | `sql!` |

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a benchmark fails by panicking")]

mod hand;

use std::{hint::black_box, path::PathBuf, time::Instant};

use haechi_db::{DatabaseUrl, Db, Migration, MigrationSet, Migrations, Model, Options, sql};

use hand::{Bare, Site};

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
        sqlite: include_str!("item.sqlite.sql"),
        postgres: include_str!("item.postgres.sql"),
    }];
}

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            [engine, case, way, times] => {
                let place = Place::new(engine).await.unwrap();
                place.run(case, way, times.parse().unwrap()).await;
                place.remove().await;
            }
            _ => all().await,
        }
    });
}

async fn all() {
    for engine in ["sqlite", "postgres"] {
        let Some(place) = Place::new(engine).await else { continue };
        for (case, times) in [("key", 20_000), ("list", 300)] {
            for way in ["bare", "site", "builder", "sql"] {
                place.run(case, way, times / 10).await;
                let started = Instant::now();
                place.run(case, way, times).await;
                let each = started.elapsed() / times;
                println!("{engine:9} {case:5} {way:8} {each:>10.1?} each");
            }
        }
        place.remove().await;
    }
}

/// A database, and the drivers' own connections to it.
struct Place {
    db: Db,
    bare: Bare,
    site: Site,
    folder: PathBuf,
}

impl Place {
    async fn new(engine: &str) -> Option<Place> {
        let folder = std::env::temp_dir().join(format!("haechi-bench-{}", std::process::id()));
        let file = folder.join("site.db");
        let url: DatabaseUrl = match engine {
            "sqlite" => DatabaseUrl::file(&file),
            _ => hand::postgres_url().parse().unwrap(),
        };
        if engine != "sqlite" && !hand::make_schema().await {
            println!("skipped: no PostgreSQL at {}", hand::postgres());
            return None;
        }
        let db = Db::connect(&url, Options::default()).await.unwrap();
        Migrations::new().with::<Bench>().apply(&db).await.unwrap();
        let (bare, site) = match engine {
            "sqlite" => (Bare::sqlite(&file), Site::sqlite(&file)),
            _ => (Bare::postgres().await, Site::postgres()),
        };
        Some(Place { db, bare, site, folder })
    }

    async fn run(&self, case: &str, way: &str, times: u32) {
        for turn in 0..times {
            let id = i64::from(turn % 1000) + 1;
            match case {
                "key" => assert_eq!(black_box(self.key(way, id).await).id, id),
                "list" => assert_eq!(black_box(self.list(way).await).len(), 1000),
                _ => panic!("no such case"),
            }
        }
    }

    async fn key(&self, way: &str, id: i64) -> Item {
        match way {
            "bare" => self.bare.key(id).await,
            "site" => self.site.key(id).await,
            "builder" => Item::query().filter(item::id.eq(id)).one(&self.db).await.unwrap(),
            "sql" => sql!("select id, name, body, views, open from item where id = {id}")
                .one(&self.db)
                .await
                .unwrap(),
            _ => panic!("no such way"),
        }
    }

    async fn list(&self, way: &str) -> Vec<Item> {
        match way {
            "bare" => self.bare.list().await,
            "site" => self.site.list().await,
            "builder" => Item::query().order_by(item::id.asc()).limit(1000).all(&self.db).await.unwrap(),
            "sql" => {
                sql!("select id, name, body, views, open from item order by id").all(&self.db).await.unwrap()
            }
            _ => panic!("no such way"),
        }
    }

    async fn remove(self) {
        match self.site {
            Site::Sqlite(_) => drop(std::fs::remove_dir_all(&self.folder)),
            Site::Postgres(_) => hand::drop_schema().await,
        }
    }
}
