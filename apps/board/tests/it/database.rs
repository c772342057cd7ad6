//! A PostgreSQL database for one test.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// The database; removed with the value.
pub(crate) struct Database {
    base: String,
    name: String,
    pub(crate) url: String,
}

impl Database {
    /// Makes one beside the database for tests, or says why there is none.
    pub(crate) fn create() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let base = std::env::var("HAECHI_TEST_POSTGRES")
            .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/test".to_owned());
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("board_{}_{number}", std::process::id());
        if let Err(error) = ask(&base, &format!("create database {name}")) {
            let required = std::env::var("HAECHI_REQUIRE_ALL").is_ok_and(|value| value == "1");
            assert!(!required, "PostgreSQL is required here: {error}");
            eprintln!("skipped: no psql, or no PostgreSQL at {base}; set HAECHI_TEST_POSTGRES");
            return None;
        }
        let (server, _) = base.rsplit_once('/').unwrap();
        let url = format!("{server}/{name}");
        Some(Self { base, name, url })
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        drop(ask(&self.base, &format!("drop database {} with (force)", self.name)));
    }
}

fn ask(url: &str, text: &str) -> Result<(), String> {
    let output = Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--command", text, url])
        .output()
        .map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}
