//! The same queries by hand, as a careful programmer writes them on the drivers.
//!
//! SQLite has the settings of this crate's readers and a deadline for each statement, without which a read on the
//! thread of an async worker could hold it for ever.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;
use tokio_postgres::{Client, NoTls, Statement};

use crate::Item;

const KEY: &str = "select id, name, body, views, open from item where id = $1";
const LIST: &str = "select id, name, body, views, open from item order by id";
const DEADLINE: Duration = Duration::from_secs(5);

/// The driver on the calling task, with a connection of its own.
pub(crate) enum Bare {
    Sqlite(Reader),
    Postgres { client: Client, key: Statement, list: Statement },
}

impl Bare {
    pub(crate) fn sqlite(file: &Path) -> Bare {
        Bare::Sqlite(Reader::open(file))
    }

    pub(crate) async fn postgres() -> Bare {
        let client = client().await.unwrap();
        let (key, list) = (client.prepare(KEY).await.unwrap(), client.prepare(LIST).await.unwrap());
        Bare::Postgres { client, key, list }
    }

    pub(crate) async fn key(&self, id: i64) -> Item {
        match self {
            Bare::Sqlite(reader) => reader.key(id),
            Bare::Postgres { client, key, .. } => of_postgres(&client.query_one(key, &[&id]).await.unwrap()),
        }
    }

    pub(crate) async fn list(&self) -> Vec<Item> {
        match self {
            Bare::Sqlite(reader) => reader.list(),
            Bare::Postgres { client, list, .. } => {
                client.query(list, &[]).await.unwrap().iter().map(of_postgres).collect()
            }
        }
    }
}

/// The driver as many requests share it.
pub(crate) enum Site {
    Sqlite(Blocking),
    Postgres(deadpool_postgres::Pool),
}

impl Site {
    pub(crate) fn sqlite(file: &Path) -> Site {
        let idle = (0..2).map(|_| Reader::open(file)).collect();
        Site::Sqlite(Blocking { turns: Arc::new(Semaphore::new(2)), idle: Arc::new(Mutex::new(idle)) })
    }

    pub(crate) fn postgres() -> Site {
        let recycling_method = deadpool_postgres::RecyclingMethod::Fast;
        let manager = deadpool_postgres::Manager::from_config(
            postgres_url().parse().unwrap(),
            NoTls,
            deadpool_postgres::ManagerConfig { recycling_method },
        );
        let pool = deadpool_postgres::Pool::builder(manager)
            .max_size(8)
            .runtime(deadpool_postgres::Runtime::Tokio1)
            .wait_timeout(Some(Duration::from_secs(3)));
        Site::Postgres(pool.build().unwrap())
    }

    pub(crate) async fn key(&self, id: i64) -> Item {
        match self {
            Site::Sqlite(blocking) => blocking.run(move |reader| reader.key(id)).await,
            Site::Postgres(pool) => {
                let client = pool.get().await.unwrap();
                let key = client.prepare_cached(KEY).await.unwrap();
                of_postgres(&client.query_one(&key, &[&id]).await.unwrap())
            }
        }
    }

    pub(crate) async fn list(&self) -> Vec<Item> {
        match self {
            Site::Sqlite(blocking) => blocking.run(Reader::list).await,
            Site::Postgres(pool) => {
                let client = pool.get().await.unwrap();
                let list = client.prepare_cached(LIST).await.unwrap();
                client.query(&list, &[]).await.unwrap().iter().map(of_postgres).collect()
            }
        }
    }
}

/// Readers that wait on blocking threads: SQLite itself cannot be awaited.
pub(crate) struct Blocking {
    turns: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Reader>>>,
}

impl Blocking {
    async fn run<T: Send + 'static>(&self, work: impl FnOnce(&Reader) -> T + Send + 'static) -> T {
        let turn = Arc::clone(&self.turns).acquire_owned().await.unwrap();
        let idle = Arc::clone(&self.idle);
        let job = move || {
            let reader = idle.lock().unwrap().pop().unwrap();
            let outcome = work(&reader);
            idle.lock().unwrap().push(reader);
            drop(turn);
            outcome
        };
        tokio::task::spawn_blocking(job).await.unwrap()
    }
}

/// A connection that reads, and gives up a statement at its deadline.
pub(crate) struct Reader {
    driver: Connection,
    base: Instant,
    deadline: Arc<AtomicU64>,
}

impl Reader {
    fn open(file: &Path) -> Reader {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut driver = Connection::open_with_flags(file, flags).unwrap();
        let settings = "pragma foreign_keys = on; pragma cell_size_check = on; pragma temp_store = memory;
            pragma query_only = on; pragma trusted_schema = off";
        driver.execute_batch(settings).unwrap();
        driver.set_prepared_statement_cache_capacity(64);
        let (base, deadline) = (Instant::now(), Arc::new(AtomicU64::new(u64::MAX)));
        let limit = Arc::clone(&deadline);
        let passed = move || millis(base.elapsed()) > limit.load(Ordering::Relaxed);
        driver.progress_handler(2000, Some(passed)).unwrap();
        Reader { driver, base, deadline }
    }

    fn start(&self) {
        self.deadline.store(millis(self.base.elapsed() + DEADLINE), Ordering::Relaxed);
    }

    fn key(&self, id: i64) -> Item {
        self.start();
        self.driver.prepare_cached(KEY).unwrap().query_row([id], of_sqlite).unwrap()
    }

    fn list(&self) -> Vec<Item> {
        self.start();
        let mut prepared = self.driver.prepare_cached(LIST).unwrap();
        prepared.query_map([], of_sqlite).unwrap().map(Result::unwrap).collect()
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap()
}

fn of_sqlite(row: &rusqlite::Row<'_>) -> rusqlite::Result<Item> {
    Ok(Item { id: row.get(0)?, name: row.get(1)?, body: row.get(2)?, views: row.get(3)?, open: row.get(4)? })
}

fn of_postgres(row: &tokio_postgres::Row) -> Item {
    Item { id: row.get(0), name: row.get(1), body: row.get(2), views: row.get(3), open: row.get(4) }
}

/// The server of the tests; what is made there stands in a schema that is dropped.
pub(crate) fn postgres() -> String {
    std::env::var("HAECHI_TEST_POSTGRES")
        .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/test".to_owned())
}

pub(crate) fn postgres_url() -> String {
    format!("{}?options=-c%20search_path%3Dhaechi_bench", postgres())
}

pub(crate) async fn make_schema() -> bool {
    let Some(client) = client().await else { return false };
    let text = "drop schema if exists haechi_bench cascade; create schema haechi_bench";
    client.batch_execute(text).await.unwrap();
    true
}

pub(crate) async fn drop_schema() {
    client().await.unwrap().batch_execute("drop schema haechi_bench cascade").await.unwrap();
}

async fn client() -> Option<Client> {
    let (client, connection) = tokio_postgres::connect(&postgres_url(), NoTls).await.ok()?;
    tokio::spawn(connection);
    Some(client)
}
