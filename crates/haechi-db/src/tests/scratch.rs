//! A database of its own for each test, on each engine.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use tokio_postgres::NoTls;
use uuid::Uuid;

use crate::{DatabaseUrl, Db, Options, db::Backend};

/// A database that is removed when the test ends.
pub(crate) struct Scratch {
    pub(crate) db: Db,
    pub(crate) url: DatabaseUrl,
    place: Place,
}

enum Place {
    Folder(PathBuf),
    Schema { url: String, name: String },
}

impl Scratch {
    /// A SQLite file in a folder of its own.
    pub(crate) async fn file(options: Options) -> Scratch {
        let folder = folder();
        let url = DatabaseUrl::file(folder.join("site.db"));
        let db = Db::connect(&url, options).await.unwrap();
        Scratch { db, url, place: Place::Folder(folder) }
    }

    /// A schema in the PostgreSQL database for tests, or `None` where there is no server and none is required.
    pub(crate) async fn postgres(options: Options) -> Option<Scratch> {
        let base = server();
        let name = format!("haechi_{}", Uuid::new_v4().simple());
        if let Err(error) = administer(&base, &format!("create schema {name}")).await {
            assert!(!required(), "PostgreSQL is required here: {error}");
            eprintln!("skipped: no PostgreSQL at {base}; set HAECHI_TEST_POSTGRES");
            return None;
        }
        let url: DatabaseUrl = format!("{base}?options=-c%20search_path%3D{name}").parse().unwrap();
        let db = Db::connect(&url, options).await.unwrap();
        Some(Scratch { db, url, place: Place::Schema { url: base, name } })
    }

    /// One on each engine that there is.
    pub(crate) async fn each() -> Vec<Scratch> {
        let mut all = vec![Scratch::file(Options::default()).await];
        all.extend(Scratch::postgres(Options::default()).await);
        all
    }

    pub(crate) fn folder(&self) -> &PathBuf {
        match &self.place {
            Place::Folder(folder) => folder,
            Place::Schema { .. } => panic!("a schema has no folder"),
        }
    }

    pub(crate) fn schema(&self) -> &str {
        match &self.place {
            Place::Folder(_) => panic!("a file has no schema"),
            Place::Schema { name, .. } => name,
        }
    }

    /// Changes the schema, as a migration does.
    pub(crate) async fn ddl(&self, text: &'static str) {
        ddl(&self.db, text).await;
    }
}

/// The URL of the PostgreSQL server for tests.
pub(crate) fn server() -> String {
    std::env::var("HAECHI_TEST_POSTGRES")
        .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/test".to_owned())
}

/// Changes the schema of a database without a scratch.
pub(crate) async fn ddl(db: &Db, text: &'static str) {
    match &*db.0 {
        Backend::Sqlite(sqlite) => {
            let job = move |driver: &mut rusqlite::Connection| {
                driver.execute_batch(text).unwrap();
                Ok(())
            };
            sqlite.as_owner(job).await.unwrap();
        }
        Backend::Postgres(postgres) => {
            postgres.owner().await.unwrap().batch_execute(text).await.unwrap();
        }
    }
}

/// Whether a missing server or program fails the test.
pub(crate) fn required() -> bool {
    std::env::var("HAECHI_REQUIRE_ALL").is_ok_and(|value| value == "1")
}

/// A new folder that no other test uses.
pub(crate) fn folder() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("haechi-db-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

async fn administer(url: &str, text: &str) -> Result<(), tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let connection = tokio::spawn(connection);
    client.batch_execute(text).await?;
    drop(client);
    drop(connection.await);
    Ok(())
}

impl Drop for Scratch {
    fn drop(&mut self) {
        match &self.place {
            Place::Folder(folder) => drop(std::fs::remove_dir_all(folder)),
            Place::Schema { url, name } => {
                let (url, text) = (url.clone(), format!("drop schema {name} cascade"));
                let remove = move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                    runtime.block_on(administer(&url, &text)).unwrap();
                };
                drop(std::thread::spawn(remove).join());
            }
        }
    }
}
