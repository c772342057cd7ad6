//! The queries of the `queries` bench through sqlx, for `scripts/db_instructions.py`: `haechi-db-sqlx ENGINE CASE TIMES`.
//!
//! The pools are sqlx's own, without the ping before each query that its default makes.

use std::hint::black_box;

use sqlx::{
    ConnectOptions as _, Connection as _, Executor as _, FromRow, PgPool, SqlitePool,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions},
};

#[derive(FromRow)]
#[allow(dead_code, reason = "all columns are read, as the other ways read them")]
struct Item {
    id: i64,
    name: String,
    body: String,
    views: i64,
    open: bool,
}

const KEY: &str = "select id, name, body, views, open from item where id = $1";
const LIST: &str = "select id, name, body, views, open from item order by id";

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [engine, case, times] = &arguments[..] else { return Err("ENGINE CASE TIMES".into()) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match engine.as_str() {
            "sqlite" => sqlite(case, times.parse()?).await,
            _ => postgres(case, times.parse()?).await,
        }
    })
}

async fn sqlite(case: &str, times: u32) -> Outcome {
    let folder = std::env::temp_dir().join(format!("haechi-bench-sqlx-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let options = SqliteConnectOptions::new()
        .filename(folder.join("site.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .disable_statement_logging();
    let pool = SqlitePoolOptions::new()
        .max_connections(2)
        .test_before_acquire(false)
        .connect_with(options)
        .await?;
    pool.execute(include_str!("../../queries/item.sqlite.sql")).await?;
    for turn in 0..times {
        run_sqlite(&pool, case, i64::from(turn % 1000) + 1).await?;
    }
    pool.close().await;
    Ok(std::fs::remove_dir_all(folder)?)
}

async fn run_sqlite(pool: &SqlitePool, case: &str, id: i64) -> Outcome {
    if case == "key" {
        let item: Item = sqlx::query_as(KEY).bind(id).fetch_one(pool).await?;
        assert_eq!(black_box(item).id, id);
    } else {
        let items: Vec<Item> = sqlx::query_as(LIST).fetch_all(pool).await?;
        assert_eq!(black_box(items).len(), 1000);
    }
    Ok(())
}

async fn postgres(case: &str, times: u32) -> Outcome {
    let url = std::env::var("HAECHI_TEST_POSTGRES")
        .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/test".to_owned());
    let options: PgConnectOptions = url.parse()?;
    let options = options.options([("search_path", "haechi_bench_sqlx")]).disable_statement_logging();
    let mut owner = sqlx::PgConnection::connect_with(&options).await?;
    owner.execute("drop schema if exists haechi_bench_sqlx cascade; create schema haechi_bench_sqlx").await?;
    owner.execute(include_str!("../../queries/item.postgres.sql")).await?;
    let pool =
        PgPoolOptions::new().max_connections(8).test_before_acquire(false).connect_with(options).await?;
    for turn in 0..times {
        run_postgres(&pool, case, i64::from(turn % 1000) + 1).await?;
    }
    pool.close().await;
    owner.execute("drop schema haechi_bench_sqlx cascade").await?;
    Ok(())
}

async fn run_postgres(pool: &PgPool, case: &str, id: i64) -> Outcome {
    if case == "key" {
        let item: Item = sqlx::query_as(KEY).bind(id).fetch_one(pool).await?;
        assert_eq!(black_box(item).id, id);
    } else {
        let items: Vec<Item> = sqlx::query_as(LIST).fetch_all(pool).await?;
        assert_eq!(black_box(items).len(), 1000);
    }
    Ok(())
}
