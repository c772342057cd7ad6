//! `migrate` of the built board on an empty database of each engine, and a site that is not to be served before.

use std::path::PathBuf;
use std::process::Command;

use crate::database::Database;

const PRODUCTION: &str =
    "mode = \"production\"\nbind = [\"127.0.0.1:0\"]\nallowed_hosts = [\"example.org\"]\n";

/// A site in production whose database is empty.
struct Empty {
    data: PathBuf,
    database: Option<Database>,
}

impl Empty {
    fn each() -> Vec<Self> {
        let mut databases = vec![None];
        databases.extend(Database::create().map(Some));
        databases.into_iter().enumerate().map(|(number, database)| Self::new(number, database)).collect()
    }

    fn new(number: usize, database: Option<Database>) -> Self {
        let data = std::env::temp_dir().join(format!("board-empty-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&data).unwrap();
        std::fs::write(data.join("haechi.toml"), PRODUCTION).unwrap();
        Self { data, database }
    }

    /// Runs the board to its end; returns its exit code and what it printed.
    fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_board"));
        command
            .args(arguments)
            .env("HAECHI_DATA", &self.data)
            .env("HAECHI_CONFIG", self.data.join("haechi.toml"));
        command
            .env("HAECHI_SECRET_KEY", "kx7Vb2qYt9LmR4sWz8NcDf5GhJ3pQa6E-test-only")
            .env_remove("HAECHI_DATABASE_URL");
        if let Some(own) = &self.database {
            command.env("HAECHI_DATABASE_URL", &own.url);
        }
        let output = command.current_dir(&self.data).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    }
}

impl Drop for Empty {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.data));
    }
}

#[test]
fn a_site_with_pending_migrations_is_not_served_and_migrate_says_what_it_would_do() {
    for site in Empty::each() {
        let (code, text) = site.run(&["serve"]);
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains("is pending: run the command migrate first"), "{text}");
        for asked in [["migrate", "--plan"], ["migrate", "--plan"]] {
            let (code, text) = site.run(&asked);
            assert_eq!(code, Some(0), "{text}");
            let at = |line| text.find(line).unwrap_or_else(|| panic!("{line} is not in {text}"));
            assert!(at("pending  haechi_auth/0001_user") < at("pending  board/0001_board"), "{text}");
        }
        for asked in [["migrate", "--check"].as_slice(), &["check"]] {
            let (code, text) = site.run(asked);
            assert_eq!(code, Some(1), "{text}");
            assert!(text.contains("board/0001_board"), "{text}");
        }
        let (code, text) = site.run(&["migrate"]);
        assert_eq!(code, Some(0), "{text}");
        assert!(text.contains("applied  board/0001_board"), "{text}");
        let (code, text) = site.run(&["migrate"]);
        assert_eq!((code, text.trim()), (Some(0), "nothing is applied"));
        let (code, text) = site.run(&["migrate", "--check"]);
        assert_eq!((code, text.trim()), (Some(0), "nothing is pending"));
        let (code, text) = site.run(&["check"]);
        assert_eq!(code, Some(0), "{text}");
    }
}
