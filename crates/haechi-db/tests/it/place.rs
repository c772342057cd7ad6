//! An empty database on each engine, removed when the test ends.

use haechi_db::DatabaseUrl;
use tokio_postgres::{Client, NoTls};

pub(crate) struct Place {
    pub(crate) url: DatabaseUrl,
    schema: Option<(String, String)>,
    folder: std::path::PathBuf,
}

impl Place {
    /// A SQLite file, and a schema where there is a PostgreSQL.
    pub(crate) async fn each() -> Vec<Place> {
        let name = format!("haechi_it_{}", uuid::Uuid::new_v4().simple());
        let folder = std::env::temp_dir().join(&name);
        let file = DatabaseUrl::file(folder.join("site.db"));
        let mut places = vec![Place { url: file, schema: None, folder: folder.clone() }];
        let server = std::env::var("HAECHI_TEST_POSTGRES")
            .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/test".to_owned());
        match connect(&server).await {
            Ok(client) => {
                client.batch_execute(&format!("create schema {name}")).await.unwrap();
                let url = format!("{server}?options=-c%20search_path%3D{name}").parse().unwrap();
                places.push(Place { url, schema: Some((server, name)), folder });
            }
            Err(error) => {
                let required = std::env::var("HAECHI_REQUIRE_ALL").is_ok_and(|value| value == "1");
                assert!(!required, "PostgreSQL is required here: {error}");
                eprintln!("skipped: no PostgreSQL at {server}; set HAECHI_TEST_POSTGRES");
            }
        }
        places
    }
}

async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((server, name)) = self.schema.take() else {
            drop(std::fs::remove_dir_all(&self.folder));
            return;
        };
        // A runtime cannot wait inside another one, so the schema goes on a thread of its own.
        let remove = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let client = connect(&server).await.unwrap();
                client.batch_execute(&format!("drop schema {name} cascade")).await.unwrap();
            });
        };
        drop(std::thread::spawn(remove).join());
    }
}
