//! `check` of the built board, against tables that are not what its statements read.

use haechi::db::{Db, Migrations, Options};
use haechi::{Migration, MigrationSet};

use crate::server::Server;

/// Somebody changed the tables by hand.
struct Planted;

impl MigrationSet for Planted {
    const APP: &'static str = "planted";
    const MIGRATIONS: &'static [Migration] = &[Migration {
        name: "0001_planted",
        sqlite: "alter table auth_user rename column first_name to given_name;
                 drop table haechi_security_head;
                 create table haechi_security_head (id integer not null primary key, log_rows integer not null,
                 mac blob) strict",
        postgres: "alter table auth_user rename column first_name to given_name;
                   drop table haechi_security_head;
                   create table haechi_security_head (id bigint not null primary key, log_rows bigint not null,
                   mac bytea)",
    }];
}

#[tokio::test]
async fn check_names_the_statement_that_does_not_fit_and_its_cure() {
    for server in Server::each("") {
        let (code, text) = server.command(&["check"]);
        assert_eq!(code, Some(0), "{text}");
        let db = Db::connect(&server.database_url().parse().unwrap(), Options::default()).await.unwrap();
        Migrations::new().with::<Planted>().apply(&db).await.unwrap();
        let (code, text) = server.command(&["check"]);
        assert_eq!(code, Some(1), "{text}");
        let errors: Vec<_> =
            text.lines().filter_map(|line| line.strip_prefix("error ")).map(str::trim).collect();
        let is_at = |line: &str, file: &str| {
            line.strip_prefix(file)
                .and_then(|rest| rest.strip_prefix(':')?.split_once(": "))
                .is_some_and(|(number, _)| number.parse::<u32>().is_ok())
        };
        let missing = |line: &&&str| line.contains("first_name") && line.contains("add a migration");
        let missing = errors.iter().find(missing).unwrap_or_else(|| panic!("{text}"));
        assert!(is_at(missing, "crates/haechi-auth/src/django_users.rs"), "{missing}");
        for problem in ["mac: is bytes, is read as text", "mac: may be null, is read as text without Option"]
        {
            let line = errors.iter().find(|line| line.contains(problem)).unwrap_or_else(|| panic!("{text}"));
            assert!(is_at(line, "crates/haechi-auth/src/security_log.rs"), "{line}");
            assert!(line.contains("read it as what it is, or cast it in the statement"), "{line}");
        }
    }
}
