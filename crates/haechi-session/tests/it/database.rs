//! The database store, on both engines.

use std::sync::Arc;

use haechi_db::{Db, Migrations, Options};
use haechi_session::{
    At, Changes, DatabaseStore, Record, Saved, SessionStore, SessionTables, StoreKey, Values, Write,
};

async fn sqlite() -> Db {
    let db = Db::memory().await.unwrap();
    Migrations::new().with::<SessionTables>().apply(&db).await.unwrap();
    db
}

/// Returns a PostgreSQL database, or `None` with a printed line where there is none.
async fn postgres() -> Option<Db> {
    let url = "postgres://postgres@127.0.0.1:5432/test?sslmode=disable".parse().unwrap();
    let db = match Db::connect(&url, Options::default()).await {
        Ok(db) => db,
        Err(error) if std::env::var_os("HAECHI_REQUIRE_ALL").is_none() => {
            println!("skipped: no PostgreSQL on 127.0.0.1:5432 ({error})");
            return None;
        }
        Err(error) => panic!("PostgreSQL is required: {error}"),
    };
    Migrations::new().with::<SessionTables>().apply(&db).await.unwrap();
    Some(db)
}

#[tokio::test]
async fn the_database_store_conforms_on_sqlite() {
    haechi_session::conformance::check(&DatabaseStore::new(sqlite().await)).await.unwrap();
}

#[tokio::test]
async fn the_database_store_conforms_on_postgresql() {
    if let Some(db) = postgres().await {
        haechi_session::conformance::check(&DatabaseStore::new(db)).await.unwrap();
    }
}

#[tokio::test]
async fn no_write_of_ten_at_once_is_lost() {
    let store = Arc::new(DatabaseStore::new(sqlite().await));
    let (key, record) =
        (StoreKey::new("k".repeat(64)), Record { expires: 4_000_000_000, ..Record::default() });
    let nothing = Changes::default();
    let new = Write { at: At::New(&key), record: &record, changes: &nothing };
    assert_eq!(store.save(new).await.unwrap(), Saved::Stored);
    let tasks: Vec<_> = (0..10)
        .map(|number| {
            let (store, key, record) = (Arc::clone(&store), key.clone(), record.clone());
            tokio::spawn(async move {
                let changes = Changes::setting(&format!("n{number}"), &number).unwrap();
                store.save(Write { at: At::Same(&key), record: &record, changes: &changes }).await.unwrap()
            })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), Saved::Stored);
    }
    let values: Values = store.load(&key).await.unwrap().unwrap().values;
    assert!((0..10).all(|number| values.json(&format!("n{number}")).is_some()), "{}", values.to_json());
}
