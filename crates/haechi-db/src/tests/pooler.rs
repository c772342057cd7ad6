//! A PgBouncer that hands a session of the server to another client after each transaction.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tokio_postgres::config::Host;

use super::scratch::{Scratch, folder, required, server};
use crate::{Db, Options};

/// A PgBouncer of our own that pools transactions, on a Unix socket, before the server of the tests.
pub(crate) struct Pooler {
    process: Child,
    folder: PathBuf,
}

impl Pooler {
    /// Starts one before the schema of a test, or says why the test is skipped.
    pub(crate) fn start(scratch: &Scratch) -> Option<Pooler> {
        let pooler = Pooler::run(scratch.schema());
        if pooler.is_none() {
            assert!(!required(), "a PgBouncer of the test's own is required here");
            eprintln!("skipped: no pgbouncer, or no right to run it as postgres");
        }
        pooler
    }

    fn run(schema: &str) -> Option<Pooler> {
        let server: tokio_postgres::Config = server().parse().unwrap();
        let (Host::Tcp(host), Some(port)) = (&server.get_hosts()[0], server.get_ports().first()) else {
            return None;
        };
        let folder = folder();
        let settings = format!(
            "[databases]\nsite = dbname={} host={host} port={port} user={} connect_query='set search_path to {schema}'\n[pgbouncer]\nunix_socket_dir = {}\nlisten_port = 6432\n\
             auth_type = any\npool_mode = transaction\ndefault_pool_size = 3\nignore_startup_parameters = options\n",
            server.get_dbname().unwrap_or("postgres"),
            server.get_user().unwrap_or("postgres"),
            folder.display(),
        );
        let file = folder.join("pgbouncer.ini");
        std::fs::write(&file, settings).unwrap();
        // It does not run as root, and makes its socket as its own user.
        Command::new("chown").args(["-R", "postgres"]).arg(&folder).status().ok()?;
        let process = Command::new("runuser")
            .args(["-u", "postgres", "--", "pgbouncer", "-q"])
            .arg(file)
            .current_dir("/")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut pooler = Pooler { process, folder };
        while !pooler.folder.join(".s.PGSQL.6432").exists() {
            if pooler.process.try_wait().unwrap().is_some() {
                return None;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(pooler)
    }

    /// Opens the database behind it.
    pub(crate) async fn open(&self, prepared: &str) -> Db {
        let folder = self.folder.display().to_string().replace('/', "%2F");
        let url = format!("postgres://postgres@{folder}:6432/site?prepared={prepared}");
        Db::connect(&url.parse().unwrap(), Options::default()).await.unwrap()
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        // It would outlive a `runuser` that is killed; this one passes the signal on.
        drop(Command::new("kill").arg(self.process.id().to_string()).status());
        drop(self.process.wait());
        drop(std::fs::remove_dir_all(&self.folder));
    }
}
